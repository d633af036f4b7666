# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What was chosen for whom, of things of which each is for one person: a laptop of the stock list.

Between the choice and the system's own list that shows it, nobody else may choose the same. Who keeps the choices decides how far that
reaches: this process, or every run that shares a ledger (``plugin_utils/ledger/choices.py``).
"""

from __future__ import annotations

import threading
from typing import Protocol


class Choices(Protocol):
    """Keeps who has chosen what."""

    def take(self, system: str, thing: str, person: str, *, keep: bool) -> bool:
        """Choose a thing for a person; return whether it is theirs.

        :param keep: other runs must respect it; false in check mode.
        """


class ProcessChoices:
    """Choices for this process only: what AnsiballZ uses, and what has no ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chosen: dict[tuple[str, str], str] = {}

    def take(self, system: str, thing: str, person: str, *, keep: bool) -> bool:
        with self._lock:
            return self._chosen.setdefault((system, thing), person) == person

    def forget(self) -> None:
        """Forget all of them: a test begins."""
        self._chosen.clear()


OF_PROCESS = ProcessChoices()
