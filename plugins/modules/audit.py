#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Make the pack that an auditor takes away
version_added: 0.2.0
description:
  - Compares who left by HR's word in a period with the leavers' cases of the ledger, and explains each person who is in only one of them.
  - Draws a sample that the same seed draws again, and writes each record with its evidence, the times against the service levels, the exceptions
    with who answers for them, tables, a page, and a script that verifies all of it with openssl, sha256sum and jq alone.
  - The playbook C(audit) reads HR first.
  - What the task does not give is taken from the run's variables, as C(-e from=2026-01-01) sets them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.record
  - module: workforce.lifecycle.ledger_info
  - name: "The audit: what an auditor takes away"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/audit.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Says what the pack would hold, and writes nothing.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  state:
    description: V(begun) gives the run's own folder for what HR says. V(written) writes the pack.
    type: str
    choices: [begun, written]
    default: written
  from: {description: "The first day of the period, ISO 8601. Without it and O(to), the month that has just ended, in UTC.", type: str, default: ""}
  to: {description: "The last day of the period.", type: str, default: ""}
  sample: {description: "How many people to look at closely; 0 means all.", type: int, default: 40}
  seed: {description: "Draws the sample. A new one, which the pack names, when not given.", type: str, default: ""}
  people: {description: "The folder into which C(people_snapshot) wrote HR's people.", type: path, default: ""}
  path: {description: "The folder of packs. Each pack is a new folder in it.", type: path, default: audits}
  records: {description: "The folder of records.", type: path, default: ""}
  archives: {description: "The folder of archives, for a period whose cases have left the ledger.", type: path, default: ""}
  company: {description: "The company's name.", type: str, default: ""}
"""

EXAMPLES = r"""
- name: Make a folder for what HR says
  workforce.lifecycle.audit:
    state: begun
  register: audit_begun

# here people_snapshot writes the people of each HR system into {{ audit_begun.spool }}

- name: The pack of a year
  workforce.lifecycle.audit:
    from: "2026-01-01"
    to: "2026-12-31"
    seed: "4711"
    people: "{{ audit_begun.spool }}"
    records: "{{ lifecycle_records }}" # the folder that the systems file names
"""

RETURN = r"""
spool: {description: "The run's own folder.", returned: when begun, type: str, sample: /run/user/1000/lifecycle-audit-x1}
path: {description: "The pack.", returned: when written, type: str, sample: /srv/lifecycle/audits/2026-01-01_2026-12-31}
page: {description: "Its page.", returned: when written, type: str, sample: /srv/lifecycle/audits/2026-01-01_2026-12-31/index.html}
summary: {description: "How many of the population stand how.", returned: when written, type: dict, sample: {closed: 118, open: 2, without_a_case: 1}}
exceptions: {description: "How many exceptions there are.", returned: when written, type: int, sample: 3}
unread:
  description: The records of HR that were refused, C({system, id, why}). Each is an exception.
  returned: when written
  type: list
  elements: dict
  sample: []
seed: {description: "What drew the sample.", returned: when written, type: str, sample: "4711"}
"""

from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="audit",
    argument_spec={
        "state": {"type": "str", "choices": ["begun", "written"], "default": "written"},
        "from": {"type": "str", "default": ""},
        "to": {"type": "str", "default": ""},
        "sample": {"type": "int", "default": 40},
        "seed": {"type": "str", "default": ""},
        "people": {"type": "path", "default": ""},
        "path": {"type": "path", "default": "audits"},
        "records": {"type": "path", "default": ""},
        "archives": {"type": "path", "default": ""},
        "company": {"type": "str", "default": ""},
    },
    asked={
        "records": "lifecycle_records",
        "company": "lifecycle_company",
        **{name: name for name in ("from", "to", "sample", "seed", "path", "archives")},
    },
)

if __name__ == "__main__":
    TASK.main()
