# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Counts what the people of a department hold on a system, so that access profiles can be proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.errors import LifecycleError
from ..model.person import HERE, Person
from ..sdk.protocols import Entitlements
from ..sdk.target import Connector
from ..sdk.values import Account, Listed
from .coverage import Everybody

#: Where a listing does not show entitlements, they are read account by account, for so many accounts at most.
MOST_ASKED = 200


@dataclass
class Share:
    """The counts of one department: its active people, how many of them have an account here, and entitlements by kind
    and name."""

    people: int = 0
    accounts: int = 0
    held: dict[str, dict[str, int]] = field(default_factory=dict)


def shares(system: Connector, people: Sequence[Person], listed: Iterable[Listed]) -> dict[str, Share]:
    """Count what people hold, by department."""
    counted: dict[str, Share] = {}
    for person in (one for one in people if one.status in HERE):
        counted.setdefault(person.department, Share()).people += 1
    everybody = Everybody(system, people)
    shown = bool(getattr(system, "LISTS_HELD", False))
    asked = 0
    for row in listed:
        account = row.account
        owners = [people[number] for number, _how in everybody.owners(account) if people[number].status in HERE]
        if len(owners) != 1 or not account.active:
            continue
        share = counted[owners[0].department]
        share.accounts += 1
        if shown:
            held = [one for one in row.held if one not in row.fixed]
        elif asked < MOST_ASKED:
            held, asked = _held(system, account), asked + 1
        else:
            held = []
        for kind, name in held:
            names = share.held.setdefault(kind, {})
            names[name] = names.get(name, 0) + 1
    return counted


def _held(system: object, account: Account) -> list[tuple[str, str]]:
    if not isinstance(system, Entitlements):
        return []
    try:
        return [(one.kind, one.name) for one in system.entitlements(account) if not one.fixed]
    except LifecycleError:
        return []


def proposed(found: Mapping[str, Mapping[str, Any]], department: str, percent: int) -> dict[str, dict[str, list[str]]]:
    """Return the ``systems`` of a proposed profile: those on which most people have an account, with what most of them
    hold.

    :param found: system -> department -> a :class:`Share` as plain data.
    """
    systems: dict[str, dict[str, list[str]]] = {}
    for system, departments in found.items():
        share = departments.get(department)
        if not share or share["accounts"] * 100 < percent * share["people"]:
            continue
        systems[system] = {
            kind: sorted(name for name, number in names.items() if number * 100 >= percent * share["accounts"])
            for kind, names in share["held"].items()
            if any(number * 100 >= percent * share["accounts"] for number in names.values())
        }
    return systems
