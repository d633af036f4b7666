# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The last administrator of a system waits for a person, on every system that has administrators; whoever is not the last does not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.ldap import Ldap
from sandbox.vendors.microsoft import Microsoft
from sandbox.vendors.okta import Okta
from sandbox.vendors.slack import Slack
from tests.support import person_of, run

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([GitHub, GoogleWorkspace, Microsoft, Okta, Slack, Ldap]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    for name in ("github", "google_workspace", "microsoft", "okta", "slack", "ldap"):
        running[name].reset()
    return running


def _entra(box: Box) -> bool:
    grace = box["microsoft"].user("grace@corp.example")
    roles = box["microsoft"].state["entra"]["role_assignments"].values()
    held = any(r["principalId"] == grace["id"] and r["roleDefinitionId"] == GLOBAL_ADMINISTRATOR for r in roles)
    return held and grace["accountEnabled"]


def _user_of(state: Any, address: str) -> Any:
    return next(user for user in state["users"].values() if address in str(user))


def _okta(box: Box) -> bool:
    state = box["okta"].state
    grace = _user_of(state, "grace@corp.example")
    return grace["status"] == "ACTIVE" and bool(state["roles"][grace["id"]])


def _google(box: Box) -> bool:
    grace = _user_of(box["google_workspace"].state, "grace@corp.example")
    return grace["isAdmin"] and not grace.get("suspended")


#: System -> whether Grace still administers it, as the system itself shows.
STILL: dict[str, Callable[[Box], bool]] = {
    "entra": _entra,
    "okta": _okta,
    "google_workspace": _google,
    "github": lambda box: box["github"].state["members"]["grace-okoye"]["role"] == "admin",
    "slack": lambda box: bool(_user_of(box["slack"].state, "grace@corp.example")["active"]),
}


@pytest.mark.parametrize("system", STILL)
def test_the_last_administrator_is_neither_cut_nor_suspended_nor_demoted_unasked(box: Box, system: str) -> None:
    grace = person_of(box, "grace")
    assert STILL[system](box)
    for task, want in (
        (cutoff.TASK, {}),
        (account.TASK, {"state": "suspended"}),
        (entitlements.TASK, {"mode": "remove"}),
    ):
        result = run(task, box, system, person=grace, **want)
        assert STILL[system](box), task
        if task is not entitlements.TASK or system in ("entra", "github", "okta"):
            waiting = [row for row in result["changes"] if row["outcome"] == "needs_human"]
            assert any("make somebody else one first" in row["note"] for row in waiting), task


def _second_entra(box: Box) -> None:
    mark = box["microsoft"].user("mark@corp.example")
    box["microsoft"].state["entra"]["role_assignments"]["second"] = {
        "id": "second",
        "principalId": mark["id"],
        "roleDefinitionId": GLOBAL_ADMINISTRATOR,
        "directoryScopeId": "/",
    }


def _second_google(box: Box) -> None:
    _user_of(box["google_workspace"].state, "mark@corp.example")["isAdmin"] = True


def _second_github(box: Box) -> None:
    box["github"].state["members"]["markchen"]["role"] = "admin"


@pytest.mark.parametrize(
    ("system", "second"), [("entra", _second_entra), ("google_workspace", _second_google), ("github", _second_github)]
)
def test_whoever_is_not_the_last_is_cut_without_a_question(
    box: Box, system: str, second: Callable[[Box], None]
) -> None:
    second(box)
    result = run(cutoff.TASK, box, system, person=person_of(box, "grace"))
    assert not [row for row in result["changes"] if row["outcome"] == "needs_human"]
    assert system == "github" and "grace-okoye" not in box["github"].state["members"] or not STILL[system](box)


def test_a_second_administrator_who_cannot_sign_in_is_none(box: Box) -> None:
    _second_entra(box)
    box["microsoft"].user("mark@corp.example")["accountEnabled"] = False
    run(cutoff.TASK, box, "entra", person=person_of(box, "grace"))
    assert _entra(box)


def test_what_leaves_the_administrator_able_is_closed_even_of_the_last(box: Box) -> None:
    before = box["microsoft"].user("grace@corp.example")["signInSessionsValidFromDateTime"]
    result = run(cutoff.TASK, box, "entra", person=person_of(box, "grace"))
    assert box["microsoft"].user("grace@corp.example")["signInSessionsValidFromDateTime"] > before
    assert {row["what"]: row["outcome"] for row in result["changes"]}["sessions"] == "done"


def test_the_last_member_of_the_directorys_administrators_is_a_persons_decision(box: Box) -> None:
    person = person_of(box, "grace")
    entry = {"options": {**box.systems()["ldap"]["options"], "administrators": ["it"]}}
    groups = {row["what"] for row in run(entitlements.TASK, box, "ldap", person=person, mode="add")["changes"]}
    assert not groups
    result = run(entitlements.TASK, box, "ldap", changes=entry, person=person, mode="remove")
    outcome = {row["what"]: row["outcome"] for row in result["changes"]}
    assert outcome["groups: it"] == "needs_human" and outcome["groups: vpn"] == "done"


def test_a_directory_that_will_not_show_who_administers_it_keeps_nobody_in(box: Box) -> None:
    for _attempt in range(8):
        box["okta"].fault("status", path="/roles", status=403, body={"errorCode": "E0000006"})
    result = run(account.TASK, box, "okta", person=person_of(box, "jane"), state="suspended")
    assert result["outcome"] == "done"
