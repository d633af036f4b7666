#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: manual_step
short_description: Say what a person must do on a system without an API
description:
  - Lists the steps that the system's options give for this kind of case. Each ends V(needs_human) until somebody attests it by name and time.
  - It changes nothing. Attestations are kept in the ledger, from where the collection fills in O(attested).
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
extends_documentation_fragment: [workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  kind:
    description: The kind of case.
    type: str
    choices: [onboard, transfer, offboard, suspend, resume, reinstate, rename]
    required: true
  attested:
    description: Who has done which step, and when. Filled in from the ledger.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Collect what can't be collected by a program
  workforce.lifecycle.manual_step:
    person: {email: jane@corp.example, first_name: Jane, last_name: Müller-Ortiz}
    kind: offboard
"""

RETURN = r"""
outcome: {description: "V(needs_human) while a step is open.", returned: always, type: str, sample: needs_human}
changes: {description: "Each step, open or attested.", returned: always, type: list, elements: dict}
"""

from typing import Any, Mapping, Sequence

from ansible_collections.workforce.lifecycle.plugins.module_utils import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.arguments import PERSON_SPEC
from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import ManualSteps
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Change, Outcome, Task, absent


def plan(system: ManualSteps, want: Mapping[str, Any]) -> Sequence[Change]:
    person = Person.of(want["person"])
    attested = {str(a.get("step")): _checked(a) for a in want["attested"]}
    steps = system.manual_steps(want["kind"], person)
    return [_change(step, attested.get(step)) for step in steps] or absent("steps", f"nothing is to do by hand to {want['kind']} {person.email}")


def _change(step: str, attestation: Mapping[str, Any] | None) -> Change:
    if attestation is None:
        return Change(step, "open", "attested", outcome=Outcome.NEEDS_HUMAN, note=f"do it, then attest it: {step}")
    return Change(step, "attested", "attested", note=f"attested by {attestation['by']} at {attestation['at']}")


def _checked(attestation: Mapping[str, Any]) -> Mapping[str, Any]:
    step, by, at = (str(attestation.get(key) or "").strip() for key in ("step", "by", "at"))
    try:
        if step and by and clock.parse(at):
            return attestation
    except ValueError:
        pass
    raise InputError(f"the attestation of {step or 'a step'!r} lacks a name or a time", act="read attestation", hint="step, by, and at (ISO 8601)")


TASK = Task(ManualSteps, plan, {
    **PERSON_SPEC,
    "kind": {"type": "str", "choices": ["onboard", "transfer", "offboard", "suspend", "resume", "reinstate", "rename"], "required": True},
    "attested": {"type": "list", "elements": "dict", "default": []},
})

if __name__ == "__main__":
    TASK.main()
