# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find the accounts of a SCIM 2.0 service by a person's keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...model.errors import Rejected, Unsupported
from ...sdk.address import at
from ...sdk.keys import Key, Kind, PersonKeys, spellings
from ...sdk.side_by_side import answers
from ...sdk.values import Account
from . import protocol
from .client import Client

#: Kind of key -> its attribute in a filter (RFC 7643, 4.1 and 4.3).
ATTRIBUTES: Mapping[Kind, str] = {
    Kind.LOGIN: "userName",
    Kind.SUBJECT: "externalId",
    Kind.ADDRESS: "emails.value",
    Kind.NUMBER: f"{protocol.ENTERPRISE}:employeeNumber",
}
#: System and address -> the attributes by which it refused to filter. Within a run that does not change.
_REFUSED: dict[str, set[str]] = {}


class People:
    """Finds accounts.

    :param managers: whether the manager is read too, which costs a request for each account.
    """

    def __init__(self, client: Client, *, managers: bool) -> None:
        self.client, self.managers = client, managers

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Search by a filter for every key. If the service can't filter by one of them, and the others find nobody, compare the whole list.

        Without that, a person would count as absent because the service can't be asked for their key.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for ident in keys.ids:
            user = self.client.http.get(at("/Users/{}", ident), act=f"find account {ident}")
            if isinstance(user, Mapping) and str(user.get("id")) == ident:
                found[ident] = user
        act = f"find {keys.person.email}"
        all_asked = self.client.service.filter
        sought = [
            (attribute, spelled)
            for kind, attribute in ATTRIBUTES.items()
            if all_asked
            for value in self._worth_asking(keys, kind)
            for spelled in spellings(value)
        ]
        for rows in answers(self.client.target, lambda one: self._filtered(*one, act), sought):
            all_asked = all_asked and rows is not None
            found.update((str(user["id"]), user) for user in rows or ())
        if not all_asked and not found:
            found = {str(user["id"]): user for user in self.client.list("/Users", act)}
        for user in found.values():
            account = account_of(user, {k: v for k, v in protocol.attributes_of(user).items() if k != "manager"})
            if account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried):
                yield self.whole(user)

    def _worth_asking(self, keys: PersonKeys, kind: Kind) -> Iterable[str]:
        if kind is Kind.SUBJECT:
            return [value for value in keys.of(kind) if "@" not in value or keys.subjects_declared] or keys.of(kind)
        return keys.of(kind)

    def _filtered(self, attribute: str, value: str, act: str) -> list[Mapping[str, Any]] | None:
        """Return the users that a filter finds; None when the service can't filter by this attribute."""
        refused = _REFUSED.setdefault(f"{self.client.target.name} {self.client.target.url}", set())
        known = attribute in self.client.dialect.filters
        if attribute in refused or not known and self.client.dialect.filters_closed:
            return None
        try:
            return list(self.client.list("/Users", act, protocol.equals(attribute, value)))
        except (Rejected, Unsupported):
            if known:
                raise
            refused.add(attribute)
            return None

    def whole(self, user: Mapping[str, Any]) -> Account:
        """Return a user as an account, with the manager's address in place of the manager's id."""
        attributes = protocol.attributes_of(user)
        if attributes.get("manager") and self.managers:
            manager = self.client.http.get(at("/Users/{}", attributes["manager"]), act="read manager") or {}
            attributes["manager"] = protocol.attributes_of(manager).get("email") or str(
                manager.get("userName") or attributes["manager"]
            )
        return account_of(user, attributes)


def account_of(user: Mapping[str, Any], attributes: Mapping[str, Any]) -> Account:
    # Without `active` the account counts as active: RFC 7643, 4.1.1 leaves it to the service, and one that leaves it out can't block.
    active = user.get("active", True)
    addresses = [str(value.get("value") or "") for value in protocol.values_of(user, "emails")]
    external = str(user.get("externalId") or "")
    return Account(
        str(user["id"]),
        str(user.get("userName", "")),
        active is not False and str(active).lower() != "false",
        attributes.get("email", ""),
        attributes,
        raw=user,
        keys=(
            *(Key(Kind.ADDRESS, address) for address in addresses if address),
            *((Key(Kind.SUBJECT, external),) if external else ()),
        ),
    )
