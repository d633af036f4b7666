# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A plan that is forged, altered, replayed or outdated, and an approval that does not count: the device management is asked, and got nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Approval
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.modules import device
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import approvals, plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenarios.intune import commands
from tests.support import guard_of, person_of, run

GRACE, ANN, LAPTOP = "grace@corp.example", "ann@corp.example", "C02JANE01"
WIPES = {"company": "wipe", "personal": "keep", "confirm": [LAPTOP]}
ONE = Policy(approvals=(Approval(needs="wipe", by=(GRACE,)),))
TWO = Policy(approvals=(Approval(needs="wipe", by=(GRACE, ANN), count=2),))


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft]) as box:
        yield box


@dataclass
class Company:
    """One leaver with a laptop, the plan that a rehearsal made, and the ledger."""

    box: Box
    ledger: Ledger
    folder: Path
    policy: Policy = ONE

    @property
    def jane(self) -> dict[str, Any]:
        return person_of(self.box, "jane")

    def plan(self) -> dict[str, Any]:
        rehearsed = run(device.TASK, self.box, "intune", check_mode=True, person=self.jane, **WIPES)
        assert any(row.get("act") == "wipe" and row["outcome"] == "planned" for row in rehearsed["changes"])
        step = {"phase": "secure_devices", "system": "intune", "step": "device", "person": self.jane["email"]}
        steps = [{**step, "outcome": "done", "changes": rehearsed["changes"]}]
        people = [
            {"key": self.jane["hr_id"], "email": self.jane["email"], "name": "Jane", "aliases": ["j.m@corp.example"]}
        ]
        return plans.document("offboard", people, steps, approvals.needs(self.policy, "offboard", 1, steps))

    def approve(self, plan: dict[str, Any], by: str = GRACE) -> None:
        approvals.approve(self.ledger, plan, self.policy, by=by, account=by, note="", run="r")

    def execute(self, plan: dict[str, Any], *confirmed: str) -> dict[str, Any]:
        """Run the step as a run does that was given this plan's file."""
        path = self.folder / "plan.json"
        path.write_text(json.dumps(plan))
        limits = guard_of(
            self.policy,
            self.ledger,
            system="intune",
            plan=str(path),
            plans_folder="",
            rehearsal=False,
            phase="secure_devices",
            step="device",
            person=self.jane["email"],
            args={"person": self.jane},
        )
        want = {**WIPES, "confirm": [LAPTOP, *confirmed]}
        return run(device.TASK, self.box, "intune", person=self.jane, guard=limits, **want)

    @property
    def writes(self) -> list[str]:
        """What the cloud itself was sent that changes something."""
        return [f"{entry['method']} {entry['path']}" for entry in self.box["microsoft"].writes()]


@pytest.fixture
def company(running: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    running["microsoft"].reset()
    monkeypatch.setattr(plans, "folder", lambda: tmp_path / "spool")
    plans._kept.cache_clear()
    return Company(running, Ledger.open(str(tmp_path / "ledger.db")), tmp_path)


def test_an_approved_plan_wipes_the_laptop(company: Company) -> None:
    """What the refusals below are measured by."""
    plan = company.plan()
    company.approve(plan)
    assert company.writes == [], "a rehearsal and an approval send nothing"
    company.execute(plan)
    assert company.writes and commands(company.box, LAPTOP) == {"wipe"}


def not_approved(company: Company) -> dict[str, Any]:
    return company.plan()


def forged(company: Company) -> dict[str, Any]:
    """It says that it needs nobody, and its digest is right."""
    plan = {**company.plan(), "needs": []}
    return {**plan, "digest": plans.digest(plan)}


def altered_after_its_approval(company: Company) -> dict[str, Any]:
    """A tablet was approved; the laptop is in the file, with its digest made anew."""
    plan = company.plan()
    small = json.loads(json.dumps(plan).replace(LAPTOP, "F2LJANE02"))
    small["digest"] = plans.digest(small)
    company.approve(small)
    return plan


def approved_and_aged_out(company: Company) -> dict[str, Any]:
    plan = company.plan()
    company.approve(plan)
    later = clock.now() + timedelta(days=400)
    clock.now = lambda: later  # until the test puts it back
    return plan


def approved_under_an_older_policy(company: Company) -> dict[str, Any]:
    plan = company.plan()
    company.approve(plan)
    company.policy = TWO
    return plan


def approved_by_who_has_left_since(company: Company) -> dict[str, Any]:
    plan = company.plan()
    company.approve(plan)
    company.ledger.open_case("offboard", {"email": GRACE, "hr_id": "103"}, "r", {"key": "2026-01-31"})
    return plan


def approved_twice_by_one_person(company: Company) -> dict[str, Any]:
    company.policy = Policy(approvals=(Approval(needs="wipe", by=(GRACE, "g.okoye@corp.example"), count=2),))
    company.ledger.open_case(
        "onboard", {"email": GRACE, "hr_id": "103", "aliases": ["g.okoye@corp.example"]}, "r", {"key": "2020-01-01"}
    )
    plan = company.plan()
    for name in (GRACE, "g.okoye@corp.example"):
        company.approve(plan, name)
    return plan


def approved_in_two_names_from_one_account(company: Company) -> dict[str, Any]:
    company.policy = TWO
    plan = company.plan()
    for name in (GRACE, ANN):
        approvals.approve(company.ledger, plan, TWO, by=name, account="kim", note="", run="r")
    return plan


def approved_by_a_row_that_somebody_put_in(company: Company) -> dict[str, Any]:
    plan = company.plan()
    company.approve(plan)
    with company.ledger.storage.writing(durable=False) as query:
        query("UPDATE ledger SET hash = ? WHERE kind = 'approved'", ("0" * 64,))
    return plan


REFUSED: tuple[Callable[[Company], dict[str, Any]], ...] = (
    not_approved,
    forged,
    altered_after_its_approval,
    approved_and_aged_out,
    approved_under_an_older_policy,
    approved_by_who_has_left_since,
    approved_twice_by_one_person,
    approved_in_two_names_from_one_account,
    approved_by_a_row_that_somebody_put_in,
)


@pytest.mark.parametrize("how", REFUSED, ids=lambda how: how.__name__)
def test_a_plan_without_an_approval_that_counts_waits_and_the_cloud_got_nothing(
    company: Company, how: Callable[[Company], dict[str, Any]]
) -> None:
    now = clock.now
    try:
        result = company.execute(how(company))
    finally:
        clock.now = now
    assert result["outcome"] == "needs_human" and "approval" in str(result["changes"]), result
    assert company.writes == [] and commands(company.box, LAPTOP) == set()


@pytest.mark.parametrize("by", ["jane@corp.example", "jane+ok@corp.example", "j.m@corp.example", "mark@corp.example"])
def test_who_it_is_about_and_who_may_not_are_refused_and_the_cloud_got_nothing(company: Company, by: str) -> None:
    company.policy = Policy(approvals=(Approval(needs="wipe", by=(GRACE, *([by] if "mark" not in by else []))),))
    plan = company.plan()
    with pytest.raises(InputError):
        company.approve(plan, by)
    assert company.execute(plan)["outcome"] == "needs_human"
    assert company.writes == []


def test_a_file_that_was_changed_and_not_made_anew_is_refused_unread(company: Company) -> None:
    plan = company.plan()
    company.approve(plan)
    with pytest.raises(InputError, match="changed after it was made"):
        company.execute({**plan, "people": []})
    assert company.writes == []


def test_a_plan_of_an_earlier_departure_is_refused_before_any_step(company: Company) -> None:
    plan = company.plan()
    company.approve(plan)
    company.ledger.open_case("offboard", company.jane, "r", {"key": "2026-03-31", "plan": plan["digest"]})
    with pytest.raises(InputError, match="which was another event"):
        approvals.refuse_used(company.ledger, plan, "offboard", {company.jane["hr_id"]: "2027-09-30"})
    assert company.writes == []


def test_what_changed_since_the_plan_stops_the_step_and_the_cloud_got_nothing(company: Company) -> None:
    plan = company.plan()
    company.approve(plan)
    devices = company.box["microsoft"].state["intune"]["devices"]
    (laptop,) = [one for one in devices.values() if one["serialNumber"] == "5CGTOM001"]
    laptop["userPrincipalName"] = "jane@corp.example"
    result = company.execute(plan, "5CGTOM001")
    assert result["failed"] and result["code"] == "drift" and "5CGTOM001" in result["msg"], result
    assert company.writes == [] and commands(company.box, LAPTOP) == set()
