#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: record
short_description: Write the record of a case, and close it
description:
  - Writes what the ledger says about a case as JSON (C(meta/schemas/record.schema.json)) and as one self-contained HTML page.
  - Closes the case when nothing is open. Fails, after writing, when something is, and says what.
  - In check mode nothing is written.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
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
    case: "{{ case.id }}"
    path: /var/lib/workforce/records
"""

RETURN = r"""
results: {description: "Of several cases, what follows, for each.", returned: when there are several, type: list, elements: dict}
ended:
  description: How each case ended, without a name - C(case), C(key), C(complete), C(open), and the path of its C(record).
  returned: always
  type: list
  elements: dict
json: {description: "Path of the JSON.", returned: success, type: str}
html: {description: "Path of the page.", returned: success, type: str}
summary:
  description:
    - Metrics, such as C(complete), C(open), C(completeness), C(time_to_cut_s),
      C(time_to_full_revoke_s), C(time_to_ready_s), C(access_errors).
  returned: success
  type: dict
verdict: {description: "C(word), C(sentence), and what is C(missing).", returned: success, type: dict}
open_items: {description: "What is still open.", returned: success, type: list, elements: dict}
residual_access: {description: "Access that lingers.", returned: success, type: list, elements: dict}
head: {description: "The ledger's head that the record was made from, C(n:hash). Keep it elsewhere.", returned: success, type: str}
key: {description: "What tells the person from all others.", returned: success, type: str}
sha256: {description: "Digest of the record.", returned: success, type: str}
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
