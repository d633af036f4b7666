# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks that nobody has changed the ledger. It is short, so that an auditor can read it and write their own check."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .entry import EMPTIED, GENESIS, chained
from .rows import Query
from .store import Storage

_COLUMNS = ("n", "at", "kind", "case", "system", "step", "person", "ref")
_Key = tuple[str, str, str]
_Counted = tuple[str, int]


@dataclass(frozen=True)
class Verdict:
    """The result of a check. ``bad`` is the number of the first wrong entry; ``head`` is the last good one
    (``n:hash``); ``kind`` is the kind of fault: ``edited``, ``removed``, ``added``, ``cut``, ``older`` or ``counted``.
    ``emptied`` counts the entries that were archived or erased, as other entries say.
    """

    ok: bool
    entries: int
    head: str
    problem: str = ""
    bad: int | None = None
    open_intents: int = 0
    kind: str = ""
    emptied: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def verify(storage: Storage, expected_head: str = "") -> Verdict:
    """Check the chain; see :meth:`Ledger.verify`."""
    wanted_n, _unused, wanted_hash = expected_head.strip().rpartition(":")
    count, previous = 0, GENESIS
    open_intents: set[int] = set()
    gone = emptied(storage.query)
    emptied_met = 0
    met = not expected_head or expected_head.strip() == f"0:{GENESIS}"
    # Other runs may count meanwhile, so that the table is read before and after the chain.
    places: dict[_Key, _Counted] = {}
    early = _table(storage)
    # One statement sees one state of the database, also while other runs append.
    sql = (
        "SELECT l.n, l.at, l.kind, l.case_id, l.system, l.step, l.person, l.ref, l.body, l.hash, h.n, h.hash"
        " FROM ledger l LEFT JOIN ledger_head h ON h.one = 1 ORDER BY l.n"
    )
    stored: Sequence[Any] = (None, None)
    for row in storage.stream(sql):
        kind, problem = _problem(row, count + 1, previous, gone)
        if problem:
            return Verdict(False, count, f"{count}:{previous}", problem, count + 1, len(open_intents), kind)
        emptied_met += row[2] == EMPTIED
        count, previous, stored = count + 1, row[9], row[10:12]
        if row[2] == "intent":
            open_intents.add(count)
        elif row[2] == "outcome":
            open_intents.discard(row[7])
        elif row[2] in ("counted", "braked"):
            places.update(_places(row[8]))
        if previous == wanted_hash and (not wanted_n or wanted_n == str(count)):
            met = True
    head = f"{count}:{previous}"
    if not count:
        stored = next(iter(storage.query("SELECT n, hash FROM ledger_head")), (0, GENESIS))
    if tuple(stored) != (count, previous):
        return Verdict(
            False,
            count,
            head,
            f"the end was cut off: the stored head is entry {stored[0]}, the last entry is {count}",
            count + 1,
            len(open_intents),
            "cut",
        )
    if not met:
        return Verdict(
            False,
            count,
            head,
            f"the head {expected_head} that was given is not in this ledger: its end was cut off, or it was written again as a whole",
            min(int(wanted_n), count + 1) if wanted_n.isdigit() else None,
            len(open_intents),
            "older",
        )
    problem = _miscounted(places, early, _table(storage))
    kind = "counted" if problem else ""
    return Verdict(not problem, count, head, problem, None, len(open_intents), kind, emptied_met)


def emptied(query: Query) -> frozenset[int]:
    """Return the numbers of the entries that were archived or erased, as other entries say."""
    found: set[int] = set()
    for (body,) in query("SELECT body FROM ledger WHERE kind IN ('archived', 'erased')", ()):
        try:
            for first, last in json.loads(body)["data"]["entries"]:
                found.update(range(int(first), int(last) + 1))
        except (ValueError, KeyError, TypeError):
            continue  # the check of the chain reports this entry as changed
    return frozenset(found)


def _places(body: str) -> dict[_Key, _Counted]:
    """Return the brake's places in an entry: when each was taken, and whether it was released."""
    return {
        (p["of"], p["subject"], p["case"]): (p["at"], int(p["released"]))
        for p in json.loads(body)["data"].get("places", ())
    }


def _table(storage: Storage) -> dict[_Key, _Counted]:
    rows = storage.query("SELECT of_limit, subject, case_id, at, released FROM counted")
    return {(of, subject, case): (at, int(released)) for of, subject, case, at, released in rows}


def _miscounted(places: Mapping[_Key, _Counted], early: Mapping[_Key, _Counted], late: Mapping[_Key, _Counted]) -> str:
    """Return the first difference between the brake's table and the chain; empty when there is none.

    A row of the table is never removed, and changes only once, from refused to taken.
    """
    for key in sorted({*places, *early}):
        finding = f"the table that the brake counts by was changed ({key[0]}, {key[1]}, case {key[2]})"
        if key not in late:
            return f"{finding}: the row is gone"
        if key not in places:
            return f"{finding}: no entry says that it was counted"
        if places[key] not in (early.get(key), late[key]):
            return (
                f"{finding}: an entry says {places[key][0] or 'refused'}{' and released' if places[key][1] else ''}, the row {late[key][0] or 'refused'}"
                f"{' and released' if late[key][1] else ''}"
            )
    return ""


def _problem(row: Sequence[Any], n: int, previous: str, gone: Collection[int]) -> tuple[str, str]:
    """Return the kind of an entry's fault, and a message; both empty when it has none."""
    if row[0] != n:
        if row[0] > n:
            return "removed", f"entry {n} was removed"
        return "added", f"an entry {row[0]} was put in before entry {n}"
    if row[2] == EMPTIED and n in gone:
        # Its hash stays, and the next entry and the signatures confirm it; its content is in the archive, or erased.
        blank = row[3:8] == ("", "", "", "", None) and not row[8]
        return ("", "") if blank else ("edited", f"entry {n} was changed: it was emptied, and says something")
    try:
        body = json.loads(row[8])
        columns = [body[name] for name in _COLUMNS]
    except (ValueError, KeyError, TypeError):
        return "edited", f"entry {n} was changed: it cannot be read"
    if body["n"] != n:
        return "added", f"entry {n} was put in or moved: it says that it is entry {body['n']}"
    try:
        fits = chained(previous, row[8]) == row[9]
    except UnicodeEncodeError:
        fits = False
    if not fits:
        return "edited", f"entry {n} was changed, or put in: its hash does not follow from the entry before"
    if list(row[:8]) != columns:
        return "edited", f"entry {n} was changed: its columns differ from its content"
    return "", ""
