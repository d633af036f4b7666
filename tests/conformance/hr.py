# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The one thing that HR systems are told: the work address that a rule made of somebody who has none there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.box import Box
from tests.conformance.scenario import Scenario

MARK = "mark@corp.example"
#: Where a system keeps the addresses of people: its state -> each person's record, the record's name of it.
Kept = tuple[Callable[[Any], Mapping[str, Any]], str]


def with_rule(vendor: type[Any]) -> type[Any]:
    """Return the HR system, whose entry has a rule for addresses."""

    def systems(self: Any) -> Mapping[str, Mapping[str, Any]]:
        entry = vendor.systems(self)[vendor.name]
        self.folder.mkdir(exist_ok=True)
        made = {"address": "{first_name}@corp.example", "addresses": str(self.folder / "made.csv")}
        return {vendor.name: {**entry, "options": {**entry.get("options", {}), **made}}}

    return type(vendor.__name__, (vendor,), {"systems": systems})


def told(name: str, kept: Kept) -> list[Scenario]:
    records, field = kept

    def of(box: Box) -> list[Any]:
        return [record.get(field) for record in records(box[name].state).values()]

    def without(box: Box) -> None:
        (box[name].folder / "made.csv").unlink(missing_ok=True)
        [mark] = [one for one in records(box[name].state).values() if one.get(field) == MARK]
        mark[field] = None

    def verify(box: Box) -> None:
        assert of(box).count(MARK) == 1, of(box)

    return [Scenario("tell the address", name, "hr_address", {"person": "mark"}, verify, without)]
