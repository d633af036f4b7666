# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes trends by week from the cases alone, as the metrics are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import sqlalchemy as sa

from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.tables import cases


@dataclass(frozen=True)
class Week:
    """The cases that ended in the week that begins on ``monday``. ``hours`` is the median from a case's minute to its proven end; None without any."""

    monday: datetime
    joiners: int
    leavers: int
    movers: int
    late: int
    hours: float | None

    @property
    def all(self) -> int:
        return self.joiners + self.leavers + self.movers


def weeks(database: Database, now: datetime, most: int) -> list[Week]:
    """Return the last weeks, the newest first."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    first = monday - timedelta(weeks=most - 1)
    with database.read() as c:
        wanted = sa.select(cases.c.kind, cases.c.stage, cases.c.due_at, cases.c.ended_at, cases.c.late_s)
        found = c.execute(wanted.where(cases.c.state == "done", cases.c.ended_at >= stamp(first))).all()
    weeks_: list[Week] = []
    for number in range(most):
        begins = monday - timedelta(weeks=number)
        mine = [
            row for row in found if not row.stage and stamp(begins) <= row.ended_at < stamp(begins + timedelta(weeks=1))
        ]
        took = [((moment(row.ended_at) or now) - (moment(row.due_at) or now)).total_seconds() / 3600 for row in mine]
        weeks_.append(
            Week(
                begins,
                sum(row.kind == "onboard" for row in mine),
                sum(row.kind in ("offboard", "withdraw") for row in mine),
                sum(row.kind in ("transfer", "rename") for row in mine),
                sum(row.late_s > 300 for row in mine),
                round(median(took), 1) if took else None,
            )
        )
    return weeks_
