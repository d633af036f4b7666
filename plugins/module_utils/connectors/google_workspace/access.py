# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every way into a Google account, and how a cut-off closes each.

Google forces the order: it does not invalidate backup codes of a suspended user, and app passwords and OAuth tokens outlive ``signOut``.
So the password is replaced first, which ends most sessions, then these end, and the account is suspended last.
https://developers.google.com/admin-sdk/directory/reference/rest/v1/users/signOut
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...sdk.values import AccessPath, Account, Residual, WayBack, listed_or_named
from .accounts import GoogleAccounts, new_password
from .api import GoogleApi, directory
from .sent_on import FILTER, FORWARDING, SentOn

TWO_STEPS = "2-Step Verification"
PASSWORD, RECOVERY, SESSIONS, CODES, SIGN_IN = (
    "password",
    "recovery address and phone",
    "sessions",
    "backup codes",
    "sign-in",
)
#: https://support.google.com/a/answer/178854: an access token that an app holds is valid for an hour at most.
APP_TOKENS = Residual(
    "access tokens that apps fetched just before",
    "",
    "Google ends the grant; an access token that an app holds stays valid for an hour at most",
    lasts=3600.0,
)


class GoogleAccess:
    """Reads, closes and reopens the ways into an account.

    :param suspends: whether a cut-off suspends the account; else it stays open for mail and delegates, and nobody knows its password.
    """

    def __init__(self, api: GoogleApi, accounts: GoogleAccounts, *, suspends: bool) -> None:
        self.api, self.accounts, self.suspends = api, accounts, suspends
        self.sent_on = SentOn(api)

    def paths(self, account: Account) -> Sequence[AccessPath]:
        """Return every way in, in the order in which Google lets it be closed."""
        shut = not account.active
        paths = [] if shut else [AccessPath(PASSWORD, "unseen", partial(self._scramble, account))]
        paths += self._recovery(account)
        if not shut:
            paths += listed_or_named(CODES, self._backup_codes(account))
            paths += self._two_steps(account)
        paths += listed_or_named("app passwords", self._app_passwords(account))
        paths += listed_or_named("OAuth grants", self._tokens(account))
        paths += self.sent_on.paths(account)
        paths.append(
            AccessPath(SESSIONS, "closed" if shut else "unseen", partial(self._sign_out, account), spares=True)
        )
        paths += self._roles(account)
        if self.suspends:
            end = partial(self.accounts.set_suspended, account, True)
            paths.append(AccessPath(SIGN_IN, "closed" if shut else "open", end))
        return paths

    def _send(self, method: str, account: Account, *segments: str, act: str, **more: Any) -> None:
        self.api.admin().send(method, directory("users", account.id, *segments), act=act, **more)

    def _scramble(self, account: Account) -> None:
        """Set a password that nobody knows, which ends sessions and mail programs that use the old one."""
        body = {"password": new_password(), "changePasswordAtNextLogin": False}
        self.accounts.patch(account, body, f"replace the password of {account.login}")

    def _recovery(self, account: Account) -> Iterator[AccessPath]:
        """Yield the address and phone number by which the person could recover the account."""
        open_ = bool(account.raw.get("recoveryEmail") or account.raw.get("recoveryPhone"))
        end = partial(
            self.accounts.patch,
            account,
            {"recoveryEmail": "", "recoveryPhone": ""},
            f"take recovery address and phone of {account.login}",
        )
        if open_:
            yield AccessPath(RECOVERY, "open", end)

    def _backup_codes(self, account: Account) -> Iterator[AccessPath]:
        act = f"list backup codes of {account.login}"
        where = directory("users", account.id, "verificationCodes")
        if next(self.api.listed(self.api.admin(), where, "items", act=act), None) is not None:
            end = partial(
                self._send,
                "POST",
                account,
                "verificationCodes",
                "invalidate",
                act=f"invalidate backup codes of {account.login}",
                retry_safe=True,
            )
            yield AccessPath(CODES, "open", end)

    def _two_steps(self, account: Account) -> Iterator[AccessPath]:
        """Yield the second factors of the person. Google refuses to turn them off where the organisational unit enforces them.

        https://developers.google.com/workspace/admin/directory/reference/rest/v1/twoStepVerification/turnOff
        """
        if account.raw.get("isEnrolledIn2Sv") and not account.raw.get("isEnforcedIn2Sv"):
            act = f"turn off 2-Step Verification of {account.login}"
            end = partial(self._send, "POST", account, "twoStepVerification", "turnOff", act=act, retry_safe=True)
            yield AccessPath(TWO_STEPS, "open", end, spares=True)

    def _app_passwords(self, account: Account) -> Iterator[AccessPath]:
        act = f"list app passwords of {account.login}"
        for row in self.api.listed(self.api.admin(), directory("users", account.id, "asps"), "items", act=act):
            number = str(row["codeId"])
            end = partial(
                self._send, "DELETE", account, "asps", number, act=f"end app password {number}", missing=(404,)
            )
            yield AccessPath(f"app password {row.get('name') or number} ({number})", "open", end)

    def _tokens(self, account: Account) -> Iterator[AccessPath]:
        act = f"list OAuth grants of {account.login}"
        for row in self.api.listed(self.api.admin(), directory("users", account.id, "tokens"), "items", act=act):
            client = str(row["clientId"])
            shown = row.get("displayText") or client
            end = partial(self._send, "DELETE", account, "tokens", client, act=f"end grant of {shown}", missing=(404,))
            yield AccessPath(f"OAuth grant {shown} ({client})", "open", end, residual=APP_TOKENS, spares=True)

    def _sign_out(self, account: Account) -> None:
        self._send("POST", account, "signOut", act=f"end sessions of {account.login}", retry_safe=True)

    def _roles(self, account: Account) -> Iterator[AccessPath]:
        """Yield the role of super administrator, which has a call of its own; other roles are assignments."""
        if account.raw.get("isAdmin"):
            yield AccessPath(
                "super administrator",
                "open",
                partial(
                    self._send,
                    "POST",
                    account,
                    "makeAdmin",
                    act=f"take the role of super administrator from {account.login}",
                    json={"status": False},
                ),
            )

    def super_admins(self) -> Iterator[str]:
        """Return ids of the super administrators who can sign in."""
        found = self.accounts.search("isAdmin=true", act="list super administrators")
        return (one.id for one in found if one.active)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return the sign-in, which opens again, and what the person has to set up again."""
        backs = []
        for name in closed:
            if name == SIGN_IN:
                state = "open" if account.active else "closed"
                backs.append(WayBack(name, state, partial(self.accounts.set_suspended, account, False)))
            elif name == "super administrator":
                backs.append(WayBack(name, lost="a person decides: make them a super administrator again by hand"))
            elif name == RECOVERY:
                backs.append(WayBack(name, lost="the person enters them again", anew=True))
            elif name == PASSWORD:
                backs.append(WayBack(name, lost="it was replaced: give the person a new one", anew=True))
            elif name.startswith((FORWARDING, FILTER)):
                lost = "it sent mail outside the company: the person can set it again"
                backs.append(WayBack(name, lost=lost, anew=True))
            elif name in (SESSIONS, CODES, TWO_STEPS) or name.startswith(("app password ", "OAuth grant ")):
                backs.append(WayBack(name, lost="it was ended: the person sets it up again", anew=True))
        return backs
