#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: connector_check
short_description: Show what a run would see of a person on a system
version_added: 0.2.0
description:
  - Finds the person and reads everything that a connector can read of them. Nothing is changed; a write is refused before it is sent.
  - It is for trying out a connector's file against the real system. The playbook C(workforce.lifecycle.connector_check) checks the file too.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.doctor_system
  - name: "Declared connectors: write your own in thirty lines"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/declared-connectors.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  most:
    description: How many accounts and keys are read at most, to see that they can be listed.
    type: int
    default: 1000
"""

EXAMPLES = r"""
- name: What would a run see?
  workforce.lifecycle.connector_check:
    person: {email: jane@corp.example}
"""

RETURN = r"""
lines: {description: "What was seen, a line each.", returned: success, type: list, elements: str, sample: ["sign-in: open"]}
found: {description: "How many accounts answer to the person's keys.", returned: success, type: int, sample: 1}
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import correlated
from ..module_utils.engine.task import Task
from ..module_utils.sdk.protocols import (
    AccountListing,
    Accounts,
    Correlates,
    CredentialListing,
    Cutoff,
    Entitlements,
    Ownership,
    SecurityControls,
)
from ..module_utils.people.correlation import Judged, Whose
from ..module_utils.sdk.values import Account


def info(system: Accounts, want: Mapping[str, Any]) -> dict[str, Any]:
    person, correlation = correlated(system, want)
    found = correlation.judged
    lines = [line for one in found for line in _of_account(system, one)]
    if not found:
        lines.append(f"no account answers to {person.email}: is it the address there? is match right?")
    lines += _lists(system, want["most"])
    return {"lines": lines, "found": len(found)}


def _of_account(system: Accounts, one: Judged) -> Iterator[str]:
    account = one.account
    state = account.pending or ("active" if account.active else "suspended")
    yield f"account {account.login or account.id} (id {account.id}): {state}"
    if isinstance(system, Correlates):
        against = "; ".join(dict.fromkeys(filter(None, (one.doubt, *one.how.against))))
        word = "certain" if one.whose is Whose.THEIRS else f"{one.whose.value}: {against}"
        yield f"  found by {', '.join(one.how.shown) or 'nothing that could be compared'}; {word}"
    for name, value in account.attributes.items():
        yield f"  {name}: {value}"
    for why in (account.protected, account.no_person):
        if why:
            yield f"  left alone: {why}"
    yield from _held(system, account)


def _held(system: Accounts, account: Account) -> Iterator[str]:
    if isinstance(system, Cutoff):
        for path in system.access_paths(account, ""):
            lingers = f"; lingers: {path.residual.what}" if path.residual is not None else ""
            yield f"  way in {path.name}: {path.state}{'; a person must: ' + path.refused if path.refused else ''}{lingers}"
    if isinstance(system, Entitlements):
        for held in system.entitlements(account):
            yield f"  holds {held.kind}: {held.name}{' (' + held.fixed + ')' if held.fixed else ''}"
    if isinstance(system, Ownership):
        for owned in system.owned(account):
            yield f"  owns {owned.kind} {owned.name}: {owned.settle}"
    if isinstance(system, SecurityControls):
        for name, holds in system.controls(account).items():
            yield f"  control {name}: {'holds' if holds else 'does not hold'}"


def _lists(system: object, most: int) -> Iterator[str]:
    if isinstance(system, AccountListing):
        listed = [one.account for one in islice(system.all_accounts(), most)]
        active = sum(account.active for account in listed)
        yield f"lists {len(listed)} accounts{' and more' if len(listed) == most else ''}, {active} of them active"
    if isinstance(system, CredentialListing):
        keys = sum(1 for _key in islice(system.all_credentials(), most))
        yield f"lists {keys} keys and tokens{' and more' if keys == most else ''}"


TASK = Task(Accounts, info=info, argument_spec={**PERSON_SPEC, "most": {"type": "int", "default": 1000}})

if __name__ == "__main__":
    TASK.main()
