# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The sandbox's HR system calls back as the vendor does: what is told, how it is signed, when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Forged
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive import receive

from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.personio import Personio

KEY = "a-key-of-the-webhook"


class Door:
    """Somebody who is called. ``answers``: what is said to the next requests; 200 afterwards."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                door.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(door.answers.pop(0) if door.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hr/bamboohr"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _headers, body in self.got]


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box([BambooHr, HiBob, Personio]) as running:
        yield running


@pytest.fixture
def box(shared: Box) -> Box:
    for vendor in shared.emulators.values():
        vendor.reset()
    return shared


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.server.shutdown()
    made.server.server_close()


def told(box: Box, door: Door) -> list[Any]:
    assert box["bamboohr"].courier.settled(20)
    return door.bodies()


def test_a_termination_today_sends_a_webhook_at_once_signed_over_body_and_timestamp(box: Box, door: Door) -> None:
    hr = box["bamboohr"]
    hr.subscribe(door.url, KEY)
    hr.happens("terminate", hr.key_of("tom@corp.example"), datetime.now(UTC).date().isoformat(), {})
    (event,) = told(box, door)
    assert event["type"] == "employee.updated" and event["data"]["employeeId"] == "111"
    assert set(event["data"]["changedFields"]) == {"status", "employmentHistoryStatus", "terminationDate"}
    headers, body = door.got[0]
    stamp = headers["x-bamboohr-timestamp"]
    assert abs(int(stamp) - datetime.now(UTC).timestamp()) < 60
    assert headers["x-bamboohr-signature"] == hmac.new(KEY.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    assert b"tom" not in body.lower() and b"corp.example" not in body, "ids only"


def test_a_later_dated_change_sends_its_webhook_on_its_day(box: Box, door: Door) -> None:
    hr = box["bamboohr"]
    hr.subscribe(door.url, KEY)
    later = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    hr.happens("terminate", "111", later, {})
    assert told(box, door) == []
    hr.happens("midnight", "", later, {})
    assert [(e["type"], e["data"]["employeeId"]) for e in told(box, door)] == [("employee.updated", "111")]


def test_webhooks_say_created_then_updated_for_a_new_employee_and_deleted_for_a_deleted_one(
    box: Box, door: Door
) -> None:
    hr = box["bamboohr"]
    hr.subscribe(door.url, KEY)
    hr.happens("hire", "", "2027-01-04", {"first_name": "Zoe", "last_name": "Young", "email": "zoe@corp.example"})
    told(box, door)
    hr.happens("delete", hr.key_of("zoe@corp.example"), "2027-01-04", {})
    assert [e["type"] for e in told(box, door)][-1] == "employee.deleted"
    assert sorted(e["type"] for e in door.bodies()[:-1]) == ["employee.created", "employee.updated"]


def test_it_is_tried_five_times_and_signed_anew_each_time(box: Box, door: Door) -> None:
    hr = box["bamboohr"]
    door.answers = [500, 401, 404, 302]
    hr.subscribe(door.url, KEY, minute=0.001)
    hr.happens("change", "111", "2026-01-01", {"department": "Finance"})
    told(box, door)
    assert [one["status"] for one in hr.courier.tries] == [500, 401, 404, 302, 200]
    door.answers = [500] * 9
    hr.happens("change", "111", "2026-01-01", {"department": "Sales"})
    told(box, door)
    assert len(hr.courier.tries) == 5 + 5, "after the fifth it is lost"


def test_nobody_there_is_tried_again_too(box: Box, door: Door) -> None:
    hr = box["bamboohr"]
    door.server.shutdown()
    door.server.server_close()
    hr.subscribe(door.url, KEY, minute=0.001)
    hr.happens("leave", "111", datetime.now(UTC).date().isoformat(), {})
    told(box, door)
    assert [one["status"] for one in hr.courier.tries] == [None] * 5


def test_over_its_api_as_an_integration_does(box: Box, door: Door) -> None:
    hr = box["bamboohr"]
    url, how = hr.url + "/api/v1", {"auth": (hr.secret("api-key"), "x"), "verify": box.ca_file, "timeout": 5}
    asked = {
        "name": "bridge",
        "url": door.url,
        "format": "json",
        "events": ["employee.updated"],
        "monitorFields": ["status", "department"],
    }
    for wrong in (
        {"url": "http://elsewhere.example/"},
        {"monitorFields": []},
        {"events": ["employee.fired"]},
        {"format": "xml"},
        {"name": ""},
    ):
        assert requests.post(f"{url}/webhooks", json={**asked, **wrong}, **how).status_code == 400, wrong
    made = requests.post(f"{url}/webhooks", json=asked, **how)
    assert made.status_code == 201
    key = made.json()["privateKey"]
    assert "privateKey" not in requests.get(f"{url}/webhooks", **how).text, "it is shown once"
    assert requests.post(f"{url}/employees/111", json={"jobTitle": "Chef"}, **how).status_code == 200
    assert requests.post(f"{url}/employees/111", json={"department": "Finance"}, **how).status_code == 200
    row = {"date": datetime.now(UTC).date().isoformat(), "employmentStatus": "Terminated"}
    assert requests.post(f"{url}/employees/111/tables/employmentStatus", json=row, **how).status_code == 200
    assert sorted(e["data"]["changedFields"] for e in told(box, door)) == [["department"], ["status"]], (
        "only the fields that it watches"
    )
    headers, body = door.got[0]
    assert (
        headers["x-bamboohr-signature"]
        == hmac.new(key.encode(), body + headers["x-bamboohr-timestamp"].encode(), hashlib.sha256).hexdigest()
    )
    assert requests.delete(f"{url}/webhooks/{made.json()['id']}", **how).status_code == 200


def test_by_command_over_the_control_address(box: Box, door: Door) -> None:
    hr = box["bamboohr"]
    ask = lambda verb, body: requests.post(f"{hr.url}/_sandbox/{verb}", json=body, verify=box.ca_file, timeout=5)  # noqa: E731
    assert ask("webhooks", {"url": door.url, "key": KEY}).status_code == 200
    assert ask("hr", {"act": "terminate", "user": "TOM@corp.example"}).json()["employee"] == "111"
    assert [e["data"]["employeeId"] for e in told(box, door)] == ["111"]
    assert "sam@corp.example" in ask("hr", {"act": "terminate", "user": "sam@corp.example"}).json()["message"], (
        "two have it: nobody is terminated"
    )
    for wrong in (
        {"act": "fire", "user": "111"},
        {"act": "terminate", "user": "nobody"},
        {"act": "terminate", "user": "111", "day": "soon"},
        {"act": "change", "user": "111", "values": {"shoe": "42"}},
    ):
        assert ask("hr", wrong).status_code == 400, wrong
    assert len(told(box, door)) == 1


@pytest.mark.parametrize(
    ("vendor", "user", "kinds"),
    [
        ("bamboohr", "111", {"jml.person.changed"}),
        ("hibob", "3332883894235000111", {"jml.person.changed", "jml.employment.terminated"}),
        ("personio", "111", {"jml.person.changed", "jml.employment.terminated"}),
    ],
)
def test_the_bridge_takes_what_each_sends_and_nothing_else(
    box: Box, door: Door, vendor: str, user: str, kinds: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hr, key, now = box[vendor], "k" * 32, datetime.now(UTC)
    monkeypatch.setenv("WEBHOOK_KEY", key)
    source = Source.model_validate({"scheme": vendor, "secrets": [{"env": "WEBHOOK_KEY"}]})
    hr.subscribe(door.url, key)
    hr.happens("terminate", user, now.date().isoformat(), {})
    assert hr.courier.settled(20) and all(one["status"] == 200 for one in hr.courier.tries)
    raws = [Raw("POST", "/hr/x", headers, body, now) for headers, body in door.got]
    events = [event for raw in raws for event in receive(raw, "x", source, now).events]
    assert {event.person for event in events} == {user} and {event.type for event in events} == kinds
    monkeypatch.setenv("WEBHOOK_KEY", "another key that is not it")
    for raw in raws:
        if b"Ping" not in raw.body:
            with pytest.raises(Forged):
                receive(raw, "x", source, now)


def test_access_that_ends_now_is_urgent(box: Box, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_KEY", "k" * 32)
    hr, now = box["hibob"], datetime.now(UTC)
    hr.subscribe(door.url, "k" * 32)
    hr.happens("revoke", "3332883894235000111", "", {})
    assert hr.courier.settled(20)
    source = Source.model_validate({"scheme": "hibob", "secrets": [{"env": "WEBHOOK_KEY"}]})
    (event,) = [
        event
        for headers, body in door.got
        for event in receive(Raw("POST", "/", headers, body, now), "x", source, now).events
    ]
    assert (event.type, event.urgent) == ("jml.access.revoked", True)
    with pytest.raises(LookupError, match="bamboohr has no revoke"):
        box["bamboohr"].happens("revoke", "111", "", {})
