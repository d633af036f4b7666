# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import AmbiguousIdentity, CredentialError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, ownership

from sandbox.box import Box
from sandbox.vendors.tailscale import Tailscale
from tests.support import connect, person_of, run


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Tailscale]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["tailscale"].reset()
    return running


def test_sign_in_ends_first(box: Box) -> None:
    run(cutoff.TASK, box, "tailscale", person=person_of(box, "jane"))
    assert box["tailscale"].writes()[0]["path"] == "/api/v2/users/uE1007/suspend"


def test_an_admin_key_can_not_act_on_its_maker(box: Box) -> None:
    key = {"credentials": {"api_key": box["tailscale"].secret("api_key")}}
    result = run(account.TASK, box, "tailscale", changes=key, person=person_of(box, "grace"), state="suspended")
    assert result["failed"] and result["code"] == "permission" and "yourself" in result["msg"]
    assert run(account.TASK, box, "tailscale", person=person_of(box, "grace"), state="suspended")["outcome"] == "done"


def test_tagged_devices_stay_and_are_listed(box: Box) -> None:
    result = run(ownership.TASK, box, "tailscale", person=person_of(box, "jane"), successor="mark@corp.example")
    (row,) = result["changes"]
    assert (
        row["what"] == "tagged device build-server.tail1.ts.net"
        and row["outcome"] == "needs_human"
        and "tag:ci" in row["note"]
    )


def test_an_open_invitation_is_withdrawn(box: Box) -> None:
    run(account.TASK, box, "tailscale", person=person_of(box, "ada"), state="present")
    assert run(cutoff.TASK, box, "tailscale", person=person_of(box, "ada"))["outcome"] == "done"
    assert not box["tailscale"].state["invites"]


def test_the_owner_is_refused_with_the_reason(box: Box) -> None:
    box["tailscale"].state["users"]["uE1007"]["role"] = "owner"
    result = run(cutoff.TASK, box, "tailscale", person=person_of(box, "jane"))
    assert result["outcome"] == "needs_human" and box["tailscale"].state["users"]["uE1007"]["status"] == "active"
    result = run(entitlements.TASK, box, "tailscale", person=person_of(box, "jane"), mode="remove")
    assert "console" in result["changes"][0]["note"]


def test_a_role_is_replaced_not_lost(box: Box) -> None:
    box["tailscale"].state["users"]["uE1007"]["role"] = "admin"
    assert (
        run(
            entitlements.TASK,
            box,
            "tailscale",
            person=person_of(box, "jane"),
            wanted={"roles": ["auditor"]},
            mode="exact",
        )["outcome"]
        == "done"
    )
    assert box["tailscale"].state["users"]["uE1007"]["role"] == "auditor"


def test_deleting_wants_to_be_confirmed(box: Box) -> None:
    assert (
        run(account.TASK, box, "tailscale", person=person_of(box, "jane"), state="absent")["outcome"] == "needs_human"
    )
    assert "uE1007" in box["tailscale"].state["users"]


def test_two_users_with_one_login_stop(box: Box) -> None:
    users = box["tailscale"].state["users"]
    users["u9"] = {**users["uE1007"], "id": "u9", "loginName": "Jane@corp.example"}
    with pytest.raises(AmbiguousIdentity):
        connect(box, "tailscale").find_account(Person.of(person_of(box, "jane")))


def test_no_credential_is_said_at_once(box: Box) -> None:
    with pytest.raises(CredentialError):
        connect(box, "tailscale", credentials={})


def test_a_token_that_does_not_say_in_seconds_how_long_it_holds_is_used_all_the_same(box: Box) -> None:
    token = {"access_token": box["tailscale"].secret("access_token"), "expires_in": "an hour"}
    box["tailscale"].fault("status", path="/oauth/token$", status=200, body=token)
    assert connect(box, "tailscale").find_account(Person.of(person_of(box, "jane")))
