# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes what a user of the console may see and do, for each page, from the present configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle_bridge.config import Oidc
from lifecycle_bridge.console.sessions import TOKEN, Who
from lifecycle_bridge.people import Card, Key


@dataclass(frozen=True)
class May:
    """``look`` at all, ``act``, ``approve`` plans, read ``records`` and ``names``.

    :param departments: only people of these are shown; None: everybody.
    """

    look: bool = False
    act: bool = False
    approve: bool = False
    records: bool = False
    names: bool = False
    departments: frozenset[str] | None = None

    @property
    def word(self) -> str:
        """Return what the role is called."""
        if self.act:
            return "operator"
        if self.approve:
            return "approver"
        return "may look" if self.departments is None else f"may look at {', '.join(sorted(self.departments))}"

    def sees(self, card: Card | None) -> bool:
        """Return whether a person may be shown; not to a role with departments while the person's department is not known."""
        return self.departments is None or card is not None and card.department in self.departments

    def shown(self, cards: Mapping[Key, Card]) -> dict[Key, Card]:
        """Return those of these that may be named."""
        return {key: card for key, card in cards.items() if self.names and self.sees(card)}


def named_groups(oidc: Oidc) -> tuple[str, ...]:
    """Return every group that the configuration gives something to."""
    return (*oidc.operators, *oidc.approvers, *oidc.auditors, *oidc.viewers, *oidc.departments)


def may(who: Who, oidc: Oidc | None) -> May:
    """Return the rights of a user. A user who can read the local token has the rights of the machine."""
    if who.via == TOKEN:
        return May(look=True, act=True, records=True, names=True)
    if oidc is None:
        return May()
    mine = set(who.groups)
    act, approve = bool(mine & set(oidc.operators)), bool(mine & set(oidc.approvers))
    if act or approve or mine & {*oidc.auditors, *oidc.viewers}:
        return May(True, act, approve, records=True, names=True)
    departments = {name for group in mine & set(oidc.departments) for name in oidc.departments[group]}
    return May(look=True, names=True, departments=frozenset(departments)) if departments else May()
