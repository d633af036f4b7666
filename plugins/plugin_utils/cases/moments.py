# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The moments of a case: when it took effect, the first day of a joiner, the end of a mover's overlap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta, timezone
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import OFFBOARD, TRANSFER
from ...module_utils.model.person import Person
from ...module_utils.model.working_days import working_day_from

#: A clock elsewhere may be ahead of ours by so much.
_SKEW = timedelta(minutes=5)
_ZONED = re.compile(r".+T.+(Z|[+-]\d\d:\d\d)", re.I)


def times(want: Mapping[str, Any], person: Person, policy: Policy) -> dict[str, str]:
    """Return when it took effect, and when HR recorded it: as somebody says, else what HR's dates say of a leaver.

    An end that is to come is none: the person who runs it before has another reason than that date.

    :raises InputError: a moment cannot be read, has no zone, or was recorded in the future.
    """
    now = clock.now()
    given = {name: _moment(name, want[name]) for name in ("effective_at", "hr_recorded_at") if want[name].strip()}
    if "hr_recorded_at" in given and given["hr_recorded_at"] > now + _SKEW:
        raise InputError(
            f"hr_recorded_at is {want['hr_recorded_at']!r}, which is in the future",
            act=want["kind"],
            hint="when HR recorded it, with its zone",
        )
    ends = (
        person.employment_ends(policy.timers.cut_at)
        if want["kind"] == OFFBOARD and "effective_at" not in given
        else None
    )
    if ends is not None and ends <= now:
        given["effective_at"] = ends
    return {name: clock.stamp(moment) for name, moment in given.items()}


def done_at(text: str, act: str) -> str:
    """Return when somebody did what they report: now, where they say nothing.

    :raises InputError: it is no moment, or is to come.
    """
    try:
        at = clock.parse(text) if text else clock.now()
    except ValueError:
        raise InputError(
            f"at is {text!r}", act=act, hint="write an ISO 8601 moment: 2026-03-31T17:00:00+02:00"
        ) from None
    if at > clock.now() + _SKEW:
        raise InputError(f"at is {text!r}, which is in the future", act=act, hint="report it when it was done")
    return clock.stamp(at)


def _moment(name: str, text: str) -> datetime:
    try:
        if _ZONED.fullmatch(text.strip()):
            return clock.parse(text)
    except ValueError:
        pass
    raise InputError(f"{name} is {text!r}", act="open case", hint="ISO 8601 with a zone: 2026-03-31T17:00:00+02:00")


def overlap(case: OpenCase) -> str:
    """Until when a mover keeps what the old profile gave; empty when that is over, or never was."""
    until = case.facts.overlap if case.kind == TRANSFER else ""
    return until if until and clock.parse(until) > clock.now() else ""


def first_day(person: Person) -> dict[str, str]:
    """Between which moments they are welcomed: on the hire date, where they are, or the working day after it. What has begun already ends a day later."""
    now = clock.now()
    hired = person.employment_begins() or now
    day = max(hired, now).astimezone(person.zone).date()
    begun = hired <= now
    day = working_day_from(day, person.country)
    last = working_day_from(day + timedelta(days=1 if begun else 0), person.country)
    earliest, latest = (
        datetime.combine(one, time(0), person.zone).astimezone(timezone.utc) for one in (day, last + timedelta(days=1))
    )
    return {
        "earliest": f"{max(earliest, now) if begun else earliest:%Y-%m-%dT%H:%M:%SZ}",
        "latest": f"{latest:%Y-%m-%dT%H:%M:%SZ}",
    }
