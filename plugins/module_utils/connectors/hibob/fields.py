# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the fields of Bob's answers, which come flat, nested, or as both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...sdk.hr_record import text

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def id_of(record: Mapping[str, Any]) -> str:
    """Read the employee's id."""
    return text(value_of(record, "root.id"))


def value_of(record: Mapping[str, Any], field: str) -> Any:
    """Read a field, which comes as ``/work/title``: {value} or nested (``root.`` at the top), or as both."""
    flat = record.get(_flat(field))
    if isinstance(flat, Mapping) and "value" in flat:
        return flat["value"]
    return _nested(record, field)


def _flat(field: str) -> str:
    """Write a field's name as Bob's flat answers do: ``/work/title``."""
    return "/".join(("", *field.split(".")))


def _nested(record: Any, field: str) -> Any:
    for part in field.removeprefix("root.").split("."):
        record = record.get(part) if isinstance(record, Mapping) else None
    return record


def put(record: Mapping[str, Any], field: str, value: str) -> Mapping[str, Any]:
    """Return the record with a value of ours in a field; as it is, where there is none."""
    return {**record, _flat(field): {"value": value}} if value else record


def nested(field: str, value: str) -> dict[str, Any]:
    """Write a field as a request has it: each part of its name in the one before."""
    body: Any = value
    for part in reversed(field.removeprefix("root.").split(".")):
        body = {part: body}
    said: dict[str, Any] = body
    return said


def shown(record: Mapping[str, Any], field: str) -> bool:
    """Tell whether the field is there at all, empty or not."""
    if _flat(field) in record:
        return True
    path, _dot, last = field.removeprefix("root.").rpartition(".")
    inner = _nested(record, path) if path else record
    return isinstance(inner, Mapping) and last in inner


def readable(record: Mapping[str, Any], field: str) -> str:
    """Read a field as people do: a list's item by its name. Dates stay ISO, which people's are not."""
    machine = value_of(record, field)
    shown_as = record.get("humanReadable")
    human = value_of(shown_as, field) if isinstance(shown_as, Mapping) else None
    return text(machine) if human is None or _DATE.match(text(machine)) else text(human)


def reference(value: Any) -> str:
    """Read the id of an employee who is referred to, by id or as an object."""
    return text(value.get("id")) if isinstance(value, Mapping) else text(value)
