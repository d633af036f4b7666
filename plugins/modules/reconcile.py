#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: reconcile
short_description: Begin, judge, report and close a reconcile over all systems
version_added: 0.1.0
description:
  - V(begin) checks what can be checked before anybody is asked, and makes the run's own folder.
  - V(index) puts together who should be there - everybody in HR, each with their access profile, and everybody whose leaving was closed.
    An HR source that is empty, or not whole, or lost too many people, stops the run here.
  - V(report) puts together what the systems' checks found, writes it as JSON (C(meta/schemas/reconcile.schema.json)), CSV and a page, and opens
    the cases of what O(fix) names.
  - V(close) closes those cases.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.reconcile_system
  - name: "Reconcile"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/reconcile.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Writes no report and opens no case; says what it would do.", support: full}
  diff_mode: {description: "It has no diff.", support: none}
options:
  state:
    description: The stage.
    type: str
    choices: [begin, index, report, close]
    required: true
  profiles: {description: "V(index) - folder of access profiles. Without one nobody's entitlements are judged.", type: path}
  path: {description: "V(report) - the folder for reports.", type: path}
  company: {description: "V(report) - the company's name.", type: str, default: ""}
  failures:
    description: V(report) - by system, what its check said when it failed.
    type: dict
    default: {}
  only:
    description: The systems that this run reconciles; all when empty.
    type: list
    elements: str
    default: []
  fix:
    description: Kinds or ids of findings to settle.
    type: list
    elements: str
    default: []
  fail_on:
    description: Fail when there are findings as bad as this, or worse. Findings alone do not fail a run.
    type: str
    default: ""
  plan: {description: "V(report) - the plan that the run executes.", type: str, default: ""}
  protected:
    description:
      - V(report) - what RV(workforce.lifecycle.protected_info#module:members) said, a list of them, each with its C(system).
      - Taken from what the role C(identify) registered, when not given.
    type: list
    elements: dict
    default: []
  cases:
    description: V(close) - what V(report) opened.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Check what can be checked before anybody is asked
  workforce.lifecycle.reconcile:
    state: begin
  register: reconcile_begun

# here people_snapshot writes the people of each HR system into {{ reconcile_begun.spool }}

- name: Put together who should be there
  workforce.lifecycle.reconcile:
    state: index
    profiles: "{{ lifecycle_profiles }}"
  register: reconcile_index

# here reconcile_system compares every system

- name: Say what was found
  workforce.lifecycle.reconcile:
    state: report
    path: "{{ lifecycle_records }}"
  register: reconcile_report
"""

RETURN = r"""
spool: {description: "V(begin) - the run's own folder.", returned: success, type: str, sample: /run/user/1000/lifecycle-reconcile-x1}
summary:
  description: V(report) - findings by severity, kind and system; systems that were not read.
  returned: success
  type: dict
  sample: {high: 1, medium: 4, not_read: []}
json: {description: "V(report) - path of the JSON.", returned: success, type: str, sample: /srv/lifecycle/reconcile/2026-11-28.json}
csv: {description: "V(report) - path of the CSV.", returned: success, type: str, sample: /srv/lifecycle/reconcile/2026-11-28.csv}
html: {description: "V(report) - path of the page.", returned: success, type: str, sample: /srv/lifecycle/reconcile/2026-11-28.html}
linked: {description: "V(report) - how many new links between account and person the ledger got.", returned: success, type: int, sample: 12}
steps: {description: "V(report) - by system, what is to be done of O(fix).", returned: success, type: dict, sample: {slack: [{finding: F3, do: cut off}]}}
cases: {description: "V(report) - the cases opened for O(fix).", returned: success, type: list, elements: dict, sample: [{id: 01JDQ8}]}
left:
  description: V(report) - what O(fix) names and only a person can settle.
  returned: success
  type: list
  elements: str
  sample: ["F7: nobody knows whose account build@corp.example is"]
open: {description: "V(close) - what is still open of the cases.", returned: success, type: list, elements: str, sample: ["slack: F3"]}
"""
from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.ledger_task import LedgerTask


def _reported(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    if "summary" not in result:
        return {}
    return {"reconcile": result["summary"], "reconcile_report": result.get("json", "")}


TASK = LedgerTask(
    act="reconcile",
    argument_spec={
        "state": {"type": "str", "choices": ["begin", "index", "report", "close"], "required": True},
        "profiles": {"type": "path"},
        "path": {"type": "path"},
        "company": {"type": "str", "default": ""},
        "failures": {"type": "dict", "default": {}},
        "only": {"type": "list", "elements": "str", "default": []},
        "fix": {"type": "list", "elements": "str", "default": []},
        "fail_on": {"type": "str", "default": ""},
        "plan": {"type": "str", "default": ""},
        "protected": {"type": "list", "elements": "dict", "default": []},
        "cases": {"type": "list", "elements": "dict", "default": []},
    },
    hands_over=_reported,
)

if __name__ == "__main__":
    TASK.main()
