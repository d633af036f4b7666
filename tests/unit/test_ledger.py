# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ledger: what it remembers, and that nobody can change it unseen."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LedgerError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.entry import canonical, chained
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.pace import pace_of

from tests.unit import ledger_sample as sample

ARGS: dict[str, Any] = {
    "run": "r",
    "phase": "cutoff",
    "system": "entra",
    "step": "cutoff",
    "person": "jane@corp.example",
}
CHANGE = {"what": "sign-in", "before": "open", "after": "closed"}


@pytest.fixture()
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture()
def ledger(path: Path) -> Ledger:
    return Ledger.open(str(path))


def _alter(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)


def test_file_is_private_and_url_forms_agree(path: Path, ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {"key": "1"})
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert Ledger.open(f"sqlite://{path}").case(case.id) == Ledger.open(f"sqlite:///{path}").case(case.id) == case


def test_cannot_open_says_path_and_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerError, match=r"file/ledger.db.*set lifecycle_ledger") as e:
        Ledger.open(str(tmp_path / "file" / "ledger.db"))
    assert e.value.code == "ledger"
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open("mysql://x/y")


def test_a_finished_case_that_runs_again_is_the_same(ledger: Ledger) -> None:
    first = ledger.open_case("offboard", sample.PERSON, "r1", {"key": "2026"})
    ledger.close_case(first.id, run="r1", complete=False, summary={})
    assert not ledger.case(first.id).closed
    ledger.close_case(first.id, run="r1", complete=True, summary={"open": 0})
    again = ledger.open_case("offboard", sample.PERSON, "r2", {"key": "2026"})
    assert again.id == first.id and again.closed and ledger.cases(open_only=True) == []
    later = ledger.open_case("offboard", sample.PERSON, "r3", {"key": "2027"})
    assert later.id != first.id and [c.id for c in ledger.cases(person=sample.PERSON["email"])] == [first.id, later.id]


def test_history_of_a_killed_run(ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    number = ledger.intent(case.id, **ARGS, changes=[CHANGE], irreversible=True)
    known = ledger.history(case.id, "entra", "cutoff")
    assert known["open_intent"] == number and known["unsure"] == ["sign-in"] and known["since"] == case.opened
    ended = ledger.settle(number, run="r2", reason="killed")
    assert ledger.settle(number, run="r2", reason="killed") == ended
    # A run that only asked for confirmation says nothing about what the killed one sent.
    ledger.outcome(
        case.id,
        **ARGS,
        intent=None,
        result={"outcome": "needs_human", "changes": [{**CHANGE, "outcome": "needs_human"}]},
    )
    assert ledger.history(case.id, "entra", "cutoff")["unsure"] == ["sign-in"]
    ledger.attest(case.id, system="entra", step="cutoff", by="ann", at="2026-01-01T00:00:00Z", note="seen")
    known = ledger.history(case.id, "entra", "cutoff")
    assert (
        known["unsure"] == []
        and known["acknowledged"] == {"sign-in": "2026-01-01T00:00:00Z"}
        and known["open_intent"] is None
    )
    assert ledger.attested(case.id, "entra")[0]["by"] == "ann"


def test_history_remembers_acknowledged_and_done(ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    ledger.outcome(
        case.id,
        **ARGS,
        intent=None,
        result={
            "outcome": "acknowledged",
            "changes": [
                {**CHANGE, "outcome": "acknowledged", "at": "T1"},
                {**CHANGE, "what": "b", "outcome": "done", "at": "T2"},
            ],
        },
    )
    ledger.outcome(
        case.id, **ARGS, intent=None, result={"outcome": "already", "changes": [{**CHANGE, "outcome": "already"}]}
    )
    known = ledger.history(case.id, "entra", "cutoff")
    assert (
        known["acknowledged"] == {"sign-in": "T1"}
        and known["done"] == {"b": "T2"}
        and known["last"]["outcome"] == "already"
    )


def test_what_a_person_has_to_look_at_waits_though_a_later_run_sees_nothing_of_it(ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    left = {**CHANGE, "what": "secret s", "outcome": "needs_human", "note": "replace it", "lasting": True}
    ledger.outcome(case.id, **ARGS, intent=None, result={"outcome": "needs_human", "changes": [left]})
    ledger.outcome(case.id, **ARGS, intent=None, result={"outcome": "already", "changes": []})
    known = ledger.history(case.id, "entra", "cutoff")
    assert known["waiting"] == {"secret s": "replace it"} and not known["attested"]


def test_secrets_stay_out(path: Path, ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    with pytest.raises(LedgerError, match="password must not enter"):
        ledger.intent(case.id, **ARGS, changes=[{**CHANGE, "after": {"password": "hunter2"}}], irreversible=False)
    ledger.outcome(
        case.id,
        **ARGS,
        intent=None,
        result={"outcome": "done", "changes": [{**CHANGE, "before": {"access_token": "hunter2"}, "after": b"hunter2"}]},
    )
    assert not any(b"hunter2" in file.read_bytes() for file in path.parent.iterdir())


def test_steps(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    steps = {(s["system"], s["step"]): s for s in ledger.steps(case.id)}
    assert steps["github", "cutoff"]["outcome"] == "failed" and steps["entra", "cutoff"]["attempts"] == 1
    sample.step(ledger, case, "github", "cutoff", [sample.row("membership")])
    again = next(s for s in ledger.steps(case.id) if s["system"] == "github")
    assert (again["outcome"], again["attempts"]) == ("done", 2)
    ledger.intent(case.id, **{**ARGS, "system": "github"}, changes=[CHANGE], irreversible=False)
    assert next(s for s in ledger.steps(case.id) if s["system"] == "github")["outcome"] == "unknown"


def _renamed(number: int, to: int) -> str:
    return f"UPDATE ledger SET n = {to} WHERE n = {number}"


@pytest.mark.parametrize(
    ("statements", "bad"),
    [
        (["UPDATE ledger SET body = replace(body, 'already', 'done') WHERE n = 25"], 25),
        (["UPDATE ledger SET person = 'bob' WHERE n = 7"], 7),
        (["DELETE FROM ledger WHERE n = 5"], 5),
        (["DELETE FROM ledger WHERE n = 1"], 1),
        (["DELETE FROM ledger WHERE n = 5", "UPDATE ledger SET n = n - 1 WHERE n > 5"], 5),
        ([_renamed(4, 900), _renamed(6, 4), _renamed(900, 6)], 4),
        (
            [
                "UPDATE ledger SET n = n + 1000 WHERE n > 8",
                "UPDATE ledger SET n = n - 999 WHERE n > 1000",
                "INSERT INTO ledger SELECT 9, at, kind, case_id, system, step, person, ref, body, hash FROM ledger WHERE n = 8",
            ],
            9,
        ),
        (["DELETE FROM ledger WHERE n > 30"], 31),
    ],
)
def test_tampering_is_found(path: Path, ledger: Ledger, statements: list[str], bad: int) -> None:
    sample.leaver(ledger)
    assert ledger.verify().ok
    _alter(path, *statements)
    verdict = ledger.verify()
    assert not verdict.ok and verdict.bad == bad and verdict.problem


def test_a_cut_that_also_fixes_the_stored_head_needs_the_printed_one(path: Path, ledger: Ledger) -> None:
    sample.leaver(ledger)
    printed = ledger.head()
    _alter(
        path,
        "DELETE FROM ledger WHERE n > 20",
        "UPDATE ledger_head SET n = 20, hash = (SELECT hash FROM ledger WHERE n = 20)",
    )
    assert ledger.verify().ok
    assert not ledger.verify(printed).ok and "cut off" in ledger.verify(printed).problem


def test_an_old_printed_head_still_fits(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    printed = ledger.head()
    ledger.intent(case.id, **ARGS, changes=[CHANGE], irreversible=False)
    verdict = ledger.verify(printed)
    assert verdict.ok and verdict.open_intents == 1


def test_a_chain_written_anew_does_not_hold_the_printed_head(path: Path, ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    printed = ledger.head()
    row = next(iter(ledger.storage.query("SELECT body FROM ledger")))
    body = row[0].replace("Jane", "June")
    new = chained("0" * 64, body)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE ledger SET body = ?, hash = ?", (body, new))
        db.execute("UPDATE ledger_head SET hash = ?", (new,))
    assert (
        ledger.verify().ok
        and not ledger.verify(printed).ok
        and canonical({"b": 1, "a": case.kind}) == '{"a":"offboard","b":1}'
    )


def _appender(url: str, case_id: str, system: str, count: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            ledger = Ledger.open(url)
            for _ in range(count):
                ledger.intent(case_id, **{**ARGS, "system": system}, changes=[CHANGE], irreversible=False)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child must not return into pytest
            os._exit(1)
    return child


def _twelve(url: str) -> None:
    ledger = Ledger.open(url)
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    children = [_appender(url, case.id, f"s{number}", 50) for number in range(12)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 12
    verdict = ledger.verify()
    assert verdict.ok and verdict.entries == 601 and verdict.open_intents == 600


def test_twelve_processes(path: Path) -> None:
    _twelve(str(path))


def test_two_connections_of_one_process_outlive_another_process_that_ends(path: Path) -> None:
    """Who closes a file ends all of the process's locks on it (sqlite.org/howtocorrupt.html, 2.2): another would take itself for the last one."""
    ours = [Ledger(str(path)), Ledger(str(path))]
    for ledger in ours:
        ledger.note("said", {"n": 1}, case="c", run="r")
    other = f"import sqlite3; sqlite3.connect({str(path)!r}).execute('SELECT count(*) FROM ledger').fetchall()"
    subprocess.run([sys.executable, "-c", other], check=True)
    for ledger in ours:
        ledger.note("said", {"n": 2}, case="c", run="r")
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sqlite3; print(*sqlite3.connect({str(path)!r}).execute('SELECT count(*) FROM ledger').fetchone())",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert told.strip() == "4"


def test_a_new_file_that_another_process_is_just_writing_to_is_waited_for(path: Path) -> None:
    """Two HR systems are read at once, and each opens the ledger: SQLite refuses the change to WAL without waiting."""
    path.parent.mkdir(exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE others (n)")
    other.execute("BEGIN IMMEDIATE")
    ends = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    ends.start()
    try:
        Ledger(str(path)).note("said", {"n": 1}, case="c", run="r")
    finally:
        ends.join()
        other.close()
    assert Ledger(str(path)).storage.query("PRAGMA journal_mode") == [("wal",)]


def test_killed_while_appending(path: Path, ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {})
    for _ in range(3):
        before = ledger.verify().entries
        child = _appender(str(path), case.id, "s", 10**9)
        while ledger.storage.query("SELECT n FROM ledger_head")[0][0] < before + 5:
            pass
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert ledger.verify().ok
    ledger.close_case(case.id, run="r", complete=True, summary={})
    assert ledger.verify().ok


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL here")
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="wl-pg-"))
    run_as: list[str] = []
    if os.geteuid() == 0:
        run_as = ["runuser", "-u", "nobody", "--"]
        shutil.chown(home, "nobody")
    bin_ = found[-1].parent
    subprocess.run(
        [*run_as, bin_ / "initdb", "-D", home / "db", "-A", "trust", "-U", "lifecycle", "-N"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories='{home}'"
    subprocess.run(
        [*run_as, bin_ / "pg_ctl", "-D", home / "db", "-w", "-l", home / "log", "-o", options, "start"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        yield f"postgresql://lifecycle@/postgres?host={home}"
    finally:
        subprocess.run(
            [*run_as, bin_ / "pg_ctl", "-D", home / "db", "-m", "immediate", "stop"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def without_encoding(postgres: str) -> str:
    """A database as a server makes it that was set up without a locale."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute("CREATE DATABASE plain ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    return postgres.replace("/postgres?", "/plain?")


@pytest.mark.debian
def test_a_database_without_an_encoding_gives_names_back_as_they_were_written(without_encoding: str) -> None:
    ledger = Ledger(without_encoding)
    case = ledger.open_case("offboard", {**sample.PERSON, "last_name": "Gonçalves-Müller"}, "r", {})
    assert ledger.verify().ok
    assert Ledger(without_encoding).case(case.id).person["last_name"] == "Gonçalves-Müller"


@pytest.mark.debian
def test_machines_that_share_a_database_share_one_pace(postgres: str) -> None:
    here, there = pace_of(Ledger(postgres)), pace_of(Ledger(postgres))
    assert here.turn("okta", 50.0) < 1 and here.turn("entra", 50.0) < 1
    assert 45 < there.turn("okta", 50.0) <= 50 and 95 < here.turn("okta", 5000.0) <= 100
    assert there.turn("okta", 1.0) < 1, "an hour is no queue"


@pytest.mark.debian
def test_postgres(postgres: str) -> None:
    _twelve(postgres)
    ledger = Ledger.open(postgres)
    case = sample.leaver(ledger)
    assert len(ledger.steps(case.id)) == 18 + 12  # the open case of the twelve, taken up again
    printed = ledger.head()
    with ledger.storage.writing(durable=True) as query:
        query("DELETE FROM ledger WHERE n = (SELECT max(n) FROM ledger)", ())
    assert not ledger.verify(printed).ok


@pytest.mark.debian
def test_the_postgres_password_is_in_no_output() -> None:
    with pytest.raises(LedgerError) as e:
        Ledger.open("postgresql://me:hunter2@127.0.0.1:1/nowhere")
    assert "hunter2" not in str(e.value) and "127.0.0.1:1/nowhere" in str(e.value)
