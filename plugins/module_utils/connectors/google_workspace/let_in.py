# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Access of a person to calendars and mailboxes of others, and of their private address to groups and shared drives.

Google has no list of the calendars and mailboxes that let somebody in: each person's are read in that person's own name. A private
address keeps its access when the company's account is suspended.
https://developers.google.com/workspace/calendar/api/v3/reference/acl, https://developers.google.com/workspace/gmail/api/guides/delegate_settings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...model.errors import AuthenticationFailed, NotFound, PermissionDenied
from ...sdk.transport import Transport
from ...sdk.values import Account, Owned
from .accounts import GoogleAccounts
from .api import GoogleApi, directory, path
from .sent_on import settings_of

CALENDAR, MAILBOX, SENDER = "calendar of", "mailbox of", "sender in the mailbox of"
GROUP, DRIVE = "private address in group", "private address in shared drive"
#: The members of all shared drives: https://developers.google.com/workspace/drive/api/guides/manage-shareddrives
_ALL_DRIVES = {"useDomainAdminAccess": "true"}
_ANY_DRIVE = {**_ALL_DRIVES, "supportsAllDrives": "true"}
#: The number of people whose calendars and mailbox are read at once.
_AT_ONCE = 4
#: Words in Google's error for a person without a calendar: https://developers.google.com/workspace/calendar/api/guides/errors
_NO_CALENDAR = "signed up for Google Calendar"
_SENDS = "everybody who works in that mailbox can send under this address: remove it there (Accounts, Send mail as), or attest that it stays"
_UNSEEN = "nobody knows whether these let the leaver in ({why}): look, then attest"


class GoogleLetIn:
    """Finds, ends and gives back a person's access to what belongs to others.

    :param up_to: how many people's calendars and mailboxes are read, at most; a person has to look at the others.
    """

    def __init__(self, api: GoogleApi, accounts: GoogleAccounts, up_to: int) -> None:
        self.api, self.accounts, self.up_to = api, accounts, up_to

    def of(self, account: Account) -> list[Owned]:
        """Return each access of the account, and one item for what could not be read."""
        act = f"look where {account.login} was let in"
        private = _private(account)
        names = {*_own(account), *private}
        people = [one for one in self.accounts.active(act=act) if one.id != account.id]
        asked = people[: self.up_to]
        found = [one for address in sorted(private) for one in self._groups(address, act)]
        found += self._drives(private, act) if private else ()
        unseen: list[str] = []

        def look(owner: Account) -> list[Owned]:
            try:
                return [*self._calendars(owner, names, private, act), *self._mailbox(owner, names, private, act)]
            except (PermissionDenied, AuthenticationFailed) as e:
                unseen.append(f"of {owner.email}: {e}")
                return []

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found += [one for several in threads.map(look, asked) for one in several]
        if unseen:
            found.append(_decide(f"calendars and mailboxes {min(unseen)}", len(unseen), len(people)))
        if len(people) > len(asked):
            why = "option delegations_up_to"
            found.append(_decide(f"calendars and mailboxes beyond {why}", len(people) - len(asked), len(people)))
        return found

    def take(self, account: Account, one: Owned) -> None:
        """End one access that :meth:`of` returned."""
        act = f"take {one.kind} {one.name} from {account.login}"
        if one.kind == GROUP:
            where = directory("groups", one.raw["group"], "members", one.id)
            self.api.admin().send("DELETE", where, act=act, missing=(404,))
            return
        if one.kind == DRIVE:
            where = path("drive", "v3", "files", one.raw["drive"], "permissions", one.id)
            self._drive().send("DELETE", where, act=act, params=_ANY_DRIVE, missing=(404,))
            return
        owner = one.raw["owner"]
        if one.kind == CALENDAR:
            where = path("calendar", "v3", "calendars", one.raw["calendar"], "acl", one.id)
        else:
            where = settings_of(owner, "delegates", one.id)
        self._as(owner, one.kind).send("DELETE", where, act=act, missing=(404,))

    def leave(self, account: Account, owner: Account, calendar: str) -> None:
        """End the account's access to a calendar that it gave to ``owner``: Google leaves the former owner among the owners."""
        act = f"remove {account.login} from a calendar that now belongs to {owner.login}"
        for one in self._calendars(owner, _own(account) | _private(account), set(), act):
            if one.raw["calendar"] == calendar:
                self.take(account, one)

    def again(self, account: Account, what: str) -> None:
        """Give back an access that :meth:`take` ended.

        :param what: its kind and name: ``calendar of mark@corp.example: Team (writer)``.
        :raises NotFound: the calendar does not exist any more.
        """
        act = f"let {account.login} in again: {what}"
        if what.startswith(f"{MAILBOX} "):
            owner = what.removeprefix(f"{MAILBOX} ")
            delegates, body = settings_of(owner, "delegates"), {"delegateEmail": account.email}
            self._as(owner, MAILBOX).send("POST", delegates, act=act, json=body, missing=(409,), retry_safe=True)
            return
        place, _space, role = what.removeprefix(f"{CALENDAR} ").removesuffix(")").rpartition(" (")
        owner, _colon, called = place.partition(": ")
        rows = self._owned_by(owner, act)
        calendar = next((str(row["id"]) for row in rows if str(row.get("summary") or row["id"]) == called), "")
        if called and not calendar:
            hint = "ask the owner for another calendar"
            raise NotFound(f"{owner} has no calendar {called}", act=act, system=self.api.target.name, hint=hint)
        rule = {"role": role, "scope": {"type": "user", "value": account.email}}
        acl = path("calendar", "v3", "calendars", calendar or owner, "acl")
        # A new rule for the same person replaces the old one: sending it twice changes nothing more.
        self._as(owner, CALENDAR).send("POST", acl, act=act, json=rule, retry_safe=True)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _as(self, owner: str, kind: str) -> Transport:
        return self.api.person("www" if kind == CALENDAR else "gmail", owner)

    def _drive(self) -> Transport:
        """Return Drive in the administrator's name."""
        return self.api.person("www", self.api.admin_address)

    def _drives(self, private: set[str], act: str) -> Iterator[Owned]:
        """Yield the shared drives that a private address is a member of."""
        where = path("drive", "v3", "drives")
        for drive in self.api.listed(self._drive(), where, "drives", act=act, **_ALL_DRIVES, pageSize="100"):
            number, shown = str(drive["id"]), "nextPageToken,permissions(id,type,role,emailAddress)"
            members = path("drive", "v3", "files", number, "permissions")
            for row in self.api.listed(self._drive(), members, "permissions", act=act, **_ANY_DRIVE, fields=shown):
                who = str(row.get("emailAddress") or "").lower()
                if who in private:
                    name = f"{drive.get('name') or number}: {who} ({row.get('role')})"
                    yield Owned(DRIVE, str(row["id"]), name, settle="revoke", raw={"drive": number})

    def _owned_by(self, owner: str, act: str) -> Iterator[Mapping[str, Any]]:
        """Yield the calendars that a person owns; none when they do not use Google Calendar."""
        where = path("calendar", "v3", "users", "me", "calendarList")
        params = {"minAccessRole": "owner", "showHidden": "true", "maxResults": "250"}
        try:
            for row in self.api.listed(self._as(owner, CALENDAR), where, "items", act=act, **params):
                if row.get("primary") or str(row.get("dataOwner") or "").lower() == owner:
                    yield row
        except PermissionDenied as e:
            if _NO_CALENDAR not in str(e):
                raise

    def _calendars(self, owner: Account, names: set[str], private: set[str], act: str) -> Iterator[Owned]:
        for row in self._owned_by(owner.email, act):
            where = path("calendar", "v3", "calendars", str(row["id"]), "acl")
            called = "" if row.get("primary") else f": {row.get('summary') or row['id']}"
            for rule in self.api.listed(self._as(owner.email, CALENDAR), where, "items", act=act):
                scope = rule.get("scope") or {}
                who = str(scope.get("value") or "").lower()
                if scope.get("type") == "user" and who in names and rule.get("role") != "none":
                    under = f" under {who}" if who in private else ""
                    yield Owned(
                        CALENDAR,
                        str(rule["id"]),
                        f"{owner.email}{called}{under} ({rule.get('role')})",
                        settle="revoke" if who in private else "shut_out",
                        raw={"owner": owner.email, "calendar": str(row["id"])},
                    )

    def _mailbox(self, owner: Account, names: set[str], private: set[str], act: str) -> Iterator[Owned]:
        for row in self._setting(owner.email, "delegates", act):
            who = str(row.get("delegateEmail") or "").lower()
            if who in names:
                under = f" under {who}" if who in private else ""
                settle = "revoke" if who in private else "shut_out"
                yield Owned(
                    MAILBOX,
                    str(row["delegateEmail"]),
                    f"{owner.email}{under}",
                    settle=settle,
                    raw={"owner": owner.email},
                )
        for row in self._setting(owner.email, "sendAs", act):
            who = str(row.get("sendAsEmail") or "").lower()
            if who in names and not row.get("isPrimary"):
                yield Owned(SENDER, who, f"{owner.email}: {who}", settle="decide", raw={"why": _SENDS})

    def _setting(self, owner: str, what: str, act: str) -> list[Mapping[str, Any]]:
        """Return the rows of a setting; none when the person has no Gmail (Google answers 400)."""
        answer = self._as(owner, MAILBOX).send("GET", settings_of(owner, what), act=act, missing=(400, 404))
        found = answer.body.get(what) if answer.status == 200 and isinstance(answer.body, dict) else None
        return list(found or ())

    def _groups(self, address: str, act: str) -> Iterator[Owned]:
        """Yield the groups of the company that a private address is in. Google answers 404 for an address that is in none."""
        try:
            rows = list(self.api.listed(self.api.admin(), directory("groups"), "groups", act=act, userKey=address))
        except NotFound:
            return
        for row in rows:
            raw = {"group": str(row["id"])}
            yield Owned(GROUP, address, f"{row['email']}: {address}", settle="revoke", raw=raw)


def _own(account: Account) -> set[str]:
    aliases = account.attributes.get("aliases") or ()
    return {str(one).lower() for one in (account.email, account.login, *aliases) if one}


def _private(account: Account) -> set[str]:
    """Return the person's addresses outside the company: those of the profile, and the one that can recover the account."""
    own = _own(account)
    ours = {one.rpartition("@")[2] for one in own}
    listed = (row.get("address") for row in account.raw.get("emails") or () if isinstance(row, dict))
    said = (account.attributes.get("personal_email"), account.raw.get("recoveryEmail"), *listed)
    found = {str(one).lower() for one in said if one and "@" in str(one)}
    return {one for one in found if one.rpartition("@")[2] not in ours}


def _decide(what: str, count: int, of: int) -> Owned:
    why = _UNSEEN.format(why=what)
    return Owned(
        "others' calendars and mailboxes", what, f"{count} of {of} not seen", settle="decide", raw={"why": why}
    )
