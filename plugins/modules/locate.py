#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: locate
short_description: Say where a person is, on every system
version_added: 0.2.0
description:
  - Puts together what M(workforce.lifecycle.locate_system) found, and what did not answer. Writes nothing.
  - Where the systems file names a ledger, it also says what that knows of them; C(-e ask_systems=false) asks nothing else.
  - What it found is handed over as C(set_stats) does, for the bridge's page of a person.
extends_documentation_fragment: [workforce.lifecycle.group]
options:
  users: {description: "Who was asked for; C(-e user=...) sets it.", type: list, elements: str, default: []}
  found: {description: "What the HR systems found in this run. Filled in by the collection.", type: list, elements: dict, default: []}
  unread: {description: "Why HR systems did not answer, by system. Filled in by the collection.", type: dict, default: {}}
  located: {description: "The results of M(workforce.lifecycle.locate_system), by system. Filled in by the collection.", type: dict, default: {}}
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.locate_system
  - name: "Who is meant, and what HR says"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/identity.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
"""

EXAMPLES = r"""
- name: Where is she?
  workforce.lifecycle.locate:
    users: jane@corp.example
"""

RETURN = r"""
located:
  description: By person and system.
  returned: always
  type: dict
  sample: {jane@corp.example: {entra: {accounts: [{login: jane@corp.example, state: active}]}}}
known:
  description:
    - "By person, what the ledger knows: C(accounts) that were seen to be theirs, what is C(open) of their cases, what access C(lingers), C(devices)."
  returned: where a ledger is named
  type: dict
  sample: {jane@corp.example: {accounts: [], open: [{system: badge, what: Collect the badge, outcome: needs_human}], lingers: [], devices: []}}
lines:
  description: The same for a person.
  returned: always
  type: list
  elements: str
  sample: ["entra: jane@corp.example, active, found by employee number"]
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.workplace_task import WorkplaceTask


def _found(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    """Hand over what was found."""
    return {name: result.get(name) or {} for name in ("located", "silent", "known")}


TASK = WorkplaceTask(
    "locate",
    argument_spec={
        "users": {"type": "list", "elements": "str", "default": []},
        "found": {"type": "list", "elements": "dict", "default": []},
        "unread": {"type": "dict", "default": {}},
        "located": {"type": "dict", "default": {}},
    },
    asked={"users": "user"},
    hands_over=_found,
)

if __name__ == "__main__":
    TASK.main()
