# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs playbooks on this machine by ansible-runner. Each run has a supervisor process (:mod:`~lifecycle_bridge.execute.supervisor`) and a folder
(:mod:`~lifecycle_bridge.execute.folder`). This module starts runs, follows them, finds them again after a restart, and removes old folders.
docs/bridge-runner.md explains it.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lifecycle_bridge
from lifecycle_bridge import clock, private
from lifecycle_bridge.config import Config
from lifecycle_bridge.config import Runner as Settings
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.execute import NAMING, Order, Progress, Result, extra_vars, playbook_process, processes
from lifecycle_bridge.execute import folder as folders
from lifecycle_bridge.execute.folder import Folder
from lifecycle_bridge.execute.follow import Follow, moment
from lifecycle_bridge.execute.setup_check import SetupCheck

log = logging.getLogger(__name__)

#: Seconds between two looks at a run: whether it is to be stopped, and what it has reached.
LOOK = 0.05
#: How many supervisors wait for an order, once :meth:`RunnerExecutor.warm` was called.
KEPT_READY = 2
#: Seconds after the end of a run before new supervisors are started in place of those that were used.
REFILL_AFTER = 2.0
#: The shortest time for which a run's folder is kept: a bridge that was killed reads the result after its restart.
SHORTEST_KEPT = timedelta(hours=1)

#: Starts the supervisor from this package, even if its interpreter would find another one of that name.
_SUPERVISOR = "import sys; sys.path.insert(0, sys.argv[1]); from lifecycle_bridge.execute.supervisor import main; sys.exit(main())"
_TEMPORARY, _SWEPT = ".temporary", ".swept-"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: The settings of the collection's own ansible.cfg, used where the configuration names no file and no other value.
_DEFAULTS = {
    "ANSIBLE_FORKS": "25",
    "ANSIBLE_INVENTORY_ENABLED": "workforce.lifecycle.systems,ansible.builtin.yaml,ansible.builtin.ini,ansible.builtin.host_list",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
    "ANSIBLE_LOCALHOST_WARNING": "false",
}


@dataclass
class _Supervisor:
    """A supervisor process: it waits for its order, or runs it."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    place: Path
    born: tuple[float, ...]

    def is_gone(self, patience: float) -> bool:
        """Wait so many seconds for its end, and return whether it has ended. It writes nothing to the channel, which closes when it ends."""
        self.channel.settimeout(patience)
        try:
            return not self.channel.recv(1)
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def dismiss(self) -> None:
        """End a supervisor that is not needed: it ends by itself when its channel is closed."""
        self.channel.close()
        self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def last_error(self) -> str:
        """Return the last line of its errors; empty when there is none."""
        with suppress(OSError):
            lines = (self.place / "trouble").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""


class RunnerExecutor:
    """Runs playbooks as processes of this machine. Safe to use from several threads."""

    def __init__(self, config: Config, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not isinstance(config.executor, Settings):
            raise ConfigError("start the executor for this machine: executor.kind is not runner")
        self._monotonic = monotonic
        self._config, self._settings = config, config.executor
        self._work = Path(config.work).absolute()
        self._python = self._settings.python or sys.executable
        self._lock = threading.Lock()
        self._waiting: list[_Supervisor] = []
        self._running = 0
        self._warm = False

    # -- a run ---------------------------------------------------------------------------------------------------------

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        """Start the run, or follow the one that already has this ident, and wait until none of its processes lives.

        :raises BridgeError: the run could not be started.
        """
        if not processes.can_adopt_orphans():
            raise BridgeError(
                "run a playbook here: this platform cannot find the processes that a run starts (no PR_SET_CHILD_SUBREAPER, no /proc): use Linux or AWX"
            )
        folder = self._folder(order.ident)
        follow = Follow(folder, stop, progress, self._monotonic)
        while True:
            folder.make()
            with self._held(folder) as lock:
                if lock is not None:
                    if (ended := self._ended(folder)) is not None:
                        follow.catch_up()
                        return ended
                    if follow.wants_to_stop():
                        folders.write(
                            folder.result,
                            {
                                "status": "canceled",
                                "detail": "stopped on request, before it began",
                                "ended_at": clock.now().isoformat(),
                            },
                        )
                        continue
                    supervisor = self._start(order, folder, lock)
                else:
                    supervisor = None
            if supervisor is None:
                self._look(follow)
                # Another bridge, or this one before a restart, started it: its lock is free when it is over.
                time.sleep(LOOK)
            else:
                self._wait(supervisor, follow)

    @contextmanager
    def _held(self, folder: Folder) -> Iterator[int | None]:
        try:
            lock = folder.lock()
        except FileNotFoundError:
            lock = None
        try:
            yield lock
        finally:
            if lock is not None:
                os.close(lock)

    def _start(self, order: Order, folder: Folder, lock: int) -> _Supervisor:
        given = {**self._config.extra_vars, **order.extra_vars}
        message = {
            "folder": str(folder.path),
            "playbook": order.playbook,
            "inventory": str(self._config.inventory.absolute()),
            "timeout": order.timeout,
            "idle_timeout": order.idle_timeout,
            "extra_vars": extra_vars.encoded(given) if given else "",
        }
        supervisor = self._ready_supervisor()
        with self._lock:
            self._running += 1
        try:
            socket.send_fds(supervisor.channel, [b"\0"], [lock])
            playbook_process.send(supervisor.channel, message)
        except OSError:
            pass  # the supervisor has ended, which _wait finds
        return supervisor

    def _wait(self, supervisor: _Supervisor, follow: Follow) -> None:
        """Follow a run that this call has started, until its supervisor has ended."""
        try:
            while not supervisor.is_gone(LOOK):
                self._look(follow)
            supervisor.channel.close()
            supervisor.process.wait()
        finally:
            with self._lock:
                self._running -= 1
            self._warm_again()
        if not follow.folder.run.exists():
            self._raise_not_begun(supervisor)

    def _look(self, follow: Follow) -> None:
        """Look once, and kill a supervisor that hangs: nobody else ends its run in time. What the run did is then unknown, and it runs again."""
        follow.look()
        if not follow.supervisor_hangs:
            return
        run = folders.read(follow.folder.run) or {}
        supervisor = processes.look_up(int(run.get("pid") or 0))
        if supervisor is not None and supervisor.started == run.get("started"):
            log.error(
                "run %s: its supervisor hangs (process %d): it is killed", follow.folder.path.name, supervisor.pid
            )
            with suppress(ProcessLookupError):
                os.kill(supervisor.pid, signal.SIGKILL)

    def _raise_not_begun(self, supervisor: _Supervisor) -> None:
        said = supervisor.last_error()
        shutil.rmtree(supervisor.place, ignore_errors=True)
        raise BridgeError(
            f"start a run with {self._python}: its supervisor ended before it began: {said or f'code {supervisor.process.returncode}'}"
        )

    def _ended(self, folder: Folder) -> Result | None:
        """Return how the run of this folder ended; None when it was never started. The caller holds its lock, so no supervisor lives."""
        data = folders.read(folder.result)
        if data is None:
            if not folder.run.exists():
                return None
            data = self._abandoned(folder)
        return Result(
            status=data["status"],
            stats=data.get("stats") or {},
            detail=data.get("detail", ""),
            temporary=bool(data.get("temporary")),
            codes=tuple(data.get("codes") or ()),
            brakes=tuple(data.get("brakes") or ()),
            started_at=moment(data.get("started_at")),
            ended_at=moment(data.get("ended_at")),
            output=str(folder.output) if folder.output.exists() else "",
        )

    def _abandoned(self, folder: Folder) -> dict[str, Any]:
        """End the processes of a run whose supervisor was killed. What the run did is not known."""
        run = folders.read(folder.run) or {}
        left = processes.end(lambda: processes.marked(run["mark"])) if run.get("mark") else []
        words = ", ".join(f"process {each.pid} ({each.name})" for each in left)
        folder.clean()
        if run.get("place"):
            shutil.rmtree(run["place"], ignore_errors=True)
        data = {
            "status": "unknown",
            "temporary": True,
            "started_at": run.get("at", ""),
            "ended_at": clock.now().isoformat(),
            "detail": "its supervisor was killed, or the machine went down: what it did is not known"
            + (f"; {words} could not be ended" if words else ""),
        }
        if not left:
            folders.write(folder.result, data)
        return data

    # -- supervisors ---------------------------------------------------------------------------------------------------

    def warm(self) -> None:
        """Start supervisors that wait, so that a run begins without delay. Each is used for one run, and replaced after it."""
        self._warm = True
        while True:
            with self._lock:
                if self._running or len(self._waiting) >= KEPT_READY:
                    return  # starting one would slow down the run that is going on
                self._waiting.append(self._new_supervisor())

    def _warm_again(self) -> None:
        """Replace the supervisors that were used, a little later, so that the next run is not slowed down."""
        if self._warm:
            timer = threading.Timer(REFILL_AFTER, self._refill)
            timer.daemon = True
            timer.start()

    def _refill(self) -> None:
        try:
            if self._warm:
                self.warm()
        except BridgeError as failure:
            # The next run starts a supervisor itself, or reports the same error.
            log.warning("keep supervisors ready: %s", failure)

    def close(self) -> None:
        """Dismiss the supervisors that wait. Runs go on."""
        self._warm = False
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for supervisor in waiting:
            supervisor.dismiss()

    def _ready_supervisor(self) -> _Supervisor:
        while True:
            with self._lock:
                if not self._waiting:
                    return self._new_supervisor()
                supervisor = self._waiting.pop(0)
            if supervisor.process.poll() is None and supervisor.born == self._software():
                return supervisor
            supervisor.dismiss()

    def _software(self) -> tuple[float, ...]:
        """Return when the software was installed; supervisors that wait are discarded after an upgrade."""
        found = []
        for path in (
            Path(self._python),
            Path(self._python).parent / "ansible-playbook",
            Path(playbook_process.__file__),
            Path(self._config.inventory),
        ):
            with suppress(OSError):
                found.append(path.stat().st_mtime)
        return tuple(found)

    def _new_supervisor(self) -> _Supervisor:
        if shutil.which(self._python) is None:
            raise BridgeError(f"start a run: executor.python: {self._python} is not there, or cannot be run")
        mark = secrets.token_hex(12)
        place = self._work / _TEMPORARY / mark
        try:
            private.folder(self._work)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            place.mkdir(mode=0o700)
            trouble = os.open(place / "trouble", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as failure:
            raise BridgeError(
                f"start a run: make folder {place}: {failure.strerror}: see work in the configuration"
            ) from None
        ours, theirs = socket.socketpair()
        environment = self._environment(place)
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SUPERVISOR, str(Path(lifecycle_bridge.__file__).parents[1])],
                stdin=theirs.fileno(),
                stdout=trouble,
                stderr=trouble,
                start_new_session=True,
                cwd=place,
                env={name: environment[name] for name in ("PATH", "HOME", "LANG", processes.MARK)},
            )
        finally:
            os.close(trouble)
            theirs.close()
        playbook_process.send(
            ours,
            {
                "python": self._python,
                "place": str(place),
                "environment": environment,
                "secrets": list(self._given().values()),
            },
        )
        return _Supervisor(process, ours, place, self._software())

    def _given(self) -> dict[str, str]:
        """Return the variables of the bridge's own environment that a run may see."""
        return {name: os.environ[name] for name in self._settings.environment if name in os.environ}

    def _environment(self, place: Path) -> dict[str, str]:
        """Return the whole environment of a run: no other variable of the bridge is in it."""
        given = {**self._given(), **self._settings.variables}
        defaults = {} if "ANSIBLE_CONFIG" in given else _DEFAULTS
        folder = os.path.dirname(shutil.which(self._python) or self._python)
        return {
            "PATH": f"{folder}:{_PATH}",
            "HOME": os.path.expanduser("~"),
            "LANG": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "true",
            **defaults,
            **given,
            "TMPDIR": str(place),
            "ANSIBLE_LOCAL_TEMP": str(place),
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            processes.MARK: place.name,
        }

    # -- afterwards ----------------------------------------------------------------------------------------------------

    def _folder(self, ident: str) -> Folder:
        try:
            private.folder(self._work)
        except OSError as failure:
            raise BridgeError(f"make folder {self._work}: {failure.strerror}: see work in the configuration") from None
        return Folder(self._work / folders.name_of(ident))

    def forget(self, ident: str) -> None:
        """Remove the folder of a run that has ended: it holds names of people."""
        folder = self._folder(ident)
        if folder.path.is_dir():
            self._sweep_one(folder, datetime.max.replace(tzinfo=UTC))

    def sweep(self, now: datetime) -> int:
        """Remove the folders of runs that ended longer ago than ``keep_days``; never one whose supervisor lives.

        :returns: how many.
        """
        if not self._work.is_dir():
            return 0
        oldest = now - max(timedelta(days=self._settings.keep_days), SHORTEST_KEPT)
        swept = 0
        for path in sorted(self._work.iterdir()):
            if path.name.startswith(_SWEPT):
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_dir() and not path.name.startswith("."):
                named = path.name.startswith(NAMING)  # left by a bridge that was killed before it removed it
                swept += self._sweep_one(Folder(path), now - SHORTEST_KEPT if named else oldest)
        self._sweep_temporary(now - SHORTEST_KEPT)
        return swept

    def _sweep_one(self, folder: Folder, oldest: datetime) -> bool:
        with self._held(folder) as lock:
            if lock is None:
                return False
            ended = self._ended(folder)
            when = ended.ended_at if ended is not None else None
            if (when or datetime.fromtimestamp(folder.path.stat().st_mtime, UTC)) >= oldest:
                return False
            gone = folder.path.with_name(_SWEPT + secrets.token_hex(8))
            folder.path.rename(gone)  # in one step: half a folder would look like a run that was never started
            shutil.rmtree(gone, ignore_errors=True)
            return True

    def _sweep_temporary(self, oldest: datetime) -> None:
        alive = processes.marks()
        temporary = self._work / _TEMPORARY
        for place in temporary.iterdir() if temporary.is_dir() else ():
            if place.name not in alive and datetime.fromtimestamp(place.stat().st_mtime, UTC) < oldest:
                shutil.rmtree(place, ignore_errors=True)

    # -- doctor --------------------------------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Return what is wrong with the set-up, a line each; empty when all is well."""
        temporary = self._work / _TEMPORARY
        return SetupCheck(self._config, self._settings, self._work, temporary, self._python, self._environment).wrong()
