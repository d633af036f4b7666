#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: separation
short_description: Refuse what nobody may hold together, before the first write
version_added: 0.1.0
description:
  - Judges each pair that the policy's C(separation) names by what the profile gives and what the person holds and will keep.
  - Of a mover it says what must be taken before anything is given - a hand-over overlap never keeps both.
  - Runs where Ansible runs, beside the ledger.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.entitlements_info
  - name: "The policy file"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/policy.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Judges just the same.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  cases:
    description: Cases, as M(workforce.lifecycle.case) returns them; those that this run has opened, when not given.
    type: list
    elements: dict
    default: []
  held:
    description: What M(workforce.lifecycle.entitlements_info) said of each of them, on each system that policy names. What the systems answered in
      this run, when not given.
    type: list
    elements: dict
    default: []
  keep: {description: "What the run leaves alone, names by system and kind. C(lifecycle_keep), when not given.", type: dict, default: {}}
"""

EXAMPLES = r"""
- name: Nobody may hold both
  workforce.lifecycle.separation:
    cases: "{{ opened.cases }}"
"""

RETURN = r"""
first:
  description: What must be taken first, names by address, system and kind.
  returned: success
  type: dict
  sample: {ada@corp.example: {erp: {role: [payments]}}}
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="separation",
    argument_spec={
        "cases": {"type": "list", "elements": "dict", "default": []},
        "held": {"type": "list", "elements": "dict", "default": []},
        "keep": {"type": "dict", "default": {}},
    },
    asked={"keep": "lifecycle_keep"},
)


if __name__ == "__main__":
    TASK.main()
