# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures correlation: of HR's active people, how many are found on a system and by which key; which accounts are nobody's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..model.errors import InputError
from ..model.person import HERE, Person
from ..people.correlation import Whose, judge
from ..people.others import Others, pack
from ..sdk.keys import Agreement, Key, Kind, PersonKeys, canonical
from ..sdk.target import Connector
from ..sdk.values import Account, Listed


@dataclass
class Coverage:
    """What was counted on one system.

    :param found: active people with an account that is certainly theirs, by the strongest key that agrees.
    :param missing: addresses of active people without one, at most a few.
    :param another_login: how logins are really made here, where hardly any is as the pattern makes them; empty otherwise.
    :param nobodys: logins of people's accounts that answer to nobody in HR, at most a few.
    """

    people: int = 0
    accounts: int = 0
    found: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    another_login: str = ""
    nobodys: list[str] = field(default_factory=list)
    nobodys_count: int = 0


#: How companies make logins.
_PATTERNS = ("{email}", "{local_part}", "{employee_id}", "{first_name}.{last_name}")


class Logins:
    """Counts how the logins of people who are certainly known are made."""

    #: Of so many it can be told, and this share of them (percent) says how.
    LEAST, MOST_OF = 3, 80

    def __init__(self, system: Connector) -> None:
        self._name, self._pattern = system.target.name, system.login_pattern
        self._seen, self._fits = 0, Counter[str]()

    def add(self, person: Person, login: str) -> None:
        if self._name in person.logins:
            return
        self._seen += 1
        for pattern in {self._pattern, *_PATTERNS}:
            try:
                self._fits[pattern] += person.login(self._name, pattern).casefold() == login.casefold()
            except InputError:
                continue  # HR lacks a field of it

    @property
    def another(self) -> str:
        """Return the pattern by which most are made and hardly any by the one that new people would get; empty otherwise."""
        if self._seen < self.LEAST or self._fits[self._pattern] * 2 >= self._seen:
            return ""
        return next((one for one in _PATTERNS if self._fits[one] * 100 >= self.MOST_OF * self._seen), "")


class Index:
    """People's numbers by every key they have on one system."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Kind, str], list[int]] = {}

    def add(self, keys: PersonKeys, number: int) -> None:
        for kind in Kind:
            for value in keys.of(kind):
                self._numbers.setdefault((kind, canonical(kind, value)), []).append(number)

    def of(self, carried: Iterable[Key]) -> set[int]:
        """Return everybody who has a key in common with an account."""
        return {n for key in carried for n in self._numbers.get((key.kind, canonical(key.kind, key.value)), ())}


class Everybody:
    """All of HR's people on one system: whose an account is, judged as a run judges it (``people/correlation.py``)."""

    def __init__(self, system: Connector, people: Sequence[Person]) -> None:
        self._system = system.target.name
        self._keys, self._index = [system.keys_of(person) for person in people], Index()
        for number, own in enumerate(self._keys):
            self._index.add(own, number)
        self._others = Others(pack(people, {self._system: system.login_pattern}))

    def owners(self, account: Account) -> Iterator[tuple[int, Agreement]]:
        """Yield whose an account certainly is, by number, and by which keys."""
        for number in self._index.of(account.carried):
            keys = self._keys[number]
            judged = judge(keys, account, self._others.claims(self._system, account, keys))
            if judged.whose is Whose.THEIRS and judged.how.by:
                yield number, judged.how


def measure(system: Connector, people: Sequence[Person], accounts: Iterable[Listed], *, shown: int = 5) -> Coverage:
    """Compare every account with every person that has a key in common with it."""
    everybody = Everybody(system, people)
    by: dict[int, Kind] = {}
    logins = Logins(system)
    here = [number for number, person in enumerate(people) if person.status in HERE]
    seen = Coverage(people=len(here))
    for listed in accounts:
        account = listed.account
        seen.accounts += 1
        certain = False
        for number, how in everybody.owners(account):
            certain = True
            if people[number].status in HERE:
                logins.add(people[number], account.login)
            by[number] = min(by.get(number, how.by[0]), how.by[0], key=list(Kind).index)
        if not certain and listed.kind == "person" and not account.no_person:
            seen.nobodys_count += 1
            if len(seen.nobodys) < shown:
                seen.nobodys.append(account.login)
    seen.found = dict(Counter(by[number].value for number in here if number in by))
    without = [people[number].email or people[number].employee_id for number in here if number not in by]
    seen.missing, seen.another_login = without[:shown], logins.another
    return seen
