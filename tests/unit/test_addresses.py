# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Addresses where HR has none: made by a rule, unique, in ASCII, the same at every look; and logins held against each system's limits."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.addresses import generated
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.cases.unmet import refuse_logins

RULE = "{first_name}.{last_name}@corp.example"


@pytest.mark.parametrize(
    ("first", "last", "country", "address"),
    [
        ("Jürgen", "Müller", "DE", "juergen.mueller"),
        ("Jürgen", "Müller", "TR", "jurgen.muller"),
        ("明", "李", "CN", "ming.li"),
        ("Анна", "Иванова", "BG", "anna.ivanova"),
        ("Seán", "O'Brien", "IE", "sean.obrien"),
        ("Ana Maria", "da Silva", "BR", "ana-maria.da-silva"),
        ("X" * 60, "Y" * 60, "US", "x" * 60 + "." + "y" * 3),
    ],
)
def test_names_of_any_script_become_ascii(first: str, last: str, country: str, address: str) -> None:
    facts = {"first_name": first, "last_name": last, "country": country}
    assert generated(RULE, facts, ()) == f"{address}@corp.example"


def test_the_second_of_a_name_gets_a_number_within_the_length() -> None:
    facts = {"first_name": "Ada", "last_name": "Byron"}
    taken = {"ada.byron@corp.example", "ada.byron2@corp.example"}
    assert generated(RULE, facts, taken) == "ada.byron3@corp.example"
    long = {"first_name": "X" * 60, "last_name": "Y" * 60}
    second = generated(RULE, long, {generated(RULE, long, ())})
    assert second.endswith("2@corp.example") and len(second.partition("@")[0]) == 64


@pytest.mark.parametrize(
    "rule", ["{first_name}", "{colour}@corp.example", "{last_name}@{domain}", "{first_name.__class__}@x.example"]
)
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(InputError):
        generated(rule, {"first_name": "Ada", "last_name": ""}, ())


HEAD = "Id,Mail,First,Last,Land\n"
COLUMNS = {"hr_id": "Id", "email": "Mail", "first_name": "First", "last_name": "Last", "country": "Land"}


def people(folder: Path, *rows: str, rehearsal: bool = False, **options: Any) -> dict[str, str]:
    """What a fresh look at the file says: address by id."""
    (folder / "hr.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    given = {"path": str(folder / "hr.csv"), "columns": COLUMNS, "address": RULE, "addresses": str(folder / "made.csv")}
    target = Target("hr", "csv", options=checked_options("hr", Csv, {**given, **options}), rehearsal=rehearsal)
    return {person.hr_id: person.email for person in Csv(target).all_people()}


def test_who_has_no_address_gets_one_that_stays_theirs(tmp_path: Path) -> None:
    old, new = "1,jurgen@corp.example,Jürgen,Alt,DE", "2,,Jürgen,Müller,DE"
    rehearsed = people(tmp_path, old, new, rehearsal=True)
    assert not (tmp_path / "made.csv").exists(), "a check writes nothing"
    assert people(tmp_path, old, new) == rehearsed == {"1": "jurgen@corp.example", "2": "juergen.mueller@corp.example"}
    assert (tmp_path / "made.csv").read_text() == "2,juergen.mueller@corp.example\n", "for HR to take over"
    assert stat.S_IMODE((tmp_path / "made.csv").stat().st_mode) == 0o600

    earlier = "0,,Jürgen,Müller,DE"
    found = people(tmp_path, earlier, old, new)
    assert found["2"] == "juergen.mueller@corp.example", "whoever comes later takes nobody's address"
    assert found["0"] == "juergen.mueller2@corp.example"
    assert people(tmp_path, new.replace("Müller", "Roth"))["2"] == "juergen.mueller@corp.example", (
        "a marriage changes it by rename alone"
    )
    assert people(tmp_path, "2,jm@corp.example,Jürgen,Müller,DE")["2"] == "jm@corp.example", "HR's own word wins"


def test_a_record_without_a_name_stops_no_other(tmp_path: Path) -> None:
    assert people(tmp_path, "1,,,,DE", "2,,Ada,Byron,DE") == {"2": "ada.byron@corp.example"}


def test_the_rule_needs_a_place_to_keep_what_it_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be kept by an id"):
        people(tmp_path, addresses=None)


def company(*connectors: str) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "connector": name,
            "capabilities": capabilities_of(CONNECTORS[name]),
            "login": CONNECTORS[name].LOGIN,
        }
        for name in connectors
    }


def test_a_login_that_one_system_would_refuse_is_refused_before_anything_is_written() -> None:
    person = Person.of({"email": "jürgen.müller@corp.example", "first_name": "Jürgen"})
    with pytest.raises(InputError) as refused:
        refuse_logins([(person, None)], company("ldap", "entra", "exchange", "aws", "google_workspace"), "onboard")
    said = str(refused.value)
    assert all(f"{name}: " in said for name in ("entra", "exchange", "aws", "google_workspace")) and "ldap" not in said
    assert "ASCII letters" in said and "nothing was written anywhere" in said

    long = Person.of({"email": f"{'x' * 60}@corp.example", "logins": {"aws": "x" * 70}})
    with pytest.raises(InputError, match="aws: x+ has 70 characters, and 64 are allowed"):
        refuse_logins([(long, None)], company("entra", "aws"), "onboard")
    refuse_logins(
        [(Person.of({"email": "o'brien_2@corp.example"}), None)],
        company("entra", "exchange", "google_workspace"),
        "onboard",
    )
