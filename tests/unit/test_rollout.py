# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A changed access profile, for whoever has it: who lacks something, what is given, what is taken, and what stays. The systems are toys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import TransferPolicy
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import ENTITLEMENTS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.modules.entitlements import TASK as GIVE
from ansible_collections.workforce.lifecycle.plugins.modules.rollout import TASK as ROLLOUT
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.audit import people_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.ledger_run import ledger_run
from tests.unit.test_mover import Directory, does

SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "hr": {"connector": "bamboohr", "capabilities": ["hr_records"]},
    "entra": {"connector": "entra", "capabilities": ["accounts", "provisioning", "entitlements", "cutoff"]},
}
FIRST = "match: {department: Sales}\nsystems:\n  entra: {groups: [Sales, Old CRM]}\n"
THEN = "match: {department: Sales}\nsystems:\n  entra: {groups: [Sales, New CRM]}\n"
OTHER = "match: {department: Law}\nsystems:\n  entra: {groups: [Law]}\n"


def person(n: int, **more: str) -> dict[str, Any]:
    told = {"email": f"p{n}@corp.example", "hr_id": str(n), "employee_id": f"E{n}", "department": "Sales"}
    return {**told, "status": "active", **more}


class Company:
    """Three in sales of whom our runs hired two, one on leave, one in law; and a profile that changes."""

    def __init__(self, path: Path) -> None:
        self.path, self.ledger, self.systems = path, Ledger.open(str(path / "l.db")), SYSTEMS
        self.people = [person(1), person(2), person(3), person(4, status="leave"), person(5, department="Law")]
        self.entra = {
            n: Directory({("groups", "Sales"), ("groups", "Old CRM"), ("groups", "Chess")}) for n in (1, 2, 3)
        }
        (path / "profiles").mkdir()
        self.profile(FIRST)
        (path / "profiles" / "law.yml").write_text(OTHER)
        (path / "spool").mkdir()
        lines = [json.dumps({"person": one}) for one in self.people]
        (path / "spool" / "hr-hr.jsonl").write_text("\n".join([*lines, json.dumps({"end": len(lines)})]) + "\n")

    def profile(self, text: str) -> None:
        (self.path / "profiles" / "sales.yml").write_text(text)

    def run(self, *, read_only: bool = False) -> LedgerRun:
        policy = Policy(transfer=TransferPolicy("remove"))
        return ledger_run(self.ledger, self.systems, read_only=read_only, policy=policy)

    def case(self, users: list[str], *, read_only: bool = False, **want: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
        mine = [one for one in self.people if one["hr_id"] in users]
        given = {"user": users, "profiles": str(self.path / "profiles"), "found": [{"system": "hr", "people": mine}]}
        return perform(CASE, self.run(read_only=read_only), {**defaults, **given, **want})

    def hired(self, n: int) -> None:
        opened = OpenCase.of(self.case([str(n)], kind="onboard")["cases"][0])
        self.ledger.close_case(opened.id, run="r", complete=True, summary={})

    def behind(self, **want: Any) -> dict[str, Any]:
        given = {
            "profile": "sales",
            "profiles": str(self.path / "profiles"),
            "plan": "",
            "snapshots": str(self.path / "spool"),
        }
        return perform(ROLLOUT, self.run(), {**given, **want})

    def plan(self, users: list[str]) -> str:
        people = [{"key": n, "email": f"p{n}@corp.example", "name": "", "aliases": []} for n in users]
        return str(plans.write(plans.document("rollout", people, []), str(self.path)))

    def roll_out(self, users: list[str]) -> None:
        for one in self.case(users, kind="rollout", profile="sales", plan=self.plan(users))["cases"]:
            case = OpenCase.of(one)
            args = ENTITLEMENTS["adjust"].of_case(case, Here("entra", frozenset(SYSTEMS["entra"]["capabilities"])))
            assert args is not None
            result = does(GIVE, self.entra[int(case.person.hr_id)], **args)
            assert not result.get("failed"), result
            self.ledger.close_case(case.id, run="r", complete=True, summary={})


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.hired(1)
    made.hired(2)
    return made


def test_an_hr_system_that_was_not_read_is_not_taken_for_empty(company: Company) -> None:
    company.profile(THEN)
    company.systems = {**SYSTEMS, "payroll": {"connector": "personio", "capabilities": ["hr_records"]}}
    assert "HR (payroll) was not read" in company.behind()["msg"]
    with pytest.raises(InputError, match="payroll"):
        people_of(str(company.path / "spool"), ["hr", "payroll"])
    assert people_of(str(company.path / "spool"), ["hr"]).sources == ["hr"]


def test_everybody_who_has_it_and_works_here_gets_what_changed_and_keeps_the_rest(company: Company) -> None:
    company.profile(THEN)
    assert company.behind()["users"] == ["1", "2", "3"], "neither who is on leave, nor who has another profile"
    company.roll_out(["1", "2", "3"])
    for n in (1, 2, 3):  # of the third no run knows what the profile gave them: what it gave others was its own
        assert company.entra[n].held == {("groups", "Sales"), ("groups", "New CRM"), ("groups", "Chess")}, n
    again = company.behind()
    assert again.get("failed") and "nobody lacks anything of it: 3 have it" in again["msg"]


def test_who_was_hired_with_it_is_up_to_date(company: Company) -> None:
    found = company.behind()
    assert (found["users"], found["up_to_date"]) == (["3"], 2)


def test_nothing_is_rolled_out_without_a_plan_and_a_plan_is_for_those_it_names(company: Company) -> None:
    company.profile(THEN)
    refused = company.case(["1"], kind="rollout", profile="sales")
    assert refused["code"] == "refused" and "by a plan" in refused["msg"]
    assert company.case(["1"], read_only=True, kind="rollout", profile="sales")["cases"][0]["explained"]
    others = company.case(["1", "2"], kind="rollout", profile="sales", plan=company.plan(["1"]))
    assert others.get("failed") and "not the same: p2@corp.example" in others["msg"]
    assert company.behind(plan=company.plan(["2"]))["users"] == ["2"]


def test_whoever_has_moved_since_the_plan_stops_it(company: Company) -> None:
    company.profile(THEN)
    company.people[0]["department"] = "Law"
    moved = company.case(["1"], kind="rollout", profile="sales", plan=company.plan(["1"]))
    assert moved.get("failed") and "their profile is law by now" in moved["msg"]


def test_it_is_no_move_and_the_brake_does_not_count_it(company: Company) -> None:
    company.profile(THEN)
    company.roll_out(["1", "2"])
    assert [tally.counted for tally in company.ledger.tallies(company.run().policy.brake) if tally.of == "movers"] == [
        frozenset()
    ]
