# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR lists that come as data: who is in them, who changed, what is refused, and that one which shrank is seen."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.compiler import compiled
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.reading import (
    manifest_of,
    read_manifest,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    InputError,
    ProtocolError,
    SystemError_,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import parse_document
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Answer, Transport

from sandbox.box import Box
from sandbox.hr_lists import hr_worlds
from tests import support
from tests.declared.contract import checks
from tests.declared.test_files import PLANTS, VERBS

WORLDS = hr_worlds()
LISTS = list(WORLDS)
#: How each calls a person's address, and the state of an employment.
ADDRESS = {"workday": "Work_Email", "gusto": "work_email", "rippling": "work_email"}


@pytest.fixture(scope="module", params=LISTS)
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with Box([WORLDS[request.param]]) as made:
        made.named = request.param  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def world(box: Box) -> Any:
    emulator = box[box.named]  # type: ignore[attr-defined]
    emulator.reset()
    return emulator


def source(box: Box, **options: Any) -> Any:
    name = box.named  # type: ignore[attr-defined]
    entry = box.systems()[name]
    return support.connect(box, name, read_only=True, options={**entry["options"], **options})


# -- the contract ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_every_request_is_in_the_vendors_contract_and_a_planted_one_is_not(name: str) -> None:
    manifest = CONNECTORS[name].MANIFEST  # type: ignore[attr-defined]
    [check] = checks(name).values()
    assert check(manifest) == [] and capabilities_of(CONNECTORS[name]) == ("hr_records",)
    lists = manifest.source["people"]["list"]
    for number in range(len(lists) if isinstance(lists, list) else 1):
        for plant in PLANTS.values():
            data = copy.deepcopy(dict(manifest.source))
            step = data["people"]["list"][number] if isinstance(lists, list) else data["people"]["list"]
            assert any(verb in step for verb in VERBS) and plant(step)
            assert check(manifest_of(json.dumps(data), name))


# -- people ----------------------------------------------------------------------------------------------------------------


def test_everybody_is_read_who_left_and_who_is_to_come_too(box: Box, world: Any) -> None:
    found = {person.employee_id: person for person in source(box).all_people()}
    theirs = {one["employee_id"]: one for one in box.company.people.values()}
    assert set(found) == set(theirs)
    assert found["E1007"].status == "terminated" and found["E1020"].status == "pending"
    assert found["E1002"].status == "active" and found["E1002"].manager_email == "grace@corp.example"
    jane = theirs["E1007"]
    assert found["E1007"].termination_date == str(jane["termination_date"]) == found["E1007"].last_working_day
    assert found["E1007"].name == "Jane Müller-Ortiz" and found["E1007"].department == "Engineering"
    assert not world.writes()


def test_one_is_found_by_address_number_and_id_and_two_of_one_address_are_two(box: Box, world: Any) -> None:
    hr = source(box)
    [mark] = hr.find_people("MARK@corp.example")
    assert [one.email for one in hr.find_people(mark.employee_id)] == [one.email for one in hr.find_people(mark.hr_id)]
    assert {one.employee_id for one in hr.find_people("sam@corp.example")} == {"E1008", "E1009"}
    assert hr.find_people("nobody@corp.example") == [] == hr.find_people("mark@corp.exampl")


def test_a_last_day_ends_at_midnight_where_the_person_works_whatever_the_word(box: Box, world: Any) -> None:
    hr = source(box, time_zone="Pacific/Kiritimati")
    today = clock.now()
    name = box.named  # type: ignore[attr-defined]
    end = {"workday": "Termination_Date", "gusto": "terminations", "rippling": "end_date"}[name]
    for days, status in ((2, "active"), (-2, "terminated")):
        day = (today + timedelta(days=days)).date().isoformat()
        value: Any = [{"effective_date": day, "active": True}] if name == "gusto" else day
        world.state["people"]["mark"][end] = value
        assert hr.find_people("mark@corp.example")[0].status == status


def test_only_who_changed_is_given_where_the_list_says_when(box: Box, world: Any) -> None:
    since = (clock.now() - timedelta(days=3)).isoformat()
    changed = {one.email for one in source(box).changes_since(since)}
    if box.named != "rippling":  # type: ignore[attr-defined]
        assert "mark@corp.example" in changed, "everybody, where a record does not say when it changed"
        return
    assert "mark@corp.example" not in changed
    world.state["people"]["mark"]["updated_at"] = clock.stamp()
    assert "mark@corp.example" in {one.email for one in source(box).changes_since(since)}


def test_a_field_that_the_credential_may_not_see_is_an_error_and_no_empty_company(box: Box, world: Any) -> None:
    for row in world.state["people"].values():
        row.pop(ADDRESS[box.named])  # type: ignore[attr-defined]
    with pytest.raises(ProtocolError, match="no record has email"):
        list(source(box).all_people())


def test_a_list_that_shrank_is_seen_at_one_glance(box: Box, world: Any) -> None:
    before = source(box).overview()
    world.state["people"] = dict(list(world.state["people"].items())[:2])
    after = source(box).overview()
    assert len(before.people) == len(box.company.people) and len(after.people) == 2
    assert {"email", "hire_date", "hr_id"} <= set(before.columns)


def test_one_record_that_cant_be_read_stops_nobody_else(box: Box, world: Any) -> None:
    world.state["people"]["lena"][ADDRESS[box.named]] = "no address"  # type: ignore[attr-defined]
    hr = source(box)
    assert "mark@corp.example" in {one.email for one in hr.all_people()}
    assert len(hr.refused) == 1 and "no address" in hr.refused[0]


def test_fields_logins_and_attributes_are_the_companys_own(box: Box, world: Any) -> None:
    address = ADDRESS[box.named]  # type: ignore[attr-defined]
    hr = source(box, fields={"github": f"{address} && 'markchen'", "title": "'Boss'"}, attributes={"mail": address})
    [mark] = hr.find_people("mark@corp.example")
    assert mark.logins == {"github": "markchen"} and mark.title == "Boss"
    assert mark.attributes == {"mail": "mark@corp.example"}
    with pytest.raises(InputError, match="option title"):
        source(box, fields={"title": "not ("})


# -- what a system may do wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["html", "cut"])
def test_an_answer_that_is_none_is_an_error(box: Box, world: Any, fault: str) -> None:
    world.fault(fault, times=-1)
    with pytest.raises(SystemError_):
        list(source(box).all_people())


@pytest.mark.parametrize("status", [401, 403, 404, 409, 500])
def test_a_refusal_is_an_error_and_no_empty_company(box: Box, world: Any, status: int) -> None:
    world.fault("status", status=status, body={"message": "no"}, times=-1)
    with pytest.raises(SystemError_):
        list(source(box).all_people())


def test_a_throttled_list_is_read_in_the_end(box: Box, world: Any) -> None:
    world.fault("status", status=429, headers={"retry-after": "0"})
    assert len(list(source(box).all_people())) == len(box.company.people)


@pytest.mark.parametrize("name", ["gusto", "rippling"])
def test_every_page_is_read_and_one_that_stands_still_is_an_error(name: str) -> None:
    with Box([WORLDS[name]]) as box:
        entry = box.systems()[name]
        small = json.loads(json.dumps(CONNECTORS[name].MANIFEST.source).replace('"value": 100', '"value": 2'))  # type: ignore[attr-defined]
        cls = compiled(manifest_of(json.dumps(small), name), shipped=True)
        box[name].page_size = 2
        hr = cls(support.connect(box, name, options=entry["options"]).target)
        assert len(list(hr.all_people())) == len(box.company.people)  # type: ignore[attr-defined]
        box[name].stuck = True
        with pytest.raises(ProtocolError, match="does not advance"):
            list(hr.all_people())  # type: ignore[attr-defined]


# -- a company's own file ----------------------------------------------------------------------------------------------------

OWN = """\
declares: 1
title: Our HR
docs: [https://hr.example/docs]
needs_url: https://hr.corp.example
credentials: {token: A token.}
auth: {bearer: "{credentials.token}"}
people:
  list: {get: /people, items: people}
  fields: {hr_id: id, email: mail, hire_date: from, status: state}
  statuses: {here: active, gone: terminated}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hr_id: id, ", "", "has no hr_id"),
        ("gone: terminated", "gone: fired", "is 'fired'"),
        ("  statuses: {here: active, gone: terminated}\n", "", "go together"),
        ("  list: {get: /people, items: people}\n", "", "has no list"),
        ("email: mail", "email: mail, shoe_size: shoes", "shoe_size"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_fix(old: str, new: str, said: str) -> None:
    assert compiled(read_manifest(parse_document(OWN, "own.yml")))
    with pytest.raises(InputError, match=said):
        read_manifest(parse_document(OWN.replace(old, new), "own.yml"))


def test_a_later_page_is_asked_for_with_the_headers_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "https://hr.corp.example/people", "https://hr.corp.example/people?after=1"
    list_of = "get: /people, headers: {X-Version: '7'}, pages: {by: next_url, next: next},"
    cls = compiled(read_manifest(parse_document(OWN.replace("get: /people,", list_of), "own.yml")))
    asked: list[Any] = []

    def send(_self: Transport, _method: str, path: str, **how: Any) -> Answer:
        asked.append(how["headers"])
        number = len(asked)
        row = {"id": str(number), "mail": f"{number}@corp.example", "from": "2020-01-01", "state": "here"}
        return Answer(200, {}, {"people": [row], "next": second if path in ("/people", first) else None}, b"")

    monkeypatch.setattr(Transport, "send", send)
    facts = {"credentials": {"token": "t"}, "options": checked_options("hr", cls, {})}
    assert len(list(cls(Target("hr", "own.yml", url="https://hr.corp.example", **facts)).all_people())) == 2  # type: ignore[attr-defined]
    assert asked == [{"X-Version": "7"}, {"X-Version": "7"}]


def test_an_unknown_word_for_a_status_is_said_and_not_guessed(box: Box, world: Any) -> None:
    data = yaml.safe_load(json.dumps(CONNECTORS[box.named].MANIFEST.source))  # type: ignore[attr-defined]
    data["people"]["statuses"] = {"somewhere": "active"}
    cls = compiled(manifest_of(json.dumps(data), "x"), shipped=True)
    hr = cls(source(box).target)
    with pytest.raises(InputError, match="add it to statuses"):
        hr.find_people("mark@corp.example")  # type: ignore[attr-defined]
