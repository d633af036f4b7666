# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What was chosen for whom by any run that shares a ledger: two joiners whose runs begin in one second get two laptops.

A choice stands in a table beside the chain, made in the ledger's own transaction. It ends by itself: by then the system shows whose the
thing is, or the run that chose it is dead.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from ...module_utils.model import clock
from ...module_utils.sdk.choices import OF_PROCESS, Choices
from .ledger import Ledger
from .store import Storage

#: How long a choice holds: longer than a run needs from the choice to the end of its step.
LASTS = timedelta(hours=1)
_THEIRS = "SELECT who FROM chosen WHERE system = ? AND thing = ? AND at >= ?"


class LedgerChoices:
    """See the module."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def take(self, system: str, thing: str, person: str, *, keep: bool) -> bool:
        """Choose it in one transaction; in check mode only look, and keep apart the people of this run."""
        who, since = hashlib.sha256(person.encode()).hexdigest()[:32], clock.stamp(clock.now() - LASTS)
        if not keep:
            rows = self.storage.query(_THEIRS, (system, thing, since))
            return (not rows or rows[0][0] == who) and OF_PROCESS.take(system, thing, person, keep=False)
        with self.storage.writing(durable=False) as query:
            rows = query(_THEIRS, (system, thing, since))
            if rows and rows[0][0] != who:
                return False
            query("DELETE FROM chosen WHERE at < ? OR system = ? AND thing = ?", (since, system, thing))
            query(
                "INSERT INTO chosen (system, thing, who, at) VALUES (?, ?, ?, ?)", (system, thing, who, clock.stamp())
            )
        return True


def choices_of(ledger: Ledger | None) -> Choices:
    """Return who keeps the choices of a run."""
    return OF_PROCESS if ledger is None else LedgerChoices(ledger.storage)
