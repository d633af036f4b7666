# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows a person on every system and in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.model.person import Person
from ...module_utils.people.identity import asked
from ..health.located import put_together, unknown_to_hr
from ..health.workplace import Here
from ..record.standing import standing


def act(here: Here, want: Mapping[str, Any]) -> Mapping[str, Any]:
    known = _known(here, want["users"], [Person.of(one) for answer in want["found"] for one in answer["people"]])
    said = put_together(here, want["users"], want["located"], want["unread"])
    lines = [line for who, one in known.items() for line in _lines(who, one)]
    asked_none = bool(known) and not said["located"] and not said["silent"]
    first = [f"{who}: no system was asked" for who in known] if asked_none else said["lines"]
    return {**said, "known": known, "lines": [*first, *lines]}


def _known(here: Here, users: Sequence[str], people: Sequence[Person]) -> dict[str, dict[str, Any]]:
    """Return the ledger's part for each person, by address; empty without a ledger.

    :param users: whom the caller asked for.
    :param people: whom HR found.
    """
    unknown = unknown_to_hr(people, users)
    ledger = here.open_ledger() if people or unknown else None
    if ledger is None:
        return {}
    # A person whom HR no longer has is found in the ledger, by their last case.
    theirs = [ledger.cases(person=asked(user)[1]) for user in unknown]
    everybody = [*people, *(Person.of(cases[-1].person) for cases in theirs if cases)]
    systems = here.inventory.systems()
    return {person.email: standing(ledger, person, systems) for person in everybody}


def _lines(who: str, known: Mapping[str, Any]) -> list[str]:
    """Return the ledger's part as lines for a screen."""
    return [
        *(
            f"  ledger: open of {who}'s {one['kind']}: {one['system']}: {one['what']} ({one['outcome']})"
            for one in known["open"]
        ),
        *(f"  ledger: {one['serial']}: {one['what']}" for one in known["devices"]),
    ]
