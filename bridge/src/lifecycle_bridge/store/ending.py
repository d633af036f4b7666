# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the end of a run to its cases. The caller opens the transaction."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from lifecycle_bridge.config import Config, Retry
from lifecycle_bridge.execute import Result
from lifecycle_bridge.kinds import OFFBOARD, ONBOARD, TRANSFER, WITHDRAW
from lifecycle_bridge.store import moment, rows, stamp
from lifecycle_bridge.store.alerts import end_alerts
from lifecycle_bridge.store.cancelling import two_cancel
from lifecycle_bridge.store.outbox import put
from lifecycle_bridge.store.planning import ENDING, cancelled_key
from lifecycle_bridge.store.tables import SLEEPING, STOPPED, cases, runs, timeline
from lifecycle_bridge.store.timelines import note, span
from lifecycle_bridge.store.verdicts import Case, Step, Verdict, judge, reminder_is_due

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ended:
    """What the record says of one person's case, as the run passes it on by ``set_stats``."""

    ledger_case: str
    complete: bool
    record: str
    steps: tuple[Step, ...]
    hardware_out: int = 0
    access: str = ""

    @property
    def out(self) -> str:
        """Return in words how many company devices are not back; empty when all are."""
        count = self.hardware_out
        return f"{count} company device{'s are' if count > 1 else ' is'} not back" if count else ""

    @property
    def verdicts(self) -> dict[str, object]:
        """Return the two verdicts as a case's row has them: whether access is closed, and whether the case is complete."""
        whole = self.complete and not self.hardware_out
        return {"access": self.access, "complete": whole, "hardware_out": self.hardware_out}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Ended:
        steps = tuple(Step.of(step) for step in data.get("open") or () if isinstance(step, Mapping))
        return cls(
            str(data["case"])[:100],
            bool(data["complete"]),
            str(data.get("record") or ""),
            steps,
            _count(data.get("hardware_out")),
            access if (access := data.get("access")) in ("closed", "open") else "",
        )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def settle(c: sa.Connection, config: Config, ident: str, result: Result, now: datetime) -> None:
    """Write what a run's end means for its cases, and who gets a notice. A second call changes nothing."""
    close_run(c, ident, result, now)
    group = rows(c.execute(sa.select(cases).where(cases.c.ident == ident, cases.c.state.in_(("ready", "running")))))
    by_person = {str(one["key"]): Ended.of(one) for one in result.stats.get("cases") or () if isinstance(one, Mapping)}
    for row in group:
        ended = by_person.get(row["person"])
        verdict = _verdict(c, config, row, ended, result, len(group))
        _write(c, config, row, ended, verdict, now)


def close_run(c: sa.Connection, ident: str, result: Result, now: datetime, status: str = "") -> None:
    """Mark a run as over."""
    values = {
        "status": status or result.status,
        "detail": result.detail,
        "output": result.output,
        "ended_at": stamp(now),
    }
    c.execute(sa.update(runs).where(runs.c.ident == ident).values(**values))


def backoff(retry: Retry, attempt: int) -> timedelta:
    """Return the pause before the next try: doubled each time, half of it at random, so that runs that failed together are not tried together."""
    longest = min(retry.first * 2 ** min(attempt - 1, 32), retry.longest)
    return timedelta(seconds=longest / 2 + random.random() * longest / 2)


def _verdict(c: sa.Connection, config: Config, row: Row, ended: Ended | None, result: Result, together: int) -> Verdict:
    case = Case(row["kind"], row["stage"], row["tries"], row["looks"])
    verdict = judge(
        case,
        ended.steps if ended else None,
        bool(ended and ended.complete),
        result,
        together=together,
        times=config.retry.times,
    )
    if result.status == "canceled" and verdict.state != "done":
        return _stopped(c, row, result)
    if verdict.outcome == "retry":
        return replace(verdict, wait=backoff(config.retry, row["tries"]))
    if ended and ended.hardware_out and verdict.outcome == "complete":
        return replace(
            verdict, detail=f"access is closed; {ended.out}, and the case is complete when somebody says who has it"
        )
    if row["stage"] == "prepare" and verdict.outcome == "complete":
        return replace(verdict, outcome="prepared", detail="made ready for the day")
    return verdict


def _stopped(c: sa.Connection, row: Row, result: Result) -> Verdict:
    """Settle a case whose run was stopped. It is over if enough people cancelled it; the other cases of the run go on."""
    case = row["id"]
    found = c.execute(
        sa.select(timeline.c.what, sa.func.max(timeline.c.n).label("n"))
        .where(timeline.c.case_id == case, timeline.c.what.in_(("started", "stopping")))
        .group_by(timeline.c.what)
    )
    lines = {row.what: row.n for row in found}
    if lines.get("stopping", 0) > lines.get("started", 0):
        if row["kind"] in ENDING and not two_cancel(c, case):
            how = result.detail or "stopped by hand"
            return Verdict("stuck", "by_hand", f"{how}: run it again, or somebody else cancels it too")
        return Verdict("cancelled", "by_hand", result.detail or "stopped by hand; what was done stays done")
    return Verdict("waiting", "alone", "their run was stopped for somebody else; tried again")


def _write(c: sa.Connection, config: Config, row: Row, ended: Ended | None, verdict: Verdict, now: datetime) -> None:
    """Write the case as it is now, and the notices that follow from it."""
    steps = ended.steps if ended else ()
    sleeps = verdict.state in ("waiting", "todo") and verdict.outcome != "retry"
    since = (row["waits_since"] or stamp(now)) if verdict.state == "todo" else ""
    reminded = row["reminded"] if verdict.state == "todo" else 0
    reminds = verdict.state == "todo" and not verdict.notify and _reminder(row, since, reminded, now)
    values: dict[str, Any] = {
        "state": verdict.state,
        "outcome": verdict.outcome,
        "detail": verdict.detail,
        "ident": "",
        "ended_at": stamp(now),
        "changed_at": stamp(now),
        "next_at": stamp(now + verdict.wait),
        "open_steps": json.dumps([asdict(step) for step in steps]),
        "waits_since": since,
        "looks": row["looks"] + 1 if sleeps else 0,
        "reminded": reminded + 1 if reminds else reminded,
    }
    if sleeps:
        values["tries"] = 0  # waiting is no failure, so a later failure is tried as often as any
    if ended is not None:
        values |= {"ledger_case": ended.ledger_case, "record": ended.record, **ended.verdicts}
    c.execute(sa.update(cases).where(cases.c.id == row["id"]).values(**values))
    again = f"; again in {span(verdict.wait)}" if verdict.outcome == "retry" else ""
    if not sleeps or verdict.detail != row["detail"] or verdict.state != row["state"]:
        what = "retry" if verdict.state == "waiting" else verdict.state
        note(c, row["id"], now, what, verdict.detail + again)
    if row["kind"] in (OFFBOARD, WITHDRAW) and (
        verdict.state == "done" or ended is not None and ended.access == "closed"
    ):
        _drop_moves(c, config, row, now)
    if verdict.state == "done":
        end_alerts(c, [cancelled_key(row["id"])], now)  # the alert that one person wanted it cancelled
    if ended is not None and ended.access == "closed" and row["access"] != "closed":
        put(c, config, row, "cut", now, mark=row["ident"])
    if news := _news(row, verdict, reminds):
        mark = "" if verdict.state == "done" else row["ident"]
        put(c, config, row, news, now, mark=mark, detail=verdict.detail, steps=steps)


def _drop_moves(c: sa.Connection, config: Config, row: Row, now: datetime) -> None:
    """Cancel the move of a person who has left: its next run would give them access again."""
    theirs = (cases.c.source == row["source"], cases.c.person == row["person"], cases.c.kind == TRANSFER)
    waits = (cases.c.state.in_((*SLEEPING, *STOPPED)), cases.c.created_at <= row["due_at"])
    for one in rows(c.execute(sa.select(cases).where(*theirs, *waits))):
        values = {"state": "cancelled", "outcome": "left", "ended_at": stamp(now), "changed_at": stamp(now)}
        c.execute(sa.update(cases).where(cases.c.id == one["id"]).values(**values, detail="they have left"))
        note(c, one["id"], now, "cancelled", f"they have left ({row['id']})")
        put(c, config, one, "cancelled", now)


def _news(row: Row, verdict: Verdict, reminds: bool) -> str:
    """Return the news for a notice about this end; empty when nobody gets one."""
    if verdict.state == "done":
        return "prepared" if row["stage"] == "prepare" else "ready" if row["kind"] == ONBOARD else "done"
    if reminds:
        return "reminder"
    return (verdict.outcome if verdict.outcome == "not_ready" else verdict.state) if verdict.notify else ""


def _reminder(row: Row, since: str, reminded: int, now: datetime) -> bool:
    try:
        zone = ZoneInfo(row["zone"]) if row["zone"] else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = UTC
    began = moment(since) or now
    return reminder_is_due(began.astimezone(zone), reminded, now.astimezone(zone))
