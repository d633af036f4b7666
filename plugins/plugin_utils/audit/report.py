# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the audit of a period: the population, the sample, the timings, and every exception with the person who answers
for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...module_utils.company.policy import Policy
from ...module_utils.company.responsibility import Levels
from ...module_utils.model import clock
from ...module_utils.model.durations import words
from ...module_utils.model.kinds import RECONCILE
from ...module_utils.model.person import Person
from ...module_utils.people.hr_look import UnreadRecord
from ..history.casefile import CaseFile
from ..history.custody import DeviceFile, devices
from .numbers import Numbers, numbers
from .population import LEFT, MISSING, NOT_LEFT, UNKNOWN, UNREAD, Member, Period, population, sample
from .timing import Timing, timings

#: The kinds of exception, the worst first, and what each means.
EXCEPTIONS: Mapping[str, str] = {
    "no_case": "HR has them as left, and nobody took their access",
    "no_date": "HR has them as left, and has no day",
    "unread": "HR has a record that cannot be read, so that nobody knows whether they left",
    "access_open": "a way in is open",
    "closed_late": "access was closed later than the service level allows",
    "closed_by_reconcile": "a way in was closed only after a reconcile found it open",
    "device_out": "company hardware is not back",
    "not_left": "there is a leaver's case, HR does not have them as left, and nobody said why",
    "unknown_to_hr": "there is a leaver's case, and HR has no record of the person",
    "step_late": "another step took longer than its service level allows",
}


@dataclass(frozen=True)
class Problem:
    """One exception. ``owner`` answers for it; empty when nobody is named, about which an auditor will ask."""

    kind: str
    key: str
    name: str
    case: str
    what: str
    owner: str
    since: str


@dataclass
class Audit:
    """The audit of one period."""

    period: Period
    made: str
    seed: str
    size: int
    company: str
    members: Sequence[Member]
    sampled: Sequence[Member]
    timings: Mapping[str, Sequence[Timing]]
    devices: Mapping[str, DeviceFile]
    problems: list[Problem] = field(default_factory=list)
    numbers: Numbers | None = None
    head: str = ""
    sources: Sequence[str] = ()
    unread: Sequence[UnreadRecord] = ()

    def count(self, standing: str) -> int:
        """Return how many people of the population have this standing."""
        return sum(1 for one in self.members if one.standing == standing)


def audit(
    people: Iterable[Person],
    cases: Mapping[str, CaseFile],
    period: Period,
    policy: Policy,
    levels: Levels,
    *,
    size: int,
    seed: str,
    company: str = "",
    now: datetime | None = None,
    unread: Sequence[UnreadRecord] = (),
) -> Audit:
    """Make the audit of a period. Its cost is linear in the people and cases.

    :param unread: the records of HR that were refused.
    """
    now = now or clock.now()
    members = population(people, cases, period, policy, unread)
    mine = [one for one in members if one.case is not None]
    made = Audit(
        period,
        clock.stamp(now),
        seed,
        size,
        company,
        members,
        sample(members, size, seed),
        {one.case.id: list(timings(one.case, levels, now)) for one in mine if one.case is not None},
        devices(cases.values()),
        numbers=numbers(cases, period, levels, now),
        unread=unread,
    )
    order = list(EXCEPTIONS)
    made.problems = sorted(_problems(made, levels, now), key=lambda one: (order.index(one.kind), one.key, one.what))
    return made


def _problems(made: Audit, levels: Levels, now: datetime) -> Iterable[Problem]:
    for one in made.members:
        if one.standing == MISSING:
            yield Problem("no_case", one.key, one.name, "", one.why, levels.owner("", "cutoff", "cutoff"), one.left)
        elif one.standing == UNREAD:
            yield Problem("unread", one.key, one.name, _id(one), one.why, levels.owner(one.system, "", ""), "")
        elif one.is_undated:
            yield Problem("no_date", one.key, one.name, _id(one), one.why, levels.owner("", "cutoff", "cutoff"), "")
        elif one.standing == NOT_LEFT and one.is_exception:
            yield Problem("not_left", one.key, one.name, _id(one), EXCEPTIONS["not_left"], "", one.left)
        elif one.standing == UNKNOWN:
            yield Problem("unknown_to_hr", one.key, one.name, _id(one), one.why, "", one.left)
        if one.case is not None:
            yield from _of_case(one, one.case, made, levels)
    of_key = {one.case.id: one for one in made.members if one.case is not None}
    for device in made.devices.values():
        member = of_key.get(device.leaver)
        if device.is_out and member is not None:
            where = device.events[-1].system if device.events else ""
            what = f"{device.serial}: last known {device.events[-1].what if device.events else 'nothing'}"
            owner = levels.owner(where, "secure_devices", "device", member.kind)
            yield Problem("device_out", member.key, member.name, device.leaver, what, owner, device.left)


def _of_case(member: Member, case: CaseFile, made: Audit, levels: Levels) -> Iterable[Problem]:
    late = [one for one in made.timings[case.id] if one.late]
    cuts = {(step.system, step.step) for step in case.cuts}
    closed_late = [one for one in late if (one.system, one.step) in cuts and one.took is not None]
    for step in case.cuts:
        if not step.closed:
            owner = levels.owner(step.system, step.phase, step.step, member.kind)
            what = f"{step.system}: {step.step} is {step.outcome.replace('_', ' ')}"
            yield Problem("access_open", member.key, member.name, case.id, what, owner, step.began)
    if not case.cuts and not case.withdrawn:
        owner = levels.owner("", "cutoff", "cutoff", member.kind)
        yield Problem("access_open", member.key, member.name, case.id, "no way in was ever tried", owner, case.opened)
    if closed_late and not case.closed_by_reconcile:
        what = "; ".join(
            f"{one.system} after {words(one.took)} (limit {words(one.limit)}): {one.why}" for one in closed_late
        )
        yield Problem("closed_late", member.key, member.name, case.id, what, closed_late[0].owner, case.opened)
    if case.closed_by_reconcile:
        found = [step for step in case.cuts if step.reopened or step.phase == RECONCILE]
        what = "; ".join(
            f"{step.system}: closed {f'{step.completed[:16]}Z'.replace('T', ', ') if step.completed else 'not yet'}"
            for step in found
        )
        owner = levels.owner(found[0].system, "cutoff", "cutoff", member.kind)
        yield Problem("closed_by_reconcile", member.key, member.name, case.id, what, owner, case.opened)
    for one in late:
        if (one.system, one.step) not in cuts:
            what = f"{one.step} on {one.system}: {words(one.took)} (limit {words(one.limit)}): {one.why}"
            yield Problem("step_late", member.key, member.name, case.id, what, one.owner, case.opened)


def _id(member: Member) -> str:
    return member.case.id if member.case is not None else ""


__all__ = ["EXCEPTIONS", "LEFT", "Audit", "Problem", "audit"]
