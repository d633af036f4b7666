#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: record
short_description: Write the record of a case, and close it
version_added: 0.1.0
description:
  - Writes what the ledger says about a case as JSON (C(meta/schemas/record.schema.json)) and as one self-contained HTML page.
  - Closes the case when nothing is open. Fails, after writing, when something is, and says what.
  - A leaver's case is not complete while company hardware is out. That is no failure; M(workforce.lifecycle.custody) says who has it, by name.
  - In check mode nothing is written.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.case
  - name: "The ledger and the record"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/ledger-and-record.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
options:
  case:
    description: The case, or several, by their ids. Those that this run has opened, when not given.
    type: list
    elements: str
  cases:
    description: Cases, as M(workforce.lifecycle.case) returns them; those that this run has opened, when not given. O(case) wins.
    type: list
    elements: dict
    default: []
  path:
    description: The folder. It is created when it is not there; the files can be read by their owner only. C(lifecycle_records), when not given.
    type: path
    required: true
  systems:
    description: Facts of the systems, C(name) to C(owner), C(service_level), C(connector), C(title), C(capabilities). By default the inventory's.
    type: dict
  require_complete:
    description: Whether something open is a failure.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Write the record
  workforce.lifecycle.record:
    case: "{{ attested.case }}" # what the module attest returned, or the id that a run printed
    path: "{{ lifecycle_records }}"
    require_complete: false # something may still be open
"""

RETURN = r"""
results:
  description: Of several cases, what follows, for each.
  returned: when there are several
  type: list
  elements: dict
  sample: [{case: 01JDQ7, complete: true}]
ended:
  description: How each case ended, without a name - C(case), C(key), C(complete) (nothing is open that a run or a person's word ends), C(access_closed),
      how many company devices are not back (C(hardware_out)), C(open), and the path of its C(record).
  returned: always
  type: list
  elements: dict
  sample: [{case: 01JDQ7, key: "2026-11-28", complete: true, access_closed: true, hardware_out: 0, open: [], record: /srv/lifecycle/records/01JDQ7.json}]
json: {description: "Path of the JSON.", returned: success, type: str, sample: /srv/lifecycle/records/01JDQ7.json}
html: {description: "Path of the page.", returned: success, type: str, sample: /srv/lifecycle/records/01JDQ7.html}
summary:
  description:
    - Metrics, such as C(complete), C(access_closed), C(open), C(hardware_out), C(completeness), C(time_to_cut_s),
      C(time_to_full_revoke_s), C(time_to_ready_s), C(access_errors).
  returned: success
  type: dict
  sample: {complete: true, access_closed: true, open: 0, hardware_out: 0, completeness: 1.0, time_to_cut_s: 3.1}
verdict:
  description:
    - C(word), C(sentence), and what is C(missing).
    - Two verdicts - C(access) is C(closed) or C(open), empty where nobody's access is taken; C(case) is C(complete) or C(open).
  returned: success
  type: dict
  sample: {word: closed, sentence: "Every way in that we know of is closed.", missing: [], access: closed, case: complete}
open_items:
  description: What is still open.
  returned: success
  type: list
  elements: dict
  sample: [{system: building, what: badge, outcome: needs_human}]
residual_access:
  description: Access that lingers.
  returned: success
  type: list
  elements: dict
  sample: [{system: entra, what: access tokens, until: "2026-11-28T10:12:44+00:00"}]
head:
  description: The ledger's head that the record was made from, C(n:hash). Keep it elsewhere.
  returned: success
  type: str
  sample: "4211:7c1f4e0b"
key: {description: "What identifies the person: the HR id, else the employee id, else the address.", returned: success, type: str, sample: "107"}
sha256: {description: "Digest of the record.", returned: success, type: str, sample: 7c1f4e0b9a52d6c8e3f7a1b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8}
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="record",
    argument_spec={
        "case": {"type": "list", "elements": "str"},
        "cases": {"type": "list", "elements": "dict", "default": []},
        "path": {"type": "path", "required": True},
        "systems": {"type": "dict"},
        "require_complete": {"type": "bool", "default": True},
    },
    asked={"path": "lifecycle_records"},
)

if __name__ == "__main__":
    TASK.main()
