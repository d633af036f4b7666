# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""When an employment begins and ends, right to the minute, wherever the person is."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.hr_events import decide
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hr_company import HrCompany, at, row

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T10:00:00.5+00:00",
        "2026-03-01T10:00:00.5Z",
        " 2026-03-01T11:00:00.500+01:00",
        "2026-03-01T11:00:00.5",
    ],
)
def test_a_moment_is_read_the_same_on_every_python_and_in_the_zone_of_the_person_where_it_names_none(text: str) -> None:
    moment = datetime(2026, 3, 1, 10, 0, 0, 500000, timezone.utc)
    assert clock.parse(text, ZoneInfo("Europe/Berlin")) == moment
    person = Person.of({"email": "a@b.example", "hire_date": text.strip(), "time_zone": "Europe/Berlin"})
    assert person.employment_begins() == moment


#: Zones whose clocks do something worth testing: half hours, midnight changes, half-hour summer time, a day that was skipped, both sides of the date line.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Atlantic/Azores",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
    "Africa/Casablanca",
]

ENDS = [
    # zone, what HR says, when it is over in UTC, why it is worth a line
    ("UTC", "2026-03-31", "2026-04-01T00:00", "the whole last day"),
    ("Europe/Berlin", "2026-03-31", "2026-03-31T22:00", "summer time"),
    ("America/Los_Angeles", "2026-03-31", "2026-04-01T07:00", "a vendor's server in Berlin would be nine hours early"),
    ("Pacific/Kiritimati", "2026-03-31", "2026-03-31T10:00", "fourteen hours ahead"),
    ("Asia/Kathmandu", "2026-03-31", "2026-03-31T18:15", "a quarter of an hour"),
    ("Europe/Berlin", "2026-03-28", "2026-03-28T23:00", "the eve of the short day"),
    ("Europe/Berlin", "2026-03-29", "2026-03-29T22:00", "a day of 23 hours"),
    ("Europe/Berlin", "2026-10-25", "2026-10-25T23:00", "a day of 25 hours"),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-05T13:30", "a day of 24.5 hours"),
    ("Africa/Cairo", "2026-04-23", "2026-04-23T22:00", "midnight is skipped: the day ends as the clock jumps to one"),
    ("Africa/Cairo", "2026-10-29", "2026-10-29T22:00", "the last hour of the day comes twice, and both belong to it"),
    ("America/Santiago", "2026-09-05", "2026-09-06T04:00", "midnight is skipped"),
    ("America/Havana", "2026-10-31", "2026-11-01T04:00", "midnight comes twice: the first ends the day"),
    ("Atlantic/Azores", "2026-10-24", "2026-10-25T00:00", "midnight comes twice"),
    ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00", "the next day never was"),
    ("UTC", "2028-02-28", "2028-02-29T00:00", "the eve of a leap day"),
    ("UTC", "2028-02-29", "2028-03-01T00:00", "a leap day"),
    ("UTC", "2026-02-28", "2026-03-01T00:00", "no leap day"),
    ("UTC", "2000-02-29", "2000-03-01T00:00", "a leap day of a hundred"),
    ("Asia/Tokyo", "2026-12-31", "2026-12-31T15:00", "new year"),
    # a time that HR gives
    ("Europe/Berlin", "2026-03-31T17:00", "2026-03-31T15:00", "five in the afternoon"),
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30", "skipped: the offset before the gap (RFC 5545)"),
    ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59", "the minute before the gap"),
    ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00", "the minute after the gap"),
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "twice: the first of the two"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30", "twice: the first of the two"),
    ("Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25T01:30", "with its offset there is no doubt"),
    ("Europe/Berlin", "2026-03-31T17:00Z", "2026-03-31T17:00", "in UTC"),
]


def person(zone: str, **dates: str) -> Person:
    return Person.of({"email": "a@corp.example", "time_zone": zone, **dates})


@pytest.mark.parametrize(
    ("zone", "last", "over", "why"), ENDS, ids=[f"{zone} {last}" for zone, last, _over, _why in ENDS]
)
def test_an_employment_ends_to_the_minute(zone: str, last: str, over: str, why: str) -> None:
    moment = datetime.fromisoformat(over).replace(tzinfo=timezone.utc)
    leaver = person(zone, last_working_day=last)
    assert leaver.employment_ends() == moment, why
    assert decide(person(zone), leaver, moment - MINUTE).at == moment and decide(
        person(zone), leaver, moment - MINUTE
    ).late == timedelta(0)
    assert (decide(person(zone), leaver, moment).at, decide(person(zone), leaver, moment + MINUTE).late) == (
        moment,
        MINUTE,
    )


@pytest.mark.parametrize(
    ("zone", "last", "over", "why"), ENDS[1::4], ids=[f"{zone} {last}" for zone, last, _over, _why in ENDS[1::4]]
)
def test_a_run_before_its_minute_touches_nobody(tmp_path: Path, zone: str, last: str, over: str, why: str) -> None:
    moment = datetime.fromisoformat(over).replace(tzinfo=timezone.utc)
    company = HrCompany(tmp_path)
    company.has(row(1), row(7, termination_date=last[:10], time_zone=zone, hire_date="2000-01-01"))
    day = person(zone, last_working_day=last[:10]).employment_ends()
    assert day is not None and (len(last) > 10 or day == moment)
    with at(day - MINUTE):
        assert company.run("offboard", "7")["failed"] and company.ledger.cases() == []
    with at(day):
        assert company.run("offboard", "7")["cases"], why


@pytest.mark.parametrize(
    ("last", "over"), [("31.03.2026 17:30", "2026-03-31T15:30"), ("31.03.2026 00:00", "2026-03-31T22:00")]
)
def test_a_file_may_give_the_time_of_day(tmp_path: Path, last: str, over: str) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
    from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options

    (tmp_path / "p.csv").write_text(f"Mail,Until,Zone\na@corp.example,{last},Europe/Berlin\n")
    options = {
        "path": str(tmp_path / "p.csv"),
        "columns": {"email": "Mail", "termination_date": "Until", "time_zone": "Zone"},
        "date_format": "%d.%m.%Y %H:%M",
    }
    moment = datetime.fromisoformat(over).replace(tzinfo=timezone.utc)
    for now, status in ((moment - MINUTE, "active"), (moment, "terminated")):
        with at(now):
            [found] = Csv(Target("list", "csv", options=checked_options("list", Csv, options))).all_people()
        assert (found.employment_ends(), found.status) == (moment, status)


@pytest.mark.parametrize("last", ["2026-02-29", "2026-13-01", "31.03.2026", "tomorrow", "2026-03-31T25:00"])
def test_what_is_no_day_is_said(last: str) -> None:
    with pytest.raises(InputError, match="is not a date"):
        person("UTC", last_working_day=last).employment_ends()


def test_no_end_and_somebody_elses_end() -> None:
    assert person("UTC").employment_ends() is None
    assert person("UTC", termination_date="9999-12-31").employment_ends() is None, "how SAP writes none"
    assert person("UTC", hire_date="2026-06-01", termination_date="2025-12-31").employment_ends() is None, (
        "of the employment before"
    )
    assert person("UTC", last_working_day="2026-03-15", termination_date="2026-03-31").employment_ends() == datetime(
        2026, 3, 16, tzinfo=timezone.utc
    )
    assert person("Nowhere/Land").employment_ends() is None
    with pytest.raises(InputError, match="is not a time zone"):
        person("Nowhere/Land", termination_date="2026-03-31").employment_ends()


def test_the_lead_time_is_counted_in_their_days() -> None:
    """Thirty days before a Monday in summer time is a midnight in winter time, and not thirty times 24 hours before."""
    joiner = person("Europe/Berlin", hire_date="2026-04-20")
    assert joiner.employment_begins() == datetime(2026, 4, 19, 22, tzinfo=timezone.utc)
    assert joiner.employment_begins(30) == datetime(2026, 3, 20, 23, tzinfo=timezone.utc)
    assert person("UTC", hire_date="2028-03-01").employment_begins(1) == datetime(2028, 2, 29, tzinfo=timezone.utc)


zones = st.sampled_from(ZONES)
days = st.dates(date(1995, 1, 1), date(2037, 12, 31))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(zones, days)
def test_the_last_day_is_over_when_their_calendar_says_so(zone: str, day: date) -> None:
    """Against the wall calendar alone: before the moment it shows the last day at the latest, from the moment on a later one."""
    over = person(zone, last_working_day=day.isoformat()).employment_ends()
    assert over is not None and over.tzinfo is timezone.utc
    wall = ZoneInfo(zone)
    assert (over - timedelta(microseconds=1)).astimezone(wall).date() <= day < over.astimezone(wall).date()
    assert (
        timedelta(hours=22)
        <= over - (person(zone, hire_date=day.isoformat()).employment_begins() or over)
        <= timedelta(hours=26)
        or zone == "Pacific/Apia"
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    zones,
    st.datetimes(datetime(1995, 1, 1), datetime(2037, 12, 31)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
)
def test_a_time_that_hr_gives_is_shown_by_their_clock(zone: str, local: datetime) -> None:
    over = person(zone, last_working_day=local.isoformat(timespec="minutes")).employment_ends()
    assert over is not None
    wall = ZoneInfo(zone)
    shown = over.astimezone(wall).replace(tzinfo=None)
    if shown == local:
        assert over.astimezone(wall).fold == 0, "the first of two"
    else:
        before, after = local.replace(tzinfo=wall).utcoffset(), local.replace(tzinfo=wall, fold=1).utcoffset()
        assert before is not None and after is not None and shown - local == after - before, (
            "skipped: as far after the gap as it was into it"
        )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(zones, days, st.integers(-3 * 24 * 60, 3 * 24 * 60))
def test_nobody_is_a_leaver_a_minute_early_or_stays_one_late(zone: str, day: date, minutes: int) -> None:
    leaver = person(zone, last_working_day=day.isoformat())
    over = leaver.employment_ends()
    assert over is not None
    decision = decide(person(zone), leaver, over + minutes * MINUTE)
    assert (decision.kind, decision.at) == ("offboard", over)
    assert decision.late == max(0, minutes) * MINUTE and decision.urgent == (minutes >= 0)
