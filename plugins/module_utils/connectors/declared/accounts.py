# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Accounts of a declared connector: found by every key, compared, suspended, made and changed.

Each capability is a class of its own, and ``compiler.py`` puts together those that a file declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.errors import AmbiguousIdentity, Unsupported
from ...model.person import Person
from ...sdk.capabilities import Account, Addresses
from ...sdk.target import Connector, Target
from .calls import Calls
from .expressions import Expression, Json
from .manifest import Accounts, LookUp, Manifest, Source, Writes


class Declared(Connector):
    """What every compiled connector has: its file, and the calls that the file declares."""

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

    def find_account(self, person: Person) -> Account | None:
        """Look for the person by every key that the file declares, source by source, and compare what was found."""
        keys = self._keys_of(person)
        for source in self.section.sources:
            found = self._looked_up(source.find, source.match, keys, source.name)
            rows = [row for row in (self._whole(source, one) for one in found) if row is not None]
            accounts = {account.id: account for account in (self.account(source, row) for row in rows)}
            if len(accounts) > 1:
                raise AmbiguousIdentity(
                    f"{len(accounts)} accounts have an address or login of {person.email}: "
                    f"{', '.join(sorted(one.login or one.id for one in accounts.values()))}",
                    act=f"find {person.email}",
                    system=self.target.name,
                )
            if accounts:
                return next(iter(accounts.values()))
        return None

    def set_active(self, account: Account, active: bool) -> None:
        source = self.source_of(account)
        word = "activate" if active else "suspend"
        writes = source.resume if active else source.suspend
        if writes is None:
            raise self.unsupported(f"it has no way to {word} an account", f"{word} {account.login}")
        self.calls.write(writes, self.of_account(account), f"{word} {account.login}")

    # -- finding -------------------------------------------------------------------------------------------------------

    def _keys_of(self, person: Person) -> Mapping[str, Sequence[str]]:
        """What the person may be known by here: by key, each value once, those that are empty left out."""
        wanted = {key for source in self.section.sources for look in source.find for key in look.by}
        known = {
            "email": (person.email, *person.aliases),
            "login": (self.login_of(person),) if "login" in wanted else (),
            "employee_id": (person.employee_id,),
        }
        return {key: tuple(dict.fromkeys(value for value in values if value)) for key, values in known.items()}

    def _looked_up(
        self, find: Iterable[LookUp], match: Mapping[str, Expression], keys: Mapping[str, Sequence[str]], what: str
    ) -> Iterator[Json]:
        """The rows whose key is one of the person's, by every look-up."""
        for look in find:
            if look.searches:
                for key in look.by:
                    for value in keys.get(key, ()):
                        rows = self.calls.rows(look.rows, {"value": value}, f"find {what} {value}")
                        yield from (row for row in rows if same(match[key].of(row), (value,)))
            elif any(keys.get(key) for key in look.by):
                shown = next(value for key in look.by for value in keys.get(key, ()))
                for row in self.calls.rows(look.rows, {}, f"find {what} {shown}"):
                    if any(same(match[key].of(row), keys.get(key, ())) for key in look.by):
                        yield row

    def _whole(self, source: Source, row: Json) -> Json:
        """The record itself, where a search answers from an index; None when it is gone."""
        if source.read is None:
            return row
        return self.calls.one(source.read, {**self.calls.scope, "item": row}, f"read {source.name}")

    def again(self, account: Account) -> Account | None:
        """The same account, read anew."""
        source = self.source_of(account)
        keys = {"email": (account.email,), "login": (account.login,), "id": (self.bare_id(account),)}
        for row in self._looked_up(source.find, source.match, keys, source.name):
            whole = self._whole(source, row)
            found = self.account(source, whole) if whole is not None else None
            if found is not None and found.id == account.id:
                return found
        return None

    # -- an account ----------------------------------------------------------------------------------------------------

    def account(self, source: Source, row: Json) -> Account:
        """Our view of a row. Ids of all but the first source begin with the source's name."""
        said = {
            name: one.of(row) for name, one in source.fields.items() if name not in ("kind", "last_seen", "created")
        }
        attributes = {
            name: value
            for name, one in self.section.attributes.items()
            if (value := one.read.of(row)) not in (None, "", False)
        }
        first = source.name == self.section.sources[0].name
        return Account(
            str(said["id"]) if first else f"{source.name}:{said['id']}",
            _text(said.get("login")),
            bool(said.get("active", True)),
            _text(said.get("email")).lower(),
            attributes,
            protected=_text(said.get("protected")),
            pending=_text(said.get("pending")),
            raw=row,
            no_person=_text(said.get("no_person")),
        )

    def source_of(self, account: Account) -> Source:
        sources = self.section.sources
        return next((one for one in sources[1:] if account.id.startswith(f"{one.name}:")), sources[0])

    def bare_id(self, account: Account) -> str:
        """The vendor's own id."""
        first = self.source_of(account) is self.section.sources[0]
        return account.id if first else account.id.partition(":")[2]

    def of_account(self, account: Account) -> dict[str, Any]:
        """What requests about an account may speak of."""
        return {
            **self.calls.scope,
            "account": {
                "id": self.bare_id(account),
                "login": account.login,
                "email": account.email,
                "active": account.active,
                "attributes": account.attributes,
                "raw": account.raw,
            },
        }

    def is_first(self, account: Account) -> bool:
        """Whether it is an account proper, and not an invitation."""
        return self.source_of(account) is self.section.sources[0]


class DeclaredProvisioning(DeclaredAccounts):
    """Makes, changes and deletes accounts."""

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
        for name, value in attributes.items():
            how = self.section.attributes.get(name)
            if how is None or not how.write:
                raise self.unsupported(f"it keeps no {name}", act)
            here = changed
            *above, last = how.write.split(".")
            for word in above:
                here = here.setdefault(word, {})
            here[last] = value
        self.calls.write(self.section.update, {**self.of_account(account), "changed": changed}, act)

    def delete_account(self, account: Account) -> None:
        act = f"delete {account.login}"
        writes = self.source_of(account).delete
        if writes is None:
            raise self.unsupported("it keeps accounts; they can only be suspended", act, "use state suspended")
        self.calls.write(writes, self.of_account(account), act)


class DeclaredRestorable(DeclaredAccounts):
    """Brings deleted accounts back."""

    def find_deleted(self, person: Person) -> Account | None:
        deleted = self.section.deleted
        if deleted is None:
            return None
        source = Source(self.section.sources[0].name, deleted.find, deleted.match, deleted.fields)
        rows = self._looked_up(deleted.find, deleted.match, self._keys_of(person), "deleted account")
        found = {account.id: account for account in (self.account(source, row) for row in rows)}
        if len(found) > 1:
            raise AmbiguousIdentity(
                f"{len(found)} deleted accounts have an address or login of {person.email}",
                act=f"find deleted account of {person.email}",
                system=self.target.name,
            )
        return next(iter(found.values()), None)

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


def same(said: Json, values: Iterable[str]) -> bool:
    """Whether what a row says, a text or a list of them, is one of the values; capitals do not count."""
    wanted = {value.casefold() for value in values}
    return any(
        str(one).casefold() in wanted for one in (said if isinstance(said, list) else [said]) if one not in (None, "")
    )


def _text(value: Json) -> str:
    return "" if value is None or value is False else str(value)
