# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read and write fields of Bob, whose answers have them flat, nested, or both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...sdk.hr_record import text

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def id_of(record: Mapping[str, Any]) -> str:
    """Return the employee's id."""
    return text(value_of(record, "root.id"))


def value_of(record: Mapping[str, Any], field: str) -> Any:
    """Return the value of a field, from ``/work/title``: {value}, or from nested mappings (``root.`` is the top level)."""
    flat = record.get(_flat(field))
    if isinstance(flat, Mapping) and "value" in flat:
        return flat["value"]
    return _nested(record, field)


def _flat(field: str) -> str:
    """Return a field's name in the flat form of Bob's answers: ``/work/title``."""
    return "/".join(("", *field.split(".")))


def _nested(record: Any, field: str) -> Any:
    for part in field.removeprefix("root.").split("."):
        record = record.get(part) if isinstance(record, Mapping) else None
    return record


def put(record: Mapping[str, Any], field: str, value: str) -> Mapping[str, Any]:
    """Return the record with our value in a field; an empty value changes nothing."""
    return {**record, _flat(field): {"value": value}} if value else record


def nested(field: str, value: str) -> dict[str, Any]:
    """Return the body of a request that sets a field: nested mappings, one for each part of its name."""
    body: Any = value
    for part in reversed(field.removeprefix("root.").split(".")):
        body = {part: body}
    said: dict[str, Any] = body
    return said


def shown(record: Mapping[str, Any], field: str) -> bool:
    """Return whether the record has the field, empty or not."""
    if _flat(field) in record:
        return True
    path, _dot, last = field.removeprefix("root.").rpartition(".")
    inner = _nested(record, path) if path else record
    return isinstance(inner, Mapping) and last in inner


def readable(record: Mapping[str, Any], field: str) -> str:
    """Return a field in the form for people: the name of a list's item, not its id. A date stays in ISO form."""
    machine = value_of(record, field)
    shown_as = record.get("humanReadable")
    human = value_of(shown_as, field) if isinstance(shown_as, Mapping) else None
    return text(machine) if human is None or _DATE.match(text(machine)) else text(human)


def reference(value: Any) -> str:
    """Return the id of an employee from a reference, which is an id or a mapping."""
    return text(value.get("id")) if isinstance(value, Mapping) else text(value)
