# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What policy, approvals and the plan being executed mean for one step: the arguments of a ``Guard``."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.plugin_utils import approvals, plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import Ledger


def guard(policy: Policy, ledger: Ledger | None, *, plan: str, plans_folder: str, rehearsal: bool, phase: str, system: str, step: str,
          person: str) -> dict[str, Any]:
    """Plain data for :class:`Guard`; empty when nothing limits the step.

    :param plan: the plan that is being executed, a file or a digest; empty when none is.
    :param rehearsal: nothing is written, so that nothing needs an approval; the plan itself will say what does.
    :raises InputError: the plan cannot be read.
    """
    limits: dict[str, Any] = {}
    if policy.protected.accounts.get(system):
        limits["accounts"] = list(policy.protected.accounts[system])
    held = [f"{kind}: {name}" for kind, names in policy.protected.entitlements.get(system, {}).items() for name in names]
    if held:
        limits["entitlements"] = held
    document: Mapping[str, Any] | None = plans.read(plan, plans_folder, ledger) if plan else None
    if document is not None:
        limits["planned"] = plans.planned(document, phase=phase, system=system, step=step, person=person)
    if policy.approvals and not rehearsal:
        approved = document is not None and ledger is not None and not approvals.missing(ledger, document)
        stops = approvals.stops(policy, approved)
        why = stops.pop("privileged", "")
        if why and approvals.patterns(policy, system):
            limits.update(privileged=approvals.patterns(policy, system), privileged_stop=why)
        if stops:
            limits["stops"] = stops
    return {**limits, "source": policy.file} if limits else {}
