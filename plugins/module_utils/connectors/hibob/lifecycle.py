# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the lifecycle table: when somebody was hired, was on leave, and left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...sdk.hr_record import text


@dataclass(frozen=True)
class Lifecycle:
    """Rows of the lifecycle table, (date, word), oldest first."""

    rows: tuple[tuple[str, str], ...] = ()

    def at(self, day: str) -> tuple[str, str]:
        """Find the row in force on a day; empty before the first."""
        return next((row for row in reversed(self.rows) if row[0] <= day), ("", ""))

    def termination(self) -> str:
        """Find the date of the termination that nothing follows; empty when there is none, or a rehire came after it."""
        return self.rows[-1][0] if self.rows and self.rows[-1][1] == "terminated" else ""

    def garden_leave(self) -> str:
        """Find the day on which the garden leave began that ends in the termination, or is the last that is known."""
        ends = len(self.rows) - (1 if self.termination() else 0)
        return self.rows[ends - 1][0] if ends and self.rows[ends - 1][1] == "garden leave" else ""


def lifecycle_of(rows: Sequence[Mapping[str, Any]]) -> Lifecycle:
    """Order rows by their date. On one day, the later entered (the higher id) is in force."""
    dated = [
        (
            text(row.get("effectiveDate"))[:10],
            _number(row.get("id")),
            text(row.get("status")).casefold().replace("_", " "),
        )
        for row in rows
    ]
    return Lifecycle(tuple((day, word) for day, _unused, word in sorted(dated) if day))


def _number(value: Any) -> int:
    digits = text(value)
    return int(digits) if digits.isdigit() else 0
