# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One history of each device: what was seen, what was only ordered, what a named person says; and when the wait for it is over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, Refused
from ansible_collections.workforce.lifecycle.plugins.modules.custody import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts import custody
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.custody import DeviceFile, devices
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run


@pytest.fixture()
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(str(tmp_path / "l.db"))


def want(**given: Any) -> dict[str, Any]:
    return {**dict.fromkeys(TASK.argument_spec, ""), "state": "shown", **given}


def say(ledger: Ledger, serial: str, state: str, by: str = "Grace Okoye", **more: Any) -> dict[str, Any]:
    return custody.act(ledger_run(ledger), want(serial=serial, state=state, by=by, **more))


def file_of(ledger: Ledger, serial: str) -> DeviceFile:
    return devices(read_cases(ledger.storage.query).values())[serial]


def what(ledger: Ledger, serial: str) -> list[tuple[str, bool]]:
    return [(event.what, event.seen) for event in file_of(ledger, serial).events]


def leaver(ledger: Ledger) -> Any:
    return ledger.open_case("offboard", sample.PERSON, "r", {"key": "1"})


def device_step(ledger: Ledger, case: Any, *rows: dict[str, Any], system: str = "intune", name: str = "device") -> None:
    sample.step(ledger, case, system, name, list(rows), phase="secure_devices")


def test_a_device_has_one_history_through_all_states(ledger: Ledger) -> None:
    joiner = ledger.open_case("onboard", sample.PERSON, "r", {"key": "0"})
    device_step(ledger, joiner, sample.row("device SN1", before="", after="jane.doe"), name="device_assignment")
    ledger.close_case(joiner.id, run="r", complete=True, summary={})
    case = leaver(ledger)
    key = sample.row("escrow key of SN1", before="not escrowed", after="escrowed")
    ordered = sample.row(
        "device SN1", "in_progress", "lock_pending", "locked", note="it does it when it next checks in"
    )
    device_step(ledger, case, key, ordered)
    assert what(ledger, "SN1") == [
        ("assigned to jane.doe", True),
        ("recovery key escrowed", True),
        ("lock ordered", False),
    ]
    assert file_of(ledger, "SN1").is_out and file_of(ledger, "SN1").leaver == case.id
    device_step(ledger, case, key, sample.row("device SN1", before="lock_pending", after="locked"))
    say(ledger, "SN1", "label", number="https://labels.example/1")
    say(ledger, "SN1", "shipped", carrier="DHL", number="123")
    assert file_of(ledger, "SN1").is_out
    say(ledger, "SN1", "received", place="shelf 4", number="R-1")
    assert not file_of(ledger, "SN1").is_out and file_of(ledger, "SN1").settled == "received by Grace Okoye"
    say(
        ledger,
        "SN1",
        "sanitised",
        by="Tom Ray",
        method="Purge: crypto erase",
        tool="Intune 2409",
        verified_by="Grace Okoye",
    )
    say(ledger, "SN1", "disposed", by="Tom Ray", to="Green IT Ltd")
    states = [name for name, _seen in what(ledger, "SN1")]
    assert states[-6:] == ["locked", "label", "shipped", "received", "sanitised", "disposed"]
    assert "R-1" in str(file_of(ledger, "SN1").events) and "crypto erase" in str(file_of(ledger, "SN1").events)


def test_a_lost_answer_and_a_killed_run_state_nothing_that_was_not_seen(ledger: Ledger) -> None:
    case = leaver(ledger)
    device_step(ledger, case, sample.row("device SN1", "unknown", "managed", "wiped", note="the answer was lost"))
    ledger.intent(
        case.id,
        run="r2",
        phase="secure_devices",
        system="intune",
        step="device",
        person="x",
        changes=[{"what": "device SN1", "before": "managed", "after": "wiped"}],
        irreversible=True,
    )
    assert what(ledger, "SN1") == [("unknown", False)] and file_of(ledger, "SN1").is_out


def test_a_return_is_taken_before_the_seventh_day_and_without_a_run(ledger: Ledger) -> None:
    case = leaver(ledger)
    device_step(
        ledger, case, sample.row("device SN1", "unsupported", "managed", "locked", note="Windows has no remote lock")
    )
    done = say(ledger, "SN1", "received")
    assert done["case"] == case.id and done["changes"][0]["before"] == "not possible by the device management"
    assert not file_of(ledger, "SN1").is_out


def test_a_personal_device_is_nobodys_hardware_but_its_owners(ledger: Ledger) -> None:
    device_step(ledger, leaver(ledger), sample.row("device PH1", before="managed", after="retired"))
    assert file_of(ledger, "PH1").personal and not file_of(ledger, "PH1").is_out


def test_a_device_that_no_system_knows_is_noted_for_its_person(ledger: Ledger) -> None:
    case = leaver(ledger)
    with pytest.raises(InputError, match="does not know this device"):
        say(ledger, "DOCK-9", "collected")
    assert say(ledger, "DOCK-9", "collected", person=sample.PERSON["email"])["case"] == case.id
    say(ledger, "DOCK-8", "left_with_person", person=sample.PERSON["email"])
    assert file_of(ledger, "DOCK-8").is_out and not file_of(ledger, "DOCK-9").is_out


def test_whose_device_it_was_cannot_say_that_the_company_has_it(ledger: Ledger) -> None:
    device_step(ledger, leaver(ledger), sample.row("device SN1", before="managed", after="locked"))
    for name in ("Jane Doe", "JANE.DOE@corp.example"):
        with pytest.raises(Refused, match="had this device"):
            say(ledger, "SN1", "received", by=name)
    with pytest.raises(InputError, match="note is empty"):
        say(ledger, "SN1", "waived")
    say(ledger, "SN1", "waived", note="ten years old")
    assert file_of(ledger, "SN1").settled == "waived by Grace Okoye"


def test_nothing_is_noted_of_a_day_that_has_not_come_and_no_photo_of_which_there_is_none(
    ledger: Ledger, tmp_path: Path
) -> None:
    device_step(ledger, leaver(ledger), sample.row("device SN1", before="managed", after="locked"))
    with pytest.raises(InputError, match="which is in the future"):
        say(ledger, "SN1", "received", at=clock.stamp(clock.now() + timedelta(days=700)))
    with pytest.raises(InputError, match="photo"):
        say(ledger, "SN1", "received", photo=str(tmp_path / "none.jpg"))
    (tmp_path / "a.jpg").write_bytes(b"x")
    say(ledger, "SN1", "received", photo=str(tmp_path / "a.jpg"))
    assert "photo sha256" in file_of(ledger, "SN1").events[-1].note


def test_a_device_that_is_given_to_somebody_else_is_waited_for_no_more(ledger: Ledger) -> None:
    device_step(ledger, leaver(ledger), sample.row("device SN1", before="managed", after="locked"))
    other = {**sample.PERSON, "email": "new@corp.example", "hr_id": "HR-8", "employee_id": "E8"}
    joiner = ledger.open_case("onboard", other, "r", {"key": "9"})
    device_step(ledger, joiner, sample.row("device SN1", before="", after="new"), name="device_assignment")
    assert not file_of(ledger, "SN1").is_out


def test_the_history_is_shown_and_check_mode_notes_nothing(ledger: Ledger) -> None:
    device_step(ledger, leaver(ledger), sample.row("device SN1", before="managed", after="locked"))
    head = ledger.head()
    assert custody.act(ledger_run(ledger, read_only=True), want(serial="SN1", state="received", by="G"))["changed"]
    [shown] = custody.act(ledger_run(ledger), want(serial="SN1"))["devices"]
    assert ledger.head() == head and shown["out"] and shown["events"][0]["what"] == "locked"
