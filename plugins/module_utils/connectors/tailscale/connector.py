# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A tailnet of Tailscale. Source: https://tailscale.com/api (OpenAPI, version 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...model.errors import (
    CredentialError,
    Refused,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.assertion import access_token
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Option, Target
from ...sdk.transport import (
    Auth,
    Policy,
    StaticAuth,
    TokenAuth,
    Transport,
    bearer,
)
from ...sdk.values import AccessPath, Account, Entitlement, Owned, Residual, WayBack
from .listing import (
    INVITE,
    TailscaleListing,
    account_of,
    expired,
    invited,
    role_of,
)


class Tailscale(TailscaleListing):
    TITLE = "Tailscale"
    NAMES_FROM = "the identity provider"
    DEFAULT_URL = "https://api.tailscale.com/api/v2"
    OPTIONS = {"tailnet": Option("The tailnet's id, or - for the credential's own.", default="-")}
    CREDENTIALS = {
        "api_key": Option(
            "An API access token (tskey-api-) of an admin. It can't change the admin who made it; an OAuth client can change everybody."
        ),
        "client_id": Option("OAuth client id."),
        "client_secret": Option("OAuth client secret (tskey-client-)."),
    }
    PERMISSIONS = {
        "accounts": ("users",),
        "provisioning": ("users", "user_invites"),
        "cutoff": ("users", "devices:core", "auth_keys", "api_access_tokens", "oauth_keys:read"),
        "entitlements": ("users",),
        "ownership": ("devices:core:read", "oauth_keys:read"),
        "account_listing": ("users:read", "user_invites:read"),
        "device_listing": ("devices:core:read", "devices:posture_attributes:read"),
        "credential_listing": ("auth_keys:read", "api_access_tokens:read", "oauth_keys:read"),
    }
    ATTRIBUTES: Sequence[str] = ()
    ADMINISTRATORS = (("roles", "owner"),)
    ENTITLEMENT_KINDS: Sequence[str] = ("roles",)
    #: A tailnet has login names, and no employee numbers or further addresses.
    LOOKS_UP = frozenset({Kind.ID, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = Transport(
            target,
            self._sign_in(),
            Policy(
                permission_hint="the credential lacks the scope, or would act on its own maker",
                most_bytes=32 * 1024 * 1024,  # every device of the company in one answer
            ),
        )
        self.tailnet = at("/tailnet/{}", target.options["tailnet"])

    def _sign_in(self) -> Auth:
        if self.target.credentials.get("api_key"):
            return bearer(self.target.credential("api_key"))
        if not self.target.credentials.get("client_id"):
            raise CredentialError(
                "neither api_key nor client_id and client_secret are set",
                act="sign in",
                system=self.target.name,
                hint="set credentials.api_key, or credentials.client_id and credentials.client_secret",
            )
        return TokenAuth(self.target, f"tailscale:{self.target.name}", self._token)

    def _token(self) -> tuple[str, float]:
        form = {
            "client_id": self.target.credential("client_id"),
            "client_secret": self.target.credential("client_secret"),
            "grant_type": "client_credentials",
        }
        answer = Transport(self.target, StaticAuth({})).send(
            "POST", "/oauth/token", act="sign in", data=form, reads=True
        )
        return access_token(answer, self.target, lasts=3600)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield the users with a key of the person; if there are none, the open invitations. Tailscale has no search, so whole lists are read."""
        act = f"find {keys.person.email}"
        users = [account_of(user) for user in self._list("users", "users", act, type="member")]
        found = [account for account in users if _answers(keys, account)]
        yield from found
        if not found:
            invites = [invited(invite) for invite in self._list("user-invites", "", act)]
            yield from (account for account in invites if _answers(keys, account))

    def set_active(self, account: Account, active: bool) -> None:
        if account.id.startswith(INVITE):
            if not active:
                self._withdraw(account)
            return
        act = f"{'restore' if active else 'suspend'} {account.login}"
        self.api.send(
            "POST", at("/users/{}/{}", account.id, "restore" if active else "suspend"), act=act, retry_safe=True
        )

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """Invite the person by e-mail. They have to accept."""
        login = self.login_of(person)
        self.api.send(
            "POST",
            self.tailnet.below("/user-invites"),
            act=f"invite {login}",
            json=[{"role": "member", "email": login}],
        )

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        raise Unsupported(
            "names come from the identity provider", act=f"update {account.login}", system=self.target.name
        )

    def delete_account(self, account: Account) -> None:
        """Delete the user with their devices, keys and tokens, or withdraw the invitation; tagged devices stay."""
        if account.id.startswith(INVITE):
            self._withdraw(account)
        else:
            self.api.send("POST", at("/users/{}/delete", account.id), act=f"delete {account.login}", missing=(404,))

    def _withdraw(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            at("/user-invites/{}", account.id.removeprefix(INVITE)),
            act=f"withdraw invitation of {account.login}",
            missing=(404,),
        )

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return the sign-in first, which cuts off every device and allows no new key, then the keys, then the devices."""
        if account.id.startswith(INVITE):
            return [AccessPath("invitation", "open", partial(self._withdraw, account))]
        paths = [
            AccessPath(
                "sign-in",
                "open" if account.active else "closed",
                lambda: self.set_active(account, False),
                residual=Residual(
                    "tagged devices and OAuth clients the person made",
                    "unknown",
                    "they belong to the tailnet, not to the person: settle ownership",
                ),
            )
        ]
        for key in self._keys(account):
            if key.get("keyType", "auth") != "client":
                paths.append(
                    AccessPath(
                        f"{key.get('keyType', 'auth')} key {key['id']}", "open", partial(self._delete_key, account, key)
                    )
                )
        for device in self._devices(account):
            if not device.get("tags"):
                paths.append(
                    AccessPath(
                        f"device {device['name']} ({device['nodeId']})",
                        "closed" if expired(device) else "open",
                        partial(self._expire, device),
                    )
                )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return the sign-in, which opens again. Keys were deleted, and a device whose key expired needs a new sign-in."""
        return [
            (
                WayBack(name, "open" if account.active else "closed", lambda: self.set_active(account, True))
                if name == "sign-in"
                else WayBack(
                    name,
                    lost="its key expired: the person signs in on the device again"
                    if name.startswith("device ")
                    else "it was deleted: the person makes a new one",
                    anew=True,
                )
            )
            for name in closed
            if name == "sign-in" or name.startswith("device ") or " key " in name
        ]

    def _keys(self, account: Account) -> list[Mapping[str, Any]]:
        return [k for k in self.keys(f"list keys of {account.login}") if str(k.get("userId")) == account.id]

    def _delete_key(self, account: Account, key: Mapping[str, Any]) -> None:
        self.api.send(
            "DELETE",
            self.tailnet.below("/keys/{}", key["id"]),
            act=f"delete key {key['id']} of {account.login}",
            missing=(404,),
        )

    def _devices(self, account: Account) -> list[Mapping[str, Any]]:
        """Return the devices that the person registered."""
        return [
            d
            for d in self.own_devices(f"list devices of {account.login}")
            if str(d.get("user", "")).casefold() == account.login.casefold()
        ]

    def _expire(self, device: Mapping[str, Any]) -> None:
        if device.get("keyExpiryDisabled"):
            # While its key expiry is disabled, a device works with an expired key too.
            self.api.send(
                "POST",
                at("/device/{}/key", device["nodeId"]),
                act=f"let the key of {device['name']} expire",
                json={"keyExpiryDisabled": False},
                retry_safe=True,
            )
        self.api.send(
            "POST",
            at("/device/{}/expire", device["nodeId"]),
            act=f"expire device {device['name']}",
            missing=(404,),
            retry_safe=True,
        )

    # -- roles ---------------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return (
            [found]
            if not account.id.startswith(INVITE) and (found := role_of(str(account.raw.get("role", ""))))
            else []
        )

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return role_of(name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        if account.id.startswith(INVITE):
            raise Refused(
                "the invitation is not accepted yet",
                act=f"give role {entitlement.name} to {account.login}",
                system=self.target.name,
                hint="run again then",
            )
        self._set_role(account, entitlement.name)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        # A user has exactly one role: if it is another one now, it must stay.
        users = self._list("users", "users", f"read role of {account.login}", type="member")
        if any(str(u["id"]) == account.id and u.get("role") == entitlement.id for u in users):
            self._set_role(account, "member")

    def _set_role(self, account: Account, role: str) -> None:
        self.api.send(
            "POST",
            at("/users/{}/role", account.id),
            act=f"make {account.login} {role}",
            json={"role": role},
            retry_safe=True,
        )

    # -- ownership -----------------------------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        """Return tagged devices that the person registered, and OAuth clients that they made. Tailscale can transfer neither."""
        servers = [
            Owned(
                "tagged device",
                str(d["nodeId"]),
                str(d["name"]),
                settle="decide",
                raw={
                    "why": f"it goes on as {', '.join(d['tags'])}: tell the successor of it; it may need a key of somebody else"
                },
            )
            for d in self._devices(account)
            if d.get("tags")
        ]
        clients = [
            Owned(
                "OAuth client",
                str(k["id"]),
                str(k.get("description") or k["id"]),
                settle="decide",
                raw={"why": "automation may use it: make a new client, then delete this one"},
            )
            for k in self._keys(account)
            if k.get("keyType") == "client"
        ]
        return servers + clients

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        raise Unsupported(
            "Tailscale can't transfer it",
            act=f"give {owned.kind} {owned.name} to {successor}",
            system=self.target.name,
            hint="make a new one for the successor",
        )


def _answers(keys: PersonKeys, account: Account) -> bool:
    return account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried)
