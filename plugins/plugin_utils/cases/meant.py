# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the people whom a run's ``user`` means, and refuses runs that are not possible for them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...module_utils.company.policy import Policy
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import OFFBOARD, TRANSFER, WITHDRAW, kind_of
from ...module_utils.model.person import Person
from ...module_utils.people.identity import Records, elsewhere, identified
from ...module_utils.people.separation import within
from ..approval.plans import PlanHead
from ..ledger.run import LedgerRun
from .mover_origin import known_as

if TYPE_CHECKING:
    from ...module_utils.company.profiles import Profile, Profiles


def users(want: Mapping[str, Any]) -> list[str]:
    """Return the names in ``user``, each once.

    :raises InputError: there are none, or several where only one may be.
    """
    named = list(dict.fromkeys(user.strip() for user in want["user"] if user.strip()))
    if not named:
        raise InputError("user is empty", act="open case", hint="-e user=jane@corp.example, an employee id, or a list")
    if want["former"] and len(named) > 1:
        raise InputError(
            "former is one person's, and several are named", act="open case", hint="rename them one by one"
        )
    return named


def known(run: LedgerRun, want: Mapping[str, Any], user: str, records: Records | None) -> Person:
    """Return the person who is meant, with every address and login that their accounts may have."""
    person, further = _meant(run, want, user, records), list(want["former"])
    if records is not None and want["kind"] in (TRANSFER, OFFBOARD):
        # A person who moves between two employments, or leaves the last one, may have accounts from the other one.
        addresses, logins = elsewhere(user, records, said(want)["distinct"])
        person, further = replace(person, logins={**logins, **person.logins}), [*further, *addresses]
    return known_as(run.ledger, person, further)


def _meant(run: LedgerRun, want: Mapping[str, Any], user: str, records: Records | None) -> Person:
    """Return the one person who is meant; without an HR system, a person with that address.

    HR may withdraw a hire by deleting its record: then the case has the person's data, and a named person must say so.
    """
    if records is None:
        return Person.of({"email": user})
    if want["kind"] == WITHDRAW and want["of"] and want["withdrawn_by"].strip() and not records.answering(user):
        return run.ledger.case(want["of"]).who
    against = said(want)
    return identified(
        user, records, want["kind"], policy=run.policy, despite_hr=against["despite_hr"], distinct=against["distinct"]
    )


def said(want: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of this run that contradict HR."""
    return {
        "despite_hr": (want.get("despite_hr") or "").strip(),
        "distinct": [one.strip() for one in want.get("distinct") or () if one.strip()],
    }


def refuse_together(policy: Policy, people: Sequence[Person], profiles: Sequence[Profile | None], kind: str) -> None:
    """Refuse a profile that alone gives two entitlements that nobody may hold together.

    :raises Refused: names the pair.
    """
    if not policy.separation:
        return
    for person, profile in zip(people, profiles, strict=True):
        lines = within(policy.separation, profile.systems, profile.name) if profile is not None else []
        if lines:
            raise Refused(
                "; ".join(lines),
                act=f"{kind} {person.email}",
                hint=f"correct the profile {profile.file if profile else ''}, or separation in {policy.file}",
            )


def refuse_other_plan(plan: PlanHead | None, people: Sequence[Person], want: Mapping[str, Any]) -> None:
    """Refuse a plan of another kind, or for other people.

    :raises InputError: names the difference.
    """
    if plan is None:
        return
    act = f"execute plan {plan['digest'][:12]}"
    if plan["kind"] != want["kind"]:
        raise InputError(
            f"it is a plan to {plan['kind']}, and this run is to {want['kind']}",
            act=act,
            hint="run the playbook that it was made with",
        )
    planned, meant = {person["key"] for person in plan["people"]}, {person.key for person in people}
    if planned != meant:
        others = [person["email"] for person in plan["people"] if person["key"] not in meant] + [
            p.email for p in people if p.key not in planned
        ]
        raise InputError(
            f"it is for {', '.join(person['email'] for person in plan['people'])}",
            act=act,
            hint=f"not the same: {', '.join(others)}",
        )


def known_profiles(want: Mapping[str, Any], run: LedgerRun) -> Profiles | None:
    """Return the company's access profiles; None for a kind of case that needs none."""
    if not kind_of(want["kind"]).needs_profile:
        return None
    if not want["profiles"]:
        raise InputError(
            "no folder of access profiles is named",
            act=want["kind"],
            hint="set lifecycle_profiles, or profiles: in the systems file",
        )
    # A leaver needs no profile, and their cut must not wait for this import.
    from ...module_utils.company.profiles import load_profiles

    return load_profiles(
        want["profiles"], {name: facts["connector"] for name, facts in run.inventory.systems().items()}
    )


def profiles_of(people: Sequence[Person], want: Mapping[str, Any], known: Profiles | None) -> list[Profile | None]:
    if known is None:
        return [None for _unused in people]
    return [known.named(want["profile"]) if want["profile"] else known.match(person) for person in people]
