#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: steps
short_description: Say what a run would do, in order, without asking any system
version_added: 0.2.0
description:
  - Reads the playbook of O(kind) and lists its plays and steps, each with the systems of the inventory that it is for.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.plan
  - name: "The two main runs: onboard and offboard"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/main-runs.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
options:
  kind: {description: "The playbook's name, such as V(offboard).", type: str, required: true}
"""

EXAMPLES = r"""
- name: What would offboarding do?
  workforce.lifecycle.steps:
    kind: offboard
"""

RETURN = r"""
steps:
  description: The steps, each with C(play), C(step), C(module) and C(systems).
  returned: success
  type: list
  elements: dict
  sample: [{play: Cut off, step: End every way in, module: cutoff, systems: [entra, slack]}]
lines: {description: "The same for a person.", returned: success, type: list, elements: str, sample: ["Cut off: End every way in (entra, slack)"]}
"""

from ..module_utils.engine.workplace_task import WorkplaceTask

TASK = WorkplaceTask("steps", argument_spec={"kind": {"type": "str", "required": True}})

if __name__ == "__main__":
    TASK.main()
