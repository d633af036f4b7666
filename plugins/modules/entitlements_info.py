#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: entitlements_info
short_description: Read what a person holds on a system
version_added: 0.1.0
description:
  - Reads groups, roles, licences, seats and apps of a person's account.
  - With O(policy) it reads what the policy's C(separation) names of this system, and fails when the system has no such thing - a rule
    about a name that does not exist would stop nobody.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.entitlements
  - name: "Movers"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/transfer.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  policy:
    description: The policy's file.
    type: path
  names:
    description: Further names by kind, of which RV(called) says what they are called there. Only of kinds that the policy's C(separation) names.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: What does Tom hold?
  workforce.lifecycle.entitlements_info:
    person: {email: tom@corp.example}
"""

RETURN = r"""
account: {description: "Whether the person has an account here.", returned: success, type: bool, sample: true}
person: {description: "Of whom.", returned: success, type: str, sample: jane@corp.example}
held:
  description: What is held, with C(kind), C(name), and C(fixed) where it can't be given or taken by hand.
  returned: success
  type: list
  elements: dict
  sample: [{kind: group, name: Sales}, {kind: group, name: Everybody, fixed: by a rule}]
called:
  description: Of what policy and O(names) name, what goes by another name there - C(kind), C(name), and C(there), its own.
  returned: success
  type: list
  elements: dict
  sample: [{kind: group, name: sales, there: Sales}]
"""

from typing import Any
from collections.abc import Collection, Mapping, Sequence

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_and_account
from ..module_utils.sdk.protocols import Entitlements
from ..module_utils.model.errors import InputError
from ..module_utils.company.policy import load_policy
from ..module_utils.people.separation import asked_of
from ..module_utils.engine.steps import ENTITLEMENTS_INFO
from ..module_utils.engine.task import Task


def info(system: Entitlements, want: Mapping[str, Any]) -> dict[str, Any]:
    person, account = person_and_account(system, want)
    asked = asked_of(load_policy(want["policy"]).separation, want["system"]) if want["policy"] else {}
    # A thing may have several names there (a team's title and its slug): the answer uses the system's own.
    called: dict[tuple[str, str], str] = {}
    for kind, name in ((kind, name) for kind, names in asked.items() for name in names):
        found = system.find_entitlement(kind, name) if kind in system.ENTITLEMENT_KINDS else None
        if found is None:
            raise InputError(
                f"there is no {name!r} among its {kind}",
                act="read what nobody may hold together",
                hint=f"correct separation in {want['policy']}: a rule about nothing stops nobody",
            )
        called[kind, name] = found.name
    meant = {(kind, name.casefold()) for (kind, _name), name in called.items()}
    held = system.entitlements(account) if account is not None else ()
    for kind, name in _further(want["names"], asked, meant):
        found = system.find_entitlement(kind, name)
        called[kind, name] = found.name if found is not None else name
    return {
        "account": account is not None,
        "person": person.email,
        "held": [
            {"kind": one.kind, "name": one.name, "fixed": one.fixed}
            for one in held
            if not want["policy"] or (one.kind, one.name.casefold()) in meant
        ],
        "called": [
            {"kind": kind, "name": name, "there": there} for (kind, name), there in called.items() if name != there
        ],
    }


def _further(
    lists: Sequence[Mapping[str, Any]], kinds: Collection[str], known: Collection[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return names of these kinds that are not known yet."""
    return [
        (kind, name)
        for kind, name in dict.fromkeys(
            (kind, str(name)) for names in lists for kind, listed in names.items() for name in listed
        )
        if kind in kinds and (kind, name.casefold()) not in known
    ]


TASK = Task(
    Entitlements,
    argument_spec={
        **PERSON_SPEC,
        "policy": {"type": "path"},
        "names": {"type": "list", "elements": "dict", "default": []},
    },
    info=info,
    steps=ENTITLEMENTS_INFO,
)


if __name__ == "__main__":
    TASK.main()
