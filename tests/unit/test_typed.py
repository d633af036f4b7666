# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The way in for HR's words: what names a person is refused when it is wrong, what people write about themselves is made harmless."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import typed
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

JANE = {"email": "jane@corp.example", "hr_id": "107"}


@pytest.mark.parametrize(
    "id",
    [
        "E108,email:ceo@corp.example",
        "email:ceo@corp.example",
        "{{ lookup('pipe', 'id') }}",
        "{% x %}",
        "-e",
        "../x",
        "a\x00b",
        "a\x1b[2J",
        "a\u202eb",
        "a\u200bb",
        "a\ud800b",
        "x" * 90,
    ],
)
@pytest.mark.parametrize("field", ["hr_id", "employee_id", "person_key", "manager_employee_id"])
def test_an_id_that_would_be_read_as_something_else_is_refused_with_the_records_place(field: str, id: str) -> None:
    with pytest.raises(InputError, match=f"read person .*: {field} ") as caught:
        Person.of({**JANE, field: id})
    said = str(caught.value)
    assert (
        "correct the record in HR" in said
        and not re.search(r"[\x00-\x1f\u202e\ud800-\udfff]", said)
        and len(said) < 400
    )


@pytest.mark.parametrize(
    "id", ["E107", "107", "DE 107", "a.b-c_d", "A/107", "#12", "Ärzte-1", "E;curl x", "O'Neil", "0" * 64]
)
def test_an_id_of_letters_digits_and_signs_comes_through_as_it_is(id: str) -> None:
    assert Person.of({**JANE, "hr_id": id}).hr_id == id


@pytest.mark.parametrize(
    "address",
    [
        "x@corp.example/${env_name}",
        "../../x@corp.example",
        "x/y@corp.example",
        "x\\y@corp.example",
        "x@..",
        "a..b@corp.example",
        "{{x}}@corp.example",
        "`id`@corp.example",
        "$(id)@corp.example",
        "a,b@corp.example",
        "a b@corp.example",
        "a@b@c",
        "a@corp.example\n",
        "ros\u202es@corp.example",
        f"{'x' * 250}@corp.example",
        "@corp.example",
        "x@",
    ],
)
def test_an_address_that_is_none_is_refused_where_it_names_the_person(address: str) -> None:
    if address.strip() != address:
        pytest.skip("spaces around are HR's habit, and taken away")
    for data in ({"email": address}, {**JANE, "aliases": [address]}):
        with pytest.raises(InputError):
            Person.of(data)


@pytest.mark.parametrize(
    "address", ["o'neil@corp.example", "jürgen.müller@corp.example", "李@corp.example", "a+b@sub.corp.example"]
)
def test_an_address_of_the_field_comes_through_in_lower_case(address: str) -> None:
    assert Person.of({"email": address.upper()}).email == address.upper().lower()


def test_what_somebody_writes_about_themselves_stops_nobodys_cut() -> None:
    """She could keep her own offboarding from beginning by a name that is refused."""
    hostile = "{{ 7*7 }}\x1b[2J\u202e<script>\x00\ud800" + "x" * 20_000
    person = Person.of(
        {
            **JANE,
            "first_name": hostile,
            "display_name": hostile,
            "title": hostile,
            "mobile_phone": hostile,
            "personal_email": hostile,
            "manager_email": "n/a",
            "attributes": {hostile: hostile},
            "former_names": [hostile],
        }
    )
    for text in (
        person.first_name,
        person.title,
        person.former_names[0],
        *person.attributes,
        *person.attributes.values(),
    ):
        assert text.startswith("{ { 7*7 } }") and len(text) <= 1000 and text.encode("utf-8")
        assert not re.search(r"[\x00-\x1f\u202e\ud800-\udfff]|\{\{", text)
    assert (person.personal_email, person.manager_email) == ("", "")


@pytest.mark.parametrize("name", ["Zoë", "Nguyễn Văn A", "عائشة", "李小龍", "O'Brien-Smith", "क\u200dष"])
def test_a_name_of_any_script_comes_through(name: str) -> None:
    assert Person.of({**JANE, "first_name": name}).first_name == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hire_date", "yesterday"),
        ("hire_date", "2026-01-01; rm"),
        ("time_zone", "../../etc/passwd"),
        ("logins", {"github": "../teams/platform/memberships/ada"}),
        ("logins", {"github": "{{ x }}"}),
        ("logins", "x"),
        ("aliases", "x"),
        ("aliases", [f"a{n}@corp.example" for n in range(201)]),
    ],
)
def test_a_date_a_zone_or_a_login_that_is_none_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InputError, match="read person 107"):
        Person.of({**JANE, field: value})


def test_a_record_that_was_read_once_is_read_again_as_the_same() -> None:
    """It travels through Ansible's variables between the steps of a run."""
    person = Person.of({**JANE, "first_name": "{{ x }}", "aliases": ["j@corp.example"], "logins": {"x": "jane"}})
    assert Person.of(person.as_dict()) == person


def test_every_field_of_a_person_has_its_way_in() -> None:
    texts = {name for name, kind in Person.__annotations__.items() if kind == "str"}
    assert set(typed.FIELDS) <= texts
