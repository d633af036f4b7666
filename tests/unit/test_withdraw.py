# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A hire that is taken back: undone is what its onboarding made, and nothing else. And when things took effect, and were known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Followups
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case, Facts
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.undo import made, refuse_begun, taken
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account, Meeting
from ansible_collections.workforce.lifecycle.plugins.modules import restore
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.later import followups
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record

from tests.unit.hr_company import HrCompany, at, row
from tests.unit.test_reinstatement import entry
from tests.unit.test_reinstatement import row as change

NOW = datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)
TAKEN_BACK = {"status": "terminated", "hire_date": "2026-06-15", "termination_date": "2026-06-15"}


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def company(tmp_path: Path) -> HrCompany:
    return HrCompany(tmp_path)


# -- what an onboarding made ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "owes"),
    [
        (
            [entry("account", change("account", "absent", "active"), change("attribute title", None, "Engineer"))],
            {"suspend": True, "created": True},
        ),
        (
            [
                entry(
                    "account", change("account", "suspended", "active"), change("attribute title", "Seller", "Engineer")
                )
            ],
            {"suspend": True, "attributes": {"title": {"was": "Seller", "made": "Engineer"}}},
        ),
        ([entry("account", change("account", "deleted", "active"))], {"suspend": True}),
        (
            [
                entry(
                    "account",
                    change("account", "active", "active", "already"),
                    change("attribute title", "", "Engineer"),
                )
            ],
            {"attributes": {"title": {"was": "", "made": "Engineer"}}},
        ),
        (
            [
                entry(
                    "entitlements",
                    change("groups: Staff", "not held", "held"),
                    change("groups: News", "held", "held", "already"),
                )
            ],
            {"entitlements": {"groups": ["Staff"]}},
        ),
        ([entry("entitlements", change("groups: Old", "held", None))], {}),
        ([entry("entitlements", change("groups: Staff", "not held", "held", "failed", code="permission"))], {}),
        ([entry("meeting", change("meeting", "not booked", "booked"))], {"meeting": True}),
        (
            [entry("mailbox", change("type", "shared", "user"))],
            {"mailbox": {"type": {"was": "shared", "made": "user"}}},
        ),
        (
            [
                entry("account", change("account", "absent", "active")),
                entry("first_sign_in", change("first credential", "not issued", "issued")),
            ],
            {"suspend": True, "created": True},
        ),
        ([entry("account", change("account", "absent", "active"), kind="intent")], {"suspend": True, "created": True}),
    ],
)
def test_what_an_onboarding_made(entries: list[dict[str, Any]], owes: dict[str, Any]) -> None:
    assert made(taken(entries)) == ({"s": owes} if owes else {})


@pytest.mark.parametrize(
    ("entries", "what", "why", "anew"),
    [
        (
            [entry("first_sign_in", change("first credential", "not issued", "issued"))],
            "first credential",
            "stays open: take it back",
            False,
        ),
        (
            [
                entry("account", change("account", "suspended", "active")),
                entry("first_sign_in", change("first credential", "not issued", "issued")),
            ],
            "first credential",
            "opens nothing",
            True,
        ),
        ([entry("device_assignment", change("device 5CG", "", "ada"))], "device 5CG", "takes it back", False),
        ([entry("left before", change("roles: Admin", "held", None))], "roles: Admin", "does not come back", True),
        (
            [{"kind": "attested", "system": "s", "step": "manual_step", "what": "Print a badge", "by": "Grace"}],
            "Print a badge",
            "undone by hand",
            False,
        ),
        ([entry("something new", change("thing", "one", "two"))], "thing", "by hand", False),
    ],
)
def test_what_no_run_undoes_is_said(entries: list[dict[str, Any]], what: str, why: str, anew: bool) -> None:
    [lost] = made(taken(entries))["s"]["lost"]
    assert lost["what"] == what and why in lost["why"] and lost["anew"] is anew


# -- whose hire can be taken back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "by", "refused"),
    [
        (TAKEN_BACK, "", ""),
        ({"status": "pending", "hire_date": "2026-06-15"}, "", "withdrawn_by"),
        ({"status": "pending", "hire_date": "2026-06-15"}, "Grace Okoye", ""),
        (
            {"status": "terminated", "hire_date": "2026-05-01", "termination_date": "2026-05-31"},
            "",
            "who began and left is a leaver",
        ),
        (TAKEN_BACK, "p7@corp.example", "it is about "),
    ],
)
def test_hr_says_so_or_a_named_person_does(facts: dict[str, str], by: str, refused: str) -> None:
    with pytest.raises(InputError, match=refused) if refused else nullcontext():
        refuse_begun(Person.of({"email": "p7@corp.example", **facts}), by)


def onboarded(company: HrCompany, **facts: str) -> str:
    """The case of somebody who was given an account in the wiki, where they had one at the CRM already."""
    company.has(row(1), row(7, status="pending", hire_date="2026-06-15", **facts))
    case = company.run("onboard", "7")["cases"][0]["id"]
    did = [
        ("wiki", "account", change("account", "absent", "active")),
        ("wiki", "entitlements", change("groups: Staff", "not held", "held")),
        ("crm", "account", change("account", "active", "active", "already")),
        ("crm", "entitlements", change("groups: Sales", "held", "held", "already")),
    ]
    for system, step, made_ in did:
        company.ledger.outcome(
            case,
            run="r",
            phase="provision",
            system=system,
            step=step,
            person="p7@corp.example",
            intent=None,
            result={"outcome": "done", "changes": [made_]},
        )
    return str(case)


def test_only_what_its_own_onboarding_made_is_undone(company: HrCompany) -> None:
    hire = onboarded(company)
    refused = company.run("withdraw", "7")
    assert (
        refused["failed"]
        and "HR says that First7 Last7 is pending" in refused["msg"]
        and "withdrawn_by" in refused["msg"]
    )
    company.has(row(1), row(7, **TAKEN_BACK))
    case = company.run("withdraw", "7", of=hire)["cases"][0]
    assert case["made"] == {"wiki": {"suspend": True, "created": True, "entitlements": {"groups": ["Staff"]}}}, (
        "the CRM's was there before, and stays"
    )
    assert case["facts"]["created"] == ["wiki"]
    assert (
        company.ledger.case(hire).withdrawn
        and company.ledger.noted("withdrawn", case=hire)[0].data["withdraw"] == case["id"]
    )
    assert company.run("withdraw", "7")["cases"][0]["id"] == case["id"], "a second run goes on with it"
    company.ledger.close_case(case["id"], run="r", complete=True, summary={})
    assert company.run("withdraw", "7")["cases"][0]["made"] == {}, "and undoes nothing twice"
    company.has(row(1), row(7, status="pending", hire_date="2026-06-15"))
    assert company.run("onboard", "7")["cases"][0]["id"] != hire, "who is hired after all begins anew"


def test_a_rehearsal_withdraws_nothing(company: HrCompany) -> None:
    hire = onboarded(company)
    entries = len(list(company.ledger.entries()))
    case = company.run("withdraw", "7", of=hire, withdrawn_by="Grace Okoye", read_only=True)["cases"][0]
    assert case["made"] and len(list(company.ledger.entries())) == entries


def test_what_was_deleted_in_hr_needs_a_name_and_the_case(company: HrCompany) -> None:
    hire = onboarded(company)
    company.has(row(1), row(2))
    for want in ({}, {"of": hire}, {"withdrawn_by": "Grace Okoye"}):
        assert "nobody in HR has this" in company.run("withdraw", "7", **want)["msg"], (
            "a record that is gone is no word of HR"
        )
    assert company.run("withdraw", "7", of=hire, withdrawn_by="Grace Okoye")["cases"][0]["made"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("transfer", "they moved afterwards"),
        ("offboard", "they were offboarded afterwards"),
        ("onboard", "they were hired again afterwards"),
    ],
)
def test_more_than_the_hire_hangs_on_it(company: HrCompany, kind: str, said: str) -> None:
    hire = onboarded(company)
    company.ledger.close_case(hire, run="r", complete=True, summary={})
    with at(NOW + timedelta(hours=1)):
        company.ledger.open_case(kind, row(7), "r", {"key": "later"})
    refused = company.run("withdraw", "7", of=hire, withdrawn_by="Grace Okoye")
    assert refused["failed"] and said in refused["msg"]
    assert "no onboarding of theirs" in company.run("withdraw", "7", of="onboard-x", withdrawn_by="Grace Okoye")["msg"]


def test_only_accounts_that_it_made_are_deleted_later() -> None:
    case = Case("w", "withdraw", "7", row(7), "2026-06-03T10:00:00.000000Z", facts=Facts(created=("wiki",)))
    steps = [
        {"system": name, "phase": "withdraw", "step": "cutoff", "outcome": "done", "result": {}}
        for name in ("wiki", "crm")
    ]
    systems = {name: {"capabilities": ["provisioning"]} for name in ("wiki", "crm")}
    due = list(followups._wanted(case, steps, systems, Policy(followups=Followups(delete_account=30)), ""))
    assert [(one.step, one.system) for one in due] == [("delete_account", "wiki")]


# -- putting it back -----------------------------------------------------------------------------------------------------


class Memory:
    """A directory and a calendar that are a few variables."""

    def __init__(self, **attributes: str) -> None:
        self.attributes, self.meetings = (
            attributes,
            {"orientation-E7": Meeting("m1", "Welcome", "", "", "boss@corp.example")},
        )

    def find_account(self, person: Person) -> Account | None:
        return Account("7", "p7", True, attributes=dict(self.attributes))

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        self.attributes.update(attributes)

    def find_meeting(self, person: Person, marker: str) -> Meeting | None:
        return self.meetings.get(marker) if person.email == "boss@corp.example" else None

    def cancel_meeting(self, person: Person, meeting: Meeting, comment: str) -> None:
        self.meetings.clear()


def restored(system: Memory, part: str, owes: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in restore.TASK.spec.items()}
    return restore.TASK.run(
        {**params, "system": "x", "person": row(7), "part": part, "taken": dict(owes)}, check_mode=False, system=system
    )


def test_attributes_of_before_come_back_and_others_changes_stay() -> None:
    system = Memory(title="Engineer", department="Legal")
    owes = {"title": {"was": "Seller", "made": "Engineer"}, "department": {"was": "Sales", "made": "Engineering"}}
    result = restored(system, "attributes", {"attributes": owes})
    assert system.attributes == {"title": "Seller", "department": "Legal"} and result["outcome"] == "done"
    assert "somebody has set it to 'Legal' since" in next(
        one["note"] for one in result["changes"] if one["what"] == "attribute department"
    )


def test_the_orientation_is_cancelled_once() -> None:
    system, owes = Memory(), {"meeting": {"organiser": "boss@corp.example", "marker": "orientation-E7"}}
    assert restored(system, "meeting", owes)["outcome"] == "done" and not system.meetings
    assert restored(system, "meeting", owes)["outcome"] == "already"
    assert restored(system, "meeting", {"meeting": {}})["outcome"] == "needs_human"


# -- when it took effect, and when HR knew -------------------------------------------------------------------------------


def facts(company: HrCompany, kind: str = "offboard", **want: str) -> dict[str, Any]:
    opened = company.run(kind, "7", **want)
    assert not opened.get("failed"), opened
    found: dict[str, Any] = opened["cases"][0]["facts"]
    return found


def test_hrs_dates_say_when_a_leaver_left(company: HrCompany) -> None:
    company.has(row(1), row(7, status="terminated", termination_date="2026-05-20"))
    assert facts(company)["effective_at"] == "2026-05-20T22:00:00.000000Z", "the end of the day in Berlin"
    assert "hr_recorded_at" not in facts(company)


def test_an_end_that_is_to_come_is_no_beginning(company: HrCompany) -> None:
    company.has(row(1), row(7, status="terminated", termination_date="2026-06-03"))
    assert "effective_at" not in facts(company), "cut at once today, the day is not over"


def test_who_starts_the_run_may_know_better(company: HrCompany) -> None:
    company.has(row(1), row(7, status="terminated", termination_date="2026-05-20"))
    known = facts(company, effective_at="2026-05-20T17:00:00+02:00", hr_recorded_at="2026-06-03T09:00:00Z")
    assert (known["effective_at"], known["hr_recorded_at"]) == (
        "2026-05-20T15:00:00.000000Z",
        "2026-06-03T09:00:00.000000Z",
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("effective_at", "2026-05-20", "ISO 8601 with a zone"),
        ("effective_at", "2026-05-20T17:00:00", "ISO 8601 with a zone"),
        ("hr_recorded_at", "yesterday", "ISO 8601 with a zone"),
        ("hr_recorded_at", "2026-06-03T17:00:00Z", "which is in the future"),
    ],
)
def test_a_moment_that_nobody_can_read_opens_nothing(company: HrCompany, name: str, text: str, said: str) -> None:
    company.has(row(1), row(7, status="terminated", termination_date="2026-05-20"))
    assert said in company.run("offboard", "7", **{name: text})["msg"] and company.ledger.cases() == []


@pytest.mark.parametrize(
    ("known", "to_cut", "after", "latency"),
    [
        # opened at 10:00, cut at 10:05; HR knew at 09:00, and they left at 17:00 a fortnight before
        (
            {"effective_at": "2026-05-20T15:00:00Z", "hr_recorded_at": "2026-06-03T09:00:00Z"},
            3900.0,
            14 * 86400 - 5 * 3600 + 300,
            14 * 86400 - 6 * 3600,
        ),
        ({"effective_at": "2026-05-20T15:00:00Z"}, 300.0, 14 * 86400 - 5 * 3600 + 300, None),
        (
            {"effective_at": "2026-06-03T10:10:00Z", "hr_recorded_at": "2026-06-01T10:00:00Z"},
            -300.0,
            -300.0,
            -2 * 86400 - 600,
        ),
        ({"hr_recorded_at": "2026-06-03T09:00:00Z"}, 3900.0, None, None),
        ({}, 300.0, None, None),
    ],
)
def test_time_to_cut_and_how_late_it_was(
    company: HrCompany, known: dict[str, str], to_cut: float, after: float | None, latency: float | None
) -> None:
    case = company.ledger.open_case("offboard", row(7), "r", {"key": "x", **known})
    with at(NOW + timedelta(minutes=5)):
        company.ledger.outcome(
            case.id,
            run="r",
            phase="cutoff",
            system="wiki",
            step="cutoff",
            person="p7@corp.example",
            intent=None,
            result={"outcome": "done", "changes": [change("sign-in", "open", "closed")]},
        )
        made_ = record.build(
            company.ledger, case.id, {"wiki": {"service_level": {"cutoff": "15m"}, "capabilities": ["cutoff"]}}
        )
    timings = made_["timings"]
    assert (timings["time_to_cut_s"], timings["cut_after_effective_s"], timings["hr_latency_s"]) == (
        to_cut,
        after,
        latency,
    )
    assert made_["trigger"].get("effective_at") == known.get("effective_at") and made_["summary"][
        "service_levels_met"
    ] is (to_cut <= 900)
    page = record.render_html(made_)
    said = "" if after is None else "before that" if after < 0 else "after that"
    assert [one for one in ("before that", "after that") if one in page] == ([said] if said else []) and (
        "HR recorded it" in page
    ) is (latency is not None)


def test_a_withdrawn_hire_has_a_record_of_its_own(company: HrCompany) -> None:
    hire = onboarded(company)
    case = company.run("withdraw", "7", of=hire, withdrawn_by="Grace Okoye")["cases"][0]["id"]
    company.ledger.outcome(
        case,
        run="r",
        phase="withdraw",
        system="wiki",
        step="cutoff",
        person="p7@corp.example",
        intent=None,
        result={"outcome": "done", "changes": [change("sign-in", "open", "closed")]},
    )
    systems: dict[str, Mapping[str, Sequence[str]]] = {
        "wiki": {"capabilities": ["cutoff"]},
        "crm": {"capabilities": ["cutoff"]},
    }
    told = record.build(company.ledger, case, systems)
    assert (
        told["verdict"]["word"] == "withdrawn"
        and told["trigger"]["withdrawn_by"] == "Grace Okoye"
        and told["open_items"] == []
    )
    assert [gap["why"] for gap in told["scope"]["not_covered"] if gap["system"] == "crm"] == ["nothing was taken here"]
