# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The chain of entries: each is appended once, chained to the one before, and signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...module_utils.model import clock
from . import lease
from .entry import COLUMNS, GENESIS, Entry, canonical, chained, entry_of
from .rows import Query, Row
from .seal import Seal
from .store import Storage


class Chain:
    """The entries in a storage. ``seal`` signs each, and compares the ledger with its witnesses before the first
    write."""

    def __init__(self, stored_in: Storage) -> None:
        self.storage = stored_in
        self.seal = Seal()
        self._renewed: dict[str, datetime] = {}

    def append(self, kind: str, case_id: str, *, durable: bool = False, **values: Any) -> int:
        """Append an entry in a transaction of its own, see :meth:`add`.

        :returns: its number.
        """
        with self.storage.writing(durable=durable) as query:
            return self.add(query, kind, case_id, **values)

    def add(
        self,
        query: Query,
        kind: str,
        case_id: str,
        *,
        data: Mapping[str, Any],
        system: str = "",
        step: str = "",
        person: str = "",
        run: str = "",
        phase: str = "",
        ref: int | None = None,
        at: str = "",
    ) -> int:
        """Append an entry inside a transaction of :attr:`storage`: chain it, sign it, and renew the run's locks.

        :returns: its number.
        """
        self.seal.look(query)
        rows = query("SELECT n, hash FROM ledger_head", ())
        last, previous = rows[0] if rows else (0, GENESIS)
        n, at = int(last) + 1, at or clock.stamp()
        body = canonical(
            {
                "n": n,
                "at": at,
                "kind": kind,
                "case": case_id,
                "system": system,
                "step": step,
                "person": person,
                "ref": ref,
                "run": run,
                "phase": phase,
                "data": data,
            }
        )
        link = chained(previous, body)
        query(
            "INSERT INTO ledger (n, at, kind, case_id, system, step, person, ref, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (n, at, kind, case_id, system, step, person, ref, body, link),
        )
        query(
            "UPDATE ledger_head SET n = ?, hash = ?"
            if rows
            else "INSERT INTO ledger_head (one, n, hash) VALUES (1, ?, ?)",
            (n, link),
        )
        self.seal.sign(query, n, link)
        if run:
            self.renew(query, run)
        return n

    def renew(self, query: Query, run: str) -> None:
        """Renew the locks of a run, unless that was done a moment ago."""
        now = clock.now()
        if run not in self._renewed or not timedelta(0) <= now - self._renewed[run] < lease.RENEWED_EVERY:
            self._renewed[run] = now
            lease.renew(query, run, clock.stamp(now))

    def of(self, where: str, values: Sequence[Any]) -> Iterator[Entry]:
        """Yield the entries that meet a condition (SQL), the oldest first."""
        for row in self.storage.stream(f"SELECT {COLUMNS} FROM ledger WHERE {where} ORDER BY n", values):
            yield entry_of(row)

    def added(self, kinds: Sequence[str], *, after: int) -> list[Row]:
        """Return the rows of these kinds after entry ``after``, oldest first."""
        # After an earlier look few entries are new: "|| ''" keeps the database from using the index of kinds, which
        # would be slower.
        kind = "kind || ''" if after else "kind"
        marks = ", ".join("?" * len(kinds))
        return self.storage.query(
            f"SELECT {COLUMNS} FROM ledger WHERE n > ? AND {kind} IN ({marks}) ORDER BY n", (after, *kinds)
        )

    def head(self) -> str:
        """Return ``n:hash`` of the last entry; ``0:000...`` for an empty ledger."""
        rows = self.storage.query("SELECT n, hash FROM ledger_head", ())
        return f"{rows[0][0]}:{rows[0][1]}" if rows else f"0:{GENESIS}"

    def believes(self, entry: Entry) -> bool:
        """Return whether the company signed an entry: see :meth:`Seal.believes`."""
        return self.seal.believes(self.storage.query, entry.n, entry.head, entry.at)

    def holds(self, entry: Entry) -> bool:
        """Return whether an entry belongs to the chain: its hash follows from the entry before, and the next hash (or
        the head) from it.

        A row that somebody inserted into the table does not belong to it. :meth:`verify` checks the whole chain.
        """
        rows = self.storage.query(
            "SELECT n, body, hash FROM ledger WHERE n BETWEEN ? AND ? ORDER BY n", (entry.n - 1, entry.n + 1)
        )
        links = {int(n): (str(body), str(link)) for n, body, link in rows}
        body, link = links.get(entry.n, ("", ""))
        before = links[entry.n - 1][1] if entry.n - 1 in links else GENESIS
        if link != entry.hash or link != chained(before, body):
            return False
        if entry.n + 1 in links:
            following, next_link = links[entry.n + 1]
            # An emptied entry keeps its hash, but not the content from which it was computed.
            return not following or next_link == chained(link, following)
        return self.head() == f"{entry.n}:{link}"
