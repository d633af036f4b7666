# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Accounts of a declared connector: found by every key, compared, suspended, created and changed.

Each capability is a class, and ``compiler.py`` combines the classes of the capabilities that a file declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ...model.errors import Unsupported
from ...model.person import Person
from ...sdk.at_most_one import at_most_one
from ...sdk.keys import Key, Kind, PersonKeys, spellings
from ...sdk.side_by_side import answers
from ...sdk.target import Connector, Target
from ...sdk.values import Account, Addresses
from .calls import Calls
from .expressions import Expression, Json
from .manifest import Accounts, Deleted, LookUp, Manifest, Source, Writes
from .ways import scope_of

#: The name of a key in a file -> its kind.
KINDS: Mapping[str, Kind] = {
    "email": Kind.ADDRESS,
    "login": Kind.LOGIN,
    "employee_id": Kind.NUMBER,
    "subject": Kind.SUBJECT,
    "id": Kind.ID,
}


class Declared(Connector):
    """The base of every compiled connector: it has the file, and the calls that the file declares."""

    MANIFEST: ClassVar[Manifest]

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.calls = Calls(target, self.MANIFEST)

    def unsupported(self, what: str, act: str, hint: str = "") -> Unsupported:
        return Unsupported(what, act=act, system=self.target.name, hint=hint)


class DeclaredAccounts(Declared):
    """Finds accounts, and opens and closes them."""

    @property
    def section(self) -> Accounts:
        section = self.MANIFEST.accounts
        if section is None:
            raise self.unsupported("its file declares no accounts", "find an account")
        return section

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield every account with a key of the person, by every look-up of every source."""
        for source in self.section.sources:
            found: dict[str, Account] = {}
            for row in self._looked_up(source, keys, source.name):
                whole = self._whole(source, row)
                if whole is not None:
                    account = self.account(source, whole)
                    found.setdefault(account.id, account)
            yield from found.values()

    def set_active(self, account: Account, active: bool) -> None:
        source = self.source_of(account)
        word = "activate" if active else "suspend"
        writes = source.resume if active else source.suspend
        if writes is None:
            raise self.unsupported(f"it has no way to {word} an account", f"{word} {account.login}")
        self.calls.write(writes, self.of_account(account), f"{word} {account.login}")

    # -- finding -------------------------------------------------------------------------------------------------------

    def _looked_up(self, source: Source | Deleted, keys: PersonKeys, what: str) -> Iterator[Json]:
        """Yield the rows that have one of the person's keys, by every look-up."""
        for look in source.find:
            ask = partial(self._answering, look, source, keys, what)
            for rows in answers(self.target, ask, self._asked_for(look, source, keys)):
                yield from rows

    def _answering(
        self, look: LookUp, source: Source | Deleted, keys: PersonKeys, what: str, value: str
    ) -> Sequence[Json]:
        """Return the rows of one look-up that have one of the person's keys."""
        scope = {"value": value} if look.searches else {}
        return [
            row
            for row in self.calls.rows(look.rows, scope, f"find {what} {value}")
            if any(self._has(keys, source, kind, said) for kind, said in carried_by(source.match, row))
        ]

    def _asked_for(self, look: LookUp, source: Source | Deleted, keys: PersonKeys) -> Sequence[str]:
        """Return the values to search for by a look-up. A look-up that reads the whole list is made once, with the first value."""
        values: list[str] = []
        for kind in (KINDS[key] for key in look.by):
            own = keys.of(kind)
            if kind is Kind.ID:
                own = tuple(bare for one in own if (bare := self._bare(source, one)))
            values += [spelled for value in own for spelled in spellings(value)]
        return list(dict.fromkeys(values)) if look.searches else values[:1]

    def _has(self, keys: PersonKeys, source: Source | Deleted, kind: Kind, said: str) -> bool:
        return keys.has(kind, self._prefixed(source, said) if kind is Kind.ID else said)

    def _prefixed(self, source: Source | Deleted, ident: str) -> str:
        """Return our id of an account. The ids of all sources but the first begin with the source's name."""
        name = source.name if isinstance(source, Source) else self.section.sources[0].name
        return ident if name == self.section.sources[0].name else f"{name}:{ident}"

    def _bare(self, source: Source | Deleted, ident: str) -> str:
        """Return the vendor's id; empty for an account of another source."""
        prefixes = [f"{one.name}:" for one in self.section.sources[1:]]
        own = self._prefixed(source, "")
        if own:
            return ident.removeprefix(own) if ident.startswith(own) else ""
        return "" if any(ident.startswith(prefix) for prefix in prefixes) else ident

    def _whole(self, source: Source, row: Json) -> Json:
        """Return the whole record of a found row, if the file has a request for it; None when the record does not exist any more."""
        if source.read is None:
            return row
        return self.calls.one(source.read, {**self.calls.scope, "item": row}, f"read {source.name}")

    def again(self, account: Account) -> Account | None:
        """Return the same account, read again."""
        own = PersonKeys(
            Person(email=account.email),
            ids=(account.id,),
            addresses=(account.email,) if account.email else (),
            logins=(account.login,),
        )
        return next((one for one in self.candidates(own) if one.id == account.id), None)

    # -- an account ----------------------------------------------------------------------------------------------------

    def account(self, source: Source, row: Json) -> Account:
        """Return a row as an account. The ids of all sources but the first begin with the source's name."""
        said = {
            name: one.of(row) for name, one in source.fields.items() if name not in ("kind", "last_seen", "created")
        }
        attributes = {
            name: value
            for name, one in self.section.attributes.items()
            if (value := one.read.of(row)) not in (None, "", False)
        }
        return Account(
            self._prefixed(source, str(said["id"])),
            _text(said.get("login")),
            bool(said.get("active", True)),
            _text(said.get("email")).lower(),
            attributes,
            protected=_text(said.get("protected")),
            pending=_text(said.get("pending")),
            raw=row,
            no_person=_text(said.get("no_person")),
            keys=tuple(Key(kind, value) for kind, value in carried_by(source.match, row) if kind is not Kind.ID),
        )

    def source_of(self, account: Account) -> Source:
        sources = self.section.sources
        return next((one for one in sources[1:] if account.id.startswith(f"{one.name}:")), sources[0])

    def bare_id(self, account: Account) -> str:
        """Return the vendor's id."""
        return self._bare(self.source_of(account), account.id)

    def of_account(self, account: Account) -> dict[str, Any]:
        """Return the values that holes of a request about an account may name."""
        return scope_of(self.calls, account, self.bare_id(account))

    def is_first(self, account: Account) -> bool:
        """Return whether an account is of the first source: a user, and not an invitation."""
        return self.source_of(account) is self.section.sources[0]


class DeclaredProvisioning(DeclaredAccounts):
    """Creates, changes and deletes accounts."""

    ATTRIBUTES: ClassVar[Sequence[str]] = ()

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        login = self.login_of(person)
        scope = {"login": login, "person": person, "attributes": attributes}
        self.calls.write(self.section.create or (), scope, f"create account of {login}")

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        act = f"update {account.login}"
        if self.section.update is None or not self.is_first(account):
            raise self.unsupported(self.section.names_from or "it keeps no attributes", act)
        changed: dict[str, Any] = {}
        for key, kept in self.section.keeps.items():
            _put(changed, key, kept.of(account.raw))
        for name, value in attributes.items():
            how = self.section.attributes.get(name)
            if how is None or not how.write:
                raise self.unsupported(f"it keeps no {name}", act)
            _put(changed, how.write, value)
        self.calls.write(self.section.update, {**self.of_account(account), "changed": changed}, act)

    def delete_account(self, account: Account) -> None:
        act = f"delete {account.login}"
        writes = self.source_of(account).delete
        if writes is None:
            raise self.unsupported("it has no way to delete an account", act, "use state suspended")
        self.calls.write(writes, self.of_account(account), act)


class DeclaredRestorable(DeclaredAccounts):
    """Restores deleted accounts."""

    def find_deleted(self, person: Person) -> Account | None:
        deleted = self.section.deleted
        if deleted is None:
            return None
        source = Source(self.section.sources[0].name, deleted.find, deleted.match, deleted.fields)
        rows = self._looked_up(deleted, self.keys_of(person), "deleted account")
        found = {account.id: account for account in (self.account(source, row) for row in rows)}
        said = f"deleted accounts have an address or login of {person.email}"
        act = f"find deleted account of {person.email}"
        return at_most_one([*found.values()], said, act=act, system=self.target.name)

    def restore_account(self, account: Account) -> None:
        if self.section.deleted is not None:
            self.calls.write(self.section.deleted.restore, self.of_account(account), f"restore {account.login}")


class DeclaredRenaming(DeclaredAccounts):
    """Changes addresses and logins."""

    def addresses(self, account: Account) -> Addresses:
        how = self.section.address
        if how is None:
            return Addresses()
        aliases = how.aliases.of(account.raw) if how.aliases is not None else None
        return Addresses(
            how.address.text_of(account.raw).lower() if how.address is not None else None,
            tuple(sorted(str(one).lower() for one in aliases)) if isinstance(aliases, list) else None,
            how.login.text_of(account.raw).lower() if how.login is not None else None,
        )

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        how = self.section.address
        scope = {"address": address, "aliases": list(aliases)}
        self._change(account, how.set_address if how is not None else None, scope, f"set address of {account.login}")

    def set_login(self, account: Account, login: str) -> None:
        how = self.section.address
        self._change(
            account, how.set_login if how is not None else None, {"login": login}, f"set login of {account.login}"
        )

    def _change(self, account: Account, writes: Writes | None, scope: Mapping[str, Any], act: str) -> None:
        if writes is None:
            raise self.unsupported("it has no way to change it", act)
        self.calls.write(writes, {**self.of_account(account), **scope}, act)


def carried_by(match: Mapping[str, Expression], row: Json) -> Iterator[tuple[Kind, str]]:
    """Yield the keys that a row carries; an expression may find a text, or a list of them."""
    for key, one in match.items():
        said = one.of(row)
        for value in said if isinstance(said, list) else [said]:
            if value not in (None, "", False):
                yield KINDS[key], str(value)


def _put(into: dict[str, Any], key: str, value: Json) -> None:
    """Put a value under a dotted key."""
    *above, last = key.split(".")
    for word in above:
        into = into.setdefault(word, {})
    into[last] = value


def _text(value: Json) -> str:
    return "" if value is None or value is False else str(value)
