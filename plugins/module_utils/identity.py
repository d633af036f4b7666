# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who is meant: exactly one person, or nothing happens."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import AmbiguousIdentity, InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.person import Person


def identified(user: str, found: Sequence[Mapping[str, Any]], kind: str) -> Person:
    matches = {}
    for answer in found:
        for record in answer["people"]:
            person = Person.of(record)
            if user.casefold() in (person.email.casefold(), person.employee_id.casefold(), person.hr_id.casefold()):
                matches[answer["system"], person.key] = person
    act = f"{kind} {user}"
    if not matches:
        asked = ", ".join(answer["system"] for answer in found) or "no HR system answered"
        raise InputError(
            "nobody in HR has this e-mail address, employee id or HR id", act=act, system=asked, hint="correct user; give the address as HR has it"
        )
    if len(matches) > 1:
        who = "; ".join(f"{system}: {p.name}, {p.employee_id or p.hr_id}, {p.department or 'no department'}, {p.status}"
                        for (system, _key), p in matches.items())
        raise AmbiguousIdentity(f"{len(matches)} people answer to it ({who})", act=act, hint="give the employee id instead")
    person = next(iter(matches.values()))
    if kind == "onboard" and person.status == "terminated":
        raise InputError(f"HR says that {person.name} has left ({person.termination_date or 'no date'})", act=act, hint="correct HR first")
    return person
