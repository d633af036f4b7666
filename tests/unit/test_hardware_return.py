# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The register of hardware checks in what a named person says is back, and nothing else. Snipe-IT is asked what it was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.compiler import of_file
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.undo import owed, taken
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.modules import hardware_return
from ansible_collections.workforce.lifecycle.plugins.modules.custody import TASK as CUSTODY
from ansible_collections.workforce.lifecycle.plugins.modules.followups import TASK as FOLLOWUPS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import write
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.custody import of_leaver
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.later.received import received
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import run_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from sandbox.box import Box
from sandbox.worlds import worlds
from tests.support import person_of, run
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run

LAPTOP, TABLET = "C02JANE01", "TAB-JANE-1"
SNIPE = worlds()["snipe_it"]
FILE = Path(__file__).resolve().parents[2] / "plugins/module_utils/connectors/declared/files/snipe_it.yml"
SYSTEMS = {"snipe_it": {"connector": "snipe_it", "capabilities": capabilities_of(of_file(str(FILE), True))}}


class Leaver:
    """Jane, who has left: her case, the runs about it, and the register."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.folder, self.number = box, folder, 0
        self.person = {**person_of(box, "jane"), "status": "terminated"}
        self.ledger = Ledger.open(str(folder / "ledger.db"))
        self.case = self.ledger.open_case("offboard", self.person, "r0", {"key": "1"})
        tablet = {"id": 199, "asset_tag": "A199", "serial": TABLET, "name": "Tablet"}
        holder = next(row["holder"] for row in self.assets.values() if row["serial"] == LAPTOP)
        self.assets[199] = {**tablet, "holder": holder}

    @property
    def assets(self) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = self.box["snipe_it"].state["assets"]
        return found

    def book(self, *, read_only: bool = False) -> Any:
        return ledger_run(self.ledger, SYSTEMS, run=f"r{self.number}", read_only=read_only)

    def preserve(self) -> None:
        self.number += 1
        facts = {"id": self.case.id, "kind": "offboard", "person": self.person, "facts": self.case.facts.as_dict()}
        Run(self.box, self.book(), {}).role("preserve", ["snipe_it"], part="ownership", cases=[facts])
        self.record()

    def record(self) -> dict[str, Any]:
        return write(self.book(), self.case.id, str(self.folder), None)

    def say(self, serial: str, state: str, **more: Any) -> None:
        defaults = {name: spec.get("default") for name, spec in CUSTODY.spec.items()}
        said = {"serial": serial, "state": state, "by": "Grace Okoye", "person": self.person["email"], **more}
        heard = [{"present": {"Grace Okoye": [{"email": "grace@corp.example", "display_name": "Grace Okoye"}]}}]
        result = perform(CUSTODY, self.book(), {**defaults, "found": heard, **said})
        assert not result.get("failed"), result
        self.record()

    def followups(self) -> dict[str, Any]:
        """What is due, as the playbook does it; the result of its last step."""
        self.number += 1
        play = Run(self.box, self.book(), {})
        defaults = {name: spec.get("default") for name, spec in FOLLOWUPS.spec.items()}
        decided = perform(FOLLOWUPS, self.book(), {**defaults, "state": "decide"})
        run_cases.leave(play.folder, "followups", decided)
        play.role("followups", ["snipe_it"])
        settled = perform(FOLLOWUPS, self.book(), {**defaults, "state": "settle", "acts": decided["acts"]})
        self.record()
        return {**settled, "judged": decided["judged"]}

    def sent(self) -> list[str]:
        return [entry["path"] for entry in self.box["snipe_it"].writes()]

    def open(self) -> list[str]:
        return [item["what"] for item in self.record()["open_items"]]


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([SNIPE]) as running:
        yield running


@pytest.fixture
def leaver(box: Box, tmp_path: Path) -> Leaver:
    found = Leaver(box, tmp_path)
    found.preserve()
    return found


def test_a_laptop_is_checked_in_when_somebody_received_it_and_the_item_is_closed_by_the_register(
    leaver: Leaver,
) -> None:
    [laptop] = [number for number, row in leaver.assets.items() if row["serial"] == LAPTOP]
    assert f"hardware A{laptop} {LAPTOP}" in leaver.open()
    leaver.say(LAPTOP, "received", number="R-2214")
    assert leaver.sent() == [] and f"hardware A{laptop} {LAPTOP}" in leaver.open(), "a word alone is no check-in"
    settled = leaver.followups()
    assert not settled.get("failed"), settled
    assert leaver.sent() == [f"/api/v1/hardware/{laptop}/checkin"] and leaver.assets[laptop]["holder"] is None
    assert f"hardware A{laptop} {LAPTOP}" not in leaver.open(), "it was looked at again"
    assert f"hardware A199 {TABLET}" in leaver.open() and leaver.assets[199]["holder"], (
        "nobody has said that it is back"
    )
    events = [
        event.what
        for one in of_leaver(leaver.ledger.storage.query, leaver.case.id, leaver.case.key)
        for event in one.events
    ]
    assert events == ["received", "checked in"]


def test_it_is_checked_in_once_and_two_that_came_back_together_both_are(leaver: Leaver) -> None:
    leaver.say(LAPTOP, "received")
    leaver.say(TABLET, "collected")
    leaver.followups()
    assert len(leaver.sent()) == 2 and not [
        row for row in leaver.assets.values() if row["serial"] in (LAPTOP, TABLET) and row["holder"]
    ]
    assert leaver.followups()["judged"] == [] and len(leaver.sent()) == 2


@pytest.mark.parametrize("state", ["label", "shipped", "lost", "waived", "disposed", "left_with_person"])
def test_nothing_is_checked_in_that_is_not_in_stock_again(leaver: Leaver, state: str) -> None:
    leaver.say(LAPTOP, state, note="as it is")
    leaver.followups()
    assert leaver.sent() == [] and received(leaver.ledger, leaver.case.id) == {}


def test_a_device_that_was_sent_on_before_the_day_is_left_checked_out(leaver: Leaver) -> None:
    leaver.say(LAPTOP, "received")
    leaver.say(LAPTOP, "disposed", to="Green IT Ltd")
    [judged] = leaver.followups()["judged"]
    assert judged["word"] == "cancel" and "nobody says any more" in judged["reason"] and leaver.sent() == []


def test_what_was_attested_when_the_return_was_asked_for_is_a_receipt_too(leaver: Leaver) -> None:
    due = {
        "id": "chase_device intune 7",
        "what": f"ask for the return of {LAPTOP}, {TABLET}",
        "due": clock.stamp(),
        "why": "",
    }
    leaver.ledger.note("due", due, case=leaver.case.id, system="intune", step="chase_device", person=leaver.case.key)
    assert received(leaver.ledger, leaver.case.id) == {}
    leaver.ledger.attest(
        leaver.case.id,
        system="intune",
        step=due["id"],
        what="",
        by="Grace Okoye",
        at=clock.stamp(),
        note="",
        decision="",
    )
    assert set(received(leaver.ledger, leaver.case.id)) == {LAPTOP, TABLET}


def test_who_came_back_keeps_what_the_register_has_for_them(leaver: Leaver) -> None:
    leaver.say(LAPTOP, "received")
    later = leaver.ledger.open_case("reinstate", leaver.person, "r9", {"key": "2", "of": leaver.case.id})
    [judged] = leaver.followups()["judged"]
    assert judged["word"] == "cancel" and later.id in judged["reason"] and leaver.sent() == []


def test_what_was_checked_in_is_given_out_again_by_hand_when_the_leaving_is_withdrawn() -> None:
    row = {
        "what": f"device {LAPTOP}",
        "before": "checked out to jane",
        "after": "not checked out to them",
        "outcome": "done",
    }
    entry = {"kind": "outcome", "system": "snipe_it", "step": "check_in", "changes": [row]}
    [lost] = owed(taken([entry]))["snipe_it"]["lost"]
    assert "checks it out" in lost["why"] and not lost["anew"]


def test_a_check_in_whose_answer_is_lost_is_read_back_and_not_sent_again(leaver: Leaver) -> None:
    leaver.say(LAPTOP, "received")
    leaver.box["snipe_it"].fault("lost", method="POST", path="checkin", times=1)
    leaver.followups()
    assert len(leaver.sent()) == 1 and received(leaver.ledger, leaver.case.id)
    leaver.followups()
    assert len(leaver.sent()) == 1


def test_the_label_of_what_came_back_is_set_where_the_company_names_one(box: Box) -> None:
    entry = box.systems()["snipe_it"]
    options = {"options": {**entry.get("options", {}), "returned_status": "5"}}
    result = run(
        hardware_return.TASK, box, "snipe_it", changes=options, person=person_of(box, "jane"), serials=[LAPTOP]
    )
    assert result["outcome"] == "done"
    [sent] = [entry for entry in box["snipe_it"].writes() if "checkin" in entry["path"]]
    assert json.loads(sent["body"]) == {"status_id": "5"}


def test_two_items_of_one_serial_wait_for_a_person_and_an_unknown_serial_is_nobodys(box: Box) -> None:
    assets = box["snipe_it"].state["assets"]
    [laptop] = [row for row in assets.values() if row["serial"] == LAPTOP]
    assets[198] = {**laptop, "id": 198, "asset_tag": "A198"}
    person = person_of(box, "jane")
    two = run(hardware_return.TASK, box, "snipe_it", person=person, serials=[LAPTOP, "NONE-1"])
    assert two["outcome"] == "needs_human" and "2 items" in str(two["changes"]) and box["snipe_it"].writes() == []


def test_the_example_of_the_module_checks_in(box: Box) -> None:
    for example in yaml.safe_load(hardware_return.EXAMPLES):
        given = example["workforce.lifecycle.hardware_return"]
        assert run(hardware_return.TASK, box, "snipe_it", **given)["outcome"] == "done", example["name"]


def test_a_file_whose_return_has_no_serial_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tool.yml").write_text(FILE.read_text().replace("    serial: serial || ''\n", ""))
    with pytest.raises(InputError, match="return and serial go together"):
        of_file(str(tmp_path / "tool.yml"))


def test_a_check_in_is_due_at_once_and_again_when_it_came_back_once_more(
    leaver: Leaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaver.say(LAPTOP, "received")
    leaver.followups()
    [laptop] = [row for row in leaver.assets.values() if row["serial"] == LAPTOP]
    laptop["holder"] = leaver.assets[199]["holder"]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=1))
    leaver.say(LAPTOP, "received")
    leaver.followups()
    assert len(leaver.sent()) == 2 and laptop["holder"] is None
