# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every way into Okta, and how a cut-off closes each: sign-in, sessions, factors, consents, tokens, devices, admin roles, the account.

Okta forces the order: it does not remove factors of a deactivated user. So the sign-in is suspended first, the rest ends next, and the
deactivation, which removes every app assignment, comes last.
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserLifecycle/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...model.errors import PermissionDenied
from ...sdk.values import AccessPath, Account, Residual, WayBack, listed_or_named
from .api import OktaApi, path

ACTIVE, SUSPENDED, DEPROVISIONED, STAGED = "ACTIVE", "SUSPENDED", "DEPROVISIONED", "STAGED"
#: Statuses in which nobody signs in.
CLOSED = frozenset({SUSPENDED, DEPROVISIONED, STAGED})
SIGN_IN, SESSIONS, ACCOUNT, GRANTS = "sign-in", "sessions and OAuth tokens", "account", "app consents"
APP_SESSIONS = Residual(
    "sessions that apps opened by an earlier sign-in through Okta",
    "unknown",
    "an app keeps its own session: it ends in the app, or by the step of this run for that app",
)


class OktaAccess:
    """Reads, closes and reopens the ways into an account.

    :param deactivates: whether a cut-off deactivates the account; else it suspends it, which keeps app assignments.
    """

    def __init__(self, api: OktaApi, *, deactivates: bool) -> None:
        self.api, self.deactivates = api, deactivates

    def paths(self, account: Account) -> Sequence[AccessPath]:
        """Return every way in, in the order in which Okta lets it be closed."""
        ended = account.raw["status"] == DEPROVISIONED
        paths = list(self._sign_in(account))
        paths.append(
            AccessPath(SESSIONS, "unseen", partial(self.end_sessions, account), residual=APP_SESSIONS, spares=True)
        )
        if not ended:
            paths += listed_or_named("factors", self._factors(account))
        paths += listed_or_named(GRANTS, self._grants(account))
        paths += listed_or_named("API tokens", self._api_tokens(account, ended=ended))
        paths += listed_or_named("devices", self._devices(account))
        paths += listed_or_named("admin roles", self._roles(account))
        if self.deactivates:
            paths.append(AccessPath(ACCOUNT, "closed" if ended else "open", partial(self.deactivate, account)))
        return paths

    # -- sign-in and account -------------------------------------------------------------------------------------------

    def _sign_in(self, account: Account) -> Iterator[AccessPath]:
        """Yield the sign-in. Okta suspends only an ACTIVE account; one in another open status is deactivated."""
        status = account.raw["status"]
        if status == ACTIVE:
            yield AccessPath(SIGN_IN, "open", partial(self.suspend, account), gate=True)
        elif status in CLOSED:
            yield AccessPath(SIGN_IN, "closed", partial(self.suspend, account))
        else:  # PROVISIONED, RECOVERY, PASSWORD_EXPIRED, LOCKED_OUT: a mailed link or a new password would open it
            yield AccessPath(SIGN_IN, f"open: {status}", partial(self.deactivate, account), gate=True)

    def suspend(self, account: Account) -> None:
        """Block the sign-in of an ACTIVE account, and keep everything else."""
        act = f"suspend {account.login}"
        self.api.send("POST", path("users", account.id, "lifecycle", "suspend"), act=act)

    def unsuspend(self, account: Account) -> None:
        act = f"let {account.login} sign in again"
        self.api.send("POST", path("users", account.id, "lifecycle", "unsuspend"), act=act)

    def deactivate(self, account: Account) -> None:
        """Deactivate the account. Okta answers 404 when it is deactivated already."""
        self.api.send(
            "POST",
            path("users", account.id, "lifecycle", "deactivate"),
            act=f"deactivate {account.login}",
            params={"sendEmail": "false"},
            missing=(404,),
        )

    def activate(self, account: Account, *, mail: bool) -> None:
        """Activate a STAGED or DEPROVISIONED account.

        :param mail: whether Okta mails its activation link to the person's addresses.
        """
        self.api.send(
            "POST",
            path("users", account.id, "lifecycle", "activate"),
            act=f"activate {account.login}",
            params={"sendEmail": "true" if mail else "false"},
        )

    def end_sessions(self, account: Account) -> None:
        """End the sessions at Okta, and the OpenID Connect and OAuth tokens that it issued."""
        self.api.send(
            "DELETE",
            path("users", account.id, "sessions"),
            act=f"end sessions of {account.login}",
            params={"oauthTokens": "true", "forgetDevices": "true"},
        )

    # -- other ways in -------------------------------------------------------------------------------------------------

    def factors(self, account: Account) -> list[Mapping[str, Any]]:
        return list(self.api.listed(path("users", account.id, "factors"), act=f"list factors of {account.login}"))

    def _factors(self, account: Account) -> Iterator[AccessPath]:
        for factor in self.factors(account):
            name = f"factor {factor['factorType']} ({factor['id']})"
            yield AccessPath(name, "open", partial(self._unenrol, account, factor))

    def _unenrol(self, account: Account, factor: Mapping[str, Any]) -> None:
        """Remove one factor. Removing ``push`` also removes ``signed_nonce``, so a 404 is no error."""
        act = f"unenrol {factor['factorType']} of {account.login}"
        self.api.send("DELETE", path("users", account.id, "factors", factor["id"]), act=act, missing=(404,))

    def _grants(self, account: Account) -> Iterator[AccessPath]:
        """Yield the consents to apps, and the refresh tokens that apps got by them."""
        act = f"list app consents of {account.login}"
        if next(self.api.listed(path("users", account.id, "grants"), act=act), None) is not None:
            yield AccessPath(GRANTS, "open", partial(self._end_grants, account))
        act = f"list OAuth clients of {account.login}"
        for client in self.api.listed(path("users", account.id, "clients"), act=act):
            tokens = path("users", account.id, "clients", client["client_id"], "tokens")
            held = next(self.api.listed(tokens, act=f"list tokens of {client['client_id']}"), None)
            if held is not None:
                name = f"tokens of {client.get('client_name') or client['client_id']}"
                yield AccessPath(name, "open", partial(self._end_tokens, account, client))

    def _end_grants(self, account: Account) -> None:
        self.api.send("DELETE", path("users", account.id, "grants"), act=f"end app consents of {account.login}")

    def _end_tokens(self, account: Account, client: Mapping[str, Any]) -> None:
        act = f"end tokens of {client['client_id']} for {account.login}"
        self.api.send("DELETE", path("users", account.id, "clients", client["client_id"], "tokens"), act=act)

    def _api_tokens(self, account: Account, *, ended: bool) -> Iterator[AccessPath]:
        """Yield the API tokens that the person made. A deactivation ends them, so a run that may not list them relies on that."""
        try:
            for token in self.tokens(f"list API tokens of {account.login}"):
                if token.get("userId") == account.id:
                    yield AccessPath(f"API token {token['name']}", "open", partial(self._end_token, token))
        except PermissionDenied:
            if not self.deactivates and not ended:
                why = "the credential may not list API tokens: revoke the person's in Security > API > Tokens"
                yield AccessPath("API tokens", "open", refused=why)

    def tokens(self, act: str) -> Iterator[Mapping[str, Any]]:
        yield from self.api.listed(path("api-tokens"), act=act)

    def _end_token(self, token: Mapping[str, Any]) -> None:
        self.api.send("DELETE", path("api-tokens", token["id"]), act=f"end API token {token['name']}", missing=(404,))

    def _devices(self, account: Account) -> Iterator[AccessPath]:
        """Yield the person's registrations of Okta Verify. A device that others use too stays: the person's factor on it ends anyway."""
        act = f"list devices of {account.login}"
        for row in self.api.listed(path("users", account.id, "devices"), act=act):
            device = row.get("device") or row
            if device.get("status") not in ("ACTIVE", "SUSPENDED"):
                continue
            users = list(self.api.listed(path("devices", device["id"], "users"), act=act))
            if len(users) <= 1:
                shown = (device.get("profile") or {}).get("displayName") or device["id"]
                yield AccessPath(f"registered device {shown}", "open", partial(self._end_device, device, shown))

    def _end_device(self, device: Mapping[str, Any], shown: str) -> None:
        act = f"deactivate the registration of {shown}"
        self.api.send("POST", path("devices", device["id"], "lifecycle", "deactivate"), act=act)

    def _roles(self, account: Account) -> Iterator[AccessPath]:
        """Yield the admin roles assigned to the person; a role through a group ends with the membership."""
        for role in self.roles(account):
            if role.get("assignmentType", "USER") == "USER":
                name = f"admin role {role.get('label') or role['type']}"
                yield AccessPath(
                    name, "open", partial(self._end_role, account, role), spares=role["type"] != "SUPER_ADMIN"
                )

    def roles(self, account: Account) -> list[Mapping[str, Any]]:
        return list(self.api.listed(path("users", account.id, "roles"), act=f"list admin roles of {account.login}"))

    def super_admins(self) -> Iterator[str]:
        """Yield the ids of the super administrators who can sign in."""
        act = "list administrators"
        for user in self.api.administrators(act=act):
            held = self.api.listed(path("users", user, "roles"), act=act)
            if any(role["type"] == "SUPER_ADMIN" and role.get("status", "ACTIVE") == "ACTIVE" for role in held):
                shown = self.api.get(path("users", user), act=act) or {}
                if shown.get("status") not in CLOSED:
                    yield user

    def _end_role(self, account: Account, role: Mapping[str, Any]) -> None:
        act = f"take admin role {role['type']} of {account.login}"
        self.api.send("DELETE", path("users", account.id, "roles", role["id"]), act=act, missing=(404,))

    # -- ways back -----------------------------------------------------------------------------------------------------

    def ways_back(self, account: Account, closed: Mapping[str, str], *, mail: bool) -> Sequence[WayBack]:
        """Return what can be opened again. A reactivated person sets up factors and consents again; only apps through groups come back."""
        status = account.raw["status"]
        shut = "closed" if status in CLOSED else "open"
        reopen = partial(self.unsuspend, account) if status == SUSPENDED else partial(self.activate, account, mail=mail)
        backs = [
            WayBack(ACCOUNT, shut, reopen) if ACCOUNT in closed else None,
            WayBack(SIGN_IN, shut, reopen) if SIGN_IN in closed else None,
        ]
        anew = ("factor ", "tokens of ", "registered device ")
        for name in closed:
            if name in (SESSIONS, GRANTS) or name.startswith(anew):
                backs.append(WayBack(name, lost="it was ended: the person sets it up again", anew=True))
            elif name.startswith("API token "):
                backs.append(
                    WayBack(name, lost="it was revoked: make a new one, and put it where the old one was used")
                )
            elif name.startswith("admin role "):
                backs.append(WayBack(name, entitlement=("roles", name.removeprefix("admin role "))))
        return [back for back in backs if back is not None]
