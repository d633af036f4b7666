#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: doctor_system
short_description: Examine one system before the first leaver needs it
version_added: 0.2.0
description:
  - Asks whether the system is reachable, its credential good, its certificate and clock in order, and, by capability, whether the credential has
    the permissions that the connector's page lists, in the vendor's words.
  - Given the files of M(workforce.lifecycle.people_snapshot), it measures correlation - how many of HR's active people are found here, and by which key.
  - Only reads.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.doctor
  - name: "The first hour"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/first-hour.md
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system]
options:
  people: {description: "Files of M(workforce.lifecycle.people_snapshot); none, and correlation is not measured.", type: list, elements: path, default: []}
  policy: {description: "The policy file: whether everybody can be read who has what it protects here.", type: path}
  wanted: {description: "What the access profiles name here, by kind; what the system has not is a problem.", type: dict, default: {}}
  shares: {description: "Count what each department's people hold here, in place of the examination.", type: bool, default: false}
"""

EXAMPLES = r"""
- name: Examine the system
  workforce.lifecycle.doctor_system:
"""

RETURN = r"""
health:
  description: C(reached), C(problems) with what to do about each, C(permissions) by capability, C(endpoint).
  returned: success
  type: dict
  sample: {reached: true, problems: [], permissions: {accounts: true}, endpoint: "https://slack.com"}
shares:
  description: With O(shares), what was counted, by department.
  returned: success
  type: dict
  sample: {Engineering: {people: 12, group: {developers: 12}}}
coverage: {description: "What was counted; empty where it was not measured.", returned: success, type: dict, sample: {people: 240, found: 238}}
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..module_utils.company.policy import load_policy
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.task import Task
from ..module_utils.health.coverage import measure
from ..module_utils.health.probe import Problem, examine, unknown_entitlements, unread_holders
from ..module_utils.health.shares import shares
from ..module_utils.model.errors import InputError, LifecycleError
from ..module_utils.model.person import Person
from ..module_utils.sdk.protocols import AccountListing, Entitlements, Provisioning
from ..module_utils.sdk.target import Connector


def info(system: Connector, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["shares"]:
        listed = system.all_accounts() if isinstance(system, AccountListing) else ()
        counted_by = shares(system, [*_people(want["people"])], listed)
        return {"shares": {name: asdict(share) for name, share in counted_by.items()}, "changes": []}
    health = examine(system)
    counted: dict[str, Any] = {}
    if health.reached and isinstance(system, Entitlements):
        health.problems += unknown_entitlements(system, want["wanted"])
    if health.reached and want["policy"] and isinstance(system, AccountListing):
        mine = [one for one in load_policy(want["policy"]).protected.members if one.system == want["system"]]
        health.problems += unread_holders(system, [(one.kind, one.name) for one in mine])
    people = [*_people(want["people"])]
    if people and health.reached and isinstance(system, AccountListing):
        try:
            counted = asdict(seen := measure(system, people, system.all_accounts()))
            if seen.another_login and system.LOGINS_ARE_CHOSEN and isinstance(system, Provisioning):
                what = f"logins here are made as {seen.another_login}, and new people would get {system.login_pattern}"
                fix = f'set option login: "{seen.another_login}"'
                health.problems.append(Problem("setup", what, fix, "provisioning"))
        except LifecycleError as e:
            if not health.problems:
                health.problems.append(Problem("answer", f"correlation was not measured: {e.what}", e.hint))
    return {"health": asdict(health), "coverage": counted, "outcome": Outcome.ALREADY.value, "changes": []}


def _people(paths: Sequence[str]) -> Iterator[Person]:
    for path in paths:
        try:
            with open(path, encoding="utf-8") as rows:
                for row in rows:
                    record = json.loads(row).get("person")
                    if record:
                        yield Person.of(record)
        except OSError as e:
            raise InputError(f"{path} cannot be read: {e.strerror}", act="read HR's people") from e


TASK = Task(
    Connector,
    info=info,
    argument_spec={
        "people": {"type": "list", "elements": "path", "default": []},
        "policy": {"type": "path"},
        "wanted": {"type": "dict", "default": {}},
        "shares": {"type": "bool", "default": False},
    },
)

if __name__ == "__main__":
    TASK.main()
