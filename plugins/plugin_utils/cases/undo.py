# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Which case is undone, and what of it: the ledger's side of ``reinstate`` and ``withdraw``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.person import Person
from ...module_utils.people.undo import (
    made,
    owed,
    refuse_begun,
    refuse_standing,
    taken,
)
from ..approval import approvals
from ..ledger.ledger import Case, Ledger

#: Whoever began anew since holds what that case gave them, and not what the old one took.
_OVERTAKEN = {"onboard": "they were hired again", "transfer": "they moved"}
_BEGUN = {"transfer": "they moved", "offboard": "they were offboarded"}


@dataclass(frozen=True)
class Undone:
    """``of`` is the case that is undone; ``restore`` what is to be given back, or taken, by system."""

    of: Case
    restore: Mapping[str, Mapping[str, Any]]


def undoing(ledger: Ledger, person: Person, of: str, withdrawn_by: str, policy: Policy, *, approved: bool) -> Undone:
    """What is given back to a person.

    :param of: the case that is undone; their last offboarding when empty.
    :param withdrawn_by: who says that the termination is withdrawn, where HR does not yet.
    :param approved: whether the run executes an approved plan, or only rehearses.
    :raises InputError: there is no such case, or HR says that they have left.
    :raises Refused: something newer stands in the way.
    """
    act = f"reinstate {person.email}"
    refuse_standing(person, clock.now(), withdrawn_by)
    cases = ledger.cases(person=person.key)
    leaving = [case for case in cases if case.kind == "offboard"]
    if of and of not in [case.id for case in leaving]:
        raise InputError(
            f"{of} is no offboarding of theirs",
            act=act,
            hint=f"theirs: {', '.join(case.id for case in leaving) or 'none'}",
        )
    if not leaving:
        raise InputError(
            "the ledger knows of no offboarding",
            act=act,
            hint="what was taken by others is given back by them, or by onboard",
        )
    case = next(one for one in leaving if one.id == of) if of else leaving[-1]
    newer = [one for one in leaving if one.opened > case.opened]
    if newer:
        raise Refused(
            f"they were offboarded again since (case {newer[-1].id})",
            act=act,
            hint=f"undo that one: -e case={newer[-1].id}",
        )
    for one in cases:
        if one.kind in _OVERTAKEN and one.opened > case.opened:
            raise Refused(
                f"{_OVERTAKEN[one.kind]} since (case {one.id})",
                act=act,
                hint="what they should hold now is the profile's to say: run transfer",
            )
    if any(one.kind == "reinstate" and one.facts.get("of") == case.id and one.complete for one in cases):
        return Undone(case, {})
    return Undone(case, owing(ledger, case, policy, approved=approved))


def owing(ledger: Ledger, case: Case, policy: Policy, *, approved: bool) -> dict[str, dict[str, Any]]:
    """What a case took and can be given back, by system: see :func:`owed`."""
    owes = owed(taken(_entries(ledger, case.id)), str(case.facts.get("successor") or ""))
    why = "" if approved else approvals.stops(policy, False).get("privileged", "")
    for system, owe in owes.items():
        if "owned" in owe:
            owe["successor"] = str(case.facts.get("successor") or "")
        if why and approvals.patterns(policy, system):
            owe["stop"] = {"patterns": approvals.patterns(policy, system), "why": why}
    return owes


def withdrawing(ledger: Ledger, person: Person, of: str, withdrawn_by: str) -> Undone:
    """What an onboarding made and is undone, since the hire was taken back: what the person had before stays.

    :param of: the case; their last onboarding when empty.
    :raises InputError: there is no such case, or HR says that the hire stands.
    :raises Refused: they moved or left since, so that more hangs on it than that case.
    """
    act = f"withdraw the hire of {person.email}"
    refuse_begun(person, withdrawn_by)
    cases = ledger.cases(person=person.key)
    hires = [case for case in cases if case.kind == "onboard"]
    if of and of not in [case.id for case in hires]:
        raise InputError(
            f"{of} is no onboarding of theirs",
            act=act,
            hint=f"theirs: {', '.join(case.id for case in hires) or 'none'}",
        )
    if not hires:
        raise InputError(
            "the ledger knows of no onboarding", act=act, hint="what others made is undone by them, or by offboard"
        )
    case = next(one for one in hires if one.id == of) if of else hires[-1]
    for one in cases:
        if one.opened > case.opened and not one.withdrawn and (one.kind in _BEGUN or one.kind == "onboard"):
            raise Refused(
                f"{_BEGUN.get(one.kind, 'they were hired again')} since (case {one.id})",
                act=act,
                hint="whoever has begun leaves by offboard",
            )
    if any(one.kind == "withdraw" and one.facts.get("of") == case.id and one.complete for one in cases):
        return Undone(case, {})
    undo = made(taken(_entries(ledger, case.id)))
    meeting = case.facts.get("orientation") or {}
    return Undone(
        case, {system: {**owes, "meeting": meeting} if "meeting" in owes else owes for system, owes in undo.items()}
    )


def withdraw(ledger: Ledger, of: Case, *, by: str, case: str, run: str, kind: str = "reinstate") -> None:
    """Note that a case is withdrawn, once: it is over, and what hangs on it is cancelled. ``case`` of this ``kind`` undoes it."""
    if not of.withdrawn:
        ledger.note("withdrawn", {"by": by or "HR", kind: case}, case=of.id, person=of.key, run=run, durable=True)


def _entries(ledger: Ledger, case: str) -> Iterator[Mapping[str, Any]]:
    for entry in ledger.entries(case):
        if entry.kind in ("intent", "outcome"):
            yield {
                "kind": entry.kind,
                "system": entry.system,
                "step": entry.step,
                "changes": entry.data.get("changes") or (),
            }
        elif entry.kind == "attested":
            yield {
                "kind": entry.kind,
                "system": entry.system,
                "step": entry.step,
                "what": entry.data.get("what"),
                "by": entry.data["by"],
            }
