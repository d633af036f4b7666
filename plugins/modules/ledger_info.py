#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: ledger_info
short_description: Read the ledger, or check that nobody changed it
version_added: 0.1.0
description:
  - Walks the ledger's hash chain, lists its cases, or reads the entries of a case. Nothing is changed.
  - What the task does not give is taken from the run's variables, as C(-e expected_head=...) sets them.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.ledger
  - name: "The ledger and the record"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/ledger-and-record.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
options:
  state:
    description:
      - V(verify) walks the chain, checks every signature, asks every witness, and compares records and plans; it fails when somebody changed
        something, and says what, since when and which cases.
      - V(cases) lists the cases. V(entries) reads the entries of O(case).
    type: str
    choices: [verify, cases, entries]
    default: verify
  expected_head:
    description: A head from a record (RV(head), C(n:hash)) that was kept elsewhere. Only with it can a cut-off end be proven.
    type: str
    default: ""
  records:
    description: The folder of records, so that each is compared with what the ledger says of it.
    type: path
    default: ""
  archives:
    description: The folder of archives, so that what left the ledger is verified too.
    type: path
    default: ""
  case:
    description: Only this case.
    type: str
  person:
    description: Only the cases of this person, by e-mail address or key.
    type: str
  open_only:
    description: Only cases that are not closed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the ledger's head, to be kept elsewhere
  workforce.lifecycle.ledger_info:
  register: kept

- name: Is the ledger as it was written?
  workforce.lifecycle.ledger_info:
    expected_head: "{{ kept.head }}" # such as 4401:c05966984a6b7b0bb8976b927e8f5cb48b0675beaba7aa1b452eba33ec952280
"""

RETURN = r"""
head: {description: "The last good entry, \"C(n:hash).\"", returned: verify, type: str, sample: "4211:7c1f4e0b"}
entries_verified: {description: "How many entries are as they were written.", returned: verify, type: int, sample: 4211}
open_intents: {description: "Steps that a killed run left.", returned: verify, type: int, sample: 0}
bad: {description: "The first entry that is wrong.", returned: when one is, type: int, sample: 117}
signed: {description: "How many entries carry the company's signature.", returned: verify, type: int, sample: 4211}
witnesses: {description: "The witnesses that were asked.", returned: verify, type: list, elements: str, sample: [git]}
findings:
  description: What was found, each with C(kind), C(what), C(entry), C(since), C(cases) and C(tampered).
  returned: verify
  type: list
  elements: dict
  sample: [{kind: changed, what: the entry was edited, entry: 117, since: "2026-11-02T08:00:00+00:00", cases: [01JDQ7], tampered: true}]
cases: {description: "The cases.", returned: cases, type: list, elements: dict, sample: [{id: 01JDQ7, kind: offboard, state: closed}]}
entries: {description: "The entries.", returned: entries, type: list, elements: dict, sample: [{n: 1, kind: case, case: 01JDQ7}]}
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="ledger_info",
    argument_spec={
        "state": {"type": "str", "choices": ["verify", "cases", "entries"], "default": "verify"},
        "expected_head": {"type": "str", "default": ""},
        "records": {"type": "path", "default": ""},
        "archives": {"type": "path", "default": ""},
        "case": {"type": "str"},
        "person": {"type": "str"},
        "open_only": {"type": "bool", "default": False},
    },
    asked={
        "expected_head": "expected_head",
        "records": "lifecycle_records",
        "archives": "archives",
    },
)

if __name__ == "__main__":
    TASK.main()
