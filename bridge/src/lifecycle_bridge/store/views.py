# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Queries for the console, which change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from lifecycle_bridge.kinds import OFFBOARD, ONBOARD, WITHDRAW
from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.alerts import told_at
from lifecycle_bridge.store.tables import OPEN, alerts, cases, events, runs, sources, timeline
from lifecycle_bridge.store.timelines import who

JOINERS = (ONBOARD,)
LEAVERS = (OFFBOARD, WITHDRAW)
#: A case that is behind its minute by more than this is late.
LATE = timedelta(minutes=5)
#: What :meth:`Views.cases` may be asked for besides the states.
FILTERS = ("open", "late", "working")
PER_PAGE = 50
_MOST_LINES = 2_000

Row = TypeVar("Row")


@dataclass(frozen=True)
class Case:
    """A row of ``cases``; ``steps`` are those still open, as ``system`` and ``step`` and ``outcome``."""

    id: str
    source: str
    person: str
    kind: str
    stage: str
    state: str
    due_at: datetime
    zone: str
    urgent: bool
    why: str
    attempt: int
    next_at: datetime
    ident: str
    started_at: datetime | None
    ended_at: datetime | None
    late_s: float
    outcome: str
    detail: str
    ledger_case: str
    record: str
    steps: tuple[Mapping[str, str], ...]
    created_at: datetime
    changed_at: datetime
    silent: bool = False
    access: str = ""
    complete: bool = False
    hardware_out: int = 0
    user: str = ""

    def behind(self, now: datetime) -> timedelta:
        """Return how late the case began, or how late it is while it has not begun; zero up to :data:`LATE`."""
        if self.started_at is None and self.state in OPEN:
            behind = now - self.due_at
        else:
            behind = timedelta(seconds=self.late_s)
        return behind if behind > LATE else timedelta(0)


@dataclass(frozen=True)
class Line:
    """One line of a case's story: of its time line, or an event of HR (``what`` is then ``event``)."""

    at: datetime
    what: str
    detail: str
    by: str = ""


@dataclass(frozen=True)
class Run:
    ident: str
    playbook: str
    cases: tuple[str, ...]
    status: str
    detail: str
    output: str
    owner: str
    started_at: datetime
    ended_at: datetime | None

    @property
    def seconds(self) -> float | None:
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


@dataclass(frozen=True)
class SourceState:
    """How one source stands; moments are None for never. ``day`` counts the events of the last 24 hours, ``new`` those not yet looked at."""

    name: str
    last_event_at: datetime | None
    last_look_at: datetime | None
    last_everybody_at: datetime | None
    trouble: str
    day: int = 0
    new: int = 0


@dataclass(frozen=True)
class Alert:
    key: str
    at: datetime
    detail: str
    told_at: datetime | None
    settled_at: datetime | None
    settled_by: str


@dataclass(frozen=True)
class Filter:
    """Which cases. ``state`` is a state, or one of :data:`FILTERS`; ``text`` is looked for in ids."""

    state: str = ""
    kind: str = ""
    source: str = ""
    text: str = ""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Part of a list. ``page`` counts from 1."""

    rows: Sequence[Row]
    total: int
    page: int
    pages: int


class Views:
    """All queries of the console."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def counts(self, now: datetime) -> dict[str, int]:
        """Return how many cases are in each state, and ``late``, ``day`` (done in the last 24 hours), ``alerts``."""
        with self.database.read() as connection:
            found = {
                str(state): int(n)
                for state, n in connection.execute(sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state))
            }
            found["late"] = _count(connection, late(now))
            found["day"] = _count(
                connection, sa.and_(cases.c.state == "done", cases.c.ended_at >= stamp(now - timedelta(days=1)))
            )
            found["alerts"] = (
                connection.scalar(sa.select(sa.func.count()).select_from(alerts).where(alerts.c.settled_at == "")) or 0
            )
        return found

    def cases(self, which: Filter, now: datetime, page: int = 1, per_page: int = PER_PAGE) -> Page[Case]:
        """Return cases: open ones with the next to go on first, ended ones with the last first."""
        where = _where(which, now)
        ended = which.state in ("done", "cancelled", "")
        order = cases.c.changed_at.desc() if ended else cases.c.next_at
        with self.database.read() as connection:
            total = _count(connection, where)
            pages = max(1, -(-total // per_page))
            page = min(max(1, page), pages)
            rows = connection.execute(
                sa.select(cases).where(where).order_by(order, cases.c.id).limit(per_page).offset((page - 1) * per_page)
            ).mappings()
            return Page([case_of(row) for row in rows], total, page, pages)

    def upcoming(self, kinds: Sequence[str], now: datetime, most: int) -> Page[Case]:
        """Return the next cases of these kinds that are not yet due."""
        where = sa.and_(cases.c.state == "upcoming", cases.c.kind.in_(kinds))
        with self.database.read() as connection:
            rows = connection.execute(
                sa.select(cases).where(where).order_by(cases.c.due_at, cases.c.id).limit(most)
            ).mappings()
            return Page([case_of(row) for row in rows], _count(connection, where), 1, 1)

    def case(self, ident: str) -> Case | None:
        with self.database.read() as connection:
            row = connection.execute(sa.select(cases).where(cases.c.id == ident)).mappings().first()
        return case_of(row) if row is not None else None

    def of(self, idents: Sequence[str]) -> list[Case]:
        """Return the cases with these ids that exist."""
        with self.database.read() as connection:
            rows = (
                connection.execute(sa.select(cases).where(cases.c.id.in_(idents)).order_by(cases.c.id)).mappings().all()
            )
        return [case_of(row) for row in rows]

    def around(self, since: datetime, until: datetime, most: int = 500) -> list[Case]:
        """Return the cases that are due in this time, and those that became due before it and are not over."""
        about = sa.and_(cases.c.due_at >= stamp(since), cases.c.due_at <= stamp(until), cases.c.state != "cancelled")
        open_ = sa.and_(cases.c.due_at <= stamp(until), cases.c.state.in_(OPEN))
        with self.database.read() as connection:
            wanted = sa.select(cases).where(sa.or_(about, open_)).order_by(cases.c.due_at, cases.c.id).limit(most)
            return [case_of(row) for row in connection.execute(wanted).mappings()]

    def of_people(self, people: Sequence[tuple[str, str]], text: str, most: int = 200) -> list[Case]:
        """Return all cases of these people, and of those whose id holds the text; the last first."""
        these = [sa.and_(cases.c.source == source, cases.c.person == person) for source, person in people[:most]]
        like = [cases.c.person.icontains(text, autoescape=True)] if text else []
        with self.database.read() as connection:
            wanted = (
                sa.select(cases).where(sa.or_(sa.false(), *these, *like)).order_by(cases.c.due_at.desc(), cases.c.id)
            )
            return [case_of(row) for row in connection.execute(wanted.limit(most)).mappings()]

    def story(self, case: Case) -> list[Line]:
        """Return the time line with the events that HR sent of this person while the case was open, and in the day before; the oldest first."""
        since, until = (
            stamp(case.created_at - timedelta(days=1)),
            stamp(case.changed_at) if case.state in ("done", "cancelled") else "9",
        )
        with self.database.read() as connection:
            lines = connection.execute(
                sa.select(timeline.c.at, timeline.c.what, timeline.c.detail, timeline.c.by, timeline.c.account)
                .where(timeline.c.case_id == case.id)
                .order_by(timeline.c.n.desc())
                .limit(_MOST_LINES)
            ).all()
            heard = connection.execute(
                sa.select(events.c.received_at, events.c.type, events.c.urgent)
                .where(
                    events.c.source == case.source,
                    events.c.person == case.person,
                    events.c.received_at >= since,
                    events.c.received_at <= until,
                )
                .order_by(events.c.n.desc())
                .limit(100)
            ).all()
        story = [Line(_moment(at), what, detail, who(by, account)) for at, what, detail, by, account in reversed(lines)]
        rows_sent = [
            Line(_moment(at), "event", f"{kind}{', urgent' if urgent else ''}", case.source)
            for at, kind, urgent in reversed(heard)
        ]
        return sorted([*rows_sent, *story], key=lambda line: line.at)

    def runs_of(self, case: Case) -> list[Run]:
        """Return the runs that had this case, the last first."""
        quoted = json.dumps(case.id)
        with self.database.read() as connection:
            found = (
                sa.select(runs)
                .where(runs.c.cases.contains(quoted, autoescape=True))
                .order_by(runs.c.started_at.desc())
                .limit(50)
            )
            return [_run(row) for row in connection.execute(found).mappings()]

    def runs(self, status: str, page: int = 1, per_page: int = PER_PAGE) -> Page[Run]:
        """Return the runs of one status, or all; the last first."""
        where = runs.c.status == status if status else sa.true()
        with self.database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(runs).where(where)) or 0
            pages = max(1, -(-total // per_page))
            page = min(max(1, page), pages)
            some = (
                sa.select(runs)
                .where(where)
                .order_by(runs.c.started_at.desc(), runs.c.ident)
                .limit(per_page)
                .offset((page - 1) * per_page)
            )
            return Page([_run(row) for row in connection.execute(some).mappings()], total, page, pages)

    def statuses(self) -> list[str]:
        """Return the statuses that runs have."""
        with self.database.read() as connection:
            return sorted(connection.scalars(sa.select(runs.c.status).distinct()))

    def sources(self, names: Sequence[str], now: datetime) -> list[SourceState]:
        """Return the sources that are configured, and those that once were and are still in the table."""
        with self.database.read() as connection:
            rows = {row["name"]: row for row in connection.execute(sa.select(sources)).mappings()}
            day = _per_source(connection, events.c.received_at >= stamp(now - timedelta(days=1)))
            new = _per_source(connection, events.c.state.in_(("new", "taken")))
        return [
            _source(name, rows.get(name), day.get(name, 0), new.get(name, 0))
            for name in [*names, *sorted(set(rows) - set(names))]
        ]

    def kinds(self) -> list[str]:
        with self.database.read() as connection:
            return sorted(connection.scalars(sa.select(cases.c.kind).distinct()))

    def alerts(self, settled: bool = False, most: int = 100) -> list[Alert]:
        """Return the alerts that nobody has settled, the newest first; or the last ones that were settled."""
        where, order = (
            (alerts.c.settled_at != "", alerts.c.settled_at.desc())
            if settled
            else (alerts.c.settled_at == "", alerts.c.at.desc())
        )
        with self.database.read() as connection:
            return [
                _alert(row)
                for row in connection.execute(sa.select(alerts).where(where).order_by(order).limit(most)).mappings()
            ]

    def alert(self, key: str) -> Alert | None:
        with self.database.read() as connection:
            row = connection.execute(sa.select(alerts).where(alerts.c.key == key)).mappings().first()
        return _alert(row) if row is not None else None


def _count(connection: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(cases).where(where)) or 0


def late(now: datetime) -> sa.ColumnElement[bool]:
    """Select what is late: not begun although its minute has passed, or under way and begun too late."""
    return sa.or_(
        sa.and_(
            cases.c.state.in_(("upcoming", "ready", "waiting")),
            cases.c.started_at == "",
            cases.c.due_at < stamp(now - LATE),
        ),
        sa.and_(cases.c.state.in_(("running", "waiting")), cases.c.late_s > LATE.total_seconds()),
    )


def _where(which: Filter, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sa.true(), *_conditions(which, now))


def _conditions(which: Filter, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    if which.state == "late":
        yield late(now)
    elif which.state == "open":
        yield cases.c.state.in_(OPEN)
    elif which.state == "working":
        yield cases.c.state.in_(("ready", "running", "waiting"))
    elif which.state:
        yield cases.c.state == which.state
    if which.kind:
        yield cases.c.kind == which.kind
    if which.source:
        yield cases.c.source == which.source
    if which.text:
        yield sa.or_(
            cases.c.person.icontains(which.text, autoescape=True), cases.c.id.icontains(which.text, autoescape=True)
        )


def _per_source(connection: sa.Connection, where: sa.ColumnElement[bool]) -> dict[str, int]:
    found = connection.execute(sa.select(events.c.source, sa.func.count()).where(where).group_by(events.c.source))
    return {str(name): int(n) for name, n in found}


def _moment(text: str) -> datetime:
    found = moment(text)
    assert found is not None, "these columns are never empty"
    return found


def case_of(row: sa.RowMapping | Mapping[str, Any]) -> Case:
    """Return a row of ``cases``, typed."""
    times: dict[str, Any] = {name: _moment(row[name]) for name in ("due_at", "next_at", "created_at", "changed_at")}
    given = {
        name: row[name]
        for name in (
            "id",
            "source",
            "person",
            "kind",
            "stage",
            "state",
            "zone",
            "urgent",
            "why",
            "attempt",
            "ident",
            "late_s",
            "outcome",
            "detail",
            "ledger_case",
            "record",
            "silent",
            "access",
            "complete",
            "hardware_out",
        )
    }
    steps = tuple(
        {str(key): str(value) for key, value in step.items()}
        for step in json.loads(row["open_steps"] or "[]")
        if isinstance(step, dict)
    )
    user = str(json.loads(row["extra_vars"] or "{}").get("user") or "")
    return Case(
        **given, **times, steps=steps, user=user, started_at=moment(row["started_at"]), ended_at=moment(row["ended_at"])
    )


def _run(row: sa.RowMapping) -> Run:
    return Run(
        row["ident"],
        row["playbook"],
        tuple(json.loads(row["cases"] or "[]")),
        row["status"],
        row["detail"],
        row["output"],
        row["owner"],
        _moment(row["started_at"]),
        moment(row["ended_at"]),
    )


def _source(name: str, row: sa.RowMapping | None, day: int, new: int) -> SourceState:
    if row is None:
        return SourceState(name, None, None, None, "", day, new)
    return SourceState(
        name,
        moment(row["last_event_at"]),
        moment(row["last_look_at"]),
        moment(row["last_everybody_at"]),
        row["trouble"],
        day,
        new,
    )


def _alert(row: sa.RowMapping) -> Alert:
    return Alert(
        row["key"],
        _moment(row["at"]),
        row["detail"],
        told_at(row["told_at"]),
        moment(row["settled_at"]),
        row["settled_by"],
    )
