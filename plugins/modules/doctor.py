#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Say whether everything is ready for the first leaver
version_added: 0.2.0
description:
  - Judges what M(workforce.lifecycle.doctor_system) found on every system, and examines ledger, brake, policy, approvers and access profiles on this machine.
  - Fails when something must be mended. When all is well it says so in one line.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.doctor_system
  - name: "The first hour"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/first-hour.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
options:
  state:
    description: V(begin) makes ready what the systems are asked with; V(judge) says what was found.
    type: str
    choices: [begin, judge]
    default: judge
  path: {description: "Where to write the whole answer as JSON, for monitoring.", type: path}
  coverage:
    description:
      - Percent of HR's active people that must be found on a system before it is a problem, where it should know everybody; 0 turns it off.
    type: int
    default: 0
  examined: {description: "The results of M(workforce.lifecycle.doctor_system), by system. Filled in by the collection.", type: dict, default: {}}
  hr_read: {description: "The results of M(workforce.lifecycle.people_snapshot), by system. Filled in by the collection.", type: dict, default: {}}
"""

EXAMPLES = r"""
- name: Make ready
  workforce.lifecycle.doctor:
    state: begin
  register: doctor_begun

# here doctor_system examines every system

- name: Is everything ready?
  workforce.lifecycle.doctor:
    path: doctor.json
"""

RETURN = r"""
spool: {description: "V(begin) - the run's own folder.", returned: success, type: str, sample: /run/user/1000/lifecycle-doctor-x1}
wanted:
  description: V(begin) - what the access profiles name, by system and kind.
  returned: success
  type: dict
  sample: {entra: {group: [Engineering]}}
problems:
  description: What must be mended, with C(system), C(kind), C(what) and C(fix).
  returned: always
  type: list
  elements: dict
  sample: [{system: slack, kind: permission, what: users:write is missing, fix: add it to the app and install it again}]
systems: {description: "What was seen of each system.", returned: always, type: dict, sample: {slack: {reached: true}}}
lines: {description: "The same for a person.", returned: always, type: list, elements: str, sample: ["slack: users:write is missing"]}
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.workplace_task import WorkplaceTask


def _verdict(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    if "spool" in result:
        return {}
    return {"doctor_ok": result.get("ok", False), "doctor_problems": result.get("problems", [])}


TASK = WorkplaceTask(
    "doctor",
    argument_spec={
        "state": {"type": "str", "choices": ["begin", "judge"], "default": "judge"},
        "path": {"type": "path"},
        "coverage": {"type": "int", "default": 0},
        "examined": {"type": "dict", "default": {}},
        "hr_read": {"type": "dict", "default": {}},
    },
    hands_over=_verdict,
)

if __name__ == "__main__":
    TASK.main()
