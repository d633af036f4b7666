# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the verdict on one case at the end of a run, from its row, the open steps of the record and the run's result. Pure functions.

Three kinds of open steps are kept apart. One that **failed** is tried again for a while, and then a person gets a notice. One that is **on its
way** (a wipe, a mover's overlap) is looked at again, however long it takes. One that **waits for a person** (a badge, a first sign-in) is no
failure: the person gets reminders on working days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle_bridge.execute import Result
from lifecycle_bridge.kinds import OFFBOARD, SUSPEND, WITHDRAW

#: Codes that stop a run before its first write, until a person decides.
_HOLDS = ("brake", "approval")
#: Outcomes of a step: it failed; it is on its way by itself. All others wait for a person.
_FAILING = ("failed", "unknown")
_MOVING = ("in_progress", "acknowledged")
#: Pauses between two looks at a case that is on its way or waits for a person: short at first, later a day.
_LOOKS = (timedelta(hours=1), timedelta(hours=2), timedelta(hours=4), timedelta(hours=8), timedelta(days=1))
#: The step for work that people do, which is on its way while its ticket is open; the longest pause between two looks at it.
_TICKETS, _TICKET_LOOK = "manual_step", timedelta(hours=4)
#: Working days after which a person is reminded.
REMIND = (1, 3, 5)
_REMIND_EVERY = 5
#: Kinds of which a notice is sent at once when a step waits for a person: access may still be open.
_AT_ONCE = (OFFBOARD, WITHDRAW, SUSPEND)


@dataclass(frozen=True)
class Step:
    """A step that is open, as the record has it."""

    system: str
    step: str
    outcome: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Step:
        return cls(*(str(data.get(name) or "")[:100] for name in ("system", "step", "outcome")))


@dataclass(frozen=True)
class Verdict:
    """What becomes of a case.

    :param wait: how long until it is looked at again.
    :param notify: whether a person gets a notice now.
    """

    state: str
    outcome: str
    detail: str
    wait: timedelta = timedelta(0)
    notify: bool = False


@dataclass(frozen=True)
class Case:
    """The part of a case that the verdict depends on. ``tries`` counts this run too; ``looks`` counts how often it waited before."""

    kind: str
    stage: str
    tries: int
    looks: int


def judge(
    case: Case, steps: Sequence[Step] | None, complete: bool, result: Result, *, together: int, times: int
) -> Verdict:
    """Return how a case goes on.

    :param steps: the open steps of the record; None when the run made no record.
    :param together: how many cases the run had.
    :param times: after how many tries a person gets a notice.
    """
    if steps is not None and complete:
        return Verdict("done", "complete", "seen to be complete")
    if set(result.codes) & set(_HOLDS):
        limit = next(iter(result.brakes), "")
        outcome = f"brake:{limit}" if limit else "approval" if "approval" in result.codes else "held"
        return Verdict("held", outcome, result.detail, notify=True)
    if steps is None:
        return _not_recorded(case, result, together, times)
    failing = [step for step in steps if step.outcome in _FAILING]
    if failing or not steps:
        return _failing(case, failing, result, times)
    if all(step.outcome in _MOVING for step in steps):
        line = f"on its way: {_systems(steps)}"
        ticket = any(step.step == _TICKETS for step in steps)
        return Verdict(
            "waiting", "in_progress", line, min(_look(case.looks), _TICKET_LOOK) if ticket else _look(case.looks)
        )
    tickets = [step for step in steps if step.outcome in _MOVING and step.step == _TICKETS]
    verdict = _waits_for_a_person(case, [step for step in steps if step.outcome not in _MOVING])
    return replace(verdict, wait=min(verdict.wait, _TICKET_LOOK)) if tickets else verdict


def reminder_is_due(since: datetime, reminded: int, now: datetime) -> bool:
    """Return whether a reminder is due for a case that has waited since then. Working days are Monday to Friday; both moments are local."""
    wanted = REMIND[reminded] if reminded < len(REMIND) else REMIND[-1] + _REMIND_EVERY * (reminded - len(REMIND) + 1)
    return now.weekday() < 5 and _working_days(since.date(), now.date()) >= wanted


def _working_days(since: date, until: date) -> int:
    """Return the number of working days after one day, up to another and including it."""
    days = (until - since).days
    return sum((since + timedelta(days=day)).weekday() < 5 for day in range(1, days + 1))


def _not_recorded(case: Case, result: Result, together: int, times: int) -> Verdict:
    if together > 1 and result.status == "failed" and not result.temporary:
        line = f"one of {together} stopped their run before anything was done; tried alone"
        return Verdict("waiting", "alone", line)
    line = result.detail or f"the run ended {result.status}"
    if (result.temporary or result.status in ("unknown", "timeout")) and case.tries <= times:
        return Verdict("waiting", "retry", line)
    return Verdict("stuck", result.status, line, notify=True)


def _failing(case: Case, failing: Sequence[Step], result: Result, times: int) -> Verdict:
    line = f"{len(failing)} steps failed: {_systems(failing)}" if failing else result.detail or result.status
    if failing and case.tries <= times:
        return Verdict("waiting", "retry", line)
    return Verdict("stuck", "open" if failing else result.status, line, notify=True)


def _waits_for_a_person(case: Case, steps: Sequence[Step]) -> Verdict:
    ready = f"not ready for the day: {_systems(steps)}" if case.stage == "prepare" else ""
    first = case.looks == 0
    return Verdict(
        "todo",
        "not_ready" if ready else "person",
        ready or f"waits for a person: {_systems(steps)}",
        _look(case.looks),
        notify=first and (bool(ready) or case.kind in _AT_ONCE),
    )


def _look(looks: int) -> timedelta:
    return _LOOKS[min(looks, len(_LOOKS) - 1)]


def _systems(steps: Sequence[Step]) -> str:
    return ", ".join(sorted({step.system for step in steps}))
