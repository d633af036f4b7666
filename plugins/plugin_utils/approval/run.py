# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The plan that a run executes, and the check whether it may."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ..ledger import presence
from ..ledger.run import LedgerRun
from . import approvals, plans
from .plans import Plan, PlanHead, PlanPerson


def plan(run: LedgerRun, name: str) -> Plan:
    """Return the plan in a file or with a digest.

    :raises InputError: there is none, or it was changed.
    """
    return plans.read(name, os.path.expanduser(run.plans), run.ledger)


def executed(run: LedgerRun, name: str) -> PlanHead | None:
    """Return the plan that this run executes, without its steps: see :func:`plans.executed`; None when it executes none."""
    return plans.executed(name, os.path.expanduser(run.plans), run.ledger).head if name else None


def missing(
    run: LedgerRun, plan: PlanHead | None, kind: str, people: int, hr: presence.HrSaid | None = None
) -> list[str]:
    """Return a line for each approval that is missing before a run may begin, or for a missing plan."""
    if plan is not None:
        return approvals.missing(run.ledger, plan, run.policy, hr)
    why = "" if run.read_only else approvals.refused(run.policy, kind, people)
    return [why] if why else []


def write(run: LedgerRun, kind: str, people: Sequence[PlanPerson], folder: str) -> dict[str, Any]:
    """Make the plan of what the run's steps would do, and write it.

    :raises LedgerError: the folder cannot be written.
    """
    steps = plans.left()
    made = plans.document(kind, people, steps, approvals.needs(run.policy, kind, len(people), steps))
    return {**made, "path": str(plans.write(made, folder, run.ledger.seal.signer))}
