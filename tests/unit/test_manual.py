# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules.manual_step import TASK

from sandbox.box import Box
from sandbox.vendors.manual import Badge
from tests.support import person_of, run

STEP = "Collect the badge of Jane Müller-Ortiz (E1007)"


def step(**want: Any) -> dict[str, Any]:
    with Box([Badge]) as box:
        return run(TASK, box, "badge", person=person_of(box, "jane"), **{"kind": "offboard", **want})


def test_a_step_needs_a_human_until_it_is_attested_by_name_and_time() -> None:
    result = step()
    assert (result["outcome"], result["changed"], [c["what"] for c in result["changes"]]) == (
        "needs_human",
        False,
        [STEP],
    )
    result = step(history={"attested": {STEP: {"by": "otto", "at": "2026-04-01T09:00:00Z"}}})
    assert (result["outcome"], result["changes"][0]["note"]) == ("already", "attested by otto at 2026-04-01T09:00:00Z")


def test_somebody_elses_attestation_is_not_this_ones() -> None:
    assert (
        step(history={"attested": {"Collect the badge of Tom": {"by": "otto", "at": "2026-04-01T09:00:00Z"}}})[
            "outcome"
        ]
        == "needs_human"
    )


def test_nothing_to_do_is_absent() -> None:
    assert step(kind="rename")["outcome"] == "absent"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({"offboarding": ["x"]}, "unknown kind of case 'offboarding'"),
        ({"offboard": "x"}, "must be a list"),
        ({"offboard": ["Take {phone}"]}, "a person has no 'phone'"),
        ({"offboard": ["Take {name"]}, "steps.offboard"),
        ({"offboard": ["x", "x"]}, "has a step twice"),
    ],
)
def test_options_are_checked(steps: Any, said: str) -> None:
    result = step(changes={"options": {"steps": steps}})
    assert result["failed"] and said in result["msg"]
