# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Fleet, Jamf Pro and Kandji: what all three must do, and conformance does not play."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import device, device_info

from sandbox.box import Box
from sandbox.vendors.fleet import FleetServer
from sandbox.vendors.jamf import JamfPro
from sandbox.vendors.kandji import KandjiTenant
from tests.support import connect, person_of, run

WIPE = {"company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]}
EACH = ("fleet", "jamf", "kandji")


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([FleetServer, JamfPro, KandjiTenant]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    for emulator in running.emulators.values():
        emulator.reset()
    return running


def secure(box: Box, name: str, **want: Any) -> dict[str, Any]:
    return run(device.TASK, box, name, person=person_of(box, "jane"), **want)


@pytest.mark.parametrize("name", EACH)
def test_a_device_that_is_off_keeps_one_command_however_often_the_run_is_repeated(box: Box, name: str) -> None:
    box[name].state["offline"].append("C02JANE01")
    for _again in range(3):
        assert secure(box, name, **WIPE)["outcome"] == "in_progress"
    assert box[name].commands("C02JANE01") == ["wipe"]
    box[name].state["offline"].clear()
    secure(box, name, **WIPE)
    assert secure(box, name, **WIPE)["outcome"] in ("done", "already") and box[name].commands("C02JANE01") == ["wipe"]


@pytest.mark.parametrize("name", EACH)
def test_a_device_of_somebody_with_a_similar_address_is_left_alone(box: Box, name: str) -> None:
    box[name].device("C02MARK01")["email"] = "mary.jane@corp.example"
    assert {one.serial for one in connect(box, name).devices(Person(email="jane@corp.example"))} == {
        "C02JANE01",
        "F2LJANE02",
    }


@pytest.mark.parametrize("name", EACH)
def test_a_device_under_a_former_address_is_found(box: Box, name: str) -> None:
    box[name].device("C02JANE01")["email"] = "jane.doe@corp.example"
    person = Person(email="jane@corp.example", aliases=("jane.doe@corp.example",))
    assert {one.serial for one in connect(box, name).devices(person)} == {"C02JANE01", "F2LJANE02"}


@pytest.mark.parametrize("name", EACH)
def test_a_disk_without_a_kept_key_is_neither_locked_nor_wiped(box: Box, name: str) -> None:
    box[name].device("C02JANE01")["escrowed"] = False
    for want in (WIPE, {"personal": "keep"}):
        result = secure(box, name, **want)
        assert result["outcome"] == "needs_human" and result["changes"][0]["what"] == "escrow key of C02JANE01"
    assert box[name].commands("C02JANE01") == []


@pytest.mark.parametrize("name", EACH)
def test_every_page_of_the_list_is_read(box: Box, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.{name}._PAGE"
    monkeypatch.setattr(module, 1)
    serials = [one.serial for one in connect(box, name).all_devices()]
    assert sorted(serials) == sorted(one["serial"] for one in box[name].state["devices"].values())
    assert len([entry for entry in box[name].journal if "page" in entry["query"] or "offset" in entry["query"]]) > 1


@pytest.mark.parametrize("name", EACH)
def test_readiness_shows_encryption_compliance_key_and_programs(box: Box, name: str) -> None:
    result = run(device_info.TASK, box, name, person=person_of(box, "jane"), serial="C02JANE01", software=["1Password"])
    assert result["ready"] and result["missing"] == []
    box[name].device("C02JANE01").update(encrypted=False, compliant=False)
    result = run(device_info.TASK, box, name, person=person_of(box, "jane"), serial="C02JANE01")
    assert {"encrypted", "compliant"} <= set(result["missing"])
