# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A joiner's device where nobody named its serial: theirs already, or from the stock list; and it is looked at before the day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.stock import suiting
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import (
    CONTROLS_INFO,
    DEVICE_ASSIGNMENT,
    DEVICE_INFO,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.choices import OF_PROCESS
from ansible_collections.workforce.lifecycle.plugins.modules import device_assignment, device_info
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.choices import LASTS, choices_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.variables import Variables

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.support import person_of, run

STOCK, SPARE = "5CGADA001", "5CGSPARE2"
#: A run of its own: what ``argv[1]`` says, with the ledger at ``argv[2]``. Between its plan and its first write it waits until ``argv[4]``
#: has planned too; ``argv[3]`` says that this one has.
RUN = """
import json, pathlib, sys, time
from ansible_collections.workforce.lifecycle.plugins.modules.device_assignment import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.choices import choices_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

mine, other = map(pathlib.Path, sys.argv[3:])

def wait(changes):
    mine.touch()
    until = time.monotonic() + 60
    while not other.exists() and time.monotonic() < until:
        time.sleep(0.02)

said = TASK.run(json.loads(sys.argv[1]), check_mode=False, choices=choices_of(Ledger.open(sys.argv[2])), on_intent=wait)
print(json.dumps([said["outcome"], [change["what"] for change in said["changes"]]]))
"""
ADA = Person.of({"email": "ada@corp.example", "employee_id": "E1020"})


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["microsoft"].reset()
    OF_PROCESS.forget()
    return running


def listed(folder: Path, *rows: str) -> str:
    path = folder / "stock.csv"
    path.write_text("".join(f"{row}\n" for row in ("Serial,Platform,Model,For", *rows)))
    return str(path)


def assigned(box: Box, who: str, **want: Any) -> dict[str, Any]:
    return run(device_assignment.TASK, box, "intune", person=person_of(box, who), **want)


@pytest.mark.parametrize(
    ("rows", "platform", "model", "serials"),
    [
        (["A,Windows,EliteBook 840,", "B,macOS,MacBook Pro 14,"], "macOS", "", ["B"]),
        (["A,macOS,MacBook Air,", "B,macOS,MacBook Pro 14 M4,"], "macOS", "macbook pro 14*", ["B"]),
        (["A,macOS,,", "B,macOS,,E1020", "C,macOS,,lena@corp.example"], "macOS", "", ["B", "A"]),
        (["A,,,", "B,Windows,,"], "Windows", "", ["B"]),
        (["A,,,", ",Windows,,"], "", "", ["A"]),
    ],
    ids=["by platform", "by model", "set aside first, and another's never", "what is not said it is not", "no serial"],
)
def test_the_list_says_what_suits(
    tmp_path: Path, rows: list[str], platform: str, model: str, serials: list[str]
) -> None:
    assert [one.serial for one in suiting(listed(tmp_path, *rows), ADA, platform, model)] == serials


def test_a_list_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("number,model\n1,x\n")
    for path in ("x.csv", "missing.csv"):
        with pytest.raises(InputError, match=path):
            suiting(str(tmp_path / path), ADA, "", "")


def test_the_first_that_suits_and_is_known_and_nobodys_is_given_once(box: Box, tmp_path: Path) -> None:
    stock = listed(tmp_path, "UNKNOWN1,Windows,,", "C02MARK01,Windows,,", f"{STOCK},Windows,,")
    planned = assigned(box, "lena", stock=stock, platform="Windows", check_mode=True)
    assert (planned["changes"][0]["what"], box["microsoft"].writes()) == (f"device {STOCK}", [])
    given = assigned(box, "lena", stock=stock, platform="Windows")
    assert (given["outcome"], given["changes"][0]["what"]) == ("done", f"device {STOCK}")
    again = assigned(box, "lena", stock=stock, platform="Windows")
    assert (again["outcome"], again["changes"][0]["what"]) == ("already", f"device {STOCK}")


def test_two_joiners_of_one_run_do_not_get_the_same(box: Box, tmp_path: Path) -> None:
    stock = listed(tmp_path, f"{STOCK},Windows,,")
    first = assigned(box, "lena", stock=stock, check_mode=True)
    second = assigned(box, "grace", stock=stock, platform="Windows", check_mode=True)
    assert first["outcome"] == "done" and second["outcome"] == "needs_human"


def asked(box: Box, who: str, **want: Any) -> str:
    """What a process of its own is to do, as JSON."""
    task = device_assignment.TASK
    entry = {name: value for name, value in box.systems()["intune"].items() if name in task.spec}
    defaults = {name: spec.get("default") for name, spec in task.spec.items()}
    told = {**defaults, "system": "intune", **entry, "person": person_of(box, who), **want}
    return json.dumps(told, default=str)


def test_two_runs_that_choose_in_the_same_moment_choose_two(box: Box, tmp_path: Path) -> None:
    rows = box["microsoft"].state["intune"]["stock"]
    (first,) = rows.values()
    rows["spare"] = {**first, "id": "spare", "serialNumber": SPARE}
    stock = listed(tmp_path, f"{STOCK},Windows,,", f"{SPARE},Windows,,")
    ledger, flags = tmp_path / "ledger.db", [tmp_path / "lena", tmp_path / "grace"]
    going = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, asked(box, who, stock=stock, platform="Windows"), ledger, mine, other],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            text=True,
        )
        for who, mine, other in zip(("lena", "grace"), flags, reversed(flags), strict=True)
    ]
    ended = [json.loads(one.communicate(timeout=120)[0]) for one in going]
    assert [outcome for outcome, _changes in ended] == ["done", "done"]
    assert sorted(row["userPrincipalName"].partition("@")[0] for row in rows.values()) == ["grace", "lena"]


def test_a_choice_is_another_s_until_it_ends_by_itself_and_a_check_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OF_PROCESS.forget()
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    mine, theirs = choices_of(ledger), choices_of(Ledger(str(tmp_path / "ledger.db")))
    assert theirs.take("intune", STOCK, "grace", keep=False), "nobody has it"
    OF_PROCESS.forget()  # what a check chose is of its own process
    assert mine.take("intune", STOCK, "lena", keep=True) and mine.take("intune", STOCK, "lena", keep=True)
    assert not theirs.take("intune", STOCK, "grace", keep=True) and not theirs.take(
        "intune", STOCK, "grace", keep=False
    )
    assert theirs.take("jamf", STOCK, "grace", keep=True), "another device management"
    later = clock.now() + LASTS + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert theirs.take("intune", STOCK, "grace", keep=True) and not mine.take("intune", STOCK, "lena", keep=True)
    assert "lena" not in str(ledger.storage.query("SELECT * FROM chosen")), "no name is kept"


def test_one_that_somebody_took_in_the_same_moment_is_not_taken_from_them(box: Box, tmp_path: Path) -> None:
    stock = listed(tmp_path, f"{STOCK},Windows,,")
    system = box["microsoft"]
    plan = device_assignment.plan

    def taken_after_the_plan(intune: Any, want: Any) -> Any:
        changes = plan(intune, want)
        intune.assign_device(intune.find_device(STOCK), Person.of(person_of(box, "mark")))
        return changes

    task = device_assignment.Task(device_assignment.Devices, taken_after_the_plan, device_assignment.TASK.argument_spec)
    refused = run(task, box, "intune", person=person_of(box, "lena"), stock=stock)
    assert refused["outcome"] == "failed" and "mark@corp.example" in refused["changes"][0]["note"]
    assert system is box["microsoft"]


def test_nothing_that_suits_is_a_persons_task_that_says_why(box: Box, tmp_path: Path) -> None:
    stock = listed(tmp_path, "UNKNOWN1,Windows,,", "C02MARK01,Windows,,")
    found = assigned(box, "lena", stock=stock, platform="Windows", model="")
    assert found["outcome"] == "needs_human"
    assert (
        "1 are somebody's, 1 are not known" in found["changes"][0]["note"] and "Windows" in found["changes"][0]["note"]
    )
    assert "lifecycle_stock" in assigned(box, "lena")["changes"][0]["note"]


def test_one_that_the_device_management_shows_as_theirs_is_the_one(box: Box) -> None:
    found = assigned(box, "mark", platform="macOS")
    assert (found["outcome"], found["changes"][0]["what"]) == ("already", "device C02MARK01")
    assert assigned(box, "mark", platform="Windows")["outcome"] == "needs_human", "that is no Windows"


def test_what_the_case_gave_is_looked_at_though_no_list_shows_it_before_it_is_started(box: Box) -> None:
    """An Autopilot device has a person, and is in nobody's list of devices before they first start it."""
    assigned(box, "mark", serial=STOCK)
    want = {"person": person_of(box, "mark"), "require_ready": True, "software": ["Chess"]}
    given = {"known": {"serials": [STOCK]}}
    before = run(device_info.TASK, box, "intune", before_day=True, **want, **given)
    assert (before["outcome"], before["missing"]) == ("already", [])
    for _ in range(3):
        later = run(device_info.TASK, box, "intune", before_day=True, **want, **given)
    assert "software Chess" in later["missing"], "one that is managed is looked at whole"


def test_the_stock_list_and_what_the_profile_asks_for_reach_the_step() -> None:
    named = Variables({"lifecycle_stock": "/etc/company/stock.csv"}, lambda value: value).settings()
    case = OpenCase("c", "onboard", ADA, device={"platform": "Windows", "model": "EliteBook*"})
    asked = DEVICE_ASSIGNMENT["prepare"].of_case(case, Here("intune", settings=named))
    assert asked == {"serial": "", "stock": "/etc/company/stock.csv", "platform": "Windows", "model": "EliteBook*"}


def test_the_device_is_looked_at_before_the_day_and_the_second_factor_is_not() -> None:
    case = OpenCase("c", "onboard", ADA, device={"platform": "Windows"}, controls=("mfa_registered",))
    here = Here("intune", settings=Settings(stage="prepare"))
    looked = DEVICE_INFO["look"].of_case(case, here)
    assert looked is not None and looked["before_day"] is True
    assert CONTROLS_INFO["look"].of_case(case, here) is None
    assert CONTROLS_INFO["look"].of_case(case, Here("entra")) is not None


def test_only_the_device_management_that_the_profile_names_is_asked() -> None:
    case = OpenCase("c", "onboard", ADA, device={"system": "jamf"})
    assert DEVICE_INFO["look"].of_case(case, Here("intune")) is None
    assert DEVICE_INFO["look"].of_case(case, Here("jamf")) is not None
