# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The measured traps of ansible-runner, sprung: the same situations as in test_runner.py and test_runner_lifecycle.py, without the cure.

They show that those tests would be red with ansible-runner alone. When one of these fails, ansible-runner was mended there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from tests.bridge.runner_support import Gate, until, where

pytestmark = pytest.mark.soak


@pytest.fixture(autouse=True)
def _ansible_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def plain(folder: Path, tasks: list[dict[str, Any]], **more: Any) -> Any:
    """ansible-runner as its documentation has it."""
    book = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    return ansible_runner.run(
        private_data_dir=str(folder),
        playbook=book,
        inventory="localhost ansible_python_interpreter=" + sys.executable,
        quiet=True,
        **more,
    )


def test_fact_1_a_canceled_task_goes_on_working(tmp_path: Path) -> None:
    import ansible.release

    gate = Gate(tmp_path)
    ended = plain(tmp_path, [{"shell": gate.shell}], cancel_callback=gate.is_reached, settings={"pexpect_timeout": 0.2})
    assert ended.status == "canceled" and ended.stats is None
    if tuple(map(int, ansible.release.__version__.split(".")[:2])) >= (2, 19):
        until(gate.open)
        until(gate.passed.exists)  # the side effect, after "canceled"


def test_fact_2_variables_of_one_reach_the_next(tmp_path: Path) -> None:
    seen = [{"set_stats": {"data": {"forward": "{{ mailbox_forward_to | default('nobody') }}"}}}]
    plain(tmp_path, seen, extravars={"who": "alice", "mailbox_forward_to": "alices-successor"})
    ended = plain(tmp_path, seen, extravars={"who": "bob"})
    data = [event["event_data"]["artifact_data"] for event in ended.events if event["event"] == "playbook_on_stats"]
    assert data == [{"forward": "alices-successor"}]


def test_fact_3_secrets_are_on_disk(tmp_path: Path) -> None:
    plain(tmp_path, [{"debug": {}}], envvars={"SECRET": "canary-1"}, extravars={"x": "canary-2"})
    assert [path.name for path in where(tmp_path, "canary-1")] == ["command", "envvars"]
    assert [path.name for path in where(tmp_path, "canary-2")] == ["extravars"]


def test_fact_4_rotation_takes_away_what_is_at_work(tmp_path: Path) -> None:
    from ansible_runner.utils import cleanup_artifact_dir

    for number, name in enumerate(("living", "newer")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (number, number))
    cleanup_artifact_dir(str(tmp_path), 1)
    assert not (tmp_path / "living").exists()


def test_fact_5_cleanup_spares_the_dead_and_takes_the_living(tmp_path: Path) -> None:
    from ansible_runner.cleanup import cleanup_dirs

    for name, pid in (("living", os.getpid()), ("dead", 2**22 + 1)):
        folder = tmp_path / f"awx_{name}" / "artifacts" / "x"
        folder.mkdir(parents=True)
        (folder / "pid").write_text(str(pid))
        (tmp_path / f"awx_{name}" / "pid").write_text(str(pid))
        old = time.time() - timedelta(days=1).total_seconds()
        os.utime(tmp_path / f"awx_{name}", (old, old))
    cleanup_dirs(str(tmp_path / "awx_*"), grace_period=60)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["awx_dead"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_fact_6_a_handler_that_raises_leaves_it_running_for_ever(tmp_path: Path) -> None:
    def handler(_event: dict[str, Any]) -> bool:
        raise RuntimeError("the database is away")

    thread, runner = ansible_runner.run_async(
        private_data_dir=str(tmp_path),
        quiet=True,
        playbook=[{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"debug": {}}]}],
        inventory="localhost",
        event_handler=handler,
    )
    thread.join()
    assert (runner.status, runner.rc) == ("running", None)
    assert not list(tmp_path.glob("artifacts/*/status"))


def test_fact_6_a_killed_launcher_leaves_no_word(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    launcher = subprocess.Popen(
        [
            sys.executable,
            "-c",
            ("import json, sys, ansible_runner\nansible_runner.run(quiet=True, **json.loads(sys.argv[1]))"),
            json.dumps(
                {
                    "private_data_dir": str(tmp_path),
                    "inventory": "localhost ansible_python_interpreter=" + sys.executable,
                    "playbook": [
                        {
                            "hosts": "localhost",
                            "connection": "local",
                            "gather_facts": False,
                            "tasks": [{"shell": gate.shell}],
                        }
                    ],
                }
            ),
        ]
    )
    until(gate.is_reached)
    launcher.kill()
    launcher.wait()
    assert not list(tmp_path.glob("artifacts/*/status"))
    until(gate.open)  # the orphan is at work
    until(gate.passed.exists)
