# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Conflict, InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, restore

from sandbox.box import Box
from sandbox.vendors.gcp import NIGHT, GoogleCloud
from tests.support import connect, person_of, run

JANE = "jane@corp.example"


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([GoogleCloud]) as box:
        yield box


def bindings(box: Box, resource: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = box["gcp"].state["policies"][resource]["bindings"]
    return found


def test_keys_end_before_roles_and_nobody_else_is_touched(box: Box) -> None:
    result = run(cutoff.TASK, box, "gcp", person=person_of(box, "jane"))
    assert result["outcome"] == "done" and box["gcp"].roles_of(JANE) == []
    assert box["gcp"].writes()[0]["path"] == f"/v1/users/{JANE}/sshPublicKeys/fp1"
    assert box["gcp"].roles_of("mark@corp.example") == [
        "roles/editor on projects/shop",
        "roles/viewer on projects/lab",
        "roles/viewer on projects/third",
    ]


def test_the_conditions_of_others_are_kept_and_the_lost_one_stands_in_the_result(box: Box) -> None:
    result = run(cutoff.TASK, box, "gcp", person=person_of(box, "jane"))
    assert [row for row in bindings(box, "projects/lab") if row.get("condition") == NIGHT]
    assert not [row for row in bindings(box, "projects/shop") if row.get("condition")]
    assert NIGHT["expression"] in str(result["changes"])


def test_a_policy_that_somebody_changed_in_between_is_read_anew(box: Box) -> None:
    box["gcp"].state["moved"] = 3
    assert run(cutoff.TASK, box, "gcp", person=person_of(box, "jane"))["outcome"] == "done"
    assert box["gcp"].roles_of(JANE) == []


def test_a_policy_that_is_changed_without_end_is_a_conflict(box: Box) -> None:
    box["gcp"].state["moved"] = 99
    system = connect(box, "gcp")
    found = system.find_account(Person(email=JANE))
    with pytest.raises(Conflict):
        system.access_paths(found, "")[-1].close()
    assert len(box["gcp"].writes()) == 5


def test_nobody_is_suspended_here_a_cut_takes_the_roles(box: Box) -> None:
    result = run(account.TASK, box, "gcp", person=person_of(box, "jane"), state="suspended")
    assert "can't suspend a member" in str(result) and box["gcp"].writes() == []
    assert len(box["gcp"].roles_of(JANE)) == 3


def test_an_address_in_other_letters_is_the_same_member(box: Box) -> None:
    found = connect(box, "gcp").find_account(Person(email=JANE))
    assert {one.name for one in connect(box, "gcp").entitlements(found)} >= {"roles/viewer on projects/lab"}


def test_who_is_suspended_in_google_loses_the_roles_all_the_same(box: Box) -> None:
    box["gcp"].state["suspended"].append(JANE)
    assert run(cutoff.TASK, box, "gcp", person=person_of(box, "jane"))["outcome"] == "done"
    assert box["gcp"].roles_of(JANE) == []


def test_who_comes_back_gets_the_role_again_and_one_under_a_condition_waits_for_a_person(box: Box) -> None:
    closed = {
        "roles/editor on projects/shop": "open",
        f"roles/storage.admin on projects/shop if {NIGHT['title']}: x": "open",
    }
    next(row for row in bindings(box, "projects/shop") if row["role"] == "roles/editor")["members"].remove(
        f"user:{JANE}"
    )
    result = run(restore.TASK, box, "gcp", person=person_of(box, "jane"), part="access", taken={"access": closed})
    assert "roles/editor on projects/shop" in box["gcp"].roles_of(JANE), result
    assert {row["outcome"] for row in result["changes"]} == {"done", "needs_human"}


def test_who_has_no_role_left_gets_those_again_that_the_cut_took(box: Box) -> None:
    jane = person_of(box, "jane")
    taken = {one["what"]: one["before"] for one in run(cutoff.TASK, box, "gcp", person=jane)["changes"]}
    assert box["gcp"].roles_of(JANE) == []
    result = run(restore.TASK, box, "gcp", person=jane, part="access", taken={"access": taken})
    assert box["gcp"].roles_of(JANE) == ["roles/editor on projects/shop", "roles/viewer on projects/lab"], result
    outcomes = {one["what"].partition(" if ")[0]: one["outcome"] for one in result["changes"]}
    assert outcomes == {
        "OS Login key fp1": "already",
        "roles: roles/editor on projects/shop": "done",
        "roles: roles/viewer on projects/lab": "done",
        "roles/storage.admin on projects/shop": "needs_human",
    }


def test_a_joiners_first_role_is_given_though_nothing_is_known_of_them(box: Box) -> None:
    wanted = {"roles": ["roles/viewer on projects/shop"]}
    result = run(entitlements.TASK, box, "gcp", person=person_of(box, "tom"), wanted=wanted)
    assert result["outcome"] == "done" and box["gcp"].roles_of("tom@corp.example") == wanted["roles"], result
    assert run(entitlements.TASK, box, "gcp", person=person_of(box, "tom"), wanted=wanted)["outcome"] == "already"


def test_somebody_whom_google_does_not_know_gets_no_role(box: Box) -> None:
    nobody = {"email": "nobody@corp.example", "first_name": "No", "last_name": "Body"}
    wanted = {"roles": ["roles/viewer on projects/shop"]}
    result = run(entitlements.TASK, box, "gcp", person=nobody, wanted=wanted)
    assert result["failed"] and "does not exist" in result["msg"], result
    assert run(cutoff.TASK, box, "gcp", person=nobody)["outcome"] == "absent", "nobody's account is made up"


def test_the_last_administrator_waits_for_a_person(box: Box) -> None:
    for resource in ("organizations/1", "projects/shop"):
        for row in bindings(box, resource):
            if row["role"] != "roles/editor":
                row["members"] = ["user:grace@corp.example"]
    result = run(entitlements.TASK, box, "gcp", person=person_of(box, "grace"), mode="remove")
    assert result["outcome"] == "needs_human" and "the last" in str(result["changes"])
    assert box["gcp"].roles_of("grace@corp.example") == [
        "roles/resourcemanager.organizationAdmin on organizations/1",
        "roles/owner on projects/shop",
    ]


def test_every_project_is_looked_at_where_none_is_named(box: Box) -> None:
    system = connect(box, "gcp", options={})
    assert {one.account.login.lower() for one in system.all_accounts()} == {
        JANE,
        "mark@corp.example",
        "grace@corp.example",
    }
    assert [key.name for key in system.all_credentials()] == [
        f"ci@{project}.iam.gserviceaccount.com" for project in ("shop", "lab", "third")
    ]


def test_a_resource_that_is_none_is_refused_before_anything_is_asked(box: Box) -> None:
    with pytest.raises(InputError, match="projects/my-project"):
        connect(box, "gcp", options={"resources": ["shop"]}).find_account(Person(email=JANE))
    assert not [entry for entry in box["gcp"].journal if entry["path"].startswith("/v3")]
