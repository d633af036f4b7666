# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the suspension that a return from a leave of absence ends, and the day of the return."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone

from ...module_utils.company.policy import Policy, fact_of
from ...module_utils.model import clock
from ...module_utils.model.case import Case
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import OFFBOARD, SUSPEND
from ...module_utils.model.person import Person
from ..ledger.ledger import Ledger


def local_day(moment: datetime, days: int, person: Person) -> datetime:
    """Return, in UTC, the beginning of the person's own day that is ``days`` after a moment."""
    day = moment.astimezone(person.zone).date() + timedelta(days=days)
    return datetime.combine(day, time.min, person.zone).astimezone(timezone.utc)


def return_day(person: Person, until: str, policy: Policy) -> str:
    """Return when a person comes back (ISO 8601 UTC), from ``until``, else from HR; empty when neither says.

    :raises InputError: the day cannot be read, or ``until`` is in the past.
    """
    text = until or fact_of(person, policy.followups.return_fact)
    if not text:
        return ""
    try:
        moment = clock.parse(text, person.zone).astimezone(timezone.utc)
    except ValueError:
        raise InputError(
            f"until is {text!r}", act=f"suspend {person.email}", hint="the day they come back: 2026-12-01"
        ) from None
    if moment <= clock.now() and until:
        raise InputError(
            f"until is {text!r}, which is in the past", act=f"suspend {person.email}", hint="the day they come back"
        )
    return clock.stamp(moment)


def suspension(ledger: Ledger, person: Person) -> Case:
    """Return the suspension that a return ends.

    :raises Refused: there is none, or the person left afterwards.
    """
    act = f"resume {person.email}"
    cases = ledger.cases(person=person.key)
    suspended = [case for case in cases if case.kind == SUSPEND]
    if not suspended:
        raise Refused(
            "the ledger knows of no suspension",
            act=act,
            hint="what was shut otherwise is opened by hand, or by onboard",
        )
    left = [case for case in cases if case.kind == OFFBOARD and case.opened > suspended[-1].opened]
    if left:
        raise Refused(
            f"they were offboarded afterwards (case {left[-1].id})",
            act=act,
            hint="a termination that was withdrawn is put right with reinstate",
        )
    return suspended[-1]
