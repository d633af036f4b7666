# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides whether a person works here: everybody who gets something, approves or attests must (successors, managers,
recipients).

It is decided at the moment of use, by the ledger and by HR's record when the run has read it. The system that hands
something over checks its own directory too: see ``engine/guard.py``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...module_utils.model import clock
from ...module_utils.model.answers import HrAnswer, PersonRecord
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, REINSTATE, RESUME, SUSPEND, WITHDRAW
from ...module_utils.model.person import Person

if TYPE_CHECKING:
    from .ledger import Ledger
    from .run import LedgerRun

#: By the kind of a person's last case: why they are not here.
_GONE: Mapping[str, str] = {
    OFFBOARD: "has left",
    WITHDRAW: "was never hired",
    SUSPEND: "is suspended",
}
_SAYS = frozenset((*_GONE, ONBOARD, REINSTATE, RESUME))


@dataclass(frozen=True)
class Presence:
    """``key`` identifies the person, whatever name was used; ``gone`` is why they are not here, empty when they are."""

    key: str
    gone: str = ""


def canonical(name: str) -> str:
    """Return a name in the form in which names are compared: ``Ann+ok@corp.example`` becomes ``ann@corp.example``."""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    local, at, domain = folded.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else folded


def names_of(person: PersonRecord) -> frozenset[str]:
    """Return every name of this person, in the form of :func:`canonical`."""
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
    """HR's records of the people whom a run looked up: for each HR system, the name -> the records. ``people`` are
    further records.
    """

    by_system: Sequence[Mapping[str, Sequence[Person]]] = ()
    people: Sequence[Person] = ()

    @classmethod
    def of(cls, found: Iterable[HrAnswer], people: Iterable[Person] = ()) -> HrSaid:
        """Read the answers of ``person_info``, one for each HR system."""
        answers = [answer["present"] for answer in found if "present" in answer]
        read = [{name: [Person.of(one) for one in records] for name, records in answer.items()} for answer in answers]
        return cls(read, [*people])

    def records(self, name: str) -> list[Person]:
        """Return the records that have this name."""
        everybody = (*self.people, *(one for said in self.by_system for records in said.values() for one in records))
        return [person for person in everybody if canonical(name) in names_of(person.as_dict())]

    def asked(self, name: str) -> int:
        """Return how many HR systems have answered about this name."""
        return sum(canonical(name) in {canonical(one) for one in said} for said in self.by_system)

    def knows_nobody(self, name: str) -> bool:
        """Return whether every HR system has answered about this name, and none has such a person."""
        return 0 < len(self.by_system) == self.asked(name) and not self.records(name)

    def gone(self, ledger: Ledger) -> dict[str, str]:
        """Return the people whom the run looked up and who are not here: name (:func:`canonical`) -> the reason."""
        names = dict.fromkeys(canonical(name) for said in self.by_system for name in said)
        found = {name: presence(ledger, name, self).gone for name in names}
        return {name: why for name, why in found.items() if why}


def heard(run: LedgerRun, name: str, found: Sequence[HrAnswer], act: str) -> HrSaid:
    """Return HR's records of a person who approves, attests or reports something now.

    :param found: the answers of ``person_info``, one for each HR system.
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
    """Return whether the person with this name (an address, an id, a login or a full name) is here.

    :param hr: HR's records, when the run has read them.
    """
    sought = canonical(name)
    records = hr.records(name) if hr is not None else []
    if records and all(_has_left(person) for person in records):
        return Presence(records[0].key, f"has left, HR says ({records[0].email})")
    key, gone = records[0].key if records else sought, ""
    known = bool(records)
    for case in ledger.cases():  # the oldest first, so that the newest case counts
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
    """Return the presence of a person who must be here and must not be the person whom it is about.

    :param role: their role, for the message: ``successor``, ``approver``.
    :param of: the record of the person whom it is about.
    :param hr: HR's records, when the run has read them.
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
