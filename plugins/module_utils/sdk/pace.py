# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Limits the rate of requests to a system, for all people who are worked on side by side together.

Where a vendor names a rate, each request takes the next turn and waits for it. The rate holds in this process only, or
for every run that shares a ledger (``plugin_utils/ledger/pace.py``).
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Pace(Protocol):
    """Gives out turns."""

    def turn(self, system: str, every: float) -> float:
        """Take the next turn, and return the seconds to wait for it.

        :param every: the seconds between two turns.
        """


class ProcessPace:
    """Gives out turns in this process only: in AnsiballZ, and without a ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By system: when the next request may be sent (of ``time.monotonic``).
        self._next: dict[str, float] = {}

    def turn(self, system: str, every: float) -> float:
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next.get(system, 0.0))
            self._next[system] = mine + every
        return mine - now


PROCESS = ProcessPace()
