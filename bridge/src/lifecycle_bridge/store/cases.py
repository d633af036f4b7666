# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Plans cases as the intake decides, binds them to runs when they are due, and settles them when their runs end. Every method is one transaction.

A case waits by a time in its row, not by a sleeping process. So a restart, a changed clock or a machine that was suspended loses nothing. A
case that became due meanwhile is run at once, and recorded as late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.config import Config
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.store import Database, due, ending, planning
from lifecycle_bridge.store.tables import CASES_SHOWN, cases, runs
from lifecycle_bridge.store.timelines import note

__all__ = ["CASES_SHOWN", "Cases"]


class Cases:
    """See the module."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database, self.config = database, config

    def apply(
        self,
        batch: str,
        decisions: Iterable[Mapping[str, Any]],
        now: datetime,
        recorded: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Make, move and drop cases, and raise alerts. A second call with the same batch changes nothing.

        :param recorded: by HR system and person, when HR recorded the change, where HR says so.
        """
        with self.database.exclusive() as c:
            for data in decisions:
                one = planning.Decision.of(data)
                planning.apply(c, self.config, batch, one, (recorded or {}).get((one.source, one.person), ""), now)

    def claim(self, now: datetime, most: int, owner: str) -> list[str]:
        """Bind due cases to new runs, at most so many. Leavers go first, and no person is in two runs.

        :returns: the idents of the runs.
        """
        if most <= 0:
            return []
        with self.database.exclusive() as c:
            return due.claim(c, self.config, now, most, owner)

    def begin(self, ident: str, owner: str, now: datetime) -> Order | None:
        """Mark a run as running, and return its order; None when nothing of it is left to do. A second call returns the same order."""
        with self.database.exclusive() as c:
            group = due.begin(c, ident, owner, now)
        return due.order(self.config, ident, group) if group else None

    def settle(self, ident: str, result: Result, now: datetime) -> None:
        """Write what a run's end means for its cases, and who gets a notice. A second call changes nothing."""
        with self.database.exclusive() as c:
            ending.settle(c, self.config, ident, result, now)

    def of_run(self, ident: str) -> tuple[str, ...]:
        """Return the cases that a run is for."""
        with self.database.read() as c:
            return tuple(c.execute(sa.select(cases.c.id).where(cases.c.ident == ident)).scalars())

    def stopped(self, ident: str) -> bool:
        """Return whether a person wants the run to end now."""
        with self.database.read() as c:
            return c.execute(sa.select(runs.c.status).where(runs.c.ident == ident)).scalar() == "stopping"

    def line(self, case: str, now: datetime, what: str, detail: str = "", by: str = "") -> None:
        """Write a line to the time line of a case."""
        with self.database.write() as c:
            note(c, case, now, what, detail, by)
