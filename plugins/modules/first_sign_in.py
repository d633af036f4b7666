#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: first_sign_in
short_description: Issue the credential with which a joiner signs in for the first time
version_added: 0.1.0
description:
  - Issues a credential that works once and for a short time, and has the system itself hand it to O(deliver_to).
  - It is never returned, logged or kept; when it can't be delivered, it is taken back and the step fails.
  - In a case it is issued once; again when O(lifetime_minutes) are over, and the system shows that no second factor was set up with it.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.account
  - name: "The two main runs: onboard and offboard"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/main-runs.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  deliver_to:
    description: Address of who hands it over, such as the manager. It must be an active account here, and nobody whom HR says has left.
    type: str
    required: true
  lifetime_minutes:
    description: How long it can be used.
    type: int
    default: 480
  starts_at:
    description: ISO 8601 moment from which it can be used; now, when empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Hand the first credential to the manager
  workforce.lifecycle.first_sign_in:
    person: {email: ada@corp.example}
    deliver_to: mark@corp.example
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
"""

from datetime import timedelta
from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import Accounts, FirstSignIn, SecurityControls
from ..module_utils.sdk.values import Account
from ..module_utils.model import clock
from ..module_utils.model.errors import InputError, NotFound
from ..module_utils.engine.change import Change, History
from ..module_utils.engine.steps import FIRST_SIGN_IN
from ..module_utils.engine.task import Task

#: Each is issued once a case.
_FIRST = "first credential"


def plan(system: FirstSignIn, want: Mapping[str, Any]) -> list[Change]:
    person = person_here(system, want)
    if "@" not in want["deliver_to"]:
        raise InputError(
            f"deliver_to is {want['deliver_to']!r}",
            act=f"issue first credential of {person.email}",
            hint="name an e-mail address",
        )
    account = system.find_account(person) if isinstance(system, Accounts) else None
    if account is None:

        def nobody() -> None:
            raise NotFound(
                f"{person.email} has no account here", act="issue first credential", hint="create the account first"
            )

        return [Change(_FIRST, "not issued", "issued", nobody, once=True)]
    found = account
    issued = system.first_sign_in(account)["issued"]
    return [
        Change(
            _of_now(system, account, want, issued),
            "issued" if issued else "not issued",
            "issued",
            once=True,
            note=f"handed to {want['deliver_to']}",
            apply=lambda: system.issue_first_sign_in(
                found,
                deliver_to=want["deliver_to"],
                lifetime_minutes=want["lifetime_minutes"],
                starts_at=want["starts_at"],
            ),
        )
    ]


def _of_now(system: FirstSignIn, account: Account, want: Mapping[str, Any], issued: bool) -> str:
    """Return which one is meant: the last that was issued, or the next when that one has expired and was not used.

    Who has used it has set up a second factor with it; a system that does not show that issues one once.
    """
    given = {what: at for what, at in History(**(want.get("history") or {})).done.items() if what.startswith(_FIRST)}
    if not given or clock.parse(max(given.values())) + timedelta(minutes=want["lifetime_minutes"]) > clock.now():
        return _numbered(max(1, len(given)))
    # One that can be used now, after the last has expired, is the next: this run has just issued it.
    unused = isinstance(system, SecurityControls) and system.controls(account).get("mfa_registered") is False
    return _numbered(len(given) + (1 if issued or unused else 0))


def _numbered(number: int) -> str:
    return _FIRST if number < 2 else f"{_FIRST}, issued again ({number})"


TASK = Task(
    FirstSignIn,
    plan,
    {
        **PERSON_SPEC,
        "deliver_to": {"type": "str", "required": True},
        "lifetime_minutes": {"type": "int", "default": 480},
        "starts_at": {"type": "str", "default": ""},
    },
    steps=FIRST_SIGN_IN,
)


if __name__ == "__main__":
    TASK.main()
