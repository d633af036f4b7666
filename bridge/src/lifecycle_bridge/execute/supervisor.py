# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Supervises one run: ``python -m lifecycle_bridge.execute.supervisor``, started by :mod:`~lifecycle_bridge.execute.runner`.

The supervisor has a session of its own and outlives the bridge; a bridge that was restarted finds the run by its lock. It reads from standard
input, a socket. First it gets the environment of its run, starts the process that will be ansible-playbook
(:mod:`~lifecycle_bridge.execute.playbook_process`), and imports ansible-runner, both perhaps long before there is an order. Then it takes one
order, never a second one, with the lock of the run's folder. It runs the order, ends all processes of it that still live, writes
``result.json``, and exits.
"""

from __future__ import annotations

import array
import importlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from lifecycle_bridge.execute import folder as folders
from lifecycle_bridge.execute import playbook_process, processes
from lifecycle_bridge.execute.failures import brakes, decided
from lifecycle_bridge.execute.folder import Folder
from lifecycle_bridge.execute.run_events import Redactor, RunEvents

#: Seconds between two looks at the clock, the stop file and the processes; seconds between two signs of life.
LOOK, BEAT = 0.05, 5.0


class PlaybookProcess:
    """The process that will be ansible-playbook, started before there is an order, and its folder for temporary files."""

    def __init__(self, hello: Mapping[str, Any]) -> None:
        self.python, self.place, self.environment = (
            str(hello["python"]),
            Path(hello["place"]),
            dict(hello["environment"]),
        )
        self.redact = Redactor(hello["secrets"])
        listener = socket.socket(socket.AF_UNIX)
        number = os.open(self.place, os.O_PATH)
        listener.bind(f"/proc/self/fd/{number}/{playbook_process.SOCKET}")
        listener.listen(4)
        self._channel = socket.socket(socket.AF_UNIX)
        self._channel.connect(f"/proc/self/fd/{number}/{playbook_process.SOCKET}")
        os.close(number)
        self.process = subprocess.Popen(
            [self.python, playbook_process.__file__, "play"], stdin=listener.fileno(), cwd=self.place
        )
        listener.close()
        playbook_process.send(self._channel, {"environment": {**self.environment, **_callback(self.environment)}})

    def begin(self, arguments: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Send the order; the playbook begins when the terminal comes."""
        with suppress(BrokenPipeError):  # its process has ended, which Run.go finds
            playbook_process.send(
                self._channel, {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
            )

    @property
    def stand_in(self) -> list[str]:
        """Return the command that ansible-runner starts in its place."""
        return [self.python, "-I", "-S", playbook_process.__file__, "stand-in", str(self.place)]

    def trouble(self) -> list[str]:
        """Return the last line that it wrote before it had a terminal: why Ansible could not be started."""
        with suppress(OSError):
            return (self.place / "trouble").read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
        return []

    def leave(self) -> None:
        """Remove its temporary files."""
        shutil.rmtree(self.place, ignore_errors=True)


def _callback(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that ansible-runner would set so that its events arrive, without importing it."""
    spec = importlib.util.find_spec("ansible_runner")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "ansible-runner is not installed beside the bridge: pip install 'workforce-lifecycle-bridge[runner]'"
        )
    where = str(Path(spec.submodule_search_locations[0], "display_callback", "callback"))
    others = environment.get("ANSIBLE_CALLBACK_PLUGINS", "")
    shown = environment.get("ANSIBLE_STDOUT_CALLBACK", "")
    return {
        "ANSIBLE_CALLBACK_PLUGINS": f"{others}:{where}" if others else where,
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        **({"ORIGINAL_STDOUT_CALLBACK": shown} if shown else {}),
    }


class Watch(threading.Thread):
    """Ends the run when it takes too long, is silent for too long or is to be stopped, and what is left of it when its playbook has ended."""

    def __init__(self, run: Run) -> None:
        super().__init__(daemon=True)
        self.run_ = run
        self.reason = self.why = self.left = ""
        self._over = threading.Event()
        self._began = time.monotonic()

    def run(self) -> None:
        beat = 0.0
        while not self._over.wait(LOOK):
            now = time.monotonic()
            if now - beat >= BEAT:
                beat = now
                with suppress(OSError):
                    self.run_.folder.heartbeat.touch(mode=0o600)
            try:
                self._look(now)
            except (
                OSError
            ) as failure:  # such as no free file descriptor: the next look may succeed, and the run must be watched
                self.run_.events.trouble = f"watch over the run: {failure}"

    def _look(self, now: float) -> None:
        if not self.reason:
            self.reason, self.why = self.judge(now)
        if self.reason or self.run_.playbook.process.poll() is not None:
            self._end(spare_stand_in=not self.reason)

    def judge(self, now: float) -> tuple[str, str]:
        """Return the status with which the run must end now, and why in words; ("", "") when it may go on."""
        order, silent = self.run_.order, now - self.run_.events.seen
        if self.run_.terminated:
            return (
                "unknown",
                "its supervisor got SIGTERM, from a service that stops or a machine that is switched off",
            )
        if self.run_.folder.stop.exists():
            return "canceled", "stopped on request"
        if now - self._began > order["timeout"]:
            return "timeout", f"stopped after {order['timeout']:g} s, the longest that a run may take"
        if silent > order["idle_timeout"]:
            return "timeout", f"stopped after {order['idle_timeout']:g} s without output"
        return "", ""

    def finish(self) -> None:
        """End the processes that a playbook has left, and stop watching."""
        self._over.set()
        self.join()
        self._end(spare_stand_in=False)

    def _end(self, *, spare_stand_in: bool) -> None:
        spared = self.run_.playbook.stand_in if spare_stand_in else None
        left = processes.end(
            lambda: [
                each
                for each in processes.descendants(os.getpid())
                if spared is None or processes.command(each.pid) not in (spared, [])
            ]
        )
        self.left = ", ".join(f"process {each.pid} ({each.name}) could not be ended" for each in left)


class Run:
    """One run, from its order to its result."""

    def __init__(self, playbook: PlaybookProcess, order: dict[str, Any]) -> None:
        self.playbook, self.order = playbook, order
        self.folder = Folder(Path(order["folder"]))
        self.terminated = False
        self.events = RunEvents(self.folder, playbook.redact)

    def go(self) -> None:
        """Run the order, and write how it ended."""
        import ansible_runner

        began = datetime.now(UTC)
        self._note_start(began)
        config = self._configured()
        watch = Watch(self)
        runner = ansible_runner.Runner(
            config, event_handler=self.events.event, cancel_callback=lambda: watch.reason == "canceled"
        )
        watch.start()
        said = ""
        try:
            said = runner.run()[0]
        except Exception as failure:  # noqa: BLE001 - whatever it is: the run must be ended and reported, not left alone
            self.events.trouble = self.events.trouble or f"ansible-runner: {type(failure).__name__}: {failure}"
        self._wait_for_playbook(watch)
        watch.finish()
        self.events.close()
        if not self.events.begun:
            self.events.tail += self.playbook.trouble()
        self._note_end(began, watch, said)

    def _note_start(self, began: datetime) -> None:
        me = processes.look_up(os.getpid())
        folders.write(
            self.folder.run,
            {
                "pid": os.getpid(),
                "started": me.started if me else 0,
                "mark": os.environ[processes.MARK],
                "place": str(self.playbook.place),
                "playbook": self.order["playbook"],
                "at": began.isoformat(),
            },
        )
        self.events.seen = time.monotonic()

    def _configured(self) -> Any:
        """Prepare ansible-runner, with the stand-in as the command that it starts."""
        import ansible_runner

        config = ansible_runner.RunnerConfig(
            private_data_dir=str(self.folder.path),
            ident=self.folder.path.name,
            playbook=self.order["playbook"],
            quiet=True,
            fact_cache_type="none",
        )
        config.prepare()
        config.suppress_output_file = True  # RunEvents writes it, without secrets
        self.playbook.begin(
            self._arguments(),
            self.folder.path,
            {name: value for name, value in config.env.items() if name.startswith(("AWX_", "RUNNER_"))},
        )
        config.command, config.env, config.cwd = self.playbook.stand_in, dict(os.environ), str(self.folder.path)
        return config

    def _note_end(self, began: datetime, watch: Watch, said: str) -> None:
        status, detail, temporary = self.events.verdict(
            reason=watch.reason, why=watch.why, said=said, code=self.playbook.process.poll(), left=watch.left
        )
        if self.events.trouble and status != "successful":
            detail = f"{detail}; {self.events.short(self.events.trouble)}"
        self.folder.clean()
        self.playbook.leave()
        folders.write(
            self.folder.result,
            {
                "status": status,
                "detail": detail,
                "temporary": temporary,
                "stats": self.events.stats,
                "rc": self.playbook.process.poll(),
                "codes": decided(self.events.failures),
                "brakes": brakes(self.events.failures),
                "started_at": began.isoformat(),
                "ended_at": datetime.now(UTC).isoformat(),
            },
        )

    def _wait_for_playbook(self, watch: Watch) -> None:
        """Wait until the process has ended, which is a moment after its terminal was closed, or until the watch ends it."""
        while self.playbook.process.poll() is None and not watch.reason:
            with suppress(subprocess.TimeoutExpired):
                self.playbook.process.wait(LOOK)

    def _arguments(self) -> list[str]:
        order = self.order
        return [
            "-i",
            order["inventory"],
            *(["-e", order["extra_vars"]] if order["extra_vars"] else []),
            order["playbook"],
        ]


def main() -> int:
    """Prepare, wait for an order, run it."""
    channel = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    processes.adopt_orphans()
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    hello = playbook_process.receive(channel)
    if hello is None:
        return 0
    playbook = PlaybookProcess(hello)
    os.umask(0o077)  # for the files of this process; the playbook's process was started before
    importlib.import_module("ansible_runner")  # while Ansible is imported beside us

    taken = take(channel)
    if taken is None:
        processes.end(lambda: processes.descendants(os.getpid()))
        playbook.leave()
        return 0
    order, lock = taken
    run = Run(playbook, order)

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        run.terminated = True

    signal.signal(signal.SIGTERM, terminate)
    run.go()
    del lock
    os._exit(0)  # all is written, and the bridge waits for this exit


def take(channel: socket.socket) -> tuple[dict[str, Any], int] | None:
    """Return the order, and the lock of its folder, which this process holds from now on; None when the bridge has ended."""
    part, ancillary, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
    if not part:
        return None
    lock = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            lock.frombytes(data[: len(data) - len(data) % lock.itemsize])
    order = playbook_process.receive(channel)
    if order is None:
        return None
    os.set_inheritable(lock[0], False)
    return order, lock[0]


if __name__ == "__main__":
    sys.exit(main())
