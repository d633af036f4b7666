# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Mail that a leaver's mailbox forwards out of the company: by its forwarding, and by filters, which only the person sees.

A suspended account forwards nothing. One that is only locked, or active again, does.
https://developers.google.com/workspace/gmail/api/guides/forwarding_settings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ...model.errors import AuthenticationFailed, PermissionDenied
from ...sdk.address import UrlPath
from ...sdk.values import AccessPath, Account
from .api import GoogleApi, path

#: How the names of these ways begin.
FORWARDING, FILTER = "forwarding of ", "filter that forwards to "


class SentOn:
    """Finds and ends forwarding to addresses outside. Google answers only in the person's own name, and not for a suspended account."""

    def __init__(self, api: GoogleApi) -> None:
        self.api = api

    def paths(self, account: Account) -> Iterator[AccessPath]:
        """Yield each forwarding as a way in; where Google does not show them, a person has to look."""
        if not account.active:
            return
        try:
            yield from self._forwarding(account)
            yield from self._filters(account)
        except (PermissionDenied, AuthenticationFailed) as e:
            # Close the other ways in, though these can't be read.
            yield AccessPath("mail that is sent on", "unseen", refused=str(e))

    def _forwarding(self, account: Account) -> Iterator[AccessPath]:
        found = self._read(account, "autoForwarding", f"read forwarding of {account.login}")
        to = str(found.get("emailAddress") or "").lower()
        if found.get("enabled") and self._is_outside(to, account):
            kept = "all mail" if found.get("disposition") in ("trash", "archive") else "a copy of the mail"
            end = partial(self._end_forwarding, account)
            yield AccessPath(f"{FORWARDING}{kept} to {to}", "open", end)

    def _filters(self, account: Account) -> Iterator[AccessPath]:
        found = self._read(account, "filters", f"read mail filters of {account.login}")
        for row in found.get("filter") or ():
            to = str((row.get("action") or {}).get("forward") or "").lower()
            if to and self._is_outside(to, account):
                end = partial(self._end_filter, account, str(row["id"]))
                yield AccessPath(f"{FILTER}{to} ({row['id']})", "open", end)

    def _read(self, account: Account, what: str, act: str) -> Mapping[str, Any]:
        """Return a setting; empty when the person has no Gmail (Google answers 400)."""
        answer = self.api.person("gmail", account.login).send(
            "GET", settings_of(account.login, what), act=act, missing=(400, 404)
        )
        return answer.body if answer.status == 200 and isinstance(answer.body, dict) else {}

    def _end_forwarding(self, account: Account) -> None:
        self.api.person("gmail", account.login).send(
            "PUT",
            settings_of(account.login, "autoForwarding"),
            act=f"end forwarding of {account.login}",
            json={"enabled": False},
        )

    def _end_filter(self, account: Account, number: str) -> None:
        act = f"delete a filter of {account.login} that forwards mail"
        self.api.person("gmail", account.login).send(
            "DELETE", settings_of(account.login, "filters", number), act=act, missing=(404,)
        )

    def _is_outside(self, address: str, account: Account) -> bool:
        """Return whether an address is in no domain of the account or of the administrator."""
        own = (account.email, account.login, *(account.attributes.get("aliases") or ()), self.api.admin_address)
        return address.rpartition("@")[2] not in {str(one).lower().rpartition("@")[2] for one in own}


def settings_of(address: str, *segments: str) -> UrlPath:
    """Return the path of a setting of somebody's mailbox."""
    return path("gmail", "v1", "users", address, "settings", *segments)
