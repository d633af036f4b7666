# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Health and logs: what machines are told, and what must not be in it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import resource
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import health, logs
from lifecycle_bridge.errors import Unreachable
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import alerts
from starlette.applications import Starlette
from starlette.testclient import TestClient

# -- health


def client_of(checks: health.Checks) -> TestClient:
    return TestClient(Starlette(routes=list(health.health_routes(checks, Loops()))))


def test_what_no_restart_cures_is_no_matter_of_health() -> None:
    """The other half, a loop that hangs, is in test_loops.py."""
    client = client_of({"x": lambda: "bad"})
    answer = client.get("/healthz")
    assert answer.status_code == 200 and answer.json()["alive"] is True
    assert set(answer.json()["loops"].values()) == {"ok"}


def test_ready_names_what_is_wrong_and_tells_nobody_why(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise Unreachable("secret place")

    with client_of({"good": lambda: "", "bad": lambda: "disk /var/secret is full", "broken": broken}) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json() == {
        "ready": False,
        "checks": {"good": "ok", "bad": "failed", "broken": "failed"},
    }
    assert "disk /var/secret is full" in caplog.text and "secret" not in answer.text
    with client_of({"good": lambda: ""}) as client:
        assert client.get("/readyz").json() == {"ready": True, "checks": {"good": "ok"}}


def test_a_check_that_hangs_is_a_failed_one() -> None:
    release = threading.Event()
    asked_times = []

    def hangs() -> str:
        asked_times.append(1)
        release.wait(30)
        return ""

    async def both() -> list[dict[str, str]]:
        now = iter(range(0, 1000, 10))
        it = health.Health(
            {"hangs": hangs, "good": lambda: ""}, Loops(), patience=0.05, monotonic=lambda: float(next(now))
        )
        found = [await it.wrong(), await it.wrong()]
        release.set()
        return found

    for found in asyncio.run(both()):
        assert "not answered" in found["hangs"] and found["good"] == ""
    assert len(asked_times) == 1, "it is not asked again while it hangs: threads would pile up"


def test_the_database_is_asked_for_a_row_and_keeps_none(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'b.db'}")
    database.create()
    check = health.writable(database)
    assert check() == ""
    with database.read() as c:
        assert c.scalar(sa.select(sa.func.count()).select_from(alerts)) == 0
    database.close()
    read_only = Database(f"sqlite:///file:{tmp_path / 'b.db'}?mode=ro&uri=true")
    read_only.engine = sa.create_engine(f"sqlite:///file:{tmp_path / 'b.db'}?mode=ro&uri=true")
    assert "does not take a row" in health.writable(read_only)()


def test_a_full_disk_is_not_ready(tmp_path: Path) -> None:
    """A row that is rolled back needs no space: only what is committed does. Here the file may not grow any more."""
    database = Database(f"sqlite:///{tmp_path / 'b.db'}")
    database.create()
    check = health.writable(database)
    assert check() == ""
    wal = tmp_path / "b.db-wal"
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, before[1]))
        said = check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "does not take a row" in said
    assert check() == ""
    database.close()


# -- logs


def logged(form: str = "json", **how: Any) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.Json() if form == "json" else logs.Text())
    log = logging.Logger("lifecycle_bridge.test")
    log.addHandler(handler)
    how.pop("do", lambda log: log.info(how["message"], extra=how.get("extra")))(log)
    return out.getvalue()


def test_an_event_is_one_line_of_json() -> None:
    line = logged(
        message="hr bamboohr: received\nnot a second line",
        extra={"source": "bamboohr", "status": 200, "ms": 1.5, "new": True, "none": None},
    )
    assert line.count("\n") == 1
    said = json.loads(line)
    assert said.pop("time").endswith("Z")
    assert said == {
        "level": "info",
        "logger": "lifecycle_bridge.test",
        "message": "hr bamboohr: received not a second line",
        "source": "bamboohr",
        "status": 200,
        "ms": 1.5,
        "new": True,
        "none": None,
    }


@pytest.mark.parametrize(
    "text",
    [
        "mail to jane.doe@corp.example failed",
        "Authorization: Bearer abcdef0123456789",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIx.c2ln",
        "key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "postgresql://bridge:hunter2hunter2@db/x",
        "GET /sign-in/callback?code=abcdef0123456789&state=xyz",
    ],
)
def test_messages_are_cleaned(text: str) -> None:
    line = logged(message=text)
    for secret in ("jane.doe", "abcdef0123456789", "eyJ", "MfKQ9r8G", "hunter2"):
        assert secret not in line


@pytest.mark.parametrize(
    "name",
    [
        "body",
        "raw_body",
        "password",
        "client_secret",
        "token",
        "authorization",
        "cookie",
        "email",
        "work_mail",
        "first_name",
        "display_name",
        "api_key",
        "payload",
        "salary",
    ],
)
def test_fields_that_must_not_be_logged_are_not(name: str) -> None:
    assert "jane" not in logged(message="x", extra={name: "jane", "deep": {"anything": "jane"}, "listed": ["jane"]})


def test_of_an_exception_there_is_its_kind_and_place_and_only_our_own_words() -> None:
    def fails(failure: Exception) -> Any:
        def do(log: logging.Logger) -> None:
            try:
                raise failure
            except type(failure):
                log.exception("failed")

        return do

    line = json.loads(logged(do=fails(ValueError("row of Jane Doe, 85000"))))
    assert (
        line["exception"] == "ValueError"
        and "test_console_health_logs.py" in line["trace"][-1]
        and "Jane" not in json.dumps(line)
    )
    assert json.loads(logged(do=fails(Unreachable("poll hibob: no answer"))))["why"] == "poll hibob: no answer"


def test_requests_are_logged_without_their_query() -> None:
    line = json.loads(
        logged(
            do=lambda log: log.handle(
                logging.LogRecord(
                    "uvicorn.access",
                    logging.INFO,
                    "",
                    0,
                    '%s - "%s %s HTTP/%s" %d',
                    ("127.0.0.1:9", "GET", "/sign-in/callback?code=topsecret", "1.1", 303),
                    None,
                )
            )
        )
    )
    assert line["path"] == "/sign-in/callback" and line["status"] == 303 and "topsecret" not in json.dumps(line)


def test_a_person_reads_text_and_a_machine_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        for stream, start in ((Terminal(), ""), (io.StringIO(), "{")):
            logs.setup(stream=stream)
            logging.getLogger("lifecycle_bridge.x").info("begun", extra={"port": 8650})
            logging.getLogger("urllib3.connectionpool").debug("send: b'Authorization'")
            line = stream.getvalue()
            assert line.count("\n") == 1 and line.startswith(start) and ("port=8650" in line) != (start == "{")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(False)
