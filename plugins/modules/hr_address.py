#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: hr_address
short_description: Tell HR the address and the logins that a joiner was given
version_added: 0.2.0
description:
  - Where the HR system has a rule for work addresses (its option C(address)), what the rule made for somebody is written to HR's record and read back.
    So is the login at each system that HR has an empty field for, as the ledger knows it.
  - What HR has already stays, whatever it is. Where HR can't be written to, or policy says that it must not be, each value is an open step of a person.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.person_info
  - name: "Who is meant"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/identity.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  write_back:
    description: Whether HR's record may be written; C(hr.write_back) of the policy.
    type: bool
    default: true
  policy:
    description: The policy's file, which then says it.
    type: path
"""

EXAMPLES = r"""
- name: HR learns Ada's address
  workforce.lifecycle.hr_address:
    person: {email: ada@corp.example, hr_id: "120", first_name: Ada, last_name: Núñez}
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: The work address, and each login that HR has a field for.
  returned: always
  type: list
  elements: dict
  sample: [{what: work address, before: "", after: ada.berg@corp.example, outcome: done}]
"""

from functools import partial
from typing import Any
from collections.abc import Mapping

from ..module_utils.company.policy import load_policy
from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import Known
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import HR_ADDRESS
from ..module_utils.engine.task import Task
from ..module_utils.model.person import Person
from ..module_utils.sdk.protocols import AddressMaker, HrRecords, HrWriting
from ..module_utils.sdk.values import WORK_ADDRESS


def plan(system: HrRecords, want: Mapping[str, Any]) -> list[Change]:
    person = Person.of(want["person"])
    if not isinstance(system, AddressMaker):
        return absent(WORK_ADDRESS, "it makes no addresses: what HR has is HR's own")
    mine = [one for one in system.find_people(person.key) if one.email == person.email]
    if len(mine) != 1:
        return absent(WORK_ADDRESS, f"{person.email} is not in this HR system")
    has = system.in_hr(mine[0])
    logins = Known.of(want).logins
    given = {WORK_ADDRESS: person.email, **{name: logins[name] for name in has if name in logins}}
    may = load_policy(want["policy"]).hr.write_back if want["policy"] else want["write_back"]
    return [_entry(system, mine[0], name, has.get(name, ""), value, may=may) for name, value in given.items()]


def _entry(system: AddressMaker, person: Person, name: str, has: str, value: str, *, may: bool) -> Change:
    what = name if name == WORK_ADDRESS else f"login at {name}"
    if has:
        return Change(what, has, has, note="HR's own")
    if may and isinstance(system, HrWriting) and (name == WORK_ADDRESS or system.WRITES_LOGINS):
        return Change(what, has, value, partial(system.tell_hr, person, name, value))
    why = "policy lets nobody write to it (hr.write_back)" if not may else "it can't be written to from here"
    note = f"tell HR: {value} is the {what} of {person.name} ({person.key}); {why}"
    return Change(what, has, value, outcome=Outcome.NEEDS_HUMAN, note=note)


TASK = Task(
    HrRecords,
    plan,
    {
        **PERSON_SPEC,
        "write_back": {"type": "bool", "default": True},
        "policy": {"type": "path"},
    },
    steps=HR_ADDRESS,
)


if __name__ == "__main__":
    TASK.main()
