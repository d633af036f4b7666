# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who holds what policy protects: everybody, also through groups and groups within them, or an error that says who is not seen."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.protection import protected_by_group
from ansible_collections.workforce.lifecycle.plugins.modules import doctor_system, protected_info

from sandbox.box import Box
from sandbox.vendors.azure import GROUP, AzureCloud
from sandbox.vendors.azure_devops import CONTRIBUTORS, ENTRA
from sandbox.vendors.gcp import NIGHT, GoogleCloud
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.okta import Okta
from tests.support import person_of, run

OWNER = f"Owner on {GROUP}"
_VENDORS = {"azure": AzureCloud, "gcp": GoogleCloud, "google_workspace": GoogleWorkspace, "okta": Okta}


@pytest.fixture
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """A box with the vendor that the test's name begins with."""
    name = request.node.name.removeprefix("test_")
    vendor = next(cls for key, cls in _VENDORS.items() if name.startswith(key))
    with Box([vendor]) as box:
        yield box


def asked(box: Box, path: Path, system: str, kind: str, name: str) -> dict[str, Any]:
    """Ask who is protected, with a policy that names one entitlement."""
    file = path / "policy.yml"
    file.write_text(f"protected: {{members: [{{system: {system}, kind: {kind}, name: '{name}'}}]}}")
    return {**run(protected_info.TASK, box, system, policy=str(file)), "system": system, "policy": str(file)}


def protected(box: Box, answer: dict[str, Any]) -> set[str]:
    """Return which of the company's people the answer protects."""
    assert not answer.get("failed"), answer
    people = {key: Person.of(person_of(box, key)) for key in box.company.people}
    policy = load_policy(answer["policy"])
    return {key for key, one in people.items() if protected_by_group(policy, one, [answer])}


# -- azure -------------------------------------------------------------------------------------------------------------


def assign(box: Box, principal: str, of: str, **more: Any) -> None:
    """Give a principal the role that Grace has on the management group: owner."""
    table = box["azure"].state["azure"]["assignments"]
    grace = box["azure"].user("grace@corp.example")["id"]
    row = copy.deepcopy(next(one for one in table.values() if one["properties"]["principalId"] == grace))
    row |= {"id": f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{principal}", "name": principal}
    row["properties"] |= {"principalId": principal, "principalType": of, **more}
    table[row["id"]] = row


def entra_group(box: Box, name: str, *members: str) -> str:
    """Fill a group with people, by their keys, and groups, by id."""
    found = next(one for one in box["azure"].state["entra"]["groups"].values() if one["displayName"] == name)
    people = box.company.people
    found["members"] = [box["azure"].user(people[one]["email"])["id"] if one in people else one for one in members]
    return str(found["id"])


def test_azure_who_has_a_role_through_groups_is_protected(box: Box, tmp_path: Path) -> None:
    inner = entra_group(box, "Engineering", "jane")
    assign(box, entra_group(box, "Release Managers", "mark", inner), "Group", condition="@Resource[x] Exists")
    assert protected(box, asked(box, tmp_path, "azure", "roles", OWNER)) == {"grace", "jane", "mark"}


def test_azure_who_may_activate_a_role_through_a_group_is_protected(box: Box, tmp_path: Path) -> None:
    rows = box["azure"].state["azure"]["eligible"].values()
    mark = box["azure"].user("mark@corp.example")["id"]
    said = next(one["properties"] for one in rows if one["properties"]["principalId"] == mark)
    name = f"Owner on {said['scope']} (eligible)"
    assert protected(box, asked(box, tmp_path, "azure", "roles", name)) == {"mark"}
    said |= {"principalId": entra_group(box, "Engineering", "lena"), "principalType": "Group"}
    assert protected(box, asked(box, tmp_path, "azure", "roles", name)) == {"lena"}


@pytest.mark.parametrize("hidden", ["refused", "ids alone", "hidden"])
def test_azure_a_group_that_may_not_be_read_is_an_error_that_names_it(box: Box, tmp_path: Path, hidden: str) -> None:
    id = entra_group(box, "Release Managers", "jane")
    assign(box, id, "Group")
    path = f"{id}/transitiveMembers"
    if hidden == "refused":
        refused = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}
        box["azure"].fault("status", status=403, body=refused, path=path, times=-1)
    elif hidden == "ids alone":
        only = {"value": [{"@odata.type": "#microsoft.graph.user", "id": "42", "userPrincipalName": None}]}
        box["azure"].fault("status", status=200, body=only, path=path, times=-1)
    else:
        box["azure"].state["entra"]["groups"][id]["visibility"] = "HiddenMembership"
        box["azure"].fault("status", status=200, body={"value": []}, path=path, times=-1)
    answer = asked(box, tmp_path, "azure", "roles", OWNER)
    needed = "Member.Read.Hidden" if hidden == "hidden" else "GroupMember.Read.All"
    assert answer["failed"] and "Release Managers" in answer["msg"] and needed in answer["msg"], answer


def test_azure_a_group_of_another_tenant_is_an_error(box: Box, tmp_path: Path) -> None:
    assign(box, "11111111-0000-0000-0000-000000000000", "ForeignGroup")
    answer = asked(box, tmp_path, "azure", "roles", OWNER)
    assert answer["failed"] and "another tenant" in answer["msg"], answer


def test_azure_a_role_that_does_not_exist_is_not_one_that_nobody_has(box: Box, tmp_path: Path) -> None:
    for name in (OWNER.replace("Owner", "Owmer"), "Owner"):
        answer = asked(box, tmp_path, "azure", "roles", name)
        assert answer["failed"] and f"there is no role {name}" in answer["msg"], answer


def test_azure_who_is_in_a_group_of_devops_through_groups_is_protected(box: Box, tmp_path: Path) -> None:
    devops = box["azure"].state["azure"]["devops"]
    devops["groups"]["vssgp.admins"] = "[Shop]\\Admins"
    devops["members"]["vssgp.admins"] = [CONTRIBUTORS, ENTRA]
    devops["origins"][ENTRA] = entra_group(box, "Engineering", "lena")
    answer = asked(box, tmp_path, "azure", "devops_groups", "[Shop]\\Admins in corp")
    assert protected(box, answer) == {"jane", "mark", "lena"}
    assert "there is no group" in asked(box, tmp_path, "azure", "devops_groups", "[Shop]\\None in corp")["msg"]


# -- google cloud ------------------------------------------------------------------------------------------------------


def bind(box: Box, *members: str, **more: Any) -> None:
    rows = box["gcp"].state["policies"]["projects/shop"]["bindings"]
    rows.append({"role": "roles/owner", "members": list(members), **more})


def test_gcp_who_has_a_role_through_groups_is_protected(box: Box, tmp_path: Path) -> None:
    groups = box["gcp"].state["groups"]
    groups["board@corp.example"] = ["lena@corp.example", "ci@shop.iam.gserviceaccount.com", "platform@corp.example"]
    groups["platform@corp.example"] = ["mark@corp.example", "board@corp.example"]
    bind(box, "group:Board@corp.example", condition=NIGHT)
    answer = asked(box, tmp_path, "gcp", "roles", "roles/owner on projects/shop")
    assert protected(box, answer) == {"grace", "lena", "mark"}
    assert not [one for one in answer["members"][0]["members"] if "gserviceaccount" in one]


def test_gcp_a_group_that_may_not_be_read_is_an_error_that_names_it(box: Box, tmp_path: Path) -> None:
    box["gcp"].state["reads_groups"] = False
    answer = asked(box, tmp_path, "gcp", "roles", "roles/owner on projects/shop")
    assert answer["failed"] and "platform@corp.example" in answer["msg"] and "Groups Reader" in answer["msg"], answer


@pytest.mark.parametrize("member", ["domain:corp.example", "allAuthenticatedUsers", "principalSet://iam/x"])
def test_gcp_members_that_nobody_lists_are_an_error(box: Box, tmp_path: Path, member: str) -> None:
    bind(box, member)
    answer = asked(box, tmp_path, "gcp", "roles", "roles/owner on projects/shop")
    assert answer["failed"] and member in answer["msg"], answer


def test_gcp_a_role_that_no_policy_has_is_not_one_that_nobody_has(box: Box, tmp_path: Path) -> None:
    answer = asked(box, tmp_path, "gcp", "roles", "roles/owner on projects/elsewhere")
    assert answer["failed"] and "no policy has" in answer["msg"], answer


# -- google workspace --------------------------------------------------------------------------------------------------


def google_group(box: Box, name: str, *members: str) -> str:
    """Fill a group with people, by their keys, and groups, by id."""
    state = box["google_workspace"].state
    id = next(id for id, one in state["groups"].items() if one["row"]["email"] == f"{name}@corp.example")
    ids = {one["primaryEmail"]: uid for uid, one in state["users"].items()}
    people = box.company.people
    found = [ids[people[one]["email"]] if one in people else one for one in members]
    state["groups"][id]["members"] = dict.fromkeys(found, "MEMBER")
    return str(id)


def test_google_workspace_who_has_a_role_or_a_group_through_groups_is_protected(box: Box, tmp_path: Path) -> None:
    inner = google_group(box, "engineering", "mark")
    outer = google_group(box, "release", "grace", inner)
    rows = box["google_workspace"].state["assignments"]
    rows["202"] = {**rows["201"], "roleAssignmentId": "202", "assignedTo": outer}
    answer = asked(box, tmp_path, "google_workspace", "roles", "_HELP_DESK_ADMIN_ROLE")
    assert protected(box, answer) == {"jane", "mark", "grace"}
    answer = asked(box, tmp_path, "google_workspace", "groups", "release@corp.example")
    assert protected(box, answer) == {"mark", "grace"}


def test_google_workspace_a_group_that_may_not_be_read_is_an_error_that_names_it(box: Box, tmp_path: Path) -> None:
    inner = google_group(box, "engineering", "mark")
    google_group(box, "release", inner)
    refused = {"error": {"code": 403, "message": "Not Authorized", "errors": [{"reason": "forbidden"}]}}
    box["google_workspace"].fault("status", status=403, body=refused, path=f"{inner}/members", times=-1)
    answer = asked(box, tmp_path, "google_workspace", "groups", "release@corp.example")
    assert answer["failed"] and "engineering@corp.example" in answer["msg"], answer


def test_google_workspace_a_group_of_everybody_is_an_error(box: Box, tmp_path: Path) -> None:
    everybody = {"members": [{"id": "C1", "type": "CUSTOMER", "role": "MEMBER"}]}
    box["google_workspace"].fault("status", status=200, body=everybody, path=".*/members", times=-1)
    answer = asked(box, tmp_path, "google_workspace", "groups", "release@corp.example")
    assert answer["failed"] and "everybody of the company" in answer["msg"], answer


# -- okta --------------------------------------------------------------------------------------------------------------


def test_okta_who_has_a_role_or_an_app_is_protected_by_address(box: Box, tmp_path: Path) -> None:
    assert protected(box, asked(box, tmp_path, "okta", "roles", "Super Administrator")) == {"grace"}
    assert "jane" in protected(box, asked(box, tmp_path, "okta", "apps", "Wiki"))


# -- doctor ------------------------------------------------------------------------------------------------------------


def test_gcp_doctor_says_that_who_is_protected_cannot_be_read(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text("protected: {members: [{system: gcp, kind: roles, name: roles/owner on projects/shop}]}")
    assert not run(doctor_system.TASK, box, "gcp", policy=str(file))["health"]["problems"]
    box["gcp"].state["reads_groups"] = False
    (problem,) = run(doctor_system.TASK, box, "gcp", policy=str(file))["health"]["problems"]
    assert "platform@corp.example" in problem["what"] and "Groups Reader" in problem["fix"], problem


# -- every connector ---------------------------------------------------------------------------------------------------

#: Connectors whose ``group_members`` has everybody by login or address, and why.
_COMPLETE = {
    "aws": "a policy's or a permission set's members through groups are listed, and groups are never in groups",
    "entra": "transitive members of groups, with their names",
    "exchange": "lists within lists are opened",
    "github": "the members of a team include those of the teams below it",
    "ldap": "groups within groups are opened",
    "openvpn": "it has no entitlements",
    "scim": "groups within groups are opened",
    "slack": "a user group has no groups in it",
    "tailscale": "a role is a user's",
    "wireguard": "it has no entitlements",
}


def test_every_connector_that_lists_accounts_names_everybody() -> None:
    for name, cls in CONNECTORS.items():
        if not callable(getattr(cls, "group_members", None)):
            continue
        whole = callable(getattr(cls, "holders", None))
        packages = {part for one in cls.__mro__ for part in one.__module__.split(".")}
        assert whole or packages & set(_COMPLETE), f"{name}: has it holders(), or why not?"
        assert not (whole and name in _COMPLETE), f"{name} has holders(): take it out of this list"
