# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Rolls out a changed access profile: finds what a person does not have yet, and what the profile gave before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from ...module_utils.company.profiles import Profile, Profiles
from ...module_utils.model.case import Case, Facts, OldProfile, Wanted
from ...module_utils.model.commands import option
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.person import Person
from ..ledger.run import LedgerRun
from .mover_origin import joined


def is_given(cases: Sequence[Case], profile: Profile, systems: Sequence[str]) -> bool:
    """Return whether a person's last case gave exactly what the profile gives today, and is closed."""
    last = _of_profile(cases, "")[-1:]
    return any(
        case.facts.profile == profile.name and bool(case.closed) and _same(case.facts.wanted, profile, systems)
        for case in last
    )


def facts(run: LedgerRun, person: Person, profile: Profile, known: Profiles, *, planned: bool) -> Facts:
    """Return the facts to keep with the case.

    An entitlement that the profile gave before and does not give any more is taken: one that this person's cases gave;
    without such cases, one that anybody's case gave. Every other entitlement stays.

    :raises Refused: no plan is executed.
    :raises InputError: the person has another profile by now.
    """
    act = f"roll out {profile.name} to {person.email}"
    if not planned and not run.read_only:
        raise Refused(
            "a changed profile is rolled out by a plan",
            act=act,
            hint=f"make it with --check, read it, and run it with -e plan=<digest> {option(profile=profile.name)}",
        )
    theirs = known.match(person).name
    if theirs != profile.name:
        raise InputError(f"their profile is {theirs} by now", act=act, hint="make a new plan with --check")
    own = _of_profile(run.ledger.cases(person=person.key), profile.name)
    of = own or _of_profile(run.ledger.cases(), profile.name)
    before: Mapping[str, Wanted] = {}
    for case in of:
        before = joined(before, case.facts.wanted or {})
    why = (
        f"what it gave {'them' if own else 'others'}, by {len(of)} cases" if of else "no case knows what it gave before"
    )
    systems = run.inventory.group("systems")
    given = json.dumps(profile.on(systems), sort_keys=True)
    key = f"{profile.name} {hashlib.sha256(given.encode()).hexdigest()[:12]}"
    return Facts(key=key, old_profile=OldProfile(profile.name, why), explained=before)


def _of_profile(cases: Sequence[Case], name: str) -> list[Case]:
    """Return the cases that gave this profile (any profile, for an empty name), the oldest first."""
    return [
        case
        for case in cases
        if case.meaning.needs_profile and case.facts.profile and name in ("", case.facts.profile) and not case.withdrawn
    ]


def _same(gave: object, profile: Profile, systems: Sequence[str]) -> bool:
    return gave is not None and json.dumps(gave, sort_keys=True) == json.dumps(profile.on(systems), sort_keys=True)
