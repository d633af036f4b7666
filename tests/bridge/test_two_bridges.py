# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Two bridges, each a process, on one database; one is killed with people at work. And a backup, put back."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge.config import Config, Secret, Source
from lifecycle_bridge.execute import Order
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.tables import cases, sources

from tests.bridge.test_work import Scripted, World, ended, until
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture

#: A bridge whose runs take a while, and write when each person's began and ended.
PROCESS = """
import os, sys, time
from pathlib import Path
from lifecycle_bridge.config import Config, Secret, Source
from lifecycle_bridge.execute import Result
from lifecycle_bridge.service import Bridge

folder, url = Path(sys.argv[1]), sys.argv[2]

class Slow:
    def run(self, order, *, stop, progress):
        user = order.extra_vars["user"]
        people = [one.removeprefix("hr_id:") for one in (user if isinstance(user, list) else [user])]
        def say(what):
            with (folder / "log").open("a") as log:
                log.write("".join(f"{what} {person} {os.getpid()}\\n" for person in people))
        say("begin")
        time.sleep(0.4)
        say("end")
        return Result("successful", stats={"cases": [{"case": one, "key": one, "complete": True, "open": [], "record": ""} for one in people]})
    def warm(self):
        pass
    def sweep(self, now):
        return 0
    def close(self):
        pass
    def check(self):
        return []

config = Config(database=url, work=folder / "runs", sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")])}, at_once=2, together=1)
bridge = Bridge(config, Slow())
bridge.start()
(folder / f"up-{os.getpid()}").touch()
while True:
    time.sleep(1)
"""
PEOPLE = [str(number) for number in range(8)]


def _killed(folder: Path, url: str) -> None:
    config = Config(database=url, sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")])})
    database = Database(url)
    database.create()
    now = datetime.now(UTC)
    with database.write() as c:
        c.execute(sa.insert(sources).values(name="hr", judged_at=stamp(now)))
    Cases(database, config).apply(
        "b",
        [
            {
                "source": "hr",
                "id": one,
                "user": f"hr_id:{one}",
                "zone": "",
                "why": "left",
                "urgent": False,
                "undo": False,
                "alert": "",
                "cancels": [],
                "runs": [{"kind": "offboard", "stage": "", "at": stamp(now)}],
            }
            for one in PEOPLE
        ],
        now,
    )
    (folder / "log").touch()
    both = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(folder), url],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=(folder / f"out{number}").open("w"),
            stderr=subprocess.STDOUT,
        )
        for number in range(2)
    ]
    try:

        def at_work(pid: int) -> bool:
            lines = _lines(folder)
            return any(("begin", person, pid) in lines and ("end", person, pid) not in lines for person in PEOPLE)

        _until(lambda: at_work(both[0].pid) and any(pid == both[1].pid for _, _, pid in _lines(folder)), folder)
        both[0].send_signal(signal.SIGKILL)
        both[0].wait(10)

        def states() -> list[str]:
            with database.read() as c:
                return list(c.execute(sa.select(cases.c.state)).scalars())

        _until(lambda: set(states()) == {"done"}, folder)
    finally:
        for one in both:
            one.kill()
            one.wait(10)
        database.close()
    begun: dict[str, int] = {}
    ends = dict.fromkeys(PEOPLE, 0)
    for what, person, pid in _lines(folder):
        if what == "begin":
            assert person not in begun or begun[person] == both[0].pid, (
                f"{person} is run by two at once: {_lines(folder)}"
            )
            begun[person] = pid
        else:
            ends[person] += 1
            del begun[person]
    assert all(ends.values()), "nobody is lost"
    assert sum(ends.values()) <= len(PEOPLE) + 2, "only what the dead one may have ended without a word is run again"
    assert len({pid for what, _, pid in _lines(folder) if what == "end"}) == 2 or both[1].pid in {
        pid for _, _, pid in _lines(folder)
    }


def _lines(folder: Path) -> list[tuple[str, str, int]]:
    return [
        (what, person, int(pid))
        for what, person, pid in (line.split() for line in (folder / "log").read_text().splitlines())
    ]


def _until(true: Callable[[], bool], folder: Path) -> None:
    end = time.monotonic() + 90
    while not true():
        assert time.monotonic() < end, (
            "".join((folder / f"out{number}").read_text()[-3000:] for number in range(2)) + (folder / "log").read_text()
        )
        time.sleep(0.02)


@pytest.mark.soak
def test_one_of_two_is_killed_on_sqlite(tmp_path: Path) -> None:
    _killed(tmp_path, f"sqlite:///{tmp_path}/bridge.db")


def test_one_of_two_is_killed_on_postgresql(postgres: str, tmp_path: Path) -> None:
    _killed(tmp_path, postgres.replace("postgresql://", "postgresql+psycopg://"))


def test_a_backup_put_back_loses_nothing_and_runs_nobody_beside_themselves(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    world = World(tmp_path / "before")
    world.looked()
    now = datetime.now(UTC)
    world.decided("7", ("offboard", now), now=now)
    with sqlite3.connect(tmp_path / "before" / "bridge.db") as live:
        live.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    first = Scripted({"offboard": lambda order: ended("7")})
    bridge = Bridge(world.config, first)
    bridge.start()
    try:
        until(lambda: world.of("7")[0]["state"] == "done")
    finally:
        bridge.stop()
        world.database.close()
    (tmp_path / "after").mkdir()
    (tmp_path / "backup.db").rename(tmp_path / "after" / "bridge.db")
    restored = World(tmp_path / "after")
    assert restored.of("7")[0]["state"] == "upcoming", "the backup is from before the run"
    again = Scripted({"offboard": lambda order: ended("7")})
    bridge = Bridge(restored.config, again)
    bridge.start()
    try:
        until(lambda: restored.of("7")[0]["state"] == "done")
    finally:
        bridge.stop()
        restored.database.close()
    orders: list[Order] = [*first.asked, *again.asked]
    assert len({order.ident for order in orders}) == 1, (
        "the same run: an executor that knows it takes it up, and begins no second"
    )


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    from lifecycle_bridge.config import load

    config: Any = load(Path(__file__).resolve().parents[2] / "bridge" / "deploy" / "bridge.example.yml")
    assert config.sources["bamboohr"].poll is not None and config.executor.kind == "runner"
