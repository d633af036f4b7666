# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.slack import Slack
from tests.conformance.scenario import Scenario

VENDORS = [Slack]
JANE, MARK, TOM = "U0E1007", "U0E1002", "U0E1011"


def _out(box: Box) -> None:
    state = box["slack"].state
    assert not state["users"][JANE]["active"] and state["sessions"][JANE] == []
    assert state["users"][MARK]["active"] and state["sessions"][MARK]


def _inactive(box: Box) -> None:
    box["slack"].state["users"][JANE]["active"] = False


def _active(box: Box) -> None:
    assert box["slack"].state["users"][JANE]["active"]


def _joined(box: Box) -> None:
    (ada,) = [u for u in box["slack"].state["users"].values() if u["emails"][0]["value"] == "ada@corp.example"]
    assert ada["active"] and ada["name"] == {"givenName": "Ada", "familyName": "Núñez"}


def _renamed(box: Box) -> None:
    tom = box["slack"].state["users"][TOM]
    assert tom["title"] == "Engineer" and tom["name"]["givenName"] == "Tom"


def _moved(box: Box) -> None:
    groups = {g["handle"]: g["users"] for g in box["slack"].state["groups"].values()}
    assert (
        TOM in groups["engineering"]
        and MARK in groups["engineering"]
        and TOM not in groups["sales"]
        and groups["sales"]
    )


def _handed_over(box: Box) -> None:
    workflows = box["slack"].state["workflows"]
    assert MARK in workflows["Wf001"]["collaborators"] and MARK in workflows["Wf003"]["collaborators"]


SCENARIOS = [
    Scenario("cut off", "slack", "cutoff", {"person": "jane"}, _out),
    Scenario("activate", "slack", "account", {"person": "jane", "state": "active"}, _active, prepare=_inactive),
    Scenario("create", "slack", "account", {"person": "ada", "state": "present"}, _joined),
    Scenario(
        "update",
        "slack",
        "account",
        {"person": "tom", "state": "present", "attributes": {"title": "Engineer"}},
        _renamed,
    ),
    Scenario(
        "move",
        "slack",
        "entitlements",
        {"person": "tom", "wanted": {"groups": ["engineering"]}, "mode": "exact"},
        _moved,
    ),
    Scenario("hand over", "slack", "ownership", {"person": "jane", "successor": "mark@corp.example"}, _handed_over),
]
