# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads cases from their entries, and finds the case to which a new event belongs."""

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
    """Return cases in their present state, in the order in which they were opened."""
    cases: dict[str, Case] = {}
    _add(cases, query(f"SELECT {COLUMNS} FROM ledger WHERE kind IN {_TOLD_BY} {where} ORDER BY n", values))
    return list(cases.values())


def _add(cases: dict[str, Case], rows: Iterable[Sequence[Any]]) -> None:
    """Apply entries to the cases that were read before."""
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
    """All cases of a ledger, kept in memory: nearly every step of a run needs them, so that only new entries are
    read."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._cases: dict[str, Case] = {}
        self._read_to = 0
        self._reading = threading.Lock()

    def now(self) -> list[Case]:
        """Return the cases in the order in which they were opened, each as it stands."""
        if self.chain.storage.in_transaction:  # these entries may be rolled back, so that they are not kept
            return read(self.chain.storage.query)
        with self._reading:
            head = int(self.chain.head().partition(":")[0])
            if head != self._read_to:
                _add(self._cases, self.chain.added(_TOLD_BY, after=self._read_to))
                self._read_to = head
            return list(self._cases.values())

    def forget(self) -> None:
        """Read every case again the next time, because entries were emptied."""
        with self._reading:
            self._cases, self._read_to = {}, 0


def same(query: Query, kind: str, who: Person, facts: Mapping[str, Any]) -> Case | None:
    """Return the person's case of this kind that a run continues: an open one, or one that was closed for the same
    ``facts["key"]``."""
    known = read(query, "AND person = ?", (who.key,))
    # A person who moves elsewhere, or back, has a new move: only the newest one may be continued.
    for case in [case for case in reversed(known) if case.kind == kind and not case.withdrawn][
        : 1 if kind_of(kind).newest_only else None
    ]:
        goes_on, key = not case.closed and kind_of(kind).goes_on, str(facts.get("key") or "")
        # A leaver's case that only waits for a laptop is not continued when they came back and leave again.
        if case.waits_for_hardware and any(one.meaning.returns and one.opened > case.opened for one in known):
            goes_on = False
        if goes_on or case.facts.key == key and (key or case == known[-1]):
            return case
    return None


def new_id(kind: str, who: Person, at: str) -> str:
    """Return an id for a new case: readable (kind, address and day), and unique by random digits."""
    slug = re.sub(r"[^a-z0-9]+", "-", who.local_part.lower()).strip("-")[:40] or "person"
    return f"{kind}-{slug}-{at[:10].replace('-', '')}-{secrets.token_hex(3)}"
