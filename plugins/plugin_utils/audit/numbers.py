# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the numbers of a period from the ledger alone. ``docs/numbers.md`` defines each.

A case that is still open has no duration: it is counted as open, in every share, and is in no average.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ...module_utils.company.responsibility import Levels
from ...module_utils.model import clock
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, RECONCILE, TRANSFER
from ..history.casefile import CaseFile, StepFile, moment
from ..history.custody import devices
from .population import Period
from .timing import OpenItem, Timing, open_items, timings


@dataclass(frozen=True)
class Spread:
    """Durations in seconds: how many there are, the median, the 90th percentile, and the longest."""

    count: int = 0
    median: float | None = None
    p90: float | None = None
    longest: float | None = None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread:
        """Sum up the values that are not None."""
        found = sorted(value for value in values if value is not None)
        if not found:
            return cls()
        return cls(len(found), rank(found, 0.5), rank(found, 0.9), found[-1])


def rank(ordered: Sequence[float], share: float) -> float:
    """Return the value at a share (0 to 1) of an ordered list, by the nearest rank: it is always one of the values."""
    return ordered[max(0, math.ceil(round(len(ordered) * share, 6)) - 1)]


@dataclass(frozen=True)
class Errors:
    """Attempts that went wrong. Of the ``wrong`` steps, ``repaired`` are closed now. ``too_much`` is access that a
    reconcile had to take, ``too_late`` are steps over their service level. A step that waits for a person is no error.
    """

    attempts: int = 0
    wrong: int = 0
    repaired: int = 0
    too_much: int = 0
    too_late: int = 0


@dataclass(frozen=True)
class Late:
    """One case whose access was closed late, or is still open."""

    case: str
    name: str
    system: str
    step: str
    took: float | None
    limit: float
    owner: str
    why: str


@dataclass
class Numbers:
    """All numbers of a period. Durations are in seconds; a share is from 0 to 1, and None where there is nothing to
    divide by."""

    first: str
    last: str
    made: str
    leavers: int = 0
    joiners: int = 0
    movers: int = 0
    access_open: int = 0
    to_first_way_closed: Spread = Spread()
    to_access_closed: Spread = Spread()
    effective_to_closed: Spread = Spread()
    hr_latency: Spread = Spread()
    to_ready: Spread = Spread()
    to_first_sign_in: Spread = Spread()
    in_time: int = 0
    with_level: int = 0
    late: list[Late] = field(default_factory=list)
    errors: Errors = Errors()
    closed_steps: int = 0
    steps: int = 0
    by_hand: int = 0
    by_hand_most: list[tuple[str, int]] = field(default_factory=list)
    devices_out: list[tuple[str, str, float]] = field(default_factory=list)
    open_items: list[OpenItem] = field(default_factory=list)
    residual: dict[str, int] = field(default_factory=dict)
    closed_by_reconcile: int = 0
    months: list[tuple[str, int, float | None]] = field(default_factory=list)
    closed_after: list[float] = field(default_factory=list)

    @property
    def share_in_time(self) -> float | None:
        return self.in_time / self.with_level if self.with_level else None

    @property
    def completeness(self) -> float | None:
        return self.closed_steps / self.steps if self.steps else None

    @property
    def share_by_hand(self) -> float | None:
        return self.by_hand / self.steps if self.steps else None

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data, with the shares."""
        return {
            **asdict(self),
            "share_in_time": self.share_in_time,
            "completeness": self.completeness,
            "share_by_hand": self.share_by_hand,
        }


def numbers(cases: Mapping[str, CaseFile], period: Period, levels: Levels, now: datetime | None = None) -> Numbers:
    """Return the numbers of the cases whose time begins in the period. Open steps and missing devices are counted as
    they are now."""
    now = now or clock.now()
    mine = [case for case in cases.values() if not case.withdrawn and period.holds(case.origin.date())]
    leavers = [case for case in mine if case.kind == OFFBOARD]
    joiners = [case for case in mine if case.kind == ONBOARD]
    made = Numbers(period.first.isoformat(), period.last.isoformat(), clock.stamp(now))
    made.leavers, made.joiners = len(leavers), len(joiners)
    made.movers = sum(1 for case in mine if case.kind == TRANSFER)
    _of_leavers(made, leavers)
    _of_joiners(made, joiners)
    timings_of = {case.id: list(timings(case, levels, now)) for case in mine}
    _of_levels(made, mine, timings_of)
    _of_steps(made, mine, timings_of, now)
    made.devices_out = sorted(
        (
            (one.serial, one.leaver, round((now - clock.parse(one.left)).total_seconds(), 3))
            for one in devices(cases.values()).values()
            if one.is_out
        ),
        key=lambda row: (-row[2], row[0]),
    )
    items = [item for case in cases.values() for item in open_items(case, levels, now)]
    made.open_items = sorted(items, key=lambda item: (-item.age, item.case, item.system, item.step))
    return made


def _of_leavers(made: Numbers, leavers: Sequence[CaseFile]) -> None:
    closed = [case.after(case.access_closed) for case in leavers]
    made.access_open = sum(1 for took in closed if took is None)
    made.to_access_closed = Spread.of(closed)
    made.closed_after = sorted(took for took in closed if took is not None)
    made.to_first_way_closed = Spread.of(case.after(case.first_way_closed) for case in leavers)
    made.effective_to_closed = Spread.of(_since_effective(case) for case in leavers)
    made.hr_latency = Spread.of(_hr_latency(case) for case in leavers)
    made.closed_by_reconcile = sum(1 for case in leavers if case.closed_by_reconcile)
    months: dict[str, list[float | None]] = {}
    for case, took in zip(leavers, closed, strict=True):
        months.setdefault(case.origin.strftime("%Y-%m"), []).append(took)
    made.months = [(month, len(found), Spread.of(found).median) for month, found in sorted(months.items())]


def _of_joiners(made: Numbers, joiners: Sequence[CaseFile]) -> None:
    made.to_ready = Spread.of(_since_start(case, case.first_closed) for case in joiners)
    made.to_first_sign_in = Spread.of(_since_start(case, _signed_in(case)) for case in joiners)


def _since_effective(case: CaseFile) -> float | None:
    effective, closed = case.effective, moment(case.access_closed)
    return round((closed - effective).total_seconds(), 3) if effective and closed else None


def _hr_latency(case: CaseFile) -> float | None:
    effective, recorded = case.effective, moment(case.facts.get("hr_recorded_at"))
    return round((recorded - effective).total_seconds(), 3) if effective and recorded else None


def _since_start(case: CaseFile, at: str) -> float | None:
    """Return the seconds from the beginning of the first day (in UTC, or the moment that HR gives) to a moment; below 0
    is early."""
    start = case.effective or moment(case.person.get("hire_date"))
    then = moment(at)
    return round((then - start).total_seconds(), 3) if start and then else None


def _signed_in(case: CaseFile) -> str:
    """Return when the person had signed in on every system with a first credential; empty until then."""
    asked = [step for step in case.steps.values() if step.step == "first_sign_in"]
    return (
        max(step.completed for step in asked) if asked and all(step.closed and step.completed for step in asked) else ""
    )


def _of_levels(made: Numbers, mine: Sequence[CaseFile], timings_of: Mapping[str, Sequence[Timing]]) -> None:
    for case in mine:
        for one in timings_of[case.id]:
            made.with_level += 1
            made.in_time += not one.late
            if one.late:
                made.late.append(
                    Late(case.id, case.name, one.system, one.step, one.took, one.limit, one.owner, one.why)
                )
    made.late.sort(key=lambda one: (one.took is not None, -(one.took or 0.0), one.case, one.system, one.step))


def _of_steps(
    made: Numbers, mine: Sequence[CaseFile], timings_of: Mapping[str, Sequence[Timing]], now: datetime
) -> None:
    attempts = wrong = repaired = too_much = 0
    by_hand: Counter[str] = Counter()
    residual: Counter[str] = Counter()
    for case in mine:
        for step in case.steps.values():
            made.steps += 1
            made.closed_steps += step.closed
            if step.by_hand or step.attested:
                made.by_hand += 1
                by_hand[f"{step.step.partition(':')[0]} on {step.system}"] += 1
            attempts += len(step.errors)
            wrong += bool(step.errors or step.reopened)
            repaired += bool(step.errors or step.reopened) and step.closed
            too_much += _took_too_much(step)
            residual[step.system] += sum(1 for one in step.residual if lingers(one, now))
    too_late = sum(1 for case in mine for one in timings_of[case.id] if one.late)
    made.errors = Errors(attempts, wrong, repaired, too_much, too_late)
    made.by_hand_most = sorted(by_hand.items(), key=lambda row: (-row[1], row[0]))[:10]
    made.residual = {system: count for system, count in sorted(residual.items()) if count}


def _took_too_much(step: StepFile) -> bool:
    return (
        step.phase == RECONCILE
        and step.step.partition(" ")[0] in ("take", "cutoff", "suspend")
        and step.outcome == "done"
    )


def lingers(residual: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a residual is still open; one without an end is."""
    until = moment(residual.get("until"))
    return until is None or until > now
