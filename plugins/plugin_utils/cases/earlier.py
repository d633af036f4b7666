# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds earlier employments of a joiner in the ledger, and the decisions about existing accounts."""

from __future__ import annotations

from collections.abc import Mapping

from ...module_utils.model.case import OpenCase
from ...module_utils.model.kinds import OFFBOARD, ONBOARD
from ..ledger.run import LedgerRun


def judged(run: LedgerRun, case: OpenCase) -> dict[str, bool]:
    """Return the decisions of earlier runs of the case: system -> whether the account there is the joiner's own."""
    ids = (
        [case.id]
        if case.id
        else [
            one.id
            for one in run.ledger.cases(kind=ONBOARD, person=case.person.key)
            if not one.withdrawn and one.facts.key == case.facts.key
        ][-1:]
    )
    return {
        system: own
        for id in ids
        for entry in run.ledger.noted("quarantined", case=id)
        for system, own in entry.data["systems"].items()
    }


def keep_judged(run: LedgerRun, case: OpenCase, systems: Mapping[str, bool]) -> None:
    """Note the decisions, so that a later run does not judge an account that the case itself has made."""
    if systems:
        run.note("quarantined", {"systems": systems}, case=case.id, person=case.person.key)


def earlier_lives(run: LedgerRun, case: OpenCase) -> list[str]:
    """Return a line for each case of an earlier employment of a person, or of somebody else with their address."""
    person = case.person
    cases = [
        one for one in run.ledger.cases() if one.id != case.id and (one.key == person.key or one.email == person.email)
    ]
    return [
        f"case {one.id} of {one.who.name}{'' if one.key == person.key else ', another record in HR'}"
        for one in cases
        if one.key != person.key or one.kind == OFFBOARD and not one.withdrawn or one.kind == ONBOARD and one.withdrawn
    ]
