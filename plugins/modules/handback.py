#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: handback
short_description: Let other runs go on with these people
description:
  - A run has the people of its cases for itself, from M(workforce.lifecycle.case) until M(workforce.lifecycle.record).
  - A playbook that writes no record says here that it is through with them. Without it they are free when ansible-playbook has ended,
    and for a run on another machine some minutes later.
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "A run in check mode has nobody.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  cases: {description: "Their cases in the ledger.", type: list, elements: str, required: true}
"""

EXAMPLES = r"""
- name: Let other runs go on
  workforce.lifecycle.handback:
    cases: "{{ lifecycle_opened.cases | map(attribute='id') }}"
"""

RETURN = r"""
cases: {description: "As given.", returned: success, type: list, elements: str}
"""

from typing import Any
from collections.abc import Mapping

from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import CaseLedger
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Outcome, Task


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    for case in want["cases"]:
        if case and not book.read_only:
            book.ledger.give_back(case, book.run)
    return {"changed": False, "cases": want["cases"], "outcome": Outcome.ALREADY.value}


TASK = Task(CaseLedger, info=info, argument_spec={"cases": {"type": "list", "elements": "str", "required": True}})

if __name__ == "__main__":
    TASK.main()
