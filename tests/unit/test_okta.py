# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The Okta connector against an organisation that refuses what Okta refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.okta.api import throttled
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import AuthenticationFailed
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Answer
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements

from sandbox.box import Box
from sandbox.vendors.okta import Okta
from tests.support import connect, person_of, run

JANE, MARK, TOM, GRACE = "00uE1007", "00uE1002", "00uE1011", "00uE1001"


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Okta]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["okta"].reset()
    return running


def sent(box: Box) -> list[str]:
    """The writes in their order, without the address of the user."""
    return [f"{entry['method']} {entry['path'].partition(JANE)[2] or entry['path']}" for entry in box["okta"].writes()]


def test_sign_in_is_blocked_first_and_the_account_deactivated_last(box: Box) -> None:
    run(cutoff.TASK, box, "okta", person=person_of(box, "jane"))
    order = sent(box)
    assert order[0] == "POST /lifecycle/suspend" and order[-1] == "POST /lifecycle/deactivate"
    assert "DELETE /sessions" in order[1:3]


def test_factors_end_before_the_deactivation_since_okta_refuses_them_after(box: Box) -> None:
    run(cutoff.TASK, box, "okta", person=person_of(box, "jane"))
    order = sent(box)
    factors = [n for n, line in enumerate(order) if line.startswith("DELETE /factors/")]
    assert factors and max(factors) < order.index("POST /lifecycle/deactivate")
    assert box["okta"].state["factors"][JANE] == []


def test_a_factor_that_went_along_with_another_is_no_failure(box: Box) -> None:
    result = run(cutoff.TASK, box, "okta", person=person_of(box, "jane"))
    rows = {row["what"]: row for row in result["changes"]}
    assert rows[f"factor signed_nonce (signed_nonce-{JANE})"]["outcome"] in ("done", "already")


def test_a_device_that_others_use_stays(box: Box) -> None:
    run(cutoff.TASK, box, "okta", person=person_of(box, "jane"))
    devices = box["okta"].state["devices"]
    assert devices["guoMBP"]["status"] == "DEACTIVATED" and devices["guoKIOSK"]["status"] == "ACTIVE"


def test_a_locked_out_account_is_deactivated_at_once(box: Box) -> None:
    box["okta"].state["users"][JANE]["status"] = "LOCKED_OUT"
    run(cutoff.TASK, box, "okta", person=person_of(box, "jane"))
    assert sent(box)[0] == "POST /lifecycle/deactivate"
    assert box["okta"].state["users"][JANE]["status"] == "DEPROVISIONED"


def test_with_end_state_suspend_the_app_assignments_stay(box: Box) -> None:
    entry = {"options": {"end_state": "suspend"}}
    run(cutoff.TASK, box, "okta", changes=entry, person=person_of(box, "jane"))
    state = box["okta"].state
    assert state["users"][JANE]["status"] == "SUSPENDED" and JANE in state["apps"]["0oawiki"]["users"]
    assert "00Tdeploy" not in state["tokens"]


def test_the_last_super_administrator_is_a_persons_decision(box: Box) -> None:
    result = run(cutoff.TASK, box, "okta", person=person_of(box, "grace"))
    (row,) = [row for row in result["changes"] if row["what"].startswith("admin role")]
    assert row["outcome"] == "needs_human" and "last Super Administrator" in row["note"]
    assert box["okta"].state["roles"][GRACE]


def administrators_beside_grace(box: Box) -> None:
    """Give an admin role to more people than one page of administrators holds; the last one is a super administrator."""
    roles, users = box["okta"].state["roles"], [uid for uid in box["okta"].state["users"] if uid not in (GRACE, JANE)]
    held = roles[GRACE][0]
    for number, uid in enumerate(users):
        roles[uid] = [{**held, "id": f"ra{number}", "type": "READ_ONLY_ADMIN", "label": "Read-only Administrator"}]
    roles[users[-1]] = [{**held, "id": "ra-last"}]


def test_a_super_administrator_on_a_later_page_counts_as_another_one(box: Box) -> None:
    administrators_beside_grace(box)
    result = run(cutoff.TASK, box, "okta", person=person_of(box, "grace"))
    (row,) = [row for row in result["changes"] if row["what"].startswith("admin role")]
    assert row["outcome"] == "done"


def test_members_of_a_role_are_listed_over_all_pages(box: Box) -> None:
    administrators_beside_grace(box)
    roles = box["okta"].state["roles"]
    expected = {uid for uid, held in roles.items() if any(role["type"] == "SUPER_ADMIN" for role in held)}
    assert set(connect(box, "okta").group_members("roles", "Super Administrator")) == expected and len(expected) == 2


def test_groups_of_a_rule_or_an_app_are_reported_and_not_changed(box: Box) -> None:
    result = run(entitlements.TASK, box, "okta", person=person_of(box, "jane"), mode="remove")
    notes = {row["what"]: row.get("note", "") for row in result["changes"]}
    assert "group rule Berlin" in notes["groups: Everybody in Berlin"]
    assert "mastered by an app" in notes["groups: Office staff"] and "groups: Everyone" not in notes
    assert "through a group" in notes["apps: Mail"]
    assert not [entry for entry in box["okta"].writes() if entry["status"] >= 400]


def test_an_app_that_a_group_gave_goes_with_the_group(box: Box) -> None:
    run(entitlements.TASK, box, "okta", person=person_of(box, "jane"), mode="remove")
    assert JANE not in box["okta"].state["apps"]["0oamail"]["users"]


def test_a_joiner_gets_no_mail_until_the_account_is_opened(box: Box) -> None:
    run(account.TASK, box, "okta", person=person_of(box, "ada"), state="prepared")
    (ada,) = [u for u in box["okta"].state["users"].values() if u["profile"]["login"] == "ada@corp.example"]
    assert ada["status"] == "STAGED" and box["okta"].state["mails"] == []
    assert run(account.TASK, box, "okta", person=person_of(box, "ada"), state="active")["outcome"] == "done"
    assert ada["status"] == "PROVISIONED" and box["okta"].state["mails"] == ["ada.private@mail.example"]


def test_a_suspended_account_comes_back_with_everything(box: Box) -> None:
    run(account.TASK, box, "okta", person=person_of(box, "jane"), state="suspended")
    assert box["okta"].state["users"][JANE]["status"] == "SUSPENDED"
    run(account.TASK, box, "okta", person=person_of(box, "jane"), state="active")
    assert box["okta"].state["users"][JANE]["status"] == "ACTIVE"


def test_an_account_is_deleted_only_once_it_is_deactivated(box: Box) -> None:
    result = run(
        account.TASK, box, "okta", person=person_of(box, "jane"), state="absent", confirm=["jane@corp.example"]
    )
    assert JANE not in box["okta"].state["users"], result
    assert sent(box) == ["POST /lifecycle/deactivate", f"DELETE /api/v1/users/{JANE}"]


def test_an_account_that_active_directory_masters_is_refused_with_the_reason(box: Box) -> None:
    box["okta"].state["users"][TOM]["credentials"]["provider"]["type"] = "ACTIVE_DIRECTORY"
    wanted = {"title": "Engineer"}
    result = run(account.TASK, box, "okta", person=person_of(box, "tom"), state="present", attributes=wanted)
    assert result["failed"] and "mastered by Active Directory" in result["msg"] and box["okta"].writes() == []


def test_deactivated_people_are_listed_too(box: Box) -> None:
    box["okta"].state["users"][JANE]["status"] = "DEPROVISIONED"
    listed = {one.account.login: one.account.active for one in connect(box, "okta").all_accounts()}
    assert (
        listed == {u["profile"]["login"]: u["status"] == "ACTIVE" for u in box["okta"].state["users"].values()}
        and not listed["jane@corp.example"]
    )


def test_members_of_groups_apps_and_roles_are_listed(box: Box) -> None:
    okta = connect(box, "okta")
    assert {JANE, MARK} == {one for one in okta.group_members("groups", "Engineering") if one.startswith("00u")}
    assert JANE in set(okta.group_members("apps", "Wiki"))
    assert list(okta.group_members("roles", "Super Administrator")) == [GRACE]


def test_api_tokens_are_listed_with_their_maker(box: Box) -> None:
    found = {one.name: one.maker for one in connect(box, "okta").all_credentials()}
    assert found == {"Deployment": JANE, "HR import": GRACE}


def test_controls_tell_what_counts_as_a_second_factor(box: Box) -> None:
    okta = connect(box, "okta")
    jane = okta.find_account(Person.of(person_of(box, "jane")))
    assert okta.controls(jane) == {"mfa_registered": True, "phishing_resistant": True}
    state = box["okta"].state
    state["factors"][JANE] = [{**state["factors"][JANE][0], "factorType": "question"}]
    assert okta.controls(jane) == {"mfa_registered": False, "phishing_resistant": False}


def test_the_wait_after_a_throttle_is_counted_on_oktas_clock() -> None:
    now = int(time.time())
    headers = {
        "X-Rate-Limit-Reset": str(now - 3600 + 20),
        "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now - 3600)),
    }
    assert throttled(Answer(429, headers, {})) == 20.0
    assert throttled(Answer(200, headers, {})) is None


def test_an_app_that_wants_dpop_gets_an_error_that_names_the_setting(box: Box) -> None:
    body = {"error": "use_dpop_nonce", "error_description": "Authorization server requires nonce in DPoP proof."}
    box["okta"].fault("status", status=400, body=body, path="/oauth2/v1/token$")
    with pytest.raises(AuthenticationFailed, match="Require DPoP"):
        connect(box, "okta").find_account(Person.of(person_of(box, "jane")))


def test_an_api_token_signs_in_as_well(box: Box) -> None:
    okta = connect(box, "okta", credentials={"api_token": box["okta"].secret("api_token")})
    assert okta.find_account(Person.of(person_of(box, "jane"))).id == JANE
    (call,) = [entry for entry in box["okta"].journal if entry["path"].endswith("jane@corp.example")]
    assert call["status"] == 200


def test_a_leaver_who_married_is_found_by_employee_number(box: Box) -> None:
    married = {**person_of(box, "jane"), "email": "jane.becker@corp.example", "last_name": "Becker"}
    run(cutoff.TASK, box, "okta", person=married)
    assert box["okta"].state["users"][JANE]["status"] == "DEPROVISIONED"


def test_somebody_elses_account_under_the_leavers_login_is_left_alone(box: Box) -> None:
    other = box["okta"].state["users"][JANE]["profile"]
    other.update(employeeNumber="E9999", email="jane.doe@corp.example", lastName="Doe")
    result = run(cutoff.TASK, box, "okta", person=person_of(box, "jane"))
    assert result["outcome"] not in ("done", "acknowledged") and box["okta"].writes() == [], result
