# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Callable

from sandbox.box import Box
from sandbox.days import stamp
from sandbox.vendors.tailscale import NEVER, Tailscale
from tests.conformance.scenario import Scenario

VENDORS = [Tailscale]
JANE = "uE1007"


def _out(box: Box) -> None:
    state = box["tailscale"].state
    assert state["users"][JANE]["status"] == "suspended"
    assert set(state["keys"]) == {"kJaneOld1", "kGraceApi"}
    own = [d for d in state["devices"].values() if d["user"] == "jane@corp.example" and not d.get("tags")]
    assert len(own) == 2 and all(d["expires"] < stamp(0) and not d["keyExpiryDisabled"] for d in own)
    assert all(
        d["expires"] == NEVER for d in state["devices"].values() if d.get("tags") or d["user"] == "mark@corp.example"
    )


def _gone(box: Box) -> None:
    assert JANE not in box["tailscale"].state["users"]
    assert "n3CNTRL" in box["tailscale"].state["devices"]


def _suspended(box: Box) -> None:
    box["tailscale"].state["users"][JANE]["status"] = "suspended"


def _restored(box: Box) -> None:
    assert box["tailscale"].state["users"][JANE]["status"] == "active"


def _invited(box: Box) -> None:
    assert [i["email"] for i in box["tailscale"].state["invites"].values()] == ["ada@corp.example"]


def _role(role: str) -> Callable[[Box], None]:
    def verify(box: Box) -> None:
        assert box["tailscale"].state["users"][JANE]["role"] == role

    return verify


def _admin(box: Box) -> None:
    box["tailscale"].state["users"][JANE]["role"] = "admin"


SCENARIOS = [
    Scenario("cut off", "tailscale", "cutoff", {"person": "jane"}, _out),
    Scenario("restore", "tailscale", "account", {"person": "jane", "state": "active"}, _restored, prepare=_suspended),
    Scenario("invite", "tailscale", "account", {"person": "ada", "state": "present"}, _invited, outcome="in_progress"),
    Scenario(
        "delete", "tailscale", "account", {"person": "jane", "state": "absent", "confirm": ["jane@corp.example"]}, _gone
    ),
    Scenario(
        "give a role",
        "tailscale",
        "entitlements",
        {"person": "jane", "wanted": {"roles": ["network-admin"]}, "mode": "exact"},
        _role("network-admin"),
    ),
    Scenario(
        "take a role",
        "tailscale",
        "entitlements",
        {"person": "jane", "wanted": {}, "mode": "remove"},
        _role("member"),
        prepare=_admin,
    ),
]
