# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The rate at which a system is asked: one for all who ask it, however many people are worked on side by side.

Where a vendor names a rate, each request takes the next turn and waits for it. Who keeps the turns decides how far the pace reaches: this
process, or every run that shares a ledger (``plugin_utils/ledger/pace.py``).
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Pace(Protocol):
    """Gives out turns."""

    def turn(self, system: str, every: float) -> float:
        """Take the next turn, ``every`` so many seconds: how long to wait for it."""


class ProcessPace:
    """Turns for this process only: what AnsiballZ uses, and what has no ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: When the next request may leave, by system.
        self._next: dict[str, float] = {}

    def turn(self, system: str, every: float) -> float:
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next.get(system, 0.0))
            self._next[system] = mine + every
        return mine - now


PROCESS = ProcessPace()
