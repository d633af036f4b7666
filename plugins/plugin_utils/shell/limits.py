# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What policy, approvals and the plan being executed mean for one step: the arguments of a ``Guard``."""

from __future__ import annotations

from typing import Any

from ...module_utils.company.policy import Policy
from ..approval import approvals, plans
from ..ledger.ledger import Ledger


def guard(
    policy: Policy,
    ledger: Ledger | None,
    *,
    plan: str,
    plans_folder: str,
    rehearsal: bool,
    phase: str,
    system: str,
    step: str,
    person: str,
    adopted: bool = False,
) -> dict[str, Any]:
    """Plain data for :class:`Guard`; empty when nothing limits the step.

    :param plan: the plan that is being executed, a file or a digest; empty when none is.
    :param rehearsal: nothing is written, so that nothing needs an approval; the plan itself will say what does.
    :param adopted: somebody says that what is there is the person's own. So does the ledger once a step of theirs wrote there: what
        is a shared mailbox now was theirs before.
    :raises InputError: the plan cannot be read.
    """
    limits: dict[str, Any] = {}
    if person and not adopted and not _wrote(ledger, person, system):
        limits["not_people"] = [dict(facts) for facts in policy.identity.not_people]
    if policy.protected.accounts.get(system):
        limits["accounts"] = list(policy.protected.accounts[system])
    held = [
        f"{kind}: {name}" for kind, names in policy.protected.entitlements.get(system, {}).items() for name in names
    ]
    if held:
        limits["entitlements"] = held
    document = plans.executed(plan, plans_folder, ledger) if plan else None
    if document is not None:
        limits["planned"] = document.planned(phase=phase, system=system, step=step, person=person)
        declared = document.declared(phase=phase, system=system, step=step, person=person)
        limits |= {"declared": declared} if declared else {}
    if (
        rehearsal
        and any(rule.needs == "privileged" for rule in policy.approvals)
        and approvals.patterns(policy, system)
    ):
        limits["privileged"] = approvals.patterns(policy, system)
    if policy.approvals and not rehearsal:
        approved = document is not None and ledger is not None and not approvals.missing(ledger, document.head)
        stops = approvals.stops(policy, approved)
        why = stops.pop("privileged", "")
        if why and approvals.patterns(policy, system):
            limits.update(privileged=approvals.patterns(policy, system), privileged_stop=why)
        if stops:
            limits["stops"] = stops
    return {**limits, "source": policy.file} if limits else {}


def named(value: Any) -> list[str]:
    """The names in a list, or in a text with commas: ``-e adopt=entra,exchange``."""
    names = value.split(",") if isinstance(value, str) else value or ()
    return [str(name).strip() for name in names if str(name).strip()]


def _wrote(ledger: Ledger | None, person: str, system: str) -> bool:
    """Whether a run has written for this person there before."""
    return ledger is not None and bool(
        ledger.storage.query(
            "SELECT 1 FROM ledger WHERE kind = 'intent' AND person = ? AND system = ? LIMIT 1", (person, system)
        )
    )
