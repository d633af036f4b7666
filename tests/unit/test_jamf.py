# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jamf Pro: its versions, its keys, and Activation Lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import device

from sandbox.box import Box
from sandbox.vendors.jamf import JamfPro
from tests.support import connect, person_of, run

WIPE = {"company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]}


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([JamfPro]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["jamf"].reset()
    return running


def secure(box: Box, name: str, **want: Any) -> dict[str, Any]:
    return run(device.TASK, box, name, person=person_of(box, "jane"), **want)


def test_wipes_a_locked_device_where_the_company_says_who_keeps_the_codes(box: Box) -> None:
    box["jamf"].state["locks"].append(box["jamf"].device("C02JANE01")["id"])
    assert secure(box, "jamf", **WIPE)["outcome"] == "needs_human" and not box["jamf"].commands("C02JANE01")
    options = {**box.systems()["jamf"]["options"], "bypass_codes": "vault Devices"}
    result = secure(box, "jamf", changes={"options": options}, **WIPE)
    assert "in vault Devices" in str(result["changes"]) and box["jamf"].commands("C02JANE01") == ["wipe"]


@pytest.mark.parametrize("version", [1, 3, 4])
def test_the_newest_inventory_of_the_server_is_used(box: Box, version: int) -> None:
    box["jamf"].state["version"] = version
    assert secure(box, "jamf", **WIPE)["outcome"] == "in_progress"
    [erased] = [entry["path"] for entry in box["jamf"].writes()]
    assert erased.startswith("/api/v4/computers-inventory/" if version == 4 else "/api/v1/computer-inventory/")


def test_an_older_server_has_its_tokens_elsewhere(box: Box) -> None:
    box["jamf"].state["old token path"] = True
    assert connect(box, "jamf").find_device("C02JANE01") is not None


def test_a_key_that_is_not_known_to_be_valid_is_none(box: Box) -> None:
    box["jamf"].device("C02JANE01")["escrowed"] = False
    found = connect(box, "jamf").find_device("C02JANE01")
    assert found is not None and found.encrypted and found.escrowed is False
