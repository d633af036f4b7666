# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Make a person of an HR system's record: what the connectors of HR systems do alike, whatever their vendor's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ..model import clock
from ..model.errors import PermissionDenied
from ..model.person import Person
from .people_index import several

#: Fields of a person that hold several values.
_LISTS = ("aliases", "former_names")


def text(value: Any) -> str:
    """Write any value of an answer as text; nothing is empty."""
    return "" if value is None else str(value).strip()


def day_before(day: str) -> str:
    """Return the date before a date (ISO)."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def days_since(moment: str) -> tuple[str, str]:
    """Return the days on which an employment may have turned since a moment: a day more on both sides, for all time zones."""
    first = clock.parse(moment) - timedelta(days=1)
    return first.date().isoformat(), (clock.now() + timedelta(days=1)).date().isoformat()


def lists_of(fields: Mapping[str, str], value: Callable[[str], Any]) -> dict[str, list[str]]:
    """Read the person's fields that hold several values, of those that ``fields`` names.

    :param value: gives the vendor's field, as it was answered.
    """
    return {name: several(value(fields[name]), names=name == "former_names") for name in _LISTS if name in fields}


def manager_of(index: Sequence[Mapping[str, str]], key: str) -> dict[str, str]:
    """Find the manager among everybody's identifiers; empty when there is none."""
    found = next((row for row in index if row["id"] == key), None) if key else None
    return {
        "manager_email": found["email"] if found else "",
        "manager_employee_id": found["number"] if found else "",
    }


def filled(fields: Mapping[str, str], read: Callable[[str], str]) -> dict[str, str]:
    """Read the named fields, and leave out those that are empty."""
    values = {name: read(theirs) for name, theirs in fields.items()}
    return {name: value for name, value in values.items() if value}


def time_zone_of(options: Mapping[str, Any], given: str, place: str) -> str:
    """Choose the time zone: the record's own, the place's, or the one of the options."""
    return str(given or options["time_zones"].get(place) or options["time_zone"])


def not_begun(person: Person, today: str) -> str:
    """Tell the status of somebody who is hired for later, ``pending`` or ``terminated``; empty when the first day has come.

    A hiring is withdrawn when the employment ends on or before the day on which it would have begun.
    """
    if person.hire_date <= today:
        return ""
    return "terminated" if person.termination_date and person.termination_date <= person.hire_date else "pending"


def today_of(person: Person) -> str:
    """Return today's date where the person works: a last day ends when that day does."""
    return clock.now().astimezone(person.zone).date().isoformat()


def refuse_hidden(hidden: Sequence[str], *, who: str, act: str, system: str, hint: str) -> None:
    """Stop when a field that decides was left out: without it every conclusion would be a guess.

    :raises PermissionDenied: a field is hidden.
    """
    if hidden:
        raise PermissionDenied(f"{who} may not see {', '.join(hidden)}", act=act, system=system, hint=hint)
