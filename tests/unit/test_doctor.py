# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""doctor, locate, steps and init: what they find out of one system, and what they say of the whole."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import load_profiles
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.microsoft.graph import granted_roles
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.health import endpoint as endpoints
from ansible_collections.workforce.lifecycle.plugins.module_utils.health import probe
from ansible_collections.workforce.lifecycle.plugins.module_utils.health.coverage import measure
from ansible_collections.workforce.lifecycle.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.workforce.lifecycle.plugins.module_utils.health.shares import proposed, shares
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import read_document
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.correlation import Whose, judge
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.keys import Kind
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account, Listed
from ansible_collections.workforce.lifecycle.plugins.modules import doctor_system, locate_system
from ansible_collections.workforce.lifecycle.plugins.modules.locate import TASK as LOCATE
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.doctor import act as doctor
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.init import act as init
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.locate import act as locate
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.steps import act as steps
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.health.first_files import Named
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.health.workplace import Here
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.systems_file import check_systems
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.links import Link, keep_seen
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.inventory import AnsibleInventory

from sandbox.box import Box
from sandbox.vendors.slack import Slack
from sandbox.vendors.tailscale import Tailscale
from tests.support import connect, person_of, run

MARK = {"email": "mark@corp.example", "employee_id": "E1002", "department": "Engineering", "status": "active"}
GONE = {"email": "gone@corp.example", "employee_id": "E1", "department": "Engineering", "status": "terminated"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box([Tailscale, Slack]) as running:
        yield running


@pytest.fixture
def box(shared: Box) -> Box:
    for emulator in shared.emulators.values():
        emulator.reset()
    return shared


def here(
    hosts: Mapping[str, list[str]], *, connector: str = "scim", spool: Path = Path("/nowhere"), **top: str
) -> Here:
    """A workplace with these inventory groups, one connector for all systems, and top-level keys of the systems file."""
    known = SimpleNamespace(raw_get=lambda host: {"lifecycle_connector": connector})
    inventory = AnsibleInventory({"groups": hosts, "hostvars": known}, lambda value: value)
    paths = {name: top.get(name, "") for name in ("ledger", "policy", "profiles")}
    return Here(inventory, **paths, spool=str(spool), open_ledger=lambda: None, read_only=False, check=check_systems)


def judged(workplace: Here, **answers: Any) -> dict[str, Any]:
    """The doctor's verdict on these answers."""
    return doctor(workplace, {"state": "judge", "path": None, "coverage": 0, "examined": {}, "hr_read": {}, **answers})


def located(workplace: Here, user: str = "a@x", **answers: Any) -> dict[str, Any]:
    """What locate says of these answers."""
    return locate(workplace, {"users": [user], "found": [], "unread": {}, "located": {}, **answers})


# -- one system ------------------------------------------------------------------------------------------------------------


def test_a_healthy_system_has_no_problem_and_nothing_is_written(box: Box) -> None:
    result = run(doctor_system.TASK, box, "tailscale")
    assert result["health"]["reached"] and result["health"]["problems"] == []
    assert result["health"]["permissions"]["account_listing"]["users:read"] == "present"
    assert result["health"]["endpoint"]["certificate_days"] > 21
    assert box["tailscale"].writes() == []


def test_a_missing_permission_is_named_by_capability_in_the_vendors_words(box: Box) -> None:
    box["tailscale"].fault("status", status=403, path=r"/keys", times=-1)
    (problem,) = run(doctor_system.TASK, box, "tailscale")["health"]["problems"]
    assert (problem["kind"], problem["capability"]) == ("permission", "credential_listing")
    assert "auth_keys:read" in problem["fix"]


def test_a_bad_credential_is_said_once_and_not_for_each_capability(box: Box) -> None:
    credentials = dict.fromkeys(box.systems()["tailscale"]["credentials"], "wrong")
    (problem,) = run(doctor_system.TASK, box, "tailscale", changes={"credentials": credentials})["health"]["problems"]
    assert problem["kind"] == "credential"


def test_an_answer_that_says_nothing_is_named_with_its_question(box: Box) -> None:
    box["tailscale"].fault("status", status=500, times=-1)
    (problem,) = run(doctor_system.TASK, box, "tailscale")["health"]["problems"]
    assert problem["kind"] == "reach" and ": 500 " in problem["what"] and problem["fix"], problem


def test_a_system_that_does_not_answer_is_not_reached(box: Box) -> None:
    result = run(doctor_system.TASK, box, "tailscale", changes={"url": "https://localhost:1"})
    assert not result["health"]["reached"] and [p["kind"] for p in result["health"]["problems"]] == ["reach"]


@pytest.mark.parametrize(
    ("seen", "kind", "says"),
    [
        (Endpoint(certificate_days=5, certificate_ends="2030-01-06"), "certificate", "ends in 5 days"),
        (Endpoint(certificate_days=-2, certificate_ends="2030-01-06"), "certificate", "ended on 2030-01-06"),
        (Endpoint(clock_off=400.0), "clock", "400 s ahead of"),
        (Endpoint(clock_off=-400.0), "clock", "400 s behind"),
    ],
)
def test_a_certificate_near_its_end_and_a_clock_that_is_off_are_problems(
    box: Box, monkeypatch: pytest.MonkeyPatch, seen: Endpoint, kind: str, says: str
) -> None:
    monkeypatch.setattr(probe, "look_at", lambda target: seen)
    (problem,) = run(doctor_system.TASK, box, "tailscale")["health"]["problems"]
    assert problem["kind"] == kind and says in problem["what"]


def test_the_clock_and_the_certificate_are_read_from_the_address_itself(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, target = clock.now, connect(box, "slack").target
    seen = endpoints.look_at(target)
    assert seen.certificate_days is not None and seen.clock_off is not None and abs(seen.clock_off) < 60
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    moved = endpoints.look_at(target)
    assert moved.clock_off is not None and -3660 < moved.clock_off < -3540


def test_the_permissions_in_microsofts_token_are_read_and_a_missing_one_is_named(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"roles": ["User.ReadWrite.All"]}).encode()).decode().rstrip("=")
    signed = SimpleNamespace(auth=SimpleNamespace(headers=lambda: {"Authorization": f"Bearer e30.{claims}.c2ln"}))
    opaque = SimpleNamespace(auth=SimpleNamespace(headers=lambda: {"Authorization": "Bearer opaque"}))
    assert granted_roles(signed) == {"User.ReadWrite.All"} and granted_roles(opaque) is None  # type: ignore[arg-type]
    system = connect(box, "tailscale", read_only=True)
    monkeypatch.setattr(type(system), "granted", lambda self: frozenset({"User.ReadWrite.All"}))
    monkeypatch.setattr(
        type(system), "PERMISSIONS", {"accounts": ("User.Read.All",), "cutoff": ("Device.ReadWrite.All", "and a role")}
    )
    health = probe.examine(system)
    assert health.permissions["accounts"] == {"User.Read.All": "present"}
    assert health.permissions["cutoff"] == {"Device.ReadWrite.All": "missing", "and a role": "not shown"}
    assert [problem.what for problem in health.problems] == ["cutoff lacks Device.ReadWrite.All"]


def test_what_a_profile_names_and_the_system_has_not_is_a_problem(box: Box) -> None:
    result = run(doctor_system.TASK, box, "slack", wanted={"groups": ["engineering", "engineerign"]})
    assert [problem["what"] for problem in result["health"]["problems"]] == [
        "a profile names groups engineerign, which is not there"
    ]


def test_an_account_that_carries_two_peoples_keys_counts_for_neither_as_a_run_would_ask(box: Box) -> None:
    system = connect(box, "tailscale", read_only=True)
    people = [Person.of(MARK), Person.of({"email": "grace@corp.example", "hr_id": "103", "status": "active"})]
    both = Account("u1", "x1", True, "grace@corp.example", {"employee_id": "E1002"})
    claims = ([frozenset({Kind.ADDRESS})], [frozenset({Kind.NUMBER})])
    assert [judge(system.keys_of(one), both, claim).whose for one, claim in zip(people, claims, strict=True)] == [
        Whose.DOUBT,
        Whose.DOUBT,
    ]
    counted = measure(system, people, [Listed(both)])
    assert counted.found == {} and counted.nobodys == ["x1"]
    assert shares(system, people, [Listed(both)])["Engineering"].accounts == 0
    marks = Account("u1", "x1", True, "mark@corp.example", {"employee_id": "E1002"})
    assert measure(system, people, [Listed(marks)]).found == {"employee number": 1}


def test_coverage_counts_people_by_the_strongest_key_and_accounts_that_are_nobodys(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    rows = [{"person": person_of(box, name)} for name in ("mark", "grace", "jane", "ada")]
    file.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"end": 4}]))
    counted = run(doctor_system.TASK, box, "tailscale", people=[str(file)])["coverage"]
    assert counted["people"] == 2, "Jane has left, and Ada has not begun"
    assert counted["found"] == {"address": 2} and counted["missing"] == []
    assert counted["nobodys"] == ["nia@contractors.example"]


def test_who_should_have_an_account_and_has_none_is_named(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    nobody = {"email": "new@corp.example", "employee_id": "E9", "status": "active"}
    file.write_text(json.dumps({"person": nobody}) + "\n")
    counted = run(doctor_system.TASK, box, "tailscale", people=[str(file)])["coverage"]
    assert counted["people"] == 1 and counted["missing"] == ["new@corp.example"]


@pytest.mark.parametrize(("logins", "said"), [(["p0", "p1", "p2"], "{local_part}"), (["p0", "x1", "y2"], "")])
def test_where_logins_are_made_in_another_way_than_new_ones_would_be_it_is_said(
    box: Box, logins: list[str], said: str
) -> None:
    system = connect(box, "tailscale")
    rows = [{"email": f"p{n}@corp.example", "employee_id": f"E{n}", "status": "active"} for n in range(3)]
    listed = [
        Listed(Account(f"u{n}", login, True, rows[n]["email"], {"employee_id": f"E{n}"}))
        for n, login in enumerate(logins)
    ]
    assert measure(system, [Person.of(row) for row in rows], listed).another_login == said


def test_where_hr_was_not_read_no_account_is_called_nobodys(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text("")
    assert run(doctor_system.TASK, box, "tailscale", people=[str(file)])["coverage"] == {}


def test_a_person_is_shown_with_the_keys_they_were_found_by_and_what_a_cut_would_close(box: Box) -> None:
    result = run(locate_system.TASK, box, "tailscale", person=person_of(box, "jane"))
    (account,) = result["located"]["accounts"]
    assert account["state"] == "active" and "address" in account["evidence"]
    assert {"sign-in", "auth key kJaneAuth1"} <= set(account["open"])
    assert box["tailscale"].writes() == []
    nobody = run(locate_system.TASK, box, "tailscale", person={"email": "nobody@corp.example"})
    assert nobody["located"]["accounts"] == [] and nobody["outcome"] == "absent"


def test_a_part_that_cannot_be_read_is_noted_and_the_rest_is_shown(box: Box) -> None:
    box["tailscale"].fault("status", status=403, path=r"/devices", times=-1)
    seen_there = run(locate_system.TASK, box, "tailscale", person=person_of(box, "jane"))["located"]
    assert seen_there["accounts"] and any("devices" in note for note in seen_there["notes"])


# -- the whole -------------------------------------------------------------------------------------------------------------


def seen(problems: list[dict[str, str]] | None = None, **coverage: Any) -> dict[str, Any]:
    return {"health": {"problems": problems or []}, "coverage": coverage}


def test_all_well_is_one_line_and_no_failure(tmp_path: Path) -> None:
    workplace = here({"systems": ["wiki"]}, ledger=str(tmp_path / "ledger.db"))
    verdict = judged(workplace, path=str(tmp_path / "doctor.json"), examined={"wiki": seen()})
    assert verdict["lines"] == ["All is well: 1 system, HR was not read."] and not verdict.get("failed")
    assert json.loads((tmp_path / "doctor.json").read_text())["ok"] is True
    assert (tmp_path / "doctor.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        pytest.param({}, [], id="people=false"),
        pytest.param({"hr": {"failed": True, "msg": "401"}}, ["hr"], id="HR did not answer"),
    ],
)
def test_hr_that_was_not_to_be_read_is_no_problem_and_one_that_did_not_answer_is(
    tmp_path: Path, answer: dict[str, Any], problems: list[str]
) -> None:
    groups = {"systems": ["wiki"], "hr_records": ["hr"]}
    workplace = here(groups, spool=tmp_path, ledger=str(tmp_path / "ledger.db"))
    verdict = judged(workplace, examined={"wiki": seen()}, hr_read=answer)
    assert [problem["kind"] for problem in verdict["problems"]] == problems
    assert verdict["people"] is None or answer, "nobody was counted, which is not nobody"


def test_what_is_wrong_is_said_with_its_system_and_fails(tmp_path: Path) -> None:
    problem = {"kind": "permission", "what": "cutoff lacks X", "fix": "grant it"}
    examined = {"wiki": seen([problem]), "crm": {"failed": True, "code": "credential", "msg": "no key"}}
    verdict = judged(here({"systems": [*examined, "vpn"]}, ledger=str(tmp_path / "ledger.db")), examined=examined)
    assert verdict["failed"] and [(p["system"], p["kind"], p["what"]) for p in verdict["problems"]] == [
        ("wiki", "permission", "cutoff lacks X"),
        ("crm", "credential", "no key"),
        ("vpn", "answer", "it was not asked"),
    ]
    assert verdict["lines"][0] == "✗ wiki: cutoff lacks X: grant it"


def test_too_few_people_found_is_a_problem_where_a_least_coverage_is_asked_for(tmp_path: Path) -> None:
    counted = {"people": 10, "accounts": 4, "found": {"address": 3}, "nobodys": ["x"], "nobodys_count": 1}
    workplace = here({"systems": ["wiki"]}, ledger=str(tmp_path / "ledger.db"))
    verdict = judged(workplace, coverage=50, examined={"wiki": seen(**counted)})
    assert [p["what"] for p in verdict["problems"]] == ["only 3 of 10 active people are found here"]
    assert (
        "wiki: 3 of 10 active people found (3 by address); 1 of 4 accounts belong to nobody in HR: x"
        in verdict["lines"]
    )


def test_why_hr_could_not_be_read_is_said_with_its_system(tmp_path: Path) -> None:
    read = {"failed": True, "msg": "hr.csv:10: Eintritt '01.05.2018' is not a date"}
    groups = {"systems": ["hr"], "hr_records": ["hr"]}
    workplace = here(groups, connector="csv", spool=tmp_path, ledger=str(tmp_path / "ledger.db"))
    (said,) = judged(workplace, examined={"hr": seen()}, hr_read={"hr": read})["problems"]
    assert said["system"] == "hr" and "hr.csv:10: Eintritt" in said["what"]


def test_nobody_is_said_to_be_unknown_to_hr_when_a_part_of_hr_could_not_be_read(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("approvals: [{needs: delete, by: [lena@corp.example]}]\n")
    (tmp_path / "doctor-contractors.jsonl").write_text(json.dumps({"person": MARK}) + "\n")
    counted = {"people": 1, "accounts": 4, "found": {"address": 0}, "nobodys": ["lena"], "nobodys_count": 4}
    groups = {"systems": ["hr", "wiki"], "hr_records": ["hr", "contractors"]}
    workplace = here(groups, spool=tmp_path, policy=str(policy), ledger=str(tmp_path / "ledger.db"))
    verdict = judged(
        workplace,
        coverage=95,
        examined={"hr": seen([{"kind": "credential", "what": "401", "fix": ""}]), "wiki": seen(**counted)},
        hr_read={"hr": {"failed": True, "msg": "401"}, "contractors": {"count": 1}},
    )
    assert [problem["kind"] for problem in verdict["problems"]] == ["credential"] and verdict["people"] is None
    assert any("as hr could not be read" in line for line in verdict["lines"])
    assert not any("nobody in HR" in line for line in verdict["lines"]), verdict["lines"]


def test_people_left_out_by_the_caller_are_no_problem(tmp_path: Path) -> None:
    groups = {"systems": ["hr"], "hr_records": ["hr"]}
    workplace = here(groups, connector="csv", spool=tmp_path, ledger=str(tmp_path / "ledger.db"))
    assert judged(workplace, examined={"hr": seen()})["ok"]


@pytest.mark.parametrize(("people", "says"), [(0, "it is empty"), (3, "7 fewer than before (10)")])
def test_a_source_that_a_run_would_not_believe_is_a_problem(people: int, says: str, tmp_path: Path) -> None:
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    look = {"people": 10, "active": 10, "columns": [], "duplicates": [], "pairs": ""}
    ledger.note("feed", look, run="r1", system="hr")
    now = {**look, "people": people, "active": people}
    (tmp_path / "doctor-hr.jsonl").write_text(json.dumps({"look": now}) + "\n")
    groups = {"systems": ["hr"], "hr_records": ["hr"]}
    workplace = here(groups, connector="csv", spool=tmp_path, ledger=str(tmp_path / "ledger.db"))
    workplace = replace(workplace, open_ledger=lambda: ledger)
    said = judged(workplace, examined={"hr": seen()}, hr_read={"hr": {"count": people}})["problems"]
    assert any(one["system"] == "hr" and says in one["what"] for one in said), said


def test_no_ledger_and_approvers_who_do_not_work_here_are_problems(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("approvals: [{needs: delete, by: [mark@corp.example, gone@corp.example]}]\n")
    rows = "".join(json.dumps({"person": one}) + "\n" for one in (MARK, GONE))
    (tmp_path / "doctor-hr.jsonl").write_text(rows)
    workplace = here({"systems": ["wiki"], "hr_records": ["hr"]}, spool=tmp_path, policy=str(policy))
    verdict = judged(workplace, examined={"wiki": seen()})
    assert [(p["kind"], p["what"].partition(",")[0]) for p in verdict["problems"]] == [
        ("ledger", "no ledger is named"),
        ("approvers", "gone@corp.example may approve"),
    ]


def test_no_answer_of_a_system_is_not_taken_for_nowhere() -> None:
    answers = {
        "wiki": {"failed": True, "msg": "down"},
        "crm": {"people": [{"person": {"email": "a@x"}, "error": "it hung up"}]},
    }
    found = located(here({"systems": ["wiki", "crm", "badge"]}), located=answers)
    assert found["failed"] and found["silent"] == {"wiki": "down", "crm": "it hung up"}
    assert {"? wiki: not known: down", "? crm: not known: it hung up"} <= {*found["lines"]}


def test_a_system_that_answered_a_part_only_is_neither_nowhere_nor_complete() -> None:
    a_part = {"knows_people": True, "accounts": [], "mailbox": "", "files": "", "devices": [], "notes": ["it hung up"]}
    answer = {"people": [{"person": {"email": "a@x"}, "located": a_part}]}
    found = located(here({"systems": ["mail"]}), located={"mail": answer})
    assert found["failed"] and "? mail: not known: it hung up" in found["lines"]
    assert not any("not on" in line for line in found["lines"])


def test_an_hr_system_that_could_not_be_read_makes_the_answer_incomplete() -> None:
    found = located(here({"systems": ["wiki"], "hr_records": ["hr"]}), unread={"hr": "no column"})
    assert found["failed"] and found["silent"] == {"hr": "no column"}


@pytest.mark.parametrize(
    ("systems", "user", "says"), [([], "a@x", "is the inventory right"), (["wiki"], "", "user is not given")]
)
def test_locate_with_nobody_or_nowhere_to_look_fails_and_says_which(systems: list[str], user: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        located(here({"systems": systems}), user)


def test_locate_says_what_the_ledger_knows_without_asking_a_system_and_hands_it_over(tmp_path: Path) -> None:
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    tom = {"email": "tom@corp.example", "hr_id": "108", "first_name": "Tom", "last_name": "Ito"}
    case = ledger.open_case("transfer", tom, "r1", {"key": "sales", "profile": "sales", "expected": ["wiki"]})
    link = Link("wiki", "u-7", "tom", ("address",), "")
    keep_seen(ledger, [(Person.of(tom), link)], "r1")
    step = {"run": "r1", "phase": "adjust", "system": "wiki", "step": "entitlements", "person": tom}
    row = {
        "what": "unexplained: groups: Chess",
        "before": "member",
        "after": "member",
        "outcome": "needs_human",
        "note": "decide",
    }
    ledger.outcome(case.id, **step, result={"outcome": "needs_human", "changes": [row]}, intent=None)
    workplace = replace(here({"systems": ["wiki"], "hr_records": ["hr"]}), open_ledger=lambda: ledger)
    result = {**located(workplace, "hr_id:108"), "changed": False}
    (known,) = result["known"].values()
    assert [(one["system"], one["id"], one["by"]) for one in known["accounts"]] == [("wiki", "u-7", ["address"])]
    (waits,) = [one for one in known["open"] if one["system"] == "wiki"]
    assert (waits["what"], waits["case"]) == (row["what"], case.id) and waits["decide"].startswith("d")
    assert any("unexplained: groups: Chess" in line for line in result["lines"])
    assert "tom@corp.example: no system was asked" in result["lines"] and "Nobody" not in " ".join(result["lines"])
    assert LOCATE.hands_over is not None and LOCATE.hands_over(result, False)["known"] == result["known"]


def test_steps_are_those_of_the_playbook_in_order_with_the_systems_they_are_for() -> None:
    listed = steps(here({"cutoff": ["entra"], "systems": ["entra"], "entitlements": ["entra"]}), {"kind": "offboard"})[
        "steps"
    ]
    modules = [step["module"] for step in listed]
    assert modules.index("case") < modules.index("cutoff") < modules.index("entitlements") < modules.index("record")
    assert next(step["systems"] for step in listed if step["module"] == "cutoff") == ("entra",)
    with pytest.raises(InputError, match="there is no playbook offbord: did you mean offboard"):
        steps(here({}), {"kind": "offbord"})


def test_a_step_that_is_the_whole_of_its_part_is_said_once() -> None:
    lines = steps(here({"systems": ["mail"], "mail_archive": ["mail"]}), {"kind": "offboard"})["lines"]
    assert "Archive the mailbox [mailbox_archive]: mail" in lines and "Archive the mailbox" not in lines


# -- the first files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connector", sorted(CONNECTORS))
def test_a_first_systems_file_of_any_connector_is_one_that_the_inventory_takes(connector: str, tmp_path: Path) -> None:
    want = {
        "path": str(tmp_path),
        "systems": [f"it-{connector.replace('_', '-')}={connector}"],
        "company": "C",
        "share": 80,
        "examined": {},
    }
    result = init(here({"systems": []}), want)
    document = read_document(str(tmp_path / "company.systems.yml"))
    check_systems(document)
    load_policy(str(tmp_path / "policy.yml"))
    if (tmp_path / "profiles").exists():
        load_profiles(
            str(tmp_path / "profiles"), {name: one["connector"] for name, one in document.data["systems"].items()}
        )
    assert all(name.startswith(f"IT_{connector.upper()}_") for name in result["credentials"])
    assert any(
        f"ansible-playbook workforce.lifecycle.doctor -i {tmp_path}/company.systems.yml" in x for x in result["lines"]
    )


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("# mine\n")
    result = init(
        here({"systems": []}),
        {"path": str(tmp_path), "systems": ["slack"], "company": "C", "share": 80, "examined": {}},
    )
    assert (tmp_path / "policy.yml").read_text() == "# mine\n" and result["kept"] == [str(tmp_path / "policy.yml")]


def test_a_connector_that_there_is_none_of_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no connector 'entrra'"):
        init(
            here({"systems": []}),
            {"path": str(tmp_path), "systems": ["entrra"], "company": "C", "share": 80, "examined": {}},
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("named", "meant"),
    [("openldap", "ldap"), ("Active Directory", "ldap"), ("entraid", "entra"), ("bambo", "bamboohr")],
)
def test_a_connector_under_another_name_is_guessed(named: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {meant}?"):
        Named.of(f"it={named}")


def test_a_profile_proposes_what_most_of_a_department_hold_and_no_more() -> None:
    share = {"people": 10, "accounts": 9, "held": {"groups": {"Engineering": 9, "VPN": 8, "Chess club": 2}}}
    few = {"people": 10, "accounts": 2, "held": {"groups": {"X": 2}}}
    found = {"entra": {"Engineering": share}, "crm": {"Engineering": few}}
    assert proposed(found, "Engineering", 80) == {"entra": {"groups": ["Engineering", "VPN"]}}


def test_a_name_with_an_address_keeps_both() -> None:
    named = Named.of("hr=bamboohr=https://corp.bamboohr.com")
    assert named.entry()["url"] == "https://corp.bamboohr.com"
    assert named.entry()["credentials"] == {"api_key": {"env": "HR_API_KEY"}}


def test_people_without_a_key_in_common_are_not_compared(box: Box) -> None:
    system = connect(box, "tailscale", read_only=True)
    assert measure(system, [Person.of(GONE)], system.all_accounts()).found == {}
