# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The numbers against a second reckoning, which reads raw entries from the file and shares no code with the first."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import Duty, Levels
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.durations import seconds, words
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.numbers import Numbers, Spread, numbers
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.page import numbers_page
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.plots import buckets
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.population import Period
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.unit import ledger_sample as sample
from tests.unit.generated_year import NOW, SYSTEMS, generate

PERIOD = Period(date(2025, 1, 1), date(2025, 12, 31))
SHUT = {"done", "already", "absent", "acknowledged"}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "ledger.db"
    generate(Ledger(str(path)), people=1200, leavers=200)
    return path


@pytest.fixture(scope="module")
def told(db: Path) -> Numbers:
    return numbers(read_cases(Ledger(str(db)).storage.query), PERIOD, Levels((), SYSTEMS), NOW)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def raw(db: Path) -> dict[str, Any]:
    """The same numbers, once more and simply: entry by entry from the file."""
    cases: dict[str, dict[str, Any]] = {}
    steps: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    with sqlite3.connect(db) as file:
        for _n, text in file.execute("SELECT n, body FROM ledger ORDER BY n"):
            e = json.loads(text)
            if e["kind"] == "case":
                facts = e["data"]["facts"]
                known = at(facts["hr_recorded_at"]) if "hr_recorded_at" in facts else at(e["at"])
                cases[e["case"]] = {
                    "kind": e["data"]["kind"],
                    "effective": at(facts["effective_at"]) if "effective_at" in facts else None,
                    "recorded": at(facts["hr_recorded_at"]) if "hr_recorded_at" in facts else None,
                    "origin": max(known, at(facts["effective_at"])) if "effective_at" in facts else known,
                    "withdrawn": False,
                    "back": set(),
                    "out": set(),
                }
            elif e["kind"] == "withdrawn":
                cases[e["case"]]["withdrawn"] = True
            elif e["kind"] == "custody":
                cases[e["case"]]["back"].add(e["data"]["serial"])
            elif e["kind"] in ("outcome", "attested"):
                s = steps[e["case"]].setdefault(
                    (e["system"], e["step"]),
                    {"phase": e["phase"], "since": None, "errors": 0, "hand": False, "outcome": ""},
                )
                if e["kind"] == "attested":
                    s.update(hand=True, since=s["since"] or at(e["data"]["at"]), outcome="attested")
                    continue
                s["outcome"], s["phase"] = e["data"]["outcome"], e["phase"]
                s["errors"] += e["data"]["outcome"] in ("failed", "unknown")
                s["hand"] = s["hand"] or e["step"] == "manual_step"
                s["since"] = (s["since"] or at(e["at"])) if e["data"]["outcome"] in SHUT else None
                for change in e["data"]["changes"]:
                    if e["step"] == "device" and change["after"] == "locked":
                        cases[e["case"]]["out"].add(change["what"].split()[1])
    mine = {
        c: v
        for c, v in cases.items()
        if not v["withdrawn"] and "2025-01-01" <= v["origin"].date().isoformat() <= "2025-12-31"
    }
    leavers = {c: v for c, v in mine.items() if v["kind"] == "offboard"}
    closed, first, late, level, after = [], [], 0, 0, []
    for c, v in leavers.items():
        cuts = [
            s
            for (_system, step), s in steps[c].items()
            if s["phase"] == "cutoff" or step == "cutoff" or step.startswith("cutoff ")
        ]
        closed.append((max(s["since"] for s in cuts) - v["origin"]).total_seconds())
        first.append((min(s["since"] for s in cuts) - v["origin"]).total_seconds())
        after.append((max(s["since"] for s in cuts) - v["effective"]).total_seconds())
        for s in steps[c].values():
            if s["phase"] == "cutoff":
                level += 1
                late += (s["since"] - v["origin"]).total_seconds() > 3600
    every = [s for c in mine for s in steps[c].values()]
    return {
        "leavers": len(leavers),
        "joiners": sum(1 for v in mine.values() if v["kind"] == "onboard"),
        "closed": sorted(closed),
        "first": sorted(first),
        "after": sorted(after),
        "latency": sorted((v["recorded"] - v["effective"]).total_seconds() for v in leavers.values() if v["recorded"]),
        "late": late,
        "level": level,
        "steps": len(every),
        "shut": sum(1 for s in every if s["outcome"] in SHUT | {"attested"}),
        "hand": sum(1 for s in every if s["hand"]),
        "errors": sum(s["errors"] for s in every),
        "wrong": sum(1 for s in every if s["errors"]),
        "out": {
            serial
            for v in cases.values()
            if v["kind"] == "offboard" and not v["withdrawn"]
            for serial in v["out"] - v["back"]
        },
    }


def test_the_numbers_are_those_of_a_script_that_reads_raw_entries(db: Path, told: Numbers) -> None:
    there = raw(db)
    assert (told.leavers, told.joiners) == (there["leavers"], there["joiners"]) and told.leavers > 150
    for name, values in (
        ("to_access_closed", there["closed"]),
        ("to_first_way_closed", there["first"]),
        ("effective_to_closed", there["after"]),
        ("hr_latency", there["latency"]),
    ):
        spread: Spread = getattr(told, name)
        assert spread.count == len(values) and spread.longest == pytest.approx(values[-1], abs=0.001), name
        assert spread.median == pytest.approx(values[(len(values) + 1) // 2 - 1], abs=0.001), name
        assert spread.p90 == pytest.approx(values[-(-len(values) * 9 // 10) - 1], abs=0.001), name
    assert (told.with_level, told.with_level - told.in_time, len(told.late)) == (
        there["level"],
        there["late"],
        there["late"],
    )
    assert (told.steps, told.closed_steps, told.by_hand) == (there["steps"], there["shut"], there["hand"])
    assert (told.errors.attempts, told.errors.wrong, told.errors.repaired) == (
        there["errors"],
        there["wrong"],
        there["wrong"],
    )
    assert {serial for serial, _case, _age in told.devices_out} == there["out"] and len(there["out"]) == 5
    assert sum(count for _month, count, _took in told.months) == told.leavers
    assert sum(buckets(told.closed_after).values()) == told.leavers


def test_waiting_for_a_person_is_no_error_and_an_open_case_has_no_duration(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "l.db"))
    case = sample.leaver(ledger)
    period = Period(date(2000, 1, 1), date(2100, 1, 1))
    told = numbers(read_cases(ledger.storage.query), period, Levels((), sample.SYSTEMS))
    assert told.errors.attempts == 1 and told.errors.wrong == 1 and told.errors.repaired == 0  # github; the badge waits
    assert told.access_open == 1 and told.to_access_closed == Spread() and told.leavers == 1
    assert {(item.system, item.owner) for item in told.open_items} == {
        ("github", "it@corp.example"),
        ("badge", "it@corp.example"),
    }
    sample.step(ledger, case, "github", "cutoff", [sample.row("membership")])
    # The sample's badge belongs to its cut-off.
    ledger.attest(case.id, system="badge", step="manual_step", by="Grace", at=case.opened, note="")
    told = numbers(read_cases(ledger.storage.query), period, Levels((), sample.SYSTEMS))
    assert told.access_open == 0 and told.to_access_closed.count == 1 and told.errors.repaired == 1


def test_a_duty_of_the_policy_comes_before_the_systems_file_and_a_departures_own_first() -> None:
    levels = Levels(
        (
            Duty("cutoff", within="5m", departure="involuntary"),
            Duty("cutoff", within="20m", system="aws", owner="cloud@corp.example"),
            Duty("device", within="14d", owner="desk@corp.example"),
        ),
        SYSTEMS,
    )
    assert levels.limit("aws", "cutoff", "cutoff", "involuntary") == 300
    assert (
        levels.limit("aws", "cutoff", "cutoff") == 1200
        and levels.owner("aws", "cutoff", "cutoff") == "cloud@corp.example"
    )
    assert (
        levels.limit("github", "cutoff", "cutoff") == 3600
        and levels.owner("github", "cutoff", "cutoff") == "github-team@corp.example"
    )
    assert levels.limit("intune", "secure_devices", "device") == 14 * 86400
    assert levels.limit("intune", "reclaim", "entitlements") is None and levels.owner("nowhere", "", "") == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("15m", 900),
        ("4h", 14400),
        ("2d", 172800),
        ("1h 30m", 5400),
        ("PT1H30M", 5400),
        ("P2D", 172800),
        (900, 900),
        ("1w", 604800),
    ]
    + [(bad, None) for bad in ("", "soon", "15 minutes", "-3", True, None, "P1M", "m", "1e9", "١٥m")],
)
def test_lengths_of_time_are_read_as_people_write_them(text: object, value: float | None) -> None:
    assert seconds(text) == value


def test_lengths_of_time_are_said_as_people_say_them() -> None:
    assert [words(x) for x in (None, 5, 300, 5400, 90000, -3600)] == [
        "not yet",
        "5 s",
        "5 min",
        "1 h 30 min",
        "1 d 1 h",
        "-1 h",
    ]


@pytest.mark.parametrize(
    ("figures", "mark", "said"),
    [
        ({}, "none", "No case began in this time."),
        ({"steps": 3}, "good", "Nothing is late, open or out."),
        ({"steps": 3, "access_open": 1}, "warn", "1 leaver has a way in that is open"),
    ],
)
def test_a_period_without_cases_gets_no_green_tick(figures: dict[str, int], mark: str, said: str) -> None:
    page = numbers_page(Numbers("2026-01-01", "2026-01-31", "2026-02-01T00:00:00Z", **figures), "Corp")
    assert f'<div class="verdict {mark}">' in page and said in page
    assert ("✓</b" in page) is (mark == "good")


def test_a_joiner_is_ready_so_long_after_the_first_day_began_and_not_after_the_case_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case is opened days before; who is made ready early had the longest time of all."""
    ledger, day = Ledger.open(str(tmp_path / "ledger.db")), datetime(2026, 3, 2, tzinfo=timezone.utc)
    monkeypatch.setattr(clock, "now", lambda: day - timedelta(days=5))
    joiner = {**sample.PERSON, "status": "active", "hire_date": "2026-03-02"}
    case = ledger.open_case("onboard", joiner, "r", {"expected": ["entra"], "wanted": {"entra": {}}})
    monkeypatch.setattr(clock, "now", lambda: day + timedelta(hours=2))
    ledger.close_case(case.id, run="r", complete=True, summary={})
    period = Period(date(2026, 2, 1), date(2026, 3, 31))
    made = numbers(read_cases(ledger.storage.query), period, Levels((), SYSTEMS), day + timedelta(days=1))
    assert (made.to_ready.count, made.to_ready.median) == (1, 7200.0)
