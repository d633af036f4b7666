# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the case that is undone and what must be given back or taken: the ledger's part of ``reinstate`` and
``withdraw``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ...module_utils.model.case import Case, Facts, Owed, OwedPart
from ...module_utils.model.commands import option
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, REINSTATE, TRANSFER, WITHDRAW
from ...module_utils.model.person import Person
from ...module_utils.people.undo import (
    made,
    owed,
    refuse_begun,
    refuse_standing,
    taken,
)
from ..approval import approvals
from ..later.leave import suspension
from ..ledger.entry import as_taken
from ..ledger.ledger import Ledger
from ..ledger.run import LedgerRun

#: After a case of these kinds the person holds what that case gave, so that the older one can't be undone.
_OVERTAKEN = {ONBOARD: "they were hired again", TRANSFER: "they moved"}
_BEGUN = {ONBOARD: "they were hired again", TRANSFER: "they moved", OFFBOARD: "they were offboarded"}


@dataclass(frozen=True)
class Undone:
    """The case that is undone (``of``), and what must be given back or taken, by system (``owed``)."""

    of: Case
    owed: Owed

    def facts(self, kind: str, withdrawn_by: str = "") -> Facts:
        """Return the facts to keep with the case of this kind that undoes it."""
        return Facts(
            key=self.of.id,
            of=self.of.id,
            concerned=tuple(sorted(self.owed)),
            withdrawn_by=withdrawn_by.strip(),
            created=tuple(sorted(name for name, owes in self.owed.items() if owes.get("created")))
            if kind == WITHDRAW
            else (),
        )


def reinstating(
    ledger: Ledger, person: Person, of: str, withdrawn_by: str, policy: Policy, *, approved: bool
) -> Undone:
    """Return what a reinstatement gives back to a person.

    :param of: the id of the case that is undone; their last offboarding when empty.
    :param withdrawn_by: who says that the termination is withdrawn, when HR does not show it yet.
    :param approved: whether the run executes an approved plan, or only rehearses.
    :raises InputError: there is no such case, or HR says that they have left.
    :raises Refused: a newer case prevents it.
    """
    act = f"reinstate {person.email}"
    refuse_standing(person, clock.now(), withdrawn_by)
    cases = ledger.cases(person=person.key)
    case = _found(cases, OFFBOARD, of, act, "what was taken by others is given back by them, or by onboard")
    newer = [one for one in cases if one.kind == OFFBOARD and one.opened > case.opened]
    if newer:
        raise Refused(
            f"they were offboarded again afterwards (case {newer[-1].id})",
            act=act,
            hint=f"undo that one: {option(case=newer[-1].id)}",
        )
    for one in cases:
        if one.kind in _OVERTAKEN and one.opened > case.opened:
            raise Refused(
                f"{_OVERTAKEN[one.kind]} afterwards (case {one.id})",
                act=act,
                hint="what they should hold now is the profile's to say: run transfer",
            )
    if _is_undone(cases, REINSTATE, case):
        return Undone(case, {})
    return Undone(case, owing(ledger, case, policy, approved=approved))


def resuming(ledger: Ledger, person: Person, policy: Policy, *, approved: bool) -> Undone:
    """Return what a person gets back who returns from a leave.

    :raises Refused: there is nothing to resume, or the person has left since.
    """
    case = suspension(ledger, person)
    return Undone(case, owing(ledger, case, policy, approved=approved))


def owing(ledger: Ledger, case: Case, policy: Policy, *, approved: bool) -> dict[str, OwedPart]:
    """Return what a case took and a run can give back, by system: see :func:`owed`."""
    owes = owed(taken(as_taken(ledger.entries(case.id))), case.facts.successor)
    why = "" if approved else approvals.stops(policy).get("privileged", "")
    for system, owe in owes.items():
        if "owned" in owe:
            owe["successor"] = case.facts.successor
        if why and approvals.patterns(policy, system):
            owe["stop"] = {"patterns": approvals.patterns(policy, system), "why": why}
    return owes


def withdrawing(ledger: Ledger, person: Person, of: str, withdrawn_by: str) -> Undone:
    """Return what an onboarding made and must be undone, after the hire was withdrawn. What the person had before
    stays.

    :param of: the id of the case; their last onboarding when empty.
    :raises InputError: there is no such case, or HR says that the hire stands.
    :raises Refused: they moved or left afterwards, so that more than this case must be undone.
    """
    act = f"withdraw the hire of {person.email}"
    refuse_begun(person, withdrawn_by)
    cases = ledger.cases(person=person.key)
    case = _found(cases, ONBOARD, of, act, "what others made is undone by them, or by offboard")
    for one in cases:
        if one.opened > case.opened and not one.withdrawn and one.kind in _BEGUN:
            raise Refused(
                f"{_BEGUN[one.kind]} afterwards (case {one.id})",
                act=act,
                hint="a person who has begun leaves by offboard",
            )
    if _is_undone(cases, WITHDRAW, case):
        return Undone(case, {})
    undo = made(taken(as_taken(ledger.entries(case.id))))
    for owes in undo.values():
        if "meeting" in owes:
            owes["meeting"] = dict(case.facts.orientation)
    return Undone(case, undo)


def _found(cases: Sequence[Case], kind: str, of: str, act: str, otherwise: str) -> Case:
    """Return the person's case of a kind: the one that ``of`` names, else the last.

    :param otherwise: the hint when there is none.
    :raises InputError: there is none.
    """
    named = {OFFBOARD: "offboarding", ONBOARD: "onboarding"}[kind]
    theirs = [case for case in cases if case.kind == kind]
    meant = [case for case in theirs if of in ("", case.id)]
    if of and not meant:
        raise InputError(
            f"{of} is no {named} of theirs", act=act, hint=f"theirs: {', '.join(case.id for case in theirs) or 'none'}"
        )
    if not meant:
        raise InputError(f"the ledger knows of no {named}", act=act, hint=otherwise)
    return meant[-1]


def _is_undone(cases: Sequence[Case], kind: str, case: Case) -> bool:
    """Return whether a case of that kind has undone this one already, with nothing left open."""
    return any(one.kind == kind and one.facts.of == case.id and one.complete for one in cases)


def withdraw(ledger: Ledger, of: Case, *, by: str, case: str, run: str, kind: str = REINSTATE) -> None:
    """Note once that a case is withdrawn: it is over, and its follow-ups are cancelled. ``case``, of this ``kind``,
    undoes it."""
    if not of.withdrawn:
        ledger.note("withdrawn", {"by": by or "HR", kind: case}, case=of.id, person=of.key, run=run, durable=True)


def withdrawn(run: LedgerRun, undone: Undone, kind: str, by: str, case: str) -> Owed:
    """Note that the old case is withdrawn, and return what is given back or taken."""
    if not run.read_only:
        withdraw(run.ledger, undone.of, by=by.strip(), case=case, run=run.id, kind=kind)
    return undone.owed
