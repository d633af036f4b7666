# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the limits of a step from policy, approvals and the executed plan: the arguments of a ``Guard``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.engine.guard import heirs
from ...module_utils.model.answers import PersonRecord
from ..approval import approvals, plans
from ..ledger import holds, presence
from ..ledger.ledger import Ledger


@dataclass(frozen=True)
class Limits:
    """The limits of one task's steps on one system, read once for all people.

    :param document: the plan that is executed; None without one.
    :param rehearsal: the run is in check mode: it writes nothing and needs no approval; its plan will list the
        approvals.
    :param stops: the acts that this run may not do, each with the reason: they need an approval that the plan does not
        have.
    :param not_here: the people who, according to HR in this run, are not here: name -> the reason.
    """

    policy: Policy
    ledger: Ledger | None
    system: str
    rehearsal: bool = False
    document: plans.Executed | None = None
    stops: Mapping[str, str] = field(default_factory=dict)
    not_here: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        policy: Policy,
        ledger: Ledger | None,
        *,
        plan: str,
        plans_folder: str,
        rehearsal: bool,
        system: str,
        not_here: Mapping[str, str] | None = None,
    ) -> Limits:
        """Read the limits of a task.

        :param plan: the plan that is executed, a file or a digest; empty without one.
        :raises InputError: the plan cannot be read.
        """
        document = plans.executed(plan, plans_folder, ledger) if plan else None
        stops = {} if rehearsal else approvals.stops(policy, ledger, document.head if document is not None else None)
        return cls(policy, ledger, system, rehearsal, document, stops, not_here or {})

    def guard(
        self,
        *,
        phase: str,
        step: str,
        person: str,
        adopted: bool = False,
        args: Mapping[str, Any] | None = None,
        unproven: str = "",
        case: str = "",
    ) -> dict[str, Any]:
        """Return plain data for :class:`Guard`; empty when nothing limits the step for this person.

        :param adopted: a named person says that the account is the person's own. It also counts when an earlier step
            has written there for them: a mailbox that is a shared one now was theirs before.
        :param args: the step's arguments, with the people who get something.
        :param unproven: the steps of cutting off and preserving that are not proven; until they are, nothing is wiped.
        """
        policy, system = self.policy, self.system
        limits: dict[str, Any] = {}
        record = (args or {}).get("person")
        record = record if isinstance(record, Mapping) else {}
        gone = gone_heirs(self.ledger, record, args or {}, self.not_here)
        if gone:
            limits["gone"] = gone
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
        stops = {**(limits.get("stops") or {}), **self._kept(record, unproven, case)}
        if stops:
            limits["stops"] = stops
        return {**limits, "source": policy.file} if limits else {}

    def _kept(self, record: PersonRecord, unproven: str, case: str) -> dict[str, str]:
        """Return the acts that would lose data which must be kept, each with the reason."""
        held_by = holds.of_person(self.ledger, record, case) if self.ledger is not None and record else ""
        kept = {act: f"{held_by}: nothing is lost until it is released" for act in ("wipe", "delete") if held_by}
        if unproven:
            kept.setdefault("wipe", f"waits for {unproven}: settle that and run again")
        return kept

    def _approvals(self) -> dict[str, Any]:
        """Return the limits that come from missing approvals."""
        policy, patterns = self.policy, approvals.patterns(self.policy, self.system)
        if self.rehearsal:
            asks = any(rule.needs == "privileged" for rule in policy.approvals)
            return {"privileged": patterns} if asks and patterns else {}
        if not policy.approvals:
            return {}
        stops = dict(self.stops)
        why = stops.pop("privileged", "")
        return {
            **({"privileged": patterns, "privileged_stop": why} if why and patterns else {}),
            **({"stops": stops} if stops else {}),
        }


def gone_heirs(
    ledger: Ledger | None, person: PersonRecord, args: Mapping[str, Any], not_here: Mapping[str, str]
) -> dict[str, str]:
    """Return the people who would get something and are not here (address -> the reason), or who are the case's own
    person."""
    own = presence.names_of(person)
    found = {}
    for name in filter(None, heirs(args)):
        if presence.canonical(name) in own:
            found[name.lower()] = "is the person of this case"
        elif (
            (gone := not_here.get(presence.canonical(name), ""))
            or ledger is not None
            and (gone := presence.presence(ledger, name).gone)
        ):
            found[name.lower()] = gone
    return found


def named(value: Any) -> list[str]:
    """Return the names in a list, or in a text with commas: ``-e adopt=entra,exchange``."""
    names = value.split(",") if isinstance(value, str) else value or ()
    return [str(name).strip() for name in names if str(name).strip()]


def _wrote(ledger: Ledger | None, person: str, system: str) -> bool:
    """Return whether an earlier run has written for this person on this system."""
    return ledger is not None and bool(
        ledger.storage.query(
            "SELECT 1 FROM ledger WHERE kind = 'intent' AND person = ? AND system = ? LIMIT 1", (person, system)
        )
    )
