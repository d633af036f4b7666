# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jamf Pro: lock, unmanage, wipe, assign."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.jamf import JamfPro
from tests.conformance.scenario import Scenario

VENDORS = [JamfPro]


def _secured(box: Box) -> None:
    assert box["jamf"].commands("C02JANE01") == ["lock"]
    assert box["jamf"].commands("F2LJANE02") == ["retire"]
    assert box["jamf"].commands("C02MARK01") == []


def _wiped(box: Box) -> None:
    assert box["jamf"].commands("C02JANE01") == ["wipe"]
    assert box["jamf"].commands("F2LJANE02") == []


def _nobodys(box: Box) -> None:
    box["jamf"].device("C02MARK01")["email"] = ""


def _marks(box: Box) -> None:
    assert box["jamf"].device("C02MARK01")["email"] == "mark@corp.example"


SCENARIOS = [
    Scenario("lock and retire", "jamf", "device", {"person": "jane"}, _secured, outcome="in_progress"),
    Scenario(
        "wipe",
        "jamf",
        "device",
        {"person": "jane", "company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]},
        _wiped,
        outcome="in_progress",
        marks=frozenset({"irreversible"}),
    ),
    Scenario(
        "device of nobody",
        "jamf",
        "device_assignment",
        {"person": "mark", "serial": "C02MARK01"},
        _marks,
        prepare=_nobodys,
    ),
]
