# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Kandji: lock, delete, wipe, assign."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.kandji import KandjiTenant
from tests.conformance.scenario import Scenario

VENDORS = [KandjiTenant]


def _secured(box: Box) -> None:
    assert box["kandji"].commands("C02JANE01") == ["lock"]
    assert box["kandji"].commands("F2LJANE02") == ["retire"]
    assert box["kandji"].commands("C02MARK01") == []


def _wiped(box: Box) -> None:
    assert box["kandji"].commands("C02JANE01") == ["wipe"]
    assert box["kandji"].commands("F2LJANE02") == []


def _nobodys(box: Box) -> None:
    box["kandji"].device("C02MARK01")["email"] = ""


def _marks(box: Box) -> None:
    assert box["kandji"].device("C02MARK01")["email"] == "mark@corp.example"


SCENARIOS = [
    Scenario("lock and retire", "kandji", "device", {"person": "jane"}, _secured, outcome="in_progress"),
    Scenario(
        "wipe",
        "kandji",
        "device",
        {"person": "jane", "company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]},
        _wiped,
        outcome="in_progress",
        marks=frozenset({"irreversible"}),
    ),
    Scenario(
        "device of nobody",
        "kandji",
        "device_assignment",
        {"person": "mark", "serial": "C02MARK01"},
        _marks,
        prepare=_nobodys,
    ),
]
