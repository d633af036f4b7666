# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cases as their entries tell them, and which of them a new event belongs to."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...module_utils.model.case import Case, Facts
from ...module_utils.model.kinds import kind_of
from ...module_utils.model.person import Person
from .entry import COLUMNS, entry_of
from .rows import Query


def read(query: Query, where: str = "", values: Sequence[Any] = ()) -> list[Case]:
    """Cases in the order in which they were opened, each as it stands."""
    cases: dict[str, Case] = {}
    for row in query(
        f"SELECT {COLUMNS} FROM ledger WHERE kind IN ('case', 'closed', 'withdrawn') {where} ORDER BY n", values
    ):
        entry = entry_of(row)
        if entry.kind == "case":
            cases[entry.case] = Case(
                entry.case,
                entry.data["kind"],
                entry.person,
                entry.data["person"],
                entry.at,
                facts=Facts.of_dict(entry.data["facts"]),
            )
        elif entry.kind == "withdrawn" and entry.case in cases:
            cases[entry.case] = replace(cases[entry.case], withdrawn=entry.at)
        elif entry.case in cases:
            complete, summary = bool(entry.data["complete"]), entry.data["summary"]
            cases[entry.case] = replace(
                cases[entry.case], closed=entry.at if complete else "", complete=complete, summary=summary
            )
    return list(cases.values())


def same(query: Query, kind: str, who: Person, facts: Mapping[str, Any]) -> Case | None:
    """The person's case of this kind that is gone on with, or was closed for the same ``facts["key"]``."""
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
    """A name for a case that tells a person what it is about, and is nobody else's."""
    slug = re.sub(r"[^a-z0-9]+", "-", who.local_part.lower()).strip("-")[:40] or "person"
    return f"{kind}-{slug}-{at[:10].replace('-', '')}-{secrets.token_hex(3)}"
