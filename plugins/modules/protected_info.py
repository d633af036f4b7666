#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: protected_info
short_description: Read who is in the groups that policy protects
version_added: 0.1.0
description:
  - Reads who has each group, role or other entitlement of this system that the policy file names under C(protected.members),
    also through a group, and through a group within one.
  - When one of them cannot be read, it fails, and the run with it. A list that cannot be read protects nobody.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - name: "The policy file"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/policy.md
  - module: workforce.lifecycle.case
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system]
options:
  policy: {description: "The policy file.", type: path, required: true}
"""

EXAMPLES = r"""
- name: Ask who is protected
  workforce.lifecycle.protected_info:
    policy: "{{ lifecycle_policy }}" # the file that the systems file names
"""

RETURN = r"""
members:
  description: One entry a group, with its C(kind), C(name) and C(members) - addresses, logins and ids.
  returned: success
  type: list
  elements: dict
  sample: [{kind: group, name: Board, members: [ceo@corp.example]}]
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.sdk.protocols import AccountListing, everybody
from ..module_utils.company.policy import load_policy
from ..module_utils.engine.task import Task


def info(system: AccountListing, want: Mapping[str, Any]) -> dict[str, Any]:
    groups = [group for group in load_policy(want["policy"]).protected.members if group.system == want["system"]]
    return {
        "members": [
            {"kind": group.kind, "name": group.name, "members": sorted({*everybody(system, group.kind, group.name)})}
            for group in groups
        ]
    }


TASK = Task(AccountListing, argument_spec={"policy": {"type": "path", "required": True}}, info=info)

if __name__ == "__main__":
    TASK.main()
