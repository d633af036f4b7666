# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The plan document, and who must agree to it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy, load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.modules.approve import TASK as APPROVE
from ansible_collections.workforce.lifecycle.plugins.modules.plan import TASK as PLAN
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import approvals, plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.support import guard_of
from tests.unit.processes import at_once
from tests.unit.test_case import JANE, STAYS, book, opened

ROOT = Path(__file__).resolve().parents[2]
WIPE = {
    "what": "device C02",
    "before": "managed",
    "after": "wiped",
    "outcome": "planned",
    "act": "wipe",
    "irreversible": True,
    "confirm": "C02",
}
GROUP = {"what": "roles: User Administrator", "before": "held", "after": None, "outcome": "planned"}
RULES = (
    "approvals:\n  - {needs: wipe, by: [grace@corp.example, jane@corp.example]}\n  - {needs: privileged, by: [grace@corp.example, lena@corp.example], count: 2}\n"
    "  - {needs: people, over: 2, by: [grace@corp.example]}\n  - {needs: transfer, by: [mark@corp.example]}\nprivileged: {entra: {roles: ['*Administrator']}}\n"
)


def result(system: str, step: str, *rows: dict[str, Any], person: str = "jane@corp.example") -> dict[str, Any]:
    return {"system": system, "step": step, "person": person, "outcome": "done", "changes": list(rows)}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "policy.yml").write_text(RULES)
    return load_policy(str(tmp_path / "policy.yml"))


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(plans, "folder", lambda: tmp_path / "spool")
    return tmp_path


def made(policy: Policy = Policy(), kind: str = "offboard") -> dict[str, Any]:
    steps = plans.left()
    return plans.document(
        kind,
        [{"key": "107", "email": "jane@corp.example", "name": "Jane", "aliases": []}],
        steps,
        approvals.needs(policy, kind, 1, steps),
    )


def test_steps_stand_in_the_order_in_which_the_run_takes_them(spool: Path) -> None:
    for phase, system, step in [
        ("cutoff", "wiki", "cutoff"),
        ("cutoff", "aws", "cutoff"),
        ("secure_devices", "intune", "device"),
        ("reclaim", "aws", "entitlements"),
    ]:
        plans.leave(phase, result(system, step, GROUP))
    plans.leave("reclaim", {**result("crm", "entitlements"), "changes": []})
    assert [(s["n"], s["phase"], s["system"]) for s in plans.left()] == [
        (1, "cutoff", "aws"),
        (2, "cutoff", "wiki"),
        (3, "secure_devices", "intune"),
        (4, "reclaim", "aws"),
    ]


def test_the_same_plan_has_the_same_digest_and_any_other_another(spool: Path) -> None:
    plans.leave("secure_devices", result("intune", "device", WIPE))
    first = made()
    later = clock.now() + timedelta(days=5000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert made()["digest"] == first["digest"], "when it was made is no part of it"
    plans.leave("reclaim", result("entra", "entitlements", GROUP))
    assert made()["digest"] != first["digest"]
    jsonschema.Draft202012Validator(json.loads((ROOT / "meta" / "schemas" / "plan.schema.json").read_text())).validate(
        made()
    )


def test_a_plan_is_found_by_file_and_by_digest_and_not_when_it_was_changed(spool: Path, ledger: Ledger) -> None:
    plans.leave("secure_devices", result("intune", "device", WIPE))
    plan = made()
    path = plans.write(plan, str(spool / "plans"))
    assert plans.write(made(), str(spool / "plans")) == path, "the same plan is the same file"
    assert path.stat().st_mode & 0o077 == 0
    for name in (str(path), plan["digest"], plan["digest"][:12], f"sha256:{plan['digest']}"):
        assert plans.read(name, str(spool / "plans"), None)["digest"] == plan["digest"]
    path.write_text(path.read_text().replace("managed", "lost"))
    for name in (str(path), plan["digest"][:12]):
        with pytest.raises(InputError, match="changed after it was made"):
            plans.read(name, str(spool / "plans"), None)
    for name, says in (
        (str(spool / "none.json"), "cannot be read"),
        ("0" * 12, "no plan with this digest"),
        (str(spool / "policy.yml"), "cannot be read"),
    ):
        with pytest.raises(InputError, match=says):
            plans.read(name, str(spool / "plans"), ledger)


def test_policy_says_what_needs_whom(spool: Path, policy: Policy) -> None:
    plans.leave("secure_devices", result("intune", "device", WIPE))
    plans.leave("reclaim", result("entra", "entitlements", {**GROUP, "outcome": "already"}))
    plans.leave("reclaim", result("aws", "entitlements", GROUP))
    assert [(n["needs"], n["count"], n["why"]) for n in made(policy)["needs"]] == [
        ("wipe", 1, "wipe: device C02 on intune"),
        ("privileged", 2, "privileged: jane@corp.example (roles: User Administrator on entra)"),
    ]
    assert [n["needs"] for n in made(policy, "transfer")["needs"]] == ["wipe", "privileged", "transfer"]
    assert approvals.needs(policy, "onboard", 3, []) == [
        {"needs": "people", "by": ["grace@corp.example"], "count": 1, "hours": 72.0, "why": "3 people, more than 2"}
    ]
    assert approvals.needs(policy, "onboard", 2, []) == []


def test_an_approval_is_of_one_plan_by_others_and_ages_out(
    spool: Path, policy: Policy, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.leave("secure_devices", result("intune", "device", WIPE))
    plans.leave("reclaim", result("entra", "entitlements", GROUP))
    plan = made(policy)

    def approve(by: str) -> None:
        approvals.approve(ledger, plan, policy, by=by, account=by, note="", run="r")

    for by, says in (
        ("jane@corp.example", "a plan about themselves"),
        ("107", "a plan about themselves"),
        ("mark@corp.example", "may not approve"),
        ("", "by is empty"),
    ):
        with pytest.raises(InputError, match=says):
            approve(by)
    assert ledger.noted("approved") == [] and len(approvals.missing(ledger, plan, policy)) == 2
    approve("Grace@corp.example")
    approve("grace@corp.example")
    assert len(approvals.missing(ledger, plan, policy)) == 1, "one person counts once"
    assert "plan" not in ledger.noted("approved")[0].data and len(ledger.noted("plan")) == 1, (
        "every step asks for approvals; the plan is kept once"
    )
    approve("lena@corp.example")
    assert approvals.missing(ledger, plan, policy) == []
    plans.leave("reclaim", result("wiki", "entitlements", GROUP))
    changed = made(policy)
    assert len(approvals.missing(ledger, changed, policy)) == 2, "a changed plan needs a new approval"
    assert plans.read(plan["digest"][:12], str(spool / "nowhere"), ledger) == plan, (
        "an approved plan can be executed elsewhere"
    )
    later = clock.now() + timedelta(days=366)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert all("aged out" in line for line in approvals.missing(ledger, plan, policy))


def test_without_an_approved_plan_the_acts_wait(spool: Path, policy: Policy, ledger: Ledger) -> None:
    plans.leave("secure_devices", result("intune", "device", WIPE))
    plan = made(policy)
    path = str(plans.write(plan, str(spool / "plans")))

    def limits(system: str, **how: Any) -> dict[str, Any]:
        about = {
            "phase": "secure_devices",
            "system": system,
            "step": "device",
            "person": "jane@corp.example",
            "plan": "",
            "plans_folder": "",
            "rehearsal": False,
        }
        return guard_of(policy, ledger, **{**about, **how})

    assert re.search("needs an approval of grace", limits("intune")["stops"]["wipe"])
    assert limits("entra")["privileged"] == ["roles: *Administrator"] and "privileged" not in limits("aws")
    assert not {"stops", "privileged"} & set(limits("intune", rehearsal=True))
    assert "wipe" in limits("intune", plan=path)["stops"], "a plan that nobody approved"
    approvals.approve(ledger, plan, policy, by="grace@corp.example", account="root", note="", run="r")
    assert {**limits("intune", plan=path), "not_people": None} == {
        "planned": [WIPE],
        "source": policy.file,
        "not_people": None,
    }
    assert limits("entra", plan=path)["planned"] == [], "nothing else"


def test_a_plan_to_cut_off_who_is_privileged_needs_the_approval(policy: Policy) -> None:
    """No change of a cut-off has the name of what makes them privileged."""
    step = {
        "phase": "cutoff",
        "system": "entra",
        "step": "cutoff",
        "person": "jane@corp.example",
        "privileged": True,
        "changes": [{"what": "sign-in", "before": "open", "after": "closed", "outcome": "planned"}],
    }
    assert [need["why"] for need in approvals.needs(policy, "offboard", 1, [step])] == [
        "privileged: jane@corp.example (sign-in on entra)"
    ]
    assert (
        approvals.needs(policy, "offboard", 1, [{**step, "changes": [{**step["changes"][0], "outcome": "already"}]}])
        == []
    )
    assert approvals.needs(policy, "offboard", 1, [{**step, "privileged": False}]) == []


def test_a_run_for_others_than_the_plans_does_not_begin(spool: Path, ledger: Ledger) -> None:
    plans.leave("cutoff", result("wiki", "cutoff", GROUP))
    path = str(plans.write(made(), str(spool / "plans")))
    assert not opened(ledger, JANE, plan=path, read_only=True).get("failed")
    other = opened(
        ledger,
        JANE,
        {**JANE, "email": "mark@corp.example", "hr_id": "102", "employee_id": "E1002"},
        user=["mark@corp.example"],
        plan=path,
    )
    assert other["failed"] and "it is for jane@corp.example" in other["msg"] and ledger.cases() == []
    wrong = opened(ledger, STAYS, kind="suspend", plan=path)
    assert wrong["failed"] and "it is a plan to offboard, and this run is to suspend" in wrong["msg"]


ASKED = [{"present": {"grace@corp.example": [{"email": "grace@corp.example", "hr_id": "103"}]}}]


def test_modules(spool: Path, ledger: Ledger) -> None:
    plans.leave("cutoff", result("wiki", "cutoff", GROUP))
    want: dict[str, Any] = {"cases": [], "kind": "offboard", "people": [JANE], "path": str(spool / "plans")}
    assert "path" not in perform(PLAN, book(ledger), want), "a run that is no rehearsal writes none"
    written = perform(PLAN, book(ledger, read_only=True), want)
    assert Path(written["path"]).exists() and written["needs"] == []
    refused = perform(
        APPROVE,
        book(ledger),
        {"plan": written["path"], "by": "grace@corp.example", "account": "", "note": "", "found": ASKED},
    )
    assert refused["failed"] and "it needs no approval" in refused["msg"]


# -- one run, one plan ---------------------------------------------------------------------------------------------------


def two_plans(spool: Path) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """A plan in a file, and another that is as good, with a wipe more."""
    for system in ("intune", "entra", "aws"):
        plans.leave("reclaim", result(system, "entitlements", GROUP))
    one = made()
    plans.leave("secure_devices", result("intune", "device", WIPE))
    return plans.write(one, str(spool / "plans")), one, made()


def lets(
    path: Path, system: str, step: str = "entitlements", phase: str = "reclaim", policy: Policy = Policy()
) -> list[dict[str, Any]]:
    """What the guard of a step is told that the plan lets it do."""
    limits = guard_of(
        policy,
        None,
        plan=str(path),
        plans_folder="",
        rehearsal=False,
        phase=phase,
        system=system,
        step=step,
        person="jane@corp.example",
    )
    found: list[dict[str, Any]] = limits["planned"]
    return found


def test_a_run_reads_its_plan_once_whatever_its_workers(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, one, _other = two_plans(spool)
    reckon = plans.digest

    def told(plan: Any) -> str:
        with open(spool / "reckoned", "a") as f:
            f.write(".")
        return reckon(plan)

    monkeypatch.setattr(plans, "digest", told)
    assert lets(path, "aws") == [GROUP]

    def work() -> int:
        return (
            0
            if [lets(path, system) for system in ("intune", "entra", "aws", "wiki") for _person in range(5)]
            == [[GROUP]] * 15 + [[]] * 5
            else 1
        )

    assert at_once([work] * 6) == [0] * 6
    assert (spool / "reckoned").read_text() == ".", "read and reckoned by the first alone"
    assert plans.executed(str(path), "", None).head == {key: value for key, value in one.items() if key != "steps"}


@pytest.mark.parametrize("how", ["a step more", "another plan", "gone"])
def test_a_plan_that_is_altered_in_the_middle_of_a_run_is_harmless(
    spool: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path, one, other = two_plans(spool)
    assert lets(path, "intune") == [GROUP] and lets(path, "intune", "device", "secure_devices") == []
    path.unlink()
    if how != "gone":
        path.write_text(json.dumps(other if how == "another plan" else {**one, "steps": other["steps"]}))
    plans._kept.cache_clear()  # as a worker that begins now, which has nothing in its memory
    assert lets(path, "intune") == [GROUP] and lets(path, "intune", "device", "secure_devices") == [], (
        "the run goes on with what it began with"
    )
    assert plans.executed(str(path), "", None).head["digest"] == one["digest"]
    # The next run has a folder of its own.
    monkeypatch.setattr(plans, "folder", lambda: spool / "later")
    if how == "another plan":
        assert lets(path, "intune", "device", "secure_devices") == [WIPE]
    else:
        with pytest.raises(InputError, match="changed after it was made" if how == "a step more" else "cannot be read"):
            lets(path, "intune")


def test_workers_that_begin_together_execute_one_plan(spool: Path) -> None:
    path, one, other = two_plans(spool)

    def alter() -> int:
        for number in range(200):
            part = path.with_suffix(".part")
            part.write_text(json.dumps((one, other)[number % 2]))
            part.rename(path)
        return 0

    def begin() -> int:
        head = plans.executed(str(path), "", None).head["digest"]
        may = lets(path, "intune", "device", "secure_devices")
        return {(one["digest"], 0): 1, (other["digest"], 1): 2}.get((head, len(may)), 3)

    said = at_once([alter, *[begin] * 8])
    assert len(set(said[1:])) == 1 and said[1] in (1, 2), said
    assert [entry.name for entry in (spool / "spool" / "executed").iterdir()] == [
        plans.executed(str(path), "", None).where.name
    ], "nothing half written is left"


def test_a_step_that_could_not_be_rehearsed_is_said_beside_the_plan(
    ledger: Ledger, spool: Path, tmp_path: Path
) -> None:
    """``offboard --check`` ended well while a system could not be reached."""
    plans.leave("cutoff", {**result("slack", "cutoff"), "outcome": "failed", "failed": True, "msg": "no answer"})
    plans.leave("cutoff", result("entra", "cutoff", WIPE))
    want = {"kind": "offboard", "people": [JANE], "cases": [], "path": str(tmp_path / "plans")}
    told = perform(PLAN, book(ledger, read_only=True), want)
    assert told["problems"] == ["cutoff of jane@corp.example on slack: no answer"] and Path(told["path"]).exists()
