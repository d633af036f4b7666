# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who has not answered the invitation to a joiner's first day is asked on working days; who declined is an open item. The clock is the test's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules.followups import TASK as FOLLOWUPS
from ansible_collections.workforce.lifecycle.plugins.modules.meeting import TASK as MEETING
from ansible_collections.workforce.lifecycle.plugins.modules.notices import TASK as NOTICES
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import write
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.run_cases import RunCases

from tests.unit.ledger_run import ledger_run

SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "hr": {"connector": "csv", "capabilities": ["hr_records"]},
    "exchange": {"connector": "exchange", "owner": "it@corp.example", "capabilities": ["calendar", "mailbox"]},
}
ADA = {
    "email": "ada@corp.example",
    "hr_id": "201",
    "employee_id": "E1020",
    "first_name": "Ada",
    "last_name": "Berg",
    "status": "pending",
    "hire_date": "2026-06-15",  # a Monday
    "time_zone": "Europe/Berlin",
    "country": "DE",
}
MEETING_ROW = {"what": "meeting", "before": "booked", "after": "booked", "outcome": "already", "note": "Welcome, Ada"}


class Company:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.moment = datetime(2026, 6, 11, 7, 0, tzinfo=timezone.utc)  # a Thursday
        monkeypatch.setattr(clock, "now", lambda: self.moment)
        self.path, self.ledger = path, Ledger.open(str(path / "ledger.db"))
        facts = {
            "key": "2026-06-15",
            "stage": "prepare",
            "expected": ["exchange"],
            "wanted": {},
            "orientation": {"organiser": "it@corp.example", "marker": "orientation-E1020"},
        }
        self.case = self.ledger.open_case("onboard", ADA, "r0", facts)
        self.read("welcome", {"ada@corp.example": "no answer yet", "mark@corp.example": "no answer yet"})
        write(self.book("r0"), self.case.id, str(path), None)

    def book(self, run: str) -> LedgerRun:
        return ledger_run(self.ledger, SYSTEMS, run=run, policy=Policy())

    def read(self, phase: str, answers: Mapping[str, str], run: str = "r0") -> None:
        """What the calendar showed."""
        rows = [
            {
                "what": f"answer of {who}",
                "before": said,
                "after": "accepted" if said == "declined" else said,
                "outcome": "needs_human" if said == "declined" else "already",
            }
            for who, said in answers.items()
        ]
        worst = "needs_human" if "declined" in answers.values() else "already"
        self.ledger.outcome(
            self.case.id,
            run=run,
            phase=phase,
            system="exchange",
            step="meeting",
            person=self.case.key,
            result={"outcome": worst, "changes": [MEETING_ROW, *rows]},
            intent=None,
        )

    def record(self) -> dict[str, Any]:
        made = write(self.book("r99"), self.case.id, str(self.path), None)
        said: dict[str, Any] = json.loads(Path(made["json"]).read_text())
        return said

    def day(self, day: int, answers: Mapping[str, str]) -> list[tuple[list[str], str]]:
        """One morning's followups: decide, read the calendar where it is due, settle, and the letters of it."""
        self.moment, run = self.moment.replace(day=day), f"r{day}"
        defaults = {name: spec.get("default") for name, spec in FOLLOWUPS.spec.items()}
        found = [{"system": "hr", "people": [ADA]}]
        acts = perform(FOLLOWUPS, self.book(run), {**defaults, "state": "decide", "found": found})["acts"]
        for act in acts:
            [(case, here)] = RunCases(acts=[act]).on("exchange", frozenset(("calendar",)), Settings())
            asked = MEETING.steps["answers"].of_case(case, here)
            marked = {"organizer": "it@corp.example", "marker": "orientation-E1020"}
            assert asked == {"state": "answers", **marked}, "nothing is booked on such a day"
            self.read("followups", answers, run)
        settled = perform(FOLLOWUPS, self.book(run), {**defaults, "state": "settle", "acts": acts})
        assert not settled.get("failed"), settled
        said = perform(NOTICES, self.book(run), {"of": "late", "company": "", "found": []})
        return [(one["to"], one["key"].rpartition(":")[2]) for one in said["notices"]]


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Company:
    return Company(monkeypatch, tmp_path)


def test_who_has_not_answered_is_asked_on_working_days_and_the_joiner_not_before_the_first_day(
    company: Company,
) -> None:
    silent = {"ada@corp.example": "no answer yet", "mark@corp.example": "no answer yet"}
    assert company.day(11, silent) == [], "the invitation itself is of today"
    assert company.day(12, silent) == [(["mark@corp.example"], "ask_answers exchange 1")]
    assert company.day(13, silent) == [(["mark@corp.example"], "ask_answers exchange 1")], "the same letter: sent once"
    found = company.day(16, silent)
    assert found == [
        (["ada@corp.example"], "ask_answers exchange 3"),
        (["mark@corp.example"], "ask_answers exchange 3"),
    ]


def test_who_has_answered_is_asked_nothing(company: Company) -> None:
    assert company.day(12, {"ada@corp.example": "no answer yet", "mark@corp.example": "accepted"}) == []
    record = company.record()
    assert {row["what"]: row["after"] for row in record["actions"][0]["changes"]} == {
        "meeting": "booked",
        "answer of ada@corp.example": "no answer yet",
        "answer of mark@corp.example": "accepted",
    }
    assert not [item for item in record["open_items"] if item["system"] == "exchange"]


def test_who_declines_is_an_open_item_and_its_owner_is_asked(company: Company) -> None:
    letters = company.day(12, {"ada@corp.example": "accepted", "mark@corp.example": "declined"})
    assert [to for to, _key in letters] == [["it@corp.example"]]
    record = company.record()
    [item] = [item for item in record["open_items"] if item["system"] == "exchange"]
    assert item["what"] == "answer of mark@corp.example" and item["owner"] == "it@corp.example"


def test_a_hire_that_was_withdrawn_asks_nobody(company: Company) -> None:
    facts = {"key": company.case.id, "of": company.case.id}
    company.moment = company.moment.replace(hour=9)
    company.ledger.open_case("withdraw", ADA, "r1", facts)
    closed = [case.id for case in company.ledger.cases() if case.kind == "withdraw"]
    company.ledger.close_case(closed[0], run="r1", complete=True, summary={})
    assert company.day(12, {"mark@corp.example": "no answer yet"}) == []


def test_the_invitation_is_called_and_says_what_the_profile_names() -> None:
    wanted = {
        "organiser": "it@corp.example",
        "attendees": [],
        "subject": "Your first day",
        "agenda": ["Who is who", "Lunch"],
    }
    day = {"earliest": "2026-06-14T22:00:00Z", "latest": "2026-06-15T22:00:00Z"}
    case = OpenCase("c", "onboard", Person.of(ADA), orientation=wanted, first_day=day)
    booked = MEETING.steps["orientation"].of_case(case, Here("exchange"))
    assert booked is not None and (booked["subject"], booked["body"]) == ("Your first day", "Who is who\nLunch")
