# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Intune: lock, retire, wipe, escrow, assign."""

from __future__ import annotations

from typing import Any

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenario import Scenario

VENDORS = [Microsoft]


def _state(box: Box) -> Any:
    return box["microsoft"].state["intune"]


def commands(box: Box, serial: str) -> set[str]:
    """Every command that this device was ever given."""
    state = _state(box)
    queued = {
        c["action"]
        for id, queue in state["queue"].items()
        for c in queue
        if state["devices"][id]["serialNumber"] == serial
    }
    return queued | {d["action"] for d in state["done"] if d["serial"] == serial}


def _secured(box: Box) -> None:
    assert commands(box, "C02JANE01") == {"remoteLock"}
    assert commands(box, "F2LJANE02") == {"retire"}
    assert commands(box, "C02MARK01") == set()


def _wiped(box: Box) -> None:
    assert commands(box, "C02JANE01") == {"wipe"}
    assert commands(box, "F2LJANE02") == set()


def _without_key(box: Box) -> None:
    _state(box)["filevault"].clear()
    _state(box)["offline"].append("C02JANE01")


def _asked_for_key(box: Box) -> None:
    assert commands(box, "C02JANE01") == {"rotateFileVaultKey"}


def _given_out(box: Box) -> None:
    assert [
        row["userPrincipalName"] for row in _state(box)["stock"].values() if row["serialNumber"] == "5CGADA001"
    ] == ["tom@corp.example"]


def _device(box: Box, serial: str) -> Any:
    return next(device for device in _state(box)["devices"].values() if device["serialNumber"] == serial)


def _nobodys(box: Box) -> None:
    _device(box, "5CGTOM001")["userPrincipalName"] = ""


def _marks(box: Box) -> None:
    assert _device(box, "5CGTOM001")["userPrincipalName"] == "mark@corp.example"


SCENARIOS = [
    Scenario("lock and retire", "intune", "device", {"person": "jane"}, _secured, outcome="in_progress"),
    Scenario(
        "wipe",
        "intune",
        "device",
        {"person": "jane", "company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]},
        _wiped,
        outcome="in_progress",
        marks=frozenset({"irreversible"}),
    ),
    Scenario(
        "no lock before the key",
        "intune",
        "device",
        {"person": "jane", "personal": "keep"},
        _asked_for_key,
        prepare=_without_key,
        outcome="in_progress",
    ),
    Scenario("device from stock", "intune", "device_assignment", {"person": "tom", "serial": "5CGADA001"}, _given_out),
    Scenario(
        "managed device of nobody",
        "intune",
        "device_assignment",
        {"person": "mark", "serial": "5CGTOM001"},
        _marks,
        prepare=_nobodys,
    ),
]
