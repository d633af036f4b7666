# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One look at an HR source, and what is wrong with it compared with the last good look.

A broken export says that people left, or are somebody else, in the same words as a true one. So the size, the columns and the
pairing of ids and addresses are kept from look to look. Of people, only hashes are kept.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..company.policy_sections import Brake
from ..model.person import Person
from ..sdk.protocols import HrRecords
from ..sdk.target import Connector
from ..sdk.values import Overview

#: Bytes of a hash that are kept: of an id (10,000 people: one chance in five million that two are one), and of an address.
_ID, _ADDRESS = 6, 4
#: Bytes of a mark's hash.
_MARK = 8
#: So few can be one person's own doing: a single one who leaves a company of ten is no broken export.
_ONE = 1


@dataclass(frozen=True)
class Look:
    """A source at one moment. ``pairs`` maps the hash of each id to that of its address, both hex."""

    people: int
    active: int
    columns: Sequence[str] = ()
    duplicates: Sequence[str] = ()
    pairs: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, seen: Overview) -> Look:
        """Sum up everybody whom a source shows."""
        return cls(
            len(seen.people),
            sum(person.status != "terminated" for person in seen.people),
            tuple(sorted(seen.columns)),
            _twice(seen.people),
            {
                hashed_id(person): hashed_address(person)
                for person in seen.people
                if person.email and (person.hr_id or person.employee_id)
            },
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, small: it travels once a run."""
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
        """Return why this look is not to be believed, a line each; empty when it is. ``last`` is the last good one, None at first."""
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
        """Return those whose id now has the address that another id had: rows were mixed up, or an address was given on."""
        if last is None or not last.pairs:
            return []
        taken = set(last.pairs.values())
        return [
            person
            for person in people
            if last.pairs.get(hashed_id(person), address := hashed_address(person)) != address and address in taken
        ]


def marks(person: Person) -> list[str]:
    """Return digests of what somebody signs in as: their addresses and logins. By them a bridge knows who acts on their own case, without a name."""
    known = (person.email, *person.aliases, *person.logins.values())
    return sorted({hashed(name, _MARK) for name in known if name})


def hashed_id(person: Person) -> str:
    return hashed(f"hr {person.hr_id}" if person.hr_id else f"employee {person.employee_id}", _ID)


def hashed_address(person: Person) -> str:
    return hashed(person.email, _ADDRESS)


def hashed(value: str, length: int) -> str:
    return hashlib.sha256(value.casefold().encode()).hexdigest()[: length * 2]


def packed(pairs: Mapping[str, str]) -> str:
    """Return pairs as one text: 14 characters a person."""
    return base64.b64encode(bytes.fromhex("".join(one + address for one, address in sorted(pairs.items())))).decode()


def unpacked(text: str) -> dict[str, str]:
    data = base64.b64decode(text).hex()
    size = (_ID + _ADDRESS) * 2
    return {data[at : at + _ID * 2]: data[at + _ID * 2 : at + size] for at in range(0, len(data), size)}


def _share(lost: int, whole: int, percent: float, most: int = _ONE) -> int:
    """``lost`` when it is more than ``most``, which no share forbids, and more than that share; else 0."""
    return lost if lost > most and lost * 100 > percent * whole else 0


def _twice(people: Iterable[Person]) -> tuple[str, ...]:
    ids = Counter(
        f"{name} {value}"
        for person in people
        for name, value in (("HR id", person.hr_id), ("employee id", person.employee_id))
        if value
    )
    return tuple(sorted(name for name, times in ids.items() if times > 1))


def refusals(system: HrRecords) -> dict[str, Any]:
    """Return what of a source can't be acted on, for the result and as warnings."""
    refused = list(system.refused) if isinstance(system, Connector) else []
    return {"refused": refused, "warnings": refused[:20]} if refused else {}
