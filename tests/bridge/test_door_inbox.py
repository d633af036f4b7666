# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Events are durable before anybody is told so, once each: with many at a time, with a database that fails, and with the process killed."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge.errors import Unreachable
from lifecycle_bridge.events import Event
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.tables import events, sources

from scripts import bench_bridge
from tests.bridge.door_support import NOW
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture


def event(number: int, source: str = "hr", **changed: Any) -> Event:
    return replace(Event(source, f"e{number}", "jml.person.changed", f"p{number}", NOW, "0" * 64), **changed)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bridge.db"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url)
    made.create()
    yield made
    made.close()


def rows(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [
            (row.source, row.id)
            for row in connection.execute(sa.select(events.c.source, events.c.id).order_by(events.c.n))
        ]


def test_every_commit_is_on_disk(database: Database) -> None:
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_many_at_a_time_share_a_commit_and_each_knows_what_was_new(database: Database) -> None:
    commits: list[int] = []
    sa.event.listen(database.engine, "commit", lambda connection: commits.append(1))
    woken: list[int] = []

    async def all_at_once() -> list[list[Event]]:
        inbox = Inbox(database, lambda: woken.append(1))
        results = await asyncio.gather(*(inbox.put([event(n % 100), event(1000 + n)]) for n in range(200)))
        again = await inbox.put([event(5)])
        await inbox.close()
        return [*results, again]

    results = asyncio.run(all_at_once())
    assert sum(len(result) for result in results) == 300 and results[-1] == []
    assert len(rows(database)) == len(set(rows(database))) == 300
    assert len(commits) <= 4 and len(woken) <= 3, "the first goes alone, all that came meanwhile go together"


def test_the_same_event_twice_in_one_request_is_new_once(database: Database) -> None:
    inbox = Inbox(database)
    one = event(1)
    assert asyncio.run(inbox.put([one, replace(one, person="p2"), event(2)])) == [one, event(2)]
    assert inbox.put_now([event(2), event(3)]) == [event(3)]


def test_a_request_is_answered_only_after_its_commit(database: Database) -> None:
    """What is read by another connection at the moment of the answer is what was committed."""
    seen: list[int] = []

    async def put_and_look() -> None:
        inbox = Inbox(database)
        for number in range(20):
            await inbox.put([event(number)])
            with sqlite3.connect(str(database.engine.url.database)) as other:
                seen.append(other.execute("SELECT count(*) FROM events").fetchone()[0])
        await inbox.close()

    asyncio.run(put_and_look())
    assert seen == list(range(1, 21))


def test_a_database_that_fails_is_said_to_everybody_and_works_again_afterwards(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def through_trouble() -> None:
        inbox = Inbox(database)
        full = sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

        def broken() -> Any:
            raise full

        with monkeypatch.context() as patch:
            patch.setattr(database, "write", broken)
            results = await asyncio.gather(*(inbox.put([event(n)]) for n in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [Unreachable] * 5 and "OperationalError" in str(results[0])
        assert await inbox.put([event(1)]) == [event(1)]
        await inbox.close()

    asyncio.run(through_trouble())
    assert rows(database) == [("hr", "e1")]


def test_a_real_disk_that_is_full_is_unreachable_and_nothing_is_half_stored(database: Database) -> None:
    def small(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count=40")

    sa.event.listen(database.engine, "connect", small)
    database.engine.dispose()
    inbox = Inbox(database)
    taken = 0
    with pytest.raises(Unreachable):
        for start in range(0, 100_000, 100):
            inbox.put_now([event(n) for n in range(start, start + 100)])
            taken += 100
    assert len(rows(database)) == taken > 0


def test_one_that_cannot_be_stored_does_not_spoil_the_others(database: Database) -> None:
    async def together() -> list[Any]:
        inbox = Inbox(database)
        results = await asyncio.gather(
            inbox.put([event(0)]),
            inbox.put([event(1)]),
            inbox.put([event(2, type="\ud800")]),
            inbox.put([event(3)]),
            return_exceptions=True,
        )
        await inbox.close()
        return results

    results = asyncio.run(together())
    assert results[1] == [event(1)] and results[3] == [event(3)] and isinstance(results[2], UnicodeEncodeError)
    assert rows(database) == [("hr", "e0"), ("hr", "e1"), ("hr", "e3")]


def test_too_much_at_once_is_refused_and_memory_stays_bounded(database: Database) -> None:
    async def flood() -> list[Any]:
        inbox = Inbox(database, most=50)
        results = await asyncio.gather(*(inbox.put([event(n)]) for n in range(80)), return_exceptions=True)
        await inbox.close()
        return results

    results = asyncio.run(flood())
    assert sum(isinstance(result, Unreachable) for result in results) == 80 - 50
    assert len(rows(database)) == 50


def test_what_waits_for_events_may_fail(database: Database) -> None:
    def fails() -> None:
        raise RuntimeError("not ready")

    assert len(asyncio.run(Inbox(database, fails).put([event(1)]))) == 1


def test_the_source_remembers_its_last_event_and_nothing_older(database: Database) -> None:
    inbox = Inbox(database)
    inbox.put_now([event(1), event(2, received_at=NOW + timedelta(minutes=5)), event(3, source="other")])
    inbox.put_now([event(4, received_at=NOW - timedelta(days=1)), event(2, received_at=NOW + timedelta(days=9))])
    with database.read() as connection:
        assert dict(iter(connection.execute(sa.select(sources.c.name, sources.c.last_event_at)))) == {
            "hr": stamp(NOW + timedelta(minutes=5)),
            "other": stamp(NOW),
        }


@pytest.mark.debian
def test_postgresql_two_bridges_take_the_same_events_once(postgres: str) -> None:
    made = [Database(postgres.replace("postgresql://", "postgresql+psycopg://")) for _ in range(2)]
    made[0].create()
    chance = random.Random(1)
    lots = [[event(n) for n in chance.sample(range(300), 20)] for _ in range(100)]

    async def both() -> list[list[Event]]:
        boxes = [Inbox(database) for database in made]
        results = await asyncio.gather(*(boxes[number % 2].put(lot) for number, lot in enumerate(lots)))
        for box in boxes:
            await box.close()
        return results

    new = [one.id for result in asyncio.run(both()) for one in result]
    assert len(new) == len(set(new)) and set(new) == {one.id for lot in lots for one in lot}
    assert sorted(new) == sorted(ident for _, ident in rows(made[0]))

    # the same in opposite orders at the same moment: two that lock in different orders would wait for each other
    together = threading.Barrier(2)

    def put(database: Database, lot: list[Event]) -> int:
        together.wait()
        return len(Inbox(database).put_now(lot))

    with ThreadPoolExecutor(2) as both_at_once:
        for start in range(1000, 9000, 400):
            lot = [event(n) for n in range(start, start + 400)]
            assert sum(both_at_once.map(put, made, [lot, lot[::-1]])) == 400
    for database in made:
        database.close()


# -- the whole door, as a process


def _killed(url: str, count: int, kills: int, seed: int, rate: float) -> None:
    calls = bench_bridge.traffic(count, seed)
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, int(count * 0.9)), kills))
    with bench_bridge.Server(url) as server:

        def each(answered: int) -> None:
            if moments and answered >= moments[0]:
                moments.pop(0)
                server.kill()
                server.start()

        seen = asyncio.run(bench_bridge.play(calls, server.port, rate, each=each, tries=50))
    assert not moments, f"not killed as often as meant: {len(moments)} left"
    database = Database(url)
    stored = rows(database)
    database.close()
    assert seen.taken <= set(stored), f"answered 2xx and lost: {len(seen.taken - set(stored))}"
    assert len(stored) == len(set(stored)) == count and set(stored) == {call.event for call in calls}
    assert set(seen.statuses) <= {200, 202}


def test_killed_with_9_in_between_nothing_is_lost_and_nothing_doubled(url: str) -> None:
    _killed(url, 80, 1, seed=11, rate=400)


@pytest.mark.soak
def test_killed_with_9_twenty_times_during_two_thousand_events_at_200_a_second(url: str) -> None:
    _killed(url, 2000, 20, seed=12, rate=200)


@pytest.mark.soak
def test_two_thousand_at_200_a_second_are_answered_in_time() -> None:
    """The figure of the issue: 99 of 100 answers within 100 ms. A machine that is busy elsewhere only makes it slower: the best of three."""
    best = float("inf")
    for _ in range(3):
        found = bench_bridge.measure()
        assert found["lost"] == 0 and found["answered_2xx"] == found["events"] == 2000
        best = min(best, found["bridge_p99_ms"])
        if best < 100:
            return
    pytest.fail(f"p99 is {best:.0f} ms at best")


def test_a_slow_body_and_one_too_large_over_a_real_connection(url: str) -> None:
    """The server lets go of the connection, and goes on serving others."""

    async def over_the_wire() -> None:
        with bench_bridge.Server(url) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"POST /hr/bob HTTP/1.1\r\nHost: b\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 10_000)
            answer = await reader.read()  # to the end of the connection
            assert answer.startswith(b"HTTP/1.1 413 ")
            seen = await bench_bridge.play(bench_bridge.traffic(5, 3), server.port, 100)
            assert len(seen.taken) == 5

    asyncio.run(over_the_wire())
