# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Nothing may depend on the day: the sandbox counts from today, and tests can be run as if it were another day."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sandbox.ask import ahead
from sandbox.company import load_company
from sandbox.days import day
from sandbox.vendors.exchange_calendar import new_event
from scripts.on_a_day import DAYS, ZONES, combinations, each_day, environment, moment_of

ROOT = Path(__file__).resolve().parents[2]
#: Names of other people's formats, which are dates.
FORMATS = ("2012-10-17", "2020-10-01", "2022-04-01", "2023-06-01", "draft/2020-12")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


def weekly(last: datetime | None) -> dict[str, object]:
    """A series on Tuesdays at ten that began four weeks ago; ``last`` is its last possible day."""
    first = NOON - timedelta(days=27, hours=2)
    span = (
        {"type": "noEnd", "endDate": "0001-01-01"} if last is None else {"type": "endDate", "endDate": str(last.date())}
    )
    body = {
        "start": {"dateTime": first.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
        "end": {"dateTime": (first + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
        "attendees": [{"emailAddress": {"address": "mark@corp.example"}}],
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"},
            "range": {"startDate": str(first.date()), **span},
        },
    }
    return new_event("1", "1", body, "jane@corp.example", own=True)


@pytest.mark.parametrize("offset", range(7))
def test_an_ended_series_is_not_ahead_on_any_weekday(offset: int) -> None:
    now = NOON + timedelta(days=offset)
    before_the_next = now + timedelta(days=(1 - now.weekday()) % 7 or 7) - timedelta(days=1)
    assert not ahead(weekly(before_the_next), now), "its last day is to come, its last occurrence is not"
    assert ahead(weekly(None), now)
    assert ahead(weekly(before_the_next + timedelta(days=1)), now) or now.weekday() == 1


def test_a_process_that_asks_late_for_the_first_time_has_the_clock_of_the_others() -> None:
    moved = environment("saturday", "UTC", os.environ)
    program = "import time, time_machine; time.sleep(1); print(time.time() - time_machine.escape_hatch.time.time())"
    ran = subprocess.run([sys.executable, "-c", program], env=moved, capture_output=True, text=True, check=True)
    assert abs(float(ran.stdout) - float(moved["LIFECYCLE_CLOCK_OFFSET"])) < 0.5


def test_the_sandbox_company_is_as_old_every_day() -> None:
    people = load_company().people
    assert day(0) < people["ada"]["hire_date"] < day(30), "a joiner is still ahead"
    assert people["jane"]["termination_date"] == day(-62)


def test_the_sandbox_and_the_scripts_name_no_fixed_year() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("sandbox", "scripts")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yml", ".sh") and path.name != "on_a_day.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(19|20)\d\d-\d\d|datetime\((19|20)\d\d|date\((19|20)\d\d", line)
        and not any(known in line for known in FORMATS)
    ]
    assert found == []


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", DAYS)
def test_each_named_day_is_the_next_one_of_its_kind(name: str, zone: str) -> None:
    for start in (NOON + timedelta(days=n) for n in range(0, 1500, 50)):
        at = moment_of(name, zone, start)
        assert start < at < start + timedelta(days=366 * 4 + 1), name
        assert at.tzinfo == ZoneInfo(zone)
        if name.startswith("clocks") and zone == "Europe/Berlin":
            assert at.utcoffset() != (at + timedelta(days=1)).utcoffset(), "the clocks change within a day"


def test_all_days_meet_all_zones_and_neighbours_differ_in_both() -> None:
    pairs = combinations()
    assert len(set(pairs)) == len(DAYS) * len(ZONES)
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in zip(pairs, pairs[1:], strict=False))


@pytest.mark.parametrize("turn", [0, 613])
def test_a_turn_has_every_day_once_and_three_turns_have_every_zone(turn: int) -> None:
    turns = [each_day(turn + n) for n in range(len(ZONES))]
    assert all(sorted(day for day, _zone in one) == sorted(DAYS) for one in turns)
    assert {pair for one in turns for pair in one} == {*combinations()}


def test_a_process_and_what_it_starts_live_on_that_day_and_wait_as_long_as_always() -> None:
    script = (
        "import datetime, json, os, subprocess, sys, threading, time\n"
        "start = time.monotonic(); threading.Event().wait(0.1); time.sleep(0.1); took = time.monotonic() - start\n"
        "print(json.dumps([str(datetime.datetime.now()), took]), flush=True)\n"
        "sys.argv[1:] and subprocess.run([sys.executable, '-c', os.environ['SCRIPT']], check=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "again"],
        env={**environment("leap_day", "Pacific/Kiritimati", os.environ), "SCRIPT": script},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    for line in done.stdout.splitlines():
        now, took = json.loads(line)
        assert "-02-29 12:0" in now
        assert 0.15 < took < 30
    assert len(done.stdout.splitlines()) == 2
