# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures correlation on a system: how many of HR's active people are found, by which key, and which accounts have no
owner."""

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
    """The counts of one system.

    :param people: how many active people HR has.
    :param accounts: how many accounts the system lists.
    :param found: how many active people have an account that is certainly theirs, by the strongest key that agrees.
    :param missing: the addresses of some active people without an account.
    :param another_login: the pattern of most logins here, when they do not fit the system's own pattern; empty
        otherwise.
    :param nobodys: the logins of some personal accounts whose owner HR does not know.
    :param nobodys_count: how many such accounts there are.
    """

    people: int = 0
    accounts: int = 0
    found: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    another_login: str = ""
    nobodys: list[str] = field(default_factory=list)
    nobodys_count: int = 0


#: The usual patterns of logins.
_PATTERNS = ("{email}", "{local_part}", "{employee_id}", "{first_name}.{last_name}")


class Logins:
    """Counts the patterns of logins, on accounts with a certain owner."""

    #: At least so many logins must be known, and this share of them (percent) must fit a pattern.
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
        """Return the pattern that most logins fit, when few fit the system's own pattern; empty otherwise."""
        if self._seen < self.LEAST or self._fits[self._pattern] * 2 >= self._seen:
            return ""
        return next((one for one in _PATTERNS if self._fits[one] * 100 >= self.MOST_OF * self._seen), "")


class Index:
    """Finds people, by their number, by every key that they have on one system."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Kind, str], list[int]] = {}

    def add(self, keys: PersonKeys, number: int) -> None:
        for kind in Kind:
            for value in keys.of(kind):
                self._numbers.setdefault((kind, canonical(kind, value)), []).append(number)

    def of(self, carried: Iterable[Key]) -> set[int]:
        """Return the numbers of everybody who has one of these keys."""
        return {n for key in carried for n in self._numbers.get((key.kind, canonical(key.kind, key.value)), ())}


class Everybody:
    """Finds the owners of accounts among all of HR's people, as a run does (``people/correlation.py``)."""

    def __init__(self, system: Connector, people: Sequence[Person]) -> None:
        self._system = system.target.name
        self._keys, self._index = [system.keys_of(person) for person in people], Index()
        for number, own in enumerate(self._keys):
            self._index.add(own, number)
        self._others = Others(pack(people, {self._system: system.login_pattern}))

    def owners(self, account: Account) -> Iterator[tuple[int, Agreement]]:
        """Yield the number of each certain owner of an account, with the keys that agree."""
        for number in self._index.of(account.carried):
            keys = self._keys[number]
            judged = judge(keys, account, self._others.claims(self._system, account, keys))
            if judged.whose is Whose.THEIRS and judged.how.by:
                yield number, judged.how


def measure(system: Connector, people: Sequence[Person], accounts: Iterable[Listed], *, shown: int = 5) -> Coverage:
    """Compare every account with each person who has one of its keys. ``shown`` is how many examples are kept."""
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
