# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the plan of a run in check mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.case import OpenCase
from ...module_utils.model.kinds import ACCESS
from ...module_utils.model.person import Person
from ..approval import run as approval
from ..approval.plans import PlanPerson
from ..cases import requested
from ..ledger.run import LedgerRun


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    if not run.read_only:
        return {"outcome": Outcome.ALREADY.value, "changes": []}
    cases = want["cases"]
    records = want["people"] if want["people"] is not None else [case["person"] for case in cases]
    people = [Person.of(record) for record in records]
    opened = [OpenCase.of(case) for case in cases or ()]
    asked = {one.person.key: requested.described(one.facts) for one in opened if one.kind == ACCESS}
    made = approval.write(
        run,
        want["kind"] or (cases[0]["kind"] if cases else ""),
        [_person(person, asked.get(person.key)) for person in people],
        want["path"],
    )
    return {
        "outcome": Outcome.DONE.value,
        "changes": [],
        "path": made["path"],
        "digest": made["digest"],
        "needs": made["needs"],
        "steps": len(made["steps"]),
        "problems": [
            f"{step['step']}{' of ' + step['person'] if step['person'] else ''} on {step['system']}: {step['problem']}"
            for step in made["steps"]
            if step.get("problem")
        ],
    }


def _person(person: Person, asked: Mapping[str, Any] | None) -> PlanPerson:
    """Return a person of the plan; with ``asked``, for access by request."""
    who: PlanPerson = {"key": person.key, "email": person.email, "name": person.name, "aliases": list(person.aliases)}
    if asked is not None:
        who["asked"] = asked
    return who
