# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the time that each step of a case took, and whether it was within the service level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.case import Case
from ...module_utils.model.durations import seconds
from ...module_utils.model.kinds import FOLLOWUPS, OFFBOARD
from ...module_utils.model.system_facts import Systems
from .shapes import Action


@dataclass(frozen=True)
class _Origin:
    """The moment from which times are counted: when HR recorded the event, or when it took effect, whichever is later.

    Without HR's moment, the opening of the case counts.
    """

    effective: datetime | None
    recorded: datetime | None
    opened: datetime

    @property
    def moment(self) -> datetime:
        known = self.recorded or self.opened
        return max(self.effective, known) if self.effective else known

    def after(self, text: str) -> float | None:
        """Return the seconds from the origin to a moment; None for an empty one."""
        return round((clock.parse(text) - self.moment).total_seconds(), 3) if text else None


def timings(case: Case, actions: list[Action], systems: Systems) -> dict[str, Any]:
    """Return the times of a case's steps, in seconds from the origin."""
    origin = _Origin(_moment(case.facts.effective_at), _moment(case.facts.hr_recorded_at), clock.parse(case.opened))
    effective, recorded = origin.effective, origin.recorded
    levels = _levels(origin, actions, systems)
    cut = {
        a["system"]: origin.after(a["completed_at"])
        for a in actions
        if a["phase"] == "cutoff" or a["action"] == "cutoff"
    }
    to_cut = _longest(list(cut.values()))
    # Follow-ups are due on later days, and do not count.
    whole = _longest([origin.after(a["completed_at"]) for a in actions if a["phase"] != FOLLOWUPS])
    return {
        "origin": clock.stamp(origin.moment),
        "effective_at": clock.stamp(effective) if effective else "",
        "hr_recorded_at": clock.stamp(recorded) if recorded else "",
        # How late HR recorded it, and how long access lasted after it should have ended.
        "hr_latency_s": round((recorded - effective).total_seconds(), 3) if recorded and effective else None,
        "cut_after_effective_s": round(to_cut + (origin.moment - effective).total_seconds(), 3)
        if effective and to_cut is not None
        else None,
        "cut_s": cut,
        "time_to_cut_s": to_cut,
        "time_to_full_revoke_s": whole if case.kind == OFFBOARD else None,
        "finished_s": whole,
        "service_levels": levels,
        "met": all(level["met"] for level in levels) if levels else None,
    }


def _longest(times: Sequence[float | None]) -> float | None:
    """Return the longest time when all steps have ended; None before."""
    known = [one for one in times if one is not None]
    return max(known) if known and len(known) == len(times) else None


def _levels(origin: _Origin, actions: list[Action], systems: Systems) -> list[dict[str, Any]]:
    """Return each step that has a service level, with its limit and its time."""
    levels = []
    for action in actions:
        limits = (systems.get(action["system"]) or {}).get("service_level") or {}
        limit = seconds(limits.get(action["phase"]) if isinstance(limits, Mapping) else limits)
        if limit is not None:
            took = origin.after(action["completed_at"])
            levels.append(
                {
                    "system": action["system"],
                    "phase": action["phase"],
                    "action": action["action"],
                    "limit_s": limit,
                    "took_s": took,
                    "met": took is not None and took <= limit,
                }
            )
    return levels


def _moment(text: str) -> datetime | None:
    try:
        return clock.parse(text) if text else None
    except ValueError:
        return None
