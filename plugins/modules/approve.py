#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: approve
short_description: Approve a plan
version_added: 0.1.0
description:
  - Notes in the ledger that a named person approves a plan, bound to the plan's digest. A new plan needs a new approval.
  - Policy says what needs whose approval (C(approvals) in the policy file). Nobody approves what is about themselves.
  - Who may write the ledger may approve; under an automation controller give the address that it knows (RV(ignore:awx_user_email)).
  - What the task does not give is taken from the run's variables, as C(-e by=grace@corp.example) sets them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.plan
  - name: "Plans and approvals"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/plans-and-approvals.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Checks everything, and notes nothing.", support: full}
  diff_mode: {description: "An approval has no diff.", support: none}
options:
  plan: {description: "The file that C(--check) wrote, or its digest.", type: str, required: true}
  by: {description: "The address of who approves.", type: str, required: true}
  account:
    description:
      - The account in whose hands it was given. That of the operating system, when not given; that one is kept beside it in any case.
      - Approvals in two names from one account count as one.
    type: str
    default: ""
  note: {description: "Anything worth keeping, such as the ticket.", type: str, default: ""}
  found:
    description:
      - What the HR systems answered of who says so (RV(workforce.lifecycle.person_info#module:present)).
      - Taken from this run's answers, when not given.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Grace agrees
  workforce.lifecycle.approve:
    plan: "{{ written.digest }}" # what the module plan returned, or the file that --check wrote
    by: grace@corp.example
"""

RETURN = r"""
digest: {description: "The plan's.", returned: success, type: str, sample: 7c1f4e0b9a52d6c8e3f7a1b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8}
missing:
  description: What it still needs; empty when it may be executed.
  returned: success
  type: list
  elements: str
  sample: ["grace@corp.example, for the wipe of C02JANE001"]
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="approve",
    argument_spec={
        "plan": {"type": "str", "required": True},
        "by": {"type": "str", "required": True},
        "account": {"type": "str", "default": ""},
        "note": {"type": "str", "default": ""},
        "found": {"type": "list", "elements": "dict", "default": []},
    },
    asked={"plan": "plan", "by": ("by", "awx_user_email"), "account": ("by_account", "awx_user_name"), "note": "note"},
)

if __name__ == "__main__":
    TASK.main()
