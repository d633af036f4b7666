# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HiBob: it is told an address that was made by a rule."""

from __future__ import annotations

from typing import Any

from sandbox.vendors.hibob import HiBob
from tests.conformance.hr import told, with_rule


def _short(key: str | None) -> str | None:
    """The id that the company's people have: Bob's is longer."""
    return key[-3:] if key else None


class Bob(HiBob):
    def seed(self) -> Any:
        seeded = super().seed()
        for one in seeded["people"].values():
            one.update({name: _short(one[name]) for name in ("root.id", "work.reportsTo")})
        return {
            **seeded,
            **{table: {_short(key): row for key, row in seeded[table].items()} for table in ("people", "lifecycle")},
        }


VENDORS = [with_rule(Bob)]
SCENARIOS = told("hibob", (lambda state: state["people"], "root.email"))
