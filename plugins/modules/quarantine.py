#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: quarantine
short_description: Refuse to take over what was there before a joiner, before the first write
version_added: 0.1.0
description:
  - Judges what M(workforce.lifecycle.existing_info) found of a joiner. What is there already stops the run, until somebody says that it is theirs,
    or it is renamed or released.
  - What an earlier run of the same case has judged is not judged again, since what is there now may be the case's own.
  - Runs where Ansible runs, beside the ledger.
extends_documentation_fragment: [workforce.lifecycle.group]
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.existing_info
  - name: "The policy file"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/policy.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
attributes:
  check_mode: {description: "Judges just the same, and notes nothing.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  cases:
    description: Cases, as M(workforce.lifecycle.case) returns them; those that this run has opened, when not given.
    type: list
    elements: dict
    default: []
  seen:
    description:
      - What M(workforce.lifecycle.existing_info) said, each with its C(system), the C(person)'s address, and C(existing).
      - Without the last, the system was not read. What the systems answered in this run, when not given.
    type: list
    elements: dict
    default: []
  adopt:
    description: Systems of which somebody says that what is there is this person's own. Only for one person. C(-e adopt), when not given.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Nothing is taken over without a word
  workforce.lifecycle.quarantine:
    cases: "{{ opened.cases }}"
    adopt: [entra]
"""

RETURN = r"""
adopted:
  description: By system, addresses of people who have an earlier account there. It gets what the profile says, and keeps nothing else.
  returned: success
  type: dict
  sample: {entra: [ada@corp.example]}
unread:
  description: By system, addresses of those whom it could not be asked about. Nothing may be done for them there.
  returned: success
  type: dict
  sample: {slack: [ada@corp.example]}
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="quarantine",
    argument_spec={
        "cases": {"type": "list", "elements": "dict", "default": []},
        "seen": {"type": "list", "elements": "dict", "default": []},
        "adopt": {"type": "list", "elements": "str", "default": []},
    },
    asked={"adopt": "adopt"},
)


if __name__ == "__main__":
    TASK.main()
