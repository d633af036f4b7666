# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the tests of the runner share: an executor in a folder of its own; a gate at which a run waits; and an Ansible that is none.

The stand-in for Ansible takes a Python file for a playbook. All else is real: bridge, supervisor, ansible-runner, terminal, processes.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle_bridge.config import Config, Runner
from lifecycle_bridge.execute import Order, Progress, Result, processes
from lifecycle_bridge.execute.runner import RunnerExecutor

_STAND_IN = '''
import base64, json, os, sys, uuid, yaml

yaml.SafeLoader.add_constructor("!unsafe", lambda loader, node: node.value)

def event(kind, **data):
    """As ansible-runner's callback plugin does it: a file, and an escape sequence that names it."""
    number, folder = str(uuid.uuid4()), os.environ["AWX_ISOLATED_DATA_DIR"] + "/job_events"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{number}-partial.json", "w") as file:
        json.dump({"uuid": number, "event": kind, "created": "2026-01-31T18:42:00+00:00", "event_data": data}, file)
    def say(data):
        text = base64.b64encode(json.dumps(data).encode()).decode()
        sys.stdout.write(f"\\x1b[K{text}\\x1b[{len(text)}D\\x1b[K")
    say({"uuid": number})
    print(kind)
    say({})
    sys.stdout.flush()

class PlaybookCLI:
    @staticmethod
    def cli_executor(args):
        extra = yaml.safe_load(args[args.index("-e") + 1]) if "-e" in args else {}
        exec(open(args[-1]).read(), {"event": event, "extra": extra, "os": os, "sys": sys})
'''


def real(
    folder: Path,
    *,
    environment: list[str] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    **config: Any,
) -> RunnerExecutor:
    """An executor whose runs are Ansible's."""
    inventory = folder / "hosts.yml"
    if not inventory.exists():
        inventory.write_text(
            "all: {hosts: {localhost: {ansible_connection: local, ansible_python_interpreter: '{{ ansible_playbook_python }}'}}}\n"
        )
    home = folder / "home"
    home.mkdir(exist_ok=True)
    variables = {"HOME": str(home), "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml", **config.pop("variables", {})}
    return RunnerExecutor(
        Config(
            work=folder / "work",
            inventory=config.pop("inventory", inventory),
            executor=Runner(environment=environment or [], variables=variables, keep_days=config.pop("keep_days", 14)),
            **config,
        ),
        monotonic=monotonic,
    )


def pretended(folder: Path, **config: Any) -> RunnerExecutor:
    """An executor whose playbooks are Python files: quick, and free to be as nasty as a test wants."""
    where = folder / "pretended" / "ansible" / "cli"
    where.mkdir(parents=True, exist_ok=True)
    for name, text in (("../__init__.py", ""), ("__init__.py", ""), ("playbook.py", _STAND_IN)):
        (where / name).write_text(text)
    return real(folder, variables={"PYTHONPATH": str(folder / "pretended")}, **config)


class Gate:
    """A run that comes to it waits there until it is opened, and only a process that lives can go through."""

    def __init__(self, folder: Path, name: str = "gate") -> None:
        self.fifo, self.reached, self.passed = folder / name, folder / f"{name}-reached", folder / f"{name}-passed"
        os.mkfifo(self.fifo)

    @property
    def shell(self) -> str:
        """What has a shell wait."""
        return f"echo x >> {self.reached}; cat {self.fifo} > /dev/null; echo x >> {self.passed}"

    @property
    def python(self) -> str:
        """What has a pretended playbook wait."""
        return f"open({str(self.reached)!r}, 'a').write('x')\nopen({str(self.fifo)!r}).read()\nopen({str(self.passed)!r}, 'a').write('x')\n"

    def is_reached(self) -> bool:
        return self.reached.exists()

    def open(self) -> bool:
        """Let through who waits; false when nobody lives to."""
        try:
            os.close(os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as failure:
            assert failure.errno == errno.ENXIO
            return False
        return True


class Running(threading.Thread):
    """A run in a thread."""

    def __init__(self, executor: RunnerExecutor, order: Order, *, stop: Callable[[], bool] = lambda: False) -> None:
        super().__init__(daemon=True)
        self.executor, self.order, self.stop_ = executor, order, stop
        self.answer: Result | None = None
        self.steps: list[Progress] = []
        self.start()

    def run(self) -> None:
        self.answer = self.executor.run(self.order, stop=self.stop_, progress=self.steps.append)

    def result(self) -> Result:
        self.join(120)
        assert self.answer is not None
        return self.answer


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come; two minutes are for a machine that is very busy."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def run_json(executor: RunnerExecutor, ident: str) -> dict[str, Any]:
    return dict(json.loads((executor._work / ident / "run.json").read_text()))


def alive(executor: RunnerExecutor, ident: str) -> list[processes.Process]:
    """Processes of a run that live, wherever they went."""
    return processes.marked(run_json(executor, ident)["mark"])


def where(folder: Path, word: str) -> list[Path]:
    """The files below a folder that hold a word; a name counts too."""
    found = []
    for path in sorted(folder.rglob("*")):
        if word in path.name or path.is_file() and word.encode() in path.read_bytes():
            found.append(path)
    return found
