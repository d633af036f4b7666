#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: mailbox
short_description: Keep a leaver's mailbox reachable for those who take over
version_added: 0.1.0
description:
  - Holds, converts, forwards, answers, delegates and hides a mailbox. What is not given is left as it is; what
    the system does not know is V(unsupported).
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.mailbox_archive
  - module: workforce.lifecycle.meetings_handover
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  hold: {description: "Whether nothing in it can be deleted.", type: bool}
  export:
    description: Whether all of its mail is exported by the system itself, such as Google Vault, which takes its time.
    type: bool
    version_added: 0.2.0
  type: {description: "Whose it is - one person's or shared.", type: str, choices: [user, shared]}
  delegates: {description: "Addresses that have full access.", type: list, elements: str}
  forward_to: {description: "Address that new mail goes to; empty ends forwarding.", type: str}
  keep_copy: {description: "Whether forwarded mail is also kept.", type: bool}
  auto_reply: {description: "What senders are answered; empty ends the answer.", type: str}
  hidden: {description: "Whether address lists leave it out.", type: bool}
  expected:
    description: Whether the person must have a mailbox here. Where a licence gives it, none yet is an open item.
    type: bool
    default: false
    version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Hand a leaver's mailbox over
  workforce.lifecycle.mailbox:
    person: {email: jane@corp.example}
    hold: true
    type: shared
    delegates: [mark@corp.example]
    auto_reply: Jane has left. Mark Chen (mark@corp.example) will help you.
    hidden: true
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Each setting with before and after and outcome.
  returned: always
  type: list
  elements: dict
  sample: [{what: automatic reply, before: "off", after: "on", outcome: done}]
"""

from functools import partial
from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here, refuse_no_person
from ..module_utils.model.person import Person
from ..module_utils.sdk.protocols import Mailbox
from ..module_utils.sdk.values import Account
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import MAILBOX
from ..module_utils.engine.task import Task

#: In this order: what preserves comes first, and full access can be given only to a mailbox that stays.
SETTINGS = ("hold", "export", "type", "delegates", "forward_to", "keep_copy", "auto_reply", "hidden")


def plan(system: Mailbox, want: Mapping[str, Any]) -> list[Change]:
    person = person_here(system, want)
    found = system.mailbox(person)
    if found is None and want["expected"]:
        why = "a licence or a group gives it, and it may take a while: run again; if nothing gives it, correct the profile"
        return [Change("mailbox", "not there", "there", outcome=Outcome.NEEDS_HUMAN, note=why)]
    if found is None:
        return absent("mailbox", f"{person.email} has no mailbox here")
    if found.get("type", "user") != "user":
        refuse_no_person(Account("", person.email, True, no_person=f"the type of the mailbox is {found['type']}"), want)
    changes = []
    for key in SETTINGS:
        if want[key] is None or (key == "export" and not want[key]):
            continue
        value = sorted(address.lower() for address in want[key]) if key == "delegates" else want[key]
        if key not in found:
            changes.append(
                Change(key, None, value, outcome=Outcome.UNSUPPORTED, note="this system has no such setting")
            )
        elif key == "export":
            changes.append(_exported(system, person, found))
        else:
            changes.append(
                Change(key, found[key], value, partial(system.set_mailbox, person, key, value), gate=key == "hold")
            )
    return changes


def _exported(system: Mailbox, person: Person, found: Mapping[str, Any]) -> Change:
    """Return the export, which the system makes in its own time, and keeps for a while only: once it is done, it is done."""
    return Change(
        "export",
        found["export"],
        "exported",
        partial(system.set_mailbox, person, "export", True),
        pending="exporting",
        once=True,
        note=str(found.get("export_note") or ""),
    )


TASK = Task(
    Mailbox,
    plan,
    {
        **PERSON_SPEC,
        "hold": {"type": "bool"},
        "export": {"type": "bool"},
        "type": {"type": "str", "choices": ["user", "shared"]},
        "delegates": {"type": "list", "elements": "str"},
        "forward_to": {"type": "str"},
        "keep_copy": {"type": "bool"},
        "auto_reply": {"type": "str"},
        "hidden": {"type": "bool"},
        "expected": {"type": "bool", "default": False},
    },
    steps=MAILBOX,
)


if __name__ == "__main__":
    TASK.main()
