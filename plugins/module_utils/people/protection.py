# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""People whom policy protects: nothing begins for them, and nothing at all while they cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..company.policy import Policy
from ..model.errors import Protected
from ..model.person import Person


def refuse_protected_people(
    policy: Policy, people: Sequence[Person], answers: Sequence[Mapping[str, Any]], act: str
) -> None:
    """Stop before anything is done to somebody who is protected.

    :param answers: what ``protected_info`` read, each with its ``system``.
    :param act: what is about to happen to them, for the message.
    :raises Protected: policy says that no run may touch one of them, or who is protected could not be read.
    """
    read = {
        (answer["system"], members["kind"], members["name"]): {name.casefold() for name in members["members"]}
        for answer in answers
        for members in answer["members"]
    }
    for person in people:
        doing = f"{act} {person.email}"
        why = policy.protects(person)
        if why:
            raise Protected(why, act=doing, hint="no run may touch them")
        names = {
            name.casefold()
            for name in (person.email, person.hr_id, person.employee_id, *person.aliases, *person.logins.values())
            if name
        }
        for group in policy.protected.members:
            if (group.system, group.kind, group.name) not in read:
                raise Protected(
                    f"who is in {group.name} of {group.system} was not read, so that nobody knows whom it protects",
                    act=doing,
                    hint="run a playbook of the collection, or the module protected_info before",
                )
            if names & read[group.system, group.kind, group.name]:
                raise Protected(
                    f"they are in {group.name} of {group.system}, which is protected ({policy.file})",
                    act=doing,
                    hint="no run may touch them",
                )
