#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: ledger
short_description: Accept a loss of the ledger, archive old cases, or erase a person, by name
version_added: 0.2.0
description:
  - What a named person decides about the ledger itself. Each is an entry of its own, signed like all, so that what is gone is said to be gone.
  - The chain stays whole. The row of an entry that was archived or erased keeps its number, its hash and its signature.
  - What the task does not give is taken from the run's variables, as C(-e by=grace@corp.example) sets them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.ledger_info
  - name: "The ledger and the record"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/ledger-and-record.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Says what would be done.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  state:
    description:
      - V(accepted) notes that what a witness has seen and the ledger has no more is lost for good, so that runs go on.
      - V(archived) takes cases that were closed before a day out of the ledger, into a file. Policy says how long they must stay (C(proof.retain_years)).
      - V(erased) erases what the ledger and the records say of a person whose cases are all closed.
    type: str
    choices: [accepted, archived, erased]
    required: true
  by: {description: "Who says so.", type: str, required: true}
  reason: {description: "Why. Needed to accept and to erase.", type: str, default: ""}
  before: {description: "The day before which cases were closed, ISO 8601.", type: str, default: ""}
  path: {description: "The folder of archives.", type: path, default: ""}
  person: {description: "Address or key of whom to erase.", type: str, default: ""}
  records: {description: "The folder of records, whose files are erased too.", type: path, default: ""}
"""

EXAMPLES = r"""
- name: Old cases leave the ledger
  workforce.lifecycle.ledger:
    state: archived
    before: "2018-01-01"
    path: archive-2018
    by: Grace Okoye

- name: The disk died, and Tuesday's copy is all that is left
  workforce.lifecycle.ledger:
    state: accepted
    by: Grace Okoye
    reason: the disk of ctl1 died
"""

RETURN = r"""
changes:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: cases from before 2019, before: in the ledger, after: archived, outcome: done}]
path: {description: "The archive.", returned: when archived, type: str, sample: /srv/lifecycle/archive/2018.jsonl.zst}
sha256:
  description: Its digest, which the ledger keeps too.
  returned: when archived
  type: str
  sample: 7c1f4e0b9a52d6c8e3f7a1b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8
entries: {description: "How many entries are in it.", returned: when archived, type: int, sample: 4211}
"""

from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="ledger",
    argument_spec={
        "state": {"type": "str", "choices": ["accepted", "archived", "erased"], "required": True},
        "by": {"type": "str", "required": True},
        "before": {"type": "str", "default": ""},
        "path": {"type": "path", "default": ""},
        "reason": {"type": "str", "default": ""},
        "person": {"type": "str", "default": ""},
        "records": {"type": "path", "default": ""},
    },
    asked={
        "person": "user",
        "records": "lifecycle_records",
        **{name: name for name in ("state", "by", "reason", "before", "path")},
    },
)

if __name__ == "__main__":
    TASK.main()
