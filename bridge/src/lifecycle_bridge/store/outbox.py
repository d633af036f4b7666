# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the notices about cases: each is written in the transaction of the change, and sent afterwards, once, also across restarts.

A row names a case, the news and the way, never a person: HR is asked who the manager is when the notice is sent. Before a silent
departure has happened, only the people who carry it out get a notice of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa

from lifecycle_bridge.config import Config, Notify
from lifecycle_bridge.kinds import OFFBOARD, ONBOARD, RENAME, SUSPEND, TRANSFER, WITHDRAW
from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.tables import cases, notices
from lifecycle_bridge.store.verdicts import Step
from lifecycle_bridge.store.views import Case, case_of, late

#: News that a person must act on: they go to a way that does not say which news it wants.
ACTING = ("stuck", "held", "todo", "not_ready", "reminder")
#: The signal for another system that keeps sessions: every way in that we know of is closed.
SIGNALS = ("cut",)
#: The news that each role gets, by kind of case, where a way does not say it. A leaver gets no notice: the manager tells them.
CONCERNS: Mapping[str, Mapping[str, Sequence[str]]] = {
    ONBOARD: {
        "person": ("due", "ready", "cancelled"),
        "manager": ("due", "not_ready", "ready", "cancelled"),
        "buddy": ("due", "ready", "cancelled"),
    },
    OFFBOARD: {"manager": ("due", "todo", "done", "cancelled")},
    TRANSFER: {"manager": ("due", "done", "cancelled"), "person": ("done",)},
    RENAME: {"person": ("done",)},
}
#: Kinds that end somebody's access.
_ENDING = (OFFBOARD, WITHDRAW, SUSPEND)
#: Seconds after which a notice that a bridge took, and did not report as sent or failed, is taken again; seconds between two tries; how many tries.
_LEASE, _PAUSE, TRIES = 600.0, 300.0, 12
#: The letters of runs that were sent are kept under this word, with a digest of the letter's key.
_LETTER = "letter"
Row: TypeAlias = "Mapping[str, Any] | sa.RowMapping"


@dataclass(frozen=True)
class Route:
    """One way to one kind of reader. ``role`` is empty for readers whom the configuration names itself."""

    name: str
    role: str
    channel: Notify


@dataclass(frozen=True)
class Pending:
    """A notice that is to be sent now."""

    n: int
    case: Case
    news: str
    mark: str
    route: Route | None
    detail: str
    open_steps: tuple[Step, ...]
    tries: int


def routes(config: Config) -> Iterator[Route]:
    """Yield all ways to all readers."""
    for channel in config.notify:
        if channel.to or channel.kind != "mail":
            yield Route(channel.way, "", channel)
        for role in channel.people:
            yield Route(f"{channel.way}/{role}", role, channel)


def put(
    c: sa.Connection,
    config: Config,
    case: Row,
    news: str,
    now: datetime,
    *,
    mark: str = "",
    detail: str = "",
    steps: Sequence[Step] = (),
) -> int:
    """Write the notices about a change of a case, one for each way that wants it, inside the caller's transaction. Return how many are new."""
    known = set(
        c.execute(
            sa.select(notices.c.news, notices.c.mark, notices.c.way).where(notices.c.case_id == case["id"])
        ).tuples()
    )
    made = 0
    for route in routes(config):
        if not _wants(route, str(case["kind"]), news) or not _may_hear(case, route, news, steps):
            continue
        if (news, mark, route.name) in known:
            continue
        if news == "cancelled" and not _was_sent(c, str(case["id"]), "due", route.name):
            continue  # nobody got a notice of it there
        c.execute(
            sa.insert(notices).values(
                case_id=case["id"],
                news=news,
                mark=mark,
                way=route.name,
                detail=detail,
                open_steps=json.dumps([asdict(step) for step in steps]),
                made_at=stamp(now),
                state="new",
                next_at=stamp(now),
            )
        )
        made += 1
    return made


def _wants(route: Route, kind: str, news: str) -> bool:
    if route.channel.kinds and kind not in route.channel.kinds:
        return False
    mine = CONCERNS.get(kind, {}).get(route.role, ()) if route.role else ACTING
    if route.role and route.role not in CONCERNS.get(kind, {}):
        return False
    return news in (route.channel.news or (SIGNALS if route.channel.kind == "ssf" else mine))


def _may_hear(case: Row, route: Route, news: str, steps: Sequence[Step]) -> bool:
    """Return whether somebody may get this notice: before a silent departure has happened, only those who carry it out, without the name."""
    if not case["silent"] or case["kind"] not in _ENDING or news in ("done", "cut"):
        return True
    if news in ("todo", "reminder") and not any(step.step == "cutoff" for step in steps):
        return True  # every way in is closed
    return news in ("stuck", "held", "todo", "late", "reminder") and not route.role and not route.channel.names


def _was_sent(c: sa.Connection, case: str, news: str, way: str) -> bool:
    where = (notices.c.case_id == case, notices.c.news == news, notices.c.way == way, notices.c.state == "sent")
    return c.execute(sa.select(notices.c.n).where(*where)).first() is not None


class Outbox:
    """See the module. Every method is one transaction."""

    def __init__(self, database: Database, config: Config) -> None:
        self._database, self._config = database, config

    def scan(self, now: datetime) -> int:
        """Write the notices that follow from the calendar: what will be due in some days, and what is late. Return how many are new."""
        with self._database.read() as c:
            coming = [
                sa.and_(cases.c.kind == kind, cases.c.due_at <= stamp(now + timedelta(days=days)))
                for kind, days in self._config.notices.days_before.items()
            ]
            soon = sa.and_(cases.c.state == "upcoming", cases.c.stage == "", sa.or_(sa.false(), *coming))
            due = c.execute(sa.select(cases).where(soon)).mappings().all()
            behind = c.execute(sa.select(cases).where(late(now))).mappings().all()
        made = 0
        for news, found in (("due", due), ("late", behind)):
            for row in found:
                with self._database.exclusive() as c:
                    made += put(c, self._config, dict(row), news, now, mark=row["due_at"])
        return made

    def waits(self, now: datetime) -> bool:
        """Return whether anything is to be sent now."""
        with self._database.read() as c:
            return c.execute(sa.select(notices.c.n).where(_to_send(now)).limit(1)).first() is not None

    def is_new(self, key: str, now: datetime) -> bool:
        """Note a letter as sent, and return whether it was not sent before."""
        mark = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
        mine = (notices.c.case_id == _LETTER, notices.c.mark == mark)
        with self._database.exclusive() as c:
            if c.execute(sa.select(notices.c.n).where(*mine)).first() is not None:
                return False
            row = {"case_id": _LETTER, "news": _LETTER, "way": _LETTER, "mark": mark, "state": "sent"}
            c.execute(sa.insert(notices).values(**row, made_at=stamp(now), sent_at=stamp(now)))
            return True

    def is_new_again(self, key: str) -> None:
        """Forget a letter that did not arrive, so that the next run's is sent."""
        mark = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
        with self._database.write() as c:
            c.execute(sa.delete(notices).where(notices.c.case_id == _LETTER, notices.c.mark == mark))

    def claim(self, now: datetime, most: int = 50) -> list[Pending]:
        """Take the notices that are to be sent now; no other bridge gets them for a while."""
        known = {route.name: route for route in routes(self._config)}
        with self._database.exclusive() as c:
            found = (
                c.execute(sa.select(notices).where(_to_send(now)).order_by(notices.c.n).limit(most)).mappings().all()
            )
            if not found:
                return []
            mine = notices.c.n.in_([row["n"] for row in found])
            later = stamp(now + timedelta(seconds=_LEASE))
            c.execute(sa.update(notices).where(mine).values(state="sending", next_at=later, tries=notices.c.tries + 1))
            about = {
                row["id"]: case_of(row)
                for row in c.execute(
                    sa.select(cases).where(cases.c.id.in_({row["case_id"] for row in found}))
                ).mappings()
            }
        return [_pending(row, about[row["case_id"]], known.get(row["way"])) for row in found]

    def sent(self, n: int, now: datetime) -> None:
        """Mark a notice as arrived."""
        self._set(n, state="sent", sent_at=stamp(now))

    def again(self, one: Pending, now: datetime) -> bool:
        """Have a notice tried again, after a longer pause each time. False when it was tried often enough and is dropped."""
        if one.tries >= TRIES:
            self._set(one.n, state="dropped")
            return False
        wait = _PAUSE * min(2 ** (one.tries - 1), 72)
        self._set(one.n, state="new", next_at=stamp(now + timedelta(seconds=wait)))
        return True

    def drop(self, n: int) -> None:
        """Drop a notice that is no longer true, or has no reader."""
        self._set(n, state="dropped")

    def _set(self, n: int, **values: str) -> None:
        with self._database.write() as c:
            c.execute(sa.update(notices).where(notices.c.n == n).values(**values))


def notices_sent(database: Database, about: Sequence[str]) -> list[tuple[str, str, datetime]]:
    """Return what was sent of some cases: the news, by which way, and when; the last first."""
    with database.read() as c:
        where = (notices.c.case_id.in_(about), notices.c.state == "sent")
        wanted = sa.select(notices.c.news, notices.c.way, notices.c.sent_at).where(*where)
        found = c.execute(wanted.order_by(notices.c.sent_at.desc()).limit(100)).all()
    return [(row.news, row.way, at) for row in found if (at := moment(row.sent_at)) is not None]


def _to_send(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(notices.c.state.in_(("new", "sending")), notices.c.next_at <= stamp(now))


def _pending(row: Row, case: Case, route: Route | None) -> Pending:
    steps = tuple(Step.of(step) for step in json.loads(row["open_steps"]))
    return Pending(row["n"], case, row["news"], row["mark"], route, row["detail"], steps, row["tries"] + 1)


def holds(one: Pending) -> bool:
    """Return whether a notice is still true: HR may have moved or dropped the case since it was written."""
    if one.route is None:
        return False  # that way is not configured any more
    if one.news == "due":
        return one.case.state == "upcoming" and stamp(one.case.due_at) == one.mark
    if one.news in ("late", *ACTING):
        return one.case.state not in ("done", "cancelled")
    return True
