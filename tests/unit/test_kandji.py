# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Kandji: Activation Lock, secrets, and the three forms of its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import device

from sandbox.box import Box
from sandbox.vendors.kandji import KandjiTenant
from tests.support import connect, person_of, run

WIPE = {"company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]}


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([KandjiTenant]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["kandji"].reset()
    return running


def secure(box: Box, name: str, **want: Any) -> dict[str, Any]:
    return run(device.TASK, box, name, person=person_of(box, "jane"), **want)


def test_a_locked_device_is_not_wiped_before_its_bypass_code_is_kept(box: Box) -> None:
    mac = box["kandji"].device("C02JANE01")
    box["kandji"].state["locks"].append(mac["id"])
    result = secure(box, "kandji", **WIPE)
    assert result["outcome"] == "needs_human" and "Activation Lock" in str(result["changes"])
    assert box["kandji"].commands("C02JANE01") == []
    box["kandji"].state["codes"].append(mac["id"])
    result = secure(box, "kandji", **WIPE)
    assert "in Kandji (the device's record, Secrets)" in str(result["changes"])
    assert box["kandji"].commands("C02JANE01") == ["wipe"]


def test_no_code_and_no_pin_leaves_the_connector(box: Box) -> None:
    mac = box["kandji"].device("C02JANE01")
    box["kandji"].state["locks"].append(mac["id"])
    box["kandji"].state["codes"].append(mac["id"])
    said = json.dumps([secure(box, "kandji", personal="keep"), secure(box, "kandji", **WIPE)])
    assert box["kandji"].state["read"] and "canary-" not in said


def test_an_error_in_any_of_its_three_forms_is_said(box: Box) -> None:
    connector = connect(box, "kandji")
    found = connector.find_device("C02JANE01")
    assert found is not None
    connector.lock_device(found)
    with pytest.raises(Exception, match="Command already running"):
        connector.lock_device(found)
    box["kandji"].device("C02JANE01")["ended"] = "locked"
    with pytest.raises(Exception, match="already locked"):
        connector.lock_device(found)
