#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: manual_step
short_description: Say what a person must do on a system without an API
version_added: 0.1.0
description:
  - Lists the steps that the system's options give for this kind of case. Each ends V(needs_human) until somebody attests it by name and time.
  - It changes nothing. Attestations are kept in the ledger; M(workforce.lifecycle.attest) writes them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.attest
  - name: "Steps by hand"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/connectors/manual.md
extends_documentation_fragment: [workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  kind:
    description: The kind of case.
    type: str
    choices: [onboard, transfer, offboard, suspend, resume, reinstate, rename, withdraw]
    required: true
"""

EXAMPLES = r"""
- name: Collect what can't be collected by a program
  workforce.lifecycle.manual_step:
    person: {email: jane@corp.example, first_name: Jane, last_name: Müller-Ortiz}
    kind: offboard
"""

RETURN = r"""
outcome: {description: "V(needs_human) while a step is open.", returned: always, type: str, sample: needs_human}
changes:
  description: Each step, open or attested.
  returned: always
  type: list
  elements: dict
  sample: [{what: badge, before: open, after: attested, outcome: done}]
"""

from typing import Any
from collections.abc import Mapping, Sequence

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.sdk.protocols import ManualSteps
from ..module_utils.model.person import Person
from ..module_utils.model.kinds import KINDS
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import MANUAL_STEP
from ..module_utils.engine.task import Task


def plan(system: ManualSteps, want: Mapping[str, Any]) -> Sequence[Change]:
    person = Person.of(want["person"])
    steps = system.manual_steps(want["kind"], person)
    return [
        Change(step, "open", "attested", outcome=Outcome.NEEDS_HUMAN, note="do it, then attest it") for step in steps
    ] or absent("steps", f"nothing is to do by hand to {want['kind']} {person.email}")


TASK = Task(
    ManualSteps,
    plan,
    {
        **PERSON_SPEC,
        "kind": {
            "type": "str",
            "choices": list(KINDS),
            "required": True,
        },
    },
    steps=MANUAL_STEP,
)


if __name__ == "__main__":
    TASK.main()
