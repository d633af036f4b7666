#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: followups
short_description: List what is due on a later day, judge it again on that day, and end it
version_added: 0.1.0
description:
  - Cases leave steps for later days in the ledger, such as deleting a leaver's account after 30 days. This module lists them, and the vendors' own
    countdowns beside them; it says on the day which still hold, as HR and the ledger are then; and it ends what was done.
  - A rehire, a withdrawn leaving, a newer case or a hold cancels or postpones a step, with the reason. Where HR leaves doubt, a person is asked.
  - The playbook C(followups) does all of it; run it every day.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.case
  - name: "Suspend first, delete later"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/followups.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Says what is due; notes nothing.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  state:
    description:
      - V(coming) lists what is coming. V(due) says whom HR must be asked about. V(decide) judges what is due, V(settle) ends what was done and fails
        when something is still due.
      - V(move), V(cancel), V(hold) and V(release) are a person's word, which the ledger keeps with their name and reason.
    type: str
    choices: [coming, due, decide, settle, move, cancel, hold, release]
    default: coming
  person: {description: "Only this person's, by e-mail address or key.", type: str, default: ""}
  id: {description: "Only the step with this id, as V(coming) shows it. Needed for V(move).", type: str, default: ""}
  to: {description: "The new day for V(move), ISO 8601.", type: str, default: ""}
  by: {description: "Who says so.", type: str, default: ""}
  why: {description: "The reason.", type: str, default: ""}
  found:
    description: ["What the HR systems answered, for V(decide).", "Taken from what the role C(identify) registered, when not given."]
    type: list
    elements: dict
    default: []
  protected:
    description:
      - What RV(workforce.lifecycle.protected_info#module:members) said, for V(decide).
      - Taken from what the role C(identify) registered, when not given.
    type: list
    elements: dict
    default: []
  plan: {description: "The plan that the run executes, a file or a digest, for V(decide).", type: str, default: ""}
  acts: {description: "What V(decide) said, for V(settle).", type: list, elements: dict, default: []}
"""

EXAMPLES = r"""
- name: What is coming
  workforce.lifecycle.followups:
    state: coming
"""

RETURN = r"""
lines:
  description: What is coming, or was done, a line each to read.
  returned: always
  type: list
  elements: str
  sample: ["in 12 days: delete jane@corp.example on entra"]
due:
  description: What waits, each with C(in_days).
  returned: coming
  type: list
  elements: dict
  sample: [{user: jane@corp.example, system: entra, in_days: 12}]
clocks:
  description: What runs down at the vendors, each with C(until), C(days_left) and C(source).
  returned: coming
  type: list
  elements: dict
  sample: [{what: OneDrive of jane@corp.example, until: "2026-12-28", days_left: 30, source: "the vendor keeps it for 30 days"}]
users: {description: "Whom HR must be asked about.", returned: due, type: list, elements: str, sample: [jane@corp.example]}
owners:
  description: Who answers for what is late so long that their manager is to hear of it; HR is asked who that is.
  returned: due
  type: list
  elements: str
  sample: [ann@corp.example]
acts:
  description: What is to be done now.
  returned: decide
  type: list
  elements: dict
  sample: [{user: jane@corp.example, system: entra, do: delete}]
judged:
  description: Every step that is due, with C(word) - V(act), V(cancel), V(wait), V(ask) or V(done) - and C(reason).
  returned: decide
  type: list
  elements: dict
  sample: [{user: jane@corp.example, system: entra, word: wait, reason: a hold}]
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="followups",
    argument_spec={
        "state": {
            "type": "str",
            "choices": ["coming", "due", "decide", "settle", "move", "cancel", "hold", "release"],
            "default": "coming",
        },
        **{name: {"type": "str", "default": ""} for name in ("person", "id", "to", "by", "why", "plan")},
        **{name: {"type": "list", "elements": "dict", "default": []} for name in ("found", "protected", "acts")},
    },
    asked={"person": "user", **{name: name for name in ("id", "to", "by", "why", "plan")}},
)

if __name__ == "__main__":
    TASK.main()
