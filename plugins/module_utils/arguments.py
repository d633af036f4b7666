# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Arguments and small plans that several modules share."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import Account, Accounts
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import Refused
from ansible_collections.workforce.lifecycle.plugins.module_utils.person import Person

#: Of every module that acts for a person.
PERSON_SPEC: Mapping[str, Any] = {"person": {"type": "dict", "required": True}, "optional": {"type": "bool", "default": False}}
CONFIRM_SPEC: Mapping[str, Any] = {"confirm": {"type": "list", "elements": "str", "default": []}}


def person_and_account(system: Accounts, want: Mapping[str, Any]) -> tuple[Person, Account | None]:
    """The person asked for, and their account here."""
    person = Person.of(want["person"])
    return person, system.find_account(person)


def refuse_protected(account: Account, act: str) -> None:
    """Stop before a write to an account that is mastered elsewhere.

    :raises Refused: says where it is mastered.
    """
    if account.protected:
        raise Refused(account.protected, act=f"{act} {account.login}", hint="change it there; this system only mirrors it")
