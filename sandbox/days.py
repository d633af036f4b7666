# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Dates of the sandbox, counted from today: a company with fixed dates grows old, and one day its tests fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone

_pinned: list[date] = []


def today() -> date:
    """Return the day from which the company counts: today in UTC, unless a test has pinned another."""
    return _pinned[-1] if _pinned else datetime.now(timezone.utc).date()


@contextmanager
def pinned(as_if: date) -> Iterator[None]:
    """Let the company count from another day, for tests that stop the collection's clock on that day."""
    _pinned.append(as_if)
    try:
        yield
    finally:
        _pinned.remove(as_if)


def day(number: int) -> date:
    """Return the day that is ``number`` days from today; -1 is yesterday."""
    return today() + timedelta(days=number)


def moment(number: int, hour: int = 8) -> datetime:
    """Return ``hour`` o'clock UTC on the day that is ``number`` days from today."""
    when = day(number)
    return datetime(when.year, when.month, when.day, hour, tzinfo=timezone.utc)


def stamp(number: int, hour: int = 8) -> str:
    """Write that moment as most vendors do: ISO 8601 with a ``Z``."""
    return moment(number, hour).strftime("%Y-%m-%dT%H:%M:%SZ")
