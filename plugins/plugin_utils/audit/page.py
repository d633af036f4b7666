# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the pages of the audit and of the numbers. They load nothing, and every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.durations import words
from ..record.html import environment, sentence
from .controls import CONTROLS
from .numbers import Numbers
from .plots import distribution, trend
from .population import LEFT, MISSING, STANDINGS
from .report import EXCEPTIONS, Audit, Problem
from .template import AUDIT, NUMBERS
from .timing import OpenItem


@dataclass(frozen=True)
class Owed:
    """The open steps of one owner; ``oldest`` is an age in seconds."""

    owner: str
    open: int
    late: int
    oldest: float


def audit_page(made: Audit, keys: Sequence[str]) -> str:
    """Return the page of an audit. ``keys`` are the short names of the keys that signed."""
    groups: dict[str, list[Problem]] = {}
    for problem in made.problems:
        groups.setdefault(problem.kind, []).append(problem)
    figures = made.numbers
    return render(
        AUDIT,
        title=f"Audit of leavers, {made.period.first} to {made.period.last}",
        a=made,
        groups=list(groups.items()),
        meaning=EXCEPTIONS,
        worst="; ".join(f"{len(found)} × {EXCEPTIONS[kind]}" for kind, found in list(groups.items())[:4]),
        standings=[(name, made.count(name)) for name in STANDINGS if made.count(name)],
        explained=[one for one in made.members if one.standing != LEFT or one.why],
        spread=distribution(figures.closed_after if figures else ()),
        trend=trend(figures.months if figures else ()),
        controls=CONTROLS,
        keys=list(keys),
        LEFT=LEFT,
        MISSING=MISSING,
    )


def numbers_page(figures: Numbers, company: str) -> str:
    """Return the page of the numbers."""
    return render(
        NUMBERS,
        title=f"Joiners, movers, leavers: {figures.first} to {figures.last}",
        n=figures,
        people=people(figures),
        company=company,
        said="; ".join(attention(figures)),
        calm=calm(figures),
        owners=owed(figures.open_items),
        spread=distribution(figures.closed_after),
        trend=trend(figures.months),
    )


def people(figures: Numbers) -> str:
    """Return the counts in words: ``1 leaver, 2 joiners, 0 movers``."""
    counted = ((figures.leavers, "leaver"), (figures.joiners, "joiner"), (figures.movers, "mover"))
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted)


def attention(figures: Numbers) -> list[str]:
    """Return a clause for each thing that a person should look at."""
    late = sum(1 for item in figures.open_items if item.late)
    return [
        f"{count} {one if count == 1 else many}"
        for count, one, many in (
            (figures.access_open, "leaver has a way in that is open", "leavers have a way in that is open"),
            (late, "open step is late", "open steps are late"),
            (len(figures.devices_out), "company device is not back", "company devices are not back"),
        )
        if count
    ]


def calm(figures: Numbers) -> str:
    """Return the sentence for a period in which nothing needs attention; without cases it does not say that all is
    well."""
    if not figures.steps:
        return "No case began in this time."
    waiting = len(figures.open_items)
    if waiting:
        return f"{waiting} {'step waits' if waiting == 1 else 'steps wait'}, none of them late; nothing is out."
    return "Nothing is late, open or out."


def owed(items: Sequence[OpenItem]) -> list[Owed]:
    """Return the open steps by owner, the owner with the most late steps first."""
    found: dict[str, list[OpenItem]] = {}
    for item in items:
        found.setdefault(item.owner, []).append(item)
    rows = [
        Owed(owner, len(mine), sum(1 for one in mine if one.late), max(one.age for one in mine))
        for owner, mine in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.late, -row.open, row.owner))


def render(template: str, **values: Any) -> str:
    """Return a page of these values."""
    env = environment()
    env.filters.update(when=_when, day=_day, span=words, share=_share, early=_early, sentence=sentence)
    return env.from_string(template).render(**values)


def _when(text: str) -> str:
    return clock.parse(text).strftime("%-d %B %Y, %H:%M UTC") if text else "–"


def _day(value: str | date) -> str:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    except ValueError:
        return str(value) or "–"
    return day.strftime("%-d %b %Y")


def _early(took: float) -> str:
    """Return in words how much too early or too late something was."""
    return f"{words(-took)} early" if took < 0 else f"{words(took)} late" if took > 0 else "on time"


def _share(value: float | None) -> str:
    """Return a share in percent; ``100 %`` only when it is all."""
    if value is None:
        return "–"
    percent = value * 100
    shown = f"{percent:.1f}".rstrip("0").rstrip(".")
    return f"{'99.9' if shown == '100' and value < 1 else shown} %"
