# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.okta import Okta
from tests.conformance.scenario import Scenario

VENDORS = [Okta]
JANE, MARK, TOM = "00uE1007", "00uE1002", "00uE1011"


def _out(box: Box) -> None:
    state = box["okta"].state
    assert state["users"][JANE]["status"] == "DEPROVISIONED" and state["users"][MARK]["status"] == "ACTIVE"
    assert state["sessions"][JANE] == [] and state["sessions"][MARK]
    assert state["factors"][JANE] == [] and state["grants"][JANE] == [] and state["roles"][JANE] == []
    assert "00Tdeploy" not in state["tokens"] and "00Tscim" in state["tokens"]
    assert state["devices"]["guoMBP"]["status"] == "DEACTIVATED" and state["devices"]["guoKIOSK"]["status"] == "ACTIVE"


def _suspended(box: Box) -> None:
    box["okta"].state["users"][JANE]["status"] = "SUSPENDED"


def _active(box: Box) -> None:
    assert box["okta"].state["users"][JANE]["status"] == "ACTIVE"


def _joined(box: Box) -> None:
    (ada,) = [u for u in box["okta"].state["users"].values() if u["profile"]["login"] == "ada@corp.example"]
    assert ada["status"] == "PROVISIONED" and ada["profile"]["lastName"] == "Núñez"
    assert box["okta"].state["mails"] == ["ada.private@mail.example"]


def _changed(box: Box) -> None:
    assert box["okta"].state["users"][TOM]["profile"]["title"] == "Engineer"


def _moved(box: Box) -> None:
    groups = {g["row"]["profile"]["name"]: g["members"] for g in box["okta"].state["groups"].values()}
    assert TOM in groups["Engineering"] and TOM not in groups["Sales"] and MARK in groups["Engineering"]
    assert TOM in groups["Office staff"] and TOM in groups["Everybody in Berlin"]


SCENARIOS = [
    # Sessions can't be seen, so the step ends as Okta acknowledged it.
    Scenario("cut off", "okta", "cutoff", {"person": "jane"}, _out, outcome="acknowledged"),
    Scenario("activate", "okta", "account", {"person": "jane", "state": "active"}, _active, prepare=_suspended),
    Scenario("create", "okta", "account", {"person": "ada", "state": "present"}, _joined),
    Scenario(
        "update",
        "okta",
        "account",
        {"person": "tom", "state": "present", "attributes": {"title": "Engineer"}},
        _changed,
    ),
    Scenario(
        "move",
        "okta",
        "entitlements",
        {"person": "tom", "wanted": {"groups": ["Engineering"], "apps": ["Wiki"]}, "mode": "exact"},
        _moved,
    ),
]
