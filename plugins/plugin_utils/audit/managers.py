# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the manager of a step's owner: from HR today, else from the owner's last case in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..history.casefile import CaseFile
from ..ledger.ledger import Ledger
from ..ledger.presence import HrSaid, canonical, presence


@dataclass(frozen=True)
class Managers:
    """Finds managers in one run. A person who has left is nobody's manager."""

    cases: Mapping[str, CaseFile]
    hr: HrSaid
    ledger: Ledger

    def of(self, owner: str) -> str:
        """Return the address of an owner's manager; empty when the owner or the manager is not known."""
        addresses = [person.manager_email for person in self.hr.records(owner) if person.manager_email]
        manager = addresses[0] if addresses else self._by_cases.get(canonical(owner), "")
        if not manager or canonical(manager) == canonical(owner):
            return ""
        return "" if presence(self.ledger, manager, self.hr).gone else manager

    @cached_property
    def _by_cases(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for case in self.cases.values():  # the oldest first, so that the newest case counts
            manager = str(case.person.get("manager_email") or "")
            found.update((canonical(name), manager) for name in case.names)
        return found
