# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who is given something, or gives their word, is here: successors, approvers, attestors, recipients; by one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Approval, Brake, Limit
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.modules.custody import TASK as CUSTODY_TASK
from ansible_collections.workforce.lifecycle.plugins.modules.person_info import TASK as PERSON_INFO
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.approve import act as approve_act
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.attest import act as attest
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.brake import act as brake_act
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.custody import act as custody
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import approvals, plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import holds, presence
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.account import os_account
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import asked_about
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.limits import Limits, gone_heirs
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.variables import Variables

from tests.unit.ledger_run import ledger_run

JANE = {"email": "jane@corp.example", "hr_id": "107", "termination_date": "2026-03-31"}
MARK = {"email": "mark@corp.example", "hr_id": "109", "aliases": ["m.osei@corp.example"]}
GRACE, ANN = "grace@corp.example", "ann@corp.example"
CUSTODY = {name: spec.get("default") for name, spec in CUSTODY_TASK.argument_spec.items()}
BRIDGES_ACCOUNT = "bridge/src/lifecycle_bridge/os_account.py"
WIPE = Approval(needs="wipe", by=(GRACE,))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


def left(ledger: Ledger, person: Mapping[str, Any]) -> None:
    ledger.open_case("offboard", person, "run-1", {"key": "2026-01-31"})


def plan_of(**facts: Any) -> dict[str, Any]:
    steps = [
        {
            "phase": "secure_devices",
            "system": "intune",
            "step": "device",
            "person": "jane@corp.example",
            "outcome": "done",
            "changes": [
                {"what": "device C02", "before": "active", "after": "wiped", "outcome": "planned", "act": "wipe"}
            ],
        }
    ]
    people = [{"key": "107", "email": "jane@corp.example", "name": "Jane Roth", "aliases": ["j.roth@corp.example"]}]
    return plans.document("offboard", people, steps, **facts)


def approve(ledger: Ledger, plan: Mapping[str, Any], by: str, policy: Policy) -> None:
    approvals.approve(ledger, plan, policy, by=by, account=by, note="", run="run-1")


@pytest.mark.parametrize(
    "name", ["mark@corp.example", "Mark@Corp.example", "m.osei@corp.example", "mark+x@corp.example", "109"]
)
def test_who_was_offboarded_is_not_here_under_any_of_their_names(ledger: Ledger, name: str) -> None:
    assert presence.presence(ledger, name).gone == ""
    left(ledger, MARK)
    assert "has left" in presence.presence(ledger, name).gone
    ledger.open_case("onboard", MARK, "run-2", {"key": "2026-06-01"})
    assert presence.presence(ledger, name).gone == "", "they were hired again"


def said(name: str, *records: Mapping[str, Any], systems: int = 1) -> presence.HrSaid:
    answers = [{"present": {name: list(records)}}, *[{"present": {name: []}}] * (systems - 1)]
    return presence.HrSaid.of(answers)


@pytest.mark.parametrize(
    ("hr", "gone"),
    [
        (None, ""),
        (said("mark@corp.example", MARK), ""),
        (said("mark@corp.example", MARK, systems=2), ""),
        (said("mark@corp.example", {**MARK, "status": "terminated", "last_working_day": "2026-01-31"}), "has left, HR"),
        (said("mark@corp.example", {**MARK, "last_working_day": "2026-01-31"}), "has left, HR says"),
        (said("mark@corp.example", {**MARK, "status": "terminated", "last_working_day": "2999-01-31"}), ""),
        # Hired again: one record is over, the other is not.
        (said("mark@corp.example", {**MARK, "status": "terminated"}, {**MARK, "hr_id": "209"}), ""),
        (said("mark@corp.example"), "is nobody whom HR knows"),
        (said("mark@corp.example", systems=2), "is nobody whom HR knows"),
        # Nobody asked this HR system about them: that says nothing.
        (said("another@corp.example"), ""),
        (presence.HrSaid.of([{"present": {"mark@corp.example": []}}, {"present": {}}]), ""),
    ],
)
def test_hr_says_who_is_here_when_it_was_asked(ledger: Ledger, hr: presence.HrSaid | None, gone: str) -> None:
    """Nobody of ours offboarded them: HR did it by hand, or an address is nobody's."""
    told = presence.presence(ledger, "mark@corp.example", hr).gone
    assert gone in told and bool(gone) == bool(told)
    if gone:
        with pytest.raises(InputError, match="can't be successor"):
            presence.require(ledger, "mark@corp.example", role="successor", act="offboard jane", of=JANE, hr=hr)


# -- who gives their word now: approves, attests, says where a device is, releases the brake -----------------------------

HR = {"hr": {"connector": "csv", "capabilities": ["hr_records"]}, "badge": {"capabilities": ["manual_steps"]}}
GRACES = {"email": GRACE, "hr_id": "103", "employee_id": "E1003", "first_name": "Grace", "last_name": "Okoye"}
HAS_LEFT = {**GRACES, "status": "terminated", "last_working_day": "2026-01-31"}


def answers(name: str, *records: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"system": "hr", "people": [], "present": {name: list(records)}}]


def words(ledger: Ledger) -> dict[str, Callable[..., Any]]:
    """Everything that somebody says by name, as its act; what each must be given beside ``by`` and what HR answered."""
    case = ledger.open_case("offboard", JANE, "r", {"key": "2026-03-31"})
    ledger.outcome(
        case.id,
        run="r",
        phase="closeout",
        system="badge",
        step="manual_step",
        person=case.key,
        intent=None,
        result={"outcome": "needs_human", "changes": [{"what": "badge", "outcome": "needs_human"}]},
    )
    plan = plan_of(needs=approvals.needs(Policy(approvals=(WIPE,)), "offboard", 1, plan_of()["steps"]))
    ledger.note("plan", {"digest": plan["digest"], "plan": plan}, run="r")
    brake = Brake(leavers=Limit(1, release=(GRACE,)))
    run = ledger_run(ledger, HR, policy=Policy(approvals=(WIPE,), brake=brake))
    given: dict[str, tuple[Any, dict[str, Any]]] = {
        "approve": (approve_act, {"plan": plan["digest"], "account": "", "note": ""}),
        "attest": (attest, {"person": "107", "system": "badge", "what": "", "at": "", "note": "", "decision": ""}),
        "custody": (custody, {**CUSTODY, "serial": "C02", "state": "received", "person": "jane@corp.example"}),
        "brake": (brake_act, {"state": "released", "of": "leavers", "user": [], "ends": "", "account": "", "note": ""}),
    }
    return {name: partial(_said, run, act, want) for name, (act, want) in given.items()}


def _said(run: Any, act: Any, want: dict[str, Any], by: str, found: list[dict[str, Any]]) -> Any:
    if "user" in want:
        found = [*found, {"system": "hr", "people": [{"email": "bob@corp.example", "hr_id": "9"}]}]
        want = {**want, "user": ["9"]}
    return act(run, {**want, "by": by, "found": found})


SAYS = ("approve", "attest", "custody", "brake")


@pytest.mark.parametrize("what", SAYS)
def test_hr_is_asked_whether_who_gives_their_word_is_here(ledger: Ledger, what: str) -> None:
    say = words(ledger)[what]
    before = len([*ledger.entries()])
    for found, why in (
        (answers(GRACE, HAS_LEFT), "has left, HR says"),
        (answers(GRACE), "is nobody whom HR knows"),
        ([], "was not asked whether grace@corp.example works here"),
        (answers("another@corp.example"), "was not asked"),
    ):
        with pytest.raises(InputError, match=why):
            say(GRACE, found)
    assert len([*ledger.entries()]) == before, "nothing was written"
    say(GRACE, answers(GRACE, GRACES))
    assert len([*ledger.entries()]) > before


def test_an_attestor_may_be_named_in_full_and_is_the_person_whom_hr_has(ledger: Ledger) -> None:
    words(ledger)["attest"]("Grace Okoye", answers("Grace Okoye", GRACES))
    with pytest.raises(InputError, match="has left"):
        words(ledger)["attest"]("Grace Okoye", answers("Grace Okoye", HAS_LEFT))


def test_nobody_has_a_device_who_is_not_here_but_it_may_be_sold_to_anybody(ledger: Ledger) -> None:
    run = ledger_run(ledger, HR)
    ledger.open_case("offboard", JANE, "r", {"key": "2026-03-31"})
    want = {**CUSTODY, "serial": "C02", "person": "jane@corp.example", "by": GRACE, "to": "mark@corp.example"}
    found = [{"present": {GRACE: [GRACES], "mark@corp.example": [{**MARK, "status": "terminated"}]}}]
    with pytest.raises(InputError, match="mark@corp.example has left.*can't have it"):
        custody(run, {**want, "state": "received", "found": found})
    custody(run, {**want, "state": "disposed", "to": "a dealer", "found": found})


def test_two_addresses_of_one_approver_in_hr_are_one_approval(ledger: Ledger) -> None:
    """No case of ours ever named them: that both are Mark's says HR alone."""
    both = ("mark@corp.example", "m.osei@corp.example")
    policy, plan = Policy(approvals=(Approval(needs="wipe", by=both, count=2),)), plan_of()
    for name in both:
        hr = said(name, MARK)
        approvals.approve(ledger, plan, policy, by=name, account=name, note="", run="r", hr=hr)
    assert approvals.missing(ledger, plan, policy)


def test_an_account_counts_for_the_first_person_in_whose_name_it_approved(ledger: Ledger) -> None:
    """Who sits at it may give any name; another approver has an account of their own."""
    policy, plan = Policy(approvals=(Approval(needs="wipe", by=(GRACE, ANN), count=2),)), plan_of()

    def approve_by(name: str, account: str) -> list[str]:
        approvals.approve(ledger, plan, policy, by=name, account=account, note="", run="r")
        return approvals.missing(ledger, plan, policy)

    assert "2 of" in approve_by(GRACE, "kim")[0]
    (said,) = approve_by(ANN, "kim")
    assert "one account (kim)" in said and "wipe" in approvals.stops(policy, ledger, plan)
    assert approve_by(ANN, "ann") == []
    kept = [entry.data["os"] for entry in ledger.noted("approved")]
    assert kept == [os_account()] * 3, "whatever account was given, this machine's own stands beside it"


def test_bridge_and_collection_find_the_account_by_the_same_code() -> None:
    """The bridge imports nothing of the collection, so the file is there twice; a cure of one must reach the other."""
    root = Path(__file__).resolve().parents[2]
    ours, bridges = (root / where for where in ("plugins/plugin_utils/ledger/account.py", BRIDGES_ACCOUNT))
    assert ours.read_text(encoding="utf-8") == bridges.read_text(encoding="utf-8")


def test_an_approver_who_has_left_in_hr_since_counts_no_more(ledger: Ledger) -> None:
    policy, plan = Policy(approvals=(WIPE,)), plan_of()
    approve(ledger, plan, GRACE, policy)
    assert approvals.missing(ledger, plan, policy, said(GRACE, GRACES)) == []
    assert approvals.missing(ledger, plan, policy, said(GRACE, HAS_LEFT))
    assert "wipe" in approvals.stops(policy, ledger, plan, said(GRACE, HAS_LEFT))


def test_whoever_hr_calls_gone_gets_nothing_of_the_person_s_whatever_the_step_calls_it(ledger: Ledger) -> None:
    """The first credential's recipient, delegates, whom mail is forwarded to: of whom our runs never heard."""
    gone = presence.HrSaid.of(answers(GRACE, HAS_LEFT)).gone(ledger)
    for args in ({"deliver_to": GRACE}, {"delegates": ["Grace@corp.example"]}, {"forward_to": "grace+x@corp.example"}):
        assert "has left, HR says" in str(gone_heirs(ledger, JANE, args, gone)), args
    assert not gone_heirs(ledger, JANE, {"deliver_to": GRACE}, {})


@pytest.mark.parametrize("setting", ["lifecycle_mailbox", "lifecycle_first_sign_in"])
def test_hr_is_asked_about_everybody_who_would_get_something(ledger: Ledger, setting: str) -> None:
    policy = Policy(approvals=(WIPE,))
    ledger.note("approved", {"digest": "abc123", "by": ANN}, run="r")
    given = {
        setting: {"delegates": ["x@corp.example"], "deliver_to": "y@corp.example"},
        "successor": "mark@corp.example",
        "withdrawn_by": "Lena Fischer",
        "identify_about": ["owner@corp.example"],
        "plan": "abc",
    }
    asked = asked_about.names(Variables(given, lambda value: value), policy, ledger)
    assert {*asked} == {
        "x@corp.example", "y@corp.example", "mark@corp.example", "Lena Fischer", "owner@corp.example", GRACE, ANN
    }  # fmt: skip


def test_a_full_name_is_found_where_hr_shows_everybody(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("Mail,First,Last\ngrace@corp.example,Grace,Okoye\nann@corp.example,Ann,Lee\n")
    columns = {"email": "Mail", "first_name": "First", "last_name": "Last"}
    options = checked_options("hr", Csv, {"path": str(tmp_path / "p.csv"), "columns": columns})
    want = {name: spec.get("default") for name, spec in PERSON_INFO.argument_spec.items()}
    told = PERSON_INFO.info(
        Csv(Target("hr", "csv", options=options)), {**want, "users": [], "about": ["grace okoye", "Nobody X"]}
    )
    assert [one["email"] for one in told["present"]["grace okoye"]] == [GRACE] and told["present"]["Nobody X"] == []


def test_who_was_made_here_and_is_not_in_hr_yet_is_here(ledger: Ledger) -> None:
    ledger.open_case("onboard", MARK, "run-1", {"key": "2026-06-01"})
    assert presence.presence(ledger, "mark@corp.example", said("mark@corp.example")).gone == ""


def test_a_leaver_is_nobodys_successor_recipient_or_delegate(ledger: Ledger) -> None:
    left(ledger, MARK)
    args = {
        "successor": "mark@corp.example",
        "delegates": ["m.osei@corp.example", ANN],
        "deliver_to": "jane@corp.example",
    }
    assert set(gone_heirs(ledger, JANE, args, {})) == {"mark@corp.example", "m.osei@corp.example", "jane@corp.example"}
    with pytest.raises(
        InputError, match="mark@corp.example has left .* can't be successor: name a successor who works here"
    ):
        presence.require(ledger, "mark@corp.example", role="successor", act="offboard jane", of=JANE)
    with pytest.raises(InputError, match="nobody can be their own successor"):
        presence.require(ledger, "jane+ok@corp.example", role="successor", act="offboard jane", of=JANE)


def test_a_plan_that_says_it_needs_nothing_wipes_nothing(ledger: Ledger) -> None:
    """Its digest is right: whoever forges a plan computes it anew."""
    policy, forged = Policy(approvals=(WIPE,)), plan_of()
    assert forged["needs"] == []
    assert approvals.missing(ledger, forged, policy) == [
        f"wipe: device C02 on intune: an approval of {GRACE} is missing"
    ]
    assert "needs an approval" in approvals.stops(policy, ledger, forged)["wipe"]
    approve(ledger, forged, GRACE, policy)
    assert approvals.missing(ledger, forged, policy) == [] and "wipe" not in approvals.stops(policy, ledger, forged)


def test_a_plan_that_was_approved_under_an_older_policy_needs_what_todays_policy_says(ledger: Ledger) -> None:
    old, new = Policy(approvals=(WIPE,)), Policy(approvals=(Approval(needs="wipe", by=(GRACE, ANN), count=2),))
    plan = plan_of(needs=approvals.needs(old, "offboard", 1, plan_of()["steps"]))
    approve(ledger, plan, GRACE, old)
    assert approvals.missing(ledger, plan, old) == []
    assert "2 of" in approvals.missing(ledger, plan, new)[0] and "wipe" in approvals.stops(new, ledger, plan)


def test_an_approver_who_has_left_since_counts_no_more(ledger: Ledger) -> None:
    policy, plan = Policy(approvals=(WIPE,)), plan_of()
    approve(ledger, plan, GRACE, policy)
    left(ledger, {"email": GRACE, "hr_id": "1"})
    assert approvals.missing(ledger, plan, policy) and "wipe" in approvals.stops(policy, ledger, plan)
    with pytest.raises(InputError, match="has left"):
        approve(ledger, plan, GRACE, policy)


def test_one_person_with_two_addresses_approves_once(ledger: Ledger) -> None:
    policy = Policy(approvals=(Approval(needs="wipe", by=("mark@corp.example", "m.osei@corp.example"), count=2),))
    plan = plan_of()
    ledger.open_case("onboard", MARK, "run-1", {"key": "2020-01-01"})
    for name in ("mark@corp.example", "m.osei@corp.example"):
        approve(ledger, plan, name, policy)
    assert approvals.missing(ledger, plan, policy)


@pytest.mark.parametrize("by", ["jane@corp.example", "jane+ok@corp.example", "j.roth@corp.example"])
def test_nobody_approves_what_is_about_themselves_under_no_address(ledger: Ledger, by: str) -> None:
    policy, plan = Policy(approvals=(Approval(needs="wipe", by=(by,)),)), plan_of()
    with pytest.raises(InputError, match="nobody approves a plan about themselves"):
        approve(ledger, plan, by, policy)


def test_a_row_that_somebody_put_into_the_table_is_no_approval(ledger: Ledger) -> None:
    policy, plan = Policy(approvals=(WIPE,)), plan_of()
    approve(ledger, plan, GRACE, policy)
    with ledger.storage.writing(durable=False) as query:
        query("UPDATE ledger SET hash = ? WHERE kind = 'approved'", ("0" * 64,))
    assert approvals.missing(ledger, plan, policy)


def test_a_plan_is_for_one_event_and_may_be_run_again_for_it(ledger: Ledger) -> None:
    plan = plan_of()
    case = ledger.open_case("offboard", JANE, "run-1", {"key": "2026-03-31", "plan": plan["digest"]})
    approvals.refuse_used(ledger, plan, "offboard", {"107": "2026-03-31"})
    with pytest.raises(InputError, match=f"it was carried out in case {case.id}, which was another event"):
        approvals.refuse_used(ledger, plan, "offboard", {"107": "2027-09-30"})


def stops(ledger: Ledger, **how: Any) -> Mapping[str, str]:
    """What a step on a device may not do, with no policy at all."""
    limits = Limits.of(Policy(), ledger, plan="", plans_folder="", rehearsal=False, system="intune")
    told = {"phase": "secure_devices", "step": "device", "person": "jane@corp.example", "args": {"person": JANE}}
    found: Mapping[str, str] = limits.guard(**{**told, **how}).get("stops") or {}
    return found


def test_a_hold_before_the_leaving_holds_a_wipe(ledger: Ledger) -> None:
    assert not stops(ledger)
    holds.note(ledger, "jane@corp.example", held=True, by="Grace Okoye", why="a dispute", run="run-1")
    assert "held by Grace Okoye: a dispute" in stops(ledger)["wipe"] and "delete" in stops(ledger)
    holds.note(ledger, "107", held=False, by="Grace Okoye", why="settled", run="run-1")
    assert not stops(ledger)


def test_a_wipe_waits_for_the_cut_and_for_what_is_preserved(ledger: Ledger) -> None:
    waits = stops(ledger, unproven="mailbox on exchange (failed)")
    assert waits == {"wipe": "waits for mailbox on exchange (failed): settle that and run again"}
