# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a case took, and what is given back: the ledger's entries in, what each system owes out; and whom the ledger lets undo what."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Approval
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, Refused
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.undo import (
    owed,
    put_back,
    refuse_standing,
    taken,
)
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.cases.undo import reinstating, withdraw
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

JANE = {
    "email": "jane@corp.example",
    "hr_id": "107",
    "employee_id": "E1007",
    "first_name": "Jane",
    "last_name": "Ortiz",
    "status": "terminated",
    "termination_date": "2026-03-31",
}
NOW = datetime(2026, 3, 31, 12, tzinfo=timezone.utc)


def row(what: str, before: Any, after: Any, outcome: str = "done", **more: Any) -> dict[str, Any]:
    return {"what": what, "before": before, "after": after, "outcome": outcome, **more}


def entry(step: str, *rows: Mapping[str, Any], kind: str = "outcome", system: str = "s") -> dict[str, Any]:
    return {"kind": kind, "system": system, "step": step, "changes": list(rows)}


#: (step, row, what the system then owes)
GIVEN_BACK: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("cutoff", row("sign-in", "open", "closed"), {"access": {"sign-in": "open"}}),
    ("cutoff", row("mail protocols", "open: owa, imap", "closed"), {"access": {"mail protocols": "open: owa, imap"}}),
    ("cutoff", row("password", "unseen", "closed", "acknowledged"), {"access": {"password": "unseen"}}),
    ("account", row("account", "active", "suspended"), {"suspended": True}),
    ("account", row("account", "suspended", "absent"), {"deleted": True}),
    ("delete_account", row("account", "suspended", "absent"), {"deleted": True}),
    ("entitlements", row("groups: Engineering", "held", None), {"entitlements": {"groups": ["Engineering"]}}),
    (
        "entitlements",
        row("account_assignments: Admin: all@1", "held", None),
        {"entitlements": {"account_assignments": ["Admin: all@1"]}},
    ),
    ("mailbox", row("type", "user", "shared"), {"mailbox": {"type": {"was": "user", "made": "shared"}}}),
    ("mailbox", row("delegates", [], ["mark@c"]), {"mailbox": {"delegates": {"was": [], "made": ["mark@c"]}}}),
    ("files_handover", row("files", "not open to mark@c", "open to mark@c"), {"files": ["mark@c"]}),
    (
        "ownership",
        row("full access to mark@c", "of jane", None, note="is closed to them"),
        {"let_in": ["full access to mark@c"]},
    ),
    (
        "ownership",
        row("group Crew", "of jane", None, note="goes to mark@c"),
        {"owned": [{"what": "group Crew", "keep": False}]},
    ),
    (
        "ownership",
        row("group Crew", "of jane", None, note="stays with mark@c, who owns it too"),
        {"owned": [{"what": "group Crew", "keep": True}]},
    ),
]
#: (step, row, what of the reason, whether the person has it again by their own hands)
LOST: list[tuple[str, dict[str, Any], str, bool]] = [
    ("files_handover", row("sharing links", 12, 0), "12 ended", True),
    ("ownership", row("deploy key x", "of jane", None, note="is revoked"), "make a new one", False),
    (
        "meetings_handover",
        row("meeting M", "organised by jane", None, note="handed over to mark@c"),
        "mark@c gives it back",
        True,
    ),
    ("meetings_handover", row("meeting M", "organised by jane", None, note="cancelled"), "book it again", True),
    ("device", row("device C02", "managed", "wiped"), "enrol it again", False),
    ("device", row("device C02", "managed", "wiped", "in_progress"), "cancel it", False),
    ("device", row("device F2L", "managed", "retired"), "enrol it again", True),
    ("device", row("device C02", "managed", "locked"), "the code", False),
    ("something new", row("thing", "one", "two"), "by hand", False),
]
NOT_OURS = [
    ("cutoff", row("sign-in", "closed", "closed", "already")),
    ("entitlements", row("groups: News", "held", "held", "already", note="dynamic")),
    ("entitlements", row("groups: Sales", "held", None, "failed", code="permission")),
    ("entitlements", row("groups: Sales", "held", None, "failed", code="not_sent")),
    ("cutoff", row("role X", "open", "closed", "needs_human")),
    ("device", row("escrow key of C02", "not escrowed", "escrowed")),
    ("mailbox_archive", row("mailbox archive", "none", "complete")),
    ("cutoff", row("account", None, None, "absent")),
]


@pytest.mark.parametrize(("step", "one", "owes"), GIVEN_BACK)
def test_what_was_taken_is_given_back(step: str, one: dict[str, Any], owes: dict[str, Any]) -> None:
    assert owed(taken([entry(step, one)])) == {"s": owes}


@pytest.mark.parametrize(("step", "one", "why", "anew"), LOST)
def test_what_can_not_come_back_is_said(step: str, one: dict[str, Any], why: str, anew: bool) -> None:
    [lost] = owed(taken([entry(step, one)]), "mark@c")["s"]["lost"]
    assert lost["what"] == one["what"] and why in lost["why"] and lost["anew"] is anew


@pytest.mark.parametrize(("step", "one"), NOT_OURS)
def test_what_the_case_did_not_do_is_left_alone(step: str, one: dict[str, Any]) -> None:
    assert owed(taken([entry(step, one)])) == {}


def test_a_killed_run_counts_what_it_had_begun() -> None:
    begun = entry("cutoff", {"what": "sign-in", "before": "open", "after": "closed"}, kind="intent")
    assert owed(taken([begun])) == {"s": {"access": {"sign-in": "open"}}}
    settled = entry("cutoff", row("sign-in", "open", "closed", "unknown"))
    found_so = entry("cutoff", row("sign-in", "closed", "closed", "already"))
    assert owed(taken([begun, settled, found_so])) == {"s": {"access": {"sign-in": "open"}}}


def test_what_was_refused_was_not_taken_but_what_may_still_come_was() -> None:
    begun = entry("cutoff", {"what": "sign-in", "before": "open", "after": "closed"}, kind="intent")
    assert owed(taken([begun, entry("cutoff", row("sign-in", "open", "closed", "failed", code="permission"))])) == {}
    assert owed(taken([begun, entry("cutoff", row("sign-in", "open", "closed", "failed", code="read_back"))])) != {}
    done = entry("cutoff", row("sign-in", "open", "closed"))
    refused = entry("cutoff", row("sign-in", "open", "closed", "failed", code="permission"))
    assert owed(taken([begun, done, begun, refused])) == {"s": {"access": {"sign-in": "open"}}}, (
        "a later refusal does not undo what was done"
    )


def test_several_runs_owe_what_was_before_the_first() -> None:
    first, second = (
        entry("mailbox", row("delegates", [], ["mark@c"])),
        entry("mailbox", row("delegates", ["mark@c"], ["lena@c"])),
    )
    assert owed(taken([first, second]))["s"]["mailbox"]["delegates"] == {"was": [], "made": ["lena@c"]}
    undone = entry("end_forwarding", row("forward_to", "mark@c", ""))
    assert owed(taken([entry("mailbox", row("forward_to", "", "mark@c")), undone])) == {}, (
        "what a follow-up has ended is as it was"
    )


def test_what_a_person_did_by_hand_is_undone_by_hand() -> None:
    [lost] = owed(
        taken(
            [{"kind": "attested", "system": "badge", "step": "manual_step", "what": "Collect the badge", "by": "Grace"}]
        )
    )["badge"]["lost"]
    assert lost == {"what": "Collect the badge", "why": "Grace did it, by hand: it is undone by hand", "anew": False}


@pytest.mark.parametrize(
    ("name", "was", "made", "now", "wanted", "said"),
    [
        ("type", "user", "shared", "shared", "user", ""),
        ("type", "user", "shared", "user", "user", ""),
        ("auto_reply", "", "gone", "on a journey", "on a journey", "somebody has set it"),
        ("delegates", [], ["mark@c"], ["mark@c"], [], ""),
        ("delegates", [], ["mark@c"], ["lena@c", "mark@c"], ["lena@c"], "left: lena@c"),
        ("delegates", ["tom@c"], ["mark@c"], ["mark@c"], ["tom@c"], ""),
    ],
)
def test_what_others_changed_since_is_left(name: str, was: Any, made: Any, now: Any, wanted: Any, said: str) -> None:
    value, note = put_back(name, was, made, now)
    assert value == wanted and said in note and bool(said) == bool(note)


# -- who may be reinstated -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "by", "refused"),
    [
        ({"status": "active", "termination_date": ""}, "", ""),
        ({"status": "active", "termination_date": "2026-12-31"}, "", ""),
        ({}, "", "withdrawn_by"),
        ({"status": "active", "termination_date": "2026-03-01"}, "", "withdrawn_by"),
        ({}, "Grace Okoye", ""),
        ({}, "jane@corp.example", "it is about "),
        ({}, "Jane Ortiz", "it is about "),
    ],
)
def test_hr_says_so_or_a_named_person_does(facts: dict[str, str], by: str, refused: str) -> None:
    person = Person.of({**JANE, **facts})
    with pytest.raises(InputError, match=refused) if refused else nullcontext():
        refuse_standing(person, NOW, by)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


def left(ledger: Ledger, **facts: Any) -> Case:
    case = ledger.open_case("offboard", JANE, "r", {"key": "2026-03-31", "successor": "mark@corp.example", **facts})
    for step, one in (
        ("cutoff", row("role Auditor", "open", "closed")),
        ("entitlements", row("roles: Reader", "held", None)),
        ("ownership", row("group Crew", "of jane", None)),
    ):
        ledger.outcome(
            case.id,
            run="r",
            phase="x",
            system="entra",
            step=step,
            person=JANE,
            intent=None,
            result={"outcome": "done", "changes": [one]},
        )
    return case


def undone(ledger: Ledger, of: str = "", policy: Policy | None = None, *, approved: bool = False) -> Any:
    return reinstating(ledger, Person.of(JANE), of, "Grace Okoye", policy or Policy(), approved=approved)


def test_the_last_offboarding_is_undone(ledger: Ledger) -> None:
    case = left(ledger)
    found = undone(ledger)
    assert found.of.id == case.id
    assert found.owed == {
        "entra": {
            "access": {"role Auditor": "open"},
            "entitlements": {"roles": ["Reader"]},
            "owned": [{"what": "group Crew", "keep": False}],
            "successor": "mark@corp.example",
        }
    }


def test_a_withdrawn_case_is_over(ledger: Ledger) -> None:
    case = left(ledger)
    ledger.close_case(case.id, run="r", complete=True, summary={})
    back = ledger.open_case("reinstate", JANE, "r", {"key": case.id, "of": case.id})
    withdraw(ledger, undone(ledger).of, by="Grace Okoye", case=back.id, run="r")
    withdraw(ledger, undone(ledger).of, by="Grace Okoye", case=back.id, run="r")
    assert [entry.data["reinstate"] for entry in ledger.noted("withdrawn", case=case.id)] == [back.id], "once"
    assert ledger.case(case.id).withdrawn and [case.kind for case in ledger.cases(open_only=True)] == ["reinstate"]
    assert ledger.open_case("reinstate", JANE, "r", {"key": case.id}).id == back.id, (
        "a second run goes on with the same case"
    )
    again = left(ledger)
    assert again.id != case.id, "the same last day, and a case of its own"
    assert ledger.open_case("reinstate", JANE, "r", {"key": again.id}).id != back.id
    with pytest.raises(Refused, match=again.id):
        undone(ledger, case.id)


def test_a_finished_reinstatement_gives_nothing_twice(ledger: Ledger) -> None:
    case = left(ledger)
    back = ledger.open_case("reinstate", JANE, "r", {"key": case.id, "of": case.id})
    ledger.close_case(back.id, run="r", complete=True, summary={})
    assert undone(ledger).owed == {}


@pytest.mark.parametrize("kind", ["onboard", "transfer"])
def test_who_began_anew_does_not_get_the_old_back(ledger: Ledger, kind: str) -> None:
    left(ledger)
    ledger.open_case(kind, JANE, "r", {"key": "x"})
    with pytest.raises(Refused, match="afterwards"):
        undone(ledger)


def test_no_case_no_reinstating(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="no offboarding"):
        undone(ledger)
    case = left(ledger)
    with pytest.raises(InputError, match=case.id):
        undone(ledger, "offboard-tom")


def test_what_is_privileged_waits_for_an_approval(ledger: Ledger) -> None:
    left(ledger)
    policy = Policy(
        approvals=[Approval("privileged", ["grace@corp.example"])], privileged={"entra": {"roles": ["Aud*"]}}
    )
    stop = undone(ledger, policy=policy).owed["entra"]["stop"]
    assert stop["patterns"] == ["roles: Aud*"] and "grace@corp.example" in stop["why"]
    assert "stop" not in undone(ledger, policy=policy, approved=True).owed["entra"]
    assert "stop" not in undone(ledger, policy=Policy(privileged={"entra": {"roles": ["Aud*"]}})).owed["entra"], (
        "policy asks for no approval"
    )
