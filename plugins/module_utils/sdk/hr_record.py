# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes a person of an HR system's record: the part that is the same in all HR connectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ..model import clock
from ..model.errors import PermissionDenied
from ..model.person import LEFT, Person
from .people_index import several

#: Fields of a person that hold several values.
_LISTS = ("aliases", "former_names")


def text(value: Any) -> str:
    """Return any value of an answer as text; None as an empty text."""
    return "" if value is None else str(value).strip()


def day_before(day: str) -> str:
    """Return the date before a date (ISO)."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def days_since(moment: str) -> tuple[str, str]:
    """Return the first and the last day (ISO) on which an employment may have begun or ended since a moment (ISO 8601).

    A day is added on both sides, so that it holds in every time zone.
    """
    first = clock.parse(moment) - timedelta(days=1)
    return first.date().isoformat(), (clock.now() + timedelta(days=1)).date().isoformat()


def lists_of(fields: Mapping[str, str], value: Callable[[str], Any]) -> dict[str, list[str]]:
    """Read those fields of ``fields`` that hold several values: the person's field -> its values.

    :param fields: the person's field -> the vendor's field.
    :param value: returns the vendor's value of a field.
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
    """Read the vendor's fields (the person's field -> the vendor's), and leave out the empty ones."""
    values = {name: read(theirs) for name, theirs in fields.items()}
    return {name: value for name, value in values.items() if value}


def time_zone_of(options: Mapping[str, Any], given: str, place: str) -> str:
    """Choose the time zone: the record's own, the place's, or the one of the options."""
    return str(given or options["time_zones"].get(place) or options["time_zone"])


def not_begun(person: Person, today: str) -> str:
    """Return the status of somebody whose first day is to come: ``pending`` or ``terminated``; empty when the day has
    come.

    The hire is withdrawn (``terminated``) when the employment ends on or before the day on which it begins.
    """
    if person.hire_date <= today:
        return ""
    return LEFT if person.termination_date and person.termination_date <= person.hire_date else "pending"


def today_of(person: Person) -> str:
    """Return today's date in the person's time zone."""
    return clock.now().astimezone(person.zone).date().isoformat()


def refuse_hidden(hidden: Sequence[str], *, who: str, act: str, system: str, hint: str) -> None:
    """Refuse to go on when the credential may not read a field that decides: every conclusion would be a guess.

    :raises PermissionDenied: a field is hidden.
    """
    if hidden:
        raise PermissionDenied(f"{who} may not see {', '.join(hidden)}", act=act, system=system, hint=hint)
