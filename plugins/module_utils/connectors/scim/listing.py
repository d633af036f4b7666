# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All accounts of a SCIM 2.0 service with their entitlements: the groups are read once, then the users page by page (RFC 7644, 3.4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import NotFound, Unsupported
from ...sdk.address import at
from ...sdk.keys import same_text
from ...sdk.values import Account, Entitlement, Listed
from . import protocol
from .client import Client
from .people import account_of


class Listing:
    """Lists accounts and members."""

    def __init__(self, client: Client, kinds: Sequence[str]) -> None:
        self.client, self.kinds = client, kinds

    def all_accounts(self) -> Iterator[Listed]:
        """Yield every account. SCIM does not show the last sign-in. The manager is left out: it would cost a call for each account."""
        groups = self._groups_by_member() if self.client.dialect.members_shown and "groups" in self.kinds else {}
        for user in self.client.list("/Users", "list accounts"):
            account = account_of(user, {k: v for k, v in protocol.attributes_of(user).items() if k != "manager"})
            held = (
                *(direct := _direct(groups, account)),
                *held_by_user(user, self.kinds, direct),
            )
            yield Listed(
                account,
                created=str((user.get("meta") or {}).get("created") or ""),
                held=tuple((e.kind, e.name) for e in held),
                fixed=tuple((e.kind, e.name) for e in held if e.fixed),
                kind="guest" if user.get(self.client.dialect.guest) else "person",
            )

    def _groups_by_member(self) -> dict[str, list[Entitlement]]:
        found: dict[str, list[Entitlement]] = {}
        for group in self.client.list("/Groups", "list groups"):
            entitlement = Entitlement("groups", str(group.get("displayName")), str(group["id"]))
            for member in self._members(group):
                for name in protocol.member_names(member):
                    found.setdefault(name, []).append(entitlement)
        return found

    def _members(self, group: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return a group's members; some services leave them out of lists and show them on the group itself."""
        whole = (
            group
            if "members" in group
            else self.client.http.get(at("/Groups/{}", group["id"]), act=f"read members of {group.get('displayName')}")
            or {}
        )
        return protocol.values_of(whole, "members")

    def group_members(
        self, kind: str, name: str, find_entitlement: Callable[[str, str], Entitlement | None]
    ) -> Iterator[str]:
        """Yield the id, login and address of each member, of nested groups too.

        :raises NotFound: there is no entitlement of this name.
        :raises Unsupported: this service never shows a group's members.
        """
        act = f"list members of {name}"
        found = find_entitlement(kind, name)
        if found is None:
            raise NotFound(
                f"it has no {name} among {kind}",
                act=act,
                system=self.client.target.name,
                hint="correct the name in policy or in the access profile",
            )
        if kind != "groups":
            for user in self.client.list("/Users", act):
                if any(e.kind == kind and found.id in (e.id, e.name) for e in held_by_user(user, (kind,), ())):
                    yield from _names(user)
        elif not self.client.dialect.members_shown:
            raise Unsupported(
                f"{self.client.dialect.title} never shows who is in a group", act=act, system=self.client.target.name
            )
        else:
            yield from self._everybody_in(found.id, act)

    def _everybody_in(self, group: str, act: str) -> Iterator[str]:
        waiting, seen = [group], set[str]()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            answer = self.client.http.send(
                "GET", at("/Groups/{}", here), act=act, missing=(404,) if here != group else ()
            )
            for member in protocol.values_of(answer.body or {}, "members"):
                value, ref = str(member.get("value")), str(member.get("$ref") or "")
                nested = same_text(member.get("type"), "Group") or "/Groups/" in ref
                user = None if nested else self._user(member, act)
                if user is None:  # `type` is optional: a member that is no user is taken for a group
                    waiting.append(ref.rpartition("/")[2] if nested and ref else value)
                else:
                    yield from _names(user)

    def _user(self, member: Mapping[str, Any], act: str) -> Mapping[str, Any] | None:
        """Return the user that a member is, by the id in ``value`` or, on servers that write the userName there, in ``$ref``."""
        for ident in protocol.member_names(member):
            user = self.client.http.get(at("/Users/{}", ident), act=act)
            if isinstance(user, Mapping) and user.get("id"):
                return user
        return None


def held_by_user(user: Mapping[str, Any], kinds: Sequence[str], direct: Sequence[Entitlement]) -> Iterator[Entitlement]:
    """Yield the entitlements that the user's own resource lists, without the groups in ``direct``."""
    if "groups" in kinds:
        known = {group.id for group in direct}
        for through in protocol.values_of(user, "groups"):
            # The user's own list has ids of groups, also on servers whose groups list members by userName (RFC 7643, 4.1.2).
            if through.get("value") and through["value"] not in known:
                yield Entitlement(
                    "groups",
                    str(through.get("display") or through["value"]),
                    str(through["value"]),
                    "through a nested group" if same_text(through.get("type"), "indirect") else "",
                )
    for kind in ("roles", "entitlements"):
        if kind in kinds:
            for value in protocol.values_of(user, kind):
                if value.get("value"):
                    yield Entitlement(kind, str(value.get("display") or value["value"]), str(value["value"]))


def _direct(groups: Mapping[str, list[Entitlement]], account: Account) -> list[Entitlement]:
    """Return the groups that list the account as a member, by its id or, on some servers, by its userName."""
    found = {group.id: group for name in (account.id, account.login) for group in groups.get(name, ())}
    return list(found.values())


def _names(user: Mapping[str, Any]) -> Iterator[str]:
    account = account_of(user, protocol.attributes_of(user))
    yield from dict.fromkeys(name for name in (account.id, account.login, account.email) if name)
