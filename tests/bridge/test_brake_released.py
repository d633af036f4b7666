# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A braked leaver, end to end: the real executor, the real ansible-playbook, a failure as the collection's brake makes it, and its release by name.

The playbooks are small ones of the same names, so that the test is quick; what they fail with is what the collection's own error says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Braked
from lifecycle_bridge.config import Config, Runner, Secret, Source
from lifecycle_bridge.execute.runner import RunnerExecutor
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.tables import cases, runs, sources

from tests.bridge.test_work import until

PEOPLE = ("1", "2", "3")


def collection(folder: Path) -> Path:
    """Playbooks ``offboard`` and ``release_brake`` that keep their state in a file."""
    root = folder / "collections" / "ansible_collections" / "workforce" / "lifecycle"
    for name in ("playbooks", "plugins/action", "plugins/modules"):
        (root / name).mkdir(parents=True)
    (root / "galaxy.yml").write_text("namespace: workforce\nname: lifecycle\nversion: 0.0.1\n")
    said = str(
        Braked(
            "3 more would make 3 leavers within 24 hours, and policy allows 1", act="brake.leavers: ann@corp.example"
        )
    )
    (root / "plugins" / "action" / "stop.py").write_text(
        "from ansible.plugins.action import ActionBase\nclass ActionModule(ActionBase):\n    def run(self, tmp=None, task_vars=None):\n"
        f"        return {{'failed': True, 'code': {Braked.code!r}, 'msg': {said!r}}}\n"
    )
    (root / "plugins" / "modules" / "stop.py").write_text("")
    released = folder / "released"
    # Who was held goes on alone, so that there is one.
    key = "{{ user[0].split(':') | last }}"
    ended = [{"case": "c", "key": key, "complete": True, "open": [], "record": ""}]
    books = {
        "offboard": [
            {"name": "Open the case", "workforce.lifecycle.stop": None, "when": f"not ('{released}' is exists)"},
            {"name": "Say how it ended", "set_stats": {"data": {"cases": ended}}},
        ],
        "release_brake": [
            {"name": "Release them", "copy": {"dest": str(released), "content": "{{ of }} {{ user | join(' ') }} {{ by }}"}},
        ],
    }  # fmt: skip
    for name, tasks in books.items():
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        (root / "playbooks" / f"{name}.yml").write_text(yaml.safe_dump([play]))
    return folder / "collections"


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    hosts = tmp_path / "hosts.yml"
    hosts.write_text(
        "all: {hosts: {localhost: {ansible_connection: local, ansible_python_interpreter: '{{ ansible_playbook_python }}'}}}\n"
    )
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": str(collection(tmp_path)),
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
        "HOME": str(tmp_path),
    }
    config = Config(
        database=f"sqlite:///{tmp_path}/bridge.db",
        work=tmp_path / "work",
        inventory=hosts,
        executor=Runner(variables=variables),
        sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")])},
        chores={},
    )
    made = Bridge(config, RunnerExecutor(config))
    made.database.create()
    now = datetime.now(UTC)
    with made.database.write() as c:
        c.execute(sa.insert(sources).values(name="hr", judged_at=stamp(now)))
    decisions = [
        {
            "source": "hr",
            "id": one,
            "user": f"hr_id:{one}",
            "zone": "",
            "why": "left",
            "urgent": False,
            "runs": [{"kind": "offboard", "stage": "", "at": stamp(now)}],
        }
        for one in PEOPLE
    ]
    made.cases.apply("b", decisions, now)
    made.start()
    yield made
    made.stop()


def test_three_braked_leavers_are_held_and_go_on_when_they_are_released_by_name(bridge: Bridge, tmp_path: Path) -> None:
    def rows() -> list[tuple[str, str, str]]:
        with bridge.database.read() as c:
            found = c.execute(sa.select(cases.c.state, cases.c.outcome, cases.c.detail).order_by(cases.c.person))
            return [(row.state, row.outcome, row.detail) for row in found]

    until(lambda: {state for state, _, _ in rows()} == {"held"})
    assert {outcome for _, outcome, _ in rows()} == {"brake:leavers"}
    assert rows()[0][2] == "Open the case on localhost: stopped by the brake (leavers)", "and nobody's address"
    with bridge.database.read() as c:
        ids = list(c.execute(sa.select(cases.c.id)).scalars())
        assert "ann@" not in repr(c.execute(sa.select(runs)).all())
    bridge.acts.release(ids, "grace@corp.example", "the site was sold")
    until(lambda: {state for state, _, _ in rows()} == {"done"})
    assert (tmp_path / "released").read_text() == "leavers hr_id:1 hr_id:2 hr_id:3 grace@corp.example"
