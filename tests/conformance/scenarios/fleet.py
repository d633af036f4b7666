# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Fleet: lock, unenrol, wipe, assign."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.fleet import FleetServer
from tests.conformance.scenario import Scenario

VENDORS = [FleetServer]


def _secured(box: Box) -> None:
    assert box["fleet"].commands("C02JANE01") == ["lock"]
    assert box["fleet"].commands("F2LJANE02") == ["retire"]
    assert box["fleet"].commands("C02MARK01") == []


def _wiped(box: Box) -> None:
    assert box["fleet"].commands("C02JANE01") == ["wipe"]
    assert box["fleet"].commands("F2LJANE02") == []


def _nobodys(box: Box) -> None:
    box["fleet"].device("C02MARK01")["email"] = ""


def _marks(box: Box) -> None:
    assert box["fleet"].device("C02MARK01")["email"] == "mark@corp.example"


SCENARIOS = [
    Scenario("lock and retire", "fleet", "device", {"person": "jane"}, _secured, outcome="in_progress"),
    Scenario(
        "wipe",
        "fleet",
        "device",
        {"person": "jane", "company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]},
        _wiped,
        outcome="in_progress",
        marks=frozenset({"irreversible"}),
    ),
    Scenario(
        "device of nobody",
        "fleet",
        "device_assignment",
        {"person": "mark", "serial": "C02MARK01"},
        _marks,
        prepare=_nobodys,
    ),
]
