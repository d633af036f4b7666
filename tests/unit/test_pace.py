# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One pace a system, however many people are at work on it side by side, and in however many runs."""

from __future__ import annotations

import http.server
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import pace
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import pace as shared
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

RATE = 20.0
#: Sends ``argv[3]`` requests from four threads, paced by the ledger at ``argv[2]``.
SENDER = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Policy, Transport, bearer
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.pace import pace_of
target = Target("okta", "okta", sys.argv[1], pace=pace_of(Ledger.open(sys.argv[2])))
api = Transport(target, bearer("t"), Policy(rate={RATE}))
with ThreadPoolExecutor(4) as threads:
    list(threads.map(lambda n: api.get("/users", act="look"), range(int(sys.argv[3]))))
"""


class Counting(http.server.ThreadingHTTPServer):
    """Notes when each request came."""

    def __init__(self) -> None:
        self.came: list[float] = []
        super().__init__(("127.0.0.1", 0), Answers)


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def do_GET(self) -> None:
        self.server.came.append(time.monotonic())
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture()
def server() -> Iterator[Counting]:
    with Counting() as counting:
        threading.Thread(target=counting.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield counting
        counting.shutdown()


def _sends(server: Counting, ledger: Path, requests: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SENDER, f"http://127.0.0.1:{server.server_address[1]}", str(ledger), str(requests)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _busiest_second(came: list[float]) -> int:
    """The most requests that came within any one second."""
    return max(sum(began <= one < began + 1.0 for one in came) for began in came)


def test_people_side_by_side_share_one_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace.time, "monotonic", lambda: 100.0)
    turns = pace.ProcessPace()
    with ThreadPoolExecutor(4) as threads:
        waits = list(threads.map(lambda _n: turns.turn("okta", 0.5), range(8)))
    assert sorted(waits) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert turns.turn("entra", 0.5) == 0.0, "another system has a pace of its own"


def test_runs_at_once_share_one_pace_and_one_that_is_killed_stops_nobody(server: Counting, tmp_path: Path) -> None:
    ledger = tmp_path / "state" / "ledger.db"
    Ledger.open(str(ledger))
    doomed = _sends(server, ledger, 1000)
    while not server.came:
        time.sleep(0.01)
    runs = [_sends(server, ledger, 15) for _n in range(3)]
    time.sleep(0.5)
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    # What was sent in turn may come together: a late thread, and the sockets in between.
    assert len(server.came) >= 45 and _busiest_second(server.came) <= RATE * 1.5, _busiest_second(server.came)
    kept = list((tmp_path / "state" / "ledger.db.pace").iterdir())
    assert len(kept) == 1 and stat.S_IMODE(kept[0].stat().st_mode) == 0o600


def test_a_turn_that_another_boot_or_another_clock_left_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = shared.FilePace(tmp_path / "pace")
    assert [turns.turn("okta", 5.0) < 0.1, turns.turn("okta", 5.0) > 4.5] == [True, True]
    monkeypatch.setattr(shared, "_boot", lambda: b"another boot....")
    assert turns.turn("okta", 5.0) < 0.1
    turns.turn("okta", 2 * shared.LONGEST)
    assert turns.turn("okta", 1.0) < 0.1, "an hour is no queue"
    (file,) = (tmp_path / "pace").iterdir()
    file.write_bytes(b"half")
    assert turns.turn("okta", 1.0) < 0.1


def test_where_no_turn_can_be_kept_the_process_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    turns = shared.FilePace(tmp_path / "file" / "pace")
    assert [turns.turn("nowhere", 5.0) < 0.1, turns.turn("nowhere", 5.0) > 4.5] == [True, True]


def test_without_a_rate_nothing_is_kept(server: Counting, tmp_path: Path) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
    from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Transport, bearer

    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    target = Target("okta", "okta", f"http://127.0.0.1:{server.server_address[1]}", pace=shared.pace_of(ledger))
    assert Transport(target, bearer("t")).get("/users", act="look") == {}
    assert not (tmp_path / "ledger.db.pace").exists()


@pytest.mark.parametrize(
    ("url", "waits"), [("https://api.github.com", True), ("https://github.corp.example/api/v3", False)]
)
def test_a_limit_of_the_vendors_cloud_holds_there_and_not_for_what_a_company_runs_itself(url: str, waits: bool) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
    from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Policy, Transport, bearer

    turns = pace.ProcessPace()
    api = Transport(
        Target("github", "github", url, pace=turns), bearer("t"), Policy(rate=15.0, rate_on="api.github.com")
    )
    api._await_turn()
    assert bool(turns._next) is waits
