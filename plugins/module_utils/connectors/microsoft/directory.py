# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The common part of the connectors to a Microsoft tenant: people are users of its directory, the access token names the permissions."""

from __future__ import annotations

from collections.abc import Sequence

from ...model.person import Person
from ...sdk.keys import PersonKeys
from ...sdk.target import Connector
from ...sdk.transport import Transport
from ...sdk.values import Account
from .graph import granted_roles
from .people import by_object_id


class DirectoryUsers(Connector):
    """Find people as users of Entra ID. The connector sets ``graph``."""

    graph: Transport

    def granted(self) -> frozenset[str] | None:
        return granted_roles(self.graph)

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        return by_object_id(super().keys_of(person, ids))

    def addressed_by(self, account: Account) -> str:
        """Return the object id: the sign-in name can differ from the address, and both can change."""
        return account.id
