#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: init
short_description: Write the first systems file, policy and access profiles
version_added: 0.2.0
description:
  - Writes C(company.systems.yml), C(policy.yml) and C(profiles/) into O(path), and says which credentials to set. Existing files are never overwritten.
  - Where the inventory has systems already (C(-i an-existing.systems.yml)), profiles are proposed from the groups that most people of a department really hold.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.doctor
  - name: "The first hour"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/first-hour.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Says what it would write.", support: full}
  diff_mode: {description: "It makes new files only.", support: none}
options:
  path: {description: "The folder.", type: path, default: .}
  systems: {description: "Connectors by name; O(systems[]) may be C(name=connector) or C(name=connector=url).", type: list, elements: str, default: []}
  company: {description: "The company's name.", type: str, default: My Company}
  share: {description: "Percent of a department's people who must hold a group for it to be proposed.", type: int, default: 80}
  examined: {description: "The results of M(workforce.lifecycle.doctor_system), by system. Filled in by the collection.", type: dict, default: {}}
"""

EXAMPLES = r"""
- name: Begin with three systems
  workforce.lifecycle.init:
    systems: [entra, github, hr=bamboohr=https://corp.bamboohr.com]
"""

RETURN = r"""
written: {description: "The files.", returned: success, type: list, elements: str, sample: [/srv/company/company.systems.yml, /srv/company/policy.yml]}
credentials:
  description: Names of the environment variables to set.
  returned: success
  type: list
  elements: str
  sample: [ENTRA_CLIENT_SECRET, SLACK_TOKEN]
lines: {description: "What to do next.", returned: success, type: list, elements: str, sample: ["set ENTRA_CLIENT_SECRET, then run doctor"]}
"""

from ..module_utils.engine.workplace_task import WorkplaceTask

TASK = WorkplaceTask(
    "init",
    argument_spec={
        "path": {"type": "path", "default": "."},
        "systems": {"type": "list", "elements": "str", "default": []},
        "company": {"type": "str", "default": "My Company"},
        "share": {"type": "int", "default": 80},
        "examined": {"type": "dict", "default": {}},
    },
)

if __name__ == "__main__":
    TASK.main()
