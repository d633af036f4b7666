# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Whether the ledger is as it was written. Short, so that an auditor can read it and write their own."""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import GENESIS, Verdict, chained
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger_store import Storage

_COLUMNS = ("n", "at", "kind", "case", "system", "step", "person", "ref")


def verify(storage: Storage, expected_head: str = "") -> Verdict:
    """Walk the chain; see :meth:`Ledger.verify`."""
    wanted_n, _unused, wanted_hash = expected_head.strip().rpartition(":")
    count, previous = 0, GENESIS
    open_intents: set[int] = set()
    met = not expected_head or expected_head.strip() == f"0:{GENESIS}"
    # One statement sees one state, also while others append.
    sql = ("SELECT l.n, l.at, l.kind, l.case_id, l.system, l.step, l.person, l.ref, l.body, l.hash, h.n, h.hash"
           " FROM ledger l LEFT JOIN ledger_head h ON h.one = 1 ORDER BY l.n")
    stored: Sequence[Any] = (None, None)
    for row in storage.stream(sql):
        problem = _problem(row, count + 1, previous)
        if problem:
            return Verdict(False, count, f"{count}:{previous}", problem, count + 1, len(open_intents))
        count, previous, stored = count + 1, row[9], row[10:12]
        if row[2] == "intent":
            open_intents.add(count)
        elif row[2] == "outcome":
            open_intents.discard(row[7])
        if previous == wanted_hash and (not wanted_n or wanted_n == str(count)):
            met = True
    head = f"{count}:{previous}"
    if not count:
        stored = next(iter(storage.query("SELECT n, hash FROM ledger_head")), (0, GENESIS))
    if tuple(stored) != (count, previous):
        return Verdict(
            False, count, head, f"the end was cut off: the stored head is entry {stored[0]}, the last entry is {count}", count + 1, len(open_intents)
        )
    if not met:
        return Verdict(False, count, head, f"the head {expected_head} that was given is not in this ledger: its end was cut off, or it was written anew",
                       min(int(wanted_n), count + 1) if wanted_n.isdigit() else None, len(open_intents))
    return Verdict(True, count, head, open_intents=len(open_intents))


def _problem(row: Sequence[Any], n: int, previous: str) -> str:
    if row[0] != n:
        return f"entry {n} was removed" if row[0] > n else f"an entry {row[0]} was put in before entry {n}"
    try:
        body = json.loads(row[8])
        columns = [body[name] for name in _COLUMNS]
    except (ValueError, KeyError, TypeError):
        return f"entry {n} was changed: it cannot be read"
    if body["n"] != n:
        return f"entry {n} was put in or moved: it says that it is entry {body['n']}"
    try:
        fits = chained(previous, row[8]) == row[9]
    except UnicodeEncodeError:
        fits = False
    if not fits:
        return f"entry {n} was changed, or put in: its hash does not follow from the entry before"
    if list(row[:8]) != columns:
        return f"entry {n} was changed: its columns differ from its content"
    return ""
