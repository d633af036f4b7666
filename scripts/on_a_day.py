# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs a command with another date and in another time zone::

python scripts/on_a_day.py leap_day Pacific/Kiritimati -- python scripts/demo.py
python scripts/on_a_day.py 2028-03-26T01:30 Europe/Berlin -- python -m pytest tests/unit/test_case.py
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
#: The days on which software that counts days goes wrong: (month or 0, day or 0, weekday or -1, local time).
DAYS: Mapping[str, tuple[str, str]] = {
    "monday": ("the next Monday", "09:00"),
    "saturday": ("the next Saturday", "15:00"),
    "clocks_forward": ("the last Sunday of the next March, before the clock changes", "01:30"),
    "clocks_back": ("the last Sunday of the next October, before the clock changes", "02:30"),
    "leap_day": ("the next 29 February", "12:00"),
    "year_end": ("the next 31 December, a minute before midnight", "23:59"),
}
ZONES = ("UTC", "Europe/Berlin", "Pacific/Kiritimati")


def moment_of(day: str, zone: str, now: datetime | None = None) -> datetime:
    """Return the next moment with that name in the zone; ``day`` may also be a moment in ISO 8601.

    :raises ValueError: it is neither a name nor a moment.
    """
    at = (now or datetime.now(ZoneInfo(zone))).astimezone(ZoneInfo(zone))
    if day not in DAYS:
        return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    hour, minute = map(int, DAYS[day][1].split(":"))
    at = at.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=1)
    while not _is(day, at):
        at += timedelta(days=1)
    return at


def _is(day: str, at: datetime) -> bool:
    last_sunday = at.weekday() == 6 and (at + timedelta(days=7)).month != at.month
    return {
        "monday": at.weekday() == 0,
        "saturday": at.weekday() == 5,
        "clocks_forward": last_sunday and at.month == 3,
        "clocks_back": last_sunday and at.month == 10,
        "leap_day": (at.month, at.day) == (2, 29),
        "year_end": (at.month, at.day) == (12, 31),
    }[day]


def environment(day: str, zone: str, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that give Python processes that day and that zone."""
    # Run inside such a run, this process' own clock is moved already.
    offset = moment_of(day, zone).timestamp() - time.time() + float(base.get("LIFECYCLE_CLOCK_OFFSET") or 0)
    path = os.pathsep.join(filter(None, (str(ROOT / "tests" / "clock"), base.get("PYTHONPATH", ""))))
    return {**base, "TZ": zone, "PYTHONPATH": path, "LIFECYCLE_CLOCK_OFFSET": str(offset)}


def combinations() -> list[tuple[str, str]]:
    """Return every day in every zone, in an order in which both differ from one to the next."""
    days = list(DAYS)
    return [(days[n % len(days)], ZONES[(n + n // len(days)) % len(ZONES)]) for n in range(len(days) * len(ZONES))]


def each_day(turn: int) -> list[tuple[str, str]]:
    """Return every day in one time zone each; three turns that follow one another are all combinations."""
    first = turn % len(ZONES) * len(DAYS)
    return combinations()[first : first + len(DAYS)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a command as if it were another day.")
    parser.add_argument("day", help=f"{', '.join(DAYS)}, or a moment such as 2028-02-29T12:00")
    parser.add_argument("zone", help="the machine's time zone, such as Europe/Berlin")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    command = [word for word in args.command if word != "--"]
    env = environment(args.day, args.zone, os.environ)
    print(f"It is {moment_of(args.day, args.zone):%A, %d %B %Y, %H:%M} in {args.zone}.", flush=True)
    os.execvpe(command[0], command, env)  # noqa: S606 - it takes the place of this process


if __name__ == "__main__":
    sys.exit(main())
