# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read and find the groups of a directory, and add and remove members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...sdk.at_most_one import at_most_one
from ...sdk.values import Account, Entitlement
from .entries import Entries
from .wire import ADD, ATTRIBUTE_EXISTS, DELETE, ENTRY_EXISTS, NO_SUCH_ATTRIBUTE, UNWILLING, in_filter, text, texts


class Groups:
    """Reads and changes the groups of one directory."""

    def __init__(self, entries: Entries) -> None:
        self.target, self.wire, self.flavour, self.ad = entries.target, entries.wire, entries.flavour, entries.ad
        self.base = entries.base
        self.groups_base: str = entries.target.options["groups_base"] or entries.base

    def held(self, account: Account) -> Sequence[Entitlement]:
        dn, login = in_filter(account.raw["dn"]), in_filter(account.login)
        query = f"(member={dn})" if self.ad else f"(|(member={dn})(uniqueMember={dn})(memberUid={login}))"
        held = [self._group(row) for row in self._groups(query, f"read groups of {account.login}")]
        return held + self._primary_group(account)

    def find(self, name: str) -> Entitlement | None:
        act = f"find group {name}"
        rows = [
            row
            for row in self._groups(f"(cn={in_filter(name)})", act)
            if name.casefold() in (v.casefold() for v in texts(row, "cn"))
        ]
        said = f"groups are named {name}: {'; '.join(row['dn'] for row in rows)}"
        row = at_most_one(rows, said, act=act, system=self.target.name, hint="narrow groups_base")
        return self._group(row) if row else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        attribute, value = self._membership(account, entitlement)
        changes = [(ADD, [value])]
        if self._is_own_member(entitlement, texts(entitlement.raw, attribute)):
            changes.append((DELETE, [entitlement.raw["dn"]]))
        self.wire.modify(
            entitlement.raw["dn"],
            {attribute: changes},
            act=f"add {account.login} to {entitlement.name}",
            fine=(ATTRIBUTE_EXISTS, ENTRY_EXISTS),
        )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        attribute, value = self._membership(account, entitlement)
        changes = [(DELETE, [value])]
        if attribute in ("member", "uniqueMember") and not self.ad and len(texts(entitlement.raw, attribute)) == 1:
            # Such a group must have a member (RFC 4519, 3.5): it becomes its own member, and nobody can bind as a group.
            changes.insert(0, (ADD, [entitlement.raw["dn"]]))
        # For "no such member" Active Directory answers 53, which has other meanings too; others answer 16. Reading again shows which it was.
        self.wire.modify(
            entitlement.raw["dn"],
            {attribute: changes},
            act=f"take {account.login} out of {entitlement.name}",
            fine=(NO_SUCH_ATTRIBUTE, *((UNWILLING,) if self.ad else ())),
        )

    def _is_own_member(self, entitlement: Entitlement, members: Sequence[str]) -> bool:
        return entitlement.raw["dn"].casefold() in (m.casefold() for m in members)

    def _groups(self, query: str, act: str) -> list[dict[str, Any]]:
        return self.wire.search(
            self.groups_base,
            f"(&{self.flavour.groups}{query})",
            ["cn", "objectClass", "member", "uniqueMember", "memberUid"],
            act=act,
        )

    def _group(self, row: Mapping[str, Any]) -> Entitlement:
        return Entitlement("groups", text(row, "cn"), str(row["dn"]), raw=row)

    def _primary_group(self, account: Account) -> list[Entitlement]:
        group = primary_group(account.raw)
        if group is None:
            return []
        return [
            Entitlement("groups", text(row, "cn"), str(row["dn"]), fixed="it is the primary group", raw=row)
            for row in self.wire.search(
                self.base, f"(objectSid={in_filter(group)})", ["cn"], act=f"read primary group of {account.login}"
            )
        ]

    @staticmethod
    def _membership(account: Account, entitlement: Entitlement) -> tuple[str, str]:
        classes = {c.lower() for c in texts(entitlement.raw, "objectClass")}
        if "groupofuniquenames" in classes:
            return "uniqueMember", account.raw["dn"]
        if "posixgroup" in classes and "groupofnames" not in classes:
            return "memberUid", account.login
        return "member", account.raw["dn"]


def primary_group(row: Mapping[str, Any]) -> bytes | None:
    """Return the SID of an Active Directory user's primary group: the domain's part of the user's SID, then primaryGroupID."""
    sid, rid = row.get("objectsid"), text(row, "primaryGroupID")
    return sid[0][:-4] + int(rid).to_bytes(4, "little") if sid and rid else None
