# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Two transactions on the same cases at the same moment, on PostgreSQL, where both may read what neither has written yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import store
from lifecycle_bridge.store import Database, due, planning, stamp
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.tables import cases

from tests.bridge.test_work import NOW, World, until
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture

LOCKED = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


class Shared:
    """The cases in PostgreSQL, and two threads: the first stops half-way, and goes on when the second has ended or waits for it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
        self.database.create()
        with self.database.write() as c:
            c.execute(sa.delete(cases))
        config = World(folder).config
        self.cases, self.acts = Cases(self.database, config), CaseActs(self.database, config)
        self.half_way, self.goes_on = threading.Event(), threading.Event()

    def rows(self) -> list[Any]:
        with self.database.read() as c:
            return list(c.execute(sa.select(cases)).mappings())

    def decides(self, batch: str) -> None:
        run = {"kind": "rename", "stage": "", "at": stamp(NOW)}
        decision = {"source": "hr", "id": "7", "user": "hr_id:7", "zone": "", "why": "w", "urgent": False}
        self.cases.apply(batch, [{**decision, "runs": [run]}], NOW)

    def stops_before(self, patch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def stops(*args: Any) -> Any:
            if not self.half_way.is_set():
                self.half_way.set()
                assert self.goes_on.wait(60)
            return real(*args)

        patch.setattr(module, name, stops)

    def both(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        threads = [threading.Thread(target=each, daemon=True) for each in (first, second)]
        threads[0].start()
        assert self.half_way.wait(60)
        threads[1].start()
        until(lambda: not threads[1].is_alive() or self._waits())
        self.goes_on.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    def _waits(self) -> bool:
        with self.database.read() as c:
            return bool(c.execute(LOCKED).scalar())


@pytest.fixture
def shared(postgres: str, tmp_path: Path) -> Iterator[Shared]:
    made = Shared(postgres, tmp_path)
    yield made
    made.database.close()


def test_a_case_that_is_cancelled_while_it_is_bound_to_a_run_is_not_run(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.decides("b")
    case = shared.rows()[0]["id"]
    shared.stops_before(monkeypatch, due, "_bind")
    made = list[str]()
    shared.both(
        lambda: made.extend(shared.cases.claim(NOW, 9, "me")), lambda: shared.acts.cancel(case, "ida", "a mistake")
    )
    assert [row["state"] for row in shared.rows()] == ["cancelled"]
    assert shared.cases.begin(made[0], "me", NOW) is None


def test_a_bridge_that_stops_while_it_holds_the_lock_blocks_no_other_for_ever(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed look is tried again, and fails readiness; a look that waits for ever would be ended by a restart, which does not help."""
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    with shared.database.exclusive(), pytest.raises(sa.exc.OperationalError):
        shared.decides("b")
    shared.decides("b")
    assert len(shared.rows()) == 1


def test_two_intakes_of_one_person_at_the_same_moment_make_one_case(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the nightly comparison of everybody, and a webhook: two cases would be two runs, and HR could move only one of them."""
    shared.stops_before(monkeypatch, planning, "_make")
    shared.both(lambda: shared.decides("nightly"), lambda: shared.decides("webhook"))
    assert [(row["person"], row["state"]) for row in shared.rows()] == [("7", "upcoming")]
