# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Orders the runs that a person asks for: release the brake, attest a step, approve a plan. Policy says who may.

The variables are kept with the run, so that a bridge that takes it over orders the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.config import Config
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.kinds import OFFBOARD
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.ending import close_run
from lifecycle_bridge.store.ordering import order_run
from lifecycle_bridge.store.tables import cases, runs
from lifecycle_bridge.store.timelines import note

RELEASE, ATTEST, APPROVE = "release_brake", "attest", "approve"
#: Cases in these states go on when the errand has succeeded.
GOES_ON = {RELEASE: ("held",), APPROVE: ("held",), ATTEST: ("todo", "stuck", "waiting")}


def order_errand(
    c: sa.Connection, playbook: str, about: Sequence[str], extra_vars: Mapping[str, Any], now: datetime, mark: str = ""
) -> str:
    """Make the run and return its ident. The caller opens the transaction. The run belongs to no bridge until one takes it."""
    ident = f"{playbook}-{mark or 'errand'}-{stamp(now).replace(':', '').replace('.', '')}"
    return order_run(
        c,
        ident,
        kind="errand",
        playbook=f"workforce.lifecycle.{playbook}",
        now=now,
        about=about,
        extra_vars=extra_vars,
    )


def order_release(
    c: sa.Connection, held: Sequence[Mapping[str, Any]], by: str, why: str, now: datetime, account: str = ""
) -> list[str]:
    """Make a run for each limit of the brake that holds one of these cases; return their idents.

    :param account: the account of this machine, where nothing proves the name.
    """
    by_limit: dict[str, list[Mapping[str, Any]]] = {}
    for row in held:
        if limit := limit_of(row):
            by_limit.setdefault(limit, []).append(row)
            note(c, row["id"], now, "released", why, by, account)
    return [
        order_errand(
            c,
            RELEASE,
            [row["id"] for row in group],
            {
                "of": limit,
                "user": [json.loads(row["extra_vars"])["user"] for row in group],
                "by": by,
                "by_account": account or by,
                "note": why,
            },
            now,
            limit,
        )
        for limit, group in by_limit.items()
    ]


def limit_of(row: Mapping[str, Any]) -> str:
    """Return the limit that holds a case, as the collection named it when it stopped the run; empty when the brake does not."""
    kind, _, limit = str(row["outcome"]).partition(":")
    if kind == "brake" and limit:
        return limit
    # Held by a bridge or a controller that did not keep the limit's name.
    return ("leavers" if row["kind"] == OFFBOARD else "disables") if kind == "held" else ""


class Errands:
    """See the module."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database, self.config = database, config

    def begin(self, ident: str, owner: str, now: datetime) -> Order | None:
        """Mark the run as running, and return its order."""
        with self.database.write() as c:
            c.execute(sa.update(runs).where(runs.c.ident == ident, runs.c.status == "ready").values(status="running"))
            c.execute(sa.update(runs).where(runs.c.ident == ident).values(owner=owner))
            row = c.execute(sa.select(runs).where(runs.c.ident == ident)).mappings().one()
        return Order(
            ident,
            row["playbook"],
            {**self.config.extra_vars, **json.loads(row["extra_vars"])},
            timeout=self.config.run_timeout,
            idle_timeout=self.config.idle_timeout,
        )

    def settle(self, ident: str, result: Result, now: datetime) -> None:
        """Write how the run ended: its cases go on, or their time lines say why not."""
        with self.database.exclusive() as c:
            close_run(c, ident, result, now)
            row = c.execute(sa.select(runs.c.playbook, runs.c.cases).where(runs.c.ident == ident)).one()
            states = GOES_ON.get(row.playbook.rpartition(".")[2], ())
            for id in json.loads(row.cases):
                if result.status == "successful":
                    values = {"state": "waiting", "next_at": stamp(now), "tries": 0, "changed_at": stamp(now)}
                    c.execute(sa.update(cases).where(cases.c.id == id, cases.c.state.in_(states)).values(**values))
                else:
                    note(c, id, now, "refused", result.detail)
