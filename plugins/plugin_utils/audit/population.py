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
from ...module_utils.model.person import KEYS, Person, names_in, other_addresses
from ...module_utils.model.person import LEFT as HAS_LEFT
from ...module_utils.people.hr_look import UnreadRecord
from ..history.casefile import CaseFile, of_kind

LEFT = "left, and has a case"
MISSING = "left, and has no case"
NO_DATE = "left on a day that HR does not have, and has no case"
OTHER_PERIOD = "left on a day that HR does not have, and has a case of another period"
NOT_OURS = "left, and needs no case"
NOT_LEFT = "has a case, and did not leave"
UNKNOWN = "has a case, and HR does not know them"
UNREAD = "HR has a record of them that cannot be read"
#: All of them, in the order of a reader.
STANDINGS = (LEFT, MISSING, NO_DATE, UNREAD, OTHER_PERIOD, NOT_OURS, NOT_LEFT, UNKNOWN)
#: Why somebody without a day is in the population.
UNDATED = "HR has them as left, and has no day"


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
    """One person of the population: HR's facts, the case if there is one, and how the two fit (``standing``).

    ``left`` is empty when HR has no day. ``system`` is the HR system of a record that cannot be read.
    """

    key: str
    name: str
    email: str
    department: str
    left: str
    standing: str
    why: str
    case: CaseFile | None
    kind: str
    system: str = ""

    @property
    def is_undated(self) -> bool:
        """Return whether HR has them as left without a day, and no case of another period has it either."""
        return not self.left and self.standing in (LEFT, NO_DATE)

    @property
    def is_exception(self) -> bool:
        """Return whether an auditor must get a reason."""
        return self.standing in (MISSING, NO_DATE, UNREAD) or self.standing in (NOT_LEFT, UNKNOWN) and not self.why


@dataclass(frozen=True)
class _Book:
    """What the ledger and policy say: leavers' cases and returns by each name of the person, the oldest first, and the
    moments of withdrawn cases by name."""

    leavers: Mapping[str, Sequence[CaseFile]]
    returns: Mapping[str, Sequence[CaseFile]]
    withdrawn: Mapping[str, str]
    policy: Policy

    def returns_after(self, case: CaseFile) -> list[CaseFile]:
        """Return the later cases by which the person of a leaver's case came back."""
        found = {one.id: one for name in case.keys for one in self.returns.get(name, ()) if one.opened > case.opened}
        return sorted(found.values(), key=lambda one: one.opened)


def population(
    people: Iterable[Person],
    cases: Mapping[str, CaseFile],
    period: Period,
    policy: Policy,
    unread: Iterable[UnreadRecord] = (),
) -> list[Member]:
    """Return everybody who, in the period, left according to HR or has a leaver's case, in the order of their keys.

    Whoever HR has as left without a day may have left in any period, and so may the person of a record that was
    refused: they are in the population of each period, unless a case says when they left.

    :param unread: the records of HR that were refused.
    """
    leavers = list(of_kind(cases, OFFBOARD))
    book = _Book(_by_name(leavers), _by_name(of_kind(cases, REINSTATE, ONBOARD, RESUME)), _withdrawn(cases), policy)
    members: dict[str, Member] = {}
    known: dict[str, Person] = {}
    for person in people:
        for name in _names(person):
            known.setdefault(name, person)
        member = _leaver(person, period, book)
        if member is not None:
            members[person.key] = member
    for n, record in enumerate(unread):
        members[f"{record.id} {record.system} {n}"] = _unread(record, period, book)
    used = {one.case.id for one in members.values() if one.case is not None}
    for case in leavers:
        if case.id in used or not _in_period(case, period):
            continue
        hr = next((known[name] for name in case.keys if name in known), None)
        members[f"{case.key} {case.id}"] = _without_leaving(case, hr, book, period)
    return [members[key] for key in sorted(members)]


def sample(members: Sequence[Member], size: int, seed: str) -> list[Member]:
    """Return the sample: the members with the smallest ``sha256(seed:key)``, so that anybody can draw the same one with
    sha256sum."""
    drawn = sorted((one for one in members if one.standing in (LEFT, MISSING)), key=lambda one: ticket(seed, one.key))
    return sorted(drawn[: size if size > 0 else len(drawn)], key=lambda one: one.key)


def ticket(seed: str, key: str) -> str:
    """Return a member's hash for the sample: ``printf '%s:%s' SEED KEY | sha256sum``."""
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def has_left(person: Person) -> bool:
    """Return whether HR has somebody as left, or as leaving."""
    return person.status == HAS_LEFT or bool(person.termination_date)


def left_on(person: Person) -> date | None:
    """Return the day on which, according to HR, somebody left; None when they did not, and when HR has no such day."""
    text = person.last_working_day or person.termination_date
    if not text or not has_left(person):
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


def _case_of(names: set[str], by_name: Mapping[str, Sequence[CaseFile]], when: date | Period) -> CaseFile | None:
    """Return the case of a person with these names: found by an id rather than by an address, and the nearest to the
    day; where only a period is known, the last case in it, else the last one of all."""
    addresses = {name for name in names if name.startswith("email ")}
    for known in (names - addresses, addresses):
        found = {case.id: case for name in known for case in by_name.get(name, ())}
        if not found:
            continue
        if isinstance(when, Period):
            return max(found.values(), key=lambda one: (_in_period(one, when), one.opened))
        return min(found.values(), key=lambda one: abs((_day(one) - when).days))
    return None


def _day(case: CaseFile) -> date:
    text = str(case.person.get("last_working_day") or case.person.get("termination_date") or case.opened)
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return date.fromisoformat(case.opened[:10])


def _in_period(case: CaseFile, period: Period) -> bool:
    return period.holds(_day(case))


def _leaver(person: Person, period: Period, book: _Book) -> Member | None:
    """Return somebody who left in the period by HR's word; None for everybody else."""
    day = left_on(person)
    if day is not None:
        if not period.holds(day):
            return None
        return _member(person, day, _case_of(_names(person), book.leavers, day), book)
    if not has_left(person):
        return None
    case = _case_of(_names(person), book.leavers, period)
    if case is None or _in_period(case, period):
        return _member(person, None, case, book)
    back = book.returns_after(case)
    standing, why = OTHER_PERIOD, f"{UNDATED}; case {case.id} is of {_day(case).isoformat()}"
    if back:
        standing, why = NO_DATE, f"{UNDATED}; after case {case.id} they came back: case {back[-1].id}"
    return Member(
        person.key, person.name, person.email, person.department, "", standing, why, None, kind_of(None, person)
    )


def _unread(record: UnreadRecord, period: Period, book: _Book) -> Member:
    """Return the person of a record that was refused, with their case of the period; only a case has their name."""
    case = _case_of({f"{field} {record.id}".casefold() for field in KEYS}, book.leavers, period)
    if case is None or not _in_period(case, period):
        return Member(record.id, record.named, "", "", "", UNREAD, record.why, None, "", record.system)
    email, department = (str(case.person.get(key) or "") for key in ("email", "department"))
    return Member(record.id, case.name, email, department, "", UNREAD, record.why, case, kind_of(case), record.system)


def _member(person: Person, day: date | None, case: CaseFile | None, book: _Book) -> Member:
    standing, why = LEFT, "" if day else f"{UNDATED}; the day is that of the case"
    if case is None:
        standing, why = MISSING, "no leaver's case in the ledger"
        if day is None:
            standing, why = NO_DATE, f"{UNDATED}; there is {why}"
        if any(like_all(person, facts) for facts in book.policy.identity.not_people):
            standing, why = NOT_OURS, "the policy says that this record is no person (identity.not_people)"
        elif book.policy.protects(person):
            why = f"no run may touch them: {book.policy.protects(person)}"
        elif any(name in book.withdrawn for name in _names(person)):
            at = next(book.withdrawn[name] for name in _names(person) if name in book.withdrawn)
            why = f"their case was withdrawn at {at[:10]}, and HR still has them as left"
    return Member(
        person.key,
        person.name,
        person.email,
        person.department,
        day.isoformat() if day else "",
        standing,
        why,
        case,
        kind_of(case, person),
    )


def like_all(person: Person, facts: Mapping[str, str]) -> bool:
    """Return whether all of HR's facts fit their patterns."""
    return all(like(fact_of(person, fact), [pattern]) for fact, pattern in facts.items())


def _without_leaving(case: CaseFile, hr: Person | None, book: _Book, period: Period) -> Member:
    name, email = case.name, str(case.person.get("email") or "")
    department = str(case.person.get("department") or "")
    if hr is None:
        standing, why = UNKNOWN, "HR has no record of them any more"
    else:
        day = left_on(hr)
        back = book.returns_after(case)
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


def _by_name(cases: Iterable[CaseFile]) -> dict[str, list[CaseFile]]:
    found: dict[str, list[CaseFile]] = {}
    for case in cases:
        for name in case.keys:
            found.setdefault(name, []).append(case)
    return {name: sorted(mine, key=lambda one: one.opened) for name, mine in found.items()}


def _withdrawn(cases: Mapping[str, CaseFile]) -> dict[str, str]:
    return {
        name: case.withdrawn
        for case in cases.values()
        if case.kind == OFFBOARD and case.withdrawn
        for name in case.keys
    }
