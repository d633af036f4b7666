#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: notices
short_description: Tell those who answer for it what is late or due, or what happened in the week
version_added: 0.2.0
description:
  - Owners, and whom the policy names under C(responsibility.escalate), hear of each step that is late, and of what they are asked on its day; each once.
  - Sends by the mail server that the policy names (C(responsibility.mail)), and notes each letter in the ledger. Without one, the letters are returned for
    C(set_stats), and the bridge sends them.
  - Where the policy names the manager, it is the manager of the person who answers for the step, as HR says today, else as the ledger's last
    case of that person says.
    Where the owner is nobody whom either knows (a team's address), it is the manager of the person whom the case is about, and the letter says so.
  - Of a silent departure no manager hears anything before every way in is closed.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.numbers
  - name: "The numbers: whether it works"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/numbers.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Says who would get a letter; sends nothing.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  of:
    description: V(late) is what is late or due now. V(week) is the digest of the week that ended last Sunday, to the addresses of C(responsibility.digest).
    type: str
    choices: [late, week]
    default: late
  company: {description: "The company's name, for the digest.", type: str, default: ""}
  found:
    description: What the HR systems answered in this run; filled in by the collection.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Tell the owners
  workforce.lifecycle.notices:

- name: The digest of the week, for HR and IT
  workforce.lifecycle.notices:
    of: week
"""

RETURN = r"""
notices:
  description: Letters that were not sent because the policy names no mail server; for the bridge.
  returned: always
  type: list
  elements: dict
  sample: [{key: "late:case:okta:cutoff:4h", to: [grace@corp.example], subject: "Late", lines: ["..."], command: "ansible-playbook ..."}]
lines: {description: "The letters that are sent or will be, a line each.", returned: always, type: list, elements: str, sample: ["Late: to grace@corp.example"]}
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.ledger_task import LedgerTask


def _left(result: Mapping[str, Any], rehearsal: bool) -> Mapping[str, Any]:
    return {} if rehearsal or "notices" not in result else {"notices": result["notices"]}


TASK = LedgerTask(
    act="notices",
    argument_spec={
        "of": {"type": "str", "choices": ["late", "week"], "default": "late"},
        "company": {"type": "str", "default": ""},
        "found": {"type": "list", "elements": "dict", "default": []},
    },
    asked={"company": "lifecycle_company"},
    hands_over=_left,
)

if __name__ == "__main__":
    TASK.main()
