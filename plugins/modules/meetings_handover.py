#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: meetings_handover
short_description: Settle the meetings that a leaver organises
version_added: 0.1.0
description:
  - Hands each future meeting over to the successor, or cancels it when there is none, so that no room and no
    calendar keeps waiting for somebody who left.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.meeting
  - module: workforce.lifecycle.mailbox
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  successor: {description: "Address of who takes them over.", type: str, default: ""}
  without_successor:
    description: What becomes of them when there is no successor. They wait for one, as the other hand-overs do, or are cancelled at once.
    type: str
    choices: [wait, cancel]
    default: wait
  comment: {description: "The message to the attendees.", type: str, default: ""}
"""

EXAMPLES = r"""
- name: Mark takes Jane's meetings over
  workforce.lifecycle.meetings_handover:
    person: {email: jane@corp.example}
    successor: mark@corp.example
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Each meeting.
  returned: always
  type: list
  elements: dict
  sample: [{what: Weekly review, before: jane@corp.example, after: mark@corp.example, outcome: done}]
"""

from functools import partial
from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import Calendar
from ..module_utils.sdk.values import Meeting
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.steps import HANDED_OVER
from ..module_utils.engine.task import Task


def plan(system: Calendar, want: Mapping[str, Any]) -> list[Change]:
    person = person_here(system, want)
    successor, comment = want["successor"].lower(), want["comment"] or f"{person.name} has left."

    def settle(meeting: Meeting) -> None:
        if successor:
            system.hand_over_meeting(person, meeting, successor)
        else:
            system.cancel_meeting(person, meeting, comment)

    named: dict[str, int] = {}
    changes = []
    for meeting in sorted(system.future_meetings(person), key=lambda m: (m.start, m.id)):
        what = f"meeting {meeting.subject}, {meeting.start}"
        named[what] = named.get(what, 0) + 1
        if named[what] > 1:
            what = f"{what} ({named[what]})"
        changes.append(
            Change(
                what,
                f"organised by {person.email}",
                None,
                partial(settle, meeting),
                outcome=None if successor or want["without_successor"] == "cancel" else Outcome.NEEDS_HUMAN,
                note=f"handed over to {successor}"
                if successor
                else "cancelled"
                if want["without_successor"] == "cancel"
                else "nobody takes it over yet: name a successor, or say without_successor=cancel",
            )
        )
    return changes


TASK = Task(
    Calendar,
    plan,
    {
        **PERSON_SPEC,
        "successor": {"type": "str", "default": ""},
        "without_successor": {"type": "str", "choices": ["wait", "cancel"], "default": "wait"},
        "comment": {"type": "str", "default": ""},
    },
    steps=HANDED_OVER,
)


if __name__ == "__main__":
    TASK.main()
