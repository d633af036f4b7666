# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the moments of a case: when it took effect, a joiner's first day, the end of a mover's overlap."""

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

#: By how much another machine's clock may be ahead of ours.
_SKEW = timedelta(minutes=5)
_ZONED = re.compile(r".+T.+(Z|[+-]\d\d:\d\d)", re.I)


def times(want: Mapping[str, Any], person: Person, policy: Policy) -> dict[str, str]:
    """Return when the case took effect, and when HR recorded it (ISO 8601): from the run's options, else from a
    leaver's dates in HR.

    A last day in the future does not count: when the run begins before it, the date is not the reason.

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
    """Return the moment at which a person did what they report; now, when they do not say.

    :raises InputError: it is no moment, or in the future.
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
    """Return until when a mover keeps what the old profile gave (ISO 8601); empty when that is over, or there was no
    overlap."""
    until = case.facts.overlap if case.kind == TRANSFER else ""
    return until if until and clock.parse(until) > clock.now() else ""


def first_day(person: Person) -> dict[str, str]:
    """Return the moments (ISO 8601) between which a joiner is welcomed.

    It is the hire date in their time zone, or the next working day. When that day has begun already, it may also be the
    working day after it.
    """
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
