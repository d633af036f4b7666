# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reserves things that only one person can have, such as a laptop of the stock list.

From the choice until the system's own list shows it, nobody else may choose the same thing. A reservation counts in
this process only, or in every run that shares a ledger (``plugin_utils/ledger/choices.py``).
"""

from __future__ import annotations

import threading
from typing import Protocol


class Choices(Protocol):
    """Keeps the reservations."""

    def take(self, system: str, thing: str, person: str, *, keep: bool) -> bool:
        """Reserve a thing for a person; return whether it is reserved for them.

        :param keep: whether other runs must respect it; false in check mode.
        """


class ProcessChoices:
    """Keeps reservations in this process only: in AnsiballZ, and without a ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chosen: dict[tuple[str, str], str] = {}

    def take(self, system: str, thing: str, person: str, *, keep: bool) -> bool:
        with self._lock:
            return self._chosen.setdefault((system, thing), person) == person

    def forget(self) -> None:
        """Forget all reservations, at the beginning of a test."""
        self._chosen.clear()


OF_PROCESS = ProcessChoices()
