# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures correlation: of HR's active people, how many are found on a system and by which key; which accounts are nobody's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..model.person import Person
from ..sdk.keys import Key, Kind, PersonKeys, agreement, canonical
from ..sdk.target import Connector
from ..sdk.values import Listed

_GONE = "terminated"


@dataclass
class Coverage:
    """What was counted on one system.

    :param found: active people with an account that is certainly theirs, by the strongest key that agrees.
    :param nobodys: logins of people's accounts that answer to nobody in HR, at most a few.
    """

    people: int = 0
    accounts: int = 0
    found: dict[str, int] = field(default_factory=dict)
    nobodys: list[str] = field(default_factory=list)
    nobodys_count: int = 0


class Index:
    """People's numbers by every key they have on one system."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Kind, str], list[int]] = {}

    def add(self, keys: PersonKeys, number: int) -> None:
        for kind in Kind:
            for value in keys.of(kind):
                self._numbers.setdefault((kind, canonical(kind, value)), []).append(number)

    def of(self, carried: Iterable[Key]) -> set[int]:
        """Return whoever has a key in common with an account."""
        return {n for key in carried for n in self._numbers.get((key.kind, canonical(key.kind, key.value)), ())}


def by_key(system: Connector, people: Sequence[Person]) -> tuple[list[PersonKeys], Index]:
    """Return each person's keys on a system, and the index of them."""
    keys, index = [system.keys_of(person) for person in people], Index()
    for number, own in enumerate(keys):
        index.add(own, number)
    return keys, index


def measure(system: Connector, people: Sequence[Person], accounts: Iterable[Listed], *, shown: int = 5) -> Coverage:
    """Compare every account with every person that has a key in common with it."""
    keys, index = by_key(system, people)
    by: dict[int, Kind] = {}
    seen = Coverage(people=sum(1 for person in people if person.status != _GONE))
    for listed in accounts:
        account = listed.account
        seen.accounts += 1
        certain = False
        for number in index.of(account.carried):
            how = agreement(keys[number], account.carried, account.id, account.names)
            if how.by and how.certain:
                certain = True
                by[number] = min(by.get(number, how.by[0]), how.by[0], key=list(Kind).index)
        if not certain and listed.kind == "person" and not account.no_person:
            seen.nobodys_count += 1
            if len(seen.nobodys) < shown:
                seen.nobodys.append(account.login)
    seen.found = dict(Counter(kind.value for number, kind in by.items() if people[number].status != _GONE))
    return seen
