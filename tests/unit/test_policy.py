# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The policy file: what is in it, and one clear line for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Limit
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, NotFound
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import protected_info
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.ledger_run import ledger_run
from tests.unit.test_case import JANE as LEAVER
from tests.unit.test_case import SYSTEMS

ROOT = Path(__file__).resolve().parents[2]
JANE = Person.of(
    {
        "email": "jane@corp.example",
        "hr_id": "107",
        "employee_id": "E1007",
        "title": "Chief Engineer",
        "aliases": ["jm@corp.example"],
        "attributes": {"Cost centre": "900"},
    }
)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_no_file_is_the_defaults_and_they_brake() -> None:
    assert load_policy("").brake.leavers == Limit(25, 10.0)
    assert load_policy("").protects(JANE) == ""


def test_the_example_policy_is_whole() -> None:
    policy = load_policy(str(ROOT / "inventory" / "policy.yml"))
    assert policy.protected.people and policy.approvals and policy.privileged and policy.brake.leavers.release


@pytest.mark.parametrize(
    "entry",
    [
        "people: [jane@corp.example]",
        "people: [e1007]",
        "people: ['107']",
        "people: [JM@corp.example]",
        "attributes: [{title: 'Chief *'}]",
        "attributes: [{attributes.Cost centre: '9*', title: '*engineer'}]",
    ],
)
def test_a_protected_person_is_known_by_any_name(tmp_path: Path, entry: str) -> None:
    path = written(tmp_path, f"protected: {{{entry}}}")
    assert load_policy(path).protects(JANE).endswith(f"is protected ({path})")
    assert load_policy(path).protects(Person.of({"email": "mark@corp.example", "employee_id": "E1"})) == ""


def test_all_facts_of_one_entry_must_fit(tmp_path: Path) -> None:
    assert (
        load_policy(written(tmp_path, "protected: {attributes: [{title: 'Chief *', department: Board}]}")).protects(
            JANE
        )
        == ""
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("protectd: {}", ":1: protectd: unknown key: did you mean protected?"),
        ("protected:\n  poeple: [x]", ":2: protected.poeple: unknown key: did you mean people?"),
        ("protected: {people: jane}", ":1: protected.people: must be a list, not 'jane'"),
        ("protected: {attributes: [{titel: x}]}", "protected.attributes.0.titel: is no fact that HR gives"),
        ("brake: {leavers: {count: many}}", "brake.leavers.count: must be a whole number, not 'many'"),
        ("brake: {leavers: {count: -1}}", "brake.leavers.count: must be a whole number, not -1"),
        ("brake: {leavers: {percent: 5}}", "brake.leavers: count is missing"),
        ("approvals: [{needs: wype, by: [a@b]}]", "approvals.0.needs: 'wype' is nothing that can need an approval"),
        ("approvals: [{needs: wipe, by: []}]", "approvals.0: 1 of 0 people can't approve"),
        ("transfer: {unexplained: burn}", "transfer.unexplained: 'burn' is not one of remove, keep, decide"),
        ("[]", ": must be a mapping, not []"),
        ("a: b: c", "not YAML"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_fix(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_policy(path)
    assert path in str(caught.value) and says in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_policy(str(tmp_path / "none.yml"))


MEMBERS = "protected: {members: [{system: entra, name: Board}]}"


class Directory:
    """Of one group."""

    def group_members(self, kind: str, name: str) -> list[str]:
        if (kind, name) != ("groups", "Board"):
            raise NotFound(f"there is no {name}", act="read members")
        return ["jane@corp.example", "42"]


def asked(tmp_path: Path, text: str) -> dict[str, Any]:
    path = written(tmp_path, text)
    return protected_info.TASK.run({"system": "entra", "policy": path}, check_mode=False, system=Directory())


def test_who_is_in_a_protected_group_is_read(tmp_path: Path) -> None:
    assert asked(tmp_path, MEMBERS)["members"] == [
        {"kind": "groups", "name": "Board", "members": ["42", "jane@corp.example"]}
    ]
    assert asked(tmp_path, MEMBERS.replace("entra", "wiki"))["members"] == [], "another system's is not asked here"
    gone = asked(tmp_path, MEMBERS.replace("Board", "Bored"))
    assert gone["failed"] and "there is no Bored" in gone["msg"]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([], "who is in Board of entra was not read"),
        ([{"system": "entra", "members": []}], "who is in Board of entra was not read"),
        (
            [{"system": "wiki", "members": [{"kind": "groups", "name": "Board", "members": []}]}],
            "who is in Board of entra was not read",
        ),
        (
            [{"system": "entra", "members": [{"kind": "groups", "name": "Board", "members": ["JANE@corp.example"]}]}],
            "they are in Board of entra, which is protected",
        ),
    ],
)
def test_nothing_begins_for_who_is_protected_or_may_be(tmp_path: Path, answers: list[Any], says: str) -> None:
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    params = {name: spec.get("default") for name, spec in CASE.spec.items()}
    run = ledger_run(ledger, SYSTEMS, policy=written(tmp_path, MEMBERS))
    want = {
        "kind": "offboard",
        "user": ["E1007"],
        "found": [{"system": "hr", "people": [LEAVER]}],
        "protected": answers,
    }
    result = perform(CASE, run, {**params, **want})
    assert result["failed"] and result["code"] == "protected" and says in result["msg"]
    assert ledger.cases() == []
    others = [{"system": "entra", "members": [{"kind": "groups", "name": "Board", "members": ["mark@corp.example"]}]}]
    assert len(perform(CASE, run, {**params, **want, "protected": others})["cases"]) == 1
