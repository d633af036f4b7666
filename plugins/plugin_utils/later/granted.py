# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the access by request that is still running, and what must be taken when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...module_utils.model import clock
from ...module_utils.model.case import Case, Facts, Owed, OwedPart
from ...module_utils.model.kinds import ACCESS
from ...module_utils.people.undo import made, taken
from ..ledger.entry import as_taken
from ..ledger.ledger import Ledger
from .followups import Due, note

#: The follow-up that ends it.
END_ACCESS = "end_access"
#: The name of an account without entitlements, beside the kinds of a system.
SEAT = "account"


def schedule_end(ledger: Ledger, case: Case, run: str) -> None:
    """Note the end as soon as the case is opened, so that the access ends also when the run is killed."""
    if not any(entry.step == END_ACCESS for entry in ledger.noted("due", case=case.id)):
        note(ledger, end_of(case), run)


def end_of(case: Case) -> Due:
    """Return the follow-up for the requested end."""
    what = "take what was given for a time"
    return Due(END_ACCESS, case.id, case.key, "", END_ACCESS, what, case.facts.until)


def running(cases: Iterable[Case], ended: Iterable[str]) -> list[Case]:
    """Return the requests that have not ended. ``ended`` are the ids of cases whose end was carried out or
    cancelled."""
    over, now = set(ended), clock.now()
    return [
        case
        for case in cases
        if case.kind == ACCESS and not case.withdrawn and case.id not in over and clock.parse(case.facts.until) > now
    ]


def ended(ledger: Ledger) -> set[str]:
    """Return the ids of the cases whose end was carried out or cancelled."""
    return {entry.case for entry in ledger.noted("due_ended") if entry.step == END_ACCESS}


def kept(ledger: Ledger, key: str, besides: str = "") -> dict[str, dict[str, list[str]]]:
    """Return what a person has by request now, by system and kind; ``besides`` is the id of a case that does not
    count."""
    found: dict[str, dict[str, list[str]]] = {}
    for case in running(ledger.cases(person=key), ended(ledger)):
        if case.id != besides:
            _add(found, case.facts)
    return found


def to_take(ledger: Ledger, case: Case) -> Owed:
    """Return what must be taken when a request ends, by system, in the form that the steps of ``withdraw`` take.

    It is what the request asked for and a request has given. What the person had before, what their profile gives now,
    and what another request still gives stay.
    """
    cases = ledger.cases(person=case.key)
    requests = [one for one in cases if one.kind == ACCESS]
    given = made(taken(entry for one in requests for entry in as_taken(ledger.entries(one.id))))
    stays = kept(ledger, case.key, case.id)
    profiles = [one.facts for one in cases if one.meaning.needs_profile and one.facts.profile and not one.withdrawn]
    if profiles:
        _add(stays, profiles[-1])
    asked, found = case.facts.wanted or {}, dict[str, OwedPart]()
    for system, owes in given.items():
        if system in asked:
            left = _left(owes, asked[system], stays.get(system, {}), stays.keys(), system, seats_of(case.facts))
            if left:
                found[system] = left
    return found


def seats_of(facts: Facts) -> tuple[str, ...]:
    """Return the systems on which a request asked for an account."""
    return tuple(str(system) for system in facts.others.get("seats") or ())


def _left(
    owes: OwedPart,
    asked: Mapping[str, Iterable[str]],
    stays: Mapping[str, Iterable[str]],
    systems: Iterable[str],
    system: str,
    seats: Iterable[str],
) -> OwedPart:
    names = {
        kind: [name for name in listed if name in asked.get(kind, ()) and name not in stays.get(kind, ())]
        for kind, listed in owes.get("entitlements", {}).items()
    }
    left: OwedPart = {}
    if any(names.values()):
        left["entitlements"] = {kind: listed for kind, listed in names.items() if listed}
    if owes.get("created") and system in seats and system not in systems:
        left["created"] = True
    return left


def _add(found: dict[str, dict[str, list[str]]], facts: Facts) -> None:
    for system, names in (facts.wanted or {}).items():
        known = found.setdefault(system, {})
        for kind, listed in names.items():
            known[kind] = list(dict.fromkeys((*known.get(kind, ()), *listed)))
