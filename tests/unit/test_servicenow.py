# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import manual_step

from sandbox.box import Box
from sandbox.vendors.servicenow import ServiceNowInstance
from tests.support import person_of, run

CASE = {"since": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([ServiceNowInstance]) as box:
        yield box


def steps(box: Box, history: dict[str, Any] = CASE, **want: Any) -> dict[str, Any]:
    return run(
        manual_step.TASK, box, "servicenow", person=person_of(box, "jane"), kind="offboard", history=history, **want
    )


def test_a_step_waits_for_its_ticket_and_comes_back_when_it_is_closed(box: Box) -> None:
    assert steps(box)["outcome"] == "in_progress"
    again = steps(box)
    assert again["outcome"] == "in_progress" and not again["changed"] and len(box["servicenow"].tickets()) == 2
    assert "https://" in str(again["changes"]) and "desk" in str(again["changes"]).lower()
    box["servicenow"].close()
    assert steps(box)["outcome"] == "already"


def test_a_ticket_that_was_closed_without_is_left_to_a_person(box: Box) -> None:
    steps(box)
    box["servicenow"].close(done=False)
    result = steps(box)
    assert result["outcome"] == "needs_human" and "nothing was done" in str(result["changes"])
    assert len(box["servicenow"].tickets()) == 2


def test_the_next_case_of_a_person_has_tickets_of_its_own(box: Box) -> None:
    steps(box)
    box["servicenow"].close()
    assert steps(box, {"since": "2026-06-01T00:00:00+00:00"})["outcome"] == "in_progress"
    assert len(box["servicenow"].tickets()) == 4
