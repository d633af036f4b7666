# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds people in an HR system that cannot search: by a list of everybody's identifiers, which is kept for seconds.

The record of a person whom the list names is always read again. All values of a row are text: ``id``, ``number``,
``email``, ``first``, ``last``, ``personal``, ``person_key``, ``born``, ``aliases`` and
``columns`` (both divided by spaces), ``status`` (``terminated`` or another), and where the system has them,
``department`` and ``ended``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from ..model.person import LEFT, Person
from .target import Target
from .values import Overview

Row = dict[str, str]
#: The fields of a person for which the company may name the field in its HR system.
OWN_FIELDS = frozenset(one.name for one in fields(Person)) - {"logins", "attributes", "status", "hr_id"}
Record = TypeVar("Record")

#: How many seconds a list may be used to find somebody. Their record is then read again.
SECONDS = 15.0
#: By process, system, URL and credential: when the list was read, and the list.
INDEXES: dict[tuple[int, str, str, str], tuple[float, list[Row]]] = {}


def kept_index(target: Target, credential: str, read: Callable[[], list[Row]], *, fresh: bool) -> list[Row]:
    """Return everybody's identifiers, read again when they are too old or must be ``fresh``.

    :param credential: the name of the credential that decides which records may be seen.
    """
    key = (os.getpid(), target.name, target.url, str(hash(target.credential(credential))))
    taken, index = INDEXES.get(key, (float("-inf"), []))
    if fresh or time.monotonic() - taken > SECONDS:
        index = read()
        INDEXES[key] = (time.monotonic(), index)
    return index


def find_records(
    user: str,
    index: Callable[[bool], list[Row]],
    read: Callable[[str], Record | None],
    row: Callable[[Record], Mapping[str, str]],
) -> tuple[list[Record], list[Row]]:
    """Return the records that have an identifier, and the list in which they were found.

    :param user: the identifier: an id, number or address.
    :param index: returns the list; its argument True asks for a fresh one.
    :param read: reads a record by its id; None when it is not there.
    :param row: returns the identifiers of a record.
    """
    sought = user.strip().casefold()
    for fresh in (False, True):
        rows = index(fresh)
        found = [read(one["id"]) for one in rows if sought in _identifiers(one)]
        records = [record for record in found if record is not None and sought in _identifiers(row(record))]
        if records and len(records) == len(found):
            break
    # The second list is fresh: a record that it names and that does not fit was deleted or renamed a moment ago.
    return records, rows


def overview_of(index: Sequence[Mapping[str, str]]) -> Overview:
    """Return the overview of a list."""
    people = [
        Person(
            email=row["email"],
            hr_id=row["id"],
            employee_id=row["number"],
            first_name=row["first"],
            last_name=row["last"],
            person_key=row["person_key"],
            department=row.get("department", ""),
            personal_email=row["personal"],
            aliases=tuple(row["aliases"].split()),
            status=LEFT if row["status"] == LEFT else "active",
            termination_date=row.get("ended", ""),
            attributes={"birth_date": row["born"]} if row["born"] else {},
        )
        for row in index
    ]
    return Overview(people, tuple(index[0]["columns"].split()) if index else ())


def _identifiers(row: Mapping[str, str]) -> Sequence[str]:
    values = (row["id"], row["number"], row["email"], *row["aliases"].split())
    return [value.casefold() for value in values if value]


def indexed_fields(named: Mapping[str, str], attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the index's columns, each with the HR system's field that fills it; empty where the company names none.

    :param named: the person's field -> the HR system's field, from :func:`own_fields`.
    :param attributes: the option ``attributes``.
    """
    return {
        "number": named["employee_id"],
        "email": named["email"],
        "first": named["first_name"],
        "last": named["last_name"],
        "personal": named["personal_email"],
        "department": named["department"],
        "person_key": named.get("person_key", ""),
        "born": attributes.get("birth_date", ""),
    }


def own_fields(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Divide the option ``fields`` into the fields of :class:`Person` and the logins on other systems."""
    return (
        {name: theirs for name, theirs in given.items() if name in OWN_FIELDS},
        {name: theirs for name, theirs in given.items() if name not in OWN_FIELDS},
    )


def several(value: Any, *, names: bool = False) -> list[str]:
    """Read several addresses, or ``names``, from one field: a list, lines, or a text divided by bars, commas or
    semicolons."""
    parts = value if isinstance(value, list) else [value]
    text = "|".join("" if part is None else str(part).strip() for part in parts)
    text = text.replace(";", "|").replace(",", "|").replace("\n", "|")
    return [part.strip() for part in (text if names else text.replace(" ", "|")).split("|") if part.strip()]
