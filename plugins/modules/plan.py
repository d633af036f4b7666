#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Write what a run would do, as a document that can be approved and executed
version_added: 0.1.0
description:
  - At the end of a run with C(--check), puts together what every step would do, in the order in which the run takes them, and writes it as JSON
    (C(meta/schemas/plan.schema.json)) with a SHA-256 digest of it.
  - C(-e plan=<file or digest>) makes a run do exactly that and nothing else.
  - In a run that is no rehearsal it does nothing.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.approve
  - name: "Plans and approvals"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/plans-and-approvals.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Writes its file in check mode only; that is what it is for.", support: full}
options:
  kind: {description: "What happens to the people. What the first of O(cases) says, when not given.", type: str, default: ""}
  people:
    description: Whom it is about, their records as RV(workforce.lifecycle.case#module:cases) has them. Those of O(cases), when not given.
    type: list
    elements: dict
  cases:
    description: Cases, as M(workforce.lifecycle.case) returns them; those that this run has opened, when not given.
    type: list
    elements: dict
    default: []
  path:
    description: The folder for plans. C(lifecycle_plans), when not given.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write the plan
  workforce.lifecycle.plan:
    path: "{{ lifecycle_plans }}" # beside the records that the systems file names
  register: written
"""

RETURN = r"""
path: {description: "The file.", returned: in check mode, type: str, sample: /srv/lifecycle/plans/7c1f4e0b.json}
digest: {description: "SHA-256 of the plan.", returned: in check mode, type: str, sample: 7c1f4e0b9a52d6c8e3f7a1b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8}
needs:
  description: What of it needs an approval, whose, and why.
  returned: in check mode
  type: list
  elements: dict
  sample: [{act: wipe, of: C02JANE001, who: [grace@corp.example], why: policy}]
steps: {description: "How many steps it has.", returned: in check mode, type: int, sample: 14}
problems:
  description: The steps that could not be rehearsed, a line each; the run then ends as a failed one, after the plan is written.
  returned: in check mode
  type: list
  elements: str
  sample: ["cutoff of jane@corp.example on slack: it cannot be reached"]
"""
from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.ledger_task import LedgerTask


def _written(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    return {"plan": result["digest"], "plan_needs": result["needs"]} if "digest" in result else {}


TASK = LedgerTask(
    act="plan",
    argument_spec={
        "kind": {"type": "str", "default": ""},
        "people": {"type": "list", "elements": "dict"},
        "cases": {"type": "list", "elements": "dict", "default": []},
        "path": {"type": "path", "required": True},
    },
    asked={"path": "lifecycle_plans"},
    hands_over=_written,
)

if __name__ == "__main__":
    TASK.main()
