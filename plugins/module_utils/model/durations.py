# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lengths of time as people write them: ``15m``, ``4h``, ``2d``, ``1h 30m``, ``PT15M``, or a number of seconds."""

from __future__ import annotations

import re
from typing import Any

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.ASCII)
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhdw]\s*)+", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def seconds(text: Any) -> float | None:
    """Return a length of time in seconds; None when the value is no length of time."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, (int, float)):
        return float(text) if 0 <= text < 1e12 else None
    said = str(text).strip().lower()
    if _NUMBER.fullmatch(said):
        return float(said)
    if said.startswith("p"):
        days, _t, rest = said[1:].partition("t")
        if "m" in days:
            return None  # a month has no length
        said = days + rest
    if not _WHOLE.fullmatch(said):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(said))


def words(took: float | None) -> str:
    """Return a number of seconds in words: ``2 d 3 h``; ``not yet`` for None."""
    if took is None:
        return "not yet"
    sign, took = ("-" if took < 0 else ""), abs(took)
    for size, unit, smaller, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if took >= size:
            rest = int(took % size // smaller)
            return f"{sign}{int(took // size)} {unit}{f' {rest} {name}' if rest else ''}"
    return f"{sign}{took:.0f} s"
