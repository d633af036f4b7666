# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entitlements, owned things, hardware and controls of a declared connector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ...model.errors import NotFound, Refused
from ...model.person import Person
from ...sdk.at_most_one import at_most_one
from ...sdk.values import Account, Entitlement, Owned
from .accounts import Declared, DeclaredAccounts
from .expressions import Expression, Json
from .holes import filled
from .manifest import Kind, OwnedKind


class DeclaredEntitlements(DeclaredAccounts):
    """Reads, grants and revokes groups, roles, licences and teams."""

    ENTITLEMENT_KINDS: ClassVar[Sequence[str]] = ()

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        if not self.is_first(account):
            return []
        return [one for kind in self.MANIFEST.entitlements.values() for one in self._held(kind, account)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        act = f"find {kind} {name}"
        how = self.MANIFEST.entitlements[kind]
        found = [one for one in self._catalogue(how, act) if one.name.casefold() == name.casefold()]
        return at_most_one(found, f"{kind} have the name {name}", act=act, system=self.target.name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._act(account, entitlement, f"give {entitlement.kind} {entitlement.name} to {account.login}", give=True)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        kind = self.MANIFEST.entitlements[entitlement.kind]
        act = f"take {entitlement.kind} {entitlement.name} from {account.login}"
        if not kind.floor:
            self._act(account, entitlement, act, give=False)
            return
        # An account has exactly one of this kind: if it is another one now, it must stay.
        fresh = self.again(account)
        if fresh is not None and any(one.id == entitlement.id for one in self._held(kind, fresh)):
            self._act(account, replace(entitlement, id=kind.floor, name=kind.floor, raw={}), act, give=True)

    def _act(self, account: Account, entitlement: Entitlement, act: str, *, give: bool) -> None:
        kind = self.MANIFEST.entitlements[entitlement.kind]
        if not self.is_first(account):
            raise Refused(
                account.pending or "there is no account yet", act=act, system=self.target.name, hint="run again then"
            )
        writes = kind.grant if give else kind.revoke
        if writes is None:
            raise self.unsupported(f"it has no way to {'give' if give else 'take'} {entitlement.kind}", act)
        said = {"id": entitlement.id, "name": entitlement.name, "raw": entitlement.raw}
        self.calls.write(writes, {**self.of_account(account), "entitlement": said}, act)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _held(self, kind: Kind, account: Account) -> Iterator[Entitlement]:
        scope, act = self.of_account(account), f"list {kind.name} of {account.login}"
        if isinstance(kind.held, Expression):
            yield from self.named_in(kind, kind.held.of(scope), act)
            return
        rows = self.calls.rows(kind.held, scope, act)
        if kind.held.ids is None:
            yield from (entitlement_of(kind, row, kind.held.fields) for row in rows)
            return
        mine = {str(kind.held.ids.of(row)): row for row in rows}
        for one in self._catalogue(kind, act) if mine else ():
            if one.id in mine:
                # A membership can have an id of its own, which the request that ends it needs.
                yield replace(one, raw={**one.raw, "held": mine[one.id]})

    def named_in(self, kind: Kind, said: Json, act: str) -> Iterator[Entitlement]:
        """Yield the entitlements that an account's record names by one id, or by a list of ids."""
        ids = {str(one) for one in (said if isinstance(said, list) else [said]) if one not in (None, "", False)}
        if ids:
            yield from (one for one in self._catalogue(kind, act) if one.id in ids)

    def _catalogue(self, kind: Kind, act: str) -> Iterator[Entitlement]:
        rows: Iterable[Json] = kind.values if kind.catalogue is None else self.calls.rows(kind.catalogue, {}, act)
        return (entitlement_of(kind, row) for row in rows)


def entitlement_of(kind: Kind, row: Json, fields: Mapping[str, Expression] | None = None) -> Entitlement:
    """Return one entitlement, from a row of a catalogue or from a fixed value."""
    if isinstance(row, str):
        return Entitlement(kind.name, row, row, fixed=kind.fixed.text_of(row) if kind.fixed is not None else "")
    said = fields or kind.fields
    fixed = said.get("fixed", kind.fixed)
    return Entitlement(
        kind.name,
        said.get("name", said["id"]).text_of(row),
        said["id"].text_of(row),
        fixed=fixed.text_of(row) if fixed is not None else "",
        raw=row,
    )


class DeclaredOwnership(DeclaredAccounts):
    """Finds what a person owns, and hands over what can be handed over."""

    def owned(self, account: Account) -> Sequence[Owned]:
        return self.owned_of(self.MANIFEST.owned, account)

    def owned_of(self, kinds: Iterable[OwnedKind], account: Account) -> Sequence[Owned]:
        """Return the things of these kinds that an account owns."""
        scope = self.of_account(account)
        return [
            Owned(
                kind.kind,
                kind.id.text_of(row),
                kind.name.text_of(row),
                settle=kind.settle,
                serial=kind.serial.text_of(row) if kind.serial is not None else "",
                raw={"why": str(filled(kind.why, {"item": row})), "row": row},
            )
            for kind in kinds
            for row in self.calls.rows(kind.each, scope, f"list what {account.login} owns")
        ]

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        act = f"give {owned.kind} {owned.name} to {successor}"
        kind = next(one for one in self.MANIFEST.owned if one.kind == owned.kind)
        if kind.reassign is None:
            raise self.unsupported(f"its file does not say how a {owned.kind} is handed over", act)
        heir = self._heir(kind, successor, act)
        scope = {**self.of_account(account), "item": owned.raw["row"], "successor": heir}
        self.calls.write(kind.reassign, scope, act)

    def _heir(self, kind: OwnedKind, successor: str, act: str) -> Mapping[str, Any]:
        account = self.find_account(Person(email=successor))
        if account is None or not self.is_first(account):
            raise NotFound(
                f"{successor} has no account here",
                act=act,
                system=self.target.name,
                hint="name a successor who has one",
            )
        return {"id": self.bare_id(account), "login": account.login, "email": account.email, "raw": account.raw}


class DeclaredHardware(DeclaredOwnership):
    """Lists the hardware that is checked out to a person, and checks it in."""

    def checked_out(self, account: Account) -> Sequence[Owned]:
        kinds = [kind for kind in self.MANIFEST.owned if kind.returned is not None]
        return [one for one in self.owned_of(kinds, account) if one.serial]

    def check_in(self, account: Account, owned: Owned) -> None:
        kind = next(one for one in self.MANIFEST.owned if one.kind == owned.kind)
        act = f"check in {owned.kind} {owned.name}"
        if kind.returned is None:
            raise self.unsupported("it has no check-in", act)
        self.calls.write(kind.returned, {**self.of_account(account), "item": owned.raw["row"]}, act)


class DeclaredControls(Declared):
    """Shows whether required controls hold."""

    CONTROLS: ClassVar[Sequence[str]] = ()

    def controls(self, account: Account) -> Mapping[str, bool]:
        return {name: bool(one.of(account.raw)) for name, one in self.MANIFEST.controls.items()}
