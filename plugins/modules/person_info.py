#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: person_info
short_description: Read a person from an HR system
description:
  - Reads the people that answer to O(user), or whose record changed since O(since), as one normalised record each.
  - It returns every match; whoever acts on them must stop on more than one.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
extends_documentation_fragment: [workforce.lifecycle.system]
options:
  user:
    description: E-mail address, employee id or HR id; exactly one of O(user) and O(since).
    type: str
  since:
    description: ISO 8601 moment.
    type: str
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
"""

from typing import Any
from collections.abc import Mapping

from ansible_collections.workforce.lifecycle.plugins.module_utils import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import HrRecords
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Task


def info(system: HrRecords, want: Mapping[str, Any]) -> dict[str, Any]:
    user, since = want["user"], want["since"]
    if bool(user) == bool(since):
        raise InputError("user is both there and not needed: since is given" if user else "user is not given", act="read people",
                         hint="give one of user and since: -e user=jane@corp.example, an employee id, or a list")
    if since:
        try:
            clock.parse(since)
        except ValueError:
            raise InputError(f"since is {since!r}", act="read people", hint="write an ISO 8601 moment: 2026-03-31T17:00:00+02:00") from None
    return {"people": [person.as_dict() for person in (system.find_people(user) if user else system.changes_since(since))]}


TASK = Task(HrRecords, argument_spec={"user": {"type": "str"}, "since": {"type": "str"}}, info=info)

if __name__ == "__main__":
    TASK.main()
