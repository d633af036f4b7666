# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps reservations for all runs that share a ledger, so that two joiners whose runs begin together get two laptops.

A reservation is in a table beside the chain, and is made in the ledger's own transaction. It ends by itself: by then
the system shows the owner, or the run was killed.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from ...module_utils.model import clock
from ...module_utils.sdk.choices import OF_PROCESS, Choices
from .ledger import Ledger
from .store import Storage

#: How long a reservation holds: longer than a run needs until the end of its step.
LASTS = timedelta(hours=1)
_THEIRS = "SELECT who FROM chosen WHERE system = ? AND thing = ? AND at >= ?"


class LedgerChoices:
    """Keeps reservations in the ledger's storage."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def take(self, system: str, thing: str, person: str, *, keep: bool) -> bool:
        """Reserve it in one transaction; in check mode only look, and reserve it within this process."""
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
    """Return the reservations of a run."""
    return OF_PROCESS if ledger is None else LedgerChoices(ledger.storage)
