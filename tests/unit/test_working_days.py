# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Working days of a person's country."""

from __future__ import annotations

import sys
from datetime import date

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock, working_days
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.working_days import (
    is_working_day,
    working_day_from,
)
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.cases import moments


@pytest.mark.parametrize(
    ("country", "day", "works"),
    [
        ("DE", date(2027, 1, 1), False),
        ("de", date(2027, 1, 4), True),
        ("DE", date(2027, 1, 6), True),
        ("DE-BY", date(2027, 1, 6), False),
        ("DE-XX", date(2027, 1, 1), False),
        ("US", date(2026, 11, 26), False),
        ("GB", date(2026, 11, 26), True),
        ("IL", date(2027, 1, 3), True),
        ("IL", date(2027, 1, 8), False),
        ("", date(2027, 1, 1), True),
        ("Nowhere", date(2027, 1, 2), False),
    ],
)
def test_weekends_and_holidays_are_those_of_the_country(country: str, day: date, works: bool) -> None:
    assert is_working_day(day, country) is works


def test_without_the_library_monday_to_friday_are_working_days(monkeypatch: pytest.MonkeyPatch) -> None:
    working_days._holidays.cache_clear()
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert is_working_day(date(2027, 1, 1), "DE") and not is_working_day(date(2027, 1, 2), "DE")
    working_days._holidays.cache_clear()


def test_a_joiner_of_new_years_day_is_welcomed_on_the_first_working_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: clock.parse("2026-12-20T12:00:00Z"))
    joiner = Person.of(
        {"email": "a@corp.example", "hire_date": "2027-01-01", "time_zone": "Europe/Berlin", "country": "DE"}
    )
    assert moments.first_day(joiner)["earliest"] == "2027-01-03T23:00:00Z", "Monday, 4 January, in Berlin"
    assert working_day_from(date(2027, 1, 1), "DE") == date(2027, 1, 4)
