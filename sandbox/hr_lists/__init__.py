# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR systems whose connectors are data: a world each, which knows the company's people, and who left, and who is yet to come."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, Seen, World


class HrWorld(World):
    """``state["people"]`` are the vendor's own records, by the key of the company's person."""

    #: What a person's record is called by the vendor, made of ours.
    def record(self, key: str, person: Mapping[str, Any], number: int) -> Row:
        raise NotImplementedError

    def seed(self) -> dict[str, Any]:
        people = enumerate(self.company.people.items(), 1)
        return {"people": {key: {"id": key, **self.record(key, person, number)} for number, (key, person) in people}}

    def see(self, key: str) -> Seen:
        return Seen("active" if key in self.state["people"] else "absent")

    def listed(self, world: World, call: Call) -> Reply:
        return self.paged(call, [self.shown(row) for row in self.state["people"].values()])

    def shown(self, row: Row) -> Row:
        return {name: value for name, value in row.items() if name != "id"}

    def operations(self) -> list[tuple[str, str, Op]]:
        raise NotImplementedError

    def manager(self, person: Mapping[str, Any]) -> str:
        """Return the address of a person's manager, or nothing."""
        key = person.get("manager")
        return str(self.company.people[key]["email"]) if key else ""


def hr_worlds() -> dict[str, type[HrWorld]]:
    """Return every world, by its connector's name."""
    found: dict[str, type[HrWorld]] = {}
    for _, name, _ in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{name}")
        [world] = [
            one
            for one in vars(module).values()
            if isinstance(one, type) and issubclass(one, HrWorld) and one.__module__ == module.__name__
        ]
        found[name] = world
    return found
