#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: existing_info
short_description: Look whether a joiner's account or mailbox is there already
version_added: 0.1.0
description:
  - Reads the account that answers to the person's login or address, live or deleted and still to be restored; where the system has mailboxes only, the mailbox.
  - With O(expected), looks instead whether the mailbox or the files are there that the access profile names and no run makes, and says so when they are not.
  - Finding one is an answer, and so is finding one of somebody else. M(workforce.lifecycle.quarantine) judges it.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.quarantine
  - module: workforce.lifecycle.person_info
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  expected:
    description: Look for a mailbox or files that must be there by now.
    type: bool
    default: false
    version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Is there anything of Ada already?
  workforce.lifecycle.existing_info:
    person: {email: ada@corp.example, employee_id: E1020}
"""

RETURN = r"""
existing:
  description:
    - C(what) is there (C(account) or C(mailbox)), its C(state) (C(active), C(suspended), C(pending), C(deleted), or C(ambiguous) when it is another
      employee's or several answer), its C(login), C(employee_id), C(name), and what else the system C(says). Empty when nothing is there.
  returned: without O(expected)
  type: dict
  sample: {what: account, state: suspended, login: ada@corp.example}
outcome: {description: "How it ended; see the notes.", returned: with O(expected), type: str, sample: already}
changes:
  description: The mailbox, or the files.
  returned: with O(expected)
  type: list
  elements: dict
  sample: [{what: mailbox, before: there, after: there, outcome: already}]
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_and_account, person_here
from ..module_utils.sdk.protocols import Accounts, Files, Mailbox, MailArchive, PersonalAccounts, Restorable
from ..module_utils.sdk.values import Account
from ..module_utils.model.errors import AmbiguousIdentity
from ..module_utils.model.person import Person
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.steps import EXISTING_INFO
from ..module_utils.engine.task import Task


_NOT_THERE = {
    "mailbox": "the profile names it, and no run makes one here: make it at the mail server, and run again, or correct the profile",
    "files": "the profile names them; they are there when the person has opened them once, or an administrator has made them: run again then",
}


def info(system: object, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["expected"]:
        return _expected(system, want)
    try:
        return {"existing": _found(system, want)}
    except AmbiguousIdentity as e:
        return {"existing": {"state": "ambiguous", "says": e.what}}


def _expected(system: object, want: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the mailbox or the files are there that the profile names."""
    person = person_here(system, want)
    what = "files" if isinstance(system, Files) else "mailbox"
    found = system.files(person) if isinstance(system, Files) else None
    there = found is not None or isinstance(system, MailArchive) and system.mail_folders(person) is not None
    row: dict[str, Any] = {"what": what, "before": "there" if there else "not there", "after": "there"}
    row["outcome"] = (Outcome.ALREADY if there else Outcome.NEEDS_HUMAN).value
    return {"outcome": row["outcome"], "changes": [row if there else {**row, "note": _NOT_THERE[what]}]}


def _found(system: object, want: Mapping[str, Any]) -> dict[str, Any]:
    what = "account" if hasattr(system, "create_account") else "mailbox"
    if not isinstance(system, Accounts):
        person = Person.of(want["person"])
        mailbox = system.mailbox(person) if isinstance(system, Mailbox) else None
        return (
            {"what": "mailbox", "state": "active", "login": person.email, "says": mailbox.get("type", "")}
            if mailbox is not None
            else {}
        )
    person, account = person_and_account(system, want)
    if account is not None:
        state = "pending" if account.pending else "active" if account.active else "suspended"
        return {} if state == "suspended" and _peoples_own(system) else _existing(what, state, account)
    deleted = system.find_deleted(person) if isinstance(system, Restorable) else None
    return _existing(what, "deleted", deleted) if deleted is not None else {}


def _peoples_own(system: Accounts) -> bool:
    """Return whether the accounts there belong to the person, so that an inactive one is not a leftover."""
    return isinstance(system, PersonalAccounts) and system.OWN_ACCOUNTS


def _existing(what: str, state: str, account: Account) -> dict[str, Any]:
    guest = "a guest" if account.attributes.get("user_type") == "Guest" else ""
    says = "; ".join(filter(None, (account.no_person, account.pending, account.protected, guest)))
    name = account.attributes.get("display_name") or " ".join(
        filter(None, (account.attributes.get(k) for k in ("first_name", "last_name")))
    )
    found = {
        "what": what,
        "state": state,
        "login": account.login,
        "name": name,
        "employee_id": str(account.attributes.get("employee_id") or ""),
        "says": says,
    }
    return {key: value for key, value in found.items() if value}


TASK = Task(
    object,
    argument_spec={**PERSON_SPEC, "expected": {"type": "bool", "default": False}},
    info=info,
    steps=EXISTING_INFO,
)


if __name__ == "__main__":
    TASK.main()
