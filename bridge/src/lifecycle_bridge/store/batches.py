# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Events on their way through the intake: taken together, since HR is read once for all of them, and given back when a look failed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import Alerts
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.tables import events, runs, sources

PLAYBOOK = "workforce.lifecycle.intake"
EVERYBODY = "jml.feed.changed"
#: What is marked so is looked at by itself: together with others it made a look fail.
ALONE = "alone"
_MOST = 500


class Batches:
    """See the module. A batch is a row of ``runs``; its events bear its name."""

    def __init__(self, database: Database, config: Config, cases: Cases) -> None:
        self.database, self.config, self.cases = database, config, cases
        self._alerts = Alerts(database)

    def system(self, source: str) -> str:
        known = self.config.sources.get(source)
        return known.system or source if known is not None else source

    def take(self, now: datetime, owner: str) -> list[str]:
        """Bind new events to batches: one of people, one for each source to be compared whole, and one for each that has to go alone.

        Nobody of a source is judged before everybody of it was seen once: there would be nothing to compare with.
        """
        with self.database.write() as c:
            self.cases._exclusive(c)
            rows = (
                c.execute(
                    sa.select(events)
                    .where(events.c.state == "new")
                    .order_by(events.c.urgent.desc(), events.c.n)
                    .limit(_MOST)
                )
                .mappings()
                .all()
            )
            if not rows:
                return []
            looked = set(c.execute(sa.select(sources.c.name).where(sources.c.judged_at != "")).scalars())
            groups: dict[str, list[int]] = {}
            for row in rows:
                if row["type"] == EVERYBODY:
                    groups.setdefault(f"everybody {row['source']}", []).append(row["n"])
                elif row["source"] in looked:
                    groups.setdefault(f"{ALONE} {row['n']}" if row["batch"] == ALONE else "people", []).append(row["n"])
            made = []
            for group, members in groups.items():
                ident = f"intake-{hashlib.sha256(repr((group, members, stamp(now))).encode()).hexdigest()[:12]}"
                c.execute(sa.update(events).where(events.c.n.in_(members)).values(state="taken", batch=ident))
                c.execute(
                    sa.insert(runs).values(
                        ident=ident,
                        playbook=PLAYBOOK,
                        cases=json.dumps([]),
                        status="ready",
                        owner=owner,
                        started_at=stamp(now),
                    )
                )
                made.append(ident)
            return made

    def order(self, ident: str, attempt: int, owner: str) -> Order | None:
        """What is asked of the collection; None when nothing of the batch is left."""
        with self.database.write() as c:
            rows = c.execute(
                sa.select(events.c.source, events.c.type, events.c.person).where(
                    events.c.batch == ident, events.c.state == "taken"
                )
            ).all()
            if not rows:
                c.execute(
                    sa.update(runs)
                    .where(runs.c.ident == ident, runs.c.ended_at == "")
                    .values(status="refused", detail="nothing is left of it", ended_at=stamp(clock.now()))
                )
                return None
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(status="running", owner=owner))
        everybody = sorted({self.system(row.source) for row in rows if row.type == EVERYBODY})
        people: dict[str, list[str]] = {}
        for row in rows:
            if row.type != EVERYBODY and row.person not in people.setdefault(self.system(row.source), []):
                people[self.system(row.source)].append(row.person)
        wanted: dict[str, Any] = {"everybody": everybody} if everybody else {"people": people}
        recorded = self._recorded(ident)
        if len(recorded) == 1 and not everybody and sum(map(len, people.values())) == 1:
            wanted["hr_recorded_at"] = next(
                iter(recorded.values())
            )  # of the case that the intake opens for who has to go now
        return Order(
            f"{ident}-{attempt}",
            PLAYBOOK,
            {**self.config.extra_vars, **wanted, "batch": ident},
            timeout=self.config.run_timeout,
            idle_timeout=self.config.idle_timeout,
        )

    def _recorded(self, ident: str) -> dict[tuple[str, str], str]:
        """When HR recorded what a batch is about, by HR system and person, where an event says it. HR's clock may be ahead of ours."""
        with self.database.read() as c:
            told = c.execute(
                sa.select(events.c.source, events.c.person, events.c.occurred_at, events.c.received_at)
                .where(events.c.batch == ident, events.c.occurred_at != "")
                .order_by(events.c.n)
            ).all()
        return {(self.system(row.source), row.person): min(row.occurred_at, row.received_at) for row in told}

    def settle(self, ident: str, attempt: int, result: Result, now: datetime) -> float | None:
        """Take over what was decided. HR decides by state, so a look that failed is made again until it succeeds: no event is given up.

        :returns: seconds until the next try; None: it is done.
        """
        taken = result.stats.get("intake")
        if isinstance(taken, Mapping):
            self.cases.apply(ident, taken.get("decisions") or (), now, self._recorded(ident))
            with self.database.write() as c:
                names = c.execute(
                    sa.select(events.c.source, events.c.type).where(events.c.batch == ident).distinct()
                ).all()
                c.execute(sa.update(events).where(events.c.batch == ident).values(state="done"))
                c.execute(
                    sa.update(runs)
                    .where(runs.c.ident == ident)
                    .values(status="successful", detail=result.detail, output=result.output, ended_at=stamp(now))
                )
                for name, kind in names:
                    facts = {"last_look_at": stamp(now), **({"judged_at": stamp(now)} if kind == EVERYBODY else {})}
                    if not c.execute(sa.update(sources).where(sources.c.name == name).values(**facts)).rowcount:
                        c.execute(sa.insert(sources).values(name=name, **facts))
            return None
        with self.database.write() as c:
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(detail=result.detail, output=result.output))
            members = c.execute(sa.select(events.c.n, events.c.person).where(events.c.batch == ident)).all()
            if not result.temporary and len({row.person for row in members}) > 1:
                # One of them may be what HR cannot answer for: the others must not wait for that.
                c.execute(sa.update(events).where(events.c.batch == ident).values(state="new", batch=ALONE))
                c.execute(sa.update(runs).where(runs.c.ident == ident).values(status="failed", ended_at=stamp(now)))
                return None
        if not result.temporary or attempt == 3:
            key = f"intake:{result.detail[:120]}"
            self._alerts.raise_(key, f"HR was not read: {result.detail}", now)
        return self.cases.backoff(attempt).total_seconds()
