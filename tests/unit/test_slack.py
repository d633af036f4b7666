# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.slack.connector import Slack as Slacks
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine import absence
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AmbiguousIdentity,
    AuthenticationFailed,
    Rejected,
    Unsupported,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, ownership

from sandbox.box import Box
from sandbox.vendors.slack import Slack
from tests.support import connect, person_of, run

JANE = "U0E1007"


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Slack]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["slack"].reset()
    return running


def test_an_error_with_200_is_an_error(box: Box) -> None:
    box["slack"].fault(
        "status",
        path="admin.users.session.list",
        status=200,
        body={"ok": False, "error": "missing_scope", "needed": "admin.users:read"},
    )
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert (
        result["failed"]
        and "missing_scope (needs scope admin.users:read)" in result["msg"]
        and not box["slack"].writes()
    )


def test_sessions_end_before_the_account(box: Box) -> None:
    run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert [w["path"] for w in box["slack"].writes()] == ["/api/admin.users.session.reset", f"/scim/v2/Users/{JANE}"]


def test_the_primary_owner_is_refused_with_the_reason(box: Box) -> None:
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "grace"))
    assert result["outcome"] == "needs_human" and "the last primary owner" in str(result["changes"])
    assert box["slack"].state["users"]["U0E1001"]["active"]


def test_a_plan_without_session_calls_is_still_cut(box: Box) -> None:
    box["slack"].fault(
        "status", path="session.list", status=200, body={"ok": False, "error": "feature_not_enabled"}, times=-1
    )
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert result["outcome"] == "done" and [c["what"] for c in result["changes"]] == ["account"]
    assert not box["slack"].state["users"][JANE]["active"]


@pytest.mark.parametrize("error", ["feature_not_enabled", "unknown_method", "not_an_enterprise"])
def test_the_code_alone_says_that_the_plan_has_no_sessions(box: Box, error: str) -> None:
    said = {"ok": False, "error": error, "response_metadata": {"messages": ["ask your administrator"]}}
    box["slack"].fault("status", path="session.list", status=200, body=said, times=-1)
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert result["outcome"] == "done" and not box["slack"].state["users"][JANE]["active"], result


def test_a_text_that_ends_in_a_code_is_no_code(box: Box) -> None:
    said = {
        "ok": False,
        "error": "not_allowed",
        "response_metadata": {"messages": ["not one of the errors of unknown_method"]},
    }
    box["slack"].fault("status", path="session.list", status=200, body=said, times=-1)
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert result["failed"] and "not_allowed" in result["msg"], result
    box["slack"].fault("status", path="workflows.search", status=200, body=said, times=-1)
    system = connect(box, "slack")
    with pytest.raises(Rejected, match="not_allowed"):
        system.owned(system.find_account(Person.of(person_of(box, "jane"))))


def test_a_plan_without_workflows_is_said(box: Box) -> None:
    body = {"ok": False, "error": "not_an_enterprise", "response_metadata": {"messages": ["ask your administrator"]}}
    box["slack"].fault("status", path="workflows.search", status=200, body=body, times=-1)
    system = connect(box, "slack")
    with pytest.raises(Unsupported, match="this plan"):
        system.owned(system.find_account(Person.of(person_of(box, "jane"))))


def test_sessions_are_asked_for_in_every_workspace_of_the_person(box: Box) -> None:
    box["slack"].state["sessions"][JANE][0]["team_id"] = "T2"
    box["slack"].state["teams"][JANE] = ["T1", "T2"]
    run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    asked = [json.loads(one["body"]) for one in box["slack"].journal if one["path"].endswith("session.list")]
    assert {one["team_id"] for one in asked} == {"T1", "T2"}
    assert box["slack"].state["sessions"][JANE] == []


def test_a_person_without_a_workspace_is_no_person_without_sessions(box: Box) -> None:
    box["slack"].fault("status", path="users.info", status=200, body={"ok": True, "user": {"id": JANE}}, times=-1)
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert result["failed"] and "in which workspace" in result["msg"], result
    assert len(box["slack"].state["sessions"][JANE]) == 3, "nothing was written"


def test_the_enterprise_method_deactivates(box: Box) -> None:
    entry = box.systems()["slack"]["options"]
    run(
        cutoff.TASK, box, "slack", changes={"options": {**entry, "method": "deactivate"}}, person=person_of(box, "jane")
    )
    assert (
        not box["slack"].state["users"][JANE]["active"]
        and box["slack"].writes()[-1]["path"] == "/api/admin.users.deactivate"
    )


def test_the_list_of_sessions_is_read_to_the_end(box: Box) -> None:
    system = connect(box, "slack")
    assert len(system._sessions(system.find_account(Person.of(person_of(box, "jane"))))) == 3


def test_others_stay_in_the_user_group(box: Box) -> None:
    run(
        entitlements.TASK,
        box,
        "slack",
        person=person_of(box, "jane"),
        mode="remove",
        wanted={"groups": ["engineering"]},
    )
    assert {g["handle"]: g["users"] for g in box["slack"].state["groups"].values()}["engineering"] == ["U0E1002"]


def test_the_last_member_of_a_user_group_stays_with_the_reason(box: Box) -> None:
    result = run(entitlements.TASK, box, "slack", person=person_of(box, "jane"), mode="remove")
    row = next(c for c in result["changes"] if c["what"] == "groups: release-duty")
    assert row["outcome"] == "needs_human" and "no empty user group" in row["note"]


def test_a_search_that_answers_others_is_nobody(box: Box) -> None:
    other = box["slack"].state["users"]["U0E1002"]
    box["slack"].fault(
        "status", path="/scim/v2/Users", status=200, body={"Resources": [other], "totalResults": 1}, times=-1
    )
    assert connect(box, "slack").find_account(Person.of(person_of(box, "jane"))) is None


def test_two_accounts_stop(box: Box) -> None:
    jane = box["slack"].state["users"][JANE]
    box["slack"].state["users"]["U9"] = {**jane, "id": "U9", "userName": "jane2"}
    with pytest.raises(AmbiguousIdentity):
        connect(box, "slack").find_account(Person.of(person_of(box, "jane")))


def test_a_taken_address_is_a_conflict(box: Box) -> None:
    system = connect(box, "slack")
    result = run(account.TASK, box, "slack", person=person_of(box, "ada"), state="present")
    assert result["outcome"] == "done"
    with pytest.raises(Exception, match="uniqueness"):
        system.create_account(Person.of(person_of(box, "ada")), {})


def test_workflows_that_no_plan_shows_are_unsupported(box: Box) -> None:
    box["slack"].fault(
        "status", path="workflows.search", status=200, body={"ok": False, "error": "not_an_enterprise"}, times=-1
    )
    assert (
        run(ownership.TASK, box, "slack", person=person_of(box, "jane"), successor="mark@corp.example")["outcome"]
        == "unsupported"
    )


def test_a_bad_token_is_named(box: Box) -> None:
    with pytest.raises((AuthenticationFailed, Rejected)):
        connect(box, "slack", credentials={"token": "xoxp-wrong"}).find_account(Person.of(person_of(box, "jane")))


def test_a_leaver_who_married_is_found_by_the_number_that_slack_cannot_be_asked_for(box: Box) -> None:
    married = {
        **person_of(box, "lena"),
        "email": "lena.vogel@corp.example",
        "last_name": "Vogel",
        "aliases": [],
        "logins": {},
    }
    index = base64.b64encode(pack([Person.of(married), Person.of(person_of(box, "mark"))], {"slack": Slacks.LOGIN}))
    known = {"others": {"inline": [index.decode()]}}
    result = run(cutoff.TASK, box, "slack", person=married, known=known)
    assert result["outcome"] == "done", result
    assert [u["active"] for u in box["slack"].state["users"].values() if u["userName"] == "lena"] == [False]
    assert all(u["active"] for u in box["slack"].state["users"].values() if u["userName"] == "mark")


def test_an_account_that_carries_a_key_of_theirs_and_does_not_answer_to_it_is_no_absence(box: Box) -> None:
    married = {**person_of(box, "lena"), "email": "lena.vogel@corp.example", "aliases": [], "logins": {}}
    index = base64.b64encode(pack([Person.of(married)], {"slack": Slacks.LOGIN}))
    system, known = connect(box, "slack"), {"others": {"inline": [index.decode()]}}
    why = absence.open_question(system, {"known": known}, Person.of(married))
    assert "lena" in why
