# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Binds due cases to runs: leavers first, no person in two runs, equal cases together. The caller opens the transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.config import Config
from lifecycle_bridge.execute import Order
from lifecycle_bridge.kinds import OFFBOARD, ONBOARD, REINSTATE, RENAME, RESUME, SUSPEND, TRANSFER, WITHDRAW
from lifecycle_bridge.store import moment, rows, stamp
from lifecycle_bridge.store.ordering import order_run
from lifecycle_bridge.store.tables import OPEN, SLEEPING, STOPPED, cases, runs
from lifecycle_bridge.store.timelines import note, span

#: The lower number goes first: leavers before joiners.
PRIORITY = {
    OFFBOARD: 2,
    WITHDRAW: 3,
    SUSPEND: 3,
    TRANSFER: 5,
    RENAME: 6,
    REINSTATE: 4,
    RESUME: 4,
    ONBOARD: 7,
}
_URGENT = 1
_LATE = timedelta(seconds=60)
Row = Mapping[str, Any]


def claim(c: sa.Connection, config: Config, now: datetime, most: int, owner: str) -> list[str]:
    """Bind due cases to new runs, at most so many; return their idents."""
    made: list[str] = []
    for group in _groups(_due(c, now)):
        for start in range(0, len(group), config.together):
            if len(made) >= most:
                return made
            made.append(_bind(c, group[start : start + config.together], owner, now))
    return made


def _due(c: sa.Connection, now: datetime) -> list[Row]:
    """Return the cases whose minute has come, in order of priority: one for each person, and none of a person who is in a run."""
    active = sa.select(cases.c.source, cases.c.person).where(cases.c.state.in_(("ready", "running")))
    busy = {(row.source, row.person) for row in c.execute(active)}
    daily = stamp(now - timedelta(days=1))
    waits = sa.and_(cases.c.state.in_(SLEEPING), cases.c.next_at <= stamp(now))
    stopped = sa.and_(cases.c.state.in_(STOPPED), cases.c.ended_at <= daily)
    found = rows(c.execute(sa.select(cases).where(sa.or_(waits, stopped))))
    # A change before a person's first day is carried out after that day: accounts that a move makes would not count as the joiner's own.
    joining = {_who(row) for row in found if row["kind"] == ONBOARD and row["state"] in ("upcoming", "waiting")}
    leaving = _leaving(c, now)
    chosen: list[Row] = []
    # The case of the first day goes before the case that prepares for it.
    for row in sorted(found, key=lambda row: (_priority(row), row["stage"] != "", row["next_at"])):
        if _who(row) in busy or row["kind"] == TRANSFER and _who(row) in joining | leaving:
            continue
        busy.add(_who(row))
        chosen.append(row)
    return chosen


def _leaving(c: sa.Connection, now: datetime) -> set[tuple[str, str]]:
    """Return the people whose access should have ended by now. A move of theirs waits, since it would give them access again."""
    open_ = (cases.c.kind.in_((OFFBOARD, WITHDRAW)), cases.c.state.in_(OPEN), cases.c.due_at <= stamp(now))
    return {(row.source, row.person) for row in c.execute(sa.select(cases.c.source, cases.c.person).where(*open_))}


def _groups(found: Sequence[Row]) -> list[list[Row]]:
    """Return the cases in groups that share a run: the same kind, for the first time. A case that failed is tried again alone."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in found:
        alone = row["id"] if row["attempt"] else ""
        groups.setdefault((_priority(row), row["kind"], row["stage"], _shared_vars(row), alone), []).append(row)
    return [group for _, group in sorted(groups.items(), key=lambda item: item[0][0])]


def _bind(c: sa.Connection, group: Sequence[Row], owner: str, now: datetime) -> str:
    first = group[0]
    ident = f"{first['id']}-{first['attempt'] + 1}"
    order_run(
        c,
        ident,
        kind="cases",
        playbook=f"workforce.lifecycle.{first['kind']}",
        now=now,
        owner=owner,
        about=[row["id"] for row in group],
    )
    for row in group:
        values = {
            "state": "ready",
            "ident": ident,
            "attempt": row["attempt"] + 1,
            "tries": row["tries"] + 1,
            "changed_at": stamp(now),
        }
        c.execute(sa.update(cases).where(cases.c.id == row["id"]).values(**values))
        if row["kind"] == ONBOARD and not row["stage"]:
            _day_has_come(c, row, now)
    return ident


def _day_has_come(c: sa.Connection, row: Row, now: datetime) -> None:
    """End the case that prepares for the first day: the case of that day does what is still missing."""
    mine = (cases.c.source == row["source"], cases.c.person == row["person"], cases.c.kind == ONBOARD)
    open_ = c.execute(sa.select(cases.c.id).where(*mine, cases.c.stage == "prepare", cases.c.state == "todo")).scalars()
    for id in list(open_):
        values = {"state": "done", "ended_at": stamp(now), "changed_at": stamp(now)}
        c.execute(sa.update(cases).where(cases.c.id == id).values(**values))
        note(c, id, now, "done", "the day has come, and not all was ready")


def begin(c: sa.Connection, ident: str, owner: str, now: datetime) -> list[Row]:
    """Mark a run and its cases as running, and return the cases; empty when nothing is left to do. A second call changes nothing."""
    group = rows(c.execute(sa.select(cases).where(cases.c.ident == ident, cases.c.state.in_(("ready", "running")))))
    if not group:
        values = {"status": "refused", "detail": "cancelled before it began", "ended_at": stamp(now)}
        c.execute(sa.update(runs).where(runs.c.ident == ident, runs.c.ended_at == "").values(**values))
        return []
    c.execute(sa.update(runs).where(runs.c.ident == ident).values(owner=owner))
    # A run that is to stop keeps that status.
    c.execute(sa.update(runs).where(runs.c.ident == ident, runs.c.status == "ready").values(status="running"))
    for row in group:
        if row["state"] == "ready":
            _started(c, row, ident, now)
    return list(group)


def _started(c: sa.Connection, row: Row, ident: str, now: datetime) -> None:
    behind = now - (moment(row["due_at"]) or now)
    late = not row["started_at"] and behind > _LATE
    values: dict[str, Any] = {
        "state": "running",
        "started_at": row["started_at"] or stamp(now),
        "changed_at": stamp(now),
    }
    if late:
        values["late_s"] = behind.total_seconds()
    c.execute(sa.update(cases).where(cases.c.id == row["id"]).values(**values))
    note(c, row["id"], now, "started", f"run {ident}{f', {span(behind)} after its minute' if late else ''}")


def order(config: Config, ident: str, group: Sequence[Row]) -> Order:
    """Return the order of a run of these cases."""
    given = [json.loads(row["extra_vars"]) for row in group]
    # The time at which HR recorded a change belongs to one person: a run for several people gets it only where it is the same for all.
    shared = {
        key: value for key, value in given[0].items() if key != "user" and all(one.get(key) == value for one in given)
    }
    return Order(
        ident,
        f"workforce.lifecycle.{group[0]['kind']}",
        # Always a list: the collection splits a single text at its commas.
        {**config.extra_vars, **shared, "user": [one["user"] for one in given]},
        timeout=config.run_timeout,
        idle_timeout=config.idle_timeout,
    )


def _who(row: Row) -> tuple[str, str]:
    return row["source"], row["person"]


def _priority(row: Row) -> int:
    return _URGENT if row["urgent"] else PRIORITY.get(row["kind"], 9)


def _shared_vars(row: Row) -> str:
    """Return the extra variables that are not a person's own: only cases with the same ones share a run."""
    given = json.loads(row["extra_vars"])
    return json.dumps(
        {key: value for key, value in given.items() if key not in ("user", "hr_recorded_at")}, sort_keys=True
    )
