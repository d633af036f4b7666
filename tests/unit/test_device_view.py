# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All devices in one view: the ledger's histories, and what the last reconcile found unencrypted, unmanaged or without an owner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules.custody import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.reconcile import report as reconcile_report
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests import reconcile_company as company
from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run
from tests.unit.test_reconcile import Bench


@pytest.fixture()
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(str(tmp_path / "devices.db"))


def shown(ledger: Ledger, **want: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in TASK.argument_spec.items()}
    return perform(TASK, ledger_run(ledger, read_only=want.pop("read_only", False)), {**defaults, **want})


def by_serial(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["serial"] or one["name"]: one for one in answer["devices"]}


def secured(ledger: Ledger, *rows: dict[str, Any]) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {"key": "1"})
    sample.step(ledger, case, "intune", "device", list(rows), phase="secure_devices")


def reconciled(folder: Path) -> dict[str, Any]:
    """The report of a generated company in which something is wrong with some devices."""
    made = Bench(company.generate(80, 7, plants=1), folder).all()
    folder.joinpath("reconcile-20261128T060000Z.json").write_text(reconcile_report.as_json(made))
    return made


def test_what_a_reconcile_found_of_devices_stands_beside_their_histories(ledger: Ledger, tmp_path: Path) -> None:
    made = reconciled(tmp_path)
    wrong = [one for one in made["findings"] if one["kind"].startswith("device_")]
    assert {"device_unencrypted", "device_unmanaged"} <= {one["kind"] for one in wrong}
    known = next(one for one in wrong if one["kind"] == "device_unencrypted")
    serial = known["evidence"]["facts"]["serial"]
    secured(ledger, sample.row(f"device {serial}", before="managed", after="locked"))
    answer = shown(ledger, records=str(tmp_path))
    devices = by_serial(answer)
    assert devices[serial]["out"] and [event["what"] for event in devices[serial]["events"]] == ["locked"]
    concerns = [(concern["kind"], name) for name, one in devices.items() for concern in one["concerns"]]
    labels = [one["evidence"]["facts"]["serial"] or one["evidence"]["facts"]["name"] for one in wrong]
    assert sorted(concerns) == sorted(zip((one["kind"] for one in wrong), labels, strict=True))
    assert answer["devices"][0]["serial"] == serial, "what is not back stands first"
    assert answer["reconciled"] == made["made"]


def test_without_a_reconcile_nothing_is_said_of_encryption(ledger: Ledger, tmp_path: Path) -> None:
    secured(ledger, sample.row("device SN1", before="managed", after="locked"))
    answer = shown(ledger, records=str(tmp_path / "none"), path=str(tmp_path / "view"))
    assert answer["reconciled"] == "" and not by_serial(answer)["SN1"]["concerns"]
    assert "which devices are not encrypted or not managed is not known here" in Path(answer["page"]).read_text()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (sample.row("device PH1", before="managed", after="retired"), "taken off"),
        (sample.row("device PH1", "in_progress", "retire_pending", "retired"), "its removal is ordered, and not seen"),
        (
            sample.row("device PH1", "already", "managed", "managed", note="a personal device"),
            "left on it, as policy says",
        ),
        (sample.row("device PH1", "unknown", "managed", "retired"), "not known whether it is taken off"),
    ],
)
def test_of_a_personal_device_it_is_said_what_became_of_the_companys_data(
    ledger: Ledger, row: dict[str, Any], said: str
) -> None:
    secured(ledger, row)
    phone = by_serial(shown(ledger))["PH1"]
    assert (phone["personal"], phone["out"], phone["company_data"]) == (True, False, said)


def test_the_page_shows_each_device_and_follows_no_link_but_a_labels(ledger: Ledger, tmp_path: Path) -> None:
    secured(ledger, sample.row("device SN1", before="managed", after="locked"))
    for number in ("https://labels.example/1", "javascript:alert(1)"):
        said = {"serial": "SN1", "state": "label", "by": "Grace <b>Okoye</b>", "number": number}
        shown(ledger, **said)
    answer = shown(ledger, path=str(tmp_path / "view"), company="Corp")
    page = Path(answer["page"]).read_text()
    assert "1 company device is not back" in page and "Shipping label sent" in page
    assert 'href="https://labels.example/1"' in page and 'href="javascript' not in page and "<b>Okoye" not in page
    assert json.loads((tmp_path / "view" / "devices.json").read_text())[0]["serial"] == "SN1"
    assert Path(answer["page"]).stat().st_mode & 0o077 == 0


def test_the_same_is_said_on_a_screen(ledger: Ledger) -> None:
    key = sample.row("escrow key of SN1", "already", "escrowed", "escrowed", note="FileVault recovery key: Intune")
    secured(ledger, key, sample.row("device SN1", "in_progress", "managed", "locked", note="not seen yet"))
    assert shown(ledger, serial="SN1")["lines"][0] == "SN1, Jane Doe: NOT BACK"
    told = [line.strip().partition("  ")[2] for line in shown(ledger)["lines"][1:]]
    assert told == [
        "FileVault recovery key escrowed, intune: where: Intune",
        "lock ordered (not seen), intune: not seen yet",
    ]
    assert shown(ledger, serial="none")["lines"] == [
        "the ledger knows no device, and the last reconcile found none with something wrong"
    ]


def test_a_rehearsal_writes_no_page(ledger: Ledger, tmp_path: Path) -> None:
    shown(ledger, path=str(tmp_path / "view"), read_only=True)
    assert not (tmp_path / "view").exists()
