#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: intake
short_description: Say what runs HR's records call for, and when
version_added: 0.1.0
description:
  - Decides by state, not by event - what a record says now, what it said at the last look, and what runs have left the person with.
  - Answers with ids, kinds of case and moments, without names. The scheduler of runs keeps, moves or drops its cases by them.
  - At the first look at a source, everybody who works there is taken to have access already. Those who left more than seven days before are only counted.
  - Runs where Ansible runs, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.hr_feed
  - name: "HR starts it: the bridge"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/bridge.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Decides, and does not keep the look.", support: full}
  diff_mode: {description: "A decision has no diff.", support: none}
options:
  state:
    description: V(begin) only returns the run's own folder, for the snapshots.
    type: str
    choices: [begin, decided]
    default: decided
  people:
    description: HR ids that something happened to, by HR system.
    type: dict
    default: {}
  everybody:
    description: HR systems of which everybody is judged.
    type: list
    elements: str
    default: []
  found:
    description:
      - What the HR systems answered about O(people), as for M(workforce.lifecycle.case).
      - Taken from what the role C(identify) registered, when not given.
    type: list
    elements: dict
    default: []
  snapshots:
    description: Folder with C(hr-NAME.jsonl) of each HR system, written by M(workforce.lifecycle.people_snapshot). Needed with O(everybody).
    type: path
  batch:
    description: Name of this look. Asked for again under the same name, it starts from the same last look, and answers the same.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say what is to be done
  workforce.lifecycle.intake:
    people: {bamboohr: ["107", "111"]}
    batch: 7f0c
  register: taken_in
"""

RETURN = r"""
spool:
  description: The run's own folder, 0700; Ansible removes it when the run ends.
  returned: when O(state=begin)
  type: str
  sample: /run/user/1000/lifecycle-intake-x1
decisions:
  description: One for each person of whom something follows.
  returned: when O(state=decided)
  type: list
  elements: dict
  sample: [{source: bamboohr, id: "107", user: jane@corp.example, urgent: true, why: left today}]
  contains:
    source: {description: "The HR system.", type: str}
    id: {description: "The person's id there.", type: str}
    user: {description: "The value of C(user) for the run.", type: str}
    zone: {description: "The person's time zone.", type: str}
    runs: {description: "What is due - C(kind), C(stage) and C(at), in UTC.", type: list, elements: dict}
    cancels: {description: "Kinds of case whose scheduled runs no longer hold.", type: list, elements: str}
    urgent: {description: "Whether access ends now, before anything else.", type: bool}
    silent: {description: "Whether nobody but those who carry it out hears of the departure before it is done.", type: bool}
    undo: {description: "Whether only what the hire made is to be undone.", type: bool}
    late_s: {description: "Seconds by which HR's entry was late.", type: float}
    why: {description: "In one line.", type: str}
    alert: {description: "What a human must look at.", type: str}
urgent:
  description: Who is to be cut off now, as C(user).
  returned: when O(state=decided)
  type: list
  elements: str
  sample: [jane@corp.example]
due:
  description: Who is due now, as C(user), by the kind of run.
  returned: when O(state=decided)
  type: dict
  sample: {offboard: [jane@corp.example]}
judged:
  description: How many records were judged.
  returned: when O(state=decided)
  type: int
  sample: 240
"""
from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.ledger_task import LedgerTask


def _decided(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    if "decisions" not in result:
        return {}
    decisions = result["decisions"]
    lock = decisions[0]["id"] if decisions else "nobody"
    return {"intake": {"decisions": decisions, "judged": result["judged"], "due": result["due"], "lock": lock}}


TASK = LedgerTask(
    act="intake",
    argument_spec={
        "state": {"type": "str", "choices": ["begin", "decided"], "default": "decided"},
        "people": {"type": "dict", "default": {}},
        "everybody": {"type": "list", "elements": "str", "default": []},
        "found": {"type": "list", "elements": "dict", "default": []},
        "snapshots": {"type": "path"},
        "batch": {"type": "str", "default": ""},
    },
    hands_over=_decided,
)

if __name__ == "__main__":
    TASK.main()
