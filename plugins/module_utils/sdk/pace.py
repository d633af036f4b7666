# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""How fast a system is asked: one pace for everybody of a process, however many people are at work side by side."""

from __future__ import annotations

import threading
import time

_LOCK = threading.Lock()
#: When the next request may leave, by system.
_NEXT: dict[str, float] = {}


def wait(system: str, rate: float) -> None:
    """Wait for this request's turn, with so many requests a second."""
    with _LOCK:
        turn = max(time.monotonic(), _NEXT.get(system, 0.0))
        _NEXT[system] = turn + 1.0 / rate
    time.sleep(max(0.0, turn - time.monotonic()))
