# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The seam and the transport: read, compare, refuse or write, read back, report."""

from __future__ import annotations

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors import registry
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Change, Outcome
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import ProtocolError, WriteInCheckMode
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.protocols import Accounts
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Policy

from sandbox.box import Box
from tests import support, virtual_time
from tests.unit.toy import SUSPEND, WIPE, Toy, ToyConnector

JANE = {"email": "jane@corp.example"}


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    registry.CONNECTORS = {**registry.CONNECTORS, "toy": ToyConnector}
    with Box([Toy]) as box:
        yield box
    registry.CONNECTORS = {name: cls for name, cls in registry.CONNECTORS.items() if name != "toy"}


@pytest.fixture
def box(running: Box) -> Box:
    running["toy"].reset()
    return running


def suspend(box: Box, **how: Any) -> dict[str, Any]:
    return support.run(SUSPEND, box, "toy", person=how.pop("person", JANE), **how)


def test_done_is_said_only_after_it_was_seen(box: Box) -> None:
    result = suspend(box)
    assert (result["outcome"], result["changed"]) == ("done", True)
    assert [entry["method"] for entry in box["toy"].journal] == ["GET", "PUT", "GET"]
    assert box["toy"].state["users"]["jane@corp.example"] == {"active": False}
    again = suspend(box)
    assert (again["outcome"], again["changed"]) == ("already", False)
    assert len(box["toy"].writes()) == 1


def test_check_mode_reads_and_reports(box: Box) -> None:
    result = suspend(box, check_mode=True)
    assert result["changed"] and result["changes"][0]["outcome"] == "planned"
    assert result["diff"] == {"before": {"account": True}, "after": {"account": False}}
    assert box["toy"].writes() == []


def test_the_transport_refuses_a_write_in_check_mode(box: Box) -> None:
    connector = support.connect(box, "toy", read_only=True)
    with pytest.raises(WriteInCheckMode, match="suspend jane@corp.example on toy"):
        connector.set_active(connector.find_account(Person.of(JANE)), False)
    assert box["toy"].writes() == []


def test_nobody_there_is_absent_and_not_done(box: Box) -> None:
    result = suspend(box, person={"email": "zoe@corp.example"})
    assert (result["outcome"], result["changed"]) == ("absent", False)


def test_a_write_that_the_system_did_not_take_is_a_failure(box: Box) -> None:
    """It answers 204 and does nothing: a wizard would say "completed"."""
    box["toy"].fault("status", method="PUT", status=204)
    result = suspend(box)
    assert result["failed"] and result["code"] == "read_back"
    assert "still shows True" in result["msg"]


def test_eventual_consistency_is_waited_for(box: Box) -> None:
    box["toy"].fault("lag", method="PUT", reads=3)
    assert suspend(box)["outcome"] == "done"


def test_a_lost_answer_is_settled_by_reading(box: Box) -> None:
    box["toy"].fault("lost", method="PUT")
    result = suspend(box)
    assert result["outcome"] == "done" and "answer was lost" in result["changes"][0]["note"]
    assert len(box["toy"].writes()) == 1


def test_a_lost_answer_that_cannot_be_read_is_unknown(box: Box) -> None:
    box["toy"].fault("lost", method="PUT")
    box["toy"].fault("status", method="GET", after=1, times=-1, status=503)
    result = suspend(box)
    assert (result["outcome"], result["failed"]) == ("unknown", True)


def test_what_cannot_be_undone_wants_a_confirmation(box: Box) -> None:
    assert support.run(WIPE, box, "toy")["outcome"] == "needs_human"
    assert support.run(WIPE, box, "toy", confirm=["elsewhere"])["outcome"] == "needs_human"
    assert box["toy"].state["wiped"] == 0


def test_what_cannot_be_undone_is_not_sent_again_on_doubt(box: Box) -> None:
    """An earlier run began it and nobody saw the end: it is looked at, not sent again, unless the system would show it."""
    unsure = {"unsure": ["world"]}
    assert support.run(WIPE, box, "toy", confirm=["world"], history=unsure)["outcome"] == "unknown"
    assert box["toy"].state["wiped"] == 0
    support.run(WIPE, box, "toy", confirm=["world"], history=unsure, traceable=True)
    assert box["toy"].state["wiped"] == 1


def test_what_cannot_be_observed_is_acknowledged_and_remembered(box: Box) -> None:
    sent: list[int] = []
    task = Task(
        Accounts,
        lambda system, want: [Change("sessions", "unseen", "closed", lambda: sent.append(1), unobservable=True)],
    )
    first = support.run(task, box, "toy")
    assert (first["outcome"], first["changed"], len(sent)) == ("acknowledged", True, 1)
    again = support.run(task, box, "toy", history={"acknowledged": {"sessions": "2026-03-31T17:00:00.000000Z"}})
    assert (again["outcome"], again["changed"], len(sent)) == ("already", False, 1)


@pytest.mark.parametrize("unread", ["the plan fails", "the list is left out"])
def test_what_is_in_progress_does_not_end_by_a_read_that_failed(
    box: Box, unread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual_time.install(monkeypatch)
    sent: list[str] = []
    reads = 0

    def watched(system: Any, want: Mapping[str, Any]) -> list[Change]:
        nonlocal reads
        reads += 1
        if reads > 2 and unread == "the plan fails":
            raise ProtocolError("no", act="list devices")
        if reads > 2:
            return [Change("devices", "unknown", "wiped", outcome=Outcome.FAILED, note="403")]
        state = "wiping" if sent else "in use"
        return [Change("device 1", state, "wiped", lambda: sent.append("1"), pending="wiping")]

    result = support.run(Task(Accounts, watched), box, "toy", follow=5.0)
    [row] = result["changes"]
    assert reads > 3 and not result.get("failed"), result
    assert (row["outcome"], result["outcome"], len(sent)) == ("in_progress", "in_progress", 1)
    assert "not known whether it ended" in row["note"]


def test_a_gate_that_fails_stops_what_comes_after_it(box: Box) -> None:
    sent: list[str] = []

    def broken() -> None:
        raise ProtocolError("no", act="escrow")

    task = Task(
        Accounts,
        lambda system, want: [
            Change("key", False, True, broken, gate=True),
            Change("wipe", False, True, lambda: sent.append("wipe")),
        ],
    )
    result = support.run(task, box, "toy")
    assert result["failed"] and sent == []
    assert [row["outcome"] for row in result["changes"]] == ["failed", "failed"]


def test_one_failure_does_not_stop_the_others(box: Box) -> None:
    state = {"b": False}

    def broken() -> None:
        raise ProtocolError("no", act="close a")

    task = Task(
        Accounts,
        lambda system, want: [
            Change("a", False, True, broken),
            Change("b", state["b"], True, lambda: state.update(b=True)),
        ],
    )
    result = support.run(task, box, "toy")
    assert [row["outcome"] for row in result["changes"]] == ["failed", "done"]


@pytest.mark.parametrize(
    "fault, code, words",
    [
        ({"fault": "html"}, "protocol", "web page"),
        ({"fault": "cut"}, "protocol", "not whole JSON"),
        (
            {"fault": "status", "status": 403, "body": {"message": "missing scope users.manage"}},
            "permission",
            "missing scope users.manage",
        ),
        (
            {"fault": "status", "status": 302, "headers": {"location": "https://login.example/x?secret=1"}},
            "protocol",
            "redirects to https://login.example/x:",
        ),
        ({"fault": "status", "status": 500, "times": -1}, "unavailable", "500"),
        ({"fault": "status", "status": 429, "headers": {"retry-after": "3600"}}, "throttled", "3600 s"),
    ],
)
def test_errors_name_the_act_the_system_and_what_to_do(box: Box, fault: dict[str, Any], code: str, words: str) -> None:
    box["toy"].fault(fault.pop("fault"), **fault)
    result = suspend(box)
    assert result["code"] == code
    assert result["msg"].startswith("find jane@corp.example on toy: ") and words in result["msg"]


@pytest.mark.parametrize(
    "changes, code, words",
    [
        ({"credentials": {"token": "wrong"}}, "authentication", "check the credentials of toy"),
        ({"credentials": {}}, "input", "credential token is missing"),
        ({"credentials": {"tokn": "x"}}, "input", "unknown credential tokn"),
        ({"ca_file": ""}, "certificate", "set ca_file"),
        ({"url": "https://localhost:1"}, "unavailable", "is https://localhost:1 right and reachable?"),
        ({"url": "toy.example"}, "input", "is not an address"),
        ({"connector": "tyo"}, "input", "did you mean toy?"),
        ({"options": {"colour": "red"}}, "input", "unknown option colour"),
    ],
)
def test_bad_input_is_one_clear_line_and_no_write(box: Box, changes: dict[str, Any], code: str, words: str) -> None:
    result = suspend(box, changes=changes)
    assert result["failed"] and result["code"] == code and words in result["msg"] and "\n" not in result["msg"]
    assert box["toy"].writes() == []


def test_a_read_is_tried_again_and_a_write_is_not(box: Box) -> None:
    box["toy"].fault("status", method="GET", status=503, times=2)
    assert suspend(box)["outcome"] == "done"
    box["toy"].reset()
    box["toy"].fault("status", method="PUT", status=502)
    suspend(box)
    assert len(box["toy"].writes()) == 1


def test_every_page_is_read(box: Box) -> None:
    assert support.connect(box, "toy").names() == [1, 2, 3]


def test_a_page_that_stands_still_is_an_error(box: Box) -> None:
    box["toy"].fault(
        "status",
        path="/list",
        after=1,
        status=200,
        times=-1,
        body={"items": [2], "next": f"{box['toy'].url}/list?page=2"},
    )
    with pytest.raises(ProtocolError, match="does not advance"):
        support.connect(box, "toy").names()


def test_a_credential_does_not_follow_a_page_to_another_host(box: Box) -> None:
    box["toy"].fault("status", path="/list", status=200, body={"items": [1], "next": "https://evil.example/list"})
    with pytest.raises(ProtocolError, match="another host"):
        support.connect(box, "toy").names()


def test_every_outcome_has_a_rank() -> None:
    assert {outcome.closed for outcome in Outcome} == {True, False}
    assert [outcome for outcome in Outcome if outcome.closed] == [
        Outcome.ABSENT,
        Outcome.ALREADY,
        Outcome.DONE,
        Outcome.ACKNOWLEDGED,
    ]


def test_the_rate_we_allow_ourselves_is_kept(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = virtual_time.install(monkeypatch)
    connector = support.connect(box, "toy")
    connector.http.policy = Policy(rate=2.0)
    for _ in range(5):
        connector.find_account(Person.of(JANE))
    assert 1.5 < clock.slept <= 2.0, "five calls at two a second wait four half seconds, less what the calls took"


class _Proxy(socketserver.ThreadingTCPServer):
    """A CONNECT proxy that remembers where it was asked to go (RFC 9110, 9.3.6)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Tunnel)


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        _, where, _ = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        self.server.asked.append(where)
        host, _, port = where.partition(":")
        with socket.create_connection((host, int(port))) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with (
                selectors.DefaultSelector() as ready
            ):  # select() takes no descriptor above 1023, and a long test run has many open
                ready.register(self.connection, selectors.EVENT_READ, upstream)
                ready.register(upstream, selectors.EVENT_READ, self.connection)
                while True:
                    for key, _ in ready.select():
                        content = key.fileobj.recv(65536)
                        if not content:
                            return
                        key.data.sendall(content)


def test_a_proxy_is_used_and_a_wrong_one_is_named(box: Box) -> None:
    proxy = _Proxy()
    threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        assert suspend(box, changes={"proxy": f"http://127.0.0.1:{proxy.server_address[1]}"})["outcome"] == "done"
        assert set(proxy.asked) == {box["toy"].url.removeprefix("https://")}
    finally:
        proxy.shutdown()
        proxy.server_close()
    assert suspend(box, changes={"proxy": "http://127.0.0.1:1"})["code"] == "unavailable"


def test_a_library_that_is_not_installed_is_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_account(self: ToyConnector, person: Person) -> None:
        import no_such_library.part  # noqa: F401

    monkeypatch.setattr(ToyConnector, "find_account", find_account)
    result = suspend(box)
    assert (result["failed"], result["code"]) == (True, "input")
    assert (
        result["msg"]
        == "toy: the Python library no_such_library is not installed: pip install -r requirements.txt, where the step runs"
    )
    assert box["toy"].writes() == []
