# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Working days: weekends and public holidays of a person's country."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

_SATURDAY = 5


def is_working_day(day: date, country: str = "") -> bool:
    """Return whether people of that country work on that day.

    :param country: ISO 3166 code (``DE``), with the region where HR knows it (``DE-BY``). Where it is not known, or the library
        ``holidays`` is not installed, Monday to Friday are working days.
    """
    holidays = _holidays(country.strip().upper())
    return bool(holidays.is_working_day(day)) if holidays is not None else day.weekday() < _SATURDAY


def working_day_from(day: date, country: str = "") -> date:
    """Return that day when it is a working day, else the next working day."""
    while not is_working_day(day, country):
        day += timedelta(days=1)
    return day


def working_days_later(day: date, number: int, country: str = "") -> date:
    """Return the day that is ``number`` working days after ``day``."""
    for _unused in range(number):
        day = working_day_from(day + timedelta(days=1), country)
    return day


@lru_cache(maxsize=64)
def _holidays(country: str) -> Any:
    """Return the calendar of a country; None when there is none. The library is loaded here, because few runs need it."""
    if not country:
        return None
    try:
        from holidays import country_holidays
    except ImportError:
        return None
    code, _sep, region = country.partition("-")
    for subdivision in (region or None, None):
        try:
            return country_holidays(code, subdiv=subdivision)
        except NotImplementedError:
            continue
    return None
