# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Stores events, each once by source and id. A request is answered only when its events are on disk.

Requests that come together share one transaction, so that not each pays for a commit to disk. Each gets its answer after the commit, never
before.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle_bridge.errors import Unreachable
from lifecycle_bridge.events import Event
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.person_ids import refusal, shown
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import raise_alert
from lifecycle_bridge.store.tables import events as table
from lifecycle_bridge.store.tables import sources

log = logging.getLogger("lifecycle_bridge.inbox")


class Inbox:
    """The durable inbox.

    :param on_new: called when something new was stored, in the thread that stored it (with :meth:`put`, that of the event loop). It must be
        quick. An exception of it is logged only, since the events are stored by then.
    :param most: how many events may wait for a commit; more are refused, so that memory is limited.
    """

    def __init__(
        self,
        database: Database,
        on_new: Callable[[], None] | None = None,
        *,
        most: int = 20_000,
        loops: Loops | None = None,
    ) -> None:
        self._database = database
        self._on_new = on_new
        self._loops = loops or Loops()
        self._most = most
        insert = sqlite.insert if database.sqlite else postgresql.insert
        self._events = (
            insert(table).on_conflict_do_nothing(index_elements=["source", "id"]).returning(table.c.source, table.c.id)
        )
        came = insert(sources)
        later = sa.case(
            (sources.c.last_event_at > came.excluded.last_event_at, sources.c.last_event_at),
            else_=came.excluded.last_event_at,
        )
        self._sources = came.on_conflict_do_update(index_elements=["name"], set_={"last_event_at": later})
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._waiting: list[tuple[Sequence[Event], asyncio.Future[list[Event]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, events: Sequence[Event]) -> list[Event]:
        """Store events, all or none; return the new ones when all are on disk.

        :raises Unreachable: the database did not take them, or too many events wait already; the request must not be answered as received.
        """
        if not events:
            return []
        if sum(len(those) for those, _ in self._waiting) + len(events) > self._most:
            raise Unreachable(
                "more events wait for the database than it takes; they are refused until it has caught up"
            )
        answer: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._drain())
        return await asyncio.shield(answer)

    def put_now(self, events: Sequence[Event]) -> list[Event]:
        """Store events from a thread without an event loop, such as a poll; return the new ones."""
        new = self._store([events])[0] if events else []
        if new:
            self._wake()
        return new

    async def close(self) -> None:
        """Wait until all events that were put are stored, and end the thread."""
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            together, self._waiting = self._waiting, []
            try:
                results: list[list[Event] | Exception] = list(
                    await loop.run_in_executor(self._thread, self._store, [events for events, _ in together])
                )
            except Unreachable as failure:
                results = [failure] * len(together)
            except Exception as failure:  # noqa: BLE001 - one request must not make the others fail: each is stored alone, below
                results = [failure] if len(together) == 1 else [await self._alone(events) for events, _ in together]
            for (_, answer), result in zip(together, results, strict=True):
                if answer.cancelled():
                    continue
                if isinstance(result, Exception):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)
            if any(result for result in results if not isinstance(result, Exception)):
                self._wake()

    async def _alone(self, events: Sequence[Event]) -> list[Event] | Exception:
        try:
            return (await asyncio.get_running_loop().run_in_executor(self._thread, self._store, [events]))[0]
        except Exception as failure:  # noqa: BLE001 - raised where the events were put
            return failure

    def _wake(self) -> None:
        if self._on_new is None:
            return
        try:
            self._on_new()
        except Exception:  # the events are stored, and the dispatcher finds them at its next look
            log.exception("the dispatcher could not be woken for new events")

    def _store(self, together: Sequence[Sequence[Event]]) -> list[list[Event]]:
        """Store the requests in one transaction; return for each what was new in it."""
        first: dict[tuple[str, str], Event] = {}
        for events in together:
            for event in events:
                first.setdefault((event.source, event.id), event)
        taken = [event for event in first.values() if not refusal_of(event)]
        try:
            with self._loops.running("inbox"), self._database.write() as connection:
                new = self._put(connection, taken) if taken else set()
                for event in first.values():
                    if why := refusal_of(event):
                        raise_alert(connection, *_refused(event, why), event.received_at)
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as failure:
            kind = type(failure.orig).__name__
            raise Unreachable(
                f"store {len(first)} events: the database does not take them ({kind}); they were not answered as received"
            ) from None
        return [
            [event for event in events if (event.source, event.id) in new and first[event.source, event.id] is event]
            for events in together
        ]

    def _put(self, connection: sa.Connection, events: list[Event]) -> set[tuple[str, str]]:
        if not self._database.sqlite:
            events.sort(key=lambda event: (event.source, event.id))  # two machines lock the same rows in the same order
        new = {(source, ident) for source, ident in connection.execute(self._events, [_row(event) for event in events])}
        latest = _latest(event for event in events if (event.source, event.id) in new)
        if latest:
            connection.execute(
                self._sources, [{"name": source, "last_event_at": stamp(at)} for source, at in latest.items()]
            )
        return new


def refusal_of(event: Event) -> str:
    """Return why the id of an event's person is refused; empty when it is accepted, or no person is named."""
    return refusal(event.person) if event.person else ""


def _refused(event: Event, why: str) -> tuple[str, str]:
    """Return key and text of the alert about a refused id: the other events are stored, and this record waits for a person."""
    digest = hashlib.sha256(event.person.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"id:{event.source}:{digest}", (
        f"HR source {event.source}: an id is refused ({shown(event.person)}): {why}; {event.place or 'place not known'}. "
        "Correct it in HR; nothing is done for this record until then"
    )


def _latest(events: Iterable[Event]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for event in events:
        found[event.source] = max(found.get(event.source, event.received_at), event.received_at)
    return dict(sorted(found.items()))  # in one order everywhere, so that two machines do not wait for each other


def _row(event: Event) -> dict[str, object]:
    return {
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "person": event.person,
        "urgent": event.urgent,
        "occurred_at": stamp(event.occurred_at) if event.occurred_at else "",
        "received_at": stamp(event.received_at),
        "raw_sha256": event.raw_sha256,
        "state": "new",
        "batch": "",
    }
