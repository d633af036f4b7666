# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's stock list: a CSV file of the devices that joiners may be given, in the order in which they are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..model.errors import InputError
from ..model.person import Person
from .policy import like


@dataclass(frozen=True)
class InStock:
    """One device. ``meant_for`` is whose it is to be, by address or number; empty when it is anybody's."""

    serial: str
    platform: str = ""
    model: str = ""
    meant_for: str = ""

    def suits(self, person: Person, platform: str, model: str) -> bool:
        """Return whether this person may be given it. What the list does not say of a device, it has not."""
        if self.meant_for:
            return self.meant_for.casefold() in (person.email.casefold(), person.employee_id.casefold())
        return not (platform and not like(self.platform, [platform]) or model and not like(self.model, [model]))


def suiting(path: str, person: Person, platform: str, model: str) -> list[InStock]:
    """Return what this person may be given: what was set aside for them first, then the list's own order.

    :param platform: what the profile asks for, as is ``model``: a pattern; empty when it asks for none.
    :raises InputError: the file cannot be read, or is none.
    """
    rows = [one for one in _read(path) if one.suits(person, platform, model)]
    return sorted(rows, key=lambda one: not one.meant_for)


@cache
def _read(path: str) -> Sequence[InStock]:
    act, hint = (
        "read the stock list",
        "lifecycle_stock: a CSV file whose first line names serial, and platform, model, for",
    )
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputError(f"{path}: {e}", act=act, hint=hint) from None
    cells = [{str(name).strip().casefold(): str(cell or "").strip() for name, cell in row.items()} for row in rows]
    if cells and "serial" not in cells[0]:
        raise InputError(f"{path}: no column serial", act=act, hint=hint)
    return [
        InStock(one["serial"], one.get("platform", ""), one.get("model", ""), one.get("for", ""))
        for one in cells
        if one["serial"]
    ]
