# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Legal holds: set for a person at any time, before they leave too; a hold stops everything that loses data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import presence
from .ledger import Ledger


def note(ledger: Ledger, person: str, *, held: bool, by: str, why: str, run: str) -> None:
    """Note that a person is held, or no longer, whatever cases they have or will have."""
    ledger.note(
        "hold",
        {"held": held, "by": by, "why": why, "name": presence.canonical(person)},
        person=presence.presence(ledger, person).key,
        run=run,
        durable=True,
    )


def of_person(ledger: Ledger, person: Mapping[str, Any], case: str = "") -> str:
    """Return who holds what would be lost of this person, and why; empty when nobody does.

    :param person: their record.
    :param case: the case that would lose it; a hold of the case counts too.
    """
    names = presence.names_of(person)
    by_case = by_person = ""
    for entry in ledger.noted("hold"):
        reason = f"held by {entry.data['by']}: {entry.data['why']}" if entry.data["held"] else ""
        if entry.case and entry.case == case:
            by_case = reason
        elif not entry.case and (entry.data.get("name") in names or presence.canonical(entry.person) in names):
            by_person = reason
    return by_case or by_person
