# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares each step of a case with its time limit: in time, late, or still open; and names who answers for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ...module_utils.company.responsibility import Levels
from ...module_utils.model.kinds import FOLLOWUPS
from ..history.casefile import CaseFile, StepFile

#: The phase of the steps of a later day, which have no time limit: see :mod:`followups`.


@dataclass(frozen=True)
class Timing:
    """One step with a service level, in seconds. ``took`` is None while it is open; ``late`` is true also for an open
    one over its limit."""

    system: str
    phase: str
    step: str
    owner: str
    limit: float
    took: float | None
    late: bool
    why: str


def timings(case: CaseFile, levels: Levels, now: datetime) -> Iterator[Timing]:
    """Yield every step of a case that has a time limit."""
    departure = str(case.facts.get("departure") or "")
    for step in case.steps.values():
        limit = levels.limit(step.system, step.phase, step.step, departure)
        if limit is None or step.phase == FOLLOWUPS:
            continue
        took = case.after(step.completed) if step.closed else None
        age = (now - case.origin).total_seconds()
        late = took > limit if took is not None else age > limit
        owner = levels.owner(step.system, step.phase, step.step, departure)
        yield Timing(step.system, step.phase, step.step, owner, limit, took, late, reason(step) if late else "")


def reason(step: StepFile) -> str:
    """Return why a step took so long, as far as the ledger shows."""
    if step.reopened:
        return "it was closed, and seen open again"
    if step.errors:
        return f"{len(step.errors)} attempt{'s' if len(step.errors) > 1 else ''} failed"
    if step.settled_by_hand:
        return f"it waited for {step.attested[-1].get('by') or 'a person'}"
    if not step.closed and step.by_hand:
        return "it waits for a person"
    if not step.closed:
        return f"it is {step.outcome.replace('_', ' ')}"
    return "the run began late"


@dataclass(frozen=True)
class OpenItem:
    """A step of a case that is not closed: who answers for it, when it began (``since``), and its age in seconds."""

    case: str
    kind: str
    name: str
    system: str
    step: str
    outcome: str
    owner: str
    since: str
    age: float
    late: bool
    phase: str = ""
    departure: str = ""


def open_items(case: CaseFile, levels: Levels, now: datetime) -> Iterator[OpenItem]:
    """Yield the open steps of a case."""
    if case.withdrawn:
        return
    departure = str(case.facts.get("departure") or "")
    for step in case.steps.values():
        if step.closed:
            continue
        age = (now - case.origin).total_seconds()
        limit = levels.limit(step.system, step.phase, step.step, departure)
        owner = levels.owner(step.system, step.phase, step.step, departure)
        late = limit is not None and age > limit
        yield OpenItem(
            case.id,
            case.kind,
            case.name,
            step.system,
            step.step,
            step.outcome,
            owner,
            step.began,
            round(age, 3),
            late,
            step.phase,
            departure,
        )
