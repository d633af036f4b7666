# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polling Workday, Gusto and Rippling: whole lists are compared, and none that is not whole is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lifecycle_bridge.poll.snapshot import Known

from sandbox.box import Box
from sandbox.hr_lists import hr_worlds
from tests.bridge.poll_support import Bridge

LISTS = ["workday", "gusto", "rippling"]
CREDENTIALS = {"workday": ("username", "password"), "gusto": ("token",), "rippling": ("token",)}
#: How each calls a person's id, address, title and state; and a state of somebody who left.
WORDS = {
    "workday": ("Worker_WID", "Work_Email", "Business_Title", {"Worker_Status": "Terminated"}),
    "gusto": ("uuid", "work_email", "department", {"terminated": True}),
    "rippling": ("worker", "work_email", "title", {"status": "TERMINATED"}),
}
KIND = pytest.mark.parametrize("kind", LISTS)


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box(list(hr_worlds().values())) as running:
        yield running


@pytest.fixture
def box(shared: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    for kind in LISTS:
        shared[kind].reset()
        for name in CREDENTIALS[kind]:
            monkeypatch.setenv(f"{kind}_{name}".upper(), shared[kind].secret(name))
    return shared


def source(box: Box, kind: str, **options: Any) -> dict[str, Any]:
    return {
        "poll": {
            "kind": kind,
            "url": box[kind].url,
            "every": 300,
            "options": {"ca_file": box.ca_file, **box[kind].OPTIONS, **options},
            "credentials": {name: {"env": f"{kind}_{name}".upper()} for name in CREDENTIALS[kind]},
        }
    }


@pytest.fixture
def bridge(box: Box, tmp_path: Path, kind: str) -> Iterator[Bridge]:
    made = Bridge(tmp_path, datetime.now(UTC), hr=source(box, kind))
    yield made
    made.close()


def people(box: Box, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = box[kind].state["people"]
    return found


@KIND
def test_who_changed_left_or_came_is_found_by_id(bridge: Bridge, box: Box, kind: str) -> None:
    bridge.look(0)
    assert bridge.found() == [("feed.changed", "")] and bridge.look().found == {"hr": 0}
    key, address, title, left = WORDS[kind]
    rows = people(box, kind)
    rows["tom"][title] = "Head of Sales"
    rows["mark"].update(left)
    rows["new"] = {**rows["tom"], "id": "new", key: "z9", address: "zoe@corp.example"}
    assert bridge.look().found == {"hr": 3}
    expected = [("person.changed", rows["mark"][key]), ("person.changed", rows["tom"][key]), ("person.created", "z9")]
    assert bridge.found() == sorted(expected) and bridge.look().found == {"hr": 0}


@KIND
def test_only_ids_leave_the_poller(bridge: Bridge, box: Box, kind: str) -> None:
    bridge.look(0)
    people(box, kind)["tom"][WORDS[kind][1]] = "secret@corp.example"
    assert bridge.look().found == {"hr": 1}
    known = Known.read(bridge.row("hr").cursor)
    assert known is not None
    kept = json.dumps([list(row) for row in bridge.events()]) + str(dict(known.people))
    assert not any(word in kept for word in ("secret", "corp.example", "Sales"))


@KIND
def test_an_empty_or_shrunken_list_is_an_incident_until_somebody_accepts_it(
    bridge: Bridge, box: Box, kind: str
) -> None:
    bridge.look(0)
    bridge.found()
    rows = people(box, kind)
    kept = dict(rows)
    rows.clear()
    bridge.look()
    assert f"the list is empty; it had {len(kept)} people" in bridge.open_alerts()["poll:hr"]
    rows.update(list(kept.items())[:-2])
    bridge.look()
    assert f"has {len(kept) - 2} people, 2 fewer" in bridge.open_alerts()["poll:hr"] and bridge.found() == []
    bridge.polling.accept("hr", "ann")
    bridge.look(1)
    assert [what for what, _id in bridge.found()] == ["person.deleted"] * 2 and not bridge.open_alerts()


@KIND
def test_an_id_that_is_missing_or_twice_there_is_an_incident(bridge: Bridge, box: Box, kind: str) -> None:
    bridge.look(0)
    bridge.found()
    key, rows = WORDS[kind][0], people(box, kind)
    before = rows["tom"][key]
    rows["tom"][key] = ""
    bridge.look()
    assert "has no id" in bridge.open_alerts()["poll:hr"]
    active = next(name for name, row in rows.items() if name != "tom" and not row.get("terminated"))
    rows["tom"][key] = rows[active][key]
    bridge.look()
    assert "is there twice" in bridge.open_alerts()["poll:hr"] and bridge.found() == []
    rows["tom"][key] = before
    bridge.look()
    assert not bridge.open_alerts() and bridge.found() == []


@KIND
def test_a_field_that_decides_and_is_hidden_is_an_incident(bridge: Bridge, box: Box, kind: str) -> None:
    for row in people(box, kind).values():
        del row[WORDS[kind][1]]
    bridge.look(0)
    assert WORDS[kind][1] in bridge.open_alerts()["poll:hr"] and bridge.row("hr").cursor == ""


@KIND
def test_a_wrong_credential_is_an_incident_that_names_it(
    box: Box, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{kind}_{CREDENTIALS[kind][-1]}".upper(), "wrong")
    made = Bridge(tmp_path, datetime.now(UTC), hr=source(box, kind))
    made.look(0)
    assert "the credential is wrong" in made.open_alerts()["poll:hr"]
    made.close()


@pytest.mark.parametrize("kind", ["gusto", "rippling"])
def test_every_page_is_read_and_a_page_that_stands_still_is_an_incident(bridge: Bridge, box: Box, kind: str) -> None:
    key, rows = WORDS[kind][0], people(box, kind)
    for number in range(120):
        rows[f"x{number}"] = {**rows["tom"], "id": f"x{number}", key: f"x{number:03}"}
    bridge.look(0)
    known = Known.read(bridge.row("hr").cursor)
    assert known is not None and len(known.people) == len(rows)
    whole = [json.loads(entry["answer"]) for entry in box[kind].journal if entry["status"] == 200]
    box[kind].fault("status", status=200, body=whole[0], path="/(workers|v1/companies)", times=99)
    bridge.look()
    said = bridge.open_alerts()["poll:hr"]
    assert "the list is not complete" in said or "it is not complete" in said


@pytest.mark.parametrize("kind", ["rippling"])
def test_a_link_to_another_host_is_never_followed(bridge: Bridge, box: Box, kind: str) -> None:
    answer = {"results": [], "next_link": "https://elsewhere.example/workers?cursor=2"}
    box[kind].fault("status", status=200, body=answer, path="/workers")
    bridge.look(0)
    assert all(entry["path"] == "/workers" for entry in box[kind].journal) and len(box[kind].journal) == 2


@pytest.mark.parametrize(("kind", "option"), [("workday", "tenant"), ("workday", "report"), ("gusto", "company")])
def test_a_missing_option_or_one_that_leads_elsewhere_is_named(
    box: Box, tmp_path: Path, kind: str, option: str
) -> None:
    for number, wrong in enumerate(("", "../../x")) if kind == "workday" else ((0, ""),):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = Bridge(folder, datetime.now(UTC), hr=source(box, kind, **{option: wrong}))
        made.look(0)
        assert f"poll.options.{option}" in str(made.open_alerts())
        made.close()
    assert box[kind].journal == []
