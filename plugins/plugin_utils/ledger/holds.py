# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Legal holds: a hold stops every step that would lose a person's data. It can be set at any time, also before they
leave."""

from __future__ import annotations

from ...module_utils.model.answers import PersonRecord
from . import presence
from .ledger import Ledger


def note(ledger: Ledger, person: str, *, held: bool, by: str, why: str, run: str) -> None:
    """Note that a person is held, or no longer held, for all their present and later cases."""
    ledger.note(
        "hold",
        {"held": held, "by": by, "why": why, "name": presence.canonical(person)},
        person=presence.presence(ledger, person).key,
        run=run,
        durable=True,
    )


def of_person(ledger: Ledger, person: PersonRecord, case: str = "") -> str:
    """Return who has set a hold on a person, and why; empty when nobody has.

    :param person: the person's record.
    :param case: the id of the case that would lose data; a hold of this case counts too.
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
