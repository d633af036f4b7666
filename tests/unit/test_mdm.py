# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Fleet, Jamf Pro and Kandji: what conformance does not play."""

from __future__ import annotations

import json
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


# -- Activation Lock -------------------------------------------------------------------------------------------------------


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


def test_jamf_wipes_a_locked_device_where_the_company_says_who_keeps_the_codes(box: Box) -> None:
    box["jamf"].state["locks"].append(box["jamf"].device("C02JANE01")["id"])
    assert secure(box, "jamf", **WIPE)["outcome"] == "needs_human" and not box["jamf"].commands("C02JANE01")
    options = {**box.systems()["jamf"]["options"], "bypass_codes": "vault Devices"}
    result = secure(box, "jamf", changes={"options": options}, **WIPE)
    assert "in vault Devices" in str(result["changes"]) and box["jamf"].commands("C02JANE01") == ["wipe"]


# -- what one of them does --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 3, 4])
def test_jamf_the_newest_inventory_of_the_server_is_used(box: Box, version: int) -> None:
    box["jamf"].state["version"] = version
    assert secure(box, "jamf", **WIPE)["outcome"] == "in_progress"
    [erased] = [entry["path"] for entry in box["jamf"].writes()]
    assert erased.startswith("/api/v4/computers-inventory/" if version == 4 else "/api/v1/computer-inventory/")


def test_jamf_an_older_server_has_its_tokens_elsewhere(box: Box) -> None:
    box["jamf"].state["old token path"] = True
    assert connect(box, "jamf").find_device("C02JANE01") is not None


def test_jamf_a_key_that_is_not_known_to_be_valid_is_none(box: Box) -> None:
    box["jamf"].device("C02JANE01")["escrowed"] = False
    found = connect(box, "jamf").find_device("C02JANE01")
    assert found is not None and found.encrypted and found.escrowed is False


def test_fleet_without_premium_the_refusal_says_so(box: Box) -> None:
    box["fleet"].state["premium"] = False
    result = secure(box, "fleet", personal="keep")
    assert result["outcome"] == "failed" and "Premium" in str(result)


def test_kandji_an_error_in_any_of_its_three_forms_is_said(box: Box) -> None:
    connector = connect(box, "kandji")
    found = connector.find_device("C02JANE01")
    assert found is not None
    connector.lock_device(found)
    with pytest.raises(Exception, match="Command already running"):
        connector.lock_device(found)
    box["kandji"].device("C02JANE01")["ended"] = "locked"
    with pytest.raises(Exception, match="already locked"):
        connector.lock_device(found)
