#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: hr_feed
short_description: Show how the HR sources stand, or release one that stopped a run
version_added: 0.1.0
description:
  - Every run compares what each HR system looks like with its last good look. A source that is empty, lost people, columns or its order
    stops the run before the first write (M(workforce.lifecycle.case)).
  - V(shown) says when each was last good, what stopped a run since, and whether it is silent.
  - V(released) notes that a named person says that the source is right as it was when it stopped a run. Policy says who may, and for how
    many hours it holds (C(brake.feed)). An empty source, and one with an id twice, can't be released.
  - What the task does not give is taken from the run's variables, as C(-e by=grace@corp.example) sets them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.person_info
  - module: workforce.lifecycle.intake
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Checks everything, and notes nothing.", support: full}
  diff_mode: {description: "A release has no diff.", support: none}
options:
  state: {description: "What to do.", type: str, choices: [shown, released], default: shown}
  source: {description: "The HR system. Needed to release; without it all are shown.", type: str, default: ""}
  by: {description: "The address of who releases it.", type: str, default: ""}
  account: {description: "The account in whose hands it was released. That of the operating system, when not given.", type: str, default: ""}
  reason: {description: "Why the source is right. Needed to release.", type: str, default: ""}
"""

EXAMPLES = r"""
- name: What stands against each HR system?
  workforce.lifecycle.hr_feed:

- name: A site was sold
  workforce.lifecycle.hr_feed:
    state: released
    source: contractors
    by: grace@corp.example
    reason: The site in Lyon was sold on 1 March
"""

RETURN = r"""
sources:
  description: One entry an HR system.
  returned: success
  type: list
  elements: dict
  sample: [{system: bamboohr, people: 812, active: 640, good_at: "2026-03-01T06:00:00.000000Z", incident: "", released_by: "", silent: ""}]
"""
from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="hr_feed",
    argument_spec={
        "state": {"type": "str", "choices": ["shown", "released"], "default": "shown"},
        "source": {"type": "str", "default": ""},
        "by": {"type": "str", "default": ""},
        "account": {"type": "str", "default": ""},
        "reason": {"type": "str", "default": ""},
    },
    asked={
        "source": "source",
        "by": ("by", "awx_user_email"),
        "account": "awx_user_name",
        "reason": "reason",
    },
)

if __name__ == "__main__":
    TASK.main()
