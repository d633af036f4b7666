# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the positions and sizes of plots, which the templates draw as SVG without scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...module_utils.model.durations import words

WIDTH, HEIGHT = 1000, 240
_LEFT, _RIGHT, _TOP, _BASE = 84, 12, 16, 200


@dataclass(frozen=True)
class Bar:
    """A bar with its label and value."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: str
    title: str


@dataclass(frozen=True)
class Tick:
    """A line of the scale."""

    y: float
    text: str


@dataclass(frozen=True)
class Plot:
    """Bars over a base line, and the scale beside them."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    base: float = _BASE
    left: float = _LEFT
    width: float = WIDTH
    height: float = HEIGHT


#: The upper limits of a distribution's steps, in seconds, and their names.
STEPS: Sequence[tuple[float, str]] = (
    (60, "1 min"), (300, "5 min"), (900, "15 min"), (3600, "1 h"), (14400, "4 h"), (86400, "1 d"), (259200, "3 d"), (math.inf, "more")
)  # fmt: skip


def distribution(values: Sequence[float]) -> Plot:
    """Return the plot of how many cases took up to one minute, five, fifteen, and so on."""
    counts = buckets(values)
    most = max(counts.values(), default=0)
    names = [name if limit == math.inf else f"≤ {name}" for limit, name in STEPS]
    rows = [(names[i], count, f"{names[i]}: {count}") for i, count in enumerate(counts.values())]
    return _bars([(label, float(count), str(count), title) for label, count, title in rows], _whole_ticks(most))


def buckets(values: Sequence[float]) -> Mapping[float, int]:
    """Return how many values lie in each step of the distribution; a negative one counts in the first step."""
    counts = {limit: 0 for limit, _name in STEPS}
    for value in values:
        counts[next(limit for limit, _name in STEPS if value <= limit)] += 1
    return counts


def trend(months: Sequence[tuple[str, int, float | None]]) -> Plot:
    """Return the plot of each month's median; a month in which nothing was closed has no bar."""
    longest = max((took for _month, _count, took in months if took is not None), default=0.0)
    rows = [
        (
            month,
            max(took or 0.0, 0.0),
            brief(took),
            f"{month}: {count} cases, the middle one {words(took)}",
        )
        for month, count, took in months[-24:]
    ]
    return _bars(rows, [(longest * part, words(longest * part)) for part in (0.5, 1.0)] if longest > 0 else [])


def brief(took: float | None) -> str:
    """Return a duration in its largest unit only, so that it fits above a bar."""
    return "–" if took is None else " ".join(words(took).split()[:2])


def _bars(rows: Sequence[tuple[str, float, str, str]], ticks: Sequence[tuple[float, str]]) -> Plot:
    most = max([value for _l, value, _v, _t in rows] + [value for value, _text in ticks], default=0.0) or 1.0
    room = (WIDTH - _LEFT - _RIGHT) / max(len(rows), 1)
    width = min(room * 0.66, 72)

    def y(value: float) -> float:
        return round(_BASE - (_BASE - _TOP - 16) * value / most, 1)

    bars = [
        Bar(
            round(_LEFT + room * i + (room - width) / 2, 1),
            y(value),
            round(width, 1),
            round(_BASE - y(value), 1),
            label,
            shown,
            title,
        )
        for i, (label, value, shown, title) in enumerate(rows)
    ]
    return Plot(bars, [Tick(y(value), text) for value, text in ticks])


def _whole_ticks(most: int) -> list[tuple[float, str]]:
    if most < 2:
        return [(float(most), str(most))] if most else []
    half = most // 2
    return [(float(half), str(half)), (float(most), str(most))]
