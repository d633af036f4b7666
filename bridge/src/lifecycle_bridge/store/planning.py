# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes, moves and drops cases as an intake decided. The caller opens the transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.config import Config
from lifecycle_bridge.kinds import OFFBOARD, SUSPEND, WITHDRAW
from lifecycle_bridge.person_ids import refusal, shown
from lifecycle_bridge.store import moment, stamp
from lifecycle_bridge.store.alerts import end_alerts, raise_alert
from lifecycle_bridge.store.outbox import put
from lifecycle_bridge.store.tables import OPEN, SLEEPING, STOPPED, cases
from lifecycle_bridge.store.timelines import nameless, note

#: A case's id has 100 characters at most, and that of its runs too: there is room for a digest and the number of the attempt.
_LONGEST_NAME = 80
#: Kinds of case that end access: to cancel one by hand leaves access open that should end.
ENDING = (OFFBOARD, WITHDRAW, SUSPEND)


@dataclass(frozen=True)
class Decision:
    """What an intake decided for one person. Each value comes from outside, and gets its type here."""

    source: str
    person: str
    user: str
    zone: str
    why: str
    urgent: bool
    undo: bool
    alert: str
    cancels: tuple[str, ...]
    runs: tuple[Mapping[str, Any], ...]
    marks: tuple[str, ...]
    silent: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Decision:
        return cls(
            str(data["source"]),
            str(data["id"]),
            str(data["user"]),
            _zone(str(data.get("zone") or "")),
            nameless(str(data.get("why") or ""))[:500],
            bool(data.get("urgent")),
            bool(data.get("undo")),
            nameless(str(data.get("alert") or ""))[:500],
            tuple(map(str, data.get("cancels") or ())),
            tuple(data.get("runs") or ()),
            tuple(map(str, data.get("marks") or ())),
            bool(data.get("silent")),
        )


@dataclass(frozen=True)
class Planned:
    """One run that a decision wants. ``recorded`` is when HR recorded the change, empty when HR does not say."""

    kind: str
    stage: str
    due: str
    recorded: str


def apply(c: sa.Connection, config: Config, batch: str, one: Decision, recorded: str, now: datetime) -> None:
    """Carry out one decision. A second call with the same batch changes nothing."""
    if why := refusal(one.person) or refusal(one.user):
        said = f"{one.source}: an id of HR is refused ({shown(one.person)}): {why}; nothing is done for this record"
        raise_alert(c, f"{one.source}:{digest(one.person)}:id", said, now)
        return
    for kind in one.cancels:
        _drop(c, config, one, kind, now)
    for given in one.runs:
        try:
            run = _planned(one, given, recorded)
        except ValueError as failure:
            key = f"{one.source}:{one.person}:{digest(str(failure))}"
            raise_alert(c, key, f"{one.source} {one.person}: {failure}; nothing is done for them", now)
            continue
        _put(c, batch, one, run, now)
    if one.alert:
        raise_alert(c, f"{one.source}:{one.person}:{digest(one.alert)}", f"{one.source} {one.person}: {one.alert}", now)


def digest(*words: str) -> str:
    """Return eight characters that change with the words."""
    return hashlib.sha256("\0".join(words).encode("utf-8", "backslashreplace")).hexdigest()[:8]


def cancelled_key(case: str) -> str:
    """Return the key of the alert about a leaver's case that a person cancelled."""
    return f"cancelled:{case}"


def _zone(name: str) -> str:
    return name if len(name) <= 64 and name.isprintable() else ""


def _planned(one: Decision, given: Mapping[str, Any], recorded: str) -> Planned:
    """Type one run of a decision.

    :raises ValueError: its moment cannot be read.
    """
    kind, due = str(given["kind"]), str(given["at"])
    try:
        moment(due)
    except ValueError:
        raise ValueError(f"the moment of its {kind} cannot be read") from None
    if one.undo and kind == OFFBOARD:
        kind = WITHDRAW
    # A joiner's record counts from the first day, not from when HR recorded it weeks before.
    return Planned(kind, str(given.get("stage") or ""), due, recorded if kind == OFFBOARD else "")


def _drop(c: sa.Connection, config: Config, one: Decision, kind: str, now: datetime) -> None:
    if kind in {str(run["kind"]) for run in one.runs}:
        return  # moved, not dropped
    mine = (cases.c.source == one.source, cases.c.person == one.person, cases.c.kind == kind)
    for row in c.execute(sa.select(cases).where(*mine, cases.c.state.in_(OPEN))).mappings().all():
        id = row["id"]
        if row["state"] in ("ready", "running"):
            note(c, id, now, "noted", f"HR changed its mind while it runs: {one.why}")
            continue
        values = {"state": "cancelled", "ended_at": stamp(now), "changed_at": stamp(now), "detail": one.why}
        c.execute(sa.update(cases).where(cases.c.id == id).values(**values))
        note(c, id, now, "cancelled", f"HR: {one.why}")
        put(c, config, row, "cancelled", now)
    _hr_has_changed(c, mine, now)


def _hr_has_changed(c: sa.Connection, mine: tuple[sa.ColumnElement[bool], ...], now: datetime) -> None:
    """End the alerts about cancelled cases of this person: HR says something else now than when they were cancelled."""
    dropped = c.execute(sa.select(cases.c.id).where(*mine)).scalars()
    end_alerts(c, [cancelled_key(case) for case in dropped], now)


def _put(c: sa.Connection, batch: str, one: Decision, run: Planned, now: datetime) -> None:
    mine = (cases.c.source == one.source, cases.c.person == one.person, cases.c.kind == run.kind)
    same = sa.select(cases).where(*mine, cases.c.stage == run.stage)
    row = c.execute(same.where(cases.c.state.in_(OPEN))).mappings().first()
    if row is None:
        last = c.execute(same.order_by(cases.c.created_at.desc())).mappings().first()
        by_hand = last is not None and last["state"] == "cancelled" and last["outcome"] == "by_hand"
        if by_hand and last is not None and last["due_at"] == run.due:
            return  # a person cancelled exactly this, and HR says nothing new
        if by_hand:
            _hr_has_changed(c, mine, now)
        _make(c, batch, one, run, now)
    elif row["state"] in ("ready", "running"):
        note(c, row["id"], now, "noted", f"HR again, while it runs: {one.why}")
    elif row["due_at"] != run.due:
        _move(c, dict(row), one, run, now)
    elif row["silent"] != one.silent:
        c.execute(sa.update(cases).where(cases.c.id == row["id"]).values(silent=one.silent))
    if row is not None and row["state"] in SLEEPING and row["due_at"] == run.due and one.urgent and not row["urgent"]:
        values = {"urgent": True, "next_at": run.due, "changed_at": stamp(now)}
        c.execute(sa.update(cases).where(cases.c.id == row["id"]).values(**values))
        note(c, row["id"], now, "moved", f"urgent now: {one.why}")


def _move(c: sa.Connection, row: Mapping[str, Any], one: Decision, run: Planned, now: datetime) -> None:
    anew = {"state": "upcoming", "tries": 0} if row["state"] in STOPPED else {}
    # HR says something new, which does not wait for what a person has to do. A pause after a failure is kept.
    later = row["state"] == "waiting" and row["outcome"] == "retry"
    values = {
        **anew,
        "due_at": run.due,
        "next_at": max(run.due, row["next_at"]) if later else run.due,
        "why": one.why,
        "urgent": one.urgent,
        "extra_vars": _recorded(row["extra_vars"], run.recorded),
        "marks": json.dumps(one.marks) if one.marks else row["marks"],
        "silent": one.silent,
        "changed_at": stamp(now),
    }
    c.execute(sa.update(cases).where(cases.c.id == row["id"]).values(**values))
    note(c, row["id"], now, "moved", f"from {row['due_at']} to {run.due}: {one.why}")
    end_alerts(c, [cancelled_key(row["id"])], now)


def _make(c: sa.Connection, batch: str, one: Decision, run: Planned, now: datetime) -> None:
    id = _case_id(one, batch, run)
    if c.execute(sa.select(cases.c.id).where(cases.c.id == id)).first() is not None:
        return
    given = {
        "user": one.user,
        **({"stage": run.stage} if run.stage else {}),
        **({"hr_recorded_at": run.recorded} if run.recorded else {}),
    }
    c.execute(
        sa.insert(cases).values(
            id=id,
            source=one.source,
            person=one.person,
            kind=run.kind,
            stage=run.stage,
            state="upcoming",
            due_at=run.due,
            next_at=run.due,
            zone=one.zone,
            urgent=one.urgent,
            why=one.why,
            extra_vars=json.dumps(given),
            marks=json.dumps(one.marks),
            silent=one.silent,
            attempt=0,
            tries=0,
            late_s=0.0,
            created_at=stamp(now),
            changed_at=stamp(now),
        )
    )
    note(c, id, now, "made", one.why)


def _case_id(one: Decision, batch: str, run: Planned) -> str:
    """Return a readable name for a case. The end of a long one is replaced by its digest, since the column's length is limited."""
    name = f"{run.kind}-{one.source}-{one.person}"
    if len(name) <= _LONGEST_NAME:
        return f"{name}-{digest(batch, run.kind, run.stage, run.due)}"
    return f"{name[:_LONGEST_NAME]}-{digest(one.source, one.person, batch, run.kind, run.stage, run.due)}"


def _recorded(given: str, at: str) -> str:
    """Return a case's extra variables with the time at which HR recorded the change."""
    return json.dumps({**json.loads(given), "hr_recorded_at": at}) if at else given
