# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a human does to a case, from the console or the shell. Each act says who did it, in the case's time line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge import clock
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.alerts import Alerts
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.tables import cases, runs, timeline

#: How the idents of releases begin.
RELEASE = "release-"


class CaseActs:
    """Retry, cancel, run now, release, settle.

    :param wake: called when something became due.
    """

    def __init__(self, store: Cases, wake: Callable[[], None] = lambda: None) -> None:
        self.store, self._wake = store, wake

    def retry(self, case: str, by: str) -> None:
        """Run it again now; its tries are counted anew.

        :raises BridgeError: there is no such case, or it is not one that waits or stopped.
        """
        self._now(case, by, ("waiting", "stuck", "held"), "retried")

    def run_now(self, case: str, by: str) -> None:
        """Do not wait for its minute. HR's word still holds: the run itself refuses what HR does not say.

        :raises BridgeError: there is no such case, or it does not wait.
        """
        self._now(case, by, ("upcoming", "waiting"), "hurried")

    def cancel(self, case: str, by: str, why: str) -> None:
        """Drop it; a run that goes on is stopped, with all its processes, and says how far it got.

        :raises BridgeError: there is no such case, it is over, or no reason is given.
        """
        if not why.strip():
            raise BridgeError(f"cancel {case}: no reason is given")
        now = clock.now()
        with self.store.database.write() as c:
            row = self._case(c, case)
            if row["state"] in ("done", "cancelled"):
                raise BridgeError(f"cancel {case}: it is {row['state']} already")
            if row["state"] == "running":
                c.execute(
                    sa.update(runs)
                    .where(runs.c.ident == row["ident"], runs.c.status.in_(("ready", "running")))
                    .values(status="stopping")
                )
                self.store._line(c, case, now, "stopping", why, by)
                return
            c.execute(
                sa.update(cases)
                .where(cases.c.id == case)
                .values(
                    state="cancelled",
                    outcome="by_hand",
                    detail=why,
                    ident="",
                    ended_at=stamp(now),
                    changed_at=stamp(now),
                )
            )
            self.store._line(c, case, now, "cancelled", why, by)

    def release(self, cases: Sequence[str], by: str, why: str) -> None:
        """See :meth:`order_release`."""
        self.order_release(cases, by, why)

    def order_release(self, ids: Sequence[str], by: str, why: str) -> str:
        """Ask the collection to release the brake for these people, by name; policy says who may. Their cases go on when it has.

        :returns: the run that does it.
        :raises BridgeError: none of them is held, or no reason is given.
        """
        if not why.strip():
            raise BridgeError("release the brake: no reason is given")
        now = clock.now()
        with self.store.database.write() as c:
            held = [row for row in (self._case(c, case) for case in ids) if row["state"] == "held"]
            if not held:
                raise BridgeError("release the brake: none of these cases is held")
            for row in held:
                self.store._line(c, row["id"], now, "released", why, by)
            ident = f"{RELEASE}{stamp(now).replace(':', '').replace('.', '')}"
            # Of no bridge yet: the next one that looks takes it.
            c.execute(
                sa.insert(runs).values(
                    ident=ident,
                    playbook="workforce.lifecycle.release_brake",
                    cases=json.dumps([row["id"] for row in held]),
                    status="ready",
                    owner="",
                    started_at=stamp(now),
                )
            )
        self._wake()
        return ident

    def release_order(self, ident: str) -> Order:
        """What a release asks of the collection."""
        with self.store.database.read() as c:
            ids = json.loads(c.execute(sa.select(runs.c.cases).where(runs.c.ident == ident)).scalar_one())
            held = c.execute(sa.select(cases).where(cases.c.id.in_(ids))).mappings().all()
            said = (
                c.execute(
                    sa.select(timeline)
                    .where(timeline.c.case_id == ids[0], timeline.c.what == "released")
                    .order_by(timeline.c.n.desc())
                )
                .mappings()
                .first()
            )
        assert said is not None, "a release is noted in the transaction that makes its run"
        return Order(
            ident,
            "workforce.lifecycle.release_brake",
            {
                **self.store.config.extra_vars,
                "of": "leavers" if held[0]["kind"] == "offboard" else "disables",
                "user": [json.loads(row["extra_vars"])["user"] for row in held],
                "by": said["by"],
                "note": said["detail"],
            },
            timeout=self.store.config.run_timeout,
            idle_timeout=self.store.config.idle_timeout,
        )

    def released(self, ident: str, result: Result, now: datetime) -> None:
        """How a release ended: what was held goes on, or says why not."""
        with self.store.database.write() as c:
            c.execute(
                sa.update(runs)
                .where(runs.c.ident == ident)
                .values(status=result.status, detail=result.detail, output=result.output, ended_at=stamp(now))
            )
            for id in json.loads(c.execute(sa.select(runs.c.cases).where(runs.c.ident == ident)).scalar_one()):
                if result.status == "successful":
                    c.execute(
                        sa.update(cases)
                        .where(cases.c.id == id, cases.c.state == "held")
                        .values(state="waiting", next_at=stamp(now), changed_at=stamp(now))
                    )
                else:
                    self.store._line(c, id, now, "refused", result.detail)
        self._wake()

    def settle(self, key: str, by: str) -> None:
        """Somebody has looked at it.

        :raises BridgeError: there is no such alert.
        """
        Alerts(self.store.database).settle(key, by, clock.now())

    def _now(self, case: str, by: str, states: Sequence[str], what: str) -> None:
        now = clock.now()
        with self.store.database.write() as c:
            row = self._case(c, case)
            if row["state"] not in states:
                raise BridgeError(f"{case} is {row['state']}: only what is {' or '.join(states)} can be run")
            c.execute(
                sa.update(cases)
                .where(cases.c.id == case)
                .values(state="waiting", next_at=stamp(now), tries=0, changed_at=stamp(now))
            )
            self.store._line(c, case, now, what, "", by)
        self._wake()

    def _case(self, c: sa.Connection, case: str) -> Any:
        row = c.execute(sa.select(cases).where(cases.c.id == case)).mappings().first()
        if row is None:
            raise BridgeError(f"there is no case {case}: list them with lifecycle-bridge cases")
        return row
