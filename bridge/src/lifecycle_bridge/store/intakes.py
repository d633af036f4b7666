# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Binds new events to intake runs, many to one run, since HR is read once for all of them, and tries again until HR was read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.config import Config
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import end_alerts, raise_alert
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.ending import backoff, close_run
from lifecycle_bridge.store.ordering import order_run
from lifecycle_bridge.store.tables import RUN_OPEN, events, runs, sources

PLAYBOOK = "workforce.lifecycle.intake"
EVERYBODY = "jml.feed.changed"
#: Marks an event that gets an intake of its own, since an intake of several events failed.
ALONE = "alone"
_MOST = 500


class Intakes:
    """See the module. An intake is a row of ``runs``; its events have its ident in ``batch``."""

    def __init__(self, database: Database, config: Config, cases: Cases) -> None:
        self.database, self.config, self.cases = database, config, cases

    def system(self, source: str) -> str:
        known = self.config.sources.get(source)
        return known.system or source if known is not None else source

    def claim(self, now: datetime, owner: str) -> list[str]:
        """Bind new events to intakes: one for all people, one for each source of which everybody is compared, and one for each event that goes alone.

        No person of a source is judged before everybody of that source was read once: there would be nothing to compare with.
        """
        with self.database.exclusive() as c:
            wanted = sa.select(events).where(events.c.state == "new").order_by(events.c.urgent.desc(), events.c.n)
            found = c.execute(wanted.limit(_MOST)).mappings().all()
            if not found:
                return []
            looked = set(c.execute(sa.select(sources.c.name).where(sources.c.judged_at != "")).scalars())
            groups: dict[str, list[int]] = {}
            for row in found:
                if row["type"] == EVERYBODY:
                    groups.setdefault(f"everybody {row['source']}", []).append(row["n"])
                elif row["source"] in looked:
                    groups.setdefault(f"{ALONE} {row['n']}" if row["batch"] == ALONE else "people", []).append(row["n"])
            return [_made(c, group, members, owner, now) for group, members in groups.items()]

    def begin(self, ident: str, owner: str, now: datetime) -> Order | None:
        """Return the order of an intake; None when no event of it is left. Each attempt has an ident of its own, which stays the same after a restart."""
        with self.database.write() as c:
            wanted = sa.select(events.c.source, events.c.type, events.c.person)
            found = c.execute(wanted.where(events.c.batch == ident, events.c.state == "taken")).all()
            if not found:
                values = {"status": "refused", "detail": "nothing is left of it", "ended_at": stamp(now)}
                c.execute(sa.update(runs).where(runs.c.ident == ident, runs.c.ended_at == "").values(**values))
                _end_alert(c, ident, now)
                return None
            attempt = c.execute(sa.select(runs.c.attempt).where(runs.c.ident == ident)).scalar_one()
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(status="running", owner=owner))
        return Order(
            f"{ident}-{attempt}",
            PLAYBOOK,
            {**self.config.extra_vars, **self._wanted(ident, found), "batch": ident},
            timeout=self.config.run_timeout,
            idle_timeout=self.config.idle_timeout,
        )

    def _wanted(self, ident: str, found: Sequence[Any]) -> dict[str, Any]:
        everybody = sorted({self.system(row.source) for row in found if row.type == EVERYBODY})
        if everybody:
            return {"everybody": everybody}
        people: dict[str, list[str]] = {}
        for row in found:
            mine = people.setdefault(self.system(row.source), [])
            if row.person not in mine:
                mine.append(row.person)
        recorded = self._recorded(ident)
        if len(recorded) == 1 and sum(map(len, people.values())) == 1:
            # For the case that the intake opens when access has to end now.
            return {"people": people, "hr_recorded_at": next(iter(recorded.values()))}
        return {"people": people}

    def _recorded(self, ident: str) -> dict[tuple[str, str], str]:
        """Return by HR system and person when HR recorded the change, where an event says it. HR's clock may be ahead of ours."""
        with self.database.read() as c:
            found = c.execute(
                sa.select(events.c.source, events.c.person, events.c.occurred_at, events.c.received_at)
                .where(events.c.batch == ident, events.c.occurred_at != "")
                .order_by(events.c.n)
            ).all()
        return {(self.system(row.source), row.person): min(row.occurred_at, row.received_at) for row in found}

    def settle(self, ident: str, result: Result, now: datetime) -> None:
        """Carry out what the intake decided. An intake that failed is tried until it succeeds, since HR's present state decides: no event is given up."""
        taken = result.stats.get("intake")
        if isinstance(taken, Mapping):
            self.cases.apply(ident, taken.get("decisions") or (), now, self._recorded(ident))
            self._done(ident, result, now)
        else:
            self._failed(ident, result, now)

    def _done(self, ident: str, result: Result, now: datetime) -> None:
        with self.database.write() as c:
            of_it = sa.select(events.c.source, events.c.type).where(events.c.batch == ident).distinct()
            names = c.execute(of_it).all()
            c.execute(sa.update(events).where(events.c.batch == ident).values(state="done"))
            close_run(c, ident, result, now, status="successful")
            _end_alert(c, ident, now, over="HR is read again")
            for name, kind in names:
                facts = {"last_look_at": stamp(now), **({"judged_at": stamp(now)} if kind == EVERYBODY else {})}
                if not c.execute(sa.update(sources).where(sources.c.name == name).values(**facts)).rowcount:
                    c.execute(sa.insert(sources).values(name=name, **facts))

    def _failed(self, ident: str, result: Result, now: datetime) -> None:
        with self.database.write() as c:
            members = c.execute(sa.select(events.c.n, events.c.person).where(events.c.batch == ident)).all()
            if not result.temporary and len({row.person for row in members}) > 1:
                # HR may be unable to answer for one of them: the others must not wait for that one.
                c.execute(sa.update(events).where(events.c.batch == ident).values(state="new", batch=ALONE))
                close_run(c, ident, result, now, status="failed")
                _end_alert(c, ident, now)
                return
            attempt = c.execute(sa.select(runs.c.attempt).where(runs.c.ident == ident)).scalar_one()
            again = now + backoff(self.config.retry, attempt)
            values = {"status": "waiting", "attempt": attempt + 1, "next_at": stamp(again)}
            c.execute(
                sa.update(runs)
                .where(runs.c.ident == ident)
                .values(**values, detail=result.detail, output=result.output)
            )
            if not result.temporary or attempt == 3:
                key = f"intake:{result.detail[:120]}"
                _end_alert(c, ident, now, but=key)
                raise_alert(c, key, f"HR was not read: {result.detail}", now)
                c.execute(sa.update(runs).where(runs.c.ident == ident).values(alert=key))


def _end_alert(c: sa.Connection, ident: str, now: datetime, *, over: str = "", but: str = "") -> None:
    """End the alert that an intake has raised, unless another open intake has it too, since several may fail for one reason.

    :param over: what those who got the alert get now.
    :param but: the alert for which the intake fails now, which does not end.
    """
    key = c.execute(sa.select(runs.c.alert).where(runs.c.ident == ident)).scalar_one()
    others = sa.select(runs.c.ident).where(runs.c.alert == key, runs.c.status.in_(RUN_OPEN), runs.c.ident != ident)
    if key not in ("", but) and c.execute(others).first() is None:
        end_alerts(c, [key], now, over and f"{over}; before: {key.removeprefix('intake:')}")


def _made(c: sa.Connection, group: str, members: list[int], owner: str, now: datetime) -> str:
    ident = f"intake-{hashlib.sha256(repr((group, members, stamp(now))).encode()).hexdigest()[:12]}"
    c.execute(sa.update(events).where(events.c.n.in_(members)).values(state="taken", batch=ident))
    return order_run(c, ident, kind="intake", playbook=PLAYBOOK, now=now, owner=owner)
