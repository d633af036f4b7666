# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The transport against systems that are slow, endless, huge or hostile: limits of time, bytes, pages and depth."""

from __future__ import annotations

import gzip
import json
import os
import socketserver
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AnswerLost,
    InputError,
    LifecycleError,
    ProtocolError,
    Throttled,
    Unavailable,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import allowance
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.address import at, keeps_secrets
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Policy, Transport, bearer
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.wire import trust

from tests import virtual_time

Say = Callable[[str, Callable[[bytes], None]], None]


class _Server(socketserver.ThreadingTCPServer):
    """Answers each connection's first request as the test says, byte by byte if need be, and remembers what was asked."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, say: Say) -> None:
        self.say = say
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Talk)


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline().decode("latin-1").strip()
        length = 0
        while (header := self.rfile.readline().strip()) != b"":
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        self.rfile.read(length)
        self.server.asked.append(line)

        def write(content: bytes) -> None:
            self.wfile.write(content)
            self.wfile.flush()

        try:
            self.server.say(line, write)
        except OSError:
            return  # the other side has had enough


@contextmanager
def server(say: Say) -> Iterator[_Server]:
    one = _Server(say)
    threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield one
    finally:
        one.shutdown()
        one.server_close()


def transport(one: _Server, policy: Policy = Policy(), **facts: Any) -> Transport:
    port = one.server_address[1]
    return Transport(
        Target(f"odd-{port}", "toy", url=f"http://127.0.0.1:{port}", **{"timeout": 0.5, **facts}), bearer("t"), policy
    )


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Content-Type: application/json", *headers]
    return b"\r\n".join([*head, b"Connection: close", b"", body])


def says(content: bytes) -> Say:
    return lambda line, write: write(content)


def drips(head: bytes) -> Say:
    def say(line: str, write: Callable[[bytes], None]) -> None:
        write(head)
        while True:
            write(b" ")
            time.sleep(0.1)

    return say


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{",
    ],
    ids=["in its headers", "in its body", "in a body without a length"],
)
def test_a_system_that_sends_a_byte_at_a_time_is_left_at_the_deadline_of_the_call(head: bytes) -> None:
    with server(drips(head)) as one:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="list users on odd-.*: no whole answer in 1 s"):
            transport(one).get("/users", act="list users")
        assert time.monotonic() - begun < 4
        assert len(one.asked) == 1, "the time of a call holds its retries too"


def test_a_write_whose_answer_never_ends_may_have_happened() -> None:
    with server(drips(b"HTTP/1.1 200 OK\r\nX-Long: ")) as one, pytest.raises(AnswerLost, match="may have happened"):
        transport(one).send("POST", "/users", act="create user", json={})


def test_a_call_is_not_sent_when_the_time_of_its_step_is_over() -> None:
    with server(says(answer(b"{}"))) as one:
        with pytest.raises(Unavailable, match="the time of this step is over"):
            transport(one, until=time.monotonic() - 1).get("/users", act="list users")
        assert one.asked == []


def test_a_compressed_answer_is_read_only_as_far_as_the_cap() -> None:
    bomb = gzip.compress(b" " * 300_000_000, 1)
    with server(says(answer(bomb, b"Content-Encoding: gzip"))) as one:
        tracemalloc.start()
        with pytest.raises(ProtocolError, match="longer than 16,777,216 bytes"):
            transport(one, timeout=10).get("/users", act="list users")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 200_000_000


def test_an_answer_compressed_twice_is_refused() -> None:
    with (
        server(says(answer(b"x", b"Content-Encoding: gzip, gzip"))) as one,
        pytest.raises(ProtocolError, match="gzip, gzip"),
    ):
        transport(one).get("/users", act="list users")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "nests deeper"),
        (b"[" * 100 + b"]" * 100, "nests deeper"),
        (b"[" + b"{}," * 2_000_000 + b"{}]", "more than 1,000,000 values"),
        (b'{"a": NaN}', "not whole JSON"),
        (b"[" + b"1" * 5000 + b"]", "not whole JSON"),
    ],
)
def test_json_that_nobody_needs_is_not_read(body: bytes, why: str) -> None:
    with server(says(answer(body))) as one, pytest.raises(ProtocolError, match=why):
        transport(one, timeout=10).get("/users", act="list users")


def test_a_zero_byte_and_a_lone_surrogate_become_a_sign_that_every_file_can_hold() -> None:
    body = b'{"na\\u0000me": ["J\\ud800ane", {"x": "\\ud83d\\ude00"}]}'
    with server(says(answer(body))) as one:
        assert transport(one).get("/users", act="read") == {"na\ufffdme": ["J\ufffdane", {"x": "😀"}]}


def test_plain_text_in_place_of_json_does_not_say_that_nobody_is_there() -> None:
    text = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\nBlocked"
    with server(says(text)) as one, pytest.raises(ProtocolError, match="find ann on odd-.*: its answer is not JSON"):
        transport(one).get("/users/ann", act="find ann")
    with server(says(text)) as one:
        assert transport(one).send("POST", "/users", act="create ann", json={}).status == 200


def test_a_file_of_authorities_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "ca.pem"
    odd.write_text("no certificate\n")
    with pytest.raises(InputError, match=f"{odd} holds no certificate authorities"):
        trust(str(odd))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(InputError, match="gone.pem can't be read"):
        trust("")


def test_a_list_of_ever_new_pages_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_PAGES", 20)
    numbers = iter(range(1000))
    with server(lambda line, write: write(answer(json.dumps({"next": f"/list/{next(numbers)}"}).encode()))) as one:
        with pytest.raises(ProtocolError, match="more than 20 pages"):
            list(transport(one).pages("/list", act="list", next_page=lambda a: a.body["next"]))
        assert len(one.asked) == 20


@pytest.mark.parametrize(
    "link",
    [
        "@evil.example/x",
        ".evil.example/x",
        "//evil.example/x",
        "https://evil.example/",
        "http://127.0.0.1:1/x",
        "\\\\evil/x",
        "http://127.0.0.1@evil.example/",
    ],
)
def test_a_page_link_leads_to_no_other_host(link: str) -> None:
    with server(says(answer(json.dumps({"next": link}).encode()))) as one:
        http = transport(one)
        seen: list[str] = []
        with pytest.raises(LifecycleError):
            for page in http.pages("/list", act="list", next_page=lambda a: a.body["next"]):
                seen.append(page.text)
                assert len(seen) < 3
        assert all(line.startswith("GET /") for line in one.asked) and len(one.asked) <= 2
        if link != "//evil.example/x":
            assert len(one.asked) == 1


def test_an_error_text_of_a_megabyte_is_cut_and_shows_what_would_steer_a_screen() -> None:
    body = json.dumps({"message": "\x1b[31m\u202e" + "no " * 400_000}).encode()
    with server(says(answer(body, status=b"400 Bad Request"))) as one, pytest.raises(LifecycleError) as caught:
        transport(one).get("/users", act="list users")
    said = str(caught.value)
    assert len(said) < 2500 and "\\x1b[31m\\u202e" in said and "\x1b" not in said and "more characters" in said


def test_retry_after_is_waited_out_as_often_as_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve times a second: what counts is max_wait, not a number of tries."""
    clock = virtual_time.install(monkeypatch)
    left = iter([answer(b"{}", b"Retry-After: 1", status=b"429 Too Many")] * 12 + [answer(b'{"ok": true}')])
    with server(lambda line, write: write(next(left))) as one:
        assert transport(one, max_wait=20).get("/users", act="list users") == {"ok": True}
        assert len(one.asked) == 13 and 12 <= clock.slept < 13


def test_a_system_that_asks_to_wait_longer_than_we_may_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = virtual_time.install(monkeypatch)
    with server(says(answer(b"{}", b"Retry-After: 7", status=b"429 Too Many"))) as one:
        with pytest.raises(Throttled):
            transport(one, max_wait=20).get("/users", act="list users")
        assert len(one.asked) == 3 and clock.slept == 14


@pytest.mark.parametrize("named", [b"nan", b"inf", b"1e999", b"-5", b"Mon, 99 Foo 2026", b"9" * 5000])
def test_a_time_to_wait_that_is_none_stops_nobody(named: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    virtual_time.install(monkeypatch)
    with server(says(answer(b"{}", b"Retry-After: " + named, status=b"429 Too Many"))) as one, pytest.raises(Throttled):
        transport(one, max_wait=5).get("/users", act="list users")


def test_a_secret_goes_out_in_plain_text_to_this_machine_only() -> None:
    for url in ("http://crm.example", "http://10.0.0.1", "http://127.0.0.1.example", "http://localhost.example"):
        with pytest.raises(InputError, match="is not encrypted.*https://"):
            Transport(Target("crm", "toy", url=url), bearer("t"))
        assert not keeps_secrets(url)
    for url in (
        "https://crm.example",
        "http://127.0.0.1:8080",
        "http://[::1]/",
        "http://localhost:1/x",
        "ldaps://d.example",
    ):
        assert keeps_secrets(url)


def test_a_header_takes_no_line_of_its_own() -> None:
    with server(says(answer(b"{}"))) as one:
        for value in ("a\r\nX-Evil: 1", "a\x00", "\u202e"):
            with pytest.raises(InputError, match="header X-Anchor"):
                transport(one).get("/users", act="read", headers={"X-Anchor": value})
        assert one.asked == []


# -- paths ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("ann@corp.example", "/users/ann%40corp.example/x"),
        ("a/b", "/users/a%2Fb/x"),
        ("a?b#c", "/users/a%3Fb%23c/x"),
        ("%2e%2e", "/users/%252e%252e/x"),
        ("été", "/users/%C3%A9t%C3%A9/x"),
        ("a..b", "/users/a..b/x"),
    ],
)
def test_a_value_is_one_quoted_segment_of_a_path(value: str, sent: str) -> None:
    with server(says(answer(b"{}"))) as one:
        transport(one).get(at("/users/{}/x", value), act="read")
        assert one.asked == [f"GET {sent} HTTP/1.1"]


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "../teams/platform/memberships/ada", "x/../y", "..\\x", "a\x00", "a\nb", "\ud800", "x" * 2001],
)
def test_a_value_that_steps_out_of_its_place_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="can't be a part of an address"):
        at("/users/{}/x", value)


@pytest.mark.parametrize(
    "path", ["/users/a b", "/users?x=1", "/users#x", "/a/../b", "/users/ann@x", "users", "/é", "/%2e"]
)
def test_a_path_that_somebody_put_together_is_refused_before_it_is_sent(path: str) -> None:
    with server(says(answer(b"{}"))) as one:
        with pytest.raises(InputError, match="is no path"):
            transport(one).get(path, act="read")
        assert one.asked == []


def test_two_exchanges_of_a_process_and_of_its_fork_each_end_in_time() -> None:
    """The thread that ends exchanges is a process's own: a fork has to start another."""

    def drips(line: str, write: Callable[[bytes], None]) -> None:
        write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            write(b"x")
            time.sleep(0.05)

    with server(drips) as slow:
        target = Target("slow", "toy", f"http://127.0.0.1:{slow.server_address[1]}", timeout=0.4)

        def ends() -> float:
            began = time.monotonic()
            with pytest.raises(Unavailable, match="no whole answer"):
                Transport(target, bearer("t"), Policy(attempts=1)).send("GET", "/", act="look", raw=False)
            return time.monotonic() - began

        assert ends() < 5
        child = os.fork()
        if not child:
            os._exit(0 if ends() < 5 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("no_proxy", "asked"),
    [("", True), ("elsewhere.example", True), ("127.0.0.1", False), ("10.0.0.0/8,127.0.0.0/8", False), ("*", False)],
)
def test_the_environments_proxy_is_used_but_for_whom_no_proxy_names(
    no_proxy: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = lambda line, write: write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")  # noqa: E731
    with server(say) as proxy, server(say) as system:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://ann:p%40ss@127.0.0.1:{proxy.server_address[1]}")
        monkeypatch.setenv("no_proxy", no_proxy)
        target = Target(f"here {no_proxy}", "toy", f"http://127.0.0.1:{system.server_address[1]}")
        Transport(target, bearer("t")).get("/users", act="look", params={"name": "a b", "left": None})
    assert [proxy.asked, system.asked] == (
        [[f"GET {target.url}/users?name=a+b HTTP/1.1"], []] if asked else [[], ["GET /users?name=a+b HTTP/1.1"]]
    )
