# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""AWS: how what the cut-off closed opens again. What has a status is made active; what was deleted is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...sdk.target import Connector
from ...sdk.values import Account, Entitlement, WayBack
from .api import AwsApi

#: A credential as the cut-off names it -> operation that lists them, key of the list, name of the id, operation that sets the status.
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


class AwsReopening(Connector):
    """The part of the connector that opens again; ``api`` is set by the connector."""

    api: AwsApi
    set_active: Callable[[Account, bool], None]
    grant: Callable[[Account, Entitlement], None]
    entitlements: Callable[[Account], Sequence[Entitlement]]
    find_entitlement: Callable[[str, str], Entitlement | None]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Keys while the block still holds, the block last."""
        backs = [back for name in closed for back in self._way_back(account, name)]
        return sorted(backs, key=lambda back: back.name == "sign-in")

    def _way_back(self, account: Account, name: str) -> Iterator[WayBack]:
        kind = next((kind for kind in (*_WITH_STATUS, *_CENTER) if name.startswith(f"{kind} ")), "")
        if name == "sign-in":
            yield WayBack(name, "open" if account.active else "closed", lambda: self.set_active(account, True))
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
                else WayBack(name, lost="it was deleted: give them a new one, to be changed at first sign-in")
            )
        elif name.startswith("MFA device "):
            yield WayBack(name, lost="it was removed: they register it again", anew=True)
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
            return WayBack(name, lost="it was deleted since: they make a new one", anew=True)

        def open_again() -> None:
            arguments: dict[str, Any] = {"UserName": user, id_name: id, "Status": "Active"}
            self.api.write("iam", update, f"open {name} of {user}", **arguments)

        return WayBack(name, "open" if one["Status"] == "Active" else "closed", open_again)

    def _from_center(self, account: Account, name: str, words: str) -> WayBack:
        kind, wanted = words.replace(" ", "_"), name.removeprefix(f"{words} ")
        if any((e.kind, e.name) == (kind, wanted) for e in self.entitlements(account)):
            return WayBack(name, "open", entitlement=(kind, wanted))
        found: Any = self.find_entitlement(kind, wanted)
        if found is None:
            return WayBack(name, lost="there is no such thing any more: decide what takes its place")
        return WayBack(name, "closed", lambda: self.grant(account, found), entitlement=(kind, wanted))
