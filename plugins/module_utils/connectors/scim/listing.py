# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every account of a SCIM 2.0 service with what it holds: the groups once, then the users page by page (RFC 7644, 3.4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import NotFound, Unsupported
from ...sdk.address import at
from ...sdk.capabilities import Account, Entitlement, Listed
from ...sdk.target import Connector
from ...sdk.transport import Transport
from . import protocol
from .dialects import Dialect


class ScimListing(Connector):
    """The part of the connector that lists."""

    #: False (of a connector, by its dialect) where groups never show their members.
    LISTS_HELD = True
    http: Transport
    dialect: Dialect
    ENTITLEMENT_KINDS: Sequence[str]
    _list: Callable[[str, str], Iterator[Mapping[str, Any]]]
    find_entitlement: Callable[[str, str], Entitlement | None]

    def all_accounts(self) -> Iterator[Listed]:
        """SCIM does not say when somebody was last there. The manager is left out: resolving it costs a call an account."""
        groups = self._groups_by_member() if self.LISTS_HELD and "groups" in self.ENTITLEMENT_KINDS else {}
        for user in self._list("/Users", "list accounts"):
            account = account_of(user, {k: v for k, v in protocol.attributes_of(user).items() if k != "manager"})
            held = (
                *groups.get(account.id, ()),
                *held_by_user(user, self.ENTITLEMENT_KINDS, groups.get(account.id, ())),
            )
            yield Listed(
                account,
                created=str((user.get("meta") or {}).get("created") or ""),
                held=tuple((e.kind, e.name) for e in held),
                fixed=tuple((e.kind, e.name) for e in held if e.fixed),
                kind="guest" if user.get(self.dialect.guest) else "person",
            )

    def _groups_by_member(self) -> dict[str, list[Entitlement]]:
        found: dict[str, list[Entitlement]] = {}
        for group in self._list("/Groups", "list groups"):
            entitlement = Entitlement("groups", str(group.get("displayName")), str(group["id"]))
            for member in self._members(group):
                found.setdefault(str(member.get("value")), []).append(entitlement)
        return found

    def _members(self, group: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Its members; a service may leave them out of its lists and show them on the group itself."""
        whole = (
            group
            if "members" in group
            else self.http.get(at("/Groups/{}", group["id"]), act=f"read members of {group.get('displayName')}") or {}
        )
        return protocol.values_of(whole, "members")

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """The id, login and address of each member, of nested groups too.

        :raises Unsupported: this service never shows a group's members.
        """
        act = f"list members of {name}"
        found = self.find_entitlement(kind, name)
        if found is None:
            raise NotFound(f"it has no {name} among {kind}", act=act, system=self.target.name)
        if kind != "groups":
            for user in self._list("/Users", act):
                if any(e.kind == kind and found.id in (e.id, e.name) for e in held_by_user(user, (kind,), ())):
                    yield from _names(user)
        elif not self.dialect.members_shown:
            raise Unsupported(f"{self.dialect.title} never shows who is in a group", act=act, system=self.target.name)
        else:
            yield from self._everybody_in(found.id, act)

    def _everybody_in(self, group: str, act: str) -> Iterator[str]:
        waiting, seen = [group], set[str]()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            answer = self.http.send("GET", at("/Groups/{}", here), act=act, missing=(404,) if here != group else ())
            for member in protocol.values_of(answer.body or {}, "members"):
                value = str(member.get("value"))
                user = (
                    None
                    if protocol.same(member.get("type"), "Group")
                    else self.http.get(at("/Users/{}", value), act=act)
                )
                if user is None:  # `type` is optional: what is no user is taken for a group
                    waiting.append(value)
                else:
                    yield from _names(user)


def account_of(user: Mapping[str, Any], attributes: Mapping[str, Any]) -> Account:
    # `active` left out means active (RFC 7643, 4.1.1 leaves it to the service; those that leave it out do not block)
    active = user.get("active", True)
    return Account(
        str(user["id"]),
        str(user.get("userName", "")),
        active is not False and str(active).lower() != "false",
        attributes.get("email", ""),
        attributes,
        raw=user,
    )


def held_by_user(user: Mapping[str, Any], kinds: Sequence[str], direct: Sequence[Entitlement]) -> Iterator[Entitlement]:
    """What the user's own resource says it holds, besides the groups it is known to be in."""
    if "groups" in kinds:
        known = {group.id for group in direct}
        for through in protocol.values_of(user, "groups"):
            if protocol.same(through.get("type"), "indirect") and through.get("value") not in known:
                yield Entitlement(
                    "groups",
                    str(through.get("display") or through["value"]),
                    str(through["value"]),
                    "through a nested group",
                )
    for kind in ("roles", "entitlements"):
        if kind in kinds:
            for value in protocol.values_of(user, kind):
                if value.get("value"):
                    yield Entitlement(kind, str(value.get("display") or value["value"]), str(value["value"]))


def _names(user: Mapping[str, Any]) -> Iterator[str]:
    account = account_of(user, protocol.attributes_of(user))
    yield from dict.fromkeys(name for name in (account.id, account.login, account.email) if name)
