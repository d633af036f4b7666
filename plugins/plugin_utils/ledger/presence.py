# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Is this person here? One answer for everybody who is given something or gives their word: successors, managers, recipients,
approvers, attestors.

It is asked at the moment of use, of what our own runs have done and of HR's record where the run has one. The system that hands
over asks its directory too: see ``engine/arguments.py``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...module_utils.model import clock
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, REINSTATE, RESUME, SUSPEND, WITHDRAW
from ...module_utils.model.person import Person

if TYPE_CHECKING:
    from .ledger import Ledger
    from .run import LedgerRun

#: What the last case of somebody says of whether they are here, by its kind.
_GONE: Mapping[str, str] = {
    OFFBOARD: "has left",
    WITHDRAW: "was never hired",
    SUSPEND: "is suspended",
}
_SAYS = frozenset((*_GONE, ONBOARD, REINSTATE, RESUME))


@dataclass(frozen=True)
class Presence:
    """``key`` identifies the person, whatever name was used; ``gone`` says why they are not here, empty when they are."""

    key: str
    gone: str = ""


def canonical(name: str) -> str:
    """Return a name as it compares: ``Ann+ok@corp.example`` is ``ann@corp.example``."""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    local, at, domain = folded.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else folded


def names_of(person: Mapping[str, Any]) -> frozenset[str]:
    """Return every name that this person may be meant by, as :func:`canonical` writes it."""
    addresses = [
        *(person.get(field) for field in ("key", "email", "hr_id", "employee_id", "person_key", "personal_email")),
        *(person.get("aliases") or ()),
        *(person.get("logins") or {}).values(),
        person.get("display_name") or person.get("name"),
        " ".join(part for part in (person.get("first_name"), person.get("last_name")) if part),
    ]
    return frozenset(canonical(str(name)) for name in addresses if name and str(name).strip())


@dataclass(frozen=True)
class HrSaid:
    """What HR says of those about whom a run asked: by HR system, the records by the name that was asked for.

    ``people`` are further records that the run has read.
    """

    by_system: Sequence[Mapping[str, Sequence[Person]]] = ()
    people: Sequence[Person] = ()

    @classmethod
    def of(cls, found: Iterable[Mapping[str, Any]], people: Iterable[Person] = ()) -> HrSaid:
        """Read what ``person_info`` answered, of each HR system."""
        answers = [answer["present"] for answer in found if "present" in answer]
        read = [{name: [Person.of(one) for one in records] for name, records in answer.items()} for answer in answers]
        return cls(read, [*people])

    def records(self, name: str) -> list[Person]:
        """Return the records that have this name."""
        everybody = (*self.people, *(one for said in self.by_system for records in said.values() for one in records))
        return [person for person in everybody if canonical(name) in names_of(person.as_dict())]

    def asked(self, name: str) -> int:
        """Return how many HR systems were asked for this name, and answered."""
        return sum(canonical(name) in {canonical(one) for one in said} for said in self.by_system)

    def knows_nobody(self, name: str) -> bool:
        """Return whether every HR system was asked for this name, and none has anybody."""
        return 0 < len(self.by_system) == self.asked(name) and not self.records(name)

    def gone(self, ledger: Ledger) -> dict[str, str]:
        """Return those of whom HR was asked and who are not here, each as :func:`canonical` writes it, with why."""
        names = dict.fromkeys(canonical(name) for said in self.by_system for name in said)
        found = {name: presence(ledger, name, self).gone for name in names}
        return {name: why for name, why in found.items() if why}


def heard(run: LedgerRun, name: str, found: Sequence[Mapping[str, Any]], act: str) -> HrSaid:
    """Return what HR says of somebody who gives their word now.

    :param found: what ``person_info`` answered, of each HR system.
    :raises InputError: an HR system of the company was not asked, or did not answer.
    """
    said, systems = HrSaid.of(found), run.inventory.group("hr_records")
    if name.strip() and said.asked(name) < len(systems):
        raise InputError(
            f"HR ({', '.join(systems)}) was not asked whether {name} works here",
            act=act,
            hint="the collection's playbook asks first: use it, or put person_info with about: before this task",
        )
    return said


def presence(ledger: Ledger, name: str, hr: HrSaid | None = None) -> Presence:
    """Return what is known of the person who has this name (an address, an id, a login or a full name).

    :param hr: what HR says, where the run asked it.
    """
    sought = canonical(name)
    records = hr.records(name) if hr is not None else []
    if records and all(_has_left(person) for person in records):
        return Presence(records[0].key, f"has left, HR says ({records[0].email})")
    key, gone = records[0].key if records else sought, ""
    known = bool(records)
    for case in ledger.cases():  # oldest first: the last word counts
        if case.kind not in _SAYS or case.withdrawn or sought not in names_of(case.person) | {canonical(case.key)}:
            continue
        key, known = case.key, True
        gone = f"{_GONE[case.kind]} (case {case.id})" if case.kind in _GONE else ""
    if hr is not None and not known and hr.knows_nobody(name):
        gone = "is nobody whom HR knows"
    return Presence(key, gone)


def _has_left(person: Person) -> bool:
    ended = person.employment_ends()
    return ended <= clock.now() if ended is not None else person.status == "terminated"


def require(
    ledger: Ledger,
    name: str,
    *,
    role: str,
    act: str,
    of: Mapping[str, Any] | None = None,
    hr: HrSaid | None = None,
) -> Presence:
    """Return everybody who has this name, who must be here, and must not be the one whom it is about.

    :param role: what they would be: ``successor``, ``approver``.
    :param of: the record of whom it is about.
    :param hr: what HR says, where the run asked it.
    :raises InputError: they are not here, or it is about themselves.
    """
    found = presence(ledger, name, hr)
    if of is not None and (canonical(name) in names_of(of) or found.key in names_of(of)):
        raise InputError(
            f"it is about {name}, and nobody can be their own {role}", act=act, hint=f"name another {role}"
        )
    if found.gone:
        raise InputError(f"{name} {found.gone}, and can't be {role}", act=act, hint=f"name a {role} who works here")
    return found
