# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cases as their entries describe them, and which of them a new event belongs to."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...module_utils.model.case import Case, Facts
from ...module_utils.model.kinds import kind_of
from ...module_utils.model.person import Person
from .chain import Chain
from .entry import COLUMNS, entry_of
from .rows import Query

#: The kinds of entries that are about cases.
_TOLD_BY = ("case", "closed", "withdrawn")


def read(query: Query, where: str = "", values: Sequence[Any] = ()) -> list[Case]:
    """Return cases in the order in which they were opened, each as it stands."""
    cases: dict[str, Case] = {}
    _add(cases, query(f"SELECT {COLUMNS} FROM ledger WHERE kind IN {_TOLD_BY} {where} ORDER BY n", values))
    return list(cases.values())


def _add(cases: dict[str, Case], rows: Iterable[Sequence[Any]]) -> None:
    """Add what entries say to the cases that are known."""
    for entry in map(entry_of, rows):
        known = cases.get(entry.case)
        if entry.kind == "case":
            person, facts = entry.data["person"], Facts.of_dict(entry.data["facts"])
            cases[entry.case] = Case(entry.case, entry.data["kind"], entry.person, person, entry.at, facts=facts)
        elif known is not None and entry.kind == "withdrawn":
            cases[entry.case] = replace(known, withdrawn=entry.at)
        elif known is not None:
            complete, summary = bool(entry.data["complete"]), entry.data["summary"]
            cases[entry.case] = replace(known, closed=entry.at if complete else "", complete=complete, summary=summary)


class AllCases:
    """Every case of a ledger. A run about a thousand people asks at nearly every step: only what is new since the last time is read."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._cases: dict[str, Case] = {}
        self._read_to = 0
        self._reading = threading.Lock()

    def now(self) -> list[Case]:
        """Return the cases in the order in which they were opened, each as it stands."""
        if self.chain.storage.in_transaction:  # what is read here may be taken back
            return read(self.chain.storage.query)
        with self._reading:
            head = int(self.chain.head().partition(":")[0])
            if head != self._read_to:
                _add(self._cases, self.chain.added(_TOLD_BY, after=self._read_to))
                self._read_to = head
            return list(self._cases.values())

    def forget(self) -> None:
        """Read every case again the next time: entries were emptied."""
        with self._reading:
            self._cases, self._read_to = {}, 0


def same(query: Query, kind: str, who: Person, facts: Mapping[str, Any]) -> Case | None:
    """Return the person's case of this kind that is gone on with, or was closed for the same ``facts["key"]``."""
    known = read(query, "AND person = ?", (who.key,))
    # Who moves elsewhere, or back, has moved again: only the last move is gone on with.
    for case in [case for case in reversed(known) if case.kind == kind and not case.withdrawn][
        : 1 if kind_of(kind).newest_only else None
    ]:
        goes_on, key = not case.closed and kind_of(kind).goes_on, str(facts.get("key") or "")
        # A leaver's case that only waits for a laptop is not gone on with when they have come back and leave again.
        if case.waits_for_hardware and any(one.meaning.returns and one.opened > case.opened for one in known):
            goes_on = False
        if goes_on or case.facts.key == key and (key or case == known[-1]):
            return case
    return None


def new_id(kind: str, who: Person, at: str) -> str:
    """Return a name for a case from which a reader sees what it is about, and is nobody else's."""
    slug = re.sub(r"[^a-z0-9]+", "-", who.local_part.lower()).strip("-")[:40] or "person"
    return f"{kind}-{slug}-{at[:10].replace('-', '')}-{secrets.token_hex(3)}"
