# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.azure.held import Held, read_name
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, PermissionDenied
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, restore

from sandbox.box import Box
from sandbox.vendors.azure import CONDITION, GROUP, LAB, SHOP, AzureCloud
from tests.support import connect, person_of, run

JANE, MARK = "jane@corp.example", "mark@corp.example"
STORE = f"{SHOP}/resourceGroups/web/providers/Microsoft.Storage/storageAccounts/corp"
CONDITIONAL = f"Storage Blob Data Reader on {STORE}"


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([AzureCloud]) as box:
        yield box


def state(box: Box) -> Any:
    return box["azure"].state["azure"]


def cut(box: Box, **how: Any) -> dict[str, Any]:
    return run(cutoff.TASK, box, "azure", person=person_of(box, "jane"), **how)


def test_every_role_and_token_ends_at_every_scope_and_nobody_else_is_touched(box: Box) -> None:
    before = box["azure"].left(MARK)
    result = cut(box)
    assert result["outcome"] == "done", result
    assert box["azure"].left(JANE) == [] and box["azure"].left(MARK) == before
    scopes = {row["what"].partition(" on ")[2].partition(" ")[0] for row in result["changes"] if " on /" in row["what"]}
    assert {GROUP, LAB, STORE} <= scopes


def test_tokens_end_first_then_what_can_be_activated_then_what_is_active(box: Box) -> None:
    cut(box)
    kinds = [
        next(word for word in ("revocations", "Eligibility", "roleAssignment") if word in entry["path"])
        for entry in box["azure"].writes()
        if "/oauth2/" not in entry["path"]
    ]
    assert kinds == sorted(kinds, key=["revocations", "Eligibility", "roleAssignment"].index)
    assert len(set(kinds)) == 3


def test_a_removal_that_takes_its_time_is_in_progress_until_the_schedule_is_gone(box: Box) -> None:
    state(box)["polls"] = 2
    result = cut(box)
    assert result["outcome"] == "in_progress" and "Contributor on " + LAB in box["azure"].left(JANE)
    sent = len(box["azure"].writes())
    assert cut(box)["outcome"] == "in_progress"
    assert cut(box)["outcome"] == "already" and box["azure"].left(JANE) == []
    assert len(box["azure"].writes()) == sent


def test_what_was_activated_a_moment_ago_loses_the_assignment_that_the_activation_made(box: Box) -> None:
    state(box)["too_short"] = True
    assert cut(box)["outcome"] == "done" and box["azure"].left(JANE) == []


def test_a_role_that_begins_later_is_taken_too(box: Box) -> None:
    next_month = f"Contributor on {LAB}/resourceGroups/next"
    assert next_month in box["azure"].left(JANE)
    assert next_month in {row["what"] for row in cut(box)["changes"]}


def test_a_tenant_without_privileged_identity_management_loses_its_ordinary_roles(box: Box) -> None:
    state(box)["no_pim"] = True
    assert cut(box)["outcome"] == "done"
    assert not [row for row in state(box)["assignments"].values() if "Reader" in str(row) and JANE in str(row)]


def test_roles_end_though_tokens_may_not_be_listed(box: Box) -> None:
    state(box)["not_admin"] = True
    result = cut(box)
    assert result["outcome"] == "needs_human" and "tokens of Azure DevOps in corp" in str(result["changes"])
    assert box["azure"].left(JANE) == ["build", "laptop"]


def test_a_lock_on_a_scope_is_named_and_the_rest_is_taken(box: Box) -> None:
    locked = {"error": {"code": "ScopeLocked", "message": "The scope is locked."}}
    box["azure"].fault("status", status=409, body=locked, method="DELETE", path="web%20")
    box["azure"].fault("status", status=409, body=locked, method="DELETE", path=r"web \(prod\)")
    result = cut(box)
    assert result["outcome"] == "failed" and "ScopeLocked" in result["msg"]
    assert box["azure"].left(JANE) == [f"Contributor on {SHOP}/resourceGroups/web (prod)"]


def test_a_reinstated_person_gets_the_role_with_its_condition_and_the_end_it_had(box: Box) -> None:
    ends = next(iter(state(box)["eligible"].values()))["properties"]["endDateTime"]
    closed = {row["what"]: row["before"] for row in cut(box)["changes"] if row["outcome"] == "done"}
    result = run(restore.TASK, box, "azure", person=person_of(box, "jane"), part="access", taken={"access": closed})
    again = {row["properties"]["scope"]: row["properties"] for row in state(box)["assignments"].values()}
    assert (again[STORE]["condition"], again[STORE]["conditionVersion"]) == (CONDITION, "2.0")
    back = [row["properties"] for row in state(box)["eligible"].values() if row["properties"]["scope"] == LAB]
    assert [row["endDateTime"] for row in back] == [ends]
    said = {row["what"]: row for row in result["changes"]}
    assert said[f"roles: {CONDITIONAL} if " + read_back(CONDITION)]["outcome"] == "done"
    assert "makes a new one" in str(said["Azure DevOps token build in corp (" + closed_id(closed) + ")"])


def read_back(condition: str) -> str:
    return Held("r", "", "/s", condition=condition, version="2.0").name.partition(" if ")[2]


def closed_id(closed: dict[str, Any]) -> str:
    return next(name for name in closed if "token build" in name).rpartition("(")[2].rstrip(")")


def test_a_name_says_role_scope_condition_and_version_and_is_read_back_exactly() -> None:
    for held in (
        Held("Storage Blob Data Reader", "", STORE, condition=CONDITION, version="2.0"),
        Held("Reader", "", GROUP, eligible=True),
        Held("Reader on call", "", "/subscriptions/a", condition='@Resource[x] StringEquals "a"', version="2.0"),
    ):
        assert read_name(held.name) == held and "\n" not in held.name
    assert read_name("Reader") is None and read_name("Reader on corp") is None


def test_a_condition_is_kept_when_a_mover_gets_the_role(box: Box) -> None:
    wanted = f"{CONDITIONAL} if " + read_back(CONDITION)
    person = person_of(box, "mark")
    assert run(entitlements.TASK, box, "azure", person=person, wanted={"roles": [wanted]})["outcome"] == "done"
    rows = [row["properties"] for row in state(box)["assignments"].values() if row["properties"]["scope"] == STORE]
    assert {row["condition"] for row in rows} == {CONDITION} and len(rows) == 2


def test_whose_user_was_deleted_keeps_assignments_which_the_link_finds(box: Box) -> None:
    users = box["azure"].state["entra"]["users"]
    id = next(key for key, row in users.items() if row["userPrincipalName"] == JANE)
    users.pop(id)
    system = connect(box, "azure", options={**box.systems()["azure"]["options"], "devops": []})
    found = list(system.candidates(system.keys_of(Person(email=JANE), [id])))
    assert [one.id for one in found] == [id]
    for path in system.access_paths(found[0], ""):
        path.close()
    assert not [row for row in state(box)["assignments"].values() if row["properties"]["principalId"] == id]


def test_the_last_owner_waits_for_a_person(box: Box) -> None:
    result = run(cutoff.TASK, box, "azure", person=person_of(box, "grace"))
    assert result["outcome"] == "needs_human" and "the last" in str(result["changes"])
    assert box["azure"].left("grace@corp.example") == [f"Owner on {GROUP}"]


def test_nobody_is_suspended_here(box: Box) -> None:
    result = run(account.TASK, box, "azure", person=person_of(box, "jane"), state="suspended")
    assert "can't suspend a principal" in str(result) and box["azure"].writes() == []


def test_everybody_with_a_role_is_listed_once_with_what_they_hold(box: Box) -> None:
    listed = {one.account.login: one for one in connect(box, "azure").all_accounts()}
    assert set(listed) == {JANE, MARK, "grace@corp.example"}
    assert ("roles", f"Owner on {SHOP} (eligible)") in listed[MARK].held


def test_a_missing_right_names_the_role_that_is_needed(box: Box) -> None:
    refused = {"error": {"code": "AuthorizationFailed", "message": "does not have authorization"}}
    box["azure"].fault("status", status=403, body=refused, method="GET", path="roleAssignments")
    with pytest.raises(PermissionDenied, match="User Access Administrator"):
        connect(box, "azure").entitlements(connect(box, "azure").find_account(Person(email=JANE)))


def test_a_scope_that_is_none_is_refused_before_anything_is_asked(box: Box) -> None:
    with pytest.raises(InputError, match="/subscriptions/ID"):
        connect(box, "azure", options={"scopes": ["shop"]})
    assert box["azure"].journal == []


CONTRIBUTORS, READERS, ENTRA = r"[Shop]\Contributors", r"[corp]\Readers", r"[TEAM FOUNDATION]\everybody"


def taken(box: Box, **how: Any) -> dict[str, Any]:
    return run(entitlements.TASK, box, "azure", person=person_of(box, "jane"), mode="remove", **how)


def sent(box: Box) -> list[str]:
    """The writes to groups and licences of Azure DevOps."""
    words = ("memberships", "userentitlements")
    return [
        f"{e['method']} {e['path'].split('/_apis/')[1].split('/')[-1]}"
        for e in box["azure"].writes()
        if any(w in e["path"] for w in words)
    ]


def test_a_leaver_loses_licence_and_groups_and_nobody_else_loses_any(box: Box) -> None:
    before = box["azure"].seats(MARK)
    result = taken(box)
    assert box["azure"].seats(JANE) == [ENTRA] and box["azure"].seats(MARK) == before
    rows = {row["what"]: row for row in result["changes"]}
    assert rows[f"devops_groups: {CONTRIBUTORS} in corp"]["outcome"] == "done"
    assert rows["devops_licences: Basic in corp"]["outcome"] == "done"
    assert [one.split()[0] for one in sent(box)] == ["DELETE", "DELETE"] and sent(box)[1].endswith("vssgp.contributors")
    assert taken(box)["outcome"] == "already" and len(sent(box)) == 2


def test_a_group_of_entra_is_never_said_to_be_taken_here(box: Box) -> None:
    result = taken(box)
    [row] = [row for row in result["changes"] if "everybody" in row["what"]]
    assert row["outcome"] != "done" and "change its members there" in row["note"]
    assert not [one for one in sent(box) if "aadgp" in one]


def test_a_licence_of_a_group_s_rule_is_left_to_the_group(box: Box) -> None:
    licences = state(box)["devops"]["licences"]
    who = next(iter(licences))
    licences[who]["assignmentSource"] = "groupRule"
    rows = {row["what"]: row for row in taken(box)["changes"]}
    assert "rule of a group" in rows["devops_licences: Basic in corp"]["note"] and who in licences


def test_roles_are_taken_though_groups_and_licence_may_not_be_read(box: Box) -> None:
    state(box)["not_admin"] = True
    result = taken(box)
    assert result["outcome"] == "needs_human" and "groups and licence in corp" in str(result["changes"])
    assert not [one for one in box["azure"].left(JANE) if " on /" in one] and sent(box) == []


def test_who_comes_back_gets_the_licence_before_the_groups(box: Box) -> None:
    taken(box)
    back = {"devops_groups": [f"{CONTRIBUTORS} in corp"], "devops_licences": ["Basic in corp"]}
    result = run(
        restore.TASK, box, "azure", person=person_of(box, "jane"), part="entitlements", taken={"entitlements": back}
    )
    assert result["outcome"] == "done" and set(box["azure"].seats(JANE)) == {CONTRIBUTORS, ENTRA, "express"}


def test_a_licence_that_is_refused_in_an_answer_of_200_is_no_success(box: Box) -> None:
    taken(box)
    state(box)["devops"]["refuses"] = "There are no licences left"
    wanted = {"devops_licences": ["Basic in corp"]}
    result = run(entitlements.TASK, box, "azure", person=person_of(box, "jane"), wanted=wanted)
    assert result["outcome"] == "failed" and "no licences left" in str(result)


def test_members_of_a_group_are_listed_and_what_is_not_there_is_not_found(box: Box) -> None:
    system = connect(box, "azure")
    assert set(system.group_members("devops_groups", f"{CONTRIBUTORS} in corp")) == {JANE, MARK}
    assert system.find_entitlement("devops_groups", "[corp]\\Nobody in corp") is None
    assert system.find_entitlement("devops_licences", "Basic in elsewhere") is None
    listed = {one.account.login: one for one in system.all_accounts()}
    assert ("devops_licences", "Basic in corp") in listed[JANE].held
    assert ("devops_groups", f"{ENTRA} in corp") in listed[JANE].fixed
