# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the lines of an archive's manifest; see :mod:`archive` for their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORMAT = "workforce.lifecycle.mailbox/1"
#: The keys by which the kinds of lines differ, and the keys of a message's line.
_ROWS = frozenset({"format", "folder", "length", "synced", "complete"})
ENTRY = frozenset({"folder", "id", "date", "size", "sha256", "frame", "at"})


@dataclass(frozen=True)
class Entry:
    """One archived message: its place (``frame`` and ``at``, in bytes), its size and its hash."""

    folder: str
    id: str
    date: str
    size: int
    sha256: str
    frame: int
    at: int


@dataclass
class State:
    """The state that a manifest proves. ``ids`` are the archived ids by folder; ``end`` and ``data_end`` are the
    committed bytes of both files.
    """

    exists: bool = False
    complete: bool = False
    header: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    messages: int = 0
    bytes: int = 0
    end: int = 0
    data_end: int = 0
    synced: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def is_proven_by(self, row: Mapping[str, Any]) -> bool:
        """Return whether a ``complete`` line has the totals and the hash of everything before it."""
        return bool(
            row.get("sha256") == self.digest.hexdigest()
            and row.get("messages") == self.messages
            and row.get("bytes") == self.bytes
            and row.get("data_bytes") == self.data_end
        )


def row_of(line: bytes) -> dict[str, Any] | None:
    """Parse a line of the manifest; return None when it is none of our lines."""
    try:
        row = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return row if isinstance(row, dict) and _ROWS & set(row) else None
