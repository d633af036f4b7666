#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: ownership
short_description: Hand over or revoke what a leaver owns
version_added: 0.1.0
description:
  - Finds what a person owns on a system - repositories, keys, automations, servers - and settles each thing so that it lives on or ends.
  - What only a person can judge is reported as V(needs_human) with the reason, and never touched.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.files_handover
  - module: workforce.lifecycle.cutoff
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  successor: {description: "Address of who takes over. Empty leaves to a person what somebody must take over; the rest is settled.", type: str, required: true}
"""

EXAMPLES = r"""
- name: Mark takes over what Jane owned
  workforce.lifecycle.ownership:
    person: {email: jane@corp.example}
    successor: mark@corp.example
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Each owned thing; C(after) is empty when it is no longer the person's.
  returned: always
  type: list
  elements: dict
  sample: [{what: key AKIA1, before: jane, after: "", outcome: done}]
"""

from typing import Any
from collections.abc import Mapping
from dataclasses import replace

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_and_account
from ..module_utils.sdk.protocols import Ownership
from ..module_utils.sdk.values import Account, Owned
from ..module_utils.model.errors import InputError
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import OWNERSHIP
from ..module_utils.engine.task import Task
from ..module_utils.people.undo import REVOKED, SHUT_OUT


def plan(system: Ownership, want: Mapping[str, Any]) -> list[Change]:
    person, account = person_and_account(system, want)
    successor = want["successor"].strip().lower()
    if successor and "@" not in successor or successor == person.email:
        raise InputError(
            f"successor is {want['successor']!r}",
            act=f"hand over what {person.email} owns",
            hint="name the address of somebody else",
        )
    if account is None:
        return absent("account", f"{person.email} has no account here")
    if person.personal_email:  # what HR knows of them, and the system may not
        account = replace(account, attributes={**account.attributes, "personal_email": person.personal_email})
    return [_settled(system, account, owned, successor) for owned in system.owned(account)]


_TAKEN = {"revoke": REVOKED, "shut_out": SHUT_OUT}


def _settled(system: Ownership, account: Account, owned: Owned, successor: str) -> Change:
    what, before = f"{owned.kind} {owned.name}", f"of {account.login}"
    if owned.settle == "decide":
        note = str(owned.raw.get("why") or "") or f"decide what becomes of it; {successor or 'nobody'} is the successor"
        return Change(what, before, before, outcome=Outcome.NEEDS_HUMAN, note=note, lasting=owned.lasting)
    if owned.settle == "reassign" and not successor:
        note = "nobody is named who takes it over: run again with -e successor=ADDRESS"
        return Change(what, before, before, outcome=Outcome.NEEDS_HUMAN, note=note)
    heir = f"stays with {successor}, who owns it too" if successor in owned.beside else f"goes to {successor}"
    note = _TAKEN.get(owned.settle, heir)
    return Change(what, before, None, lambda: system.reassign(account, owned, successor), note=note)


TASK = Task(Ownership, plan, {**PERSON_SPEC, "successor": {"type": "str", "required": True}}, steps=OWNERSHIP)


if __name__ == "__main__":
    TASK.main()
