# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Judges accounts and mailboxes that exist before the joiner's first step: they may belong to somebody from before.

Nothing is given to the joiner unless a person or a rule of policy says that it is theirs. The functions are pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.person import Person


@dataclass(frozen=True)
class Verdict:
    """``stops``: system -> a line about what exists there. ``adopted``: the systems whose account is the joiner's
    own."""

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
    """Decide which accounts are the joiner's.

    :param answers: system -> the account or mailbox that ``existing_info`` found there, or an empty mapping.
    :param adopt: the systems on which, as a named person says, the account is this joiner's.
    :param precreated: the systems on which another program makes a joiner's account first. An account there with the
        joiner's own employee number is theirs, unless the person was here before: then it may be the old one.
    :param earlier: the evidence of an earlier employment of the person, or of an earlier owner of the address; one line
        each.
    """
    stops, adopted = {}, []
    for system, found in answers.items():
        if not found:
            continue
        elses = _somebody_elses(person, found)
        own = (
            person.employee_id
            and found.get("employee_id") == person.employee_id
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
    """Describe what exists, in words."""
    if found["state"] == "ambiguous":
        return str(found["says"])
    facts = [
        found["state"],
        f"of {found['name']}" if found.get("name") else "",
        f"employee {found['employee_id']}" if found.get("employee_id") else "",
        found.get("says") or "",
    ]
    return f"{found['what']} {found['login']} ({', '.join(fact for fact in facts if fact)})"
