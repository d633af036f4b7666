# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from tests.conformance.scenario import Scenario

VENDORS = [GitHub]


def _out(box: Box) -> None:
    state = box["github"].state
    assert "janemo" not in state["members"]
    assert not [c for c in state["credentials"] if c["login"] == "janemo"]
    assert "janemo" not in state["pats"].values()
    assert state["spaces"]["fuzzy-train-g4wpq6h95q"]["state"] == "Shutdown"
    assert "markchen" in state["members"] and "markchen" in state["pats"].values()


def _contractor_out(box: Box) -> None:
    assert "nia-sec" not in box["github"].state["outside"]


def _pending(box: Box) -> None:
    assert box["github"].state["members"]["adanunez"] == {"role": "member", "state": "pending"}


def _handed_over(box: Box) -> None:
    repos = box["github"].state["repos"]
    assert repos["website"]["direct"]["markchen"] == "admin"
    assert [k["added_by"] for k in repos["website"]["keys"]] == ["markchen"]
    assert "markchen" not in repos["infra"]["direct"] and "markchen" not in repos["untouched"]["direct"]


def _promoted(box: Box) -> None:
    state = box["github"].state
    assert state["members"]["markchen"]["role"] == "admin"
    assert (
        "markchen" in state["teams"]["platform"]["members"]
        and "markchen" not in state["teams"]["engineering"]["members"]
    )
    assert "markchen" in state["teams"]["everyone"]["members"]
    assert state["seats"]["markchen"] is not None


def _owner(box: Box) -> None:
    box["github"].state["members"]["markchen"]["role"] = "admin"


def _plain(box: Box) -> None:
    state = box["github"].state
    assert state["members"]["markchen"]["role"] == "member" and state["members"]["grace-okoye"]["role"] == "admin"
    assert state["seats"]["markchen"] is None


def _no_seat(box: Box) -> None:
    _owner(box)
    del box["github"].state["seats"]["markchen"]


def _left(box: Box) -> None:
    box["github"].state["former"]["janemo"] = box["github"].state["members"].pop("janemo")["role"]


def _back(box: Box) -> None:
    assert box["github"].state["members"]["janemo"]["state"] == "pending"


def _gone(box: Box) -> None:
    assert "janemo" not in box["github"].state["members"]


SCENARIOS = [
    Scenario("cut off", "github", "cutoff", {"person": "jane"}, _out),
    Scenario("cut off an outside collaborator", "github", "cutoff", {"person": "nia"}, _contractor_out),
    Scenario("invite", "github", "account", {"person": "ada", "state": "present"}, _pending, outcome="in_progress"),
    Scenario(
        "invite back",
        "github",
        "account",
        {"person": "jane", "state": "active"},
        _back,
        prepare=_left,
        outcome="in_progress",
    ),
    Scenario("suspend", "github", "account", {"person": "jane", "state": "suspended"}, _gone),
    Scenario(
        "hand over",
        "github",
        "ownership",
        {"person": "jane", "successor": "mark@corp.example"},
        _handed_over,
    ),
    Scenario(
        "roles, teams and seats",
        "github",
        "entitlements",
        {"person": "mark", "wanted": {"roles": ["owner"], "teams": ["platform"]}, "mode": "exact"},
        _promoted,
    ),
    Scenario(
        "owner no more",
        "github",
        "entitlements",
        {"person": "mark", "wanted": {"seats": ["Copilot"], "teams": ["engineering"]}, "mode": "exact"},
        _plain,
        prepare=_no_seat,
    ),
]
