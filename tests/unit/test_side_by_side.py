# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Two hundred people on one system, eight at once: each gets their own answer, over a connection that is nobody else's meanwhile."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Transport, bearer

from sandbox.box import Box
from sandbox.servers.moto import Moto
from sandbox.servers.pymap import Pymap
from sandbox.vendors import ldap as directory
from tests.support import connect, person_of

PEOPLE, AT_ONCE = 200, 8
#: Of the systems whose server in the tests is slow.
FEW = 32
STAFF = ("jane", "mark", "grace")


def side_by_side(work: Callable[[int], Any], people: int = PEOPLE) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(work, range(people)))


class Echo(http.server.ThreadingHTTPServer):
    """Answers with what was asked, and counts its connections."""

    def __init__(self) -> None:
        self.connections = 0
        super().__init__(("127.0.0.1", 0), Echoes)


class Echoes(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Echo

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        content = b'{"asked": "%b"}' % self.path.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture()
def echo() -> Iterator[Echo]:
    with Echo() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def test_over_http_each_gets_their_own_answer_and_connections_are_used_again(echo: Echo) -> None:
    target = Target("echo", "toy", f"http://127.0.0.1:{echo.server_address[1]}")

    def ask(n: int) -> str:
        return str(Transport(target, bearer("t")).get(f"/users/{n}", act="look")["asked"])

    assert side_by_side(ask) == [f"/users/{n}" for n in range(PEOPLE)]
    assert echo.connections <= AT_ONCE


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([directory.Ldap, Moto, Pymap]) as box:
        yield box


@pytest.mark.parametrize(("system", "of"), [("ldap", PEOPLE), ("aws", FEW)])
def test_a_systems_own_protocol_gives_each_their_own_account(system: str, of: int, box: Box) -> None:
    people = [Person.of(person_of(box, key)) for key in STAFF]
    alone = [connect(box, system).find_account(person) for person in people]
    assert any(alone)
    found = side_by_side(lambda n: connect(box, system).find_account(people[n % len(people)]), of)
    assert [account and account.id for account in found] == [
        alone[n % len(people)] and alone[n % len(people)].id for n in range(of)
    ]


def test_over_imap_each_reads_their_own_mailbox(box: Box) -> None:
    people = [Person.of(person_of(box, key)) for key in STAFF]

    def folders(n: int) -> list[Any]:
        return [(one.name, one.messages) for one in connect(box, "imap").mail_folders(people[n % len(people)])]

    alone = [folders(n) for n in range(len(people))]
    assert side_by_side(folders, FEW) == [alone[n % len(people)] for n in range(FEW)]


def test_every_connector_says_how_many_people_it_takes_at_once() -> None:
    assert {name for name, one in CONNECTORS.items() if not 1 <= one.PARALLEL <= 32} == set()
    assert CONNECTORS["github"].PARALLEL == 1, "its vendor wants one request after another"
