# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A device's history from the sandbox's device management: with lost answers and killed runs, it states nothing that was not seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.custody import of_leaver
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run

JANE = {"email": "jane@corp.example", "hr_id": "107", "first_name": "Jane", "last_name": "Roth", "status": "terminated"}
LAPTOP = "C02JANE01"


class Killed(BaseException):
    """The run ends here, and can write nothing more."""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([Microsoft]) as running:
        yield running


def test_lost_answers_and_kills_make_the_history_say_no_more_than_was_seen(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box["microsoft"].reset()
    ledger = Ledger(str(tmp_path / "ledger.db"))
    case = ledger.open_case("offboard", JANE, "r", {"key": "1"})
    cases = [{"id": case.id, "kind": "offboard", "person": dict(case.person), "facts": case.facts.as_dict()}]

    def run(number: int) -> None:
        book = ledger_run(ledger, run=f"r{number}")
        devices = {"company": "wipe", "personal": "keep"}
        Run(box, book, {"lifecycle_devices": devices, "confirm": LAPTOP}).role(
            "secure_devices", ["intune"], cases=cases
        )

    def history() -> list[tuple[str, bool]]:
        found = of_leaver(ledger.storage.query, case.id, case.key)
        return [(event.what, event.seen) for laptop in found for event in laptop.events]

    def sent() -> int:
        return sum(1 for one in box["microsoft"].journal if one["path"].endswith("/wipe"))

    def killed(*_args: object, **_how: object) -> int:
        raise Killed

    with monkeypatch.context() as patch:  # the order is out, and the run is gone before it can say so
        patch.setattr(Ledger, "outcome", killed)
        with pytest.raises(Killed):
            run(1)
    assert sent() == 1 and not any(seen for _what, seen in history()), history()
    box["microsoft"].fault("lost", path=".*/managedDevices.*", times=2)
    for number in range(2, 9):
        run(number)
        assert ("wiped", True) not in history(), (
            "the device management shows no such laptop any more: nobody saw it wiped"
        )
    assert sent() == 1, "one wipe, whatever was lost"
    assert history(), "it is gone from the device management, and not from its history"
    [laptop] = of_leaver(ledger.storage.query, case.id, case.key)
    assert laptop.serial == LAPTOP and laptop.is_out
    said = {"serial": LAPTOP, "state": "received", "by": "Grace Okoye", "at": clock.stamp()}
    ledger.note("custody", said, case=case.id)
    [laptop] = of_leaver(ledger.storage.query, case.id, case.key)
    assert not laptop.is_out and history()[-1] == ("received", True)


def test_an_order_is_an_order_until_the_laptop_is_seen_to_have_carried_it_out(box: Box, tmp_path: Path) -> None:
    box["microsoft"].reset()
    ledger = Ledger(str(tmp_path / "ledger.db"))
    case = ledger.open_case("offboard", JANE, "r", {"key": "1"})
    cases = [{"id": case.id, "kind": "offboard", "person": dict(case.person), "facts": case.facts.as_dict()}]
    for number in range(1, 9):
        book = ledger_run(ledger, run=f"r{number}")
        devices = {"company": "lock", "personal": "keep"}
        Run(box, book, {"lifecycle_devices": devices}).role("secure_devices", ["intune"], cases=cases)
    [laptop] = of_leaver(ledger.storage.query, case.id, case.key)
    events = [(event.what, event.seen) for event in laptop.events if event.what != "recovery key escrowed"]
    assert events == sorted(set(events), key=events.index), "each is told once, however often it was looked at"
    assert all(seen == ("ordered" not in what) for what, seen in events) and laptop.is_out, events
