# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the vendors' time limits: what a case took, and until when it can still be restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...module_utils.company.policy import like
from ...module_utils.connectors.registry import CONNECTORS
from ...module_utils.model import clock
from ...module_utils.model.states import GONE
from ..ledger.entry import Entry

_HAPPENED = ("done", "acknowledged")


def countdowns(
    entries: Iterable[Entry], connectors: Mapping[str, str], at: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the vendors' time limits that a case has started, the soonest end first.

    :param entries: the case's ledger entries.
    :param connectors: system -> connector.
    :returns: ``{"system", "what", "began", "until", "days_left", "until_then", "source", "text"}`` each; ``days_left`` is 0 when it is over.
    """
    now = at or clock.now()
    taken: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], Any] = {}
    for entry in entries:
        for row in entry.data.get("changes") or () if entry.kind == "outcome" else ():
            if row.get("outcome") in (*_HAPPENED, "already"):
                last[entry.system, row["what"]] = row.get("after")
            if row.get("outcome") in _HAPPENED and row.get("after") in GONE and row.get("before") != row.get("after"):
                taken.setdefault((entry.system, row["what"]), row.get("at") or entry.at)
    shown = {(what, str(after)) for (_system, what), after in last.items()}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (system, what), began in sorted(taken.items(), key=lambda pair: pair[1], reverse=True):
        connector = CONNECTORS.get(connectors.get(system, ""))
        for one in connector.CLOCKS if connector is not None else ():
            # When several licences carry the mailbox, the time limit starts with the last one that is taken.
            left_there = any(
                name == system and like(other, one.after) and after not in GONE for (name, other), after in last.items()
            )
            if like(what, one.after) and one.unless not in shown and not left_there and (system, one.what) not in found:
                until = clock.parse(began) + timedelta(days=one.days)
                left = max(0, -((now - until) // timedelta(days=1)))
                said = f"gone for good since {until:%Y-%m-%d}"
                if left:
                    said = f"restorable until {until:%Y-%m-%d}, {left} day{'s' if left != 1 else ''} left"
                found[system, one.what] = {
                    "system": system,
                    "what": one.what,
                    "began": began,
                    "until": clock.stamp(until),
                    "days_left": left,
                    "until_then": one.until_then,
                    "source": one.source,
                    "text": said,
                }
    return sorted(found.values(), key=lambda row: (row["until"], row["system"], row["what"]))
