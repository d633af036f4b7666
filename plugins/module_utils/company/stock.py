# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the company's stock list: a CSV file of the devices that joiners may get, in the order in which they get
them."""

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
    """One device. ``meant_for`` is the address or employee number of the person for whom it is set aside; empty when it
    is for anybody."""

    serial: str
    platform: str = ""
    model: str = ""
    meant_for: str = ""

    def suits(self, person: Person, platform: str, model: str) -> bool:
        """Return whether this person may get the device. An empty cell fits no wish."""
        if self.meant_for:
            return self.meant_for.casefold() in (person.email.casefold(), person.employee_id.casefold())
        return not (platform and not like(self.platform, [platform]) or model and not like(self.model, [model]))


def suiting(path: str, person: Person, platform: str, model: str) -> list[InStock]:
    """Return the devices that this person may get: those set aside for them first, then the others in the list's order.

    :param platform: the profile's pattern; empty when every platform fits.
    :param model: the profile's pattern; empty when every model fits.
    :raises InputError: the file cannot be read, or is no stock list.
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
