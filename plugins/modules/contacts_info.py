#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: contacts_info
short_description: Say who people are, and whom it concerns when they come or go
version_added: 0.1.0
description:
  - Reads people by the id that HR gave them, with their manager and buddy as HR names them, for notices and for the bridge's console.
  - What it found is handed over as C(set_stats) does, by HR system.
  - A manager or buddy who does not work there any more is left out, so that nobody outside is written to.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.person_info
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system]
options:
  users:
    description: HR ids. An entry is never split. An empty list asks for nobody.
    type: list
    elements: str
    default: []
  buddy:
    description: The HR fact that holds the buddy's address or employee number.
    type: str
    default: buddy
"""

EXAMPLES = r"""
- name: Who is it?
  workforce.lifecycle.contacts_info:
    users: ["107"]
"""

RETURN = r"""
contacts:
  description: By HR id, those whom HR knows.
  returned: success
  type: dict
  sample: {"107": {name: Jane Roth, address: jane@corp.example, department: Sales, manager: {name: Mark Ito, address: mark@corp.example}}}
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.task import Task
from ..module_utils.model.person import Person
from ..module_utils.sdk.protocols import HrRecords, HrSource

#: Above so many the HR system is read as a whole where it can be, rather than once for each.
_MANY = 10


def info(system: HrRecords, want: Mapping[str, Any]) -> dict[str, Any]:
    ids = list(dict.fromkeys(str(one).strip() for one in want["users"]))
    whole = tuple(system.overview().people) if len(ids) > _MANY and isinstance(system, HrSource) else None
    look = _Look(system, whole)
    found = {one: look.person(f"key:{one}") for one in ids if one}
    contacts = {
        one: _card(person, look.manager_of(person), look.buddy_of(person, want["buddy"]))
        for one, person in found.items()
        if person is not None
    }
    return {"contacts": contacts}


class _Look:
    """People by name (``key:107``, ``email:...``), each asked for once. The key is what cases are named by."""

    def __init__(self, system: HrRecords, whole: tuple[Person, ...] | None) -> None:
        self._system, self._known = system, dict[str, "Person | None"]()
        self._index: dict[str, list[Person]] | None = None
        if whole is not None:
            self._index = {}
            for person in whole:
                for name in ("key", "employee_id", "email"):
                    self._index.setdefault(f"{name}:{getattr(person, name)}".casefold(), []).append(person)

    def person(self, name: str) -> Person | None:
        """Return the one whom exactly this is; None when there is nobody, or more than one."""
        if name not in self._known:
            if self._index is not None:
                people = self._index.get(name.casefold(), [])
            else:
                kind, _colon, value = name.partition(":")
                found = self._system.find_people(value)
                people = [one for one in found if getattr(one, kind).casefold() == value.casefold()]
            self._known[name] = people[0] if len(people) == 1 else None
        return self._known[name]

    def manager_of(self, person: Person) -> Person | None:
        if person.manager_employee_id:
            return self.person(f"employee_id:{person.manager_employee_id}")
        return self.person(f"email:{person.manager_email}") if person.manager_email else None

    def buddy_of(self, person: Person, fact: str) -> Person | None:
        named = person.attributes.get(fact, "").strip()
        return self.person(f"{'email' if '@' in named else 'employee_id'}:{named}") if named else None


def _card(person: Person, manager: Person | None, buddy: Person | None) -> dict[str, Any]:
    return {
        "name": person.name,
        "address": person.email,
        "private": person.personal_email,
        "title": person.title,
        "department": person.department,
        "location": person.location,
        "language": person.preferred_language,
        "hire_date": person.hire_date,
        "last_day": person.last_working_day or person.termination_date,
        "manager": _contact(manager, person),
        "buddy": _contact(buddy, person),
    }


def _contact(one: Person | None, of: Person) -> dict[str, str]:
    """Return a contact's facts; none of somebody who has left or is the person themselves."""
    if one is None or one.status not in ("active", "leave") or one.key == of.key:
        return {}
    return {"name": one.name, "address": one.email, "language": one.preferred_language}


def _contacts(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    """Hand over the contacts by HR system."""
    return {"contacts": {result["system"]: result["contacts"]}} if "contacts" in result else {}


TASK = Task(
    HrRecords,
    info=info,
    hands_over=_contacts,
    argument_spec={
        "users": {"type": "list", "elements": "str", "default": []},
        "buddy": {"type": "str", "default": "buddy"},
    },
)

if __name__ == "__main__":
    TASK.main()
