# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An answer that is JSON, and of another shape than its vendor documents: one step's error, with the place; never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.answer_shape import read_answers
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import AnswerLost, ProtocolError
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff

from sandbox.box import Box
from sandbox.emulator import Reply
from sandbox.vendors.slack import Slack
from tests.support import person_of, run


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([Slack]) as running:
        yield running


def test_what_is_no_answers_fault_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt), read_answers():
        raise KeyboardInterrupt
    with pytest.raises(OSError, match="full"), read_answers():
        raise OSError("full")


def test_a_key_that_is_not_there_is_an_error_with_the_place() -> None:
    with (
        pytest.raises(
            ProtocolError, match=r"its answer could not be read \(KeyError: 'id', at .*:\d+\): it is not as the vendor"
        ),
        read_answers(),
    ):
        {}["id"]  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [{"Resources": [None], "totalResults": 1}, {"Resources": [{"id": 7}], "totalResults": 1}, {"Resources": "x"}],
)
def test_a_list_of_another_shape_ends_the_step_of_one_system_in_words(box: Box, body: Any) -> None:
    box["slack"].fault("turned", method="READ", times=-1, turn=lambda reply: Reply(200, body))
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert result["failed"] and result["code"] == "protocol" and "slack" in result["msg"], result
    assert box["slack"].writes() == []


@pytest.mark.parametrize("content", [b"not json {", b"[" * 100_000, b"<html>sign in</html>"])
def test_a_write_whose_answer_can_not_be_read_may_have_happened_and_is_looked_at_again(
    box: Box, content: bytes
) -> None:
    kind = "text/html" if content.startswith(b"<") else "application/json"
    box["slack"].fault(
        "turned", method="WRITE", times=1, turn=lambda reply: Reply(200, content, {"content-type": kind})
    )
    result = run(cutoff.TASK, box, "slack", person=person_of(box, "jane"))
    assert box["slack"].journal and not result.get("failed"), result
    assert "the system shows that it happened" in json.dumps(result["changes"]) or result["outcome"] == "done"


def test_an_unreadable_answer_in_the_middle_of_a_write_is_not_known() -> None:
    with (
        pytest.raises(AnswerLost, match="may have happened"),
        read_answers(AnswerLost, hint="the write may have happened: run again"),
    ):
        None["id"]  # type: ignore[index]
