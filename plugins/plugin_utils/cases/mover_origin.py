# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Where a mover comes from: the old profile, who says so, and what it explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.company.profiles import Profile, Profiles
from ...module_utils.model.case import Case, OldProfile, Wanted
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import TRANSFER
from ...module_utils.model.person import Person
from ..ledger.ledger import Ledger

#: HR's facts from before the move: ``attributes.previous_department`` and the like.
PREVIOUS = "previous_"
_FACTS = ("title", "department", "division", "location", "country", "company", "employment_type")


@dataclass(frozen=True)
class Origin:
    """``name`` of the old profile, empty when nobody knows; ``why`` we think so; ``explained`` is what it gave, by system and kind."""

    name: str = ""
    why: str = "neither the ledger nor HR says what the person was, and -e old_profile names none: what the new profile does not give is unexplained"
    explained: Mapping[str, Wanted] = field(default_factory=dict)

    @property
    def profile(self) -> OldProfile:
        """Return the profile as a case keeps it."""
        return OldProfile(self.name, self.why)


def origin(ledger: Ledger, person: Person, new: Profile, known: Profiles, named: str, systems: Sequence[str]) -> Origin:
    """Return the old profile: what somebody names, else the last case in the ledger, else HR's facts from before the move.

    What it explains is what it says today, and what that case gave then.
    """
    if named:
        return _of(known.named(named), "named with -e old_profile", systems)
    cases = [
        case
        for case in ledger.cases(person=person.key)
        if case.meaning.needs_profile and case.facts.profile and not case.withdrawn
    ]
    if cases:
        return _from_case(cases[-1], new, known, systems)
    before: dict[str, Any] = {
        name: person.attributes[f"{PREVIOUS}{name}"] for name in _FACTS if person.attributes.get(f"{PREVIOUS}{name}")
    }
    if before:
        try:
            return _of(
                known.match(replace(person, **before)),
                f"HR says that before it was {', '.join(f'{name} {value}' for name, value in before.items())}",
                systems,
            )
        except InputError as e:
            return replace(Origin(), why=f"{Origin().why}; HR's facts from before the move lead to none: {e.what}")
    return Origin()


def unexplained(policy: Policy, systems: Iterable[str], old: OldProfile | None, new: str) -> dict[str, str]:
    """Return what becomes of what no profile explains, by system: as policy says; who keeps their profile keeps that too.

    Another title, place or manager is no move: the account is brought up to date, and nothing is taken that the profile never gave.
    """
    if old is not None and old.name == new:
        return dict.fromkeys(systems, "keep")
    return {name: policy.transfer.systems.get(name, policy.transfer.unexplained) for name in systems}


def known_as(ledger: Ledger, person: Person, further: Sequence[str]) -> Person:
    """Return the person with every address under which earlier cases knew them: a new one must not make anybody a stranger.

    An address that somebody else has been given since is theirs.
    """
    mine, theirs = dict.fromkeys(alias.strip().lower() for alias in (*person.aliases, *further) if alias.strip()), set()
    for case in ledger.cases() if person.key != person.email else ():
        if case.key == person.key:
            mine.update(dict.fromkeys((case.email, *case.person.get("aliases", ()))))
        else:
            theirs.add(case.email)
    aliases = tuple(
        alias
        for alias in mine
        if alias != person.email and (alias in person.aliases or alias in further or alias not in theirs)
    )
    return replace(person, aliases=aliases) if aliases != person.aliases else person


def _from_case(case: Case, new: Profile, known: Profiles, systems: Sequence[str]) -> Origin:
    gave, name, old = case.facts.wanted or {}, case.facts.profile, case.facts.old_profile
    if case.kind == TRANSFER and old is not None and (name == new.name or not case.closed):
        # This run goes on with that case, and its origin stays; or that move was never through, and what it gave is explained too.
        why = old.why if name == new.name else f"{old.why}; the case {case.id} towards {name} was not through"
        return Origin(old.name, why, joined(case.facts.explained, {} if name == new.name else gave))
    today = known.by_name.get(name)
    now = _of(today, "", systems).explained if today else {}
    return Origin(name, f"the case {case.id} gave it", joined(gave, now))


def _of(profile: Profile, why: str, systems: Sequence[str]) -> Origin:
    return Origin(profile.name, why, {name: profile.wanted(name) for name in systems if name in profile.systems})


def joined(one: Mapping[str, Wanted], other: Mapping[str, Wanted]) -> dict[str, dict[str, list[str]]]:
    """Return what either gives, by system and kind."""
    return {
        system: {
            kind: list(dict.fromkeys((*one.get(system, {}).get(kind, ()), *other.get(system, {}).get(kind, ()))))
            for kind in dict.fromkeys((*one.get(system, {}), *other.get(system, {})))
        }
        for system in dict.fromkeys((*one, *other))
    }
