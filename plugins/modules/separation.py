#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: separation
short_description: Refuse what nobody may hold together, before the first write
description:
  - Judges each pair that the policy's C(separation) names by what the profile gives and what the person holds and will keep.
  - Of a mover it says what must be taken before anything is given - a hand-over overlap never keeps both.
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Judges just the same.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  cases: {description: "Cases, as M(workforce.lifecycle.case) returns them.", type: list, elements: dict, required: true}
  held:
    description: What M(workforce.lifecycle.entitlements_info) said of each of them, on each system that policy names.
    type: list
    elements: dict
    required: true
  keep: {description: "What the run leaves alone, names by system and kind.", type: dict, default: {}}
"""

EXAMPLES = r"""
- name: Nobody may hold both
  workforce.lifecycle.separation:
    cases: "{{ lifecycle_opened.cases }}"
    held: "{{ what_they_hold }}"
"""

RETURN = r"""
first:
  description: What must be taken first, names by address, system and kind.
  returned: success
  type: dict
"""

from typing import Any
from collections.abc import Mapping

from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import CaseLedger
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import Refused
from ansible_collections.workforce.lifecycle.plugins.module_utils.separation import Mover, held_of, judge
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Task


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    pairs = book.policy.separation
    named = {one.system for pair in pairs for one in (pair.one, pair.other)}
    read = {(answer["system"], answer["person"]) for answer in want["held"]}
    refused: list[str] = []
    first: dict[str, dict[str, dict[str, list[str]]]] = {}
    for case in want["cases"]:
        email = case["person"]["email"]
        unread = sorted(system for system in named if (system, email) not in read)
        if unread:
            refused.append(f"{email}: what they hold on {', '.join(unread)} was not read, so that nobody knows what they may not be given")
            continue
        mover = Mover(case.get("explained") or {}, case.get("unexplained") or {}, want["keep"]) if case["kind"] == "transfer" else None
        verdict = judge(pairs, case["wanted"], case["profile"], held_of(want["held"], email), mover)
        refused += [f"{email}: {line}" for line in verdict.refused]
        for one in verdict.first:
            first.setdefault(email, {}).setdefault(one.system, {}).setdefault(one.kind, []).append(one.name)
    if refused:
        raise Refused("; ".join(refused), act="separate duties", hint="nothing was sent: correct the profile, take one of the two, or decide on it")
    return {"first": first}


TASK = Task(CaseLedger, info=info, argument_spec={
    "cases": {"type": "list", "elements": "dict", "required": True},
    "held": {"type": "list", "elements": "dict", "required": True},
    "keep": {"type": "dict", "default": {}},
})

if __name__ == "__main__":
    TASK.main()
