#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout
short_description: Say who has an access profile, and not yet what it gives today
version_added: 0.2.0
description:
  - Finds everybody who works here and whose HR record fits the access profile, and leaves out those to whom their last case gave just what it gives today.
  - Writes nothing. The playbook C(rollout) goes on with them.
  - O(profile), O(profiles) and O(plan) are taken from the variables C(profile), C(lifecycle_profiles) and C(plan) when the task does not set them.
  - Runs where Ansible runs, beside the ledger.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.case
  - name: "Movers"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/transfer.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
options:
  profile: {description: "Name of the access profile.", type: str, default: ""}
  profiles: {description: "Folder of access profiles.", type: path}
  plan: {description: "The plan that the run executes. Then it is about whom the plan names, and nobody is looked for.", type: str, default: ""}
  snapshots:
    description: Folder with C(hr-NAME.jsonl) of each HR system, written by M(workforce.lifecycle.people_snapshot).
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Find who has not yet what the profile gives today
  workforce.lifecycle.rollout:
    profile: engineering
    profiles: "{{ lifecycle_profiles }}" # the folder that the systems file names
    snapshots: "{{ audit_begun.spool }}" # into which people_snapshot wrote HR's people
"""

RETURN = r"""
users: {description: "Whom it is about, by HR's ids.", returned: success, type: list, elements: str, sample: ["107", "112"]}
unread:
  description: The records of HR that were refused, C({system, id, why}). Nobody knows whether these people have the profile, and nothing is rolled out to them.
  returned: success
  type: list
  elements: dict
  sample: []
up_to_date: {description: "How many have it already, as their last case says.", returned: success, type: int, sample: 12}
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="rollout",
    argument_spec={
        "profile": {"type": "str", "default": ""},
        "profiles": {"type": "path"},
        "plan": {"type": "str", "default": ""},
        "snapshots": {"type": "path", "required": True},
    },
    asked={"profile": "profile", "profiles": "lifecycle_profiles", "plan": "plan"},
)

if __name__ == "__main__":
    TASK.main()
