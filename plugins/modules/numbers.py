#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: numbers
short_description: Reckon from the ledger whether it works
version_added: 0.2.0
description:
  - How long until access is closed and until a joiner is ready, what was late and why, errors, what waits for whom, hardware that is not back,
    access that lingers, and which steps are done by hand.
  - Writes a page with plots, metrics for Prometheus, and a digest in plain text. C(docs/numbers.md) defines each number.
  - What the task does not give is taken from the run's variables, as C(-e days=7) sets them.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.audit
  - name: "The numbers: whether it works"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/numbers.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Reckons, and writes nothing.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  from: {description: "The first day of the period, ISO 8601. O(days) before O(to), when not given.", type: str, default: ""}
  to: {description: "The last day of the period. Today, when not given.", type: str, default: ""}
  days: {description: "How many days the period has, when O(from) is not given.", type: int, default: 30}
  path: {description: "The folder for the page, the numbers as JSON and the digest. Nothing is written there, when not given.", type: path, default: ""}
  metrics: {description: "The file for Prometheus, such as that of node_exporter's textfile collector.", type: path, default: ""}
  archives: {description: "The folder of archives, for a period whose cases have left the ledger.", type: path, default: ""}
  company: {description: "The company's name.", type: str, default: ""}
"""

EXAMPLES = r"""
- name: The week, for HR and IT
  workforce.lifecycle.numbers:
    days: 7
    path: numbers
    metrics: numbers/workforce_lifecycle.prom # in node_exporter's folder for text files, where there is one
"""

RETURN = r"""
numbers: {description: "All numbers.", returned: success, type: dict, sample: {leavers: 12, closed_in_time: 11}}
digest: {description: "The same in a few lines, to be sent.", returned: success, type: str, sample: "12 leavers, 11 closed in time"}
escalations:
  description: Who is to hear of what is late, as the policy says.
  returned: success
  type: list
  elements: dict
  sample: [{to: lena@corp.example, what: the return of C02JANE001, late_days: 3}]
page: {description: "The page.", returned: when written, type: str, sample: /srv/lifecycle/report.html}
metrics: {description: "The metrics' file.", returned: when written, type: str, sample: /srv/lifecycle/lifecycle.prom}
"""

from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="numbers",
    argument_spec={
        "from": {"type": "str", "default": ""},
        "to": {"type": "str", "default": ""},
        "days": {"type": "int", "default": 30},
        "path": {"type": "path", "default": ""},
        "metrics": {"type": "path", "default": ""},
        "archives": {"type": "path", "default": ""},
        "company": {"type": "str", "default": ""},
    },
    asked={
        "company": "lifecycle_company",
        **{name: name for name in ("from", "to", "days", "path", "metrics", "archives")},
    },
)

if __name__ == "__main__":
    TASK.main()
