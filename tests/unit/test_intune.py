# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Intune and the device modules: the emulator is asked what devices were told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.intune import state_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AmbiguousIdentity,
    Rejected,
    Unsupported,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import device, device_assignment, device_info

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenarios.intune import commands
from tests.support import connect, person_of, run


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["microsoft"].reset()
    return running


def state(box: Box) -> Any:
    return box["microsoft"].state["intune"]


def of(box: Box, key: str) -> Person:
    return Person.of(person_of(box, key))


def rows(result: dict[str, Any]) -> dict[str, str]:
    return {row["what"]: row["outcome"] for row in result["changes"]}


def secure(box: Box, key: str = "jane", **want: Any) -> dict[str, Any]:
    return run(device.TASK, box, "intune", person=person_of(box, key), **want)


def test_devices_of_a_person_over_all_pages(box: Box) -> None:
    found = {d.serial: d for d in connect(box, "intune").devices(of(box, "jane"))}
    mac, phone = found["C02JANE01"], found["F2LJANE02"]
    assert (mac.platform, mac.ownership, mac.state, mac.encrypted, mac.compliant, mac.escrowed) == (
        "macOS",
        "company",
        "managed",
        True,
        True,
        True,
    )
    assert (phone.ownership, phone.escrowed) == ("personal", None)
    assert {"1Password", "Company Portal"} <= set(mac.software) and len(mac.software) == 47
    assert mac.last_seen and mac.assigned_to == "jane@corp.example"


def test_devices_of_a_user_who_is_deleted_are_found(box: Box) -> None:
    cloud = box["microsoft"]
    known, cloud.user = cloud.user, lambda key: None
    try:
        assert len(connect(box, "intune").devices(of(box, "jane"))) == 2
    finally:
        cloud.user = known


def test_find_by_serial(box: Box) -> None:
    intune = connect(box, "intune")
    assert intune.find_device("C02MARK01").assigned_to == "mark@corp.example"
    assert intune.find_device("5CGADA001").state == "unmanaged"
    assert intune.find_device("C02MARK0") is None
    assert intune.find_device("5CGADA00") is None


def test_two_records_of_one_serial_stop(box: Box) -> None:
    first = next(d for d in state(box)["devices"].values() if d["serialNumber"] == "C02MARK01")
    state(box)["devices"]["other"] = {**first, "id": "other"}
    with pytest.raises(AmbiguousIdentity):
        connect(box, "intune").find_device("C02MARK01")


def test_lock_and_retire_followed_to_their_end(box: Box) -> None:
    result = secure(box, follow=20.0)
    assert rows(result) == {
        "bypass code of C02JANE01": "already",
        "escrow key of C02JANE01": "already",
        "device C02JANE01": "done",
        "device F2LJANE02": "done",
    }
    assert commands(box, "C02JANE01") == {"remoteLock"} and commands(box, "F2LJANE02") == {"retire"}
    again = secure(box)
    assert set(rows(again).values()) == {"already"} and len(rows(again)) == 3 and not again["changed"]


def test_where_each_key_is_kept_is_said_and_no_key_is_shown(box: Box) -> None:
    phone = next(d for d in state(box)["devices"].values() if d["serialNumber"] == "F2LJANE02")
    phone["managedDeviceOwnerType"] = "company"
    state(box)["bypass"][phone["id"]] = code = "7M6P0-QRK4T-V3JX-Y29D-N1HC-XXXX"
    result = secure(box)
    notes = {row["what"]: row.get("note", "") for row in result["changes"]}
    assert notes["escrow key of C02JANE01"] == "FileVault recovery key: Intune"
    assert notes["bypass code of C02JANE01"] == "in Intune, with the device's record: have it copied before a wipe"
    assert notes["bypass code of F2LJANE02"].startswith("in Intune")
    assert code not in str(result) and state(box)["filevault"].popitem()[1] not in str(result)
    assert connect(box, "intune").find_device("5CGTOM001").recovery_key == "BitLocker recovery key: Entra ID"


def test_a_code_that_nobody_keeps_is_not_stated_and_a_personal_phone_is_not_asked_for_one(box: Box) -> None:
    state(box)["bypass"].clear()
    assert not [what for what in rows(secure(box)) if what.startswith("bypass code")]
    phone = next(d for d in state(box)["devices"].values() if d["serialNumber"] == "F2LJANE02")
    assert not [one for one in box["microsoft"].journal if phone["id"] in one["path"] and "activationLock" in str(one)]


def test_a_wipe_wants_its_serial(box: Box) -> None:
    result = secure(box, company="wipe", personal="keep", confirm=["F2LJANE02"])
    assert rows(result)["device C02JANE01"] == "needs_human"
    assert box["microsoft"].writes() == [] or commands(box, "C02JANE01") == set()


def test_a_wipe_ends_and_a_personal_device_is_never_wiped(box: Box) -> None:
    result = secure(box, company="wipe", confirm=["C02JANE01", "F2LJANE02"], follow=20.0)
    assert result["outcome"] == "done", result
    assert commands(box, "C02JANE01") == {"wipe"} and commands(box, "F2LJANE02") == {"retire"}
    assert secure(box, company="wipe", confirm=["C02JANE01"])["outcome"] == "absent"


def test_an_offline_device_stays_pending_and_gets_the_command_once(box: Box) -> None:
    state(box)["offline"].append("C02JANE01")
    for _ in range(3):
        result = secure(box, company="wipe", personal="keep", confirm=["C02JANE01"])
        assert rows(result)["device C02JANE01"] == "in_progress", result
    assert sum(1 for entry in box["microsoft"].journal if entry["path"].endswith("/wipe")) == 1


def test_a_wipe_at_once_is_done(box: Box) -> None:
    state(box)["polls"] = 0
    assert rows(secure(box, company="wipe", personal="keep", confirm=["C02JANE01"]))["device C02JANE01"] == "done"


def test_no_wipe_before_the_key_and_only_that_device_waits(box: Box) -> None:
    state(box)["filevault"].clear()
    want = {"company": "wipe", "confirm": ["C02JANE01"]}
    first = secure(box, **want)
    assert rows(first) == {
        "bypass code of C02JANE01": "already",
        "escrow key of C02JANE01": "in_progress",
        "device C02JANE01": "in_progress",
        "device F2LJANE02": "in_progress",
    }
    assert commands(box, "C02JANE01") == {"rotateFileVaultKey"} and commands(box, "F2LJANE02") == {"retire"}
    secure(box, **want)
    assert commands(box, "C02JANE01") == {"rotateFileVaultKey", "wipe"}


def test_bitlocker_key_is_asked_for(box: Box) -> None:
    tom = next(d for d in state(box)["devices"].values() if d["serialNumber"] == "5CGTOM001")
    tom["isEncrypted"] = True
    first = secure(box, "tom", company="wipe", confirm=["5CGTOM001"])
    assert rows(first) == {"escrow key of 5CGTOM001": "in_progress", "device 5CGTOM001": "in_progress"}
    assert commands(box, "5CGTOM001") == {"rotateBitLockerKeys"}
    assert rows(secure(box, "tom", company="wipe", confirm=["5CGTOM001"]))["escrow key of 5CGTOM001"] == "already"


def test_an_unencrypted_disk_has_no_key_to_wait_for(box: Box) -> None:
    assert rows(secure(box, "tom", company="wipe", confirm=["5CGTOM001"])) == {"device 5CGTOM001": "in_progress"}


def test_windows_can_not_be_locked(box: Box) -> None:
    result = secure(box, "tom")
    assert rows(result) == {"device 5CGTOM001": "unsupported"} and commands(box, "5CGTOM001") == set()


def test_unknown_ownership_is_left_to_a_person(box: Box) -> None:
    for row in state(box)["devices"].values():
        row["managedDeviceOwnerType"] = "unknown"
    assert set(rows(secure(box, company="wipe", confirm=["C02JANE01"])).values()) == {"needs_human"}
    assert commands(box, "C02JANE01") == set()


def test_the_emulator_refuses_a_second_wipe_and_a_foreign_flag(box: Box) -> None:
    intune = connect(box, "intune")
    mac = intune.find_device("C02JANE01")
    with pytest.raises(Rejected):
        intune.wipe_device(replace(mac, platform="Windows"))
    intune.wipe_device(mac)
    with pytest.raises(Rejected) as refusal:
        intune.wipe_device(mac)
    assert "already in state wipePending" in str(refusal.value) and "_version" not in str(refusal.value)


def test_a_phone_has_no_key(box: Box) -> None:
    intune = connect(box, "intune")
    phone = next(d for d in intune.devices(of(box, "jane")) if d.platform == "iOS")
    with pytest.raises(Unsupported):
        intune.escrow_key(phone)


def test_a_device_from_stock_becomes_a_managed_one(box: Box) -> None:
    given = run(device_assignment.TASK, box, "intune", person=person_of(box, "mark"), serial="5CGADA001")
    assert given["outcome"] == "done"
    want = {
        "person": person_of(box, "mark"),
        "serial": "5CGADA001",
        "software": ["visual studio code"],
        "require_ready": True,
    }
    before = run(device_info.TASK, box, "intune", **want)
    assert (before["ready"], before["outcome"]) == (False, "needs_human") and "enrolled" in before["missing"]
    for _ in range(3):
        after = run(device_info.TASK, box, "intune", **want)
    assert after["ready"] and after["missing"] == [] and after["outcome"] == "already"


def test_a_device_of_somebody_else_is_not_taken(box: Box) -> None:
    result = run(device_assignment.TASK, box, "intune", person=person_of(box, "tom"), serial="C02MARK01")
    assert result["outcome"] == "needs_human" and result["changed"] is False
    assert (
        run(device_assignment.TASK, box, "intune", person=person_of(box, "tom"), serial="NONE")["outcome"]
        == "needs_human"
    )


def test_no_serial_is_no_device(box: Box) -> None:
    for row in state(box)["devices"].values():
        row["serialNumber"] = ""
    assert connect(box, "intune").find_device("") is None
    result = run(device_assignment.TASK, box, "intune", person=person_of(box, "tom"), serial="")
    assert result["outcome"] == "needs_human" and box["microsoft"].writes() == []


def test_readiness_names_what_is_missing_and_shows_no_vendor_data(box: Box) -> None:
    result = run(device_info.TASK, box, "intune", person=person_of(box, "tom"), software=["1Password"])
    assert result["missing"] == ["encrypted", "compliant", "recovery key", "software 1Password"]
    assert "raw" not in result["devices"][0]


def test_controls(box: Box) -> None:
    intune = connect(box, "intune")
    assert intune.controls(intune.find_account(of(box, "jane"))) == {
        "disk_encrypted": True,
        "compliant": True,
        "key_escrowed": True,
    }
    assert intune.controls(intune.find_account(of(box, "tom"))) == {
        "disk_encrypted": False,
        "compliant": False,
        "key_escrowed": False,
    }
    assert intune.controls(intune.find_account(of(box, "lena"))) == {
        "disk_encrypted": False,
        "compliant": False,
        "key_escrowed": False,
    }


@pytest.mark.parametrize(
    ("name", "action_state", "updated", "expected"),
    [
        ("factoryReset", "pending", "2026-01-01T10:00:00Z", "wipe_pending"),
        ("wipe", "done", "2026-01-01T10:00:00Z", "wiped"),
        ("wipe", "failed", "2026-01-01T10:00:00Z", "managed"),
        ("removeCompanyData", "active", "2026-01-01T10:00:00Z", "retire_pending"),
        ("RemoteLock", "done", "2026-01-01T10:00:00Z", "locked"),
        ("RemoteLock", "done", "2025-01-01T10:00:00Z", "managed"),
        ("syncDevice", "pending", "2026-01-01T10:00:00Z", "managed"),
    ],
)
def test_states(name: str, action_state: str, updated: str, expected: str) -> None:
    result = {"actionName": name, "actionState": action_state, "startDateTime": updated, "lastUpdatedDateTime": updated}
    assert state_of({"lastSyncDateTime": "2026-01-01T10:05:00.0000000Z", "deviceActionResults": [result]}) == expected


def test_a_sign_in_name_that_is_not_the_address_hides_no_device(box: Box) -> None:
    users = box["microsoft"].state["entra"]["users"].values()
    jane = next(user for user in users if user["mail"] == "jane@corp.example")
    for device_ in state(box)["devices"].values():
        if device_["userPrincipalName"] == jane["userPrincipalName"]:
            device_["userPrincipalName"] = "jmo@corp.onmicrosoft.com"
    jane["userPrincipalName"] = "jmo@corp.onmicrosoft.com"
    assert "device C02JANE01" in rows(secure(box))
