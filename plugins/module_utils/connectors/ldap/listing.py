# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""List all accounts of a directory with their groups: the groups are read once, then the people page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...model.errors import NotFound
from ...sdk.values import Listed
from .entries import Entries
from .groups import Groups, primary_group
from .nobodys import SHARED, built_in
from .times import moment
from .wire import BASE, Wire, in_filter, text, texts

#: Entry -> the names of its groups, and the names of the groups that it can't be removed from.
GroupsOf = Callable[[Mapping[str, Any]], tuple[list[str], list[str]]]
MEMBERS = ("member", "uniqueMember", "memberUid")
_SPECIAL = frozenset(', +"\\<>;')


class LdapListing:
    """Lists the accounts and group members of one directory."""

    def __init__(self, entries: Entries, groups: Groups) -> None:
        self.entries, self.groups = entries, groups
        self.target, self.wire, self.flavour, self.ad = entries.target, entries.wire, entries.flavour, entries.ad
        self.base, self.groups_base = entries.base, groups.groups_base

    def all_accounts(self) -> Iterator[Listed]:
        """Yield every account with a login or an address, locked ones too. The manager is left out: it would cost a search for each person.

        The list has a connection of its own, because a directory keeps one position in one list for a connection (RFC 2696, 3), and callers
        search for other things between two accounts.
        """
        act, f = "list people", self.flavour
        groups_of = self._groups_by_back_link(act) if self.ad else self._groups_by_member(act)
        wanted = [f.login, *f.uuids, *f.addresses, *f.logins, *f.attributes.values(), *f.state, *f.listed, *f.nobodys]
        with Wire(self.target) as wire:
            for row in wire.pages(self.base, f"(&{f.people}(|({f.login}=*)(mail=*)))", wanted, act=act):
                (names, fixed), account = groups_of(row), self.entries.account_of(row, self.entries.attributes_of(row))
                yield Listed(
                    account,
                    last_seen=max(moment(text(row, name)) for name in f.last_seen),
                    created=moment(text(row, f.created)),
                    kind=self._kind(row),
                    held=tuple(("groups", name) for name in (*names, *fixed)),
                    fixed=tuple(("groups", name) for name in fixed),
                )

    def _kind(self, row: Mapping[str, Any]) -> str:
        if text(row, "msExchRecipientTypeDetails") in SHARED:
            return "shared"
        return "service" if self.ad and built_in(row) else "person"

    def _groups_by_member(self, act: str) -> GroupsOf:
        """Read the members of all groups, because few directories have ``memberOf``."""
        by_name: dict[str, dict[str, str]] = {}
        by_login: dict[str, dict[str, str]] = {}
        for group in self.wire.pages(self.groups_base, self.flavour.groups, ["cn", *MEMBERS], act=act):
            for member in (in_form(m) for name in MEMBERS[:2] for m in texts(group, name)):
                by_name.setdefault(member, {})[group["dn"]] = text(group, "cn")
            for login in texts(group, "memberUid"):
                by_login.setdefault(login, {})[group["dn"]] = text(group, "cn")
        return lambda row: (
            [*(by_name.get(in_form(row["dn"]), {}) | by_login.get(text(row, self.flavour.login), {})).values()],
            [],
        )

    def _groups_by_back_link(self, act: str) -> GroupsOf:
        """Read the names of all groups, to find them by ``memberOf``: Active Directory shows at most 1500 members of a group at a time.

        MS-ADTS 3.1.1.3.1.3.3
        """
        names: dict[str, str] = {}
        by_sid: dict[bytes, str] = {}
        below = in_form(f",{self.groups_base}")
        for group in self.wire.pages(self.base, self.flavour.groups, ["cn", "objectSid"], act=act):
            if in_form(group["dn"]).endswith(below):
                names[in_form(group["dn"])] = text(group, "cn")
            for sid in group.get("objectsid", ()):
                by_sid[sid] = text(group, "cn")

        def groups_of(row: Mapping[str, Any]) -> tuple[list[str], list[str]]:
            primary = by_sid.get(primary_group(row) or b"")
            return [names[dn] for dn in map(in_form, texts(row, "memberOf")) if dn in names], [
                primary
            ] if primary else []

        return groups_of

    # -- members -------------------------------------------------------------------------------------------------------

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield the id, login and address of each member, of nested groups too.

        :raises NotFound: there is no group of this name.
        """
        group, act = self.groups.find(name), f"list members of {name}"
        if group is None:
            raise NotFound(
                f"it has no {name} among {kind}",
                act=act,
                system=self.target.name,
                hint="correct the name in policy or in the access profile",
            )
        waiting, seen = [str(group.raw["dn"])], set[str]()
        while waiting:
            here = waiting.pop()
            if in_form(here) in seen:
                continue
            seen.add(in_form(here))
            if self.ad:
                yield from self._linked(here, waiting, act)
            else:
                yield from self._named(here, waiting, act)

    def _linked(self, dn: str, waiting: list[str], act: str) -> Iterator[str]:
        sid = next(
            (row["objectsid"][0] for row in self.wire.search(dn, "(objectSid=*)", ["objectSid"], act=act, scope=BASE)),
            b"\0\0\0\0",
        )
        query = f"(|(memberOf={in_filter(dn)})(primaryGroupID={int.from_bytes(sid[-4:], 'little')}))"
        for row in self.wire.pages(
            self.base, f"(&(|{self.flavour.people}{self.flavour.groups}){query})", self._naming(), act=act
        ):
            yield from self._names(row, waiting)

    def _named(self, dn: str, waiting: list[str], act: str) -> Iterator[str]:
        for group in self.wire.search(dn, self.flavour.groups, list(MEMBERS), act=act, scope=BASE):
            yield from texts(group, "memberUid")
            for member in (m for name in MEMBERS[:2] for m in texts(group, name)):
                for row in self.wire.search(member, "(objectClass=*)", self._naming(), act=act, scope=BASE):
                    yield from self._names(row, waiting)

    def _naming(self) -> list[str]:
        return ["objectClass", self.flavour.login, *self.flavour.uuids, "mail"]

    def _names(self, row: Mapping[str, Any], waiting: list[str]) -> Iterator[str]:
        if {c.lower() for c in texts(row, "objectClass")} & self.flavour.group_classes:
            waiting.append(row["dn"])
            return
        account = self.entries.account_of(row, {})
        yield from dict.fromkeys(one for one in (account.id, account.login, account.email) if one)


def in_form(dn: str) -> str:
    """Return a distinguished name in a form that can be compared: without case, optional spaces and optional escapes (RFC 4514, 2.4)."""
    if "\\" in dn:
        dn = re.sub(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", _spelled, dn)
    return re.sub(r"\s*([,=+])\s*", r"\1", dn).casefold()


def _spelled(escaped: re.Match[str]) -> str:
    """Return an escaped character in one form: as itself, or as hexadecimal where it would mean something else."""
    said = bytes.fromhex(escaped[1].replace("\\", "")).decode("utf-8", "replace") if escaped[1] else escaped[2]
    return "".join(f"\\{ord(c):02x}" if c in _SPECIAL else c for c in said)
