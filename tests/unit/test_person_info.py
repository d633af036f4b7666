# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""person_info: HR's answer as the module hands it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules.person_info import TASK

from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from tests import support


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([BambooHr]) as running:
        yield running


def ask(box: Box, **want: Any) -> dict[str, Any]:
    return support.run(TASK, box, "bamboohr", **want)


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ("jane@corp.example", ["E1007"]),
        ("E1007", ["E1007"]),
        ("sam@corp.example", ["E1008", "E1009"]),
        ("nobody@corp.example", []),
    ],
)
def test_every_match_is_handed_on_and_nothing_is_written(box: Box, user: str, found: list[str]) -> None:
    result = ask(box, user=user)
    assert not result.get("failed") and result["changed"] is False
    assert sorted(person["employee_id"] for person in result["people"]) == found
    assert box["bamboohr"].writes() == []


def test_managers_and_named_successors_are_looked_up_with_the_leaver(box: Box) -> None:
    present = ask(box, user="jane@corp.example", about=["grace@corp.example", "nobody@corp.example"])["present"]
    assert {name: [one["email"] for one in records] for name, records in present.items()} == {
        "mark@corp.example": ["mark@corp.example"],
        "grace@corp.example": ["grace@corp.example"],
        "nobody@corp.example": [],
    }


@pytest.mark.parametrize(
    "want", [{}, {"user": "jane@corp.example", "since": "2026-01-01T00:00:00Z"}, {"since": "yesterday"}]
)
def test_a_question_that_is_none_is_refused_unasked(box: Box, want: dict[str, str]) -> None:
    box["bamboohr"].journal.clear()
    result = ask(box, **want)
    assert result["failed"] and "read people" in result["msg"]
    assert "since" in result["msg"] or "user" in result["msg"]
    assert box["bamboohr"].journal == []
