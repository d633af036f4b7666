#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: controls_info
short_description: Read which security controls hold for a person
version_added: 0.1.0
description: Reads, for example, whether a second factor is registered. Nothing is changed.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.device_info
  - name: "Access profiles"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/access-profiles.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  required:
    description: The controls that must hold; those that the system does not know are left out of RV(missing).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Is the second factor there?
  workforce.lifecycle.controls_info:
    person: {email: ada@corp.example}
    required: [mfa_registered]
"""

RETURN = r"""
controls: {description: "Control to whether it holds.", returned: success, type: dict, sample: {mfa_registered: true}}
missing: {description: "Required controls that do not hold.", returned: success, type: list, elements: str, sample: []}
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_and_account
from ..module_utils.sdk.protocols import SecurityControls
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.steps import CONTROLS_INFO
from ..module_utils.engine.task import Task


def info(system: SecurityControls, want: Mapping[str, Any]) -> dict[str, Any]:
    _unused, account = person_and_account(system, want)  # type: ignore[arg-type]
    controls = dict(system.controls(account)) if account else dict.fromkeys(system.CONTROLS, False)
    missing = [name for name in want["required"] if name in system.CONTROLS and not controls.get(name)]
    outcome = Outcome.NEEDS_HUMAN if missing else Outcome.ALREADY
    changes = [
        {
            "what": f"control {name}",
            "before": controls.get(name),
            "after": True,
            "outcome": (Outcome.ALREADY if controls.get(name) else Outcome.NEEDS_HUMAN).value,
        }
        for name in want["required"]
        if name in system.CONTROLS
    ]
    return {"controls": controls, "missing": missing, "outcome": outcome.value, "changes": changes}


TASK = Task(
    SecurityControls,
    argument_spec={**PERSON_SPEC, "required": {"type": "list", "elements": "str", "default": []}},
    info=info,
    steps=CONTROLS_INFO,
)


if __name__ == "__main__":
    TASK.main()
