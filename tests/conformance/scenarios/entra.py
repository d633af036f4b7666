# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entra ID's steps of real runs."""

from __future__ import annotations

from typing import Any

from sandbox.box import Box
from sandbox.days import stamp
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenario import Scenario

VENDORS = [Microsoft]


def _state(box: Box) -> Any:
    return box["microsoft"].state["entra"]


def _user(box: Box, key: str) -> Any:
    return box["microsoft"].user(f"{key}@corp.example")


def _groups_of(box: Box, key: str) -> set[str]:
    return {g["displayName"] for g in _state(box)["groups"].values() if _user(box, key)["id"] in g["members"]}


def _joined(box: Box) -> None:
    ada = _user(box, "ada")
    assert ada["accountEnabled"] and ada["department"] == "Engineering" and ada["_manager"] == _user(box, "mark")["id"]
    assert len([u for u in box["microsoft"].users() if u["employeeId"] == "E1020"]) == 1


def _moved(box: Box) -> None:
    assert _user(box, "tom")["department"] == "Engineering"


def _promoted(box: Box) -> None:
    assert _user(box, "tom")["_manager"] == _user(box, "grace")["id"]


def _suspended(box: Box) -> None:
    assert not _user(box, "jane")["accountEnabled"]


def _deleted(box: Box) -> None:
    assert _user(box, "jane") is None and len(_state(box)["deleted"]) == 1


def _binned(box: Box) -> None:
    state, jane = _state(box), _user(box, "jane")
    state["users"].pop(jane["id"])
    state["deleted"][jane["id"]] = {
        **jane,
        "accountEnabled": False,
        "userPrincipalName": jane["id"].replace("-", "") + jane["userPrincipalName"],
        "deletedDateTime": "2026-04-01T00:00:00Z",
        "_memberships": [],
    }


def _restored(box: Box) -> None:
    assert _user(box, "jane")["accountEnabled"] and not _state(box)["deleted"]


def _cut(box: Box) -> None:
    jane, state = _user(box, "jane"), _state(box)
    assert not jane["accountEnabled"] and not jane["_methods"] and jane["_password"] != "canary-old-password-jane"
    assert jane["signInSessionsValidFromDateTime"] > stamp(-30)
    assert not [
        a
        for a in (*state["role_assignments"].values(), *state["eligibilities"].values(), *state["grants"].values())
        if a["principalId"] == jane["id"]
    ]
    assert not [d for d in state["devices"].values() if d["_owner"] == jane["id"] and d["accountEnabled"]]


def _windows_ended(box: Box) -> None:
    assert [d["accountEnabled"] for d in _state(box)["devices"].values() if d["_owner"] == _user(box, "tom")["id"]] == [
        False
    ]


def _granted(box: Box) -> None:
    lena = _user(box, "lena")["id"]
    assert "VPN Users" in _groups_of(box, "lena") and "POWER_BI_PRO" in box["microsoft"].licences(lena)
    assert [a for a in _state(box)["role_assignments"].values() if a["principalId"] == lena] and [
        a for a in _state(box)["app_assignments"].values() if a["principalId"] == lena
    ]
    assert [e for e in _state(box)["eligibilities"].values() if e["principalId"] == lena]


def _reclaimed(box: Box) -> None:
    jane = _user(box, "jane")
    assert _groups_of(box, "jane") == {"All Employees", "News"} and not jane["_licences"]
    assert not [a for a in _state(box)["app_assignments"].values() if a["principalId"] == jane["id"]]


def _welcomed(box: Box) -> None:
    assert [m["_kind"] for m in _user(box, "tom")["_methods"]].count("temporaryAccessPass") == 1 and _state(box)[
        "mails"
    ]


def _handed_over(box: Box) -> None:
    jane, mark = _user(box, "jane")["id"], _user(box, "mark")["id"]
    owners = [
        row["owners"]
        for table in ("groups", "applications", "apps")
        for row in _state(box)[table].values()
        if row["owners"]
    ]
    assert len(owners) == 4 and all(jane not in o and mark in o for o in owners)


SCENARIOS = [
    Scenario("account of a joiner", "entra", "account", {"person": "ada"}, _joined),
    Scenario("department of a mover", "entra", "account", {"person": "tom"}, _moved),
    Scenario(
        "manager of a mover",
        "entra",
        "account",
        {"person": "tom", "attributes": {"manager": "grace@corp.example"}},
        _promoted,
    ),
    Scenario("suspend", "entra", "account", {"person": "jane", "state": "suspended"}, _suspended),
    Scenario("delete", "entra", "account", {"person": "jane", "state": "absent"}, _deleted),
    Scenario("restore", "entra", "account", {"person": "jane"}, _restored, prepare=_binned),
    Scenario("cut off", "entra", "cutoff", {"person": "jane"}, _cut),
    Scenario("cut off a Windows user", "entra", "cutoff", {"person": "tom"}, _windows_ended),
    Scenario(
        "grant",
        "entra",
        "entitlements",
        {
            "person": "lena",
            "wanted": {
                "groups": ["VPN Users"],
                "licences": ["POWER_BI_PRO"],
                "roles": ["User Administrator", "Helpdesk Administrator (eligible)"],
                "apps": ["Figma"],
            },
        },
        _granted,
    ),
    Scenario(
        "reclaim", "entra", "entitlements", {"person": "jane", "mode": "remove"}, _reclaimed, outcome="needs_human"
    ),
    Scenario(
        "first credential",
        "entra",
        "first_sign_in",
        {"person": "tom", "deliver_to": "mark@corp.example", "lifetime_minutes": 60},
        _welcomed,
    ),
    Scenario(
        "ownership",
        "entra",
        "ownership",
        {"person": "jane", "successor": "mark@corp.example"},
        _handed_over,
        outcome="needs_human",
    ),
]
