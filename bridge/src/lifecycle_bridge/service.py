# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The bridge at work: it looks at new events, runs due cases, settles ended runs, and sends notices about stuck ones.

A run is one row of the table ``runs``, from ready to ended, and its state is nowhere else. Each open run of this bridge that has no thread gets
one. This one rule starts a run, continues it after a kill, lets another bridge take it over, and settles it when the database was away.
Each step may be repeated: an order whose ident was run before follows that run and never starts a second one
(:mod:`~lifecycle_bridge.execute`), and a second "settle" changes nothing. docs/decisions says why no library owns the runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from lifecycle_bridge import clock
from lifecycle_bridge.bridges import Bridges
from lifecycle_bridge.config import Config, Runner
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.events import Event
from lifecycle_bridge.execute import Executor, Order, Progress, Result
from lifecycle_bridge.looks import Looks
from lifecycle_bridge.loops import Loops, Silence, came_around
from lifecycle_bridge.people import People
from lifecycle_bridge.post import Letter, Post
from lifecycle_bridge.signal_keys import SignalKeys
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.alerts import Alert, Alerts, end_alerts, raise_alert
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.chores import PREFIX as CHORE
from lifecycle_bridge.store.chores import Chores
from lifecycle_bridge.store.errands import Errands
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.intakes import EVERYBODY, Intakes
from lifecycle_bridge.store.outbox import Outbox
from lifecycle_bridge.store.tables import RUN_OPEN, runs, sources

log = logging.getLogger("lifecycle_bridge")

#: Seconds between two looks when nothing wakes the loop; between two signs of life; without a successful look after which ``/readyz`` says no.
_LOOK, _BEAT, _FAILING, _GATHER = 0.5, 2.0, 30.0, 0.03
#: Seconds until a run whose thread failed gets another one; seconds until old runs are removed again.
_PAUSE, _SWEEP = 2.0, 3600.0
#: So many failures in a row to begin or to settle a run are an alert: a database that is away for a moment is none.
_HOPELESS = 10
#: Intakes at the same time. They do not count as runs, so that a leaver who must be cut off now waits for no other run.
_INTAKES = 3
#: Seconds until an alert that reached nobody is sent again; seconds between two looks for notices that follow from the calendar.
_AGAIN, _SCAN = 600.0, 30.0
#: What a person does about a loop that hangs.
_CURE = "Only a restart of this bridge ends it, which systemd and Podman do by themselves; runs go on, or are taken over. Its log says where to look"


class Work(Protocol):
    """One kind of run: what it orders, and what its end means. Both methods may be called again after a kill, and change nothing more then."""

    def begin(self, ident: str, owner: str, now: datetime) -> Order | None:
        """Mark the run as running, and return its order; None when nothing of it is left to do."""
        ...

    def settle(self, ident: str, result: Result, now: datetime) -> None:
        """Write how the run ended, and the notices about it."""
        ...


class Bridge:
    """The work of one process of the bridge.

    :param executor: how playbooks are run; what the configuration says when not given.
    :param loops: where each loop says that it moves.
    """

    def __init__(self, config: Config, executor: Executor | None = None, loops: Loops | None = None) -> None:
        self.config, self.loops = config, loops or Loops()
        password = config.database_password.read() if config.database_password else ""
        self.database = Database(config.database, password)
        self.executor = executor or executor_of(config)
        self.people = People(config, self.executor, self.loops)
        self.looks = Looks(config, self.executor, self.loops)
        self.outbox = Outbox(self.database, config)
        self.signal_keys = SignalKeys(self.database, config)
        self.post = Post(config, self.people, self.outbox, self.signal_keys)
        self.bridges = Bridges(self.database)
        self.cases = Cases(self.database, config)
        self.alerts = Alerts(self.database)
        self.intakes = Intakes(self.database, config, self.cases)
        self.chores = Chores(self.database, config)
        self.inbox = Inbox(self.database, self.wake, loops=self.loops)
        self.acts = CaseActs(self.database, config, self.wake)
        self._work: Mapping[str, Work] = {
            "cases": self.cases,
            "intake": self.intakes,
            "errand": Errands(self.database, config),
            "chore": self.chores,
        }
        self._at_work: dict[str, threading.Thread] = {}
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._send_at: dict[str, float] = {}
        self._woken, self._ended = threading.Event(), threading.Event()
        self._dispatcher = threading.Thread(target=self._dispatch, name="dispatch", daemon=True)
        self._dispatching = self.loops.begin("dispatch")
        self._posting: threading.Thread | None = None
        self._beat_at = self._swept_at = self._scanned_at = float("-inf")

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the tables, and begin to work, first on runs that were left open.

        :raises BridgeError: the database cannot be used.
        """
        try:
            self.database.create()
        except sa.exc.SQLAlchemyError as failure:
            raise BridgeError(
                f"open database {self.database.engine.url!r}: {failure.__class__.__name__}: {getattr(failure, 'orig', failure)}"
            ) from None
        self.bridges.beat()
        self._first_looks()
        self._show_keys()
        self.executor.warm()
        self._dispatching.succeeded()
        self._dispatcher.start()

    def stop(self, seconds: float = 10) -> None:
        """Begin nothing new, and stop. Runs go on by themselves, and the bridge follows them again after its next start."""
        self._ended.set()
        self.wake()
        self._dispatcher.join(seconds)
        self.loops.end(self._dispatching)
        self.executor.close()
        if self.database.sqlite or not self._open_runs():
            # While runs go on, the next bridge on this machine follows them; one elsewhere should not take them over at once.
            self.bridges.leave()
        self.database.close()

    def wake(self) -> None:
        """Look now, since something is new, and do not wait for the next look."""
        self._woken.set()

    # -- the loop ------------------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
                self._dispatching.succeeded()
            except Exception:  # of any kind: the next look must come, and /readyz says when none succeeds
                log.exception("a look at what is due failed; it is tried again")
            self._dispatching.came_around()
            self._woken.wait(_LOOK)
            self._woken.clear()
            time.sleep(_GATHER)  # events that come at the same time are taken together

    def look(self) -> None:
        """Start what is new and due, and take over the runs of a bridge that is gone."""
        now, monotonic = clock.now(), time.monotonic()
        if monotonic - self._beat_at >= _BEAT:
            self.bridges.beat()
            self._beat_at = monotonic
        for ident in self.bridges.take_over():
            log.warning("run %s belongs to a bridge that is gone; this bridge takes it over", ident)
        mine = self._open_runs()
        if sum(kind == "intake" for kind in mine.values()) < _INTAKES:
            self.intakes.claim(now, self.bridges.owner)
        if "chore" not in mine.values():
            self.chores.claim(now, self.bridges.owner)
        busy = sum(kind in ("cases", "errand") for kind in mine.values())
        self.cases.claim(now, self.config.at_once - busy, self.bridges.owner)
        for ident, kind in self._open_runs(due=now).items():
            self._carry_on(ident, kind, monotonic)
        if monotonic - self._swept_at > _SWEEP:
            self._swept_at = monotonic
            self.executor.sweep(now)
        self._send_alerts()
        if monotonic - self._scanned_at > _SCAN:
            self._scanned_at = monotonic
            self.outbox.scan(now)
        self._post_notices(now)

    def works(self) -> str:
        """Return why the dispatcher cannot work; empty while it does."""
        age = self._dispatching.seconds_without_success()
        return "" if age < _FAILING else f"no look at what is due has succeeded for {age:.0f} s"

    def _open_runs(self, due: datetime | None = None) -> dict[str, str]:
        """Return this bridge's runs that are not over, with their kind; with ``due``, without those that wait for a later moment."""
        mine = [runs.c.owner == self.bridges.owner, runs.c.status.in_(RUN_OPEN)]
        if due is not None:
            mine.append(sa.or_(runs.c.status != "waiting", runs.c.next_at <= stamp(due)))
        with self.database.read() as c:
            found = c.execute(sa.select(runs.c.ident, runs.c.kind).where(*mine).order_by(runs.c.started_at)).all()
        return {row.ident: row.kind or _kind_of(row.ident) for row in found}

    def _carry_on(self, ident: str, kind: str, monotonic: float) -> None:
        """Give an open run a thread, unless it has one, or one has just failed."""
        thread = self._at_work.get(ident)
        if thread is not None and thread.is_alive():
            return
        if self._not_before.get(ident, 0.0) > monotonic:
            return
        self._at_work = {name: one for name, one in self._at_work.items() if one.is_alive()}
        self._not_before = {name: at for name, at in self._not_before.items() if at > monotonic}
        thread = threading.Thread(target=self._thread, args=(ident, kind), name=f"run {ident}", daemon=True)
        self._at_work[ident] = thread
        thread.start()

    def _show_keys(self) -> None:
        """Note since when receivers of signals can read each key."""
        try:
            self.signal_keys.shown()
        except ConfigError as failure:
            log.error("the keys of signals cannot be shown: %s", failure)

    def _first_looks(self) -> None:
        """Read each source that was never read as a whole, before anything else."""
        now = clock.now()
        with self.database.write() as c:
            judged = set(c.execute(sa.select(sources.c.name).where(sources.c.judged_at != "")).scalars())
            never = [name for name in self.config.sources if name not in judged]
            for name in never:  # this is a comparison of everybody, so tonight's need not be made
                values = {"last_everybody_at": stamp(now)}
                if not c.execute(sa.update(sources).where(sources.c.name == name).values(**values)).rowcount:
                    c.execute(sa.insert(sources).values(name=name, **values))
        self.inbox.put_now([Event(name, "bridge:first-look", EVERYBODY, "", now, "") for name in never])

    # -- one run -------------------------------------------------------------------------------------------------------

    def _thread(self, ident: str, kind: str) -> None:
        try:
            with self.loops.running("run", ident):
                self.carry_out(ident, kind)
            self._note_success(ident)
        except Exception as failure:  # most likely the database is away: the run is still open, and gets another thread
            log.exception("run %s could not be carried out; it is tried again", ident)
            self._not_before[ident] = time.monotonic() + _PAUSE
            self._note_failure(ident, failure)
        self.wake()

    def _note_failure(self, ident: str, failure: Exception) -> None:
        """Count a failure to carry out a run. After several in a row it is an alert: until the run is settled, its people are in no other run."""
        self._failures[ident] = self._failures.get(ident, 0) + 1
        if self._failures[ident] >= _HOPELESS:
            words = f"run {ident} cannot be begun or settled ({type(failure).__name__}); it is tried again every {_PAUSE:g} s, and its people wait"
            words += ". The bridge's log has the place in the code: report it"
            with suppress(sa.exc.DBAPIError), self.database.write() as c:
                raise_alert(c, f"run:{ident}", words, clock.now())

    def _note_success(self, ident: str) -> None:
        """End the alert about a run that could not be carried out before."""
        if self._failures.pop(ident, 0) >= _HOPELESS:
            with self.database.write() as c:
                end_alerts(c, [f"run:{ident}"], clock.now(), over=f"run {ident} is settled")

    def carry_out(self, ident: str, kind: str) -> None:
        """Take a run from where it is to its end."""
        work = self._work[kind]
        order = work.begin(ident, self.bridges.owner, clock.now())
        if order is None:
            return
        result = self.execute(order, ident)
        if self._ended.is_set():
            return  # the next bridge follows the run, and finds its end
        work.settle(ident, result, clock.now())
        self._post_letters(result)

    def execute(self, order: Order, run: str) -> Result:
        """Run an order to its end. A run that cannot be started has a result too, and a person gets a notice."""
        affected = self.cases.of_run(run)

        def progress(step: Progress) -> None:
            came_around()
            if step.outcome in ("failed", "unreachable"):
                with suppress(sa.exc.DBAPIError):  # a missing line in the time line is better than a stopped run
                    for case in affected:
                        self.cases.line(case, step.at, "progress", f"{step.task} on {step.host}: {step.outcome}")

        def stop() -> bool:
            came_around()
            with suppress(sa.exc.DBAPIError):  # the database is away for a moment: that stops no run
                return self.cases.stopped(run)
            return False

        try:
            return self.executor.run(order, stop=stop, progress=progress)
        except BridgeError as failure:
            return Result("refused", detail=str(failure), temporary=True, started_at=clock.now(), ended_at=clock.now())
        except (
            Exception
        ) as failure:  # a fault in the executor: how far the run got is not known, and its cases must not wait for ever
            log.exception("run %s: the executor failed", run)
            words = f"the executor failed: {type(failure).__name__}"
            return Result("unknown", detail=words, temporary=True, started_at=clock.now(), ended_at=clock.now())

    # -- notices -------------------------------------------------------------------------------------------------------

    def send_alert(self, alert: Alert) -> str:
        """Send an alert; return by which ways, empty when by none. A way that fails raises nothing: the console shows the alert too."""
        try:
            return self.post.alert(alert)
        except Exception:
            log.exception("the alert reached nobody: %s", alert.key)
            return ""

    def send_notices(self, now: datetime) -> int:
        """Send the notices about cases; return how many arrived."""
        arrived = 0
        while found := self.outbox.claim(now):
            for one in found:
                came_around()
                if way := self.post.send(one):
                    arrived += 1
                    self.cases.line(one.case.id, clock.now(), "told", f"{one.news.replace('_', ' ')} by {way}")
        return arrived

    def _post_notices(self, now: datetime) -> None:
        """Send notices in a thread of its own, since channels and HR may be slow. What one round does not send, the next one does."""
        if (self._posting is None or not self._posting.is_alive()) and self.outbox.waits(now):
            self._posting = threading.Thread(target=self._send_all, args=(now,), name="notices", daemon=True)
            self._posting.start()

    def _send_all(self, now: datetime) -> None:
        try:
            with self.loops.running("notices"):
                self.send_notices(now)
        except Exception:
            log.exception("notices could not be sent; they are tried again")

    def _post_letters(self, result: Result) -> None:
        """Send each letter of a run once, to the people that it names. One that did not arrive comes again with the next run."""
        for data in result.stats.get("notices") or ():
            letter = Letter.of(data)
            if letter is None or not self.outbox.is_new(letter.key, clock.now()):
                continue
            came_around()
            try:
                arrived = self.post.letter(letter)
            except Exception:
                log.exception("%s could not be sent", letter.key)
                arrived = ""
            if not arrived:
                self.outbox.is_new_again(letter.key)

    def _send_alerts(self) -> None:
        """Send each alert once, by one bridge, and its end. What fails is tried again later."""
        now, due = clock.now(), time.monotonic()
        unsent = [alert for alert in self.alerts.unsent(now) if self._send_at.get(alert.key, 0.0) <= due]
        self.send_alerts([*(one for one in unsent if self.alerts.claim(one.key, now)), *self.alerts.ended()])

    def send_alerts(self, found: Sequence[Alert]) -> None:
        """Send alerts in a thread of its own, since a channel may be slow."""
        if found:
            threading.Thread(target=self._send_alerts_now, args=(found,), name="alerts", daemon=True).start()

    def _send_alerts_now(self, found: Sequence[Alert]) -> None:
        with self.loops.running("alerts"):
            for alert in found:
                came_around()
                arrived = self.send_alert(alert)
                if alert.over:
                    continue
                with suppress(sa.exc.DBAPIError):  # it is sent again after a while: twice is better than never
                    if arrived:
                        self._send_at.pop(alert.key, None)
                        self.alerts.sent(alert.key, clock.now())
                    else:
                        self._send_at[alert.key] = time.monotonic() + _AGAIN
                        self.alerts.not_sent(alert.key)

    def raise_silence(self, silence: Silence) -> None:
        """Keep an alert about a loop that hangs; the console and ``doctor`` show it, and it is sent like any other."""
        with self.database.write() as c:
            key = f"loop:{silence.loop}:{self.bridges.owner}"  # of this start of the bridge: the next one that hangs is another alert
            raise_alert(c, key, f"{silence.words}. {_CURE}", clock.now())


def _kind_of(ident: str) -> str:
    """Return the kind of a run that an older bridge made."""
    kinds = {"intake-": "intake", "release-": "errand", CHORE: "chore"}
    return next((kind for prefix, kind in kinds.items() if ident.startswith(prefix)), "cases")


def executor_of(config: Config) -> Executor:
    """Return the executor that the configuration names; its module is imported only when it is used."""
    if isinstance(config.executor, Runner):
        from lifecycle_bridge.execute.runner import RunnerExecutor

        return RunnerExecutor(config)
    from lifecycle_bridge.execute.controller import ControllerExecutor

    return ControllerExecutor(config)
