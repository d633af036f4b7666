# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares HR's leavers of a period with the ledger's leaver cases.

The population of an audit must be complete, so that each difference needs a reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from ...module_utils.company.policy import Policy, fact_of, like
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, REINSTATE, RESUME
from ...module_utils.model.person import Person, names_in, other_addresses
from ..history.casefile import CaseFile, of_kind

LEFT = "left, and has a case"
MISSING = "left, and has no case"
NOT_OURS = "left, and needs no case"
NOT_LEFT = "has a case, and did not leave"
UNKNOWN = "has a case, and HR does not know them"


@dataclass(frozen=True)
class Period:
    """From the beginning of one day to the end of another, in UTC."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Return whether a day is in the period."""
        return self.first <= day <= self.last

    @property
    def end(self) -> datetime:
        """Return the first moment after the period."""
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time(), timezone.utc)


@dataclass(frozen=True)
class Member:
    """One person of the population: HR's facts, the case if there is one, and how the two fit (``standing``)."""

    key: str
    name: str
    email: str
    department: str
    left: str
    standing: str
    why: str
    case: CaseFile | None
    kind: str

    @property
    def is_exception(self) -> bool:
        """Return whether an auditor must get a reason."""
        return self.standing == MISSING or self.standing in (NOT_LEFT, UNKNOWN) and not self.why


def population(people: Iterable[Person], cases: Mapping[str, CaseFile], period: Period, policy: Policy) -> list[Member]:
    """Return everybody who, in the period, left according to HR or has a leaver's case, in the order of their keys."""
    leavers = list(of_kind(cases, OFFBOARD))
    by_name: dict[str, list[CaseFile]] = {}
    for case in leavers:
        for name in case.keys:
            by_name.setdefault(name, []).append(case)
    by_name = {name: sorted(found, key=lambda one: one.opened) for name, found in by_name.items()}
    withdrawn = _withdrawn(cases)
    members: dict[str, Member] = {}
    known: dict[str, Person] = {}
    used: set[str] = set()
    for person in people:
        for name in _names(person):
            known.setdefault(name, person)
        day = left_on(person)
        if day is None or not period.holds(day):
            continue
        found = _case_of(person, day, by_name)
        if found is not None:
            used.add(found.id)
        members[person.key] = _member(person, day, found, policy, withdrawn)
    for case in leavers:
        if case.id in used or not _in_period(case, period):
            continue
        hr = next((known[name] for name in case.keys if name in known), None)
        members[f"{case.key} {case.id}"] = _without_leaving(case, hr, cases, period)
    return [members[key] for key in sorted(members)]


def sample(members: Sequence[Member], size: int, seed: str) -> list[Member]:
    """Return the sample: the members with the smallest ``sha256(seed:key)``, so that anybody can draw the same one with
    sha256sum."""
    drawn = sorted((one for one in members if one.standing in (LEFT, MISSING)), key=lambda one: ticket(seed, one.key))
    return sorted(drawn[: size if size > 0 else len(drawn)], key=lambda one: one.key)


def ticket(seed: str, key: str) -> str:
    """Return a member's hash for the sample: ``printf '%s:%s' SEED KEY | sha256sum``."""
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def left_on(person: Person) -> date | None:
    """Return the day on which, according to HR, somebody left; None when they did not."""
    text = person.last_working_day or person.termination_date
    if not text or person.status in ("active", "leave", "pending") and not person.termination_date:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def kind_of(case: CaseFile | None, person: Person | None = None) -> str:
    """Return HR's word for the departure: ``voluntary``, ``involuntary`` or empty."""
    of_case = str(case.facts.get("departure") or "") if case is not None else ""
    return of_case or (str(person.attributes.get("termination_type", "")) if person is not None else "")


def _names(person: Person) -> set[str]:
    return {name.casefold() for name in (*names_in(person.as_dict()), *other_addresses(person.as_dict()))}


def _case_of(person: Person, day: date, by_name: Mapping[str, Sequence[CaseFile]]) -> CaseFile | None:
    """Return the person's case for this day: found by an id rather than by an address, and the nearest to the day."""
    names = _names(person)
    addresses = {name for name in names if name.startswith("email ")}
    for known in (names - addresses, addresses):
        found = {case.id: case for name in known for case in by_name.get(name, ())}
        if found:
            return min(found.values(), key=lambda one: abs((_day(one) - day).days))
    return None


def _day(case: CaseFile) -> date:
    text = str(case.person.get("last_working_day") or case.person.get("termination_date") or case.opened)
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return date.fromisoformat(case.opened[:10])


def _in_period(case: CaseFile, period: Period) -> bool:
    return period.holds(_day(case))


def _member(person: Person, day: date, case: CaseFile | None, policy: Policy, withdrawn: Mapping[str, str]) -> Member:
    standing, why = LEFT, ""
    if case is None:
        standing, why = MISSING, "no leaver's case in the ledger"
        if any(like_all(person, facts) for facts in policy.identity.not_people):
            standing, why = NOT_OURS, "the policy says that this record is no person (identity.not_people)"
        elif policy.protects(person):
            why = f"no run may touch them: {policy.protects(person)}"
        elif any(name in withdrawn for name in _names(person)):
            why = f"their case was withdrawn at {next(withdrawn[n] for n in _names(person) if n in withdrawn)[:10]}, and HR still has them as left"
    return Member(
        person.key,
        person.name,
        person.email,
        person.department,
        day.isoformat(),
        standing,
        why,
        case,
        kind_of(case, person),
    )


def like_all(person: Person, facts: Mapping[str, str]) -> bool:
    """Return whether all of HR's facts fit their patterns."""
    return all(like(fact_of(person, fact), [pattern]) for fact, pattern in facts.items())


def _without_leaving(case: CaseFile, hr: Person | None, cases: Mapping[str, CaseFile], period: Period) -> Member:
    name, email = case.name, str(case.person.get("email") or "")
    department = str(case.person.get("department") or "")
    if hr is None:
        standing, why = UNKNOWN, "HR has no record of them any more"
    else:
        day = left_on(hr)
        back = [
            one
            for one in of_kind(cases, REINSTATE, ONBOARD, RESUME)
            if one.keys & case.keys and one.opened > case.opened
        ]
        if back:
            why = f"they came back: case {back[-1].id}"
        elif case.facts.get("despite_hr"):
            why = f"begun by hand against HR: {case.facts['despite_hr']}"
        elif case.against_hr:
            why = "begun by hand against HR: " + ", ".join(f"{k} {v}" for k, v in case.against_hr.items() if v)
        elif day is not None and not period.holds(day):
            why = f"HR has their last day as {day.isoformat()} now"
        else:
            why = ""
        standing = NOT_LEFT
    return Member(case.key, name, email, department, _day(case).isoformat(), standing, why, case, kind_of(case))


def _withdrawn(cases: Mapping[str, CaseFile]) -> dict[str, str]:
    return {
        name: case.withdrawn
        for case in cases.values()
        if case.kind == OFFBOARD and case.withdrawn
        for name in case.keys
    }
