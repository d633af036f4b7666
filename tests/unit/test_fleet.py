# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Fleet: what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import device

from sandbox.box import Box
from sandbox.vendors.fleet import FleetServer
from tests.support import person_of, run

WIPE = {"company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]}


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([FleetServer]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["fleet"].reset()
    return running


def secure(box: Box, name: str, **want: Any) -> dict[str, Any]:
    return run(device.TASK, box, name, person=person_of(box, "jane"), **want)


def test_without_premium_the_refusal_says_so(box: Box) -> None:
    box["fleet"].state["premium"] = False
    result = secure(box, "fleet", personal="keep")
    assert result["outcome"] == "failed" and "Premium" in str(result)
