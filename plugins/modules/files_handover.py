#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: files_handover
short_description: Hand a leaver's files to the successor and end their sharing links
version_added: 0.1.0
description: Gives the successor ownership of, or full access to, the person's own file space, and ends every link that the person shared.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.ownership
  - module: workforce.lifecycle.mailbox
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  successor: {description: "Address of who takes the files over.", type: str, required: true}
  end_sharing: {description: "Whether links that were shared end.", type: bool, default: true}
"""

EXAMPLES = r"""
- name: Mark takes Jane's files over
  workforce.lifecycle.files_handover:
    person: {email: jane@corp.example}
    successor: mark@corp.example
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: The file space and its links.
  returned: always
  type: list
  elements: dict
  sample: [{what: drive, before: jane@corp.example, after: mark@corp.example, outcome: done}]
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import Files
from ..module_utils.model.errors import InputError
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import HANDED_OVER
from ..module_utils.engine.task import Task


def plan(system: Files, want: Mapping[str, Any]) -> list[Change]:
    person, successor = person_here(system, want), want["successor"].lower()
    if "@" not in successor:
        raise InputError(
            f"successor is {want['successor']!r}",
            act=f"hand over files of {person.email}",
            hint="name an e-mail address",
        )
    found = system.files(person)
    if found is None:
        return absent("files", f"{person.email} has no files here")
    owned, under_way = ([a.lower() for a in found.get(key) or ()] for key in ("owners", "pending"))
    moving = f"on their way to {successor}"
    state = (
        f"open to {successor}"
        if successor in owned
        else moving
        if successor in under_way
        else f"not open to {successor}"
    )
    changes = [
        Change(
            "files",
            state,
            f"open to {successor}",
            lambda: system.hand_over_files(person, successor),
            pending=moving,
            note=f"{found['items']} items, {found['bytes']} bytes" if "items" in found else "",
        )
    ]
    if want["end_sharing"] and "shared_links" in found:
        changes.append(Change("sharing links", found["shared_links"], 0, lambda: system.end_sharing(person)))
    elif want["end_sharing"]:
        note = "this system does not show which links lead to the files: their new owner looks"
        changes.append(Change("sharing links", None, 0, outcome=Outcome.UNSUPPORTED, note=note))
    return changes


TASK = Task(
    Files,
    plan,
    {**PERSON_SPEC, "successor": {"type": "str", "required": True}, "end_sharing": {"type": "bool", "default": True}},
    steps=HANDED_OVER,
)


if __name__ == "__main__":
    TASK.main()
