#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: attest
short_description: Say, by name, that a step which only a person can do is done
version_added: 0.1.0
description:
  - Notes in the ledger who did what and when, for steps that ended V(needs_human) or V(unknown). The next run of the case takes it up.
  - Runs where Ansible runs, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.manual_step
  - module: workforce.lifecycle.record
  - name: "Suspend first, delete later"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/followups.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Says what would be attested.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  person: {description: "E-mail address, employee id or HR id of whom the case is about.", type: str, required: true}
  system: {description: "The system's name. A O(decision) without it is of everything that waits for one, on all systems.", type: str, default: ""}
  what: {description: "The step, as the checklist names it. Every step of the system that waits for a person, when not given.", type: str, default: ""}
  by: {description: "Who says so.", type: str, required: true}
  at: {description: "When it was done, ISO 8601. Now, when not given.", type: str, default: ""}
  decision:
    description: What becomes of something that a mover holds and no profile explains. The next run of the case carries it out.
    type: str
    choices: ["", keep, remove]
    default: ""
  decisions:
    description: "V(keep) or V(remove), by what waits for it, as C(SYSTEM: WHAT), or by the name that M(workforce.lifecycle.locate) gives it (C(decide))."
    type: dict
    default: {}
  note: {description: "Anything worth keeping, such as where the badge lies.", type: str, default: ""}
  number: {description: "The number of the receipt.", type: str, default: ""}
  photo: {description: "A photo of what came back, whose SHA-256 is kept.", type: path, default: ""}
  found:
    description:
      - What the HR systems answered of who says so (RV(workforce.lifecycle.person_info#module:present)).
      - Taken from this run's answers, when not given.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: The badge is in the safe
  workforce.lifecycle.attest:
    person: jane@corp.example
    system: badge
    by: Grace Okoye
    number: R-2214 # of the receipt
  register: attested

- name: Tom may stay in the group
  workforce.lifecycle.attest:
    person: tom@corp.example
    system: entra
    what: "unexplained: groups: Release Managers"
    decision: keep
    by: Mark Chen
    note: he runs it
"""

RETURN = r"""
changes:
  description: What was attested.
  returned: success
  type: list
  elements: dict
  sample: [{what: badge, before: open, after: attested, outcome: done}]
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="attest",
    argument_spec={
        "person": {"type": "str", "required": True},
        "system": {"type": "str", "default": ""},
        "what": {"type": "str", "default": ""},
        "by": {"type": "str", "required": True},
        "at": {"type": "str", "default": ""},
        "note": {"type": "str", "default": ""},
        "number": {"type": "str", "default": ""},
        "photo": {"type": "path", "default": ""},
        "found": {"type": "list", "elements": "dict", "default": []},
        "decisions": {"type": "dict", "default": {}},
        "decision": {"type": "str", "choices": ["", "keep", "remove"], "default": ""},
    },
    asked={
        "person": "user",
        **{name: name for name in ("system", "by", "what", "at", "note", "number", "photo", "decision", "decisions")},
    },
)


if __name__ == "__main__":
    TASK.main()
