# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Records that a named person approves a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ..approval import approvals
from ..approval import run as approval
from ..ledger import presence
from ..ledger.account import os_account
from ..ledger.run import LedgerRun


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    plan = approval.plan(run, want["plan"])
    hr = presence.heard(run, want["by"], want["found"], f"approve plan {plan['digest'][:12]}")
    approvals.approve(
        run.ledger,
        plan,
        run.policy,
        hr=hr,
        read_only=run.read_only,
        by=want["by"],
        account=want["account"] or os_account(),
        note=want["note"],
        run=run.id,
    )
    row = {
        "what": f"plan {plan['digest'][:12]}",
        "before": "not approved",
        "after": f"approved by {want['by']}",
        "outcome": "planned" if run.read_only else Outcome.DONE.value,
    }
    return {
        "changed": True,
        "outcome": Outcome.DONE.value,
        "changes": [row],
        "digest": plan["digest"],
        "missing": approval.missing(run, plan, plan["kind"], len(plan["people"]), hr),
    }
