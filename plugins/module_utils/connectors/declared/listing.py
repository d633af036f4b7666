# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All accounts and all keys of a declared connector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from ...model.errors import NotFound
from ...sdk.values import Account, Credential, Listed
from .accounts import Declared, DeclaredAccounts
from .expressions import Expression, Json, moment
from .holdings import entitlement_of
from .manifest import Kind, Rows, Source


class DeclaredListing(DeclaredAccounts):
    """Lists every account, page by page."""

    LISTS_HELD: ClassVar[bool] = False

    def all_accounts(self) -> Iterator[Listed]:
        kinds = (
            {kind.name: self._by_id(kind) for kind in self.MANIFEST.entitlements.values()} if self.LISTS_HELD else {}
        )
        for source in self.section.sources:
            for rows in source.lists:
                # A list of accounts of one state may not show the state in its rows: then the list itself sets the fields.
                here = replace(source, fields={**source.fields, **rows.fields})
                for row in self.calls.rows(rows, {}, f"list {source.name}s"):
                    yield self._listed(here, row, kinds)

    def administrators(self) -> Iterator[str]:
        """Yield the ids of active administrators, if accounts show what they hold."""
        kinds = {kind: self._by_id(self.MANIFEST.entitlements[kind]) for kind, _name in self.ADMINISTRATORS}
        for source in self.section.sources:
            for rows in source.lists:
                for row in self.calls.rows(rows, {}, "list administrators"):
                    listed = self._listed(source, row, kinds)
                    if listed.account.active and set(listed.held) & set(self.ADMINISTRATORS):
                        yield listed.account.id

    def _by_id(self, kind: Kind) -> dict[str, tuple[str, bool]]:
        """Return (name, whether it is fixed) of each entitlement of a kind, by id: read once, not once for each account."""
        rows = kind.values if kind.catalogue is None else self.calls.rows(kind.catalogue, {}, f"list {kind.name}")
        return {one.id: (one.name, bool(one.fixed)) for one in (entitlement_of(kind, row) for row in rows)}

    def _listed(self, source: Source, row: Json, kinds: dict[str, dict[str, tuple[str, bool]]]) -> Listed:
        account = self.account(source, row)
        said = {name: source.fields[name].of(row) for name in ("last_seen", "created", "kind") if name in source.fields}
        held = [
            (kind, *known)
            for kind, names in kinds.items()
            for id_ in self._held_ids(kind, account)
            if (known := names.get(id_)) is not None
        ]
        return Listed(
            account,
            last_seen=moment(said.get("last_seen")),
            created=moment(said.get("created")),
            kind=str(said.get("kind") or "person"),
            held=tuple((kind, name) for kind, name, _fixed in held),
            fixed=tuple((kind, name) for kind, name, fixed in held if fixed),
        )

    def _held_ids(self, kind: str, account: Account) -> list[str]:
        held = self.MANIFEST.entitlements[kind].held
        if not isinstance(held, Expression) or not self.is_first(account):
            return []
        said = held.of(self.of_account(account))
        return [str(one) for one in (said if isinstance(said, list) else [said]) if one not in (None, "", False)]

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield ids and logins of an entitlement's members, by the file's ``members``, else from the list of accounts.

        :raises NotFound: there is no such entitlement.
        """
        act, how = f"list members of {name}", self.MANIFEST.entitlements.get(kind)
        names = self._by_id(how) if how is not None else {}
        found = next((id_ for id_, (known, _fixed) in names.items() if known.casefold() == name.casefold()), None)
        if how is None or found is None:
            raise NotFound(
                f"it has no {name} among {kind}",
                act=act,
                system=self.target.name,
                hint="correct the name in policy or in the access profile",
            )
        if how.members is not None:
            yield from self._members(how.members, found, act)
        elif isinstance(how.held, Expression):
            yield from self._holders(kind, found, act)
        else:
            raise self.unsupported(f"its file does not say how the members of {kind} are read", act)

    def holders(self, kind: str, name: str) -> Iterator[str]:
        """Yield the ids, logins and addresses of an entitlement's members: a file's ``members`` may have ids alone.

        :raises NotFound: there is no such entitlement.
        """
        members = set(self.group_members(kind, name))
        yield from members
        known = {one.casefold() for one in members}
        for listed in self.all_accounts() if members else ():
            account = listed.account
            names = [account.id, account.login, account.email, *(key.value for key in account.keys)]
            if any(one.casefold() in known for one in names):
                yield from (one for one in names if one)

    def _members(self, members: Rows, found: str, act: str) -> Iterator[str]:
        for row in self.calls.rows(members, {"entitlement": {"id": found}}, act):
            said = members.ids.of(row) if members.ids is not None else row
            yield from (str(one) for one in (said if isinstance(said, list) else [said]) if one)

    def _holders(self, kind: str, found: str, act: str) -> Iterator[str]:
        source = self.section.sources[0]
        for row in (row for rows in source.lists for row in self.calls.rows(rows, {}, act)):
            account = self.account(source, row)
            if found in self._held_ids(kind, account):
                yield from (account.id, account.login)


class DeclaredCredentials(Declared):
    """Lists every key and token that works without its maker."""

    def all_credentials(self) -> Iterator[Credential]:
        for kind in self.MANIFEST.keys:
            for row in self.calls.rows(kind.each, {}, f"list {kind.kind}s"):
                said = {name: one.of(row) for name, one in kind.fields.items()}
                yield Credential(
                    str(said.get("kind") or kind.kind),
                    str(said["id"]),
                    str(said.get("name") or said["id"]),
                    "" if said.get("maker") is None else str(said["maker"]),
                    moment(said.get("created")),
                    moment(said.get("last_used")),
                    moment(said.get("expires")),
                )
