#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: brake
short_description: Read the brake, or release named people from it
version_added: 0.1.0
description:
  - Policy says how many leavers, movers, disables and wipes there may be within some hours, over all runs that share the ledger.
    The one too many is refused before it begins.
  - Somebody whom policy names (C(brake.<limit>.release)) may release named people, for a time. Nobody is released in general, and nobody releases themselves.
  - Runs where Ansible runs, beside the ledger.
  - What the task does not give is taken from the run's variables, as C(-e of=leavers) sets them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.case
  - name: "The brake, and one run per person"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/brake.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Checks everything, and notes nothing.", support: full}
  diff_mode: {description: "A release has no diff.", support: none}
options:
  state: {description: "V(read) how each limit stands, or release people.", type: str, choices: [read, released], default: read}
  of: {description: "The limit to release from.", type: str, choices: [leavers, movers, disables, wipes]}
  user: {description: "Who is released - e-mail addresses, employee ids or HR ids.", type: list, elements: str, default: []}
  found:
    description: What the HR systems answered, as for M(workforce.lifecycle.case). Taken from what the role C(identify) registered, when not given.
    type: list
    elements: dict
    default: []
  by: {description: "The address of who releases them.", type: str, default: ""}
  ends: {description: "ISO 8601 moment, at most 7 days ahead. A day from now, when empty.", type: str, default: ""}
  account: {description: "The account in whose hands it was done. That of the operating system, when not given.", type: str, default: ""}
  note: {description: "Anything worth keeping, such as the ticket.", type: str, default: ""}
"""

EXAMPLES = r"""
- name: How the brake stands
  workforce.lifecycle.brake:

- name: The site in Lyon was sold - these three do leave
  workforce.lifecycle.brake:
    state: released
    of: leavers
    user: [jane@corp.example, tom@corp.example, lena@corp.example]
    by: grace@corp.example
    note: HR-1234
"""

RETURN = r"""
brake:
  description:
    - One entry a limit, with its C(of), C(limit), C(hours), C(count) (how many there were within these hours), C(allowed), C(active) people,
      and how the percentage was C(judged).
    - C(released) lists who is released from it now, with C(by) and C(until).
  returned: success
  type: list
  elements: dict
  sample: [{of: leavers, limit: 10, hours: 24, count: 3, allowed: 10, active: 240, judged: by number}]
lines:
  description: The same, a line a limit.
  returned: when O(state=read)
  type: list
  elements: str
  sample: ["leavers: 3 of 10 within 24 hours (by number)"]
people: {description: "Addresses of those who were released.", returned: "when O(state=released)", type: list, elements: str, sample: [jane@corp.example]}
until: {description: "Until when they are.", returned: "when O(state=released)", type: str, sample: "2026-11-30T18:00:00+00:00"}
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="brake",
    argument_spec={
        "state": {"type": "str", "choices": ["read", "released"], "default": "read"},
        "of": {"type": "str", "choices": ["leavers", "movers", "disables", "wipes"]},
        "user": {"type": "list", "elements": "str", "default": []},
        "found": {"type": "list", "elements": "dict", "default": []},
        "by": {"type": "str", "default": ""},
        "ends": {"type": "str", "default": ""},
        "account": {"type": "str", "default": ""},
        "note": {"type": "str", "default": ""},
    },
    asked={
        "of": "of",
        "user": "user",
        "by": ("by", "awx_user_email"),
        "ends": ("ends", "until"),
        "account": ("by_account", "awx_user_name"),
        "note": "note",
    },
)

if __name__ == "__main__":
    TASK.main()
