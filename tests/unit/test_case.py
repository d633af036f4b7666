# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who is meant, which profile, which case; and what a person attests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Identity
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.hr_look import Look
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Overview
from ansible_collections.workforce.lifecycle.plugins.modules.attest import TASK as ATTEST
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import links
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.hr_company import at
from tests.unit.ledger_run import ledger_run

SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "hr": {"connector": "bamboohr", "capabilities": ["hr_records"]},
    "entra": {"connector": "entra", "capabilities": ["provisioning", "entitlements", "cutoff"]},
    "exchange": {"connector": "exchange", "capabilities": ["calendar"]},
    "badge": {"connector": "manual", "capabilities": ["manual_steps"]},
}
JANE = {
    "email": "jane@corp.example",
    "hr_id": "107",
    "employee_id": "E1007",
    "first_name": "Jane",
    "last_name": "Ortiz",
    "department": "Engineering",
    "manager_email": "mark@corp.example",
    "status": "terminated",
    "hire_date": "2020-09-01",
    "termination_date": "2026-03-31",
}
STAYS = {**JANE, "status": "active", "termination_date": ""}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


def book(ledger: Ledger, *, read_only: bool = False) -> LedgerRun:
    return ledger_run(ledger, SYSTEMS, read_only=read_only)


def opened(ledger: Ledger, *people: Mapping[str, Any], read_only: bool = False, **want: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
    params = {
        **defaults,
        "kind": "offboard",
        "user": ["jane@corp.example"],
        "found": [{"system": "hr", "people": list(people)}],
        **want,
    }
    return perform(CASE, book(ledger, read_only=read_only), params)


@pytest.mark.parametrize("user", ["jane@corp.example", "JANE@corp.example", "E1007", "e1007", "107"])
def test_one_person_one_case(ledger: Ledger, user: str) -> None:
    case = opened(ledger, JANE, user=[user])["cases"][0]
    assert case["person"]["email"] == "jane@corp.example" and case["successor"] == "mark@corp.example"
    assert [c.id for c in ledger.cases()] == [case["id"]]
    assert opened(ledger, JANE, user=[user])["cases"][0]["id"] == case["id"], "a second run goes on with the same case"


@pytest.mark.parametrize(
    ("manager", "heir"),
    [
        ([{"email": "mark@corp.example", "hr_id": "109"}], "mark@corp.example"),
        (
            [{"email": "mark@corp.example", "hr_id": "109", "status": "terminated", "last_working_day": "2026-01-31"}],
            "",
        ),
        ([], ""),
    ],
)
def test_a_manager_who_has_left_in_hr_inherits_nothing(
    ledger: Ledger, manager: list[Mapping[str, Any]], heir: str
) -> None:
    """No run of ours offboarded him; without an heir the hand-overs wait. Named by somebody, he is refused."""
    found = [{"system": "hr", "people": [JANE], "present": {"mark@corp.example": manager}}]
    named = opened(ledger, found=found, successor="mark@corp.example")
    assert bool(named.get("failed")) == (not heir) and (heir or "can't be successor" in named["msg"])
    assert opened(ledger, found=found)["cases"][0].get("successor", "") == heir


def test_of_several_leavers_those_with_administrator_rights_come_first(ledger: Ledger, tmp_path: Path) -> None:
    names = ("anna", "ben", "carl")
    anna, ben, carl = (
        {**JANE, "email": f"{name}@corp.example", "hr_id": f"20{n}", "employee_id": f"E20{n}", "first_name": name}
        for n, name in enumerate(names)
    )
    for account in ("ben", "adm-ben"):  # a second account, most often made for an administrator
        ledger.note(
            "linked",
            {"id": account, "login": account, "by": ["number"], "key_field": "employee_id"},
            system="entra",
            person="E201",
            run="r",
        )
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "it.yml").write_text(
        "name: it\nmatch: {department: IT}\nsystems: {entra: {roles: [Global Administrator]}}\n", encoding="utf-8"
    )
    run = ledger_run(ledger, SYSTEMS, policy=Policy(privileged={"entra": {"roles": ("*Administrator",)}}))
    defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
    cases = perform(
        CASE,
        run,
        {
            **defaults,
            "kind": "offboard",
            "user": [f"{name}@corp.example" for name in names],
            "found": [{"system": "hr", "people": [anna, ben, {**carl, "department": "IT"}]}],
            "profiles": str(folder),
        },
    )["cases"]
    emails = [case["person"]["email"].partition("@")[0] for case in cases]
    assert emails == ["ben", "carl", "anna"]


def test_nobody_stops_before_any_case_is_opened(ledger: Ledger) -> None:
    result = opened(ledger, JANE, user=["jane@corp.example", "zoe@corp.example"])
    assert result["failed"] and "offboard zoe@corp.example on hr: nobody in HR" in result["msg"]
    assert ledger.cases() == []


def test_two_matches_stop_with_the_evidence(ledger: Ledger) -> None:
    result = opened(
        ledger, JANE, {**JANE, "hr_id": "207", "employee_id": "E2007", "department": "Sales", "status": "terminated"}
    )
    assert (
        result["code"] == "ambiguous"
        and "E1007" in result["msg"]
        and "E2007" in result["msg"]
        and "give the employee id" in result["msg"]
    )
    assert ledger.cases() == []


def test_a_look_alike_is_not_a_match(ledger: Ledger) -> None:
    """An HR system that answers with somebody else (a filter it ignores) must not move that person."""
    assert opened(ledger, {**JANE, "email": "janet@corp.example", "hr_id": "1", "employee_id": "E1"})["failed"]


def test_who_has_left_is_not_hired(ledger: Ledger, tmp_path: Path) -> None:
    result = opened(
        ledger,
        {**JANE, "status": "terminated", "termination_date": "2026-03-31"},
        kind="onboard",
        profiles=str(tmp_path),
    )
    assert result["failed"] and "has left (2026-03-31)" in result["msg"]


def test_check_mode_opens_nothing(ledger: Ledger) -> None:
    assert opened(ledger, JANE, read_only=True)["cases"][0]["id"] == ""
    assert list(ledger.entries()) == []


def profiles(folder: Path, overlap: int = 0) -> str:
    (folder / "engineering.yml").write_text(
        "match: {department: Engineering}\nsystems:\n  entra: {groups: [Engineering]}\norientation: {minutes: 30, attendees: [manager]}\n"
        + f"overlap: {overlap}\n"
    )
    return str(folder)


def test_the_profile_is_found_and_the_manager_named(ledger: Ledger, tmp_path: Path) -> None:
    case = opened(ledger, STAYS, kind="onboard", profiles=profiles(tmp_path))["cases"][0]
    assert case["profile"] == "engineering" and case["wanted"] == {"entra": {"groups": ["Engineering"]}}
    assert case["orientation"] == {"minutes": 30, "attendees": ["mark@corp.example"], "organiser": "mark@corp.example"}


@pytest.mark.parametrize(
    "hired, earliest, latest",
    [
        ("2026-06-11", "2026-06-10T22:00", "2026-06-11T22:00"),  # a Thursday to come, in Berlin
        ("2026-06-13", "2026-06-14T22:00", "2026-06-15T22:00"),  # a Saturday: on Monday
        ("2026-06-03", "2026-06-03T10:00", "2026-06-04T22:00"),  # today, at noon: what is left of it, or tomorrow
        ("2026-05-04", "2026-06-03T10:00", "2026-06-04T22:00"),  # told late
    ],
)
def test_a_joiner_is_welcomed_on_the_first_working_day(
    ledger: Ledger, tmp_path: Path, hired: str, earliest: str, latest: str
) -> None:
    with at(datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)):
        case = opened(
            ledger,
            {**STAYS, "hire_date": hired, "time_zone": "Europe/Berlin"},
            kind="onboard",
            profiles=profiles(tmp_path),
        )["cases"][0]
    assert {name: when[:16] for name, when in case["first_day"].items()} == {"earliest": earliest, "latest": latest}


def test_an_overlap_ends_by_itself(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert (
        opened(ledger, STAYS, kind="transfer", profiles=profiles(tmp_path / "a", 14))["cases"][0]["overlap_until"]
        > "2026"
    )
    other = {**STAYS, "email": "tom@corp.example", "hr_id": "108", "employee_id": "E1008"}
    assert (
        opened(ledger, other, user=["tom@corp.example"], kind="transfer", profiles=profiles(tmp_path / "b", 0))[
            "cases"
        ][0]["overlap_until"]
        == ""
    )


def attest(ledger: Ledger, **want: Any) -> dict[str, Any]:
    params = {
        "person": "jane@corp.example",
        "system": "badge",
        "what": "",
        "by": "Grace Okoye",
        "at": "",
        "note": "",
        "found": [{"present": {"Grace Okoye": [{"email": "grace@corp.example", "display_name": "Grace Okoye"}]}}],
        **want,
    }
    return perform(ATTEST, book(ledger), params)


@pytest.fixture
def waiting(ledger: Ledger) -> Ledger:
    """A case in which the badge waits for somebody."""
    return waits_for_a_badge(ledger, JANE)


def waits_for_a_badge(ledger: Ledger, person: dict[str, Any]) -> Ledger:
    case = opened(ledger, person, user=[person["email"]])["cases"][0]
    ledger.outcome(
        case["id"],
        run="r",
        phase="closeout",
        system="badge",
        step="manual_step",
        person=person["email"],
        intent=None,
        result={
            "outcome": "needs_human",
            "changes": [{"what": "Collect the badge", "before": "open", "after": "attested", "outcome": "needs_human"}],
        },
    )
    return ledger


@pytest.mark.parametrize(("system", "said"), [("bagde", "did you mean badge"), ("badge,wiki", "One system at a time")])
def test_a_system_that_there_is_none_of_is_not_attested(waiting: Ledger, system: str, said: str) -> None:
    result = attest(waiting, system=system)
    assert result["failed"] and f"there is no system {system}" in result["msg"] and said in result["msg"]


def test_an_attestation_is_kept_with_name_and_time(waiting: Ledger) -> None:
    assert attest(waiting, at="2026-03-31T17:00:00+02:00")["changed"]
    case = waiting.cases()[0]
    assert waiting.history(case.id, "badge", "manual_step")["attested"] == {
        "Collect the badge": {"by": "Grace Okoye", "at": "2026-03-31T15:00:00.000000Z"}
    }
    assert attest(waiting)["changed"] is False, "twice is once"


@pytest.mark.parametrize("user", ["E2012", "employee_id:E2012", "hr_id:107", "107", "J.Old@corp.example"])
def test_who_is_meant_is_found_by_every_name_that_the_case_has(ledger: Ledger, user: str) -> None:
    """The record and the notices name people by number and by id."""
    waits_for_a_badge(ledger, {**JANE, "hr_id": "107", "employee_id": "E2012", "aliases": ["j.old@corp.example"]})
    assert attest(ledger, person=user).get("changed"), user


def test_a_name_of_two_people_is_nobody_s(ledger: Ledger) -> None:
    for number, address in enumerate(("jane@corp.example", "zoe@corp.example")):
        names = {
            "email": address,
            "hr_id": f"10{number}",
            "employee_id": f"E{number}",
            "aliases": ["desk@corp.example"],
        }
        waits_for_a_badge(ledger, {**JANE, **names})
    result = attest(ledger, person="desk@corp.example")
    assert result["failed"] and "jane@corp.example and zoe@corp.example" in result["msg"]


@pytest.mark.parametrize(
    ("want", "said"),
    [
        ({"by": " "}, "by is empty"),
        ({"at": "yesterday"}, "ISO 8601"),
        ({"what": "Collect the bagde"}, "waiting: Collect the badge"),
        ({"person": "zoe@corp.example"}, "no open case"),
    ],
)
def test_a_wrong_attestation_is_refused(waiting: Ledger, want: dict[str, str], said: str) -> None:
    result = attest(waiting, **want)
    assert result["failed"] and said in result["msg"]
    assert waiting.attested(waiting.cases()[0].id, "badge") == []


def test_what_nothing_here_has_stops_a_run_before_a_case_is_opened(ledger: Ledger, tmp_path: Path) -> None:
    kept = opened(ledger, STAYS, kind="transfer", profiles=profiles(tmp_path), keep={"entrra": {"groups": ["x"]}})
    assert kept["failed"] and "did you mean entra?" in kept["msg"]
    (tmp_path / "engineering.yml").write_text("match: {department: Engineering}\ncontrols: [mfa_registred]\n")
    joiner = opened(ledger, STAYS, kind="onboard", profiles=str(tmp_path))
    assert joiner["failed"] and "no system of the company knows the control mfa_registred" in joiner["msg"]
    assert ledger.cases() == []


def test_a_leaver_is_not_moved_on_a_last_day_on_which_hr_still_lists_them(ledger: Ledger, tmp_path: Path) -> None:
    """The move, tried again after the cut, opened the account of somebody who had left that evening."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "all.yml").write_text("match: {department: '*'}\nsystems:\n  entra: {groups: [Staff]}\n")
    profiles = {"kind": "transfer", "profiles": str(tmp_path / "profiles")}
    last_day = {**JANE, "status": "active", "termination_date": "2026-03-31"}
    with at(datetime(2026, 3, 31, 12, 0, tzinfo=timezone.utc)):
        assert "failed" not in opened(ledger, last_day, **profiles)
        (left,) = opened(ledger, last_day, despite_hr="they go at noon")["cases"]
        refused = opened(ledger, last_day, **profiles)
        assert refused["failed"] and refused["code"] == "refused" and left["id"] in refused["msg"], refused
        (hired,) = opened(ledger, STAYS, kind="onboard", profiles=profiles["profiles"])["cases"]
        assert hired["id"] and "failed" not in opened(ledger, STAYS, **profiles), (
            "who was hired again moves as others do"
        )


def linked(ledger: Ledger, system: str, account: str, person: Mapping[str, Any] = JANE) -> None:
    seen = {"id": account, "login": account, "by": ["address"], "whose": "theirs"}
    links.keep(ledger, Person.of(person), system, [seen], "r")


@pytest.mark.parametrize(
    ("seen", "policy", "missing"),
    [
        ((), Policy(), set()),
        ((("wiki", "7"),), Policy(), {"wiki"}),
        # it has another name in the systems file now, and the same account was seen there
        ((("wiki", "7"), ("entra", "7")), Policy(), set()),
        ((("wiki", "7"),), Policy(identity=Identity(retired=["wiki"])), set()),
    ],
)
def test_a_leaver_is_not_done_with_a_system_that_was_taken_out_of_the_file(
    ledger: Ledger, seen: Sequence[tuple[str, str]], policy: Policy, missing: set[str]
) -> None:
    for system, account in seen:
        linked(ledger, system, account)
    run = ledger_run(ledger, SYSTEMS, policy=policy)
    defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
    said = {"kind": "offboard", "user": ["jane@corp.example"], "found": [{"system": "hr", "people": [JANE]}]}
    [case] = perform(CASE, run, {**defaults, **said})["cases"]
    assert set(ledger.case(case["id"]).facts.expected) - set(SYSTEMS) == missing


def test_two_hr_systems_that_have_one_id_for_two_people_are_refused(ledger: Ledger) -> None:
    zoe = {**JANE, "email": "zoe@corp.example", "employee_id": "Z9", "first_name": "Zoe", "last_name": "Zorn"}
    looks = {name: Look.of(Overview([Person.of(one)], [])).as_dict() for name, one in (("hr", JANE), ("hr2", zoe))}
    found = [
        {"system": "hr", "people": [JANE], "look": looks["hr"]},
        {"system": "hr2", "people": [], "look": looks["hr2"]},
    ]
    refused = opened(ledger, found=found)
    assert refused.get("failed") and "hr2 has somebody else with the id 107" in refused["msg"] and not ledger.cases()
    twice = [{**one, "look": looks["hr"]} for one in found]
    assert opened(ledger, found=twice)["cases"], "the same record in both is the same person"
