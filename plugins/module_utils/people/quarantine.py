# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A joiner whose account or mailbox is there already: somebody's from before, who may be the same person. Nothing of it is taken over
without a word. Pure functions over what the systems answered and the ledger knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.person import Person


@dataclass(frozen=True)
class Verdict:
    """``stops``: what exists, system by system, a line each. ``adopted``: systems whose account is taken for the joiner's own."""

    stops: Mapping[str, str] = field(default_factory=dict)
    adopted: tuple[str, ...] = ()


def judge(
    person: Person,
    answers: Mapping[str, Mapping[str, Any]],
    *,
    adopt: Collection[str],
    precreated: Collection[str],
    earlier: Sequence[str],
) -> Verdict:
    """Return what of it is the joiner's.

    :param answers: system -> what M(existing_info) found there, or an empty mapping.
    :param adopt: systems of which somebody says that what is there is this person's.
    :param precreated: systems on which others make a joiner's account first. One with the joiner's own employee number is theirs
        there, unless the person was here before: then it may be the old one.
    :param earlier: what shows an earlier life of the person or the address, a line each.
    """
    stops, adopted = {}, []
    for system, found in answers.items():
        if not found:
            continue
        elses = _somebody_elses(person, found)
        own = (
            found.get("employee_id")
            and not elses
            and system in precreated
            and found["state"] == "active"
            and not earlier
        )
        if not elses and (system in adopt or own):
            adopted.append(system)
        else:
            stops[system] = (
                f"{system}: {described(found)}{': it is not theirs to adopt' if elses and system in adopt else ''}"
            )
    return Verdict(stops, tuple(adopted))


def _somebody_elses(person: Person, found: Mapping[str, Any]) -> bool:
    number = found.get("employee_id")
    return found["state"] == "ambiguous" or bool(number and person.employee_id and number != person.employee_id)


def described(found: Mapping[str, Any]) -> str:
    """Return what was found, in words."""
    if found["state"] == "ambiguous":
        return str(found["says"])
    facts = [
        found["state"],
        f"of {found['name']}" if found.get("name") else "",
        f"employee {found['employee_id']}" if found.get("employee_id") else "",
        found.get("says") or "",
    ]
    return f"{found['what']} {found['login']} ({', '.join(fact for fact in facts if fact)})"
