# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds a mover's old profile: by whom it is known, and what it explains."""

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

#: The prefix of HR's facts from before the move: ``attributes.previous_department``.
PREVIOUS = "previous_"
_FACTS = ("title", "department", "division", "location", "country", "company", "employment_type")


@dataclass(frozen=True)
class Origin:
    """The old profile: its ``name``, empty when nobody knows; the reason (``why``); and what it gave, by system and
    kind (``explained``)."""

    name: str = ""
    why: str = "neither the ledger nor HR says what the person was, and -e old_profile names none: what the new profile does not give is unexplained"
    explained: Mapping[str, Wanted] = field(default_factory=dict)

    @property
    def profile(self) -> OldProfile:
        """Return the profile in the form that a case keeps."""
        return OldProfile(self.name, self.why)


def origin(ledger: Ledger, person: Person, new: Profile, known: Profiles, named: str, systems: Sequence[str]) -> Origin:
    """Return the old profile: the one that the run names, else that of the last case in the ledger, else by HR's facts
    from before.

    It explains what the profile gives today, and what that case gave then.
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
    """Return policy's rule for unexplained entitlements, by system; ``keep`` when the profile stays the same.

    A new title, place or manager with the same profile is no move: the account is brought up to date, and nothing is
    taken.
    """
    if old is not None and old.name == new:
        return dict.fromkeys(systems, "keep")
    return {name: policy.transfer.systems.get(name, policy.transfer.unexplained) for name in systems}


def known_as(ledger: Ledger, person: Person, further: Sequence[str]) -> Person:
    """Return the person with every address of their earlier cases, so that their accounts are found after a new
    address.

    An address that somebody else has now is left out.
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
        # This run continues that case, and the old profile stays; or that move was not finished, and what it gave is
        # explained too.
        why = old.why if name == new.name else f"{old.why}; the case {case.id} towards {name} was not through"
        return Origin(old.name, why, joined(case.facts.explained, {} if name == new.name else gave))
    today = known.by_name.get(name)
    now = _of(today, "", systems).explained if today else {}
    return Origin(name, f"the case {case.id} gave it", joined(gave, now))


def _of(profile: Profile, why: str, systems: Sequence[str]) -> Origin:
    return Origin(profile.name, why, {name: profile.wanted(name) for name in systems if name in profile.systems})


def joined(one: Mapping[str, Wanted], other: Mapping[str, Wanted]) -> dict[str, dict[str, list[str]]]:
    """Return what one or the other gives, by system and kind."""
    return {
        system: {
            kind: list(dict.fromkeys((*one.get(system, {}).get(kind, ()), *other.get(system, {}).get(kind, ()))))
            for kind in dict.fromkeys((*one.get(system, {}), *other.get(system, {})))
        }
        for system in dict.fromkeys((*one, *other))
    }
