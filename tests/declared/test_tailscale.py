# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The proof: a file in place of the Tailscale connector passes the connector's own scenarios and tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors import registry
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.compiler import of_file

from tests import virtual_time
from tests.conformance import test_conformance as conformance
from tests.conformance.test_conformance import Play, boxes, play  # noqa: F401 - fixtures
from tests.unit.test_tailscale import *  # noqa: F403 - its tests are collected here too

FILE = Path(__file__).with_name("tailscale.yml")
SCENARIOS = [
    pytest.param(("tailscale", scenario), id=scenario.name.replace(" ", "_"))
    for scenario in conformance.SETS["tailscale"].SCENARIOS
]


@pytest.fixture(autouse=True)
def the_file_in_place_of_the_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    virtual_time.install(monkeypatch)
    monkeypatch.setitem(registry.CONNECTORS._loaders, "tailscale", lambda: of_file(str(FILE), shipped=True))  # type: ignore[attr-defined]
    assert hasattr(registry.connector_class("tailscale"), "MANIFEST")
    yield


@pytest.mark.parametrize("play", SCENARIOS, indirect=True)
@pytest.mark.parametrize(
    "check",
    [
        conformance.test_check_mode_sends_no_write_and_says_what_it_would_do,
        conformance.test_done_then_already,
        conformance.test_the_answer_lost_after_each_write,
        conformance.test_throttled_and_then_served,
    ],
)
def test_a_scenario_ends_as_with_the_code(play: Play, check: Callable[[Play], None]) -> None:
    check(play)


@pytest.mark.parametrize("play", SCENARIOS, indirect=True)
@pytest.mark.parametrize("fault", ["401", "403", "500", "html", "cut"])
def test_a_refusal_ends_as_with_the_code(play: Play, fault: str) -> None:
    conformance.test_a_system_that_refuses_or_rambles(play, fault)
