# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The cases: made, moved and dropped as the intake decides; handed out when they are due; settled as their runs end.

What a case waits for is a time in a row, not a sleeping process: a restart, a changed clock or a machine that was asleep lose
nothing, and what became due meanwhile is run at once, and recorded as late.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.config import Config
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.person_ids import refusal, shown
from lifecycle_bridge.store import Database, moment, rows, stamp
from lifecycle_bridge.store.alerts import raise_alert
from lifecycle_bridge.store.tables import cases, runs, timeline

#: Who waits for nothing but their minute, or for another try. ``stuck`` and ``held`` are looked at again once a day.
WAITING = ("upcoming", "waiting")
OPEN = ("upcoming", "ready", "running", "waiting", "stuck", "held")
#: What a person is shown of a case, in order.
CASES_SHOWN = (
    "id",
    "state",
    "kind",
    "stage",
    "source",
    "person",
    "why",
    "due_at",
    "zone",
    "urgent",
    "late_s",
    "attempt",
    "next_at",
    "started_at",
    "ended_at",
    "outcome",
    "detail",
    "ledger_case",
    "record",
    "open_steps",
)
#: Lower goes first: whoever leaves before whoever comes.
PRIORITY = {
    "offboard": 2,
    "withdraw": 3,
    "suspend": 3,
    "transfer": 5,
    "rename": 6,
    "reinstate": 4,
    "resume": 4,
    "onboard": 7,
}
URGENT = 1
#: Outcomes of a step that another run may end by itself; all others wait for a person.
_MOVING = ("failed", "unknown", "in_progress", "acknowledged")
#: Codes that stop a run before its first write, and wait for somebody's word.
_HOLDS = ("brake", "approval")
_LATE = timedelta(seconds=60)
#: A case's id has 100 characters at most, and that of its runs too: there is room for a digest and the number of the attempt.
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Told:
    """What a human is to hear of: a case, or the feed. ``command`` is what goes on with it."""

    subject: str
    detail: str
    case: Mapping[str, Any]
    open_steps: Sequence[Mapping[str, Any]] = ()


class Cases:
    """See the module. Every method is one transaction."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database, self.config = database, config

    # -- what the intake decides ---------------------------------------------------------------------------------------

    def apply(
        self,
        batch: str,
        decisions: Iterable[Mapping[str, Any]],
        now: datetime,
        recorded: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Make, move and drop cases, and raise alerts. Asked twice with the same batch, the second time changes nothing.

        :param recorded: when HR recorded it, by HR system and person, where it says so.
        """
        with self.database.write() as c:
            for one in decisions:
                if why := refusal(str(one["id"])) or refusal(str(one["user"])):
                    detail = f"{one['source']}: an id of HR is refused ({shown(str(one['id']))}): {why}; nothing is done for this record"
                    raise_alert(c, f"{one['source']}:{_short(str(one['id']))}:id", detail, now)
                    continue
                for kind in one.get("cancels") or ():
                    self._drop(c, one, kind, now)
                for run in one.get("runs") or ():
                    self._put(c, batch, one, run, (recorded or {}).get((one["source"], str(one["id"])), ""), now)
                if one.get("alert"):
                    detail = f"{one['source']} {one['id']}: {one['alert']}"
                    raise_alert(c, f"{one['source']}:{one['id']}:{_short(one['alert'])}", detail, now)

    def _drop(self, c: sa.Connection, one: Mapping[str, Any], kind: str, now: datetime) -> None:
        kept = {run["kind"] for run in one.get("runs") or ()}
        if kind in kept:
            return  # moved, not dropped
        found = c.execute(
            sa.select(cases.c.id, cases.c.state).where(
                cases.c.source == one["source"],
                cases.c.person == one["id"],
                cases.c.kind == kind,
                cases.c.state.in_(OPEN),
            )
        ).all()
        for id, state in found:
            if state in ("ready", "running"):
                self._line(c, id, now, "noted", f"HR changed its mind while it runs: {one['why']}")
                continue
            c.execute(
                sa.update(cases)
                .where(cases.c.id == id)
                .values(state="cancelled", ended_at=stamp(now), changed_at=stamp(now), detail=one["why"])
            )
            self._line(c, id, now, "cancelled", f"HR: {one['why']}")

    def _put(
        self, c: sa.Connection, batch: str, one: Mapping[str, Any], run: Mapping[str, Any], recorded: str, now: datetime
    ) -> None:
        kind, stage = str(run["kind"]), str(run.get("stage") or "")
        kind = "withdraw" if one.get("undo") and kind == "offboard" else kind
        recorded = (
            recorded if kind == "offboard" else ""
        )  # a joiner's record counts from the day, not from when HR wrote it down weeks before
        same = sa.select(cases).where(
            cases.c.source == one["source"], cases.c.person == one["id"], cases.c.kind == kind, cases.c.stage == stage
        )
        row = c.execute(same.where(cases.c.state.in_(OPEN))).mappings().first()
        due = str(run["at"])
        if row is None:
            last = c.execute(same.order_by(cases.c.created_at.desc())).mappings().first()
            if (
                last is not None
                and last["state"] == "cancelled"
                and last["due_at"] == due
                and last["outcome"] == "by_hand"
            ):
                return  # a human dropped exactly this, and HR says nothing new
            self._make(c, batch, one, kind, stage, due, recorded, now)
        elif row["state"] in WAITING and row["due_at"] != due:
            c.execute(
                sa.update(cases)
                .where(cases.c.id == row["id"])
                .values(
                    due_at=due,
                    next_at=max(due, row["next_at"]) if row["state"] == "waiting" else due,
                    why=one["why"],
                    urgent=bool(one["urgent"]),
                    extra_vars=_recorded(row["extra_vars"], recorded),
                    changed_at=stamp(now),
                )
            )
            self._line(c, row["id"], now, "moved", f"from {row['due_at']} to {due}: {one['why']}")
        elif row["state"] in ("ready", "running"):
            self._line(c, row["id"], now, "noted", f"HR again, while it runs: {one['why']}")
        elif row["state"] in ("stuck", "held") and row["due_at"] != due:
            c.execute(
                sa.update(cases)
                .where(cases.c.id == row["id"])
                .values(
                    state="upcoming",
                    due_at=due,
                    next_at=due,
                    tries=0,
                    why=one["why"],
                    urgent=bool(one["urgent"]),
                    extra_vars=_recorded(row["extra_vars"], recorded),
                    changed_at=stamp(now),
                )
            )
            self._line(c, row["id"], now, "moved", f"from {row['due_at']} to {due}: {one['why']}")
        elif row["state"] in WAITING and bool(one["urgent"]) and not row["urgent"]:
            c.execute(
                sa.update(cases).where(cases.c.id == row["id"]).values(urgent=True, next_at=due, changed_at=stamp(now))
            )
            self._line(c, row["id"], now, "moved", f"urgent now: {one['why']}")

    def _make(
        self,
        c: sa.Connection,
        batch: str,
        one: Mapping[str, Any],
        kind: str,
        stage: str,
        due: str,
        recorded: str,
        now: datetime,
    ) -> None:
        id = _case_id(kind, str(one["source"]), str(one["id"]), batch, stage, due)
        if c.execute(sa.select(cases.c.id).where(cases.c.id == id)).first() is not None:
            return
        given = {
            "user": one["user"],
            **({"stage": stage} if stage else {}),
            **({"hr_recorded_at": recorded} if recorded else {}),
        }
        c.execute(
            sa.insert(cases).values(
                id=id,
                source=one["source"],
                person=str(one["id"]),
                kind=kind,
                stage=stage,
                state="upcoming",
                due_at=due,
                next_at=due,
                zone=one.get("zone") or "",
                urgent=bool(one["urgent"]),
                why=one["why"],
                extra_vars=json.dumps(given),
                attempt=0,
                tries=0,
                late_s=0.0,
                created_at=stamp(now),
                changed_at=stamp(now),
            )
        )
        self._line(c, id, now, "made", one["why"])

    # -- what is due ---------------------------------------------------------------------------------------------------

    def claim(self, now: datetime, most: int, owner: str) -> list[str]:
        """Bind what is due to new runs, at most so many: who leaves goes first, and nobody is in two runs.

        :returns: the idents of the runs.
        """
        if most <= 0:
            return []
        with self.database.write() as c:
            self._exclusive(c)
            busy = {
                (row.source, row.person)
                for row in c.execute(
                    sa.select(cases.c.source, cases.c.person).where(cases.c.state.in_(("ready", "running")))
                )
            }
            daily = stamp(now - timedelta(days=1))
            found = rows(
                c.execute(
                    sa.select(cases).where(
                        sa.or_(
                            sa.and_(cases.c.state.in_(WAITING), cases.c.next_at <= stamp(now)),
                            sa.and_(cases.c.state.in_(("stuck", "held")), cases.c.ended_at <= daily),
                        )
                    )
                )
            )
            groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
            # What changed before somebody's first day is carried out after it: accounts that a move made would not pass for the joiner's own.
            joining = {
                (row["source"], row["person"]) for row in found if row["kind"] == "onboard" and row["state"] in WAITING
            }
            for row in sorted(found, key=lambda row: (_priority(row), row["next_at"])):
                who = (row["source"], row["person"])
                if who in busy or row["kind"] == "transfer" and who in joining:
                    continue
                busy.add(who)
                # Together go only those who go for the first time: whoever fails is tried again alone.
                alone = row["id"] if row["attempt"] else ""
                groups.setdefault((_priority(row), row["kind"], row["stage"], _rest(row), alone), []).append(row)
            made: list[str] = []
            for _, group in sorted(groups.items(), key=lambda item: item[0][0]):
                for start in range(0, len(group), self.config.together):
                    if len(made) >= most:
                        return made
                    made.append(self._bind(c, group[start : start + self.config.together], owner, now))
            return made

    def _bind(self, c: sa.Connection, group: Sequence[Mapping[str, Any]], owner: str, now: datetime) -> str:
        first = group[0]
        ident = f"{first['id']}-{first['attempt'] + 1}"
        c.execute(
            sa.insert(runs).values(
                ident=ident,
                playbook=f"workforce.lifecycle.{first['kind']}",
                cases=json.dumps([row["id"] for row in group]),
                status="ready",
                owner=owner,
                started_at=stamp(now),
            )
        )
        for row in group:
            c.execute(
                sa.update(cases)
                .where(cases.c.id == row["id"])
                .values(
                    state="ready",
                    ident=ident,
                    attempt=row["attempt"] + 1,
                    tries=row["tries"] + 1,
                    changed_at=stamp(now),
                )
            )
        return ident

    def priority(self, ident: str) -> int:
        with self.database.read() as c:
            found = rows(c.execute(sa.select(cases).where(cases.c.ident == ident)))
        return min((_priority(row) for row in found), default=9)

    def begin(self, ident: str, owner: str, now: datetime) -> Order | None:
        """The order of a run, marked as running; None when nothing of it is left to run. Asked again, it is the same order."""
        with self.database.write() as c:
            group = rows(
                c.execute(sa.select(cases).where(cases.c.ident == ident, cases.c.state.in_(("ready", "running"))))
            )
            if not group:
                c.execute(
                    sa.update(runs)
                    .where(runs.c.ident == ident, runs.c.ended_at == "")
                    .values(status="refused", detail="cancelled before it began", ended_at=stamp(now))
                )
                return None
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(owner=owner))
            c.execute(
                sa.update(runs).where(runs.c.ident == ident, runs.c.status == "ready").values(status="running")
            )  # one that is to stop still is
            for row in group:
                late = now - (moment(row["due_at"]) or now)
                if row["state"] == "ready":
                    c.execute(
                        sa.update(cases)
                        .where(cases.c.id == row["id"])
                        .values(
                            state="running",
                            started_at=row["started_at"] or stamp(now),
                            changed_at=stamp(now),
                            **({"late_s": late.total_seconds()} if not row["started_at"] and late > _LATE else {}),
                        )
                    )
                    said = f", {_span(late)} after its minute" if not row["started_at"] and late > _LATE else ""
                    self._line(c, row["id"], now, "started", f"run {ident}{said}")
        return self.order(ident, group)

    def order(self, ident: str, group: Sequence[Mapping[str, Any]]) -> Order:
        given = [json.loads(row["extra_vars"]) for row in group]
        users = [one["user"] for one in given]
        # When HR recorded it is one person's: of several it can only be told where it is the same.
        shared = {
            key: value
            for key, value in given[0].items()
            if key != "user" and all(one.get(key) == value for one in given)
        }
        return Order(
            ident,
            f"workforce.lifecycle.{group[0]['kind']}",
            {**self.config.extra_vars, **shared, "user": users},  # a list: what a person typed is split, this is not
            timeout=self.config.run_timeout,
            idle_timeout=self.config.idle_timeout,
        )

    def of_run(self, ident: str) -> tuple[str, ...]:
        """The cases that a run is for."""
        with self.database.read() as c:
            return tuple(c.execute(sa.select(cases.c.id).where(cases.c.ident == ident)).scalars())

    def stopped(self, ident: str) -> bool:
        """Whether a human wants the run to end now."""
        with self.database.read() as c:
            return bool(
                c.execute(
                    sa.select(sa.func.count())
                    .select_from(runs)
                    .where(runs.c.ident == ident, runs.c.status == "stopping")
                ).scalar()
            )

    # -- how it ended --------------------------------------------------------------------------------------------------

    def settle(self, ident: str, result: Result, now: datetime) -> list[Told]:
        """What a run's end means for its cases. Asked again, it changes nothing more.

        :returns: what a human is to be told.
        """
        ended = {str(one["key"]): one for one in result.stats.get("cases") or () if isinstance(one, Mapping)}
        said: list[Told] = []
        with self.database.write() as c:
            c.execute(
                sa.update(runs)
                .where(runs.c.ident == ident)
                .values(status=result.status, detail=result.detail, output=result.output, ended_at=stamp(now))
            )
            group = rows(
                c.execute(sa.select(cases).where(cases.c.ident == ident, cases.c.state.in_(("ready", "running"))))
            )
            for row in group:
                found = ended.get(row["person"])
                state, outcome, detail, wait = self._judge(row, found, result, len(group))
                if result.status == "canceled" and state != "done":
                    state, outcome, detail = self._stopped(c, row["id"], result)
                steps = list((found or {}).get("open") or ())
                c.execute(
                    sa.update(cases)
                    .where(cases.c.id == row["id"])
                    .values(
                        state=state,
                        outcome=outcome,
                        detail=detail,
                        ident="",
                        ended_at=stamp(now),
                        changed_at=stamp(now),
                        next_at=stamp(now + wait),
                        open_steps=json.dumps(steps),
                        **({"ledger_case": found["case"], "record": found.get("record", "")} if found else {}),
                    )
                )
                self._line(
                    c,
                    row["id"],
                    now,
                    {"waiting": "retry"}.get(state, state),
                    detail + (f"; again in {_span(wait)}" if state == "waiting" else ""),
                )
                if state in ("stuck", "held"):
                    said.append(
                        Told(
                            f"{row['kind']} of {row['source']} {row['person']} is {state}",
                            detail,
                            {**row, "state": state},
                            steps,
                        )
                    )
        return said

    def _judge(
        self, row: Mapping[str, Any], found: Mapping[str, Any] | None, result: Result, together: int
    ) -> tuple[str, str, str, timedelta]:
        """State, outcome, a line, and how long until the next try."""
        if found is not None and found["complete"]:
            return "done", "complete", "seen to be complete", timedelta(0)
        if (
            found is not None
            and row["stage"]
            and not any(step["outcome"] in ("failed", "unknown") for step in found.get("open") or ())
        ):
            return "done", "prepared", "made ready for the day", timedelta(0)
        if set(result.codes) & set(_HOLDS):
            return "held", "held", result.detail, timedelta(0)
        if found is None and together > 1 and result.status == "failed" and not result.temporary:
            return (
                "waiting",
                "alone",
                f"one of {together} stopped their run before anything was done; tried alone",
                timedelta(0),
            )
        steps = list(found.get("open") or ()) if found is not None else []
        moving = [step for step in steps if step["outcome"] in _MOVING]
        again = result.temporary or result.status in ("unknown", "timeout") or bool(moving)
        if found is not None and not moving:
            again = False
        if again and row["tries"] <= self.config.retry.times:
            line = (
                f"{len(steps)} steps open: {', '.join(sorted({step['system'] for step in steps}))}"
                if steps
                else result.detail or result.status
            )
            return "waiting", "retry", line, self.backoff(row["tries"])
        line = (
            f"a person has to act on {', '.join(sorted({step['system'] for step in steps}))}"
            if steps
            else result.detail or f"the run ended {result.status}"
        )
        return "stuck", "open" if steps else result.status, line, timedelta(0)

    def _stopped(self, c: sa.Connection, case: str, result: Result) -> tuple[str, str, str]:
        """A run that was stopped: whose case was cancelled is through; who only was in the same run goes on."""
        found = c.execute(
            sa.select(timeline.c.what, sa.func.max(timeline.c.n))
            .where(timeline.c.case_id == case, timeline.c.what.in_(("started", "stopping")))
            .group_by(timeline.c.what)
        )
        lines = {what: n for what, n in found}  # noqa: C416 - rows, not pairs
        if lines.get("stopping", 0) > lines.get("started", 0):
            return "cancelled", "by_hand", result.detail or "stopped by hand; what was done stays done"
        return "waiting", "alone", "their run was stopped for somebody else; tried again"

    def backoff(self, attempt: int) -> timedelta:
        """Doubled each time, half of it at random: those that failed together do not come back together."""
        longest = min(self.config.retry.first * 2 ** (attempt - 1), self.config.retry.longest)
        return timedelta(seconds=longest / 2 + random.random() * longest / 2)

    # -- lines -------------------------------------------------------------------------------------------------------

    def line(self, case: str, now: datetime, what: str, detail: str = "", by: str = "") -> None:
        with self.database.write() as c:
            self._line(c, case, now, what, detail, by)

    def _line(self, c: sa.Connection, case: str, now: datetime, what: str, detail: str = "", by: str = "") -> None:
        c.execute(sa.insert(timeline).values(case_id=case, at=stamp(now), what=what, by=by, detail=detail))

    def _exclusive(self, c: sa.Connection) -> None:
        """Two bridges on one PostgreSQL hand out cases one after the other; SQLite's BEGIN IMMEDIATE does it already."""
        if not self.database.sqlite:
            c.execute(sa.text("SELECT pg_advisory_xact_lock(7018141342)"))


def _priority(row: Mapping[str, Any]) -> int:
    return URGENT if row["urgent"] else PRIORITY.get(row["kind"], 9)


def _rest(row: Mapping[str, Any]) -> str:
    """Extra variables besides what is each person's own: only those with the same go together."""
    return json.dumps(
        {key: value for key, value in json.loads(row["extra_vars"]).items() if key not in ("user", "hr_recorded_at")},
        sort_keys=True,
    )


def _recorded(given: str, at: str) -> str:
    """A case's extra variables, with when HR recorded what they are about now."""
    return json.dumps({**json.loads(given), "hr_recorded_at": at}) if at else given


def _short(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:8]


def _case_id(kind: str, source: str, person: str, batch: str, stage: str, due: str) -> str:
    """A name for a case that a person can read; of a long one the end is its digest, since its column ends somewhere."""
    name = f"{kind}-{source}-{person}"
    if len(name) <= _LONGEST_NAME:
        return f"{name}-{_short(batch, kind, stage, due)}"
    return f"{name[:_LONGEST_NAME]}-{_short(source, person, batch, kind, stage, due)}"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return (
        f"{seconds} s"
        if seconds < 120
        else f"{seconds // 60} min"
        if seconds < 7200
        else f"{seconds // 3600} h"
        if seconds < 172800
        else f"{seconds // 86400} days"
    )
