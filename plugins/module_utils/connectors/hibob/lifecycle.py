# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the lifecycle table: the days on which a person was hired, went on leave, and left."""

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
        """Return the row that applies on a day; two empty texts before the first row."""
        return next((row for row in reversed(self.rows) if row[0] <= day), ("", ""))

    def termination(self) -> str:
        """Return the date of the last row if it is a termination; empty when there is none, or a rehire follows it."""
        return self.rows[-1][0] if self.rows and self.rows[-1][1] == "terminated" else ""

    def garden_leave(self) -> str:
        """Return the first day of the garden leave before the termination, or of the one in the last row; empty without one."""
        ends = len(self.rows) - (1 if self.termination() else 0)
        return self.rows[ends - 1][0] if ends and self.rows[ends - 1][1] == "garden leave" else ""


def lifecycle_of(rows: Sequence[Mapping[str, Any]]) -> Lifecycle:
    """Return the rows in the order of their dates. Of two rows of one day, the one with the higher id was entered later and applies."""
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
