# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Calendars and drives that depend on a leaver: secondary calendars, which are deleted with the account, and shared drives without another organiser.

https://developers.google.com/workspace/calendar/api/v3/reference/calendars/transferOwnership,
https://developers.google.com/workspace/drive/api/guides/ref-search-terms#drive_properties
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...sdk.keys import same_text
from ...sdk.values import Account, Owned
from .api import GoogleApi, path
from .transfer import GoogleTransfer

CALENDAR, DRIVE = "secondary calendar", "shared drive"
_UNSEEN = "secondary calendars of {who}"
_WHY = (
    "Google does not show the calendars of a suspended account: they move with the transfer of its calendar. Run again when that has ended, "
    "and before the account is deleted, which deletes them"
)


class GoogleLeftBehind:
    """Finds and reassigns such calendars and drives."""

    def __init__(self, api: GoogleApi, transfer: GoogleTransfer) -> None:
        self.api, self.transfer = api, transfer

    def owned(self, account: Account) -> Iterator[Owned]:
        """Yield each calendar and drive that needs another owner before the account is deleted."""
        if account.active:
            for row in self._calendars(account):
                if not row.get("primary") and same_text(row.get("dataOwner"), account.email):
                    yield Owned(CALENDAR, str(row["id"]), str(row.get("summary") or row["id"]))
        elif not self.transfer.moved(account, "Calendar"):
            who = account.email
            yield Owned("calendars", who, _UNSEEN.format(who=who), settle="decide", raw={"why": _WHY})
        for drive in self._drives(account):
            yield Owned(DRIVE, str(drive["id"]), str(drive.get("name") or drive["id"]))

    def reassign(self, heir: Account, owned: Owned) -> None:
        """Make the heir the owner of a calendar, or an organiser of a drive."""
        act = f"give {owned.kind} {owned.name} to {heir.login}"
        if owned.kind == CALENDAR:
            where = path("calendar", "v3", "calendars", owned.id, "transferOwnership")
            params: dict[str, Any] = {"newDataOwner": heir.email, "useAdminAccess": "true"}
            self._administrator().send("POST", where, act=act, params=params)
            return
        where = path("drive", "v3", "files", owned.id, "permissions")
        params = {"supportsAllDrives": "true", "useDomainAdminAccess": "true", "sendNotificationEmail": "false"}
        body = {"type": "user", "role": "organizer", "emailAddress": heir.email}
        # A member of the drive gets the new role: sending it twice changes nothing more.
        self._administrator().send("POST", where, act=act, params=params, json=body, retry_safe=True)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _administrator(self) -> Any:
        """Return the transport for Calendar and Drive, in the administrator's name."""
        return self.api.person("www", self.api.admin_address)

    def _calendars(self, account: Account) -> Iterator[Mapping[str, Any]]:
        where = path("calendar", "v3", "users", "me", "calendarList")
        act = f"list calendars of {account.login}"
        params = {"minAccessRole": "owner", "showHidden": "true", "maxResults": "250"}
        return self.api.listed(self.api.person("www", account.email), where, "items", act=act, **params)

    def _drives(self, account: Account) -> Iterator[Mapping[str, Any]]:
        """Yield the drives whose only organiser the account is."""
        act = f"list shared drives of {account.login}"
        params = {"useDomainAdminAccess": "true", "q": "organizerCount = 1", "pageSize": "100"}
        for drive in self.api.listed(self._administrator(), path("drive", "v3", "drives"), "drives", act=act, **params):
            where = path("drive", "v3", "files", str(drive["id"]), "permissions")
            shown = {
                "supportsAllDrives": "true",
                "useDomainAdminAccess": "true",
                "fields": "nextPageToken,permissions(id,type,role,emailAddress)",
            }
            rows = self.api.listed(self._administrator(), where, "permissions", act=act, **shown)
            organisers = [str(row.get("emailAddress") or "") for row in rows if row.get("role") == "organizer"]
            if len(organisers) == 1 and same_text(organisers[0], account.email):
                yield drive
