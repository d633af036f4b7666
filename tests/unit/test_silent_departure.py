# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A silent departure: nobody sees anything before every way in is closed; a hold, which nobody sees, does not wait."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import (
    Departure,
    Levels,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.case import departure_facts as opening_facts
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.escalation import letters
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.managers import Managers
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.presence import HrSaid
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.post.letters import Letter

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from sandbox.vendors.jira_tickets import JiraCloud
from sandbox.vendors.microsoft import Microsoft
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run

JANE = {
    "email": "jane@corp.example",
    "hr_id": "107",
    "employee_id": "E1007",
    "first_name": "Jane",
    "last_name": "Roth",
    "status": "terminated",
    "manager_email": "mark@corp.example",
    "logins": {"github": "jane-roth"},
    "attributes": {"termination_type": "involuntary"},
}


def person(how: str) -> Person:
    return Person.of({**JANE, "attributes": {"termination_type": how}})


WAYS = (
    Departure("involuntary", {"attributes.termination_type": "involuntary*"}, cut="now", silent=True, handover=False),
    Departure("voluntary"),
)


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([GitHub, Microsoft, JiraCloud]) as box:
        yield box


class Company:
    def __init__(self, box: Box, folder: Path) -> None:
        for name in ("github", "microsoft", "jira_tickets"):
            box[name].reset()
        self.box, self.ledger = box, Ledger(str(folder / "ledger.db"))
        self.policy = Policy(departures=WAYS)
        self.cases: list[dict[str, Any]] = []

    def leaves(self, how: str) -> None:
        record = person(how).as_dict()
        facts = {"key": how, **opening_facts(self.policy, person(how))}
        case = self.ledger.open_case("offboard", record, "r", facts)
        opened = {"id": case.id, "kind": "offboard", "person": dict(case.person), "facts": case.facts.as_dict()}
        self.cases = [{**opened, "successor": "mark@corp.example"}]

    def run(self) -> None:
        run = Run(self.box, ledger_run(self.ledger, policy=self.policy), {"lifecycle_policy": ""})
        run.role("cutoff", ["github", "entra"], cases=self.cases)
        for part in ("mailbox", "meetings"):
            run.role("preserve", ["exchange"], part)
        run.role("closeout", ["jira_tickets"], "by_hand")

    @property
    def mailbox(self) -> Any:
        return next(one for one in self.box["microsoft"].parts if hasattr(one, "mailbox_of")).mailbox_of(
            "jane@corp.example"
        )

    @property
    def seen(self) -> Any:
        """What colleagues see of it: the automatic answer, whether she is in the address book, and her meetings."""
        box = self.mailbox
        return copy.deepcopy((box["reply"], box["hidden"], box["delegates"], box["events"]))

    @property
    def outcomes(self) -> dict[str, str]:
        [case] = self.cases
        return {one["step"]: one["outcome"] for one in self.ledger.steps(case["id"])}

    def letters(self) -> list[Letter]:
        cases = read_cases(self.ledger.storage.query)
        managers = Managers(cases, HrSaid.of([]), self.ledger)
        return list(letters(cases, Levels(), self.policy, clock.now(), managers))


@pytest.fixture()
def company(running: Box, tmp_path: Path) -> Company:
    return Company(running, tmp_path)


def test_while_a_way_in_is_open_nobody_sees_anything_and_the_mailbox_is_held(company: Company) -> None:
    before = company.seen
    company.box["github"].fault("status", status=500, times=-1)
    company.leaves("involuntary")
    company.run()
    assert company.seen == before and company.mailbox["hold"]
    assert company.outcomes["mailbox"] == company.outcomes["meetings_handover"] == "failed"


def test_no_ticket_names_them_before_every_way_in_is_closed(company: Company) -> None:
    fault = company.box["github"].fault("status", status=500, times=-1)
    company.leaves("involuntary")
    company.run()
    assert company.box["jira_tickets"].tickets() == [] and company.outcomes["manual_step"] == "failed"
    fault.times = 0
    company.run()
    assert company.box["jira_tickets"].tickets() and company.outcomes["manual_step"] == "in_progress"


def test_once_every_way_in_is_closed_the_rest_is_done(company: Company) -> None:
    before = company.seen
    fault = company.box["github"].fault("status", status=500, times=-1)
    company.leaves("involuntary")
    company.run()
    fault.times = 0
    company.run()
    assert company.outcomes["mailbox"] != "failed"
    assert company.seen != before and "no longer works here" in str(company.seen)


def test_of_a_departure_that_is_not_silent_a_system_that_is_down_holds_up_no_answer(company: Company) -> None:
    company.box["github"].fault("status", status=500, times=-1)
    company.leaves("resigned")
    company.run()
    assert company.outcomes["mailbox"] != "failed" and "hold" not in company.outcomes
    assert "no longer works here" in str(company.seen)


def test_opening_the_case_keeps_how_they_leave(company: Company) -> None:
    for how, facts in (
        ("involuntary", {"departure": "involuntary", "silent": True}),
        ("x", {"departure": "voluntary"}),
    ):
        assert opening_facts(company.policy, person(how)) == facts


def test_without_a_handover_the_manager_is_asked_once_it_has_happened(company: Company) -> None:
    company.box["github"].fault("status", status=500, times=-1)
    company.leaves("involuntary")
    company.run()
    assert company.letters() == []
    for fault in company.box["github"].faults:
        fault.times = 0
    company.run()
    [letter] = company.letters()
    assert letter.to == ["mark@corp.example"] and letter.key.startswith("handover:")
    company.leaves("resigned")
    company.run()
    assert company.letters() == [letter], "who resigned hands over themselves"
