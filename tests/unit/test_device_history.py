# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A device's history from the sandbox's device management: with lost answers and killed runs, it states nothing that was not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.modules.custody import TASK as CUSTODY
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.custody import devices, of_leaver
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record.build import build
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

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


#: What a system must have seen a device do, by what the history says of it.
CARRIED_OUT = {"locked": "remoteLock", "wiped": "wipe", "retired": "retire"}


def test_a_laptop_goes_through_all_states_with_lost_answers_and_kills_in_between(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its assignment to whom it was sold: after each step the history says what was seen or stated by name, and nothing else."""
    cloud = box["microsoft"]
    cloud.reset()
    ledger, runs = Ledger(str(tmp_path / "ledger.db")), iter(range(1, 100))

    def begin(kind: str) -> dict[str, object]:
        case = ledger.open_case(kind, JANE, "r", {"key": kind})
        facts = {"device": {"model": "MacBook"}, "facts": case.facts.as_dict()}
        return {"id": case.id, "kind": kind, "person": dict(case.person), **facts}

    def run(role: str, case: dict[str, object], **variables: object) -> None:
        book = ledger_run(ledger, run=f"r{next(runs)}")
        Run(box, book, variables).role(role, ["intune"], cases=[case])

    def history() -> list[tuple[str, bool]]:
        known = devices(read_cases(ledger.storage.query).values()).get(LAPTOP)
        events = known.events if known else []
        carried_out = {one["action"] for one in cloud.state["intune"]["done"] if one["serial"] == LAPTOP}
        for event in events:
            assert not event.seen or CARRIED_OUT.get(event.what, "") in {"", *carried_out}, (event, carried_out)
        return [(event.what, event.seen) for event in events]

    def killed(*_args: object, **_how: object) -> int:
        raise Killed

    def dies(act: Callable[[], object], at: str) -> None:
        """The run ends where it would write that into the ledger."""
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, at, killed)
            with pytest.raises(Killed):
                act()

    def until(what: tuple[str, bool], act: Callable[[], None]) -> None:
        """Lost answers at first, then run by run until the history says it."""
        cloud.fault("lost", path=".*/managedDevices.*", times=2)
        for _ in range(10):
            act()
            if what in history():
                return
        raise AssertionError((what, history()))

    def says(state: str, **more: str) -> dict[str, object]:
        given = {name: spec.get("default", "") for name, spec in CUSTODY.argument_spec.items()}
        said = {"serial": LAPTOP, "state": state, "by": "Grace Okoye", **more}
        return perform(CUSTODY, ledger_run(ledger, run=f"r{next(runs)}"), {**given, **said})

    joiner = begin("onboard")
    until(("assigned to jane@corp.example", True), lambda: run("prepare_device", joiner, device_serial=LAPTOP))
    leaver = begin("offboard")
    lock = {"company": "lock", "personal": "keep"}
    cloud.state["intune"][
        "filevault"
    ].clear()  # nobody keeps its key yet, so that nothing is locked before one is handed in
    dies(lambda: run("secure_devices", leaver, lifecycle_devices=lock), "outcome")
    assert ("FileVault recovery key escrowed", True) not in history() and ("locked", True) not in history()
    until(("FileVault recovery key escrowed", True), lambda: run("secure_devices", leaver, lifecycle_devices=lock))
    assert ("Activation Lock bypass code escrowed", True) in history()
    dies(lambda: run("secure_devices", leaver, lifecycle_devices=lock), "outcome")
    until(("locked", True), lambda: run("secure_devices", leaver, lifecycle_devices=lock))
    wipe = {"lifecycle_devices": {"company": "wipe", "personal": "keep"}, "confirm": LAPTOP}
    cloud.state["intune"]["offline"].append(LAPTOP)
    dies(lambda: run("secure_devices", leaver, **wipe), "outcome")
    assert not [what for what, _seen in history() if "wipe" in what], "the order is out, and the run could not say so"
    until(("wipe ordered", False), lambda: run("secure_devices", leaver, **wipe))
    assert [one["path"].rpartition("/")[2] for one in cloud.writes()].count("wipe") == 1
    assert ("wiped", True) not in history()
    (tmp_path / "shelf.jpg").write_bytes(b"a photo")
    for state, more in (
        ("label", {"number": "https://labels.example/1"}),
        ("shipped", {"by": "Jane Roth", "carrier": "DHL", "number": "JD01"}),
        ("received", {"number": "R-2214", "photo": str(tmp_path / "shelf.jpg"), "place": "shelf 4"}),
        ("sanitised", {"by": "Tom Ray", "method": "Purge: crypto erase", "tool": "x 1", "verified_by": "Grace Okoye"}),
        ("disposed", {"by": "Tom Ray", "to": "Green IT Ltd"}),
    ):
        before = history()
        dies(lambda state=state, more=more: says(state, **more), "note")  # type: ignore[misc]
        assert history() == before, "what could not be noted is not stated"
        assert says(state, **more)["changed"]
    events = devices(read_cases(ledger.storage.query).values())[LAPTOP].events
    told = [event.what for event in events]
    assert [told.index(what) for what in STORY] == sorted(told.index(what) for what in STORY), told
    [sold] = [event for event in events if event.what == "disposed"]
    assert (sold.by, sold.note) == ("Tom Ray", "to Green IT Ltd")
    [received] = [event for event in events if event.what == "received"]
    assert received.by == "Grace Okoye" and "number R-2214" in received.note and "photo sha256" in received.note
    assert not [event for event in events if "ABCD-" in str(event) or "7M6P0" in str(event)], "where, never the key"
    assert told[-5:] == list(STORY[-5:]) and ("wiped", True) not in history()


STORY = (
    "assigned to jane@corp.example",
    "FileVault recovery key escrowed",
    "locked",
    "wipe ordered",
    "label",
    "shipped",
    "received",
    "sanitised",
    "disposed",
)


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
    events = [(event.what, event.seen) for event in laptop.events if not event.what.endswith("escrowed")]
    assert events == sorted(set(events), key=events.index), "each is told once, however often it was looked at"
    assert all(seen == ("ordered" not in what) for what, seen in events) and laptop.is_out, events


def test_a_record_forgets_no_device_whose_end_nobody_waited_for(box: Box, tmp_path: Path) -> None:
    """With ``follow: 0`` the first run only orders. The next finds the laptop locked already, and the phone gone from the list."""
    box["microsoft"].reset()
    ledger = Ledger(str(tmp_path / "ledger.db"))
    case = ledger.open_case("offboard", JANE, "r", {"key": "1"})
    cases = [{"id": case.id, "kind": "offboard", "person": dict(case.person), "facts": case.facts.as_dict()}]

    def devices(number: int) -> dict[str, dict[str, Any]]:
        said = {"company": "lock", "personal": "retire", "follow": 0}
        Run(box, ledger_run(ledger, run=f"r{number}"), {"lifecycle_devices": said}).role(
            "secure_devices", ["intune"], cases=cases
        )
        facts = {"intune": {"connector": "intune", "capabilities": ["devices"]}}
        return {row["what"]: row for row in build(ledger, case.id, facts)["devices"]}

    for number in range(1, 9):
        shown = devices(number)
    laptop, phone = shown[f"device {LAPTOP}"], shown["device F2LJANE02"]
    assert (laptop["before"], laptop["after"], laptop["outcome"]) == ("managed", "locked", "done")
    assert (phone["before"], phone["after"], phone["outcome"]) == ("managed", "retired", "acknowledged")
    assert "nobody saw its end" in phone["note"] and laptop["at"] and phone["at"]
    sent = {one["path"].rpartition("/")[2]: one for one in box["microsoft"].journal if one["method"] == "POST"}
    assert {"remoteLock", "retire"} <= sent.keys()
