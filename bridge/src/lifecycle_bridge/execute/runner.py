# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs on this machine, by ansible-runner. One supervisor process a run (:mod:`~lifecycle_bridge.execute.supervisor`), one folder a run
(:mod:`~lifecycle_bridge.execute.folder`); this side starts, follows, takes up again and sweeps. docs/bridge-runner.md explains it.
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

#: Seconds between two looks at a run: is it to be stopped, what has it reached.
LOOK = 0.05
#: Supervisors that are kept started and waiting, once :meth:`RunnerExecutor.warm` was called.
SEATS = 2
#: Seconds after a run before those that were used are replaced.
REFILL_AFTER = 2.0
#: A run's folder is kept so long in any case: a bridge that was killed comes back for its result.
SHORTEST_KEPT = timedelta(hours=1)

#: Starts the supervisor out of this very package, whatever else of that name its interpreter would find.
_SUPERVISOR = "import sys; sys.path.insert(0, sys.argv[1]); from lifecycle_bridge.execute.supervisor import main; sys.exit(main())"
_SEATS, _SWEPT = ".seats", ".swept-"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What the collection's own ansible.cfg says, for those who give neither a file nor another value.
_DEFAULTS = {
    "ANSIBLE_FORKS": "25",
    "ANSIBLE_INVENTORY_ENABLED": "workforce.lifecycle.systems,ansible.builtin.yaml,ansible.builtin.ini,ansible.builtin.host_list",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
    "ANSIBLE_LOCALHOST_WARNING": "false",
}


@dataclass
class _Seat:
    """A supervisor that waits for its order."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    place: Path
    born: tuple[float, ...]

    def is_gone(self, patience: float) -> bool:
        """Return whether it ends within so many seconds: it says nothing until its end of the channel closes."""
        self.channel.settimeout(patience)
        try:
            return not self.channel.recv(1)
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def dismiss(self) -> None:
        """Close the channel of a process that isn't needed, which then ends by itself."""
        self.channel.close()
        self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def last_words(self) -> str:
        """Return why it ended, when it should not have."""
        with suppress(OSError):
            lines = (self.place / "trouble").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""


class RunnerExecutor:
    """Runs playbooks as processes of this machine. Safe to use from several threads."""

    def __init__(self, config: Config, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not isinstance(config.executor, Settings):
            raise ConfigError("executor: kind: runner is wanted here")
        self._monotonic = monotonic
        self._config, self._settings = config, config.executor
        self._work = Path(config.work).absolute()
        self._python = self._settings.python or sys.executable
        self._lock = threading.Lock()
        self._waiting: list[_Seat] = []
        self._running = 0
        self._warm = False

    # -- a run ---------------------------------------------------------------------------------------------------------

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        """Run it, or take up the run of this ident where it is, and wait until nothing of it lives.

        :raises BridgeError: it could not be begun; nothing was started.
        """
        if not processes.can_adopt_orphans():
            raise BridgeError(
                "run a playbook here: this platform cannot hold on to what a run starts (no PR_SET_CHILD_SUBREAPER, no /proc): use Linux or AWX"
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
                    seat = self._start(order, folder, lock)
                else:
                    seat = None
            if seat is None:
                self._look(follow)
                time.sleep(
                    LOOK
                )  # another bridge, or an earlier life of this one, started it: its lock shows when it is over
            else:
                self._wait(seat, follow)

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

    def _start(self, order: Order, folder: Folder, lock: int) -> _Seat:
        given = {**self._config.extra_vars, **order.extra_vars}
        message = {
            "folder": str(folder.path),
            "playbook": order.playbook,
            "inventory": str(self._config.inventory.absolute()),
            "timeout": order.timeout,
            "idle_timeout": order.idle_timeout,
            "extra_vars": extra_vars.encoded(given) if given else "",
        }
        seat = self._seat()
        with self._lock:
            self._running += 1
        try:
            socket.send_fds(seat.channel, [b"\0"], [lock])
            playbook_process.send(seat.channel, message)
        except OSError:
            pass  # it is gone: seen when it is waited for
        return seat

    def _wait(self, seat: _Seat, follow: Follow) -> None:
        """Follow a run that we started, until its supervisor is gone."""
        try:
            while not seat.is_gone(LOOK):
                self._look(follow)
            seat.channel.close()
            seat.process.wait()
        finally:
            with self._lock:
                self._running -= 1
            self._warm_again()
        if not follow.folder.run.exists():
            self._raise_not_begun(seat)

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

    def _raise_not_begun(self, seat: _Seat) -> None:
        said = seat.last_words()
        shutil.rmtree(seat.place, ignore_errors=True)
        raise BridgeError(
            f"start a run with {self._python}: its supervisor ended before it began: {said or f'code {seat.process.returncode}'}"
        )

    def _ended(self, folder: Folder) -> Result | None:
        """Return how the run of this folder ended; None when it was never begun. Its lock is ours: nobody watches it."""
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
        """End what is left of a run whose supervisor was killed. What the run did is not known."""
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
        """Have supervisors started and waiting, so that a run begins at once; again after each run. Each is used once, and for one run."""
        self._warm = True
        while True:
            with self._lock:
                if self._running or len(self._waiting) >= SEATS:
                    return  # while something runs, the processors are its own
                self._waiting.append(self._new_seat())

    def _warm_again(self) -> None:
        """Start warm processes a little later, so that the next run is not slowed down."""
        if self._warm:
            timer = threading.Timer(REFILL_AFTER, self._refill)
            timer.daemon = True
            timer.start()

    def _refill(self) -> None:
        try:
            if self._warm:
                self.warm()
        except BridgeError as failure:
            log.warning(
                "keep supervisors ready: %s", failure
            )  # the next run begins without, or says the same to its caller

    def close(self) -> None:
        """Dismiss the supervisors that wait. Runs go on."""
        self._warm = False
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for seat in waiting:
            seat.dismiss()

    def _seat(self) -> _Seat:
        while True:
            with self._lock:
                if not self._waiting:
                    return self._new_seat()
                seat = self._waiting.pop(0)
            if seat.process.poll() is None and seat.born == self._software():
                return seat
            seat.dismiss()

    def _software(self) -> tuple[float, ...]:
        """Note when the software was installed; warm processes are discarded after an upgrade."""
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

    def _new_seat(self) -> _Seat:
        if shutil.which(self._python) is None:
            raise BridgeError(f"start a run: executor.python: {self._python} is not there, or cannot be run")
        mark = secrets.token_hex(12)
        place = self._work / _SEATS / mark
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
        return _Seat(process, ours, place, self._software())

    def _given(self) -> dict[str, str]:
        """Return what a run may see of our own environment."""
        return {name: os.environ[name] for name in self._settings.environment if name in os.environ}

    def _environment(self, place: Path) -> dict[str, str]:
        """Return the whole environment of a run: nothing of ours is in it that is not named."""
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
        """Remove the folder of a run that has ended: names of people stand in it."""
        folder = self._folder(ident)
        if folder.path.is_dir():
            self._sweep_one(folder, datetime.max.replace(tzinfo=UTC))

    def sweep(self, now: datetime) -> int:
        """Remove the folders of runs that ended longer ago than ``keep_days``; never one that has a supervisor that lives.

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
        self._sweep_seats(now - SHORTEST_KEPT)
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
            folder.path.rename(gone)  # at once: half a folder would read as a run that was never begun
            shutil.rmtree(gone, ignore_errors=True)
            return True

    def _sweep_seats(self, oldest: datetime) -> None:
        alive = processes.marks()
        seats = self._work / _SEATS
        for place in seats.iterdir() if seats.is_dir() else ():
            if place.name not in alive and datetime.fromtimestamp(place.stat().st_mtime, UTC) < oldest:
                shutil.rmtree(place, ignore_errors=True)

    # -- doctor --------------------------------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Return what is wrong with the set-up, a line each; empty when all is well."""
        seats = self._work / _SEATS
        return SetupCheck(self._config, self._settings, self._work, seats, self._python, self._environment).wrong()
