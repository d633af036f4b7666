# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A day on which many leave: queued behind the brake, released by name, in order, within bounded memory. The bridge is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: Stands for the collection: no group of leavers passes the brake (25) before its people are released by name.
PROCESS = """
import json, sys, threading, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlalchemy as sa
from lifecycle_bridge.config import Config, Secret, Source
from lifecycle_bridge.execute import Result
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.tables import cases, sources

folder, number = Path(sys.argv[1]), int(sys.argv[2])
begun, released, most, at_work, lock = [], set(), 0, 0, threading.Lock()

class Company:
    def run(self, order, *, stop, progress):
        global most, at_work
        given = order.extra_vars["user"]
        users = given if isinstance(given, list) else [given]
        people = [one.removeprefix("hr_id:") for one in users]
        if order.playbook.endswith("release_brake"):
            released.update(people)
            return Result("successful")
        if order.playbook.endswith("offboard") and not released.issuperset(people):
            return Result("failed", detail="more leavers than 25", codes=("brake",), brakes=("leavers",))
        with lock:
            at_work += 1
            most = max(most, at_work)
            begun.extend((order.playbook.rpartition(".")[2], person) for person in people)
        time.sleep(0.01)
        with lock:
            at_work -= 1
        return Result("successful", stats={"cases": [{"case": one, "key": one, "complete": True, "open": [], "record": ""} for one in people]})
    def warm(self):
        pass
    def sweep(self, now):
        return 0
    def close(self):
        pass
    def check(self):
        return []

config = Config(database=f"sqlite:///{folder}/bridge.db", work=folder / "runs", sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")])}, at_once=3, together=50)
bridge = Bridge(config, Company())
bridge.database.create()
now = datetime.now(UTC)
with bridge.database.write() as c:
    c.execute(sa.insert(sources).values(name="hr", judged_at=stamp(now)))
def decision(person, kind, at, urgent=False):
    return {"source": "hr", "id": person, "user": f"hr_id:{person}", "zone": "", "why": "w", "urgent": urgent, "undo": False, "alert": "", "cancels": [],
            "runs": [{"kind": kind, "stage": "", "at": stamp(at)}]}
bridge.cases.apply("day", [decision(f"{n:04}", "offboard", now - timedelta(seconds=number - n)) for n in range(number)], now)
bridge.start()

def states():
    with bridge.database.read() as c:
        return dict(c.execute(sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state)).all())
def until(true):
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end, states()
        time.sleep(0.05)
until(lambda: states() == {"held": number})
assert not begun, "nobody passed the brake"
# Joiners and somebody who has to go now come in between.
bridge.cases.apply("more", [decision("joiner", "onboard", now), decision("urgent", "rename", now, True)], now)
until(lambda: states() == {"held": number, "done": 2})
del begun[:]
with bridge.database.read() as c:
    ids = list(c.execute(sa.select(cases.c.id).where(cases.c.state == "held")).scalars())
bridge.acts.release(ids, "grace@corp.example", "the site was sold")
until(lambda: states() == {"done": number + 2})
bridge.stop()
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
people = [person for _, person in begun]
print(json.dumps({"people": people, "most": most, "peak_mb": peak}))
"""


def _day(folder: Path, number: int) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-c", PROCESS, str(folder), str(number)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert sorted(found["people"]) == [f"{n:04}" for n in range(number)], "each of them once"
    assert found["most"] <= 3, "never more runs at once than configured"
    return found


def _in_order(people: list[str], within: int) -> bool:
    """Who was due first begins first, but for those that are at work at the same time."""
    return all(abs(place - int(person)) < within for place, person in enumerate(people))


def test_sixty_leave_in_a_day(tmp_path: Path) -> None:
    assert _day(tmp_path, 60)["peak_mb"] < 300


@pytest.mark.soak
def test_a_thousand_leave_in_a_day(tmp_path: Path) -> None:
    found = _day(tmp_path, 1000)
    assert found["peak_mb"] < 300
    assert _in_order(found["people"], 200), "three runs of fifty are at work at a time"
