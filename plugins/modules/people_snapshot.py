#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: people_snapshot
short_description: Read everybody from an HR system, into a file of the run
version_added: 0.1.0
description:
  - Reads every person, terminated ones included where the system keeps them, and writes them to O(path), one JSON line each.
  - The file ends with their number, so that one that was cut off is not taken for a smaller company. Nothing of it stands in the result.
  - Private addresses and telephone numbers are left out.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.person_info
  - name: "Reconcile"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/reconcile.md
attributes:
  check_mode: {description: "Only reads the system; the file is the run's own.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system]
options:
  path: {description: "The file; only its owner may read it.", type: path, required: true}
"""

EXAMPLES = r"""
- name: Read everybody
  workforce.lifecycle.people_snapshot:
    path: "{{ hostvars['localhost'].audit_begun.spool }}/hr-{{ inventory_hostname }}.jsonl"
"""

RETURN = r"""
count: {description: "How many people there are.", returned: success, type: int, sample: 240}
read_at: {description: "When the reading began.", returned: success, type: str, sample: "2026-11-28T09:00:00+00:00"}
"""

import json
from typing import Any
from collections.abc import Mapping

from ..module_utils.model import private
from ..module_utils.model import clock
from ..module_utils.sdk.protocols import HrRecords, HrSource
from ..module_utils.sdk.target import Connector
from ..module_utils.people.hr_look import Look, refusals, unread
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.task import Task

_PRIVATE = ("personal_email", "mobile_phone")


def info(system: HrRecords, want: Mapping[str, Any]) -> dict[str, Any]:
    read_at, count = clock.stamp(), 0
    with private.rewritten(want["path"]) as out:
        for person in system.all_people():
            record = {key: value for key, value in person.as_dict().items() if key not in _PRIVATE}
            out.write(json.dumps({"person": record}) + "\n")
            count += 1
        if isinstance(system, HrSource):
            out.write(json.dumps({"look": Look.of(system.overview()).as_dict()}) + "\n")
        name = system.target.name if isinstance(system, Connector) else ""
        refused = [{"id": one.id, "why": one.why} for one in unread(system, name)]
        out.write(json.dumps({"end": count, "read_at": read_at, "refused": refused}) + "\n")
    return {"count": count, "read_at": read_at, "outcome": Outcome.ALREADY.value, **refusals(system)}


TASK = Task(
    HrRecords,
    argument_spec={"path": {"type": "path", "required": True}},
    info=info,
    deadline=3600.0,
)

if __name__ == "__main__":
    TASK.main()
