#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: rename
short_description: Bring a changed name to a system
version_added: 0.1.0
description:
  - Brings first name, last name and display name to what HR says. The account stays the same one - writes address its immutable id.
  - Changes the address and the login only where policy says so; the old address goes on receiving mail.
  - A person without an account here stays without one, and a suspended account stays suspended.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.account
  - name: "A changed name"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/rename.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  address:
    description: Whether the address becomes the one that HR has; C(rename.address) of the policy.
    type: bool
    default: false
  login:
    description: Whether the login becomes the one that a new account would get; C(rename.login) of the policy.
    type: bool
    default: false
  policy:
    description: The policy's file, which then says both.
    type: path
"""

EXAMPLES = r"""
- name: Jane Ortiz is Jane Lind now
  workforce.lifecycle.rename:
    person: {email: jane.lind@corp.example, aliases: [jane@corp.example], first_name: Jane, last_name: Lind}
    address: true
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Names, address, further addresses and login, with before, after and outcome.
  returned: always
  type: list
  elements: dict
  sample: [{what: family name, before: Roth, after: Lang, outcome: done}]
"""

from functools import partial
from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC, refuse_protected
from ..module_utils.engine.correlate import person_and_account
from ..module_utils.sdk.protocols import Accounts, Provisioning, Renaming
from ..module_utils.sdk.values import Account, Addresses
from ..module_utils.model.person import Person
from ..module_utils.company.policy import load_policy
from ..module_utils.company.policy_sections import Rename
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import RENAME
from ..module_utils.engine.task import Task

NAMES = ("first_name", "last_name", "display_name")


def plan(system: Accounts, want: Mapping[str, Any]) -> list[Change]:
    person, account = person_and_account(system, want)
    if account is None:
        return absent("account", f"{person.email} has no account here")
    rule = load_policy(want["policy"]).rename if want["policy"] else Rename(want["address"], want["login"])
    changes = [*_names(system, person, account), *_addresses(system, person, account, rule)]
    if any(change.before != change.after for change in changes):
        refuse_protected(account, "rename")
    return changes


def _names(system: Accounts, person: Person, account: Account) -> list[Change]:
    kept = [name for name in NAMES if isinstance(system, Provisioning) and name in system.ATTRIBUTES]
    if not kept or not isinstance(system, Provisioning):
        whose = getattr(system, "NAMES_FROM", "")
        return (
            [Change("name", "as it is", "as it is", note=f"the names come from {whose}")]
            if whose
            else [
                Change(
                    "name",
                    "unknown",
                    person.name,
                    outcome=Outcome.NEEDS_HUMAN,
                    note="no name can be changed here: its owner does it by hand, then attest",
                )
            ]
        )
    provisioning = system
    new = {"first_name": person.first_name, "last_name": person.last_name, "display_name": person.name}
    return [
        Change(
            name,
            account.attributes.get(name) or "",
            new[name],
            partial(provisioning.update_account, account, {name: new[name]}),
        )
        for name in kept
        if new[name]
    ]


def _addresses(system: Accounts, person: Person, account: Account, rule: Rename) -> list[Change]:
    if not isinstance(system, Renaming):
        return _by_hand(system, person, account, rule)
    renaming, known = system, system.addresses(account)
    changes: list[Change] = []
    if known.address is not None:
        changes += (
            _address(renaming, person, account, known)
            if rule.address
            else _left("address", known.address, person.email)
        )
    if known.login is not None:
        login = system.login_of(person)  # type: ignore[attr-defined]
        # What cannot be asked for twice comes last: a login that is taken must not stop the rest.
        changes += (
            [Change("login", known.login, login.lower(), lambda: renaming.set_login(account, login))]
            if rule.login
            else _left("login", known.login, login)
        )
    return changes


def _address(system: Renaming, person: Person, account: Account, known: Addresses) -> list[Change]:
    kept = known.aliases
    further = (
        sorted({alias.lower() for alias in (*kept, *person.aliases, known.address or "") if alias} - {person.email})
        if kept is not None
        else []
    )
    changes = [
        Change("address", known.address, person.email, lambda: system.set_address(account, person.email, further))
    ]
    for alias in further:
        # The address that is left is read back as an alias in its own right.
        there = alias in (kept or ())
        written = known.address != person.email
        changes.append(
            Change(
                f"mail to {alias}",
                "arrives" if there else "arrives as the address" if alias == known.address else "does not arrive",
                "arrives",
                _with_the_address if written else lambda: system.set_address(account, person.email, further),
            )
        )
    return changes


def _with_the_address() -> None:
    """Set all addresses in one write."""


def _left(what: str, now: str, new: str) -> list[Change]:
    return (
        [Change(what, now, now, note=f"stays: policy does not say that a new name changes it (HR has {new})")]
        if now.casefold() != new.casefold()
        else []
    )


def _by_hand(system: Accounts, person: Person, account: Account, rule: Rename) -> list[Change]:
    changes = []
    if rule.address and isinstance(system, Provisioning) and "email" in system.ATTRIBUTES:
        provisioning = system
        changes.append(
            Change(
                "address",
                account.attributes.get("email") or "",
                person.email,
                lambda: provisioning.update_account(account, {"email": person.email}),
            )
        )
    login = system.login_of(person) if rule.login else account.login  # type: ignore[attr-defined]
    if login.casefold() != account.login.casefold():
        changes.append(
            Change(
                "login",
                account.login,
                login,
                outcome=Outcome.NEEDS_HUMAN,
                note="it can't be changed from here, and is no key of ours: the system's owner changes it, or leaves it, then attest",
            )
        )
    return changes


TASK = Task(
    Accounts,
    plan,
    {
        **PERSON_SPEC,
        "address": {"type": "bool", "default": False},
        "login": {"type": "bool", "default": False},
        "policy": {"type": "path"},
    },
    steps=RENAME,
)


if __name__ == "__main__":
    TASK.main()
