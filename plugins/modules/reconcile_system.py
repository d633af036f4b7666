#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: reconcile_system
short_description: Compare everything on a system with HR, the access profiles and policy
version_added: 0.1.0
description:
  - Streams every account, device and key that the system lists, matches each with the people of the run's index, and writes what is not as it
    should be to O(path), one JSON line each.
  - It only reads. When anything cannot be read to its end it fails, and what it had found until then counts for nothing.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.reconcile
  - name: "Reconcile"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/reconcile.md
attributes:
  check_mode: {description: "Only reads the system; the file is the run's own.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system]
options:
  people: {description: "The index of people, as M(workforce.lifecycle.reconcile) made it.", type: path, required: true}
  path: {description: "The file for what is found; only its owner may read it.", type: path, required: true}
  keep:
    description: By kind of entitlement, names that no profile need explain.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Compare
  workforce.lifecycle.reconcile_system:
    people: "{{ hostvars['localhost'].reconcile_index.path }}"
    path: "{{ hostvars['localhost'].reconcile_begun.spool }}/found-{{ inventory_hostname }}.jsonl"
"""

RETURN = r"""
accounts: {description: "How many accounts were read.", returned: success, type: int, sample: 251}
devices: {description: "How many devices were read.", returned: success, type: int, sample: 230}
credentials: {description: "How many keys, tokens and automations were read.", returned: success, type: int, sample: 17}
findings: {description: "How many findings there are, by kind.", returned: success, type: dict, sample: {orphan: 2}}
notes:
  description: What is not known.
  returned: success
  type: list
  elements: str
  sample: ["when an account was last used is not shown by this plan"]
"""

import json
from dataclasses import asdict
from typing import Any
from collections.abc import Mapping

from ..module_utils.model import private
from ..module_utils.model import clock
from ..module_utils.reconcile.check import Check
from ..module_utils.reconcile.people import People
from ..module_utils.sdk.target import Connector
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.task import Task


def info(system: Connector, want: Mapping[str, Any]) -> dict[str, Any]:
    read_at = clock.stamp()
    people = People(want["people"])
    try:
        with private.rewritten(want["path"]) as out:
            counts = Check(system, people, lambda line: _write(out, line), keep=want["keep"]).run()
            ending = {**asdict(counts), "findings": dict(counts.findings), "read_at": read_at, "until": clock.stamp()}
            _write(out, {"end": ending})
    finally:
        people.close()
    return {**ending, "outcome": Outcome.ALREADY.value}


def _write(out: Any, line: Mapping[str, Any]) -> None:
    out.write(json.dumps(line, default=str) + "\n")


#: Any system will do: it is asked for whatever it can list.
TASK = Task(
    Connector,
    argument_spec={
        "people": {"type": "path", "required": True},
        "path": {"type": "path", "required": True},
        "keep": {"type": "dict", "default": {}},
    },
    info=info,
    deadline=3600.0,
)

if __name__ == "__main__":
    TASK.main()
