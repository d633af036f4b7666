#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: cutoff
short_description: End all access of a person to a system
version_added: 0.1.0
description:
  - Closes every way in that the system knows - sign-in, sessions, tokens, keys, app passwords - in the order that the system needs.
  - Names the service accounts whose keys and tokens the person knows, as policy says (C(service_accounts)); somebody replaces them.
  - A block is not a cut; what is live is ended too. Where a vendor offers no way, the result carries RV(residual), until when access may linger and why.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.account
  - module: workforce.lifecycle.ownership
  - name: "Safe by construction: each promise, and the test that proves it"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/safety.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  explained:
    description: What a mover's old profile gave on this system; not given when it gave no account here.
    type: dict
  unexplained:
    description:
      - What becomes of a mover's account that no profile explains - V(remove) cuts it off, V(keep) leaves it, V(decide) waits for a person.
      - With V(keep) and V(decide), an account also stays while it holds something that no profile explains and nobody took.
    type: str
    choices: [remove, keep, decide]
    default: remove
  keep:
    description: Names by kind of what a mover keeps. The account stays with it.
    type: dict
    default: {}
  account_id:
    description: The immutable id of the account that is meant. When the person's account is another, nothing is done.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Cut a leaver off everywhere at once
  workforce.lifecycle.cutoff:
    person: {email: jane@corp.example}
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Every way in, with before, after and outcome.
  returned: always
  type: list
  elements: dict
  sample: [{what: sign-in, before: enabled, after: disabled, outcome: done}]
residual:
  description: Access that outlives the cut, with until and why.
  returned: always
  type: list
  elements: dict
  sample: [{what: access tokens, until: "2026-11-28T10:12:44+00:00", why: a token that was issued is good until its end}]
"""

from typing import Any
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..module_utils.engine.absence import ask_about, nobody_here
from ..module_utils.engine.arguments import ACCOUNT_SPEC, PERSON_SPEC
from ..module_utils.engine.correlate import Known, person_and_accounts
from ..module_utils.sdk.protocols import Cutoff
from ..module_utils.sdk.values import AccessPath
from ..module_utils.engine.mover import EXPLAIN_SPEC, account_stays
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.steps import CUTOFF
from ..module_utils.engine.task import Task


def plan(system: Cutoff, want: Mapping[str, Any]) -> list[Change]:
    person, found = person_and_accounts(system, want)
    secrets = list(_service_secrets(want))
    if not found.theirs:
        return [*nobody_here(system, want, person, found), *secrets]
    changes = []
    for number, one in enumerate(found.theirs):
        stays = account_stays(system, one.account, want)
        prefix = f"{one.account.login}: " if number else ""  # a second account of the person, such as adm-jane
        ways = (
            [stays]
            if stays is not None
            else [change for path in system.access_paths(one.account, want["since"]) for change in _closed(path)]
        )
        changes += [replace(change, what=prefix + change.what) for change in ways]
        secrets = secrets if stays is None else []
    return [*changes, *ask_about(found), *secrets]


def _service_secrets(want: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what lets the person in without an account of theirs: keys and tokens of service accounts, as policy names them."""
    note = "policy (service_accounts) says that they know its keys and tokens: replace them, then attest"
    for name in Known.of(want).secrets:
        what = f"keys and tokens of service account {name}"
        yield Change(what, "known to them", "replaced", outcome=Outcome.NEEDS_HUMAN, note=note, lasting=True)


def _closed(path: AccessPath) -> list[Change]:
    """Return the way in, and what a person has to look at when it is closed."""
    if path.unread:
        return [Change(path.name, "not seen", "closed", outcome=Outcome.FAILED, note=path.unread)]
    way = Change(
        path.name,
        path.state,
        "closed",
        path.close,
        unobservable=path.state == "unseen",
        pending=path.pending or None,
        gate=path.gate,
        residual=path.residual,
        outcome=Outcome.NEEDS_HUMAN if path.refused and path.state != "closed" else None,
        note=path.refused,
        act="disable",
        spares=path.spares,
    )
    left = Change(
        f"what {path.name} leaves",
        "open",
        "settled by a person",
        outcome=Outcome.NEEDS_HUMAN,
        note=path.leaves,
        lasting=True,
    )
    return [way, left] if path.leaves else [way]


TASK = Task(Cutoff, plan, {**PERSON_SPEC, **ACCOUNT_SPEC, **EXPLAIN_SPEC}, steps=CUTOFF)


if __name__ == "__main__":
    TASK.main()
