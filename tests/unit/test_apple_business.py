# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Apple Business: what a device enrols with, an activity to its end, and what is left to a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors import apple_business
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import DEVICE_ENROLMENT
from ansible_collections.workforce.lifecycle.plugins.module_utils.health.probe import examine
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
from ansible_collections.workforce.lifecycle.plugins.modules import device_enrolment
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from sandbox.box import Box
from sandbox.vendors.apple_business import JAMF, OLD, AppleOrganisation, private_key
from sandbox.vendors.kandji import KandjiTenant
from tests.support import connect, person_of, run
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([AppleOrganisation]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["apple_business"].reset()
    return running


def step(box: Box, serial: str = "C02MARK01", **want: Any) -> dict[str, Any]:
    return run(device_enrolment.TASK, box, "apple_business", person=person_of(box, "mark"), serial=serial, **want)


def server(box: Box, serial: str = "C02MARK01") -> str:
    return str(box["apple_business"].state["devices"][serial]["server"])


def test_a_device_of_no_management_is_assigned_and_seen_there(box: Box) -> None:
    result = step(box)
    assert (result["outcome"], server(box)) == ("done", JAMF)
    row = result["changes"][0]
    assert (row["what"], row["before"], row["after"]) == ("enrolment of C02MARK01", "none", "Jamf Pro")
    assert step(box)["outcome"] == "already"
    assert box["apple_business"].kinds() == ["ASSIGN_DEVICES"]


def test_a_device_of_another_management_is_left_to_a_person(box: Box) -> None:
    box["apple_business"].state["devices"]["C02MARK01"]["server"] = OLD
    result = step(box)
    assert result["outcome"] == "needs_human" and "Old MDM" in result["changes"][0]["note"]
    assert (server(box), box["apple_business"].kinds()) == (OLD, [])


@pytest.mark.parametrize("ends", ["COMPLETED_WITH_ERROR", "COMPLETED_WITH_FAILURE"])
def test_an_activity_that_ends_badly_is_a_failure_that_says_how(box: Box, ends: str) -> None:
    box["apple_business"].state["ends"] = ends
    result = step(box)
    assert result["outcome"] == "failed" and ends in result["msg"] and server(box) == ""


def test_an_activity_whose_list_of_results_was_not_made_is_done_when_the_device_shows_it(box: Box) -> None:
    box["apple_business"].state["ends"] = "COMPLETED_POST_PROCESSING_FAILED"
    assert (step(box)["outcome"], server(box)) == ("done", JAMF)


@pytest.mark.parametrize(("serial", "state", "ends"), [("C02MARK01", "present", JAMF), ("C02JANE01", "absent", "")])
def test_an_activity_that_takes_long_is_in_progress_and_done_by_the_next_run(
    box: Box, serial: str, state: str, ends: str
) -> None:
    before = server(box, serial)
    box["apple_business"].state["polls"] = 1000
    result = step(box, serial, state=state, max_wait=0.3)
    assert (result["outcome"], server(box, serial)) == ("in_progress", before)
    box["apple_business"].state["polls"] = 0
    assert (step(box, serial, state=state)["outcome"], server(box, serial)) == ("done", ends)


def test_a_device_that_answers_without_an_id_is_of_no_management(box: Box) -> None:
    box["apple_business"].state["empty"] = True
    assert (step(box)["outcome"], server(box)) == ("done", JAMF)


@pytest.mark.parametrize("released", [False, True])
def test_a_device_that_is_not_the_companys_is_left_to_a_person(box: Box, released: bool) -> None:
    if released:
        box["apple_business"].state["devices"]["C02MARK01"]["released"] = "2026-01-01T00:00:00Z"
    result = step(box, "C02MARK01" if released else "UNKNOWN01")
    assert result["outcome"] == "needs_human" and "Apple Configurator" in result["changes"][0]["note"]
    assert box["apple_business"].kinds() == []


def test_a_release_is_never_sent_and_seen_when_a_person_has_done_it(box: Box) -> None:
    result = step(box, "C02JANE01", state="released")
    assert result["outcome"] == "needs_human" and "can't be undone" in result["changes"][0]["note"]
    box["apple_business"].state["devices"]["C02JANE01"]["released"] = "2026-01-01T00:00:00Z"
    assert step(box, "C02JANE01", state="released")["outcome"] == "already"
    assert box["apple_business"].kinds() == []


def test_a_device_management_that_apple_does_not_know_stops_before_a_write(box: Box) -> None:
    options = {"options": {"server": "Jamf Por"}}
    result = step(box, changes=options)
    assert result["failed"] and "it has Jamf Pro, Old MDM" in result["msg"]
    assert [one.kind for one in examine(connect(box, "apple_business", **options)).problems] == ["answer"]


def test_two_device_managements_of_one_name_are_asked_about(box: Box) -> None:
    box["apple_business"].state["servers"][OLD] = "jamf pro"
    assert step(box)["code"] == "ambiguous"
    assert step(box, changes={"options": {"server": JAMF}})["outcome"] == "done"


def test_the_doctor_reads_and_names_a_key_that_is_revoked(box: Box) -> None:
    assert examine(connect(box, "apple_business")).problems == []
    said = {**box.systems()["apple_business"]["credentials"], "key_id": "another"}
    assert [one.kind for one in examine(connect(box, "apple_business", credentials=said)).problems] == ["credential"]


@pytest.mark.parametrize("key", ["no key", private_key()[:80]], ids=["no key", "a cut key"])
def test_a_key_that_is_none_is_named_and_not_shown(box: Box, key: str) -> None:
    said = {**box.systems()["apple_business"]["credentials"], "private_key": key}
    result = step(box, changes={"credentials": said})
    assert "private_key is not a P-256 key" in result["msg"] and key not in json.dumps(result)


@pytest.mark.parametrize(
    ("platform", "serial", "concerned"),
    [
        ("macOS", "C02ADA", True),
        ("mac*", "C02ADA", True),
        ("", "C02ADA", True),
        ("Windows", "5CG1", False),
        ("", "", True),
    ],
)
def test_an_onboarding_enrols_the_apple_device_whose_serial_the_run_names_or_the_case_has(
    platform: str, serial: str, concerned: bool
) -> None:
    person = Person.of({"email": "ada@corp.example"})
    case = OpenCase("1", "onboard", person, device={"system": "jamf", "platform": platform})
    here = Here("apple_business", frozenset({"device_enrolment"}), Settings(device_serial=serial))
    taken = {"serial": serial, "stock": None, "platform": platform, "model": ""}
    assert DEVICE_ENROLMENT["prepare"].of_case(case, here) == (taken if concerned else None)


class Joiner:
    """Ada, who gets a Mac of the stock list, in the device management and at Apple."""

    def __init__(self, folder: Path, stock: str, platform: str = "macOS") -> None:
        self.box = Box([KandjiTenant, AppleOrganisation], folder / "box")
        self.ledger = Ledger.open(str(folder / "ledger.db"))
        (folder / "stock.csv").write_text(stock)
        self.variables = {"lifecycle_stock": str(folder / "stock.csv")}
        self.device = {"system": "kandji", "platform": platform}

    def prepare(self) -> dict[str, dict[str, Any]]:
        """Play the phase; the one change of each step, by system."""
        person = person_of(self.box, "ada")
        case = self.ledger.open_case("onboard", person, "r", {"key": "1"})
        given = {"id": case.id, "kind": "onboard", "person": person, "facts": {}, "device": self.device}
        play = Run(self.box, ledger_run(self.ledger), self.variables)
        results = play.role("prepare_device", ["kandji", "apple_business"], cases=[given])
        return {result["system"]: result["changes"][0] for result in results}


def test_a_device_of_the_stock_list_is_assigned_at_apple_in_the_same_run_and_once(tmp_path: Path) -> None:
    joiner = Joiner(tmp_path, "serial,platform\nC02MARK01,macOS\n")
    with joiner.box as box:
        box["kandji"].device("C02MARK01")["email"] = ""
        rows = joiner.prepare()
        assert rows["kandji"]["what"] == "device C02MARK01" and rows["kandji"]["outcome"] == "done"
        assert rows["apple_business"]["outcome"] == "done" and server(box) == JAMF
        assert joiner.prepare()["apple_business"]["outcome"] == "already"
        assert box["apple_business"].kinds() == ["ASSIGN_DEVICES"]


def test_a_device_set_aside_that_the_device_management_does_not_know_yet_is_assigned_at_apple(tmp_path: Path) -> None:
    joiner = Joiner(tmp_path, "serial,platform,for\nC02NEW01,macOS,\nC02MARK01,macOS,ada@corp.example\n")
    with joiner.box as box:
        box["kandji"].state["devices"].clear()
        rows = joiner.prepare()
        assert (
            rows["kandji"]["outcome"] == "needs_human"
            and "not known to the device management" in rows["kandji"]["note"]
        )
        assert (rows["apple_business"]["outcome"], server(box)) == ("done", JAMF)


def test_nothing_is_assigned_at_apple_while_no_device_is_chosen_and_the_step_says_what_waits(tmp_path: Path) -> None:
    joiner = Joiner(tmp_path, "serial,platform\nC02MARK01,macOS\n")
    with joiner.box as box:
        box["kandji"].state["devices"].clear()
        row = joiner.prepare()["apple_business"]
        assert (
            row["outcome"] == "in_progress" and "set one aside" in row["note"] and box["apple_business"].kinds() == []
        )


def test_a_device_that_is_managed_already_and_unknown_to_apple_holds_nobody_up(tmp_path: Path) -> None:
    joiner = Joiner(tmp_path, "serial,platform\nC02MARK01,macOS\n")
    with joiner.box as box:
        box["kandji"].device("C02MARK01")["email"] = ""
        box["apple_business"].state["devices"].pop("C02MARK01")
        assert joiner.prepare()["apple_business"]["outcome"] == "absent"


def test_who_takes_a_device_out_names_it(box: Box) -> None:
    result = step(box, serial="", state="absent")
    assert result["code"] == "input" and box["apple_business"].kinds() == []


def test_the_examples_work_as_they_are_written(box: Box) -> None:
    for example in yaml.safe_load(device_enrolment.EXAMPLES):
        given = example["workforce.lifecycle.device_enrolment"]
        assert run(device_enrolment.TASK, box, "apple_business", **given)["outcome"] == "done", example["name"]


def test_the_sign_in_of_apple_is_at_its_own_host_and_of_a_school_with_its_own_scope(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []

    class Sender:
        def __init__(self, target: Target, auth: object, policy: object, *, url: str) -> None:
            self.url = url

        def send(self, method: str, path: str, **said: Any) -> apple_business.Answer:
            asked.append((f"{method} {self.url}{path}", said["data"]["scope"]))
            return apple_business.Answer(200, {}, {"access_token": "t", "expires_in": 3600})

    monkeypatch.setattr(apple_business, "Transport", Sender)
    for api, client in (("business", "BUSINESSAPI.1"), ("school", "SCHOOLAPI.1")):
        credentials = {"client_id": client, "key_id": "k", "private_key": private_key()}
        apple_business._access_token(
            Target("apple", "apple_business", f"https://api-{api}.apple.com", credentials=credentials)
        )
    where = "POST https://account.apple.com/auth/oauth2/token"
    assert asked == [(where, "business.api"), (where, "school.api")]
