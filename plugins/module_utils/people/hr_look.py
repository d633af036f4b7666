# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares one look at an HR source with the last good look, and finds what is wrong.

When an export is broken, it looks as if people had left or had become somebody else. So the number of people, the
columns, and the pairs of id and address are kept from look to look. Ids and addresses are kept only as hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..company.policy_sections import Brake
from ..model.person import LEFT, Person
from ..sdk.protocols import HrRecords
from ..sdk.target import Connector
from ..sdk.values import Overview

#: How many bytes of a hash are kept: for an id (with 10,000 people, two have the same hash with a chance of one in five
#: million), and for an address.
_ID, _ADDRESS = 6, 4
#: How many bytes of a mark's hash are kept.
_MARK = 8
#: As many missing people are never an incident: when one leaves a company of ten, the export is not broken.
_ONE = 1


@dataclass(frozen=True)
class Look:
    """A source at one moment. ``pairs`` maps the hash of each id to the hash of its address, both in hex."""

    people: int
    active: int
    columns: Sequence[str] = ()
    duplicates: Sequence[str] = ()
    pairs: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, seen: Overview) -> Look:
        """Make the look of a source's overview."""
        return cls(
            len(seen.people),
            sum(person.status != LEFT for person in seen.people),
            tuple(sorted(seen.columns)),
            _twice(seen.people),
            {
                hashed_id(person): hashed_address(person)
                for person in seen.people
                if person.email and (person.hr_id or person.employee_id)
            },
        )

    def as_dict(self) -> dict[str, Any]:
        """Return small plain data, which is sent once a run."""
        return {
            **asdict(self),
            "columns": list(self.columns),
            "duplicates": list(self.duplicates),
            "pairs": packed(self.pairs),
        }

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Look:
        return cls(
            data["people"], data["active"], tuple(data["columns"]), tuple(data["duplicates"]), unpacked(data["pairs"])
        )

    def wrong(self, last: Look | None, brake: Brake) -> list[str]:
        """Return the reasons why this look can't be right, one line each; empty when it can.

        :param last: the last good look; None at the first one.
        """
        said = [f"{name} is there twice" for name in self.duplicates[:3]]
        if not self.people:
            said.append("it is empty" if last is None else f"it is empty; it had {last.people} people")
        if last is None or not self.people:
            return said
        missing = [name for name in last.columns if name not in self.columns]
        if missing:
            said.append(f"it has no {', '.join(missing)} any more")
        shrunk = _share(last.people - self.people, last.people, brake.feed.shrink_percent)
        if shrunk:
            said.append(f"it has {self.people} people, {shrunk} fewer than before ({last.people})")
        if brake.leavers.percent:
            left = _share(last.active - self.active, last.active, brake.leavers.percent, brake.leavers.least)
            if left and not shrunk:
                said.append(f"{self.active} of its people are active, {left} fewer than before ({last.active})")
        both = self.pairs.keys() & last.pairs.keys()
        moved = _share(sum(self.pairs[one] != last.pairs[one] for one in both), len(both), brake.feed.shrink_percent)
        if moved:
            said.append(f"{moved} of {len(both)} ids have another address than before")
        return said

    def mixed_up(self, people: Iterable[Person], last: Look | None) -> list[Person]:
        """Return the people whose id now has the address of another id: rows are mixed up, or an address was given to
        somebody else."""
        if last is None or not last.pairs:
            return []
        taken = set(last.pairs.values())
        return [
            person
            for person in people
            if last.pairs.get(hashed_id(person), address := hashed_address(person)) != address and address in taken
        ]


def marks(person: Person) -> list[str]:
    """Return digests of a person's addresses and logins, by which the bridge finds, without names, who acts on their
    own case."""
    known = (person.email, *person.aliases, *person.logins.values())
    return sorted({hashed(name, _MARK) for name in known if name})


def hashed_id(person: Person) -> str:
    return hashed(f"hr {person.hr_id}" if person.hr_id else f"employee {person.employee_id}", _ID)


def hashed_address(person: Person) -> str:
    return hashed(person.email, _ADDRESS)


def hashed(value: str, length: int) -> str:
    return hashlib.sha256(value.casefold().encode()).hexdigest()[: length * 2]


def packed(pairs: Mapping[str, str]) -> str:
    """Return the pairs as one text, of 14 characters a person."""
    return base64.b64encode(bytes.fromhex("".join(one + address for one, address in sorted(pairs.items())))).decode()


def unpacked(text: str) -> dict[str, str]:
    data = base64.b64decode(text).hex()
    size = (_ID + _ADDRESS) * 2
    return {data[at : at + _ID * 2]: data[at + _ID * 2 : at + size] for at in range(0, len(data), size)}


def _share(lost: int, whole: int, percent: float, most: int = _ONE) -> int:
    """Return ``lost`` when it is more than ``most`` people, which are always allowed, and more than ``percent`` of
    ``whole``; else 0."""
    return lost if lost > most and lost * 100 > percent * whole else 0


def _twice(people: Iterable[Person]) -> tuple[str, ...]:
    ids = Counter(
        f"{name} {value}"
        for person in people
        for name, value in (("HR id", person.hr_id), ("employee id", person.employee_id))
        if value
    )
    return tuple(sorted(name for name, times in ids.items() if times > 1))


@dataclass(frozen=True)
class UnreadRecord:
    """A record that an HR system has and that was refused. ``id`` is HR's id; empty where the record shows none."""

    system: str
    id: str
    why: str

    @property
    def named(self) -> str:
        """Return the record in words."""
        return f"{self.system}: record {self.id}" if self.id else f"{self.system}: a record without an id"


def unread(system: HrRecords, name: str) -> list[UnreadRecord]:
    """Return the refused records of the source ``name``, each once."""
    if not isinstance(system, Connector):
        return []
    ids = {why: number for number, why in system.refused_ids.items()}
    return [UnreadRecord(name, ids.get(why, ""), why) for why in dict.fromkeys(system.refused)]


def few(records: Sequence[UnreadRecord], so: str, most: int = 20) -> Iterator[str]:
    """Yield a line for each refused record, with the reason and what follows from it; after ``most``, how many more there are."""
    for one in records[:most]:
        yield f"{one.named} cannot be read, so {so}: {one.why}"
    if len(records) > most:
        yield f"{len(records) - most} more records cannot be read, so {so}"


def refusals(system: HrRecords) -> dict[str, Any]:
    """Return the refused records of a source, for the module's result and its warnings."""
    refused = list(system.refused) if isinstance(system, Connector) else []
    return {"refused": refused, "warnings": refused[:20]} if refused else {}
