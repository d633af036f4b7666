# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Write the plan of a run in check mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.person import Person
from ..approval import run as approval
from ..ledger.run import LedgerRun


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    if not run.read_only:
        return {"outcome": Outcome.ALREADY.value, "changes": []}
    people = [Person.of(record) for record in want["people"]]
    made = approval.write(
        run,
        want["kind"],
        [{"key": p.key, "email": p.email, "name": p.name, "aliases": list(p.aliases)} for p in people],
        want["path"],
    )
    return {
        "outcome": Outcome.DONE.value,
        "changes": [],
        "path": made["path"],
        "digest": made["digest"],
        "needs": made["needs"],
        "steps": len(made["steps"]),
    }
