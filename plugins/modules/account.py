#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: account
short_description: Create, change, suspend, restore or delete a person's account on a system
version_added: 0.1.0
description:
  - V(present) creates the account when there is none - or restores the deleted one, where the system can - and brings its attributes up to date.
  - V(suspended) keeps the account and its data but lets nobody in; use M(workforce.lifecycle.cutoff) to end what is live as well.
  - An account that is mastered elsewhere, such as one synchronised from an on-premises directory, is refused with the reason.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.cutoff
  - module: workforce.lifecycle.entitlements
  - name: "What each connector can do"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/connectors.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  state:
    description:
      - How the account shall be. V(active) and V(suspended) leave a missing account missing.
      - V(prepared) makes a missing account, kept from signing in until it is V(present); one that is there already stays as it is.
    type: str
    choices: [present, prepared, active, suspended, absent]
    default: present
  attributes:
    description: Attributes to set, by our names. Those of O(person) that the system keeps, when not given.
    type: dict
  confirm:
    description: Logins whose irreversible deletion is confirmed.
    type: list
    elements: str
    default: []
  account_id:
    description: The immutable id of the account that is meant. When the person's account is another, nothing is done.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Give a joiner an account
  workforce.lifecycle.account:
    person:
      email: ada@corp.example
      first_name: Ada
      last_name: Nunez
      department: Engineering
      country: ES
      manager_email: mark@corp.example

- name: Let nobody in
  workforce.lifecycle.account:
    person: {email: jane@corp.example}
    state: suspended
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: The account and its attributes, with before, after and outcome.
  returned: always
  type: list
  elements: dict
  sample: [{what: account, before: active, after: suspended, outcome: done}]
"""

from functools import partial
from typing import Any
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..module_utils.engine.arguments import ACCOUNT_SPEC, CONFIRM_SPEC, PERSON_SPEC, refuse_protected
from ..module_utils.engine.absence import ask_about, nobody_here
from ..module_utils.engine.correlate import person_and_account, person_and_accounts
from ..module_utils.sdk.target import Connector
from ..module_utils.sdk.protocols import Accounts, Provisioning, Restorable
from ..module_utils.sdk.values import Account
from ..module_utils.model.errors import NotFound, Unsupported
from ..module_utils.model.person import Person
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import ACCOUNT
from ..module_utils.engine.task import Task


def plan(system: Accounts, want: Mapping[str, Any]) -> list[Change]:
    state = want["state"]
    if state == "suspended":
        return _suspended(system, want)
    person, account = person_and_account(system, want)
    if state in ("present", "prepared"):
        return _present(system, person, account, want.get("attributes"), opened=state == "present")
    if account is None:
        return absent("account", f"{person.email} has no account here")
    changes = [_deleted(system, account)] if state == "absent" else [_active(system, account, state == "active")]
    _guard(account, changes, state)
    return changes


def _suspended(system: Accounts, want: Mapping[str, Any]) -> list[Change]:
    """Return every account of the person, as a cut does; about one that may be theirs somebody is asked."""
    person, found = person_and_accounts(system, want)
    if not found.theirs:
        return nobody_here(system, want, person, found)
    changes = []
    for number, one in enumerate(found.theirs):
        change = _active(system, one.account, False)
        _guard(one.account, [change], "suspended")
        changes.append(replace(change, what=f"{one.account.login}: account") if number else change)
    return [*changes, *ask_about(found)]


def _present(
    system: Accounts, person: Person, account: Account | None, given: Mapping[str, Any] | None, *, opened: bool
) -> list[Change]:
    if not isinstance(system, Provisioning):
        raise Unsupported("accounts can't be created here", act=f"create account of {person.email}")
    attributes = dict(given) if given is not None else attributes_of(person, system.ATTRIBUTES)
    if account is None:
        deleted = system.find_deleted(person) if isinstance(system, Restorable) else None
        if deleted is not None and isinstance(system, Restorable):
            restorable, gone = system, deleted
            changes = [Change("account", "deleted", "active", lambda: restorable.restore_account(gone), gate=True)]
        elif opened:
            changes = [
                Change(
                    "account",
                    "absent",
                    "active",
                    partial(_made_open, system, person, attributes),
                    gate=True,
                    pending="pending",
                )
            ]
        else:
            changes = [
                Change(
                    "account",
                    "absent",
                    "suspended",
                    lambda: _made_ready(system, person, attributes),
                    gate=True,
                    pending="pending",
                )
            ]
        # Creating writes the attributes too; each is listed so that each is read back. An invitation may not carry them all.
        wait = "" if getattr(system, "INVITES", False) else None
        changes += [Change(f"attribute {name}", None, value, pending=wait) for name, value in attributes.items()]
        return [*changes, *(_first_credential(system) if isinstance(system, Connector) and deleted is None else ())]
    changes = [_active(system, account, opened or account.active)]
    for name, value in attributes.items():
        changes.append(
            Change(
                f"attribute {name}",
                account.attributes.get(name) or "",
                value,
                partial(system.update_account, account, {name: value}),
                pending="" if account.pending else None,
            )
        )
    _guard(account, changes, "change")
    return changes


def _first_credential(system: Connector) -> Iterator[Change]:
    """Yield what somebody has to hand over: a new account's password is known to nobody."""
    if system.FIRST_CREDENTIAL and system.target.options.get("first_credential") == "by_hand":
        note = (
            f"set {system.FIRST_CREDENTIAL} on the first day, to be changed at the first sign-in; hand it over in person, or to the manager whom "
            "HR names that day; then attest. With single sign-on: option first_credential: elsewhere"
        )
        yield Change(
            "first credential", "nobody has it", "handed over", outcome=Outcome.NEEDS_HUMAN, note=note, lasting=True
        )


def _made_open(system: Provisioning, person: Person, attributes: Mapping[str, Any]) -> None:
    """Create the account, and open it where the system makes new accounts closed."""
    system.create_account(person, attributes)
    if not getattr(system, "CREATES_CLOSED", False):
        return
    account = system.find_account(person)
    if account is None:
        raise NotFound(
            "it was made, and is not listed yet", act=f"open the new account of {person.email}", hint="run it again"
        )
    system.set_active(account, True)


def _made_ready(system: Provisioning, person: Person, attributes: Mapping[str, Any]) -> None:
    """Close a new account whose credential nobody knows yet, so that none works that somebody sets meanwhile."""
    system.create_account(person, attributes)
    account = system.find_account(person)
    if account is None:
        raise NotFound(
            "it was made, and is not listed yet", act=f"close the new account of {person.email}", hint="run it again"
        )
    if account.active:
        system.set_active(account, False)


def attributes_of(person: Person, kept: Any) -> dict[str, Any]:
    """Return what a system keeps of a person, as far as HR knows it."""
    values = {name: getattr(person, name, "") for name in kept if name != "manager"}
    if "manager" in kept:
        values["manager"] = person.manager_email
    if "display_name" in values:
        values["display_name"] = person.name
    return {name: value for name, value in values.items() if value}


def _active(system: Accounts, account: Account, active: bool) -> Change:
    words = {True: "active", False: "suspended"}
    now = "pending" if account.pending else words[account.active]
    return Change(
        "account",
        now,
        words[active],
        lambda: system.set_active(account, active),
        pending="pending" if active else None,
        note=account.pending,
        act="" if active else "disable",
    )


def _deleted(system: Accounts, account: Account) -> Change:
    if not isinstance(system, Provisioning):
        raise Unsupported("accounts can't be deleted here", act=f"delete account {account.login}")
    provisioning = system
    kept = system.carries(account) if isinstance(system, Connector) else ""
    if kept:
        now = "active" if account.active else "suspended"
        return Change("account", now, "absent", outcome=Outcome.NEEDS_HUMAN, note=kept, act="delete")
    return Change(
        "account",
        "active" if account.active else "suspended",
        "absent",
        lambda: provisioning.delete_account(account),
        irreversible=not isinstance(system, Restorable),
        confirm=account.login,
        traceable=True,
        act="delete",
    )


def _guard(account: Account, changes: list[Change], act: str) -> None:
    if any(change.before != change.after for change in changes):
        refuse_protected(account, act)


TASK = Task(
    Accounts,
    plan,
    {
        **PERSON_SPEC,
        **ACCOUNT_SPEC,
        **CONFIRM_SPEC,
        "state": {
            "type": "str",
            "choices": ["present", "prepared", "active", "suspended", "absent"],
            "default": "present",
        },
        "attributes": {"type": "dict"},
    },
    steps=ACCOUNT,
)


if __name__ == "__main__":
    TASK.main()
