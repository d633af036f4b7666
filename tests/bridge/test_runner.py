# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The runner with the real Ansible: what a run hands over, what it leaves behind, and the measured traps of ansible-runner.

What the same traps look like without the cure is in test_runner_traps.py.
"""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from lifecycle_bridge.execute import Order, Progress, processes

from tests.bridge.runner_support import Gate, Running, alive, real, run_json, until, where
from tests.unit.ledger_sample import PERSON

#: In no file, at no time.
SECRET, EXTRA = "canary-of-the-environment", "canary-of-the-extra-variables"


def playbook(path: Path, *tasks: dict[str, object], hosts: str = "localhost") -> str:
    path.write_text(yaml.safe_dump([{"name": "Test", "hosts": hosts, "gather_facts": False, "tasks": list(tasks)}]))
    return str(path)


def test_a_run_hands_over_its_stats_and_leaves_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts 2 and 3. During the run and after it: no secret in a file or on a command line; nothing of the bridge's own environment."""
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("NOT_NAMED", "of-the-bridge-alone")
    gate = Gate(tmp_path)
    executor = real(tmp_path, environment=["SECRET"], extra_vars={"everybody": EXTRA})
    book = playbook(
        tmp_path / "book.yml",
        {
            "name": "Sees what it was given",
            "debug": {
                "msg": "{{ lookup('env', 'SECRET') }} {{ 'no' if lookup('env', 'NOT_NAMED') == '' else 'leaked' }}"
            },
        },
        {"name": "Wait", "shell": f'test -n "$SECRET" && ({gate.shell})'},
        {
            "name": "Hand over",
            "set_stats": {
                "data": {
                    "length": "{{ lookup('env', 'SECRET') | length }}",
                    "case": "{{ case }}",
                    "same": "{{ everybody == given }}",
                }
            },
        },
        {"name": "Not now", "debug": {"msg": "x"}, "when": "false"},
    )
    seen: list[Progress] = []
    found: list[object] = []

    def progress(step: Progress) -> None:
        seen.append(step)
        raise RuntimeError("the console's database is away")  # in passing: it ends no run

    def leaks() -> list[Path]:
        return [
            path
            for word in (SECRET, EXTRA, "of-the-bridge-alone")
            for part in ("work", "home")
            for path in where(tmp_path / part, word)
        ]

    def look_and_open() -> bool:
        if gate.is_reached() and not gate.passed.exists():
            lines = [" ".join(processes.command(each.pid)) for each in alive(executor, "case-1")]
            found.extend([len(lines) >= 4, [line for line in lines if SECRET in line or EXTRA in line], leaks()])
            gate.open()
        return False

    result = executor.run(
        Order("case-1", book, {"case": "W-42", "given": EXTRA}), stop=look_and_open, progress=progress
    )
    assert found[:3] == [True, [], []]
    assert (result.status, result.detail, result.temporary) == ("successful", "", False)
    assert result.stats == {"length": str(len(SECRET)), "case": "W-42", "same": True} or result.stats == {
        "length": len(SECRET),
        "case": "W-42",
        "same": True,
    }
    assert result.started_at and result.ended_at and result.started_at < result.ended_at
    assert [(step.play, step.task, step.host, step.outcome) for step in seen] == [
        ("Test", "Sees what it was given", "localhost", "ok"),
        ("Test", "Wait", "localhost", "changed"),
        ("Test", "Hand over", "localhost", "ok"),
    ]
    said = Path(result.output).read_text()
    assert "TASK [Wait]" in said and "******** no" in said
    assert leaks() == []
    folder = tmp_path / "work" / "case-1"
    for path in (folder.parent, folder, *folder.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert not list(folder.rglob("job_events")) and not list((tmp_path / "work" / ".temporary").iterdir())
    assert alive(executor, "case-1") == []


def test_a_stopped_run_is_stopped_and_its_variables_reach_no_other(tmp_path: Path) -> None:
    """Fact 1: the task that was at work left its parent's session (ansible-core 2.19), and ends all the same before the answer comes."""
    gate = Gate(tmp_path)
    executor = real(tmp_path)
    book = playbook(
        tmp_path / "book.yml",
        {
            "name": "Nothing of another's",
            "assert": {"that": "mailbox_forward_to is not defined"},
            "when": "who == 'bob'",
        },
        {"name": "Wait", "shell": gate.shell, "when": "who == 'alice'"},
        {
            "name": "Told",
            "code_of_failure": {
                "code": "{{ code | default('') }}",
                "msg": "revoke sessions of ann@corp.example on okta",
            },
            "when": "who == 'bob'",
        },
    )
    plugins = tmp_path / "action_plugins"
    plugins.mkdir()
    (plugins / "code_of_failure.py").write_text(
        "from ansible.plugins.action import ActionBase\nclass ActionModule(ActionBase):\n    def run(self, tmp=None, task_vars=None):\n"
        "        return {'failed': True, **self._task.args}\n"
    )
    result = executor.run(
        Order("case-1", book, {"who": "alice", "mailbox_forward_to": "x"}),
        stop=gate.is_reached,
        progress=lambda _: None,
    )
    assert (result.status, result.detail, result.temporary) == ("canceled", "stopped on request", False)
    assert not gate.open(), "the task is alive"
    assert alive(executor, "case-1") == []
    # Fact 2: the next run is another's.
    result = executor.run(
        Order("case-2", book, {"who": "bob", "code": "throttled"}), stop=lambda: False, progress=lambda _: None
    )
    assert (result.status, result.temporary) == ("failed", True)
    assert result.detail == "Told on localhost: too many requests", "no text that may hold a name"
    assert result.codes == ("throttled",)


def test_a_killed_supervisor_is_unknown_and_nothing_lives_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fact 6: no status of ansible-runner's means unknown, the task that was at work ends, and the ident is not run again."""
    monkeypatch.setenv("SECRET", SECRET)
    gate = Gate(tmp_path)
    executor = real(tmp_path, environment=["SECRET"])
    book = playbook(
        tmp_path / "book.yml",
        {"name": "Wait", "shell": gate.shell},
        {"name": "Hand over", "set_stats": {"data": {"a": 1}}},
    )
    running = Running(executor, Order("case-1", book, {"given": EXTRA}))
    until(gate.is_reached)
    os.kill(run_json(executor, "case-1")["pid"], signal.SIGKILL)
    result = running.result()
    assert (result.status, result.temporary, result.stats) == ("unknown", True, {})
    assert "supervisor was killed" in result.detail
    assert not gate.open(), "the task is alive"
    assert alive(executor, "case-1") == []
    assert where(tmp_path / "work", SECRET) == where(tmp_path / "work", EXTRA) == where(tmp_path / "home", SECRET) == []
    assert not list((tmp_path / "work").rglob("job_events")), "what the events said of people is kept"
    assert executor.run(running.order, stop=lambda: False, progress=lambda _: None) == result
    assert gate.reached.read_text() == "x\n", "it was begun twice"


def test_a_playbook_of_the_collection(tmp_path: Path) -> None:
    """The collection's own playbook, by its full name."""
    root = Path(__file__).resolve().parents[2]
    Ledger.open(str(tmp_path / "ledger.db")).open_case("offboard", PERSON, "r-1", {})
    (tmp_path / "hosts.yml").write_text(
        f"all: {{hosts: {{localhost: {{ansible_connection: local, lifecycle_ledger: {tmp_path}/ledger.db}}}}}}\n"
    )
    executor = real(tmp_path, variables={"ANSIBLE_COLLECTIONS_PATH": str(root / "build" / "collections")})
    result = executor.run(Order("verify-1", "workforce.lifecycle.verify"), stop=lambda: False, progress=lambda _: None)
    assert result.status == "successful", (result.detail, Path(result.output).read_text())
    assert "steps without an outcome: 0" in Path(result.output).read_text()


@pytest.mark.soak
def test_check_has_ansible_look_at_the_set_up(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    assert real(tmp_path, variables={"ANSIBLE_COLLECTIONS_PATH": str(root / "build" / "collections")}).check() == []
    (said,) = real(tmp_path, variables={"ANSIBLE_COLLECTIONS_PATH": str(tmp_path)}).check()
    assert (
        said.startswith("ansible-playbook --syntax-check workforce.lifecycle.verify, by ")
        and "could not be found" in said
    )
