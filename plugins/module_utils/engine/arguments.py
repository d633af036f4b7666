# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Arguments and small plans that several modules share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..company.policy import like
from ..model.errors import AmbiguousIdentity, Refused
from ..model.person import Person
from ..sdk.capabilities import Account, Accounts

#: Of every module that acts for a person.
PERSON_SPEC: Mapping[str, Any] = {
    "person": {"type": "dict", "required": True},
    "optional": {"type": "bool", "default": False},
}
#: Of those that may be told which account is meant.
ACCOUNT_SPEC: Mapping[str, Any] = {"account_id": {"type": "str", "default": ""}}
CONFIRM_SPEC: Mapping[str, Any] = {"confirm": {"type": "list", "elements": "str", "default": []}}


def person_and_account(system: Accounts, want: Mapping[str, Any]) -> tuple[Person, Account | None]:
    """The person asked for, and their account here.

    :raises AmbiguousIdentity: ``account_id`` says that another account is meant.
    :raises Refused: the system says that the account is nobody's own.
    """
    person = Person.of(want["person"])
    account = system.find_account(person) or former(system, person)[1]
    meant = want.get("account_id") or ""
    if account is not None and not meant:
        refuse_no_person(account, want)
    if account is not None and meant and account.id != meant:
        raise AmbiguousIdentity(
            f"the account found is {account.login} ({account.id}), and {meant} is meant",
            act=f"find account of {person.email}",
            hint="nothing was sent: correct what the two accounts say of themselves",
        )
    return person, account


def person_here(system: Any, want: Mapping[str, Any]) -> Person:
    """The person under the address by which this system knows them: the one that HR has, or a former one."""
    person = Person.of(want["person"])
    known = not person.aliases or not isinstance(system, Accounts) or system.find_account(person) is not None
    return person if known else former(system, person)[0]


def former(system: Accounts, person: Person) -> tuple[Person, Account | None]:
    """The account under a former or further address, and the person under that address.

    :raises AmbiguousIdentity: several accounts answer, or the one that does is of another employee.
    """
    act = f"find account of {person.email}"
    found: dict[str, tuple[Person, Account]] = {}
    for alias in person.aliases:
        then = replace(person, email=alias.lower(), aliases=())
        account = system.find_account(then) if then.email != person.email else None
        if account is not None:
            found.setdefault(account.id, (then, account))
    if len(found) > 1:
        raise AmbiguousIdentity(
            f"{len(found)} accounts answer to former addresses: {', '.join(account.login for _then, account in found.values())}",
            act=act,
            hint="join them there, or correct the addresses in HR",
        )
    for then, account in found.values():
        number = str(account.attributes.get("employee_id") or "")
        if number and person.employee_id and number != person.employee_id:
            raise AmbiguousIdentity(
                f"{account.login} is of employee {number}, the person is employee {person.employee_id}",
                act=act,
                hint="a former address was given to somebody else: correct the aliases in HR",
            )
        return then, account
    return person, None


def refuse_no_person(account: Account, want: Mapping[str, Any]) -> None:
    """Stop before a shared mailbox or a service account is taken for a person's: what the system says of it is enough.

    Asked where the guard wants it, so not of what only looks, nor where the ledger or somebody's word has it that it is theirs.

    :raises Refused: shows what the system says.
    """
    patterns = (want.get("guard") or {}).get("not_people")
    said = nobodys(account, patterns) if patterns is not None else ""
    if said:
        raise Refused(
            f"{account.login} is nobody's own: {said}",
            act=f"touch account of {Person.of(want['person']).email}",
            hint="correct the address in HR; or if it is theirs all the same: -e adopt=NAME of this system",
        )


def nobodys(account: Account, patterns: Sequence[Mapping[str, str]]) -> str:
    """Why an account is no person's own: what the system says itself, or facts there that fit the policy's patterns."""
    if account.no_person:
        return account.no_person
    for facts in patterns:
        if all(like(str(account.attributes.get(name) or ""), [pattern]) for name, pattern in facts.items()):
            return ", ".join(f"{name} is {account.attributes[name]}" for name in facts)
    return ""


def refuse_protected(account: Account, act: str) -> None:
    """Stop before a write to an account that is mastered elsewhere.

    :raises Refused: says where it is mastered.
    """
    if account.protected:
        raise Refused(
            account.protected, act=f"{act} {account.login}", hint="change it there; this system only mirrors it"
        )
