# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Access in Entra ID that goes on without the leaver's account: secrets of apps that they own, guest accounts with their private
address, devices that they registered for somebody else.

Graph does not say who made or read a secret (https://learn.microsoft.com/graph/api/resources/passwordcredential). An owner can have
done either, so somebody has to replace each secret that is still valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model import clock
from ...sdk.address import at
from ...sdk.transport import Transport
from ...sdk.values import Account, Owned
from ..microsoft.graph import graph_pages
from ..microsoft.people import literal
from .accounts import user_path

_KEYS = {"passwordCredentials": "secret", "keyCredentials": "certificate"}
#: Trusted identities of another provider, such as a repository's workflow, which sign in as the app without a secret
#: (https://learn.microsoft.com/graph/api/resources/federatedidentitycredentials-overview).
_FEDERATED = {"$expand": "federatedIdentityCredentials"}
_USER = "id,userPrincipalName,mail,otherMails,userType,accountEnabled"


class LeftBehind:
    """Finds what a person has to decide on; it changes nothing."""

    def __init__(self, graph: Transport) -> None:
        self.graph = graph

    def of(self, account: Account, apps: Sequence[tuple[str, str]]) -> Iterator[Owned]:
        """Yield secrets, certificates and federated credentials, guest accounts, and devices, each for a person to decide.

        :param apps: the apps and enterprise apps that the account owns: (collection, id).
        """
        for collection, id in apps:
            yield from self._keys(collection, id, account)
        yield from self._guests(account)
        yield from self._devices(account)

    def _keys(self, collection: str, id: str, account: Account) -> Iterator[Owned]:
        app = self.graph.get(
            at("/{}/{}", collection, id),
            act=f"read keys of what {account.login} owns",
            params={
                "$select": f"id,displayName,{','.join(_KEYS)}",
                **(_FEDERATED if collection == "applications" else {}),
            },
        )
        for trusted in (app or {}).get("federatedIdentityCredentials") or ():
            yield Owned(
                "federated credential",
                str(trusted["id"]),
                f"{(app or {})['displayName']}: {trusted['name']} ({trusted.get('subject') or trusted.get('issuer')})",
                settle="decide",
                lasting=True,
                raw={
                    "why": "the leaver owns the app and may have the trusted identity: look, replace or remove it, then attest"
                },
            )
        for property, kind in _KEYS.items():
            for key in (app or {}).get(property) or ():
                ends = str(key.get("endDateTime") or "")
                if ends and clock.parse(ends) <= clock.now():
                    continue
                named = f"{(app or {})['displayName']}: {key.get('displayName') or 'unnamed'} ({key['keyId']})"
                yield Owned(
                    kind,
                    str(key["keyId"]),
                    f"{named}, good until {ends[:10] or 'it is removed'}",
                    settle="decide",
                    lasting=True,
                    raw={"why": "the leaver owns the app and may know this key: replace it, remove it, then attest"},
                )

    def _guests(self, account: Account) -> Iterator[Owned]:
        """Yield the enabled guest accounts that have a private address of the person."""
        mine = (account.attributes.get("personal_email"), *(account.raw.get("otherMails") or ()))
        domain = account.login.rpartition("@")[2].casefold()
        private = {str(one).lower() for one in mine if one and str(one).rpartition("@")[2].casefold() != domain}
        for address in sorted(private):
            rows = graph_pages(
                self.graph,
                "/users",
                act=f"look for a guest account of {account.login}",
                params={
                    "$filter": f"mail eq {literal(address)} or otherMails/any(m:m eq {literal(address)})",
                    "$select": _USER,
                },
            )
            for row in rows:
                if row["id"] != account.id and row.get("userType") == "Guest" and row.get("accountEnabled"):
                    yield Owned(
                        "guest account",
                        row["id"],
                        f"{address} ({row['userPrincipalName']})",
                        settle="decide",
                        raw={
                            "why": "a guest account with the leaver's private address: block or delete it, or attest that it stays"
                        },
                    )

    def _devices(self, account: Account) -> Iterator[Owned]:
        act = f"read devices that {account.login} registered"
        own = {row["id"] for row in graph_pages(self.graph, user_path(account.id).below("/registeredDevices"), act=act)}
        rows: Iterator[Mapping[str, Any]] = graph_pages(
            self.graph, user_path(account.id).below("/ownedDevices"), act=act
        )
        for row in rows:
            if row["id"] not in own and row.get("accountEnabled"):
                yield Owned(
                    "device they registered for somebody else",
                    row["id"],
                    f"{row.get('displayName') or 'unnamed'} ({row['id'][:8]})",
                    settle="decide",
                    raw={
                        "why": "the leaver owns its registration, and somebody else uses it: give it another owner, or disable it"
                    },
                )
