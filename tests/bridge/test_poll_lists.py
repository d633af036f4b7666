# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polling HiBob and Personio, which tell no changes: lists are compared."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lifecycle_bridge.poll.snapshot import Known, changes, next_look

from sandbox.box import Box
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.personio import CLIENT, Personio
from tests.bridge.poll_support import START, Bridge

BOB = {n: f"3332883894235000{n}" for n in ("102", "107", "111")}


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box([HiBob, Personio]) as running:
        yield running


@pytest.fixture
def box(shared: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    for name in ("hibob", "personio"):
        shared[name].reset()
    monkeypatch.setenv("BOB_TOKEN", shared["hibob"].secret("token"))
    monkeypatch.setenv("BOB_ID", "SERVICE-1")
    monkeypatch.setenv("PERSONIO_ID", CLIENT)
    monkeypatch.setenv("PERSONIO_SECRET", shared["personio"].secret("client-secret"))
    return shared


@pytest.fixture
def bridge(box: Box, tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path, datetime.now(UTC), bob=bob(box), per=personio(box))
    yield made
    made.close()


def bob(box: Box, **options: Any) -> dict[str, Any]:
    return {
        "poll": {
            "kind": "hibob",
            "url": box["hibob"].url,
            "every": 300,
            "options": {"ca_file": box.ca_file, **options},
            "credentials": {"service_user_id": {"env": "BOB_ID"}, "service_user_token": {"env": "BOB_TOKEN"}},
        }
    }


def personio(box: Box, **options: Any) -> dict[str, Any]:
    return {
        "poll": {
            "kind": "personio",
            "url": box["personio"].url,
            "every": 300,
            "options": {"ca_file": box.ca_file, **options},
            "credentials": {"client_id": {"env": "PERSONIO_ID"}, "client_secret": {"env": "PERSONIO_SECRET"}},
        }
    }


def test_what_changed_is_found_in_both(bridge: Bridge, box: Box) -> None:
    bridge.look(0)
    assert bridge.found() == [("feed.changed", ""), ("feed.changed", "")]
    assert bridge.look().found == {"bob": 0, "per": 0}
    box["hibob"].change(BOB["111"], work__title="Head of Sales")
    box["hibob"].enter(BOB["102"], "2027-03-31", "terminated")
    box["personio"].change("111", title="Head of Sales")  # stands on the employment, and moves no date of the person
    box["personio"].terminate("102", "2027-03-31")
    box["personio"].happens(
        "hire", "", "2027-01-04", {"first_name": "Zoe", "last_name": "Young", "email": "zoe@corp.example"}
    )
    assert bridge.look().found == {"bob": 2, "per": 3}
    assert bridge.found() == [
        ("person.changed", "102"),
        ("person.changed", "111"),
        ("person.changed", BOB["102"]),
        ("person.changed", BOB["111"]),
        ("person.created", "121"),
    ]
    assert bridge.look().found == {"bob": 0, "per": 0}


def test_ids_only_leave_it(bridge: Bridge, box: Box) -> None:
    bridge.look(0)
    box["hibob"].change(BOB["111"], root__email="secret@corp.example")
    box["personio"].change("111", email="secret@corp.example")
    assert bridge.look().found == {"bob": 1, "per": 1}
    kept = json.dumps([list(row) for row in bridge.events()]) + "".join(
        str(dict(Known.read(bridge.row(name).cursor).people)) for name in ("bob", "per")
    )  # type: ignore[union-attr]
    assert BOB["111"] in kept and not any(word in kept for word in ("secret", "Becker", "Tom", "Sales", "corp.example"))


def test_what_is_gone_is_no_termination_but_wakes_the_intake(bridge: Bridge, box: Box) -> None:
    bridge.look(0)
    bridge.found()
    box["hibob"].happens("delete", BOB["111"], "", {})
    box["personio"].happens("delete", "111", "", {})
    bridge.look()
    assert bridge.found() == [("person.deleted", "111"), ("person.deleted", BOB["111"])] and not bridge.open_alerts()


@pytest.mark.parametrize("name", ["bob", "per"])
def test_empty_and_shrunken_lists_are_incidents_and_no_events(bridge: Bridge, box: Box, name: str) -> None:
    bridge.look(0)
    bridge.found()
    vendor = box["hibob" if name == "bob" else "personio"]
    people = vendor.state["people" if name == "bob" else "persons"]
    kept = dict(people)
    people.clear()
    bridge.look()
    assert "the list is empty; it had 9 people" in bridge.open_alerts()[f"poll:{name}"]
    people.update(list(kept.items())[:7])
    bridge.look()
    assert "has 7 people, 2 fewer than before (9" in bridge.open_alerts()[f"poll:{name}"]
    assert bridge.found() == []
    people.update(kept)
    bridge.look()
    assert bridge.found() == [] and not bridge.open_alerts(), "nothing was lost, and nothing is told"
    for key in list(kept)[7:]:
        del people[key]
    bridge.look()
    bridge.polling.accept(name, "ann")
    bridge.look(1)
    assert [kind for kind, _ in bridge.found()] == ["person.deleted"] * 2


def test_a_repeat_after_a_kill_gives_the_same_events(bridge: Bridge, box: Box) -> None:
    bridge.look(0)
    bridge.found()
    before = {name: bridge.row(name).cursor for name in ("bob", "per")}
    box["hibob"].change(BOB["111"], work__title="Head")
    box["personio"].change("111", title="Head")
    bridge.look()
    for name, cursor in before.items():
        bridge.polling._update(name, cursor=cursor)
    assert bridge.look().found == {"bob": 0, "per": 0}
    assert len(bridge.found()) == 2


def test_there_and_back_and_there_again_are_three(bridge: Bridge, box: Box) -> None:
    bridge.look(0)
    bridge.found()
    for title in ("A", "B", "A"):
        box["hibob"].change(BOB["111"], work__title=title)
        box["personio"].change("111", title=title)
        bridge.look()
        assert bridge.found() == [("person.changed", "111"), ("person.changed", BOB["111"])]


def test_a_list_that_does_not_go_on_or_has_one_twice_is_an_incident(bridge: Bridge, box: Box) -> None:
    state = box["personio"].state
    for n in range(60):
        state["persons"][str(5000 + n)] = {**state["persons"]["102"], "id": str(5000 + n)}
    state["stuck"] = True
    box["hibob"].fault("status", status=200, body={"employees": [{"id": "1"}, {"id": "1"}]})
    bridge.look(0)
    assert "does not go on after" in bridge.open_alerts()["poll:per"]
    assert "id 1 is there twice" in bridge.open_alerts()["poll:bob"]
    assert bridge.found() == []


@pytest.mark.parametrize("hidden", ["status", "internal.status", "root.email"])
def test_what_decides_and_may_not_be_seen_is_an_incident(bridge: Bridge, box: Box, hidden: str) -> None:
    box["hibob"].state["hidden"] = box["personio"].state["hidden"] = [hidden]
    bridge.look(0)
    assert any("may not see" in detail for detail in bridge.open_alerts().values())


def test_throttles_are_waited_out(bridge: Bridge, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from lifecycle_bridge.poll import api

    waited: list[float] = []
    monkeypatch.setattr(api, "pause", waited.append)
    box["hibob"].state["left"] = 0
    box["personio"].state["left"] = 3
    bridge.look(0)
    assert len(waited) == 2 and not bridge.open_alerts()


def test_wrong_credentials_need_a_human_and_are_not_shown(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOB_TOKEN", "never-shown")
    monkeypatch.setenv("PERSONIO_SECRET", "never-shown")
    bridge.look(0)
    assert set(bridge.open_alerts()) == {"poll:bob", "poll:per"} and "never-shown" not in str(bridge.open_alerts())
    assert "Are client_id and client_secret right" in bridge.open_alerts()["poll:per"]


def test_employments_of_many_are_read_in_turn(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look reads 10 people's employments, and those of whoever's own record moved; each comes up within the sweep."""
    monkeypatch.setattr("lifecycle_bridge.poll.personio._AT_LEAST", 10)
    state = box["personio"].state
    one = next(e for e in state["employments"].values() if e["person"]["id"] == "102")
    for n in range(30):
        key = str(5000 + n)
        state["persons"][key] = {**state["persons"]["102"], "id": key, "email": f"p{n}@corp.example"}
        state["employments"][key] = {**one, "id": key, "person": {"id": key}}
    bridge = Bridge(tmp_path, datetime.now(UTC), per=personio(box, sweep_hours=1))
    for _ in range(5):
        bridge.look()
    bridge.found()
    state["employments"]["5020"]["termination"] = {"termination_date": "2027-01-31"}
    before = len(box["personio"].journal)
    bridge.look()
    asked = [e["path"] for e in box["personio"].journal[before:]]
    assert sum("employments" in path for path in asked) == 10, len(asked)
    for _ in range(3):
        bridge.look()
    assert bridge.found() == [("person.changed", "5020")]
    box["personio"].change("5025", email="new@corp.example")
    bridge.look()
    assert bridge.found() == [("person.changed", "5025")]
    bridge.close()


def test_ten_thousand_people_are_kept_small_and_compared_quickly() -> None:
    people = {str(3332883894235000000 + n): f"{n:012x}-{n * 7:012x}-{n * 13:012x}" for n in range(10_000)}
    known = next_look(None, people, 10_000, {"swept": "1"})
    text = known.text()
    assert len(text) < 400_000
    began = time.process_time()
    read = Known.read(text)
    assert read is not None and read.people == people and read.extra == {"swept": "1"}
    people["3332883894235000007"] = "other"
    assert [event.person for event in changes("hr", read, people, START)] == ["3332883894235000007"]
    assert time.process_time() - began < 2


@pytest.mark.parametrize("cursor", ["", "{}", "not ours", '{"since": "2026"}', '{"active":1,"look":1,"extra":{}}\n!!!'])
def test_a_cursor_that_is_not_ours_makes_a_first_look(cursor: str) -> None:
    assert Known.read(cursor) is None
