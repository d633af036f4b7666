# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every scenario of every connector, against every fault. The systems are asked what happened, not our code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Outcome
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.step import Step
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS

from sandbox.box import Box
from tests import support
from tests.conformance import scenarios
from tests.conformance.scenario import Scenario
from tests.declared import scenarios as declared

SETS: dict[str, Any] = {
    name: importlib.import_module(f"{scenarios.__name__}.{name}")
    for _, name, _ in pkgutil.iter_modules(scenarios.__path__)
} | declared.sets()
CASES = [
    pytest.param(
        name,
        scenario,
        id=f"{name}-{scenario.name}".replace(" ", "_"),
        marks=[pytest.mark.rotating(of=9, by=name)] + ([pytest.mark.soak] if getattr(module, "soak", False) else []),
    )
    for name, module in SETS.items()
    for scenario in module.SCENARIOS
]
_BOXES: dict[str, Box] = {}


@pytest.fixture(scope="module", autouse=True)
def boxes() -> Iterator[None]:
    yield
    for box in _BOXES.values():
        box.stop()
    _BOXES.clear()


class Play:
    """A scenario against its box, run after run of one case, with a real ledger in between."""

    def __init__(self, name: str, scenario: Scenario, folder: Path) -> None:
        if name not in _BOXES:
            _BOXES[name] = Box(SETS[name].VENDORS).start()
        self.box, self.scenario = _BOXES[name], scenario
        self.folder = folder
        #: Replaces keys of the system's entry, such as its url.
        self.changes: dict[str, Any] = {}
        self.fresh()

    def fresh(self) -> None:
        """Everything as seeded, and a new case."""
        for emulator in self.box.emulators.values():
            emulator.reset()
        self.scenario.prepare(self.box)
        for emulator in self.box.emulators.values():
            emulator.journal.clear()
        self.folder.joinpath("ledger.db").unlink(missing_ok=True)
        for leftover in self.folder.glob("ledger.db*"):
            leftover.unlink()
        self.ledger = Ledger.open(str(self.folder / f"ledger-{len(list(self.folder.iterdir()))}.db"))
        self.person = support.person_of(self.box, self.scenario.want["person"])
        self.case = self.ledger.open_case("offboard", self.person, "test", {"key": "test"}).id

    def run(self, *, check_mode: bool = False) -> dict[str, Any]:
        people_index.INDEXES.clear()  # each run is a process of its own
        step = Step.of(
            self.ledger,
            case=self.case,
            run="test",
            phase="test",
            system=self.scenario.system,
            name=self.scenario.module,
            person=self.person["email"],
            silent=check_mode,
        )
        want = {**self.scenario.want, "person": self.person, "history": step.history()}
        task = TASKS[self.scenario.module]
        entry = {
            key: value
            for key, value in {**self.box.systems()[self.scenario.system], **self.changes}.items()
            if key in task.spec
        }
        defaults = {name: spec.get("default") for name, spec in task.spec.items()}
        params = {**defaults, **entry, "system": self.scenario.system, "timeout": 5.0, "max_wait": 5.0, **want}
        result = task.run(
            params,
            check_mode=check_mode,
            tokens=support.TOKENS,
            on_intent=lambda changes: step.intent(
                [{"what": c.what} for c in changes], irreversible=any(c.irreversible for c in changes)
            ),
        )
        return step.finished(result)

    def writes(self) -> list[dict[str, Any]]:
        return [entry for emulator in self.box.emulators.values() for entry in emulator.writes()]

    def fault(self, kind: str, **how: Any) -> None:
        for emulator in self.box.emulators.values():
            emulator.fault(kind, **how)

    @property
    def speaks_http(self) -> bool:
        return all(hasattr(emulator, "fault") for emulator in self.box.emulators.values())


@pytest.fixture
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    name, scenario = request.param
    support.TOKENS._held.clear()
    return Play(name, scenario, tmp_path)


def every(cases: list[Any]) -> Any:
    return pytest.mark.parametrize(
        "play", [pytest.param(tuple(case.values), id=case.id, marks=case.marks) for case in cases], indirect=True
    )


def closed(result: dict[str, Any]) -> bool:
    return Outcome(result["outcome"]).closed


@every(CASES)
def test_check_mode_sends_no_write_and_says_what_it_would_do(play: Play) -> None:
    result = play.run(check_mode=True)
    assert not result.get("failed"), result["msg"]
    assert result["changed"]
    assert any(row["outcome"] == "planned" for row in result["changes"])
    assert play.writes() == []


@every(CASES)
def test_done_then_already(play: Play) -> None:
    result = play.run()
    assert result["outcome"] == play.scenario.outcome, result
    assert result["changed"]
    play.scenario.verify(play.box)
    sent = len(play.writes())
    assert sent > 0
    again = play.run()
    assert again["changed"] is False, again
    assert closed(again) or again["outcome"] == play.scenario.outcome, again
    assert len(play.writes()) == sent, play.writes()[sent:]


@every(CASES)
def test_the_answer_lost_after_each_write(play: Play) -> None:
    """Whatever write loses its answer: nothing is called done unseen, the next run ends it, and what can't be undone is sent once."""
    if not play.speaks_http:
        pytest.skip("not HTTP: its own tests lose the answer at the socket")
    play.run()
    count = len(play.writes())
    for number in range(count):
        play.fresh()
        play.fault("lost", method="WRITE", after=number)
        first = play.run()
        lost = [entry for entry in play.writes() if entry["fault"] == "lost"]
        assert lost, f"write {number} of {count} was not sent again: the order of writes is not the same on each run"
        if not closed(first):
            assert first["outcome"] in ("unknown", "failed", "in_progress", play.scenario.outcome), first
        second = play.run()
        assert closed(second) or second["outcome"] == play.scenario.outcome, (number, first, second)
        play.scenario.verify(play.box)
        if "irreversible" in play.scenario.marks:
            paths = [entry["path"] for entry in play.writes()]
            assert paths.count(lost[0]["path"]) == 1, paths


@every(CASES)
def test_throttled_and_then_served(play: Play) -> None:
    if not play.speaks_http:
        pytest.skip("not HTTP")
    play.fault("status", status=429, headers={"retry-after": "0"}, method="READ", path="^(?!.*(token|oauth2)).*$")
    play.fault("status", status=429, headers={"retry-after": "0"}, method="WRITE")
    result = play.run()
    assert result["outcome"] == play.scenario.outcome, result
    play.scenario.verify(play.box)


@every(CASES)
@pytest.mark.parametrize("fault", ["401", "403", "500", "html", "cut"])
def test_a_system_that_refuses_or_rambles(play: Play, fault: str) -> None:
    """One clear line that names the act, the system and what to do, no write, and never a quiet ok."""
    if not play.speaks_http:
        pytest.skip("not HTTP")
    if fault.isdigit():
        play.fault("status", status=int(fault), body={"message": "no"}, times=-1)
    else:
        play.fault(fault, times=-1)
    result = play.run()
    assert result.get("failed"), result
    assert play.scenario.system in result["msg"]
    assert "\n" not in result["msg"] and "Traceback" not in result["msg"]
    assert [
        entry for entry in play.writes() if entry["status"] and entry["status"] < 300 and entry["fault"] is None
    ] == []


@every(CASES)
@pytest.mark.parametrize("status", [404, 409])
def test_what_is_not_there_or_in_the_way_is_never_done(play: Play, status: int) -> None:
    """Every write is answered so: what was there before is there still, and the next run, which is served, does it."""
    if not play.speaks_http:
        pytest.skip("not HTTP")
    play.fault("status", status=status, body={"message": "no"}, method="WRITE", times=-1)
    result = play.run()
    assert result["outcome"] not in ("done", "already", "absent"), result
    assert "Traceback" not in str(result)
    # Where a vendor does not show what a write did, its word that there is nothing to end is all that can be had.
    unseen = any(row["outcome"] == "acknowledged" for row in result["changes"])
    for emulator in play.box.emulators.values():
        emulator.faults.clear()
    play.run()
    if not unseen:
        play.scenario.verify(play.box)


@every(CASES)
def test_a_list_that_is_not_there_is_an_error_and_nobody_is_touched(play: Play) -> None:
    if not play.speaks_http:
        pytest.skip("not HTTP")
    play.fault("status", status=404, body={"message": "no"}, times=-1)
    result = play.run()
    assert not closed(result) or result["outcome"] == "absent", result
    assert [entry for entry in play.writes() if entry["fault"] is None] == []
