# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The bridge at work: what came in is looked at, what is due is run, what ended is settled, what is stuck is told.

Every run is a DBOS workflow whose id is the run's: begun once, gone on with after a kill, finished once. A bridge that is not heard of
any more is dead, and another one on the same database takes over its runs; whatever of them is still alive on that machine holds its
people's lease in the collection's ledger, so that nothing is run twice at once.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config, Runner
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.events import Event
from lifecycle_bridge.execute import Executor, Order, Progress, Result
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.acts import RELEASE, CaseActs
from lifecycle_bridge.store.alerts import Alert, Alerts
from lifecycle_bridge.store.batches import EVERYBODY, PLAYBOOK, Batches
from lifecycle_bridge.store.cases import Cases, Told
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.tables import bridges, runs, sources

log = logging.getLogger("lifecycle_bridge")

#: Seconds between two looks when nothing wakes the loop; between two signs of life; without one after which a bridge is dead, or its loop.
_LOOK, _BEAT, _DEAD, _STUCK, _GATHER = 0.5, 2.0, 20.0, 30.0, 0.03
#: Intakes at the same time, beside the runs: what must be cut now never waits for a slot.
_INTAKES = 3
#: Workflows of one version go on under the next.
_PROTOCOL = "1"
#: Seconds until an alert that reached nobody is told again.
_AGAIN = 600.0
#: What an alert's notice is about.
_SUBJECT = "Somebody has to look"
#: A run that is not over.
_OPEN = ("ready", "running", "stopping")


class Bridge:
    """One process's part of the work.

    :param executor: how playbooks are run; what the configuration says when not given.
    :param tell: tells a human, and says by what; does nothing when not given.
    """

    current: Bridge | None = None

    def __init__(
        self, config: Config, executor: Executor | None = None, tell: Callable[[Told], str] | None = None
    ) -> None:
        self.config = config
        self.owner = f"{_machine()}-{os.getpid()}-{int(time.time() * 1000):x}"
        password = config.database_password.read() if config.database_password else ""
        self.database = Database(config.database, password)
        self.executor = executor or executor_of(config)
        self._tell = tell or (lambda told: "")
        self.cases = Cases(self.database, config)
        self.alerts = Alerts(self.database)
        self.batches = Batches(self.database, config, self.cases)
        self.inbox = Inbox(self.database, self.wake)
        self.acts = CaseActs(self.cases, self.wake)
        self._tell_at: dict[str, float] = {}
        self._woken, self._ended = threading.Event(), threading.Event()
        self._loop = threading.Thread(target=self._work, name="dispatch", daemon=True)
        self._beat_at = self._swept_at = self._checked_at = 0.0
        self.looked_at = 0.0

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the tables, take up what was left, begin to work.

        :raises BridgeError: the database cannot be used.
        """
        try:
            self.database.create()
        except sa.exc.SQLAlchemyError as failure:
            raise BridgeError(
                f"open database {self.database.engine.url!r}: {failure.__class__.__name__}: {getattr(failure, 'orig', failure)}"
            ) from None
        Bridge.current = self
        DBOS(
            config={
                "name": "lifecycle-bridge",
                "system_database_url": self._queue_url(),
                "application_version": _PROTOCOL,
                "executor_id": self.owner,
                "log_level": "WARNING",
                "enable_otlp": False,
            }
        )
        DBOS.launch()
        self._alive()
        self._first_looks()
        if hasattr(self.executor, "warm"):
            self.executor.warm()
        self._loop.start()

    def stop(self, seconds: float = 10) -> None:
        """Take nothing new. Runs go on by themselves, and are taken up again at the next start."""
        self._ended.set()
        self.wake()
        self._loop.join(seconds)
        if hasattr(self.executor, "close"):
            self.executor.close()
        DBOS.destroy(workflow_completion_timeout_sec=0)
        if (
            self.database.sqlite or not self._running()
        ):  # its successor on this machine finds them still running: nobody elsewhere should hurry
            with self.database.write() as c:
                c.execute(sa.delete(bridges).where(bridges.c.owner == self.owner))
        self.database.close()
        Bridge.current = None

    def wake(self) -> None:
        """Something is new: do not wait for the next look."""
        self._woken.set()

    def _queue_url(self) -> str:
        """DBOS' own tables: a file beside ours with SQLite, so that the two do not wait for each other; a schema of the same PostgreSQL."""
        url = self.database.engine.url
        if self.database.sqlite:
            url = url.set(database=f"{url.database}.queue")
        return url.render_as_string(hide_password=False)

    # -- the loop ------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception:  # whatever it is, the next look has to come: /readyz tells when none succeeds
                log.exception("a look at what is due failed; it is tried again")
            self._woken.wait(_LOOK)
            self._woken.clear()
            time.sleep(_GATHER)  # what comes at the same time is looked at together

    def look(self) -> None:
        """Start what is new and due; take over what a dead bridge left."""
        now, monotonic = clock.now(), time.monotonic()
        if monotonic - self._beat_at >= _BEAT:
            self._alive()
            self._beat_at = monotonic
        self._take_over()
        mine = self._running()
        if monotonic - self._checked_at >= _BEAT:
            self._checked_at = monotonic
            for ident in mine:
                self._mend(ident)
        if sum(1 for ident in mine if ident.startswith("intake-")) < _INTAKES:
            for ident in self.batches.take(now, self.owner):
                self._start(_take_in, ident)
        free = self.config.at_once - sum(1 for ident in mine if not ident.startswith("intake-"))
        for ident in self.cases.claim(now, free, self.owner):
            self._start(_run_cases, ident)
        if (
            isinstance(self.config.executor, Runner)
            and monotonic - self._swept_at > 3600
            and hasattr(self.executor, "sweep")
        ):
            self._swept_at = monotonic
            self.executor.sweep(now)
        self._tell_alerts()
        self.looked_at = time.monotonic()

    def _tell_alerts(self) -> None:
        """Each alert is told once, by one bridge, in a thread of its own: a channel may take its time. In vain is tried again later."""
        now, due = clock.now(), time.monotonic()
        untold = [alert for alert in self.alerts.untold() if self._tell_at.get(alert.key, 0.0) <= due]
        mine = [alert for alert in untold if self.alerts.claim(alert.key, now)]
        if mine:
            threading.Thread(target=self._tell_all, args=(mine,), daemon=True).start()

    def _tell_all(self, found: list[Alert]) -> None:
        for alert in found:
            if self.tell(Told(_SUBJECT, alert.detail, {"id": alert.key})):
                self._tell_at.pop(alert.key, None)
                continue
            self._tell_at[alert.key] = time.monotonic() + _AGAIN
            with suppress(sa.exc.DBAPIError):
                self.alerts.not_told(alert.key)

    def works(self) -> str:
        """Why the loop counts as dead; empty while it works."""
        age = time.monotonic() - self.looked_at
        return "" if age < _STUCK else f"no look at what is due has succeeded for {age:.0f} s"

    def _running(self) -> list[str]:
        with self.database.read() as c:
            return list(
                c.execute(sa.select(runs.c.ident).where(runs.c.owner == self.owner, runs.c.status.in_(_OPEN))).scalars()
            )

    def _start(self, workflow: Callable[[str], None], ident: str) -> None:
        with SetWorkflowID(ident):
            DBOS.start_workflow(workflow, ident)

    def _alive(self) -> None:
        with self.database.write() as c:
            at = stamp(self.database.now(c))
            if not c.execute(sa.update(bridges).where(bridges.c.owner == self.owner).values(beat_at=at)).rowcount:
                c.execute(sa.insert(bridges).values(owner=self.owner, started_at=at, beat_at=at))

    def _take_over(self) -> None:
        """Runs whose bridge is dead: each is taken by one bridge, and gone on with where it was."""
        with self.database.write() as c:
            self.cases._exclusive(c)
            silent = stamp(self.database.now(c) - timedelta(seconds=_DEAD))
            for owner, beat_at in c.execute(sa.select(bridges.c.owner, bridges.c.beat_at)).all():
                if owner != self.owner and (beat_at < silent or _gone(owner)):
                    c.execute(sa.delete(bridges).where(bridges.c.owner == owner))
            alive = sa.select(bridges.c.owner)
            left = list(
                c.execute(sa.select(runs.c.ident).where(runs.c.status.in_(_OPEN), runs.c.owner.not_in(alive))).scalars()
            )
            c.execute(sa.update(runs).where(runs.c.ident.in_(left)).values(owner=self.owner))
        for ident in left:
            if not self._mend(ident):
                log.warning("run %s was left by a bridge that is gone; it is taken up again", ident)
                DBOS.resume_workflow(ident)

    def _mend(self, ident: str) -> bool:
        """Begin a run's workflow (anew) that never began, or is over without having settled the run: the database was away, or is an older backup."""
        known = DBOS.get_workflow_status(ident)
        if known is not None and known.status in ("PENDING", "ENQUEUED", "DELAYED"):
            return False
        with self.database.read() as c:  # after the workflow: it settles the run before it ends
            open_ = c.execute(
                sa.select(runs.c.playbook).where(runs.c.ident == ident, runs.c.status.in_(_OPEN))
            ).scalar()
        if open_ is not None:
            if known is not None:
                log.warning("run %s was not settled (%s); it is taken up again", ident, known.status)
                DBOS.delete_workflow(ident)
            self._start(_take_in if open_ == PLAYBOOK else _release if ident.startswith(RELEASE) else _run_cases, ident)
        return True

    def _first_looks(self) -> None:
        """A source that was never seen whole is, first of all."""
        now = clock.now()
        with self.database.write() as c:
            judged = set(c.execute(sa.select(sources.c.name).where(sources.c.judged_at != "")).scalars())
            never = [name for name in self.config.sources if name not in judged]
            for name in never:  # the nightly comparison need not be made as well
                if not c.execute(
                    sa.update(sources).where(sources.c.name == name).values(last_everybody_at=stamp(now))
                ).rowcount:
                    c.execute(sa.insert(sources).values(name=name, last_everybody_at=stamp(now)))
        self.inbox.put_now([Event(name, "bridge:first-look", EVERYBODY, "", now, "") for name in never])

    # -- one run -------------------------------------------------------------------------------------------------------

    def execute(self, order: Order, run: str, cases: tuple[str, ...] = ()) -> Result:
        """Run an order to its end. What cannot even be begun is a result too: a human is told."""

        def progress(step: Progress) -> None:
            if step.outcome in ("failed", "unreachable"):
                with suppress(sa.exc.DBAPIError):  # the run is worth more than a line of it
                    for case in cases:
                        self.cases.line(case, step.at, "progress", f"{step.task} on {step.host}: {step.outcome}")

        def stop() -> bool:
            with suppress(sa.exc.DBAPIError):  # the database is away for a moment: that stops no run
                return self.cases.stopped(run)
            return False

        try:
            return self.executor.run(order, stop=stop, progress=progress)
        except BridgeError as failure:
            return Result("refused", detail=str(failure), temporary=True, started_at=clock.now(), ended_at=clock.now())
        except Exception as failure:  # a mistake of the executor's: how far the run got is not known, and its people must not wait for ever
            log.exception("run %s: the executor failed", run)
            return Result(
                "unknown",
                detail=f"the executor failed: {type(failure).__name__}",
                temporary=True,
                started_at=clock.now(),
                ended_at=clock.now(),
            )

    def mine(self, ident: str) -> None:
        """Whoever executes a run has it, whatever was written before a kill."""
        with self.database.write() as c:
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(owner=self.owner))

    def tell(self, told: Told) -> str:
        """Tell it; by which ways, empty when by none."""
        try:
            ways = self._tell(told)
        except (
            Exception
        ):  # a channel that fails must not make the run fail; it was written to the log and the console shows the case
            log.exception("a human could not be told: %s", told.subject)
            return ""
        if ways and told.case.get("person"):
            self.cases.line(str(told.case["id"]), clock.now(), "told", ways)
        return ways


def executor_of(config: Config) -> Executor:
    """What the configuration says; imported only when it is used."""
    if isinstance(config.executor, Runner):
        from lifecycle_bridge.execute.runner import RunnerExecutor

        return RunnerExecutor(config)
    from lifecycle_bridge.execute.controller import ControllerExecutor

    return ControllerExecutor(config)


def _gone(owner: str) -> bool:
    """Whether a bridge of this machine has no process any more: its successor need not wait for its signs of life to age."""
    machine, pid, _started = owner.rsplit("-", 2)
    return machine == _machine() and not os.path.exists(f"/proc/{pid}") and os.path.exists("/proc/self")


def _machine() -> str:
    """This machine since it was switched on, as far as process ids go: two containers may share a name, and not their processes."""
    with suppress(OSError):
        return f"{socket.gethostname()[:40]}.{Path('/proc/sys/kernel/random/boot_id').read_text()[:8]}.{os.stat('/proc/self/ns/pid').st_ino}"
    return socket.gethostname()[:40]


def _bridge() -> Bridge:
    assert Bridge.current is not None, "workflows run only while a bridge does"
    return Bridge.current


# -- workflows: what is durable about a run ------------------------------------------------------------------------------


#: Only the database can fail in a step (what runs is caught): it is tried again for a minute, and after that by :meth:`Bridge._mend`.
_step = DBOS.step(retries_allowed=True, max_attempts=8, interval_seconds=0.5, backoff_rate=2)


def _as_data(result: Result) -> dict[str, Any]:
    return {
        "status": result.status,
        "stats": dict(result.stats),
        "detail": result.detail,
        "temporary": result.temporary,
        "codes": list(result.codes),
        "output": result.output,
    }


def _of_data(data: Mapping[str, Any]) -> Result:
    return Result(
        data["status"],
        stats=data["stats"],
        detail=data["detail"],
        temporary=data["temporary"],
        codes=tuple(data["codes"]),
        output=data["output"],
    )


@_step
def _execute_cases(ident: str) -> dict[str, Any] | None:
    bridge = _bridge()
    order = bridge.cases.begin(ident, bridge.owner, clock.now())
    return None if order is None else _as_data(bridge.execute(order, ident, bridge.cases.of_run(ident)))


@_step
def _settle_cases(ident: str, data: dict[str, Any]) -> None:
    bridge = _bridge()
    for told in bridge.cases.settle(ident, _of_data(data), clock.now()):
        bridge.tell(told)
    bridge.wake()


@DBOS.workflow()
def _run_cases(ident: str) -> None:
    data = _execute_cases(ident)
    if data is not None:
        _settle_cases(ident, data)


@_step
def _execute_intake(ident: str, attempt: int) -> dict[str, Any] | None:
    bridge = _bridge()
    order = bridge.batches.order(ident, attempt, bridge.owner)
    return None if order is None else _as_data(bridge.execute(order, ident))


@_step
def _settle_intake(ident: str, attempt: int, data: dict[str, Any]) -> float | None:
    bridge = _bridge()
    again = bridge.batches.settle(ident, attempt, _of_data(data), clock.now())
    bridge.wake()
    return again


@DBOS.workflow()
def _take_in(ident: str) -> None:
    attempt = 1
    while True:
        data = _execute_intake(ident, attempt)
        again = _settle_intake(ident, attempt, data) if data is not None else None
        if again is None:
            return
        DBOS.sleep(again)
        attempt += 1


@_step
def _execute_release(ident: str) -> dict[str, Any]:
    bridge = _bridge()
    bridge.mine(ident)
    return _as_data(bridge.execute(bridge.acts.release_order(ident), ident))


@_step
def _settle_release(ident: str, data: dict[str, Any]) -> None:
    _bridge().acts.released(ident, _of_data(data), clock.now())


@DBOS.workflow()
def _release(ident: str) -> None:
    _settle_release(ident, _execute_release(ident))
