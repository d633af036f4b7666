# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The last word before the first write: protected, not approved, drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import (
    AccessPath,
    Account,
    Device,
    Entitlement,
)
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, device, entitlements

JANE = {"email": "jane@corp.example", "employee_id": "E1007"}


class Memory:
    """A system that is a few variables, and counts what is written."""

    ENTITLEMENT_KINDS: Sequence[str] = ("groups", "roles")

    def __init__(self) -> None:
        self.active, self.sessions, self.writes = True, 2, 0
        self.held = {("groups", "Sales"), ("groups", "Break glass"), ("roles", "User Administrator")}

    def find_account(self, person: Person) -> Account | None:
        return Account("42", "JaneM", self.active, email="jane@corp.example")

    def set_active(self, account: Account, active: bool) -> None:
        self.writes, self.active = self.writes + 1, active

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return [
            AccessPath("sign-in", "open" if self.active else "closed", lambda: self.set_active(account, False)),
            AccessPath("sessions", "open" if self.sessions else "closed", self._end),
        ]

    def _end(self) -> None:
        self.writes, self.sessions = self.writes + 1, 0

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return [Entitlement(kind, name, name) for kind, name in sorted(self.held)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return Entitlement(kind, name, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self.writes += 1
        self.held.add((entitlement.kind, entitlement.name))

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self.writes += 1
        self.held.discard((entitlement.kind, entitlement.name))


def run(
    module: Any, system: Memory, guard: Mapping[str, Any], *, check_mode: bool = False, **want: Any
) -> dict[str, Any]:
    task: Task = module.TASK
    params = {name: spec.get("default") for name, spec in task.spec.items()}
    return task.run(
        {**params, "system": "mem", "person": JANE, "guard": guard, **want}, check_mode=check_mode, system=system
    )


@pytest.mark.parametrize("name", ["jane@corp.example", "JANEM", "42", "e1007", "jane@*"])
@pytest.mark.parametrize("module", [cutoff, entitlements])
def test_no_module_touches_a_protected_account(name: str, module: Any) -> None:
    system = Memory()
    want = {"mode": "remove"} if module is entitlements else {}
    result = run(module, system, {"accounts": [name], "source": "policy.yml"}, **want)
    assert (
        result["failed"] and result["code"] == "protected" and "policy.yml" in result["msg"] and "mem" in result["msg"]
    )
    assert system.writes == 0
    assert run(module, Memory(), {"accounts": ["somebody@else"], "source": "policy.yml"}, **want)["outcome"] == "done"


def test_a_protected_group_is_left_to_a_person_and_the_rest_is_done() -> None:
    system = Memory()
    result = run(entitlements, system, {"entitlements": ["groups: break*"], "source": "policy.yml"}, mode="remove")
    assert system.held == {("groups", "Break glass")} and result["outcome"] == "needs_human"
    row = next(row for row in result["changes"] if row["what"] == "groups: Break glass")
    assert row["outcome"] == "needs_human" and "protected (policy.yml)" in row["note"]


def test_an_act_that_is_not_approved_waits() -> None:
    system = Memory()
    result = run(cutoff, system, {"stops": {"disable": "needs an approval of grace@corp.example"}})
    assert system.writes == 0 and {row["outcome"] for row in result["changes"]} == {"needs_human"}
    assert all(row["note"] == "needs an approval of grace@corp.example" for row in result["changes"])
    assert run(cutoff, system, {"stops": {"wipe": "needs an approval"}})["outcome"] == "done"


def test_who_is_privileged_waits_for_an_approval_and_nobody_else() -> None:
    system = Memory()
    stop = {"privileged": ["roles: *Administrator"], "privileged_stop": "needs an approval of grace@corp.example"}
    assert run(cutoff, system, stop)["outcome"] == "needs_human" and system.writes == 0
    system.held.discard(("roles", "User Administrator"))
    assert run(cutoff, system, stop)["outcome"] == "done"


def planned(module: Any, system: Memory, **want: Any) -> list[dict[str, Any]]:
    rows = run(module, system, {}, check_mode=True, **want)["changes"]
    assert system.writes == 0
    return [row for row in rows if row["outcome"] == "planned"]


def test_the_plan_is_done_and_a_second_time_nothing() -> None:
    system = Memory()
    plan = planned(entitlements, system, mode="remove")
    assert run(entitlements, system, {"planned": plan}, mode="remove")["outcome"] == "done" and not system.held
    again = run(entitlements, system, {"planned": plan}, mode="remove")
    assert (again["outcome"], again["changed"], system.writes) == ("already", False, 3)


def test_under_a_plan_one_protected_group_stops_that_group_and_not_the_step() -> None:
    system = Memory()
    plan = planned(entitlements, system, mode="remove")
    guard = {"planned": plan, "entitlements": ["groups: Break glass"], "source": "policy.yml"}
    result = run(entitlements, system, guard, mode="remove")
    assert system.held == {("groups", "Break glass")} and result["outcome"] == "needs_human"
    # it became protected after the plan was made, and is gone from it: the rest is the plan's all the same
    system = Memory()
    guard["planned"] = [row for row in plan if row["what"] != "groups: Break glass"]
    run(entitlements, system, guard, mode="remove")
    assert system.held == {("groups", "Break glass")}


class Laptops:
    """A device management that forgets a laptop once it is wiped."""

    def __init__(self) -> None:
        self.there, self.wiped = True, 0

    def devices(self, person: Person) -> Sequence[Device]:
        return [Device("d1", "C02X", "laptop", "macOS", "company", "managed", escrowed=True)] if self.there else []

    def wipe_device(self, device: Device) -> None:
        self.there, self.wiped = False, self.wiped + 1

    lock_device = retire_device = escrow_key = wipe_device


def test_a_plan_that_wiped_a_laptop_can_be_run_again_when_the_laptop_is_listed_no_more() -> None:
    system: Any = Laptops()
    want = {"company": "wipe", "confirm": ["C02X"]}
    rows = run(device, system, {}, check_mode=True, **want)["changes"]
    plan = [row for row in rows if row["outcome"] == "planned"]
    assert plan and not system.wiped
    first = run(device, system, {"planned": plan}, **want)
    assert system.wiped == 1 and not first.get("failed"), first
    done = {row["what"]: "2026-11-28T12:00:00Z" for row in first["changes"]}
    again = run(device, system, {"planned": plan}, history={"done": done}, **want)
    assert not again.get("failed") and system.wiped == 1, again


def drifted(system: Memory, plan: list[dict[str, Any]], module: Any = cutoff, **want: Any) -> str:
    writes = system.writes
    result = run(module, system, {"planned": plan}, **want)
    assert result["failed"] and result["code"] == "drift" and system.writes == writes, result
    return str(result["msg"])


def test_what_came_since_stops_the_step_and_is_named() -> None:
    system = Memory()
    plan = planned(entitlements, system, mode="remove")
    system.held.add(("groups", "Finance"))
    assert "groups: Finance is held, and the plan has nothing of it" in drifted(
        system, plan, entitlements, mode="remove"
    )


def test_what_is_otherwise_than_the_plan_saw_stops_the_step() -> None:
    system = Memory()
    system.active = False
    plan = planned(cutoff, system)
    system.active = True
    assert "sign-in is open, and the plan has nothing of it" in drifted(system, plan)
    plan = planned(cutoff, system)
    plan[0]["before"] = "half open"
    assert "sign-in is open (to become closed), the plan says half open (to become closed)" in drifted(system, plan)


def test_a_wish_that_is_not_the_plans_stops_the_step() -> None:
    system = Memory()
    plan = planned(entitlements, system, wanted={"groups": ["Engineering"]}, mode="add")
    assert "groups: IT" in drifted(system, plan, entitlements, wanted={"groups": ["IT"]}, mode="add")


def test_a_step_that_is_not_in_the_plan_does_nothing() -> None:
    assert "the plan has nothing of it" in drifted(Memory(), [])


def test_what_was_settled_meanwhile_is_no_drift() -> None:
    system = Memory()
    plan = planned(cutoff, system)
    system.active = False
    assert run(cutoff, system, {"planned": plan})["outcome"] == "done" and system.sessions == 0


def test_a_rehearsal_says_whose_account_is_privileged() -> None:
    patterns = {"privileged": ["roles: *Administrator"]}
    assert run(cutoff, Memory(), patterns, check_mode=True)["privileged"] is True, (
        "nothing that is cut is called so, and yet the plan needs the approval"
    )
    assert "privileged" not in run(cutoff, Memory(), {"privileged": ["roles: Owner"]}, check_mode=True)
    assert "privileged" not in run(cutoff, Memory(), {}, check_mode=True)
