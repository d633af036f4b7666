# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Earlier employments of a joiner in the ledger, and what was decided about their accounts."""

from __future__ import annotations

from collections.abc import Mapping

from ...module_utils.model.case import OpenCase
from ...module_utils.model.kinds import OFFBOARD, ONBOARD
from ..ledger.run import LedgerRun


def judged(run: LedgerRun, case: OpenCase) -> dict[str, bool]:
    """System -> whether the account there was taken for the joiner's own, of those that earlier runs of the case judged."""
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
    """Note what was judged, so that what the case itself makes is not judged later."""
    if systems:
        run.note("quarantined", {"systems": systems}, case=case.id, person=case.person.key)


def earlier_lives(run: LedgerRun, case: OpenCase) -> list[str]:
    """Return what the ledger knows of an earlier life of a person, or of others with their address; a line each."""
    person = case.person
    cases = [
        one for one in run.ledger.cases() if one.id != case.id and (one.key == person.key or one.email == person.email)
    ]
    return [
        f"case {one.id} of {one.who.name}{'' if one.key == person.key else ', another record in HR'}"
        for one in cases
        if one.key != person.key or one.kind == OFFBOARD and not one.withdrawn or one.kind == ONBOARD and one.withdrawn
    ]
