# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A tailnet's users, devices and keys. This API has no pages: each list is whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ...model import clock
from ...model.errors import NotFound, ProtocolError
from ...sdk.address import UrlPath
from ...sdk.target import Connector
from ...sdk.transport import Transport
from ...sdk.values import Account, Credential, Device, Entitlement, Listed

#: All roles but ``member``, which everybody has. Ownership of the tailnet can be transferred in the console only.
ROLES = ("owner", "admin", "it-admin", "network-admin", "billing-admin", "auditor")
INVITE = "invite:"
_KEYS = {"auth": "auth key", "api": "API access token", "client": "OAuth client", "federated": "federated identity"}
_NO_ACTS = dict.fromkeys(("lock", "retire", "wipe"), "Tailscale connects devices, it does not manage them")


class TailscaleListing(Connector):
    """Reads lists; the connector sets ``api`` and ``tailnet``."""

    LISTS_HELD: ClassVar[bool] = True
    api: Transport
    tailnet: UrlPath

    def _list(self, what: str, key: str, act: str, **params: Any) -> list[Mapping[str, Any]]:
        body = self.api.send("GET", self.tailnet.below("/{}", what), act=act, params=params or None).body
        rows = body.get(key) if key and isinstance(body, dict) else body
        if not isinstance(rows, list):
            raise ProtocolError("its answer is not a list", act=act, system=self.target.name)
        return rows

    def own_devices(self, act: str) -> list[Mapping[str, Any]]:
        """Return the tailnet's devices, without those that another tailnet shares with it."""
        return [
            device for device in self._list("devices", "devices", act, fields="all") if not device.get("isExternal")
        ]

    def keys(self, act: str) -> list[Mapping[str, Any]]:
        """Return the keys of all users that are neither revoked nor expired."""
        return [
            key
            for key in self._list("keys", "keys", act, all="true")
            if not key.get("revoked") and not past(str(key.get("expires") or ""))
        ]

    # -- listings ------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        """Yield users, suspended ones too, users of other tailnets with whom a device is shared (guests), and open invitations."""
        for user in self._list("users", "users", "list users", type="all"):
            role = role_of(str(user.get("role", "")))
            yield Listed(
                account_of(user),
                last_seen=_moment(user.get("lastSeen")),
                created=_moment(user.get("created")),
                kind="guest" if user.get("type") == "shared" else "person",
                held=((role.kind, role.name),) if role else (),
                fixed=((role.kind, role.name),) if role and role.fixed else (),
            )
        for invite in self._list("user-invites", "", "list invitations"):
            yield Listed(invited(invite))

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield the id and login of each user with a role.

        :raises NotFound: there is no role of this name.
        """
        act, role = f"list members of {name}", role_of(name) if kind == "roles" else None
        if role is None:
            raise NotFound(
                f"it has no {name} among {kind}",
                act=act,
                system=self.target.name,
                hint="correct the name in policy or in the access profile",
            )
        for user in self._list("users", "users", act, type="member"):
            if user.get("role") == role.id:
                yield from (str(user["id"]), str(user["loginName"]))

    def all_devices(self) -> Iterator[Device]:
        """Yield the tailnet's devices. A tagged device belongs to no user; it is shown with the user who registered it."""
        for device in self.own_devices("list devices"):
            serials = (device.get("postureIdentity") or {}).get("serialNumbers") or ()
            yield Device(
                str(device["nodeId"]),
                str(next(iter(serials), "")),
                str(device["name"]),
                str(device.get("os") or ""),
                "unknown",
                "",
                last_seen=_moment(device.get("lastSeen")),
                assigned_to=str(device.get("user") or ""),
                refuses=_NO_ACTS,
                raw=device,
            )

    def all_credentials(self) -> Iterator[Credential]:
        for key in self.keys("list keys"):
            kind = str(key.get("keyType") or "auth")
            yield Credential(
                _KEYS.get(kind, kind),
                str(key["id"]),
                str(key.get("description") or key["id"]),
                str(key.get("userId") or ""),
                created=_moment(key.get("created")),
                expires=_moment(key.get("expires")),
            )


def account_of(user: Mapping[str, Any]) -> Account:
    waits = "an admin must approve the user" if user["status"] == "needs-approval" else ""
    return Account(
        str(user["id"]),
        user["loginName"],
        user["status"] != "suspended",
        user["loginName"].lower(),
        pending=waits,
        raw=user,
    )


def invited(invite: Mapping[str, Any]) -> Account:
    address = str(invite.get("email") or "").lower()
    return Account(
        f"{INVITE}{invite['id']}", address, True, address, pending="the invitation is not accepted yet", raw=invite
    )


def role_of(name: str) -> Entitlement | None:
    role = name.casefold()
    return (
        Entitlement(
            "roles", role, role, fixed="ownership can be transferred in the console only" if role == "owner" else ""
        )
        if role in ROLES
        else None
    )


def past(moment: str) -> bool:
    return bool(_moment(moment)) and clock.parse(moment) <= clock.now()


def expired(device: Mapping[str, Any]) -> bool:
    return past(str(device.get("expires") or "")) and not device.get("keyExpiryDisabled")


def _moment(text: Any) -> str:
    # Go's zero time, 0001-01-01, means never.
    return "" if not text or str(text).startswith("0001-") else str(text)
