# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polling BambooHR, against the sandbox's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lifecycle_bridge.poll import api

from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from tests.bridge.poll_support import Bridge

FIRST = [("feed.changed", "")]


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box([BambooHr]) as running:
        yield running


@pytest.fixture
def box(shared: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    shared["bamboohr"].reset()
    monkeypatch.setenv("BAMBOO", shared["bamboohr"].secret("api-key"))
    return shared


@pytest.fixture
def bridge(box: Box, tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path, datetime.now(UTC), hr=source(box))
    yield made
    made.close()


def source(box: Box, **options: Any) -> dict[str, Any]:
    return {
        "poll": {
            "kind": "bamboohr",
            "url": box["bamboohr"].url,
            "every": 300,
            "credentials": {"api_key": {"env": "BAMBOO"}},
            "options": {"ca_file": box.ca_file, **options},
        }
    }


def test_the_first_look_compares_everybody_and_the_next_ones_find_what_changed(bridge: Bridge, box: Box) -> None:
    hr = box["bamboohr"]
    bridge.look(0)
    assert bridge.found() == FIRST
    bridge.look()
    assert bridge.found() == []
    hr.change("111", jobTitle="Head of Sales")
    hr.employ("104", "2026-12-31", "Terminated")
    hr.change("108", action="Deleted")
    hr.happens("hire", "", "2027-01-04", {"first_name": "Zoe", "last_name": "Young", "email": "zoe@corp.example"})
    assert bridge.look().found == {"hr": 4}
    assert bridge.found() == [
        ("person.changed", "104"),
        ("person.changed", "111"),
        ("person.created", "121"),
        ("person.deleted", "108"),
    ]
    assert bridge.look().found == {"hr": 0}, "the same twice adds nothing"
    assert bridge.row("hr").trouble == "" and bridge.said == []


def test_ids_only_leave_it(bridge: Bridge, box: Box) -> None:
    bridge.look(0)
    box["bamboohr"].change("111", workEmail="secret.tom@corp.example")
    bridge.look()
    text = json.dumps([list(row) for row in bridge.events()]) + bridge.row("hr").cursor
    assert "111" in text and "secret" not in text and "Tom" not in text


def test_a_kill_between_events_and_cursor_repeats_and_doubles_nothing(
    bridge: Bridge, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.look(0)
    box["bamboohr"].change("111", jobTitle="Head of Sales")
    bridge.found()
    before = bridge.row("hr").cursor
    bridge.look()
    bridge.polling._update("hr", cursor=before)
    assert bridge.look().found == {"hr": 0}
    assert bridge.found() == [("person.changed", "111")]


def test_a_change_and_its_undoing_are_two(bridge: Bridge, box: Box) -> None:
    now = datetime.now(UTC)
    bridge.look(0)
    bridge.found()
    for step, title in enumerate(("A", "B", "A")):
        box["bamboohr"].change("111", at=now + timedelta(seconds=step + 1), jobTitle=title)
        bridge.look()
        assert bridge.found() == [("person.changed", "111")]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "status", "status": 401}, "answers 401: the credential is wrong"),
        ({"fault": "status", "status": 403}, "may not see it"),
        (
            {"fault": "status", "status": 302, "headers": {"Location": "https://elsewhere.example/"}},
            "answers 302; is poll.url",
        ),
        ({"fault": "status", "status": 200, "body": {"employees": {"7": {"action": "Sold"}}}}, "cannot be read"),
        ({"fault": "status", "status": 200, "body": {"people": []}}, "holds no employees"),
    ],
)
def test_a_poll_fault_sends_an_alert_at_once_and_ends_it_when_the_source_works_again(
    bridge: Bridge, box: Box, fault: dict[str, Any], said: str
) -> None:
    bridge.look(0)
    bridge.found()
    box["bamboohr"].fault(path="/changed", times=-1, **fault)
    bridge.look()
    bridge.look()
    assert [alarm.over for alarm in bridge.said] == [False] and said in bridge.said[0].detail
    assert bridge.found() == [] and said in bridge.row("hr").trouble
    box["bamboohr"].faults.clear()
    bridge.look()
    assert [alarm.over for alarm in bridge.said] == [False, True] and not bridge.open_alerts()


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 503},
        {"fault": "html"},
        {"fault": "cut"},
        {"fault": "status", "status": 429, "headers": {"Retry-After": "7200"}},
    ],
)
def test_transient_poll_failure_backs_off_and_alerts_on_third(
    bridge: Bridge, box: Box, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "pause", lambda seconds: None)
    bridge.look(0)
    box["bamboohr"].fault(path="/changed", times=-1, **fault)
    tries = [bridge.look(330).tasks for _ in range(9)]
    assert [len(some) for some in tries][:5] == [1, 0, 1, 0, 0], "after 5, then 10, then 20 minutes"
    assert len(bridge.said) == 1 and bridge.said[0].key == "poll:hr", bridge.said


def test_a_key_that_sees_less_is_an_incident_until_a_human_says_so(bridge: Bridge, box: Box) -> None:
    hr = box["bamboohr"]
    bridge.look(0)
    bridge.found()
    for key in ("104", "105", "108"):
        del hr.state["employees"][key]
    bridge.look(7 * 3600)
    assert "has 6 people, 3 fewer than before (9" in bridge.open_alerts()["poll:hr"]
    bridge.look()
    assert bridge.found() == [] and len(bridge.open_alerts()) == 1
    bridge.polling.accept("hr", "ann")
    bridge.look(1)
    assert not bridge.open_alerts() and bridge.row("hr").accepted_by == ""
    assert json.loads(bridge.row("hr").cursor)["people"] == 6


def test_a_status_that_is_hidden_is_an_incident(bridge: Bridge, box: Box) -> None:
    box["bamboohr"].state["hidden"] = ["status"]
    bridge.look(0)
    assert "may not see Status" in bridge.open_alerts()["poll:hr"]


def test_credentials_are_read_each_time(bridge: Bridge, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge.look(0)
    right = box["bamboohr"].secret("api-key")
    monkeypatch.setenv("BAMBOO", "wrong-and-never-shown")
    bridge.look()
    assert "answers 401" in bridge.row("hr").trouble and "never-shown" not in str(bridge.said)
    monkeypatch.setenv("BAMBOO", right)
    bridge.look()
    assert bridge.row("hr").trouble == ""
    monkeypatch.delenv("BAMBOO")
    bridge.look()
    assert "environment variable BAMBOO" in bridge.row("hr").trouble
