# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""People whom policy protects: nothing begins for them, and nothing at all while they cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from ..company.policy import Policy
from ..model.answers import ProtectedAnswer
from ..model.errors import Protected
from ..model.person import Person

_NOT_READ = "so that nobody knows whom it protects"
_UNREAD = "run a playbook of the collection, or the module protected_info before"


def refuse_protected_people(
    policy: Policy, people: Sequence[Person], answers: Sequence[ProtectedAnswer], act: str
) -> None:
    """Stop before anything is done to somebody who is protected.

    :param answers: what ``protected_info`` read, each with its ``system``.
    :param act: what is about to happen to them, for the message.
    :raises Protected: policy says that no run may touch one of them, or who is protected could not be read.
    """
    for person in people:
        why = policy.protects(person) or protected_by_group(policy, person, answers)
        if why:
            raise Protected(
                why, act=f"{act} {person.email}", hint=_UNREAD if why.endswith(_NOT_READ) else "no run may touch them"
            )


def protected_by_group(policy: Policy, person: Person, answers: Sequence[ProtectedAnswer]) -> str:
    """Return why a person's groups protect them: they are in one that policy names, or its members were not read.

    :param answers: as in :func:`refuse_protected_people`.
    :returns: a sentence, empty when nothing protects them.
    """
    read = {
        (answer["system"], members["kind"], members["name"]): {name.casefold() for name in members["members"]}
        for answer in answers
        for members in answer["members"]
    }
    names = {
        name.casefold()
        for name in (person.email, person.hr_id, person.employee_id, *person.aliases, *person.logins.values())
        if name
    }
    for group in policy.protected.members:
        known = read.get((group.system, group.kind, group.name))
        if known is None:
            return f"who is in {group.name} of {group.system} was not read, {_NOT_READ}"
        if names & known:
            return f"they are in {group.name} of {group.system}, which is protected ({policy.file})"
    return ""
