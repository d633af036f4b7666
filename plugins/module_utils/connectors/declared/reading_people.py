# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the section ``people`` of a connector's file: an HR list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of

from ...model import near
from ...model.person import STATUSES, Person
from ...sdk.people_index import OWN_FIELDS
from ...sdk.target import ANY_SYSTEM, Option
from .manifest import People
from .parts import Part
from .reading_requests import Reader

#: The fields of a person that an expression may set. ``manager_id`` is the manager's ``hr_id``.
PEOPLE_FIELDS = tuple(f.name for f in fields_of(Person) if f.name not in ("logins", "attributes")) + ("manager_id",)
_DECISIVE = ("email", "hr_id", "hire_date")
#: The options that the systems file may set for every HR list of a file.
PEOPLE_OPTIONS: Mapping[str, Option] = {
    "fields": Option(
        "Our fields by expressions over a record, in place of the file's: {time_zone: Time_Zone}; a system's name, for the login there.",
        "dict",
        default={},
        names=(*OWN_FIELDS, *PEOPLE_FIELDS, ANY_SYSTEM),
    ),
    "attributes": Option(
        "Further fields to keep, by the name profiles match on: {cost_center: Cost_Center}.", "dict", default={}
    ),
    "time_zones": Option("Location to time zone: {Berlin: Europe/Berlin}.", "dict", default={}),
    "time_zone": Option("Time zone of people who have none by field or location.", default=""),
    "terminated_from": Option(
        "What the date of a termination is: the last day of work, or the first day after it.",
        choices=("last_day", "day_after"),
        default="last_day",
    ),
}


def read_people(part: Part, reader: Reader) -> People:
    """Return the section.

    :raises InputError: it lacks a decisive field, or names a field that a person does not have.
    """
    part.only("list", "fields", "statuses", "changed")
    lists = tuple(reader.rows(one, reader.names()) for one in part.parts("list"))
    if not lists:
        raise part.error("has no list", hint="list: {get: /employees, items: employees}: everybody, those who left too")
    made = part.expressions("fields", PEOPLE_FIELDS)
    for name in _DECISIVE:
        if name not in made:
            raise part.error(f"has no {name}: who it is could not be said", "fields", hint=f"fields: {{{name}: ...}}")
    words = part.mapping("statuses")
    for word, status in words.items():
        if status not in STATUSES:
            raise part.error(f"is {status!r}", "statuses", word, hint=near.hint(status, STATUSES))
    if bool(words) != ("status" in made):
        raise part.error("statuses and fields.status go together", "statuses")
    return People(
        lists, made, {str(word).casefold(): str(status) for word, status in words.items()}, part.maybe("changed")
    )
