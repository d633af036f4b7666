# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the keys of HR's other people (addresses, numbers, logins) as hashes, which each step gets.

An account with the keys of another person whom HR knows is not certainly this person's. So a run reads HR's people
once, and each step gets their keys, ten bytes each: in a file of the run, or in its arguments when it runs on another
machine.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..model.errors import InputError
from ..model.person import LEFT, Person
from ..sdk.keys import Key, Kind, PersonKeys, canonical
from ..sdk.values import Account
from .identity import same_person

#: How many bytes of a hash are kept: of a key (with 50,000 keys, two have the same hash with a chance of one in
#: 200,000), and of its owner.
_KEY, _OWNER = 6, 4
_ROW = _KEY + _OWNER


class Others:
    """The keys of HR's people, each with its owner.

    :param apart: HR ids of records that look like the person's and are somebody else's, as somebody said.
    """

    def __init__(self, *packed: bytes, apart: Sequence[str] = ()) -> None:
        self._packed = [one for one in packed if one]
        self._apart = self._owners(map(_of_hr, apart))

    @classmethod
    def read(cls, known: Mapping[str, Sequence[str]] | None, apart: Sequence[str] = ()) -> Others:
        """Read the keys from a step's argument: ``{"files": [path]}`` on this machine, ``{"inline": [base64]}`` on
        another one.

        :raises InputError: a file cannot be read.
        """
        known = known or {}
        try:
            return cls(
                *(base64.b64decode(text) for text in known.get("inline") or ()),
                *(Path(file).read_bytes() for file in known.get("files") or ()),
                apart=apart,
            )
        except OSError as e:
            raise InputError(
                f"the keys of HR's people cannot be read: {e}",
                act="compare accounts with HR's people",
                hint="run it again: the file is made when HR is read",
            ) from e

    def __bool__(self) -> bool:
        return bool(self._packed)

    def owners(self, system: str, key: Key) -> set[bytes]:
        """Return the hashes of the people in HR who have this key."""
        return self._owners(texts(system, key))

    def _owners(self, sought: Iterable[str]) -> set[bytes]:
        """Return the hashes of the people who have any of these texts."""
        found: set[bytes] = set()
        for key in (_hashed(text, _KEY) for text in sought):
            for packed in self._packed:
                at = _first(packed, key)
                while packed[at : at + _KEY] == key:
                    found.add(packed[at + _KEY : at + _ROW])
                    at += _ROW
        return found

    def claims(self, system: str, account: Account, keys: PersonKeys, *, in_hr: bool = True) -> list[frozenset[Kind]]:
        """Return, for each other person in HR with keys of an account, the kinds of these keys.

        :param in_hr: whether HR has a record of the person. Without one, everybody in HR who has a key of theirs is
            somebody else.
        """
        own = self._own(system, keys) if in_hr else set()
        claimed: dict[bytes, set[Kind]] = {}
        for key in account.carried:
            for owner in self.owners(system, key) - own:
                claimed.setdefault(owner, set()).add(key.kind)
        return [frozenset(kinds) for kinds in claimed.values()]

    def twin(self, system: str, account: Account, keys: PersonKeys) -> bool:
        """Return whether the account has a key of somebody with the same name who works here: perhaps the same human
        being, employed twice. Without :meth:`claims` there is nobody."""
        namesakes = self._owners(_name(keys.person)) - self._own(system, keys)
        return bool(namesakes) and any(
            not namesakes.isdisjoint(self.owners(system, key)) for key in account.carried if key.kind is not Kind.LOGIN
        )

    def one_human(self, system: str, left: PersonKeys, right: PersonKeys) -> bool:
        """Return whether HR shows that two records are one human being."""
        return not self._own(system, left).isdisjoint(self._own(system, right))

    def _own(self, system: str, keys: PersonKeys) -> set[bytes]:
        """Return the hashes of the person among HR's people, another one in each HR system that has a record of theirs.

        When several HR systems have the same number, the address and the name decide. Of somebody who has left, a record that
        works here is another one's: what both records have is not cut.
        """
        person = keys.person
        addressed = self.owners(system, Key(Kind.ADDRESS, person.email))
        works = self._owners(_name(person)) if person.status == LEFT else set()
        foreign = (self._apart | works) - addressed
        called = addressed | self._owners(_name(person, "called"))
        shown = self._owners(_shown(person))
        for text in _themselves(person):
            found = self._owners([text])
            if found:
                return (shown | (found & called or found)) - foreign
        return shown - foreign or addressed


def _first(packed: bytes, sought: bytes) -> int:
    """Return the position of the first row of a hash; the rows are sorted."""
    low, high = 0, len(packed) // _ROW
    while low < high:
        middle = (low + high) // 2
        if packed[middle * _ROW : middle * _ROW + _KEY] < sought:
            low = middle + 1
        else:
            high = middle
    return low * _ROW


def pack(people: Iterable[Person], patterns: Mapping[str, str]) -> bytes:
    """Return the keys of all these people, packed.

    :param patterns: the login pattern of each system, by the system's name.
    """
    rows: set[bytes] = set()
    owners: dict[tuple[str, str], bytes] = {}
    for person in people:
        traits = [*_traits(person)]
        owner = next((owners[trait] for trait in traits if trait in owners), _hashed(_called(person), _OWNER))
        for trait in traits:
            owners.setdefault(trait, owner)
        rows.update(_hashed(text, _KEY) + owner for text in _texts_of(person, patterns))
    return b"".join(sorted(rows))


def _traits(person: Person) -> Iterable[tuple[str, str]]:
    """Return the (field, value) pairs by which two records are one human being."""
    name = " ".join((person.first_name, person.last_name)).strip()
    addresses = (
        ("person key", person.person_key),
        ("employee id", person.employee_id),
        ("personal address", person.personal_email),
        ("address and name", f"{person.email} {name}" if person.email and name else ""),
    )
    return ((what, canonical(Kind.ADDRESS, value)) for what, value in addresses if value)


def _called(person: Person) -> str:
    """Return a name for a human being that is the same in every HR system, as far as possible."""
    name = " ".join((person.first_name, person.last_name)).strip()
    return canonical(Kind.ADDRESS, f"{person.email} {name}") if person.email and name else person.key


def everywhere(person: Person) -> Iterable[str]:
    """Yield the texts of the keys that a person has on every system."""
    keys = [
        Key(Kind.NUMBER, person.employee_id),
        *(Key(Kind.ADDRESS, address) for address in (person.email, *person.aliases)),
        *(Key(Kind.SUBJECT, value) for value in (person.employee_id, person.hr_id, person.person_key)),
    ]
    for key in keys:
        if key.value:
            yield from texts("", key)


def _themselves(person: Person) -> Iterable[str]:
    """Yield the texts that only this person has, the surest first; not an identity provider's id, which may hold
    another person's number."""
    yield from texts("", Key(Kind.NUMBER, person.employee_id))
    if person.hr_id:
        yield _of_hr(person.hr_id)


def _of_hr(id: str) -> str:
    return f"hr_id {id}"


def _shown(person: Person) -> Iterable[str]:
    """Yield the texts of what no two people share, beside the number, which may stand for another person in another HR
    system."""
    return (f"{what} {value}" for what, value in same_person(person) if what != "employee id")


def _name(person: Person, kind: str = "name") -> Iterable[str]:
    """Yield the person's name when both parts are known: as a ``name`` of whoever works here, or as what anybody is
    ``called``."""
    if person.first_name and person.last_name:
        yield f"{kind} {canonical(Kind.ADDRESS, f'{person.first_name} {person.last_name}')}"


def _texts_of(person: Person, patterns: Mapping[str, str]) -> Iterable[str]:
    yield from everywhere(person)
    yield from _themselves(person)
    yield from _shown(person)
    yield from _name(person, "called")
    if person.status != LEFT:
        yield from _name(person)
    for system, pattern in patterns.items():
        login = person.logins.get(system) or _made(person, system, pattern)
        if login:
            yield from texts(system, Key(Kind.LOGIN, login))


def _made(person: Person, system: str, pattern: str) -> str:
    try:
        return person.login(system, pattern) if person.email else ""
    except InputError:
        return ""  # HR lacks a field of the pattern


def texts(system: str, key: Key) -> Iterable[str]:
    """Yield a key as a text that is equal for equal keys. A login and an account's id hold on one system, every other
    key on all."""
    value = canonical(key.kind, key.value)
    if not value:
        return
    if key.kind in (Kind.LOGIN, Kind.ID):
        yield f"{key.kind.name} {system} {value}"
    elif key.kind is Kind.SUBJECT and "@" in value:
        yield f"{Kind.ADDRESS.name} {value}"
    else:
        yield f"{key.kind.name} {value}"


def _hashed(text: str, length: int) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:length]
