# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the weekly digest for HR and IT, as plain text, and the list of people who get a letter about a late step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...module_utils.company.responsibility import Escalation, Levels
from ...module_utils.model.durations import seconds, words
from .numbers import Numbers
from .page import attention, owed, people
from .timing import OpenItem


@dataclass(frozen=True)
class Call:
    """A person who gets a letter about a late step."""

    to: str
    item: OpenItem
    after: str


def digest(figures: Numbers, company: str) -> str:
    """Return the digest: what happened and what waits, on one screen."""
    closed = figures.to_access_closed
    lines = [
        f"{company or 'Joiners, movers, leavers'}: {figures.first} to {figures.last}",
        "",
        f"{people(figures)}.",
        "; ".join(attention(figures)).capitalize() + "." if attention(figures) else "Nothing is late, open or out.",
        "",
    ]
    if closed.count:
        lines.append(
            f"Access closed: the middle leaver after {words(closed.median)}, nine of ten within {words(closed.p90)}."
        )
    if figures.share_in_time is not None:
        lines.append(f"Within their service level: {figures.in_time} of {figures.with_level} steps.")
    lines += _section(
        "Late", [f"{one.name}: {one.step} on {one.system}, {words(one.took)}: {one.why}" for one in figures.late[:10]]
    )
    rows = [
        f"{row.owner or 'nobody is named'}: {row.open} open, {row.late} late, the oldest {words(row.oldest)}"
        for row in owed(figures.open_items)
    ]
    lines += _section("Waits for", rows)
    lines += _section(
        "Hardware that is not back",
        [f"{serial} ({case}), {words(age)}" for serial, case, age in figures.devices_out[:10]],
    )
    return "\n".join(lines) + "\n"


def calls(items: Sequence[OpenItem], levels: Levels, escalate: Sequence[Escalation]) -> list[Call]:
    """Return, for each open step that is late, the people whom policy names for such a delay."""
    found = []
    for item in items:
        limit = levels.limit(item.system, item.phase, item.step, item.departure)
        for rule in escalate:
            after = seconds(rule.after)
            if limit is not None and after is not None and item.age > limit + after:
                found += [Call(to, item, rule.after) for to in rule.to]
    return found


def _section(title: str, rows: Sequence[str]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"{title}:"
        yield from (f"  {row}" for row in rows)
