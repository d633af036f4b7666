# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds a time for a meeting: within working hours, on a working day, when everybody is free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..model.errors import InputError
from ..model.working_days import is_working_day

#: A meeting begins at a quarter of an hour.
STEP = timedelta(minutes=15)


@dataclass(frozen=True)
class WorkingHours:
    opens: time
    closes: time
    zone: ZoneInfo

    @classmethod
    def read(cls, hours: str, time_zone: str, *, act: str, system: str) -> WorkingHours:
        """Read the option ``working_hours`` (``09:00-17:00``) and a time zone (``Europe/Berlin``).

        :raises InputError: one of them can't be read.
        """
        try:
            opens, closes = (time.fromisoformat(part.strip()) for part in hours.split("-"))
        except ValueError:
            raise InputError(
                f"option working_hours is {hours!r}", act=act, system=system, hint="write it as 09:00-17:00"
            ) from None
        try:
            return cls(opens, closes, ZoneInfo(time_zone))
        except (ZoneInfoNotFoundError, ValueError):
            raise InputError(
                f"time zone {time_zone!r} is not known", act=act, system=system, hint="write it as Europe/Berlin"
            ) from None

    def hold(self, start: datetime, end: datetime, country: str) -> bool:
        """Return whether a meeting lies within these hours, on one working day of the country."""
        here, there = start.astimezone(self.zone), end.astimezone(self.zone)
        return (
            is_working_day(here.date(), country)
            and here.date() == there.date()
            and self.opens <= here.time()
            and there.time() <= self.closes
        )


def first_free(
    hours: WorkingHours,
    taken: Iterable[tuple[datetime, datetime]],
    *,
    first: datetime,
    last: datetime,
    length: timedelta,
    country: str = "",
) -> datetime | None:
    """Return the first quarter of an hour, from ``first``, at which a meeting fits that ends by ``last``; None when
    there is none.

    :param taken: the times at which somebody is not free: begin and end.
    """
    taken = list(taken)
    start = first + (-timedelta(minutes=first.minute, seconds=first.second, microseconds=first.microsecond) % STEP)
    while start + length <= last:
        if hours.hold(start, start + length, country) and not any(
            begins < start + length and start < ends for begins, ends in taken
        ):
            return start
        start += STEP
    return None
