# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""List an account's ways in, in the order in which they are closed, and say how each opens again.

A credential with a status is made inactive, so it can be made active again; others are deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...sdk.values import AccessPath, Account, Residual, WayBack, listed_or_named
from .api import AwsApi
from .center import IdentityCenter
from .entitlements import AwsEntitlements
from .users import IamUsers

LONGEST_ROLE_SESSION = 12 * 3600.0
#: Our name of a credential -> operation that lists them, key of the list, name of the id, operation that sets the status.
_WITH_STATUS: Mapping[str, tuple[str, str, str, str]] = {
    "access key": ("list_access_keys", "AccessKeyMetadata", "AccessKeyId", "update_access_key"),
    "SSH key": ("list_ssh_public_keys", "SSHPublicKeys", "SSHPublicKeyId", "update_ssh_public_key"),
    "service credential": (
        "list_service_specific_credentials",
        "ServiceSpecificCredentials",
        "ServiceSpecificCredentialId",
        "update_service_specific_credential",
    ),
    "signing certificate": ("list_signing_certificates", "Certificates", "CertificateId", "update_signing_certificate"),
}
_CENTER = ("account assignments", "identity center groups")


class AwsAccess:
    """Reads, closes and reopens the ways into one AWS account and its Identity Center."""

    def __init__(self, api: AwsApi, users: IamUsers, center: IdentityCenter, held: AwsEntitlements) -> None:
        self.api, self.users, self.center, self.held = api, users, center, held

    def paths(self, account: Account) -> Sequence[AccessPath]:
        """Return every way in, the block first. Nothing is deleted that ``delete_account`` deletes."""
        paths = list(self._iam_paths(account)) if "iam" in account.raw else []
        if account.raw.get("center"):
            paths += listed_or_named("Identity Center", self._center_paths(account))
        return paths

    def _iam_paths(self, account: Account) -> Iterator[AccessPath]:
        user = account.login
        act = f"read credentials of {user}"
        yield AccessPath(
            "sign-in",
            "open" if account.active else "closed",
            lambda: self.users.deny(account),
            Residual(
                "role sessions",
                "",
                "a role that the user assumed before the cut keeps its session to its end, 12 h at most",
                lasts=LONGEST_ROLE_SESSION,
            ),
        )
        for kind, ways in (
            ("access keys", self._access_keys(user)),
            ("console password", self._console(user, act)),
            ("SSH keys", self._ssh_keys(user, act)),
            ("service credentials", self._service_credentials(user)),
            ("signing certificates", self._certificates(user, act)),
            ("MFA devices", self._devices(user, act)),
        ):
            yield from listed_or_named(kind, ways)

    def _access_keys(self, user: str) -> Iterator[AccessPath]:
        for key in self.users.keys(user):
            yield self._status_path(user, "access key", "update_access_key", "AccessKeyId", key)

    def _console(self, user: str, act: str) -> Iterator[AccessPath]:
        if self.api.read("iam", "get_login_profile", act, key="LoginProfile", UserName=user):
            yield AccessPath("console password", "open", lambda: self.users.drop_password(user))

    def _ssh_keys(self, user: str, act: str) -> Iterator[AccessPath]:
        for key in self.api.every("iam", "list_ssh_public_keys", act, key="SSHPublicKeys", UserName=user):
            yield self._status_path(user, "SSH key", "update_ssh_public_key", "SSHPublicKeyId", key)

    def _service_credentials(self, user: str) -> Iterator[AccessPath]:
        operation, name = "update_service_specific_credential", "ServiceSpecificCredentialId"
        for one in self.users.service_credentials(user):
            yield self._status_path(user, "service credential", operation, name, one)

    def _certificates(self, user: str, act: str) -> Iterator[AccessPath]:
        for one in self.api.every("iam", "list_signing_certificates", act, key="Certificates", UserName=user):
            yield self._status_path(user, "signing certificate", "update_signing_certificate", "CertificateId", one)

    def _devices(self, user: str, act: str) -> Iterator[AccessPath]:
        for device in self.api.every("iam", "list_mfa_devices", act, key="MFADevices", UserName=user):
            serial = device["SerialNumber"]
            close = partial(self.users.remove_mfa, user, serial)
            yield AccessPath(f"MFA device {serial.rpartition('/')[2]}", "open", close)

    def _status_path(self, user: str, what: str, operation: str, id_name: str, one: Mapping[str, Any]) -> AccessPath:
        def close() -> None:
            self.api.write(
                "iam",
                operation,
                f"close {what} of {user}",
                gone_is_done=True,
                UserName=user,
                **{id_name: one[id_name]},
                Status="Inactive",
            )

        return AccessPath(f"{what} {one[id_name]}", "open" if one["Status"] == "Active" else "closed", close)

    def _center_paths(self, account: Account) -> Iterator[AccessPath]:
        """Yield the assignments and groups that the portal gives access by: no call disables the person or ends a portal session."""
        lingering = Residual(
            "Identity Center sessions",
            "",
            "no API ends a portal session; role sessions taken from it last 12 h at most. Disable the person at the identity source too",
            lasts=LONGEST_ROLE_SESSION,
        )
        for one in (*self.center.assignments_of(account), *self.center.groups_of(account)):
            if not one.fixed:
                name = f"{one.kind.replace('_', ' ')} {one.name}"
                yield AccessPath(name, "open", partial(self.held.revoke, account, one), lingering)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return the keys first, while the account is still blocked, and the block last."""
        backs = [back for name in closed for back in self._way_back(account, name)]
        return sorted(backs, key=lambda back: back.name == "sign-in")

    def _way_back(self, account: Account, name: str) -> Iterator[WayBack]:
        kind = next((kind for kind in (*_WITH_STATUS, *_CENTER) if name.startswith(f"{kind} ")), "")
        if name == "sign-in":
            yield WayBack(name, "open" if account.active else "closed", lambda: self.users.unblock(account))
        elif name == "console password":
            there = self.api.read(
                "iam",
                "get_login_profile",
                f"read console sign-in of {account.login}",
                key="LoginProfile",
                UserName=account.login,
            )
            yield (
                WayBack(name, "open")
                if there
                else WayBack(name, lost="it was deleted: give the person a new one, to be changed at first sign-in")
            )
        elif name.startswith("MFA device "):
            yield WayBack(name, lost="it was removed: the person registers it again", anew=True)
        elif kind in _WITH_STATUS:
            yield self._credential(account.login, name, kind)
        elif kind in _CENTER:
            yield self._from_center(account, name, kind)

    def _credential(self, user: str, name: str, kind: str) -> WayBack:
        listing, key, id_name, update = _WITH_STATUS[kind]
        id = name.removeprefix(f"{kind} ")
        one = next(
            (
                row
                for row in self.api.every("iam", listing, f"read {name} of {user}", key=key, UserName=user)
                if row[id_name] == id
            ),
            None,
        )
        if one is None:
            return WayBack(name, lost="it was deleted since: the person makes a new one", anew=True)

        def open_again() -> None:
            arguments: dict[str, Any] = {"UserName": user, id_name: id, "Status": "Active"}
            self.api.write("iam", update, f"open {name} of {user}", **arguments)

        return WayBack(name, "open" if one["Status"] == "Active" else "closed", open_again)

    def _from_center(self, account: Account, name: str, words: str) -> WayBack:
        kind, wanted = words.replace(" ", "_"), name.removeprefix(f"{words} ")
        if any((e.kind, e.name) == (kind, wanted) for e in self.held.held(account)):
            return WayBack(name, "open", entitlement=(kind, wanted))
        found: Any = self.held.find(kind, wanted)
        if found is None:
            return WayBack(name, lost="it does not exist any more: decide what replaces it")
        return WayBack(name, "closed", lambda: self.held.grant(account, found), entitlement=(kind, wanted))
