# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Orders runs by the clock, as schedules of AWX do: ``followups`` (what is due today), ``reconcile`` (every system against HR), and others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lifecycle_bridge.config import Chore, Config
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import end_alerts, raise_alert
from lifecycle_bridge.store.ending import Ended, close_run
from lifecycle_bridge.store.ordering import order_run
from lifecycle_bridge.store.tables import RUN_OPEN, cases, chores, runs
from lifecycle_bridge.store.timelines import note

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: So many days back, each weekday and a first of the month are found.
_LONGEST = 33
#: Playbooks that are about a period: the one that has just ended, unless the configuration names another.
_OF_A_TIME = ("audit",)
#: The first letters in the idents of such runs; how their moment is written.
PREFIX, _STAMP = "chore-", "%Y%m%dT%H%M%S"


def last_due(chore: Chore, now: datetime) -> datetime:
    """Return the last minute, up to now, at which the chore was due. A minute that the clock skips is taken with the offset before the gap."""
    zone = ZoneInfo(chore.zone) if chore.zone else UTC
    hour, minute = map(int, chore.at.split(":"))
    today = now.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    days = (today - timedelta(days=back) for back in range(_LONGEST))
    return next(one for one in days if one <= now and _is_on(chore.on, one.date())).astimezone(UTC)


def _is_on(on: str, day: date) -> bool:
    return on == "day" or (day.day == 1 if on == "month" else _WEEKDAYS[day.weekday()] == on)


def period(chore: Chore, now: datetime) -> dict[str, str]:
    """Return the first and the last day of the period that has just ended: the month, the week or the day before."""
    day = last_due(chore, now).astimezone(ZoneInfo(chore.zone) if chore.zone else UTC).date()
    until = day - timedelta(days=1)
    since = until.replace(day=1) if chore.on == "month" else until if chore.on == "day" else day - timedelta(days=7)
    return {"from": since.isoformat(), "to": until.isoformat()}


class Chores:
    """See the module."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database, self.config = database, config

    def claim(self, now: datetime, owner: str) -> list[str]:
        """Make a run for each chore that is due; return their idents. One bridge makes it, and never while an earlier run of the same playbook is open."""
        wanted = {name: last_due(chore, now) for name, chore in self.config.chores.items() if chore.at}
        with self.database.read() as c:
            begun = {row.name: row.begun_at for row in c.execute(sa.select(chores))}
        if all(name in begun and begun[name] >= stamp(at) for name, at in wanted.items()):
            return []
        with self.database.exclusive() as c:
            begun = {row.name: row.begun_at for row in c.execute(sa.select(chores))}
            return [
                ident
                for name, at in wanted.items()
                if begun.get(name, "") < stamp(at) and (ident := self._claimed(c, name, name in begun, owner, now))
            ]

    def _claimed(self, c: sa.Connection, name: str, known: bool, owner: str, now: datetime) -> str:
        """Make the run and return its ident; empty when it is not to be run now. On the first day after the installation nothing was missed."""
        values = {"begun_at": stamp(now)}
        if not known:
            c.execute(sa.insert(chores).values(name=name, **values))
            return ""
        playbook = f"workforce.lifecycle.{name}"
        at_work = sa.select(runs.c.ident).where(runs.c.playbook == playbook, runs.c.status.in_(RUN_OPEN))
        if c.execute(at_work).first() is not None:
            return ""
        c.execute(sa.update(chores).where(chores.c.name == name).values(**values))
        ident = f"{PREFIX}{name}-{now.astimezone(UTC):{_STAMP}}"
        return order_run(c, ident, kind="chore", playbook=playbook, now=now, owner=owner)

    def begin(self, ident: str, owner: str, now: datetime) -> Order | None:
        """Return what it asks of the collection."""
        with self.database.write() as c:
            c.execute(sa.update(runs).where(runs.c.ident == ident, runs.c.status == "ready").values(status="running"))
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(owner=owner))
            playbook = c.execute(sa.select(runs.c.playbook).where(runs.c.ident == ident)).scalar_one()
        name = _name(ident)
        chore = next((chore for known, chore in self.config.chores.items() if known == name), Chore())
        begun = datetime.strptime(ident.rpartition("-")[2], _STAMP).replace(tzinfo=UTC)  # the same after a restart
        given = {**(period(chore, begun) if name in _OF_A_TIME and chore.at else {}), **chore.extra_vars}
        return Order(
            ident,
            playbook,
            {**self.config.extra_vars, **given},
            timeout=self.config.run_timeout,
            idle_timeout=self.config.idle_timeout,
        )

    def settle(self, ident: str, result: Result, now: datetime) -> None:
        """Write how a chore ended. A failure is an alert until the chore succeeds. The cases that it names are run again at once."""
        name = _name(ident)
        with self.database.exclusive() as c:
            close_run(c, ident, result, now)
            if result.status == "successful":
                end_alerts(c, [f"{PREFIX}{name}"], now, over=f"{name} succeeded")
            else:
                detail = f"{name} did not succeed: {result.detail or result.status}"
                raise_alert(c, f"{PREFIX}{name}", detail, now)
            for one in result.stats.get("cases") or ():
                _judge_again(c, one, now)
                mine = (cases.c.ledger_case == str(one.get("case")), cases.c.state.in_(("waiting", "todo", "stuck")))
                values = {"state": "waiting", "next_at": stamp(now), "changed_at": stamp(now)}
                c.execute(sa.update(cases).where(*mine).values(**values))


def _judge_again(c: sa.Connection, data: Mapping[str, Any], now: datetime) -> None:
    """Write both verdicts of a case that is over: its laptop came back, or a person said what became of it."""
    if "complete" not in data or "hardware_out" not in data:
        return
    ended = Ended.of(data)
    mine = sa.and_(cases.c.ledger_case == ended.ledger_case, cases.c.state == "done")
    row = c.execute(sa.select(cases.c.id, cases.c.complete).where(mine)).first()
    if row is None or row.complete == ended.verdicts["complete"]:
        return
    detail = "every device is back, and the case is complete" if ended.verdicts["complete"] else ended.out
    c.execute(sa.update(cases).where(mine).values(**ended.verdicts, detail=detail, changed_at=stamp(now)))
    note(c, row.id, now, "noted", detail)


def _name(ident: str) -> str:
    return ident.removeprefix(PREFIX).rpartition("-")[0]
