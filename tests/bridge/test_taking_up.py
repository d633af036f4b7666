# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a run needs when not the run fails but what carries it: the database goes away, the executor has a mistake, two bridges disagree about the time."""

from __future__ import annotations

import os
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import bridges as company
from lifecycle_bridge import clock, service
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.post import Post
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import Alert
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.tables import alerts, bridges, runs, sources

from tests.bridge.test_work import Scripted, World, ended, until
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture


def _leaver(folder: Path) -> World:
    """Somebody who has to be cut now."""
    world = World(folder)
    world.looked()
    world.decided("7", ("offboard", datetime.now(UTC)), now=datetime.now(UTC))
    return world


def _work(world: World, executor: Any, state: str) -> None:
    bridge = Bridge(world.config, executor)
    bridge.start()
    try:
        until(lambda: world.of("7")[0]["state"] == state)
    finally:
        bridge.stop()
        world.database.close()


def test_a_run_whose_end_could_not_be_written_is_settled_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = Cases.settle, threading.Event()

    def settle(self: Cases, ident: str, result: Result, now: datetime) -> Any:
        if not failed.is_set():
            failed.set()
            raise sa.exc.OperationalError("UPDATE runs", {}, OSError("server closed the connection"))
        return real(self, ident, result, now)

    monkeypatch.setattr(Cases, "settle", settle)
    scripted = Scripted({"offboard": lambda order: ended("7")})
    _work(_leaver(tmp_path), scripted, "done")
    assert failed.is_set() and len({order.ident for order in scripted.asked}) == 1, (
        "the same run: an executor that knows it hands back its end"
    )


def test_a_run_that_can_never_be_settled_is_an_alert_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours, such as a result that cannot be read: the person is in no other run until it is mended."""
    real, failed, world = Cases.settle, threading.Event(), _leaver(tmp_path)
    heard: list[Alert] = []

    def hear(self: Post, alert: Alert) -> str:
        heard.append(alert)
        return "mail"

    def settle(self: Cases, ident: str, result: Result, now: datetime) -> Any:
        if not heard:
            raise KeyError("key")
        failed.set()
        return real(self, ident, result, now)

    monkeypatch.setattr(Cases, "settle", settle)
    monkeypatch.setattr(Post, "alert", hear)
    monkeypatch.setattr(service, "_PAUSE", 0.0)
    bridge = Bridge(world.config, Scripted({"offboard": lambda order: ended("7")}))
    bridge.start()
    try:
        until(lambda: [row.settled_by for row in alerts_of(world)] == ["bridge"])
        until(lambda: [one.over for one in heard] == [False, True])
    finally:
        bridge.stop()
    (row,) = alerts_of(world)
    assert failed.is_set() and row.key.startswith("run:offboard-hr-7-")
    assert "cannot be begun or settled (KeyError)" in row.detail and world.of("7")[0]["state"] == "done"
    world.database.close()


def alerts_of(world: World) -> list[Any]:
    with world.database.read() as c:
        return list(c.execute(sa.select(alerts).where(alerts.c.key.like("run:%"))))


def test_a_run_that_was_never_begun_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = Cases.begin, threading.Event()

    def begin(self: Cases, ident: str, owner: str, now: datetime) -> Any:
        if not failed.is_set():
            failed.set()
            raise sa.exc.OperationalError("INSERT", {}, OSError("database is locked"))
        return real(self, ident, owner, now)

    monkeypatch.setattr(Cases, "begin", begin)
    _work(_leaver(tmp_path), Scripted({"offboard": lambda order: ended("7")}), "done")
    assert failed.is_set()


def test_an_executor_with_a_mistake_keeps_nobody_waiting_for_ever(tmp_path: Path) -> None:
    def fails(order: Order) -> Result:
        raise ValueError("a mistake, with jane@corp.example in it")

    world = _leaver(tmp_path)
    _work(world, Scripted({"offboard": fails}), "waiting")
    assert world.of("7")[0]["detail"] == "the executor failed: ValueError"


def test_after_an_old_database_is_restored_the_same_run_goes_on(tmp_path: Path) -> None:
    """Restored from a backup: the executor is asked for the run by its old name, and does not begin a second."""
    world, scripted = _leaver(tmp_path), Scripted({"offboard": lambda order: ended("7")})
    with sqlite3.connect(tmp_path / "bridge.db") as live:
        live.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    _work(world, scripted, "done")
    for file in ("bridge.db", "bridge.db-wal", "bridge.db-shm"):
        (tmp_path / file).unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(tmp_path / "bridge.db")
    restored = World(tmp_path)
    assert restored.of("7")[0]["state"] == "upcoming"
    _work(restored, scripted, "done")
    assert len(scripted.asked) == 2 and len({order.ident for order in scripted.asked}) == 1


def test_two_bridges_whose_clocks_differ_do_not_take_each_other_for_dead(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.replace("postgresql://", "postgresql+psycopg://")
    world = World(tmp_path)
    config = world.config.model_copy(update={"database": url})
    other, ours = Bridge(config, Scripted({})), Bridge(config, Scripted({}))
    other.bridges.owner = "elsewhere.00000000.1-1-1"
    ours.database.create()
    other.bridges.beat()
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
    ours.bridges.beat()
    with ours.database.write() as c:
        c.execute(
            sa.insert(runs).values(
                ident="theirs-1",
                playbook="p",
                cases="[]",
                status="running",
                owner=other.bridges.owner,
                started_at=stamp(clock.now()),
            )
        )
    assert ours.bridges.take_over() == []
    with ours.database.write() as c:
        assert c.execute(sa.select(runs.c.owner)).scalar_one() == other.bridges.owner
        c.execute(
            sa.update(bridges)
            .where(bridges.c.owner == other.bridges.owner)
            .values(beat_at=stamp(datetime.now(UTC) - timedelta(seconds=21)))
        )
    assert ours.bridges.take_over() == ["theirs-1"]
    for bridge in (other, ours):
        bridge.database.close()
    world.database.close()


def test_a_process_of_the_same_number_in_another_container_is_not_ours() -> None:
    mine = f"{company.machine()}-{2**22 + 1}-abc"
    assert company.is_gone(mine), "no such process here"
    assert not company.is_gone(f"{company.machine()}-{os.getpid()}-abc")
    assert not company.is_gone(mine.replace(".", ".0", 1)), (
        "of another machine, or container: only its silence says that it is dead"
    )


def test_bridges_that_start_together_on_an_empty_database_make_the_tables_once(postgres: str) -> None:
    admin = Database(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.execute(sa.text("CREATE DATABASE together"))
    url = postgres.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", "/together?")
    failures: list[BaseException] = []
    barrier = threading.Barrier(6)

    def make() -> None:
        database = Database(url)
        try:
            barrier.wait(30)
            database.create()
        except Exception as failure:  # noqa: BLE001 - judged below
            failures.append(failure)
        finally:
            database.close()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    admin.close()
    assert failures == []
    database = Database(url)
    with database.read() as c:
        assert c.execute(sa.select(sa.func.count()).select_from(sources)).scalar_one() == 0
    database.close()
