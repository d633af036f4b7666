# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polls the HR sources that :mod:`watch` says are due. First the events are stored, then the place where the next look begins, so that a kill in
between repeats a look and loses nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config, Source
from lifecycle_bridge.errors import BridgeError, ConfigError, Unreachable
from lifecycle_bridge.events import Event
from lifecycle_bridge.loops import Loops, came_around
from lifecycle_bridge.poll import POLLERS
from lifecycle_bridge.poll.base import PREFIX, Poller, event
from lifecycle_bridge.poll.watch import (
    FAILURES,
    GRACE,
    Standing,
    Task,
    dead_webhook,
    due,
    everybody_due,
    silent,
    unheard,
    zone_of,
)
from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.alerts import end_alerts
from lifecycle_bridge.store.tables import alerts, events, sources

log = logging.getLogger("lifecycle_bridge.poll")

#: How often each source is checked for silence.
_ALARMS_EVERY = timedelta(minutes=1)
#: How far back to look for changes that no webhook announced.
_REMEMBERED = timedelta(days=14)
#: How many files one look at a folder reads.
_MOST_AT_ONCE = 20


class Inbox(Protocol):
    """Where events become durable: :class:`lifecycle_bridge.store.inbox.Inbox`."""

    def put_now(self, events: list[Event]) -> list[Event]:
        """Store events; return the new ones."""
        ...


@dataclass(frozen=True)
class Alarm:
    """The begin or the end (``over``) of an alert, which is in the table ``alerts`` under the same key."""

    key: str
    detail: str
    over: bool = False


@dataclass
class Round:
    """What one call did. ``found``: new events by source. ``alarms``: alerts that began or ended since the last call, also in looks in the background."""

    tasks: list[Task]
    found: dict[str, int]
    alarms: list[Alarm]


class Polling:
    """Polls the sources. Several bridges may do so with one database: each look is made by one of them."""

    def __init__(
        self,
        database: Database,
        config: Config,
        inbox: Inbox,
        *,
        pollers: Mapping[str, Poller] = POLLERS,
        at_once: int = 4,
        loops: Loops | None = None,
    ) -> None:
        self._loops = loops or Loops()
        self._database, self._config, self._inbox, self._pollers = database, config, inbox, pollers
        self._insert = sqlite.insert if database.sqlite else postgresql.insert
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="poll")
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._alarms_at: datetime | None = None
        self._unsent: list[Alarm] = []

    def run_once(self, now: datetime | None = None, *, wait_for_looks: bool = True) -> Round:
        """Do what is due. An alert that begins is in the table, from where the bridge sends it as it sends every other.

        With ``wait_for_looks=False`` looks go on in the background; what they find is in the tables, and their alarms come with a later call.
        """
        now = now or clock.now()
        done = Round([], {}, [])
        standing = self._standing(now)
        tasks = [task for task in self._due(standing, now) if self._free(task)]
        for task in tasks:
            if task.what == "everybody":
                self._everybody(task, now, done)
        looks = [
            self._pool.submit(self._look, task.source, standing[task.source][1], now, done)
            for task in tasks
            if task.what == "poll"
        ]
        done.tasks = tasks
        if wait_for_looks:
            wait(looks)
            for look in looks:
                look.result()
        if looks or self._alarms_at is None or now - self._alarms_at >= _ALARMS_EVERY or now < self._alarms_at:
            self._alarms_at = now
            self._alarms(now)
        with self._lock:
            done.alarms, self._unsent = self._unsent, []
        return done

    def accept(self, name: str, by: str) -> None:
        """Accept, in the name of a person, the list that the source shows now, however short: the next look takes it.

        :raises ConfigError: there is no such source, or it is not polled.
        """
        if name not in self._config.sources or self._config.sources[name].poll is None:
            raise ConfigError(
                f"accept {name}: no source of that name is polled; there are {', '.join(self._config.sources) or 'none'}"
            )
        self._standing(clock.now())
        self._update(name, accepted_by=by, tried_at="", failures=0)

    def check(self) -> list[str]:
        """Return what is wrong with the configuration of polls, a line each, for ``doctor``."""
        wrong = []
        for name, source in self._config.sources.items():
            try:
                zone_of(source)
            except ConfigError as failure:
                wrong.append(f"sources.{name}: {failure}")
            if source.poll is None:
                continue
            poller = self._pollers.get(source.poll.kind)
            if poller is None:
                wrong.append(
                    f"sources.{name}.poll.kind: {source.poll.kind!r} is not known: one of {', '.join(self._pollers)}"
                )
                continue
            wrong += [
                f"sources.{name}.poll.options.{option}: {source.poll.kind} knows no such option; it has {', '.join(sorted(poller.options))}"
                for option in source.poll.options
                if option not in poller.options
            ]
            for key in poller.credentials:
                if key not in source.poll.credentials:
                    wrong.append(f"sources.{name}.poll.credentials.{key} is missing")
                    continue
                try:
                    source.poll.credentials[key].read()
                except ConfigError as failure:
                    wrong.append(f"sources.{name}.poll.credentials.{key}: {failure}")
        return wrong

    def close(self) -> None:
        """Wait for looks that are under way."""
        self._pool.shutdown()

    # -- what is known ---------------------------------------------------------------------------------------------------

    def _standing(self, now: datetime) -> dict[str, tuple[Source, Standing]]:
        if self._config.sources.keys() - self._known:
            with self._database.write() as connection:
                for name in self._config.sources:
                    connection.execute(
                        self._insert(sources)
                        .values(name=name, known_since=stamp(now))
                        .on_conflict_do_nothing(index_elements=["name"])
                    )
                connection.execute(sources.update().where(sources.c.known_since == "").values(known_since=stamp(now)))
            self._known |= self._config.sources.keys()
        wanted = [column for column in sources.c if column.name != "cursor"]
        with self._database.read() as connection:
            rows = {row.name: row for row in connection.execute(sa.select(*wanted))}
        return {
            name: (
                source,
                Standing(
                    moment(rows[name].known_since) or now,
                    moment(rows[name].last_event_at),
                    moment(rows[name].last_look_at),
                    moment(rows[name].last_everybody_at),
                    moment(rows[name].tried_at),
                    rows[name].failures,
                ),
            )
            for name, source in self._config.sources.items()
            if name in rows
        }

    def _due(self, standing: Mapping[str, tuple[Source, Standing]], now: datetime) -> list[Task]:
        found: list[Task] = []
        for name, one in standing.items():
            try:
                found += due({name: one}, now)
            except ConfigError as failure:  # of one source: the others are polled
                self._raise(f"poll:{name}", f"sources.{name}: {failure}", now)
        return sorted(found, key=lambda task: task.what)  # everybody before polls

    def _row(self, name: str) -> Any:
        with self._database.read() as connection:
            return connection.execute(sources.select().where(sources.c.name == name)).one()

    def _update(self, name: str, *where: sa.ColumnElement[bool], **values: Any) -> bool:
        with self._database.write() as connection:
            return (
                connection.execute(sources.update().where(sources.c.name == name, *where).values(**values)).rowcount
                == 1
            )

    def _free(self, task: Task) -> bool:
        with self._lock:
            return task.source not in self._busy or task.what == "everybody"

    # -- looking ---------------------------------------------------------------------------------------------------------

    def _everybody(self, task: Task, now: datetime, done: Round) -> None:
        """Put an event that has everybody compared. Its id is made of the time it was due, so that a restart or another bridge makes no second one."""
        assert task.slot is not None
        row = self._row(task.source)
        if self._config.sources[task.source].poll is not None and not row.cursor and not row.trouble:
            return  # the first look, which is due too, has everybody compared
        new = self._inbox.put_now([_feed(task.source, f"{task.slot:%Y-%m-%dT%H:%MZ}", now)])
        self._update(task.source, last_everybody_at=stamp(task.slot))
        self._count(done, task.source, new)

    def _look(self, name: str, standing: Standing, now: datetime, done: Round) -> None:
        claimed = sources.c.tried_at == (stamp(standing.tried_at) if standing.tried_at else "")
        with self._lock:
            if name in self._busy:
                return
            self._busy.add(name)
        try:
            with self._loops.running("poll", name, more=_timeout(self._config.sources[name])):
                if self._update(name, claimed, tried_at=stamp(now)):
                    self._poll(name, now, done)
        except Exception:  # nobody may wait for this look: where the tables cannot be written, only the log says so
            log.exception("a look could not be recorded", extra={"source": name})
            raise
        finally:
            with self._lock:
                self._busy.discard(name)

    def _poll(self, name: str, now: datetime, done: Round) -> None:
        source = self._config.sources[name]
        failures = 0
        try:
            for _ in range(_MOST_AT_ONCE):
                came_around()
                if not self._poll_once(name, source, now, done):
                    break
            return
        except Unreachable as failure:
            failures = self._row(name).failures + 1
            trouble, raises = str(failure), failures >= FAILURES
        except BridgeError as failure:
            trouble, raises = str(failure), True
        except (
            Exception
        ) as failure:  # a fault of the bridge with one source must not stop the other sources and the alarms
            log.exception("poll failed", extra={"source": name})
            trouble, raises = (
                f"poll {name}: a fault in the bridge ({type(failure).__name__}); its log has the place",
                True,
            )
        log.warning("poll failed", extra={"source": name, "failures": failures, "trouble": trouble})
        self._update(name, trouble=trouble, failures=failures)
        if raises:
            self._raise(f"poll:{name}", trouble, now)

    def _poll_once(self, name: str, source: Source, now: datetime, done: Round) -> bool:
        """Look once, and return whether there is more."""
        assert source.poll is not None
        row = self._row(name)
        poller = self._pollers.get(source.poll.kind)
        if poller is None:
            raise ConfigError(
                f"poll {name}: sources.{name}.poll.kind: {source.poll.kind!r} is not known: one of {', '.join(self._pollers)}"
            )
        found = poller.poll(name, source, row.cursor, now, accept=bool(row.accepted_by))
        put = list(found.events)
        changes: dict[str, Any] = {"failures": 0}
        if found.whole:
            put.append(_feed(name, f"whole:{stamp(now)}", now))
            standing = self._standing(now)[name][1]
            changes["last_everybody_at"] = stamp(everybody_due(source, standing, now) or now)
        new = self._inbox.put_now(put)
        if found.looked:
            changes |= {"last_look_at": stamp(now), "trouble": "", "accepted_by": ""}
        if not self._update(name, sources.c.cursor == row.cursor, cursor=found.cursor, **changes):
            return False  # another bridge was faster; the events are stored, and the same
        self._count(done, name, new)
        if found.after is not None:
            found.after()
        if found.looked:
            self._clear(f"poll:{name}", f"{name} can be read again", now)
        log.info(
            "polled",
            extra={"source": name, "found": len(put), "new": len(new), "people": found.people, "active": found.active},
        )
        return found.more

    def _count(self, done: Round, name: str, new: list[Event]) -> None:
        with self._lock:
            done.found[name] = done.found.get(name, 0) + len(new)

    # -- alarms ----------------------------------------------------------------------------------------------------------

    def _alarms(self, now: datetime) -> None:
        for name, (source, standing) in self._standing(now).items():
            why = silent(source, standing, now)
            if why:
                self._raise(f"silent:{name}", f"HR source {name} is silent: {why}", now)
                self._update(name, sources.c.told_at == "", told_at=stamp(now))
            elif self._clear(f"silent:{name}", f"HR source {name} is heard again", now):
                self._update(name, told_at="")
            if source.scheme and source.poll is not None:
                webhook, quiet = self._unheard(name, source, standing, now)
                heard = Standing(standing.known_since, webhook_at=webhook, unheard=quiet)
                dead = dead_webhook(source, heard, now)
                if dead:
                    self._raise(f"webhook:{name}", f"The webhook of HR source {name} seems dead: {dead}", now)
                elif not quiet:
                    self._clear(f"webhook:{name}", f"The webhook of HR source {name} works again", now)

    def _unheard(
        self, name: str, source: Source, standing: Standing, now: datetime
    ) -> tuple[datetime | None, tuple[tuple[str, datetime], ...]]:
        assert source.poll is not None
        window = GRACE + timedelta(seconds=source.poll.every)
        mine = events.c.source == name
        with self._database.read() as connection:
            last = connection.execute(
                sa.select(sa.func.max(events.c.received_at)).where(mine, events.c.id.not_like(f"{PREFIX}%"))
            ).scalar()
            since = stamp(max(((moment(last) if last else None) or standing.known_since) - window, now - _REMEMBERED))
            wanted = sa.select(events.c.person, events.c.received_at, events.c.id).where(
                mine, events.c.received_at >= since
            )
            rows = connection.execute(wanted.order_by(events.c.received_at))
            return unheard(_seen(rows), window)

    def _raise(self, key: str, detail: str, now: datetime) -> None:
        """Open an alert; one that is open already gets the new text, and is not sent again."""
        with self._database.write() as connection:
            open_one = connection.execute(alerts.select().where(alerts.c.key == key)).one_or_none()
            if open_one is None:
                connection.execute(alerts.insert().values(key=key, at=stamp(now), detail=detail))
            elif open_one.settled_at:
                connection.execute(
                    alerts.update()
                    .where(alerts.c.key == key)
                    .values(at=stamp(now), detail=detail, told_at="", settled_at="", settled_by="")
                )
            else:
                connection.execute(alerts.update().where(alerts.c.key == key).values(detail=detail))
                return
        with self._lock:
            self._unsent.append(Alarm(key, detail))

    def _clear(self, key: str, detail: str, now: datetime) -> bool:
        """End an open alert; return whether there was one."""
        with self._database.read() as connection:
            if (
                connection.execute(
                    sa.select(alerts.c.key).where(alerts.c.key == key, alerts.c.settled_at == "")
                ).first()
                is None
            ):
                return False
        with self._database.write() as connection:
            settled = end_alerts(connection, [key], now)
        if settled:
            with self._lock:
                self._unsent.append(Alarm(key, detail, over=True))
        return bool(settled)


def _timeout(source: Source) -> float:
    """Return the seconds that one request to a source may take, by its own option; a word that is no number is the poller's to refuse."""
    with suppress(ValueError, TypeError):
        return 2 * float(source.poll.options.get("timeout", 0)) if source.poll else 0.0
    return 0.0


def _feed(name: str, mark: str, now: datetime) -> Event:
    return event(name, "jml.feed.changed", "", f"everybody:{mark}", [name, mark], now)


def _seen(rows: Iterable[Any]) -> Iterable[tuple[str, datetime, bool]]:
    for person, received, ident in rows:
        at = moment(received)
        if at is not None:
            yield person, at, ident.startswith(PREFIX)
