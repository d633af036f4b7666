# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR learns the address that was made by a rule, and the logins: written and read back where HR can be written to, else a person is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.modules import hr_address, person_info

from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.personio import Personio
from tests.support import run

RULE = "{first_name}.{last_name}@corp.example"
VENDORS = {"bamboohr": BambooHr, "hibob": HiBob, "personio": Personio}
#: Where each keeps the address.
READS: dict[str, Callable[[Any, str], Any]] = {
    "bamboohr": lambda state, key: state["employees"][key].get("workEmail"),
    "hibob": lambda state, key: state["people"][key]["root.email"],
    "personio": lambda state, key: state["persons"][key]["email"],
}


class Hr:
    """One HR system with Ada Berg, who has no work address."""

    def __init__(self, vendor: str, box: Box, folder: Path) -> None:
        self.vendor, self.box, self.kept = vendor, box, folder / "made.csv"
        hire = {"first_name": "Ada", "last_name": "Berg", "employee_id": "E2001"}
        if vendor == "hibob":
            hire = {"first_name": "Ada", "last_name": "Berg", "work.employeeIdInCompany": "E2001"}
        people_index.INDEXES.clear()
        before = set(self._keys())
        box[vendor].acts()["hire"]("", "2026-01-05", box[vendor].edits_of(hire))
        [self.key] = set(self._keys()) - before
        people_index.INDEXES.clear()

    def _keys(self) -> list[str]:
        state = self.box[self.vendor].state
        return list(state[{"bamboohr": "employees", "hibob": "people", "personio": "persons"}[self.vendor]])

    @property
    def address(self) -> str:
        return str(READS[self.vendor](self.box[self.vendor].state, self.key) or "")

    @property
    def writes(self) -> list[str]:
        return [f"{one['method']} {one['path']}" for one in self.box[self.vendor].writes()]

    def run(self, task: Any, **want: Any) -> dict[str, Any]:
        options = {**self.box.systems()[self.vendor]["options"], "address": RULE, "addresses": str(self.kept)}
        return run(task, self.box, self.vendor, changes={"options": options}, **want)

    def find(self, user: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run(person_info.TASK, user=user)["people"]
        return found

    def tell(self, **more: Any) -> dict[str, Any]:
        [person] = self.find(self.key)
        people_index.INDEXES.clear()
        return self.run(hr_address.TASK, person=person, **more)


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box(list(VENDORS.values())) as box:
        yield box


@pytest.fixture(params=list(VENDORS))
def hr(request: pytest.FixtureRequest, running: Box, tmp_path: Path) -> Hr:
    running[request.param].reset()
    return Hr(request.param, running, tmp_path)


def test_whoever_has_no_address_is_found_by_number_and_by_the_one_that_was_made(hr: Hr) -> None:
    for user in (hr.key, "ada.berg@corp.example"):
        [person] = hr.find(user)
        assert (person["email"], person["hr_id"]) == ("ada.berg@corp.example", hr.key)
    assert hr.kept.read_text() == f"{hr.key},ada.berg@corp.example\n", "kept, so that nobody else ever gets it"
    assert hr.writes == [] and hr.address == ""


def test_hr_is_told_the_address_once_and_it_is_read_back(hr: Hr) -> None:
    told = hr.tell()
    assert (told["outcome"], hr.address) == ("done", "ada.berg@corp.example"), told
    assert len(hr.writes) == 1
    people_index.INDEXES.clear()
    assert hr.tell()["outcome"] == "already" and len(hr.writes) == 1


def test_check_mode_writes_nothing_to_hr_and_keeps_no_address(hr: Hr) -> None:
    person = {"email": "ada.berg@corp.example", "hr_id": hr.key}
    planned = hr.run(hr_address.TASK, person=person, check_mode=True)
    assert [(row["what"], row["after"], row["outcome"]) for row in planned["changes"]] == [
        ("work address", "ada.berg@corp.example", "planned")
    ]
    assert hr.writes == [] and not hr.kept.exists()


def test_where_policy_forbids_it_a_person_is_asked_to_tell_hr(hr: Hr, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("hr: {write_back: false}\n")
    asked = hr.tell(policy=str(tmp_path / "policy.yml"))
    assert asked["outcome"] == "needs_human" and hr.writes == []
    assert "tell HR: ada.berg@corp.example is the work address of Ada Berg" in asked["changes"][0]["note"]
    hr.box[hr.vendor].change(hr.key, **hr.box[hr.vendor].edits_of({"email": "ada@corp.example"}))
    people_index.INDEXES.clear()
    assert hr.tell(policy=str(tmp_path / "policy.yml"))["outcome"] == "already", "HR's own word wins"


def test_a_key_that_may_not_edit_is_named_and_nothing_is_taken_for_done(hr: Hr) -> None:
    hr.box[hr.vendor].state["hidden"] = [*hr.box[hr.vendor].state["hidden"], "edit"]
    refused = hr.tell()
    assert refused["outcome"] == "failed" and hr.address == ""
    assert refused["changes"][0]["code"] == "permission", refused


def test_a_login_is_told_where_hr_has_an_empty_field_for_it(hr: Hr) -> None:
    told = hr.tell(known={"logins": {"github": "adaberg", "slack": "ada"}})
    rows = {row["what"]: row["outcome"] for row in told["changes"]}
    if hr.vendor == "personio":  # how a custom attribute is written is not sure
        assert rows["work address"] == "done" and rows.get("login at github", "needs_human") == "needs_human"
        return
    assert rows == {"work address": "done", "login at github": "done"}
    state = hr.box[hr.vendor].state
    assert (
        state["employees"][hr.key]["customGitHub"]
        if hr.vendor == "bamboohr"
        else state["people"][hr.key]["work.custom.github"]
    ) == "adaberg"


def test_whoever_has_left_without_an_address_gets_none(hr: Hr) -> None:
    vendor = hr.box[hr.vendor]
    vendor.acts()["terminate"](hr.key, "2026-01-06", {})
    people_index.INDEXES.clear()
    assert hr.run(person_info.TASK, user="ada.berg@corp.example")["people"] == []


CSV = {"hr_id": "Id", "email": "Mail", "first_name": "First", "last_name": "Last"}


def test_of_a_file_a_person_is_asked_to_tell_hr_until_the_file_has_it(tmp_path: Path) -> None:
    file = tmp_path / "hr.csv"
    options = {"path": str(file), "columns": CSV, "address": RULE, "addresses": str(tmp_path / "made.csv")}
    params = {name: spec.get("default") for name, spec in hr_address.TASK.spec.items()}
    params |= {"system": "hr", "connector": "csv", "options": options}
    outcomes = []
    for mail in ("", "ada.berg@corp.example"):
        file.write_text(f"Id,Mail,First,Last\n7,{mail},Ada,Berg\n")
        target = Target("hr", "csv", options=checked_options("hr", connector_class("csv"), options))
        [person] = connector_class("csv")(target).find_people("7")  # type: ignore[attr-defined]
        outcomes.append(hr_address.TASK.run({**params, "person": person.as_dict()}, check_mode=False)["outcome"])
    assert outcomes == ["needs_human", "already"]
