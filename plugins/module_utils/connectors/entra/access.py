# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every way into an Entra ID account: how a cut-off closes each, and which of them can be opened again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ...model import clock
from ...sdk.address import at
from ...sdk.transport import Transport
from ...sdk.values import AccessPath, Account, Entitlement, Residual, WayBack, listed_or_named
from ..microsoft.graph import graph_pages
from .accounts import SYNCED, EntraAccounts, unknown_password, user_path
from .entitlements import ADMINISTRATORS, EntraEntitlements, group_of
from .methods import SignInMethods

#: An access token lives 60 to 90 minutes (https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes).
_TOKEN_LIFE = timedelta(minutes=90)
#: Between a role and the group that has it, in the name of a way in.
_BY_GROUP = " through group "
_TOKENS_LAST = "an app without continuous access evaluation accepts a token until it expires, at most 90 minutes after the revocation"
#: Without a case there is no moment to compare with: a revocation within this time counts as one of this cut-off.
_RECENT = timedelta(hours=1)


class EntraAccess:
    """Reads, closes and reopens the ways into an account. Roles are taken and given through ``held``."""

    def __init__(
        self, graph: Transport, accounts: EntraAccounts, methods: SignInMethods, held: EntraEntitlements
    ) -> None:
        self.graph, self.accounts, self.methods, self.held = graph, accounts, methods, held

    def paths(self, account: Account, since: str, skew: timedelta) -> Sequence[AccessPath]:
        """Return roles first, because an account with an admin role may refuse to be disabled; then sign-in, sessions, and what could sign in again.

        :param since: when the case was opened (ISO 8601), or empty.
        :param skew: Graph's clock minus ours.
        """
        moment = ((clock.parse(since) if since else clock.now() - _RECENT) + skew).replace(microsecond=0)
        return [
            *listed_or_named("roles", self._roles(account)),
            *self._sign_in(account, moment),
            *listed_or_named("authentication methods", self._methods(account)),
            *listed_or_named("app consents", self._consents(account)),
            *listed_or_named("devices", self._devices(account)),
        ]

    def _roles(self, account: Account) -> Iterator[AccessPath]:
        for role in self.held.roles_of(cloud(account)):
            if role.raw.get("group"):
                yield self._role_of_group(account, role)
                continue
            yield AccessPath(
                f"role {role.name}",
                "open",
                partial(self.held.revoke, cloud(account), role),
                refused=role.fixed and f"held {role.fixed}: remove the person from it",
                spares=("roles", role.name) not in ADMINISTRATORS,
            )

    def _role_of_group(self, account: Account, role: Entitlement) -> AccessPath:
        """Return the way in by a role of a group, which ends with the membership.

        A group that gives licences is left to a person: without a licence Microsoft deletes the mailbox, which has to be safe before.
        """
        group = group_of(role.raw["group"])
        return AccessPath(
            f"role {role.name} {role.fixed}",
            "open",
            partial(self.held.revoke, cloud(account), group),
            refused=f"{group.name} gives licences too: remove the person from it when the mailbox is safe"
            if group.raw.get("assignedLicenses")
            else "",
            spares=("roles", role.name) not in ADMINISTRATORS,
        )

    def _sign_in(self, account: Account, moment: datetime) -> Iterator[AccessPath]:
        """Yield the ways to sign in and to stay signed in. A revocation or a new password since ``moment`` is one of this cut-off."""
        revoked = _moment(account.raw.get("signInSessionsValidFromDateTime"))
        changed = _moment(account.raw.get("lastPasswordChangeDateTime"))
        cut = revoked if revoked and revoked >= moment else None
        mastered = f"{SYNCED}, or it comes back with the next synchronisation" if account.protected else ""
        yield AccessPath(
            "sign-in",
            "open" if account.active else "closed",
            lambda: self.accounts.set_active(account, False),
            refused=mastered,
        )
        yield AccessPath(
            "sessions",
            "closed" if cut else "open",
            lambda: self._revoke_sessions(account),
            Residual("issued access tokens", clock.stamp((cut or clock.now()) + _TOKEN_LIFE), _TOKENS_LAST),
            spares=True,
        )
        yield AccessPath(
            "password",
            "closed" if changed and changed >= moment else "open",
            lambda: self._scramble(account),
            refused=mastered,
        )

    def _methods(self, account: Account) -> Iterator[AccessPath]:
        state = "open" if self.methods.of(account) else "closed"
        yield AccessPath("authentication methods", state, lambda: self.methods.remove(account))

    def _consents(self, account: Account) -> Iterator[AccessPath]:
        grants = user_path(account.id).below("/oauth2PermissionGrants")
        consents = [
            row
            for row in graph_pages(self.graph, grants, act=f"read app consents of {account.login}")
            if row.get("consentType") == "Principal" and row.get("principalId") == account.id
        ]
        yield AccessPath(
            "app consents",
            "open" if consents else "closed",
            lambda: self._remove_consents(account, consents),
            spares=True,
        )

    def _devices(self, account: Account) -> Iterator[AccessPath]:
        registered = user_path(account.id).below("/registeredDevices")
        for device in graph_pages(self.graph, registered, act=f"read devices of {account.login}"):
            yield AccessPath(
                f"device {device['displayName']} ({device['id'][:8]})",
                "open" if device.get("accountEnabled") else "closed",
                partial(self._end_device, device),
                spares=True,
            )

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return sign-in first, then devices, roles last. The unknown password stays: a first credential replaces it."""
        anew = {
            "sessions": "the sessions were ended: the person signs in again",
            "authentication methods": "the methods were removed: the person registers new ones",
            "password": "nobody knows the password: the person gets a first credential and chooses a new password",
            "app consents": "the consents were removed: each app asks the person again",
        }
        backs = (
            [
                WayBack(
                    "sign-in", "open" if account.active else "closed", lambda: self.accounts.set_active(account, True)
                )
            ]
            if "sign-in" in closed
            else []
        )
        backs += [WayBack(name, lost=why, anew=True) for name, why in anew.items() if name in closed]
        if any(name.startswith("device ") for name in closed):
            known = {
                f"device {d['displayName']} ({d['id'][:8]})": d
                for d in graph_pages(
                    self.graph,
                    user_path(account.id).below("/registeredDevices"),
                    act=f"read devices of {account.login}",
                )
            }
            backs += [self._device_back(name, known.get(name)) for name in closed if name.startswith("device ")]
        held = (
            {f"{role.name} {role.fixed}".rstrip() for role in self.held.roles_of(cloud(account))}
            if any(name.startswith("role ") for name in closed)
            else set()
        )
        return backs + [self._role_back(account, name, held) for name in closed if name.startswith("role ")]

    def _device_back(self, name: str, device: Mapping[str, Any] | None) -> WayBack:
        if device is None:
            return WayBack(
                name, lost="its registration was deleted: the next sign-in on the device registers it again", anew=True
            )
        return WayBack(name, "open" if device.get("accountEnabled") else "closed", lambda: self._enable_device(device))

    def _enable_device(self, device: Mapping[str, Any]) -> None:
        self.graph.send(
            "PATCH",
            at("/devices/{}", device["id"]),
            act=f"enable {device['displayName']}",
            json={"accountEnabled": True},
            retry_safe=True,
        )

    def _role_back(self, account: Account, name: str, held: Collection[str]) -> WayBack:
        role = name.removeprefix("role ")
        if _BY_GROUP in role:
            return self._group_back(account, name, role in held)
        found = None if " in /" in role else self.held.find_entitlement("roles", role)
        if role in held or found is None:
            why = (
                ""
                if role in held
                else "the role covers only a part of the directory, or does not exist any more: give it by hand"
            )
            return WayBack(name, "open" if role in held else "closed", lost=why, entitlement=("roles", role))
        return WayBack(name, "closed", lambda: self.held.grant(cloud(account), found), entitlement=("roles", role))

    def _group_back(self, account: Account, name: str, there: bool) -> WayBack:
        """Return the way back into the group whose role was taken."""
        group = name.partition(_BY_GROUP)[2]
        membership = ("groups", group)
        if there:
            return WayBack(name, "open", entitlement=membership)
        found = self.held.find_entitlement(*membership)
        if found is None:
            why = "the group does not exist any more: decide what replaces it"
            return WayBack(name, lost=why, entitlement=membership)
        return WayBack(name, "closed", lambda: self.held.grant(cloud(account), found), entitlement=membership)

    def _revoke_sessions(self, account: Account) -> None:
        self.graph.send(
            "POST",
            user_path(account.id).below("/revokeSignInSessions"),
            act=f"revoke sessions of {account.login}",
            json={},
            retry_safe=True,
        )

    def _scramble(self, account: Account) -> None:
        self.accounts.patch(
            account,
            {"passwordProfile": {"password": unknown_password(), "forceChangePasswordNextSignIn": True}},
            f"make the password of {account.login} unknown",
        )

    def _remove_consents(self, account: Account, consents: Sequence[Mapping[str, Any]]) -> None:
        for row in consents:
            self.graph.send(
                "DELETE",
                at("/oauth2PermissionGrants/{}", row["id"]),
                act=f"remove app consents of {account.login}",
                missing=(404,),
            )

    def _end_device(self, device: Mapping[str, Any]) -> None:
        act, path = f"end registration of {device['displayName']}", at("/devices/{}", device["id"])
        if str(device.get("operatingSystem", "")).casefold().startswith("windows"):
            # Disable it and keep the object: its BitLocker keys are stored with it.
            self.graph.send("PATCH", path, act=act, json={"accountEnabled": False}, retry_safe=True)
        else:
            # An app may disable Windows devices only (https://learn.microsoft.com/graph/api/device-update).
            self.graph.send("DELETE", path, act=act, missing=(404,))


def cloud(account: Account) -> Account:
    """Return the account without its protection: roles are kept in the cloud, also for an account that is synchronised."""
    return Account(account.id, account.login, account.active, raw=account.raw)


def _moment(text: str | None) -> datetime | None:
    return clock.parse(text) if text else None
