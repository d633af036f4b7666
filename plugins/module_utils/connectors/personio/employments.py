# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read employments and attributes of Personio's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ...model import clock
from ...sdk.hr_record import text

Record = Mapping[str, Any]


def current(employments: Sequence[Record]) -> Record:
    """Return the employment that describes the person now: a current one, else a future one, else a past one; of several, the latest."""
    order = {"ACTIVE": 3, "LEAVE": 3, "ONBOARDING": 2}
    return max(
        employments,
        key=lambda one: (order.get(text(one.get("status")).upper(), 1), text(one.get("employment_start_date"))),
        default={},
    )


def ends_of(employment: Record) -> tuple[str, str]:
    """Return the day on which the employment ends, and the last day of work; each is empty when there is none.

    The schema has ``last_working_day``, the examples have ``last_working_date``.
    """
    termination = employment.get("termination") or {}
    ended = text(termination.get("termination_date"))[:10] or text(employment.get("employment_end_date"))[:10]
    return ended, text(termination.get("last_working_day") or termination.get("last_working_date"))[:10]


def shown_name(record: Record) -> str:
    """Return the preferred name, with the last name added if it is not in it."""
    preferred, last = text(record.get("preferred_name")), text(record.get("last_name"))
    return (
        preferred
        if not preferred or not last or preferred.casefold().endswith(last.casefold())
        else f"{preferred} {last}"
    )


def custom_of(record: Record) -> dict[str, Any]:
    """Return the values of custom attributes, each by id, global id and label."""
    found: dict[str, Any] = {}
    for one in record.get("custom_attributes") or []:
        for name in ("label", "global_id", "id"):
            if one.get(name):
                found[str(one[name])] = one.get("value")
    return found


def moment_of(value: Any) -> datetime:
    """Return a date and time; the latest possible one when there is none, so that the record counts as changed."""
    try:
        return clock.parse(text(value))
    except ValueError:
        return datetime.max.replace(tzinfo=timezone.utc)
