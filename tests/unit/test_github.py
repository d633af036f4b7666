# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.github.api import throttled
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    CredentialError,
    InputError,
    PermissionDenied,
    Rejected,
    Throttled,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Answer
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, ownership
from requests.structures import CaseInsensitiveDict

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from tests.support import connect, person_of, run


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([GitHub]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["github"].reset()
    return running


def _answer(status: int, body: Any = None, **headers: str) -> Answer:
    return Answer(status, CaseInsensitiveDict({k.replace("_", "-"): v for k, v in headers.items()}), body)


def test_a_403_is_a_throttle_only_when_it_says_so() -> None:
    assert (
        throttled(_answer(403, {"message": "Must have admin rights to Repository."}, X_RateLimit_Remaining="4999"))
        is None
    )
    assert throttled(_answer(403, {"message": "You have exceeded a secondary rate limit."})) == 60.0
    assert throttled(_answer(403, {"message": "slow"}, Retry_After="7")) == 7.0
    primary = throttled(
        _answer(
            403,
            {"message": "API rate limit exceeded"},
            X_RateLimit_Remaining="0",
            X_RateLimit_Reset=str(int(time.time()) + 300),
        )
    )
    assert primary is not None and 290 < primary <= 301


def test_the_last_owner_is_refused_and_nothing_is_sent_about_the_membership(box: Box) -> None:
    result = run(cutoff.TASK, box, "github", person=person_of(box, "grace"))
    assert result["outcome"] == "needs_human"
    assert "last owner" in next(c["note"] for c in result["changes"] if c["what"] == "membership")
    assert "grace-okoye" in box["github"].state["members"]


def test_an_invitation_by_e_mail_is_found_and_cancelled(box: Box) -> None:
    ada = {**person_of(box, "ada"), "logins": {}}
    assert run(account.TASK, box, "github", person=ada, state="present")["outcome"] == "in_progress"
    assert [i["email"] for i in box["github"].state["invitations"].values()] == ["ada@corp.example"]
    assert run(cutoff.TASK, box, "github", person=ada)["outcome"] == "done"
    assert not box["github"].state["invitations"]


def test_without_a_login_the_saml_identity_tells(box: Box) -> None:
    found = connect(box, "github").find_account(Person.of({"email": "jane@corp.example"}))
    assert found.login == "janemo"
    assert connect(box, "github").find_account(Person.of({"email": "lena@corp.example"})) is None


def test_an_unknown_login_without_saml_stops(box: Box) -> None:
    box["github"].fault(
        "status", path="/graphql", status=200, body={"data": {"organization": {"samlIdentityProvider": None}}}
    )
    with pytest.raises(InputError, match="login of lena@corp.example is not known"):
        connect(box, "github").find_account(Person.of({"email": "lena@corp.example"}))


def test_somebody_hr_says_has_no_login_is_absent(box: Box) -> None:
    assert (
        connect(box, "github").find_account(Person.of({"email": "lena@corp.example", "logins": {"github": "-"}}))
        is None
    )


def test_graphql_errors_come_with_200(box: Box) -> None:
    box["github"].fault(
        "status", path="/graphql", status=200, body={"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]}
    )
    with pytest.raises(PermissionDenied):
        connect(box, "github").find_account(Person.of({"email": "lena@corp.example"}))


def test_lists_are_read_to_the_last_page(box: Box) -> None:
    assert connect(box, "github").find_account(Person.of(person_of(box, "nia"))).active
    assert connect(box, "github").find_entitlement("teams", "platform").id
    assert any("page=2" in e["query"] for e in box["github"].journal)


def test_a_synchronised_team_is_not_taken_by_hand(box: Box) -> None:
    result = run(entitlements.TASK, box, "github", person=person_of(box, "mark"), mode="remove")
    row = next(c for c in result["changes"] if c["what"] == "teams: everyone")
    assert row["outcome"] == "already" and "All staff" in row["note"]
    assert "markchen" in box["github"].state["teams"]["everyone"]["members"]


def test_without_revoke_all_credentials_go_one_by_one(box: Box) -> None:
    box["github"].fault("status", method="POST", path="/revoke$", status=404, body={"message": "Not Found"})
    assert run(cutoff.TASK, box, "github", person=person_of(box, "jane"))["outcome"] == "done"
    assert (
        len(
            [
                w
                for w in box["github"].writes()
                if w["method"] == "DELETE" and "/credential-authorizations/" in w["path"]
            ]
        )
        == 2
    )


def test_a_plain_token_works_without_what_only_apps_may(box: Box) -> None:
    credentials = {"credentials": {"token": box["github"].secret("token")}}
    result = run(cutoff.TASK, box, "github", changes=credentials, person=person_of(box, "jane"))
    assert result["outcome"] == "done" and "janemo" not in box["github"].state["members"]
    assert not [e for e in box["github"].journal if "personal-access-tokens" in e["path"]]


def test_repositories_are_found_after_the_cut_too(box: Box) -> None:
    jane = person_of(box, "jane")
    run(cutoff.TASK, box, "github", person=jane)
    result = run(ownership.TASK, box, "github", person=jane, successor="mark@corp.example")
    assert {c["what"] for c in result["changes"]} == {"repository website", "deploy key deploy website of website (71)"}
    assert box["github"].state["repos"]["website"]["direct"] == {"markchen": "admin"}


def test_a_deploy_key_of_an_archived_repository_is_left_to_a_person_and_one_of_a_fork_ends(box: Box) -> None:
    repos = box["github"].state["repos"]
    key = repos["website"]["keys"][0]
    repos["old"]["keys"] = [{**key, "id": 81, "title": "deploy old"}]
    repos["untouched"] |= {"fork": True, "keys": [{**key, "id": 82, "title": "deploy fork"}]}
    result = run(ownership.TASK, box, "github", person=person_of(box, "jane"), successor="mark@corp.example")
    rows = {row["what"]: row for row in result["changes"]}
    old = rows["deploy key deploy old of old (81)"]
    assert old["outcome"] == "needs_human" and "unarchive" in old["note"] and repos["old"]["keys"]
    assert rows["deploy key deploy fork of untouched (82)"]["outcome"] == "done" and not repos["untouched"]["keys"]
    assert "repository old" not in rows and "repository untouched" not in rows


def test_a_missing_single_sign_on_of_the_token_is_explained(box: Box) -> None:
    box["github"].fault(
        "status",
        path="/memberships/",
        status=403,
        body={"message": "Resource protected by organization SAML enforcement."},
        headers={"X-GitHub-SSO": "required; url=https://github.com/orgs/x/sso"},
    )
    with pytest.raises(PermissionDenied, match="authorise it in the token's settings"):
        connect(box, "github").find_account(Person.of(person_of(box, "jane")))


def test_a_long_throttle_is_reported_not_waited_for(box: Box) -> None:
    box["github"].fault(
        "status", path="/users/", status=403, body={"message": "You have exceeded a secondary rate limit."}, times=-1
    )
    with pytest.raises(Throttled):
        connect(box, "github").find_account(Person.of(person_of(box, "jane")))


def test_a_bad_private_key_is_named_and_not_shown(box: Box) -> None:
    system = connect(box, "github", credentials={"app_id": "1", "installation_id": "2", "private_key": "canary-secret"})
    with pytest.raises(CredentialError, match="not an RSA key") as caught:
        system.find_account(Person.of(person_of(box, "jane")))
    assert "canary-secret" not in str(caught.value)


def test_the_emulator_refuses_what_github_refuses(box: Box) -> None:
    api = connect(box, "github").api
    org = "/orgs/corp-example"
    with pytest.raises(Rejected, match="organization member"):
        api.send("DELETE", f"{org}/outside_collaborators/janemo", act="x")
    assert api.send("DELETE", f"{org}/memberships/janemo", act="x").status == 204
    assert api.send("DELETE", f"{org}/memberships/janemo", act="x", missing=(404,)).status == 404
    with pytest.raises(PermissionDenied, match="last owner"):
        api.send("DELETE", f"{org}/memberships/grace-okoye", act="x")


def test_a_handle_that_its_owner_renamed_is_found_by_the_identity_provider_and_by_its_id(box: Box) -> None:
    state = box["github"].state
    jane = connect(box, "github").find_account(Person.of(person_of(box, "jane")))
    state["users"]["jane-new"] = state["users"].pop("janemo")
    state["members"]["jane-new"] = state["members"].pop("janemo")
    state["saml"]["jane@corp.example"] = "jane-new"
    found = connect(box, "github").find_account(Person.of(person_of(box, "jane")))
    assert found.login == "jane-new" and found.active and found.id == jane.id
    del state["saml"]["jane@corp.example"]
    system = connect(box, "github")
    keys = system.keys_of(Person.of(person_of(box, "jane")), [jane.id])
    assert [account.login for account in system.candidates(keys)] == ["jane-new"]


def test_a_handle_that_hr_names_and_the_identity_provider_knows_as_somebody_elses_is_not_touched(box: Box) -> None:
    lena = {**person_of(box, "lena"), "logins": {"github": "markchen"}}
    result = run(cutoff.TASK, box, "github", person=lena)
    assert result["outcome"] == "needs_human" and box["github"].writes() == []
    assert "mark@corp.example" in result["changes"][0]["note"]


def test_unpushed_work_in_a_codespace_stays_an_open_item_after_the_codespace_is_out_of_sight(box: Box) -> None:
    [(name, space)] = box["github"].state["spaces"].items()
    space["unpushed"] = True
    first = run(cutoff.TASK, box, "github", person=person_of(box, "jane"))
    assert space["state"] == "Shutdown" and "janemo" not in box["github"].state["members"]
    left = {row["what"]: row["note"] for row in first["changes"] if row.get("lasting")}
    assert set(left) == {f"what codespace {name} leaves"} and first["outcome"] == "needs_human"
    again = run(cutoff.TASK, box, "github", person=person_of(box, "jane"), history={"waiting": left})
    assert again["outcome"] == "needs_human"


def test_actions_secrets_of_what_a_leaver_committed_to_are_an_open_item(box: Box) -> None:
    repos = box["github"].state["repos"]
    repos["payments"]["secrets"] = ["NPM_TOKEN", "DEPLOY_KEY"]
    repos["untouched"]["secrets"] = ["OTHER"]
    result = run(ownership.TASK, box, "github", person=person_of(box, "jane"), successor="mark@corp.example")
    found = [row["what"] for row in result["changes"] if row["what"].startswith("Actions secrets")]
    assert found == ["Actions secrets of payments: DEPLOY_KEY, NPM_TOKEN"]
