# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What policy, approvals and the plan being executed mean for one step: the arguments of a ``Guard``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...module_utils.company.policy import Policy
from ..approval import approvals, plans
from ..ledger.ledger import Ledger


@dataclass(frozen=True)
class Limits:
    """What limits the steps of one task on one system; read once, whoever they are for.

    :param document: the plan that is being executed; None when none is.
    :param rehearsal: nothing is written, so that nothing needs an approval; the plan itself will say what does.
    :param approved: the plan that is being executed has the approvals that it needs.
    """

    policy: Policy
    ledger: Ledger | None
    system: str
    rehearsal: bool = False
    document: plans.Executed | None = None
    approved: bool = False

    @classmethod
    def of(
        cls, policy: Policy, ledger: Ledger | None, *, plan: str, plans_folder: str, rehearsal: bool, system: str
    ) -> Limits:
        """:param plan: the plan that is being executed, a file or a digest; empty when none is.
        :raises InputError: the plan cannot be read.
        """
        document = plans.executed(plan, plans_folder, ledger) if plan else None
        asked = bool(policy.approvals) and not rehearsal and document is not None and ledger is not None
        approved = (
            asked and document is not None and ledger is not None and not approvals.missing(ledger, document.head)
        )
        return cls(policy, ledger, system, rehearsal, document, approved)

    def guard(self, *, phase: str, step: str, person: str, adopted: bool = False) -> dict[str, Any]:
        """Plain data for :class:`Guard`; empty when nothing limits the step for this person.

        :param adopted: somebody says that what is there is the person's own. So does the ledger once a step of theirs wrote there:
            what is a shared mailbox now was theirs before.
        """
        policy, system = self.policy, self.system
        limits: dict[str, Any] = {}
        if person and not adopted and not _wrote(self.ledger, person, system):
            limits["not_people"] = [dict(facts) for facts in policy.identity.not_people]
        if policy.protected.accounts.get(system):
            limits["accounts"] = list(policy.protected.accounts[system])
        held = [
            f"{kind}: {name}" for kind, names in policy.protected.entitlements.get(system, {}).items() for name in names
        ]
        if held:
            limits["entitlements"] = held
        if self.document is not None:
            limits["planned"] = self.document.planned(phase=phase, system=system, step=step, person=person)
            declared = self.document.declared(phase=phase, system=system, step=step, person=person)
            limits |= {"declared": declared} if declared else {}
        limits.update(self._approvals())
        return {**limits, "source": policy.file} if limits else {}

    def _approvals(self) -> dict[str, Any]:
        """What wants an approval that this run does not have."""
        policy, patterns = self.policy, approvals.patterns(self.policy, self.system)
        if self.rehearsal:
            asks = any(rule.needs == "privileged" for rule in policy.approvals)
            return {"privileged": patterns} if asks and patterns else {}
        if not policy.approvals:
            return {}
        stops = approvals.stops(policy, self.approved)
        why = stops.pop("privileged", "")
        return {
            **({"privileged": patterns, "privileged_stop": why} if why and patterns else {}),
            **({"stops": stops} if stops else {}),
        }


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
