# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Access beyond the profile: asked for, approved, given, and ended by itself; the systems are toys, and the clock is the test's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Approval
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import CUTOFF, ENTITLEMENTS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.modules.approve import TASK as APPROVE
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.modules.entitlements import TASK as GIVE
from ansible_collections.workforce.lifecycle.plugins.modules.followups import TASK as FOLLOWUPS
from ansible_collections.workforce.lifecycle.plugins.modules.notices import TASK as NOTICES
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import write
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.cases import requested
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.later import granted
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.ledger_run import ledger_run
from tests.unit.test_mover import Directory, does

GRACE = "grace@corp.example"
SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "hr": {"connector": "bamboohr", "capabilities": ["hr_records"]},
    "entra": {"connector": "entra", "capabilities": ["accounts", "provisioning", "entitlements", "cutoff"]},
    "slack": {"connector": "slack", "capabilities": ["accounts", "entitlements", "cutoff"]},
}
ADA = {
    "email": "ada@corp.example",
    "hr_id": "7",
    "employee_id": "E7",
    "first_name": "Ada",
    "status": "active",
    "time_zone": "Europe/Berlin",
    "manager_email": "mark@corp.example",
}
#: What HR says of who approves, and of who answers for it.
HERE = [
    {
        "system": "hr",
        "present": {
            one: [{"email": one, "hr_id": n, "status": "active"}]
            for n, one in (("90", GRACE), ("91", "mark@corp.example"))
        },
    }
]
POLICY = Policy(approvals=(Approval("access", (GRACE,)),))
START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


class Office:
    """The ledger, the clock, Ada's directory, and the runs about her."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.path, self.now, self.policy = path, START, POLICY
        monkeypatch.setattr(clock, "now", lambda: self.now)
        self.ledger = Ledger.open(str(path / "l.db"))
        self.entra = Directory({("groups", "Engineering")})
        self.runs = 0

    def run(self, *, read_only: bool = False) -> LedgerRun:
        self.runs += 1
        return ledger_run(self.ledger, SYSTEMS, run=f"r{self.runs}", read_only=read_only, policy=self.policy)

    def asked(self, *, read_only: bool = True, person: Mapping[str, Any] = ADA, **want: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
        asks = {"access": ["entra:groups:Payments"], "ends": "2026-03-31", "why": "closes the year"}
        asks = {name: "" if name != "access" else [] for name in asks} if want.get("plan") else asks
        given = {
            **defaults,
            "kind": "access",
            "user": [person["email"]],
            "found": [{"system": "hr", "people": [person], "present": HERE[0]["present"]}],
            **asks,
            **want,
        }
        return perform(CASE, self.run(read_only=read_only), given)

    def plan(self, **want: Any) -> str:
        """Rehearse a request, and keep its plan as the run would."""
        opened = self.asked(**want)
        assert "cases" in opened, opened
        case = OpenCase.of(opened["cases"][0])
        people = [
            {"key": "7", "email": ADA["email"], "name": "Ada", "aliases": [], "asked": requested.described(case.facts)}
        ]
        needs = [{"needs": "access", "by": [GRACE], "count": 1, "hours": 72.0, "why": "it is a case of access"}]
        return str(plans.write(plans.document("access", people, [], needs), str(self.path)))

    def approved(self, **want: Any) -> str:
        plan = self.plan(**want)
        given = {name: spec.get("default") for name, spec in APPROVE.spec.items()}
        said = perform(APPROVE, self.run(), {**given, "plan": plan, "by": GRACE, "found": HERE})
        assert not said.get("failed"), said
        return plan

    def given(self, **want: Any) -> OpenCase:
        """Ask, have it approved, and give it."""
        opened = self.asked(read_only=False, plan=self.approved(**want))
        assert "cases" in opened, opened
        case = OpenCase.of(opened["cases"][0])
        self.step(case, ENTITLEMENTS["access"], "provision")
        write(self.run(), case.id, str(self.path), None)
        return case

    def step(self, case: OpenCase, step: Any, phase: str) -> None:
        args = step.of_case(case, Here("entra", frozenset(SYSTEMS["entra"]["capabilities"])))
        if args is None:
            return
        result = does(GIVE, self.entra, **args)
        assert not result.get("failed"), result
        self.ledger.outcome(
            case.id, run=f"r{self.runs}", phase=phase, system="entra", step="entitlements", person="7", result=result,
            intent=None,
        )  # fmt: skip

    def due(self, person: Mapping[str, Any] = ADA) -> dict[str, Any]:
        """Run ``followups`` to its end: judge, take, settle."""
        defaults = {name: spec.get("default") for name, spec in FOLLOWUPS.spec.items()}
        found = [{"system": "hr", "people": [person]}]
        run = self.run()
        decided = perform(FOLLOWUPS, run, {**defaults, "state": "decide", "found": found})
        for one in decided["ended"]:
            self.step(OpenCase.of(one), ENTITLEMENTS["withdraw"], "withdraw")
        return {**decided, **perform(FOLLOWUPS, run, {**defaults, "state": "settle", "acts": decided["acts"]})}

    def change(self, **want: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in FOLLOWUPS.spec.items()}
        return perform(FOLLOWUPS, self.run(), {**defaults, "person": "7", "by": GRACE, "why": "x", **want})

    def reminders(self) -> list[Mapping[str, Any]]:
        said = perform(NOTICES, self.run(), {**{n: s.get("default") for n, s in NOTICES.spec.items()}})
        return [one for one in said["notices"] if one["key"].startswith("ends:")]


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Office:
    return Office(monkeypatch, tmp_path)


def test_it_is_given_after_an_approval_and_ends_by_itself_on_its_day(office: Office) -> None:
    office.given()
    assert office.entra.held == {("groups", "Engineering"), ("groups", "Payments")}
    office.now = datetime(2026, 3, 31, 21, 0, tzinfo=timezone.utc)  # eleven in the evening of the last day in Berlin
    assert office.due()["judged"] == []
    office.now += timedelta(hours=2)
    ended = office.due()
    assert ended["lines"] == ["take what was given for a time (ada@corp.example)"]
    assert office.entra.held == {("groups", "Engineering")} and office.due()["judged"] == []


def test_what_was_given_on_two_systems_is_due_until_both_were_asked(office: Office) -> None:
    case = office.given(access=["entra:groups:Payments", "slack:groups:finance"])
    for phase, before, after in (("provision", None, "held"), ("withdraw", "held", None)):
        if phase == "withdraw":
            office.now = datetime(2026, 4, 1, 9, 0, tzinfo=timezone.utc)
            still = office.due()
            assert still["failed"] and "slack: this run did not ask it" in still["msg"]
            assert office.entra.held == {("groups", "Engineering")}
        rows = [{"what": "groups: finance", "before": before, "after": after, "outcome": "done"}]
        office.ledger.outcome(
            case.id, run=f"r{office.runs + 1}", phase=phase, system="slack", step="entitlements", person="7",
            result={"outcome": "done", "changes": rows}, intent=None,
        )  # fmt: skip
    assert "failed" not in office.due()


def test_what_was_held_before_stays_and_so_does_what_the_profile_gives_by_then(office: Office) -> None:
    office.entra.held.add(("groups", "Payments"))
    office.given()
    office.now += timedelta(days=40)
    assert office.due()["judged"][0]["word"] == "done" and ("groups", "Payments") in office.entra.held


def test_a_second_request_for_longer_keeps_it_until_its_own_end(office: Office) -> None:
    office.given()
    office.given(ends="2026-04-30", why="still closes it")
    office.now = datetime(2026, 4, 1, 9, 0, tzinfo=timezone.utc)
    assert office.due()["judged"][0]["word"] == "done" and ("groups", "Payments") in office.entra.held
    office.now = datetime(2026, 5, 2, 9, 0, tzinfo=timezone.utc)
    office.due()
    assert office.entra.held == {("groups", "Engineering")}, "though the second found it held already"


def test_it_is_taken_of_somebody_on_leave_and_left_to_offboard_of_somebody_who_left(office: Office) -> None:
    office.given()
    office.now += timedelta(days=40)
    gone = {**ADA, "status": "terminated", "termination_date": "2026-03-20"}
    assert office.due({**ADA, "status": "leave"})["lines"] and office.entra.held == {("groups", "Engineering")}
    office.given(ends="2026-04-20", why="again")
    office.now += timedelta(days=40)
    assert office.due(gone)["judged"][0]["word"] == "cancel"


@pytest.mark.parametrize(
    ("want", "said"),
    [
        ({"ends": ""}, "access by request has an end"),
        ({"ends": "2027-06-01"}, "within the next 180 days"),
        ({"ends": "2026-03-01"}, "within the next 180 days"),
        ({"why": " "}, "why is empty"),
        ({"access": []}, "nothing is asked for"),
        ({"access": ["entra:groups"]}, "is not SYSTEM:KIND:NAME"),
        ({"access": ["entro:groups:Payments"]}, "did you mean entra?"),
        ({"access": ["entra:teams:Payments"]}, "has no entitlements 'teams'"),
        ({"access": ["slack"]}, "no run makes accounts on slack"),
        ({"sponsor": "ada@corp.example"}, "nobody can be their own sponsor"),
        ({"person": {**ADA, "manager_email": ""}}, "nobody answers for it"),
        ({"person": {**ADA, "status": "leave"}}, "HR says that they are leave"),
    ],
)
def test_a_request_that_cannot_be_given_is_refused_before_anything(
    office: Office, want: dict[str, Any], said: str
) -> None:
    refused = office.asked(**want)
    assert refused.get("failed") and said in refused["msg"], refused
    assert not office.ledger.cases()


def test_nobody_gets_anything_where_policy_names_nobody_who_approves(office: Office) -> None:
    office.policy = Policy()
    assert "policy says nobody who approves access" in office.asked(read_only=False)["msg"]
    office.policy = POLICY
    assert "make a plan with --check" in office.asked(read_only=False)["msg"]


def test_the_approval_is_of_what_was_asked_until_when_and_of_nothing_else(office: Office) -> None:
    plan = office.approved()
    other = office.asked(
        read_only=False, plan=plan, access=["entra:groups:Payments"], ends="2026-06-30", why="closes the year"
    )
    assert other.get("failed") and "2026-03-31T22" in other["msg"] and not office.ledger.cases()
    same = office.asked(read_only=False, plan=plan)
    assert same["cases"][0]["facts"]["until"].startswith("2026-03-31T22:00"), "the end of the day in Berlin"


def test_it_cannot_be_made_longer_without_being_asked_for_anew(office: Office) -> None:
    office.given()
    for want in ({"state": "cancel"}, {"state": "move", "id": granted.END_ACCESS, "to": "2026-06-30"}):
        refused = office.change(**want)
        assert refused.get("failed") and "ask for it again" in refused["msg"], refused
    assert office.change(state="move", id=granted.END_ACCESS, to="2026-03-10")["changed"]
    office.now = datetime(2026, 3, 10, 9, 0, tzinfo=timezone.utc)
    office.due()
    assert office.entra.held == {("groups", "Engineering")}


def test_whoever_answers_for_it_is_reminded_two_weeks_and_three_days_before(office: Office) -> None:
    case = office.given(sponsor=GRACE)
    assert office.reminders() == []
    office.now = datetime(2026, 3, 20, 9, 0, tzinfo=timezone.utc)
    (first,) = office.reminders()
    assert first["to"] == [GRACE] and "Ends on 2026-03-31" in first["subject"] and "Payments" in first["lines"][0]
    office.now = datetime(2026, 3, 30, 9, 0, tzinfo=timezone.utc)
    assert [one["key"] for one in office.reminders()] == [f"ends:{case.id}:3"]
    office.now = datetime(2026, 4, 1, 9, 0, tzinfo=timezone.utc)
    office.due()
    assert office.reminders() == []


def test_a_run_that_is_killed_after_the_case_was_opened_has_noted_the_end(office: Office) -> None:
    opened = office.asked(read_only=False, plan=office.approved())
    assert [due.data["id"] for due in office.ledger.noted("due", case=opened["cases"][0]["id"])] == [granted.END_ACCESS]


def test_a_mover_keeps_what_was_asked_for_until_its_end(office: Office) -> None:
    office.given()
    (office.path / "p").mkdir()
    (office.path / "p" / "sales.yml").write_text(
        "match: {employment_type: '*'}\nsystems:\n  entra: {groups: [Sales]}\n"
    )
    moved = office.asked(read_only=False, kind="transfer", profiles=str(office.path / "p"))["cases"][0]
    assert moved["facts"]["keep"] == {"entra": {"groups": ["Payments"]}}


def test_a_seat_that_was_made_is_cut_off_at_its_end_and_no_other(office: Office) -> None:
    made = OpenCase.of({"id": "c", "kind": "access", "person": ADA, "made": {"entra": {"created": True}}})
    assert (
        CUTOFF["withdraw"].of_case(made, Here("entra")) == {}
        and CUTOFF["withdraw"].of_case(made, Here("slack")) is None
    )
    opened = office.asked(read_only=False, plan=office.approved(access=["entra"]))
    case = office.ledger.case(opened["cases"][0]["id"])
    row = {"what": "account", "before": "absent", "after": "active", "outcome": "done"}
    office.ledger.outcome(
        case.id, run="r", phase="provision", system="entra", step="account", person="7", intent=None,
        result={"outcome": "done", "changes": [row]},
    )  # fmt: skip
    assert granted.to_take(office.ledger, case) == {"entra": {"created": True}}
