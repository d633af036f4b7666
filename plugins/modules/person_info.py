#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: person_info
short_description: Read a person from an HR system
version_added: 0.1.0
description:
  - Reads the people that answer to O(user), or whose record changed since O(since), as one normalised record each.
  - It returns every match; a play that acts on the result must stop on more than one.
  - Where the HR system is read as a whole for that anyway, it also says who may be the same human being in another record, and, when
    asked to, what the whole source looked like.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.people_snapshot
  - module: workforce.lifecycle.hr_feed
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system]
options:
  user:
    description:
      - E-mail address, employee id or HR id; exactly one of O(user), O(users), O(since) and O(others_of).
      - V(hr_id:107), V(employee_id:107) and V(email:...) say which of them it is.
    type: str
  users:
    description:
      - Several of them, each as O(user) is. A text is split at commas; an entry of a list never is.
      - An empty list asks for nobody.
    type: list
    elements: str
  since:
    description: ISO 8601 moment.
    type: str
  others_of:
    description: People whom other HR systems found. Returns only RV(related).
    type: list
    elements: dict
    default: []
  elsewhere:
    description: Whether O(others_of) is whom the other HR systems of the inventory found in this run. Nothing is asked when they found nobody.
    type: bool
    default: false
  look:
    description: Whether to return RV(look) and RV(hashed_keys).
    type: bool
    default: false
  about:
    description:
      - Others of whom it is asked whether they are here, such as a successor; filled in by the collection. Managers of the people found are
        asked for by themselves.
    type: list
    elements: str
    default: []
  logins:
    description: How logins are made on each system, by its name, for RV(hashed_keys). Filled in by the collection.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Who is it?
  workforce.lifecycle.person_info:
    user: jane@corp.example
  register: hr
"""

RETURN = r"""
people:
  description: The people found; none is an answer.
  returned: success
  type: list
  elements: dict
  sample: [{email: jane@corp.example, employee_id: E1007, first_name: Jane, status: terminated}]
related:
  description: Records that have something in common with the people found that no two people have - an id, an address, name and birth date.
  returned: success
  type: list
  elements: dict
  sample: [{email: j.roth@corp.example, why: the same birth date and first name}]
refused:
  description: Records that nobody can be acted on by, a line each with the record's place.
  returned: when there are any
  type: list
  elements: str
  sample: ["people.csv:14: the number has characters that no number has"]
present:
  description: What HR has of the others who were asked about, by the name that was asked for; an empty list is nobody.
  returned: with O(users) or O(user)
  type: dict
  sample: {mark@corp.example: [{email: mark@corp.example, employee_id: E1002, status: active}]}
asked:
  description: Whom the source was asked about.
  returned: with O(users) or O(user)
  type: list
  elements: str
  sample: [jane@corp.example]
look:
  description: What the source looked like as a whole, for M(workforce.lifecycle.case); of people only hashes. Empty where the source cannot be read as a whole.
  returned: success
  type: dict
  sample: {people: 240, active: 231}
hashed_keys:
  description: What all people of the source answer to, hashed, so that no account of one is taken for another's. Taken by the collection itself.
  returned: with O(look)
  type: str
  sample: /run/user/1000/lifecycle-keys-x1
"""

import base64
from typing import Any
from collections.abc import Mapping, Sequence

from ..module_utils.model import clock
from ..module_utils.sdk.protocols import HrRecords, HrSource
from ..module_utils.model.errors import InputError
from ..module_utils.people.hr_look import Look, refusals
from ..module_utils.people.others import pack
from ..module_utils.people.identity import asked, names_met, related
from ..module_utils.model.person import Person
from ..module_utils.sdk.keys import same_text
from ..module_utils.engine.task import Task


def info(system: HrRecords, want: Mapping[str, Any]) -> dict[str, Any]:
    since, others = want["since"], want["others_of"]
    users = _users(want)
    if sum((users is not None, bool(since), bool(others))) != 1 or users == [""]:
        raise InputError(
            "more than one of user, since and others_of is given" if users != [""] and users else "user is not given",
            act="read people",
            hint="give one of user and since: -e user=jane@corp.example, an employee id, or a list",
        )
    if since:
        try:
            clock.parse(since)
        except ValueError:
            raise InputError(
                f"since is {since!r}", act="read people", hint="write an ISO 8601 moment: 2026-03-31T17:00:00+02:00"
            ) from None
        return _answer(system, system.changes_since(since), [], want)
    if others:
        return _answer(system, [], _beside(system, [Person.of(record) for record in others], own=False), want)
    people: list[Person] = []
    beside: list[Person] = []
    for user in users or ():
        these = [person for person in system.find_people(asked(user)[1]) if names_met(person, user)]
        people += these
        beside += _beside(system, these, own=True)
    names = dict.fromkeys(name for name in (*want["about"], *(person.manager_email for person in people)) if name)
    present = {name: [person.as_dict() for person in _called(system, name)] for name in names}
    answer = _answer(system, people, beside, {**want, "look": want["look"] and bool(users)})
    return {**answer, "present": present, "asked": users or []}


def _called(system: HrRecords, name: str) -> Sequence[Person]:
    """Return people with this address, number or id; or with this full name, where the system shows everybody."""
    found = system.find_people(asked(name)[1])
    if found or "@" in name or not isinstance(system, HrSource):
        return found
    return [one for one in system.overview().people if same_text(one.name, name) and one.name != one.email]


def _users(want: Mapping[str, Any]) -> list[str] | None:
    """Return whom the task asks for; ``[""]`` when it names nobody, None when it does not ask for people by name."""
    given = want["users"]
    if given is None:
        return [want["user"].strip()] if want["user"] is not None else None
    named = list(dict.fromkeys(user.strip() for user in given if user.strip()))
    return named if named or not given else [""]


def _beside(system: HrRecords, people: Sequence[Person], *, own: bool) -> list[Person]:
    return list(related(people, system.overview().people, own=own)) if people and isinstance(system, HrSource) else []


def _answer(
    system: HrRecords, people: Sequence[Person], beside: Sequence[Person], want: Mapping[str, Any]
) -> dict[str, Any]:
    whole = system.overview() if want["look"] and isinstance(system, HrSource) else None
    keys = base64.b64encode(pack(whole.people, want["logins"])).decode() if whole is not None else ""
    return {
        "people": [person.as_dict() for person in people],
        "related": [person.as_dict() for person in beside],
        "look": Look.of(whole).as_dict() if whole is not None else {},
        **({"hashed_keys": keys} if keys else {}),
        **refusals(system),
    }


TASK = Task(
    HrRecords,
    info=info,
    argument_spec={
        "user": {"type": "str"},
        "users": {"type": "list", "elements": "str"},
        "since": {"type": "str"},
        "others_of": {"type": "list", "elements": "dict", "default": []},
        "elsewhere": {"type": "bool", "default": False},
        "look": {"type": "bool", "default": False},
        "about": {"type": "list", "elements": "str", "default": []},
        "logins": {"type": "dict", "default": {}},
    },
)

if __name__ == "__main__":
    TASK.main()
