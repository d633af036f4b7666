# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the accounts of a step's person, by what the shell knows (links, HR's other people) and what the system
answers.

A cut closes the accounts that are certainly the person's and asks about the others (:func:`person_and_accounts`). Every
other step stops at a doubt (:func:`person_and_account`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..company.policy import like
from ..model.errors import AmbiguousIdentity, Refused
from ..model.person import Person
from ..people.correlation import Correlation, Judged, Whose, correlate
from ..people.others import Others
from ..sdk.keys import Agreement, Kind, PersonKeys
from ..sdk.protocols import AccountListing, Accounts, Correlates
from ..sdk.values import Account


@dataclass(frozen=True)
class Known:
    """What the shell tells a step about the person on this system. It is plain data, so that both shells can take it.

    :param links: the ledger's links, the oldest first: ``{"id", "login", "by", "at"}`` each.
    :param others: the files with the keys of HR's people: see :class:`Others`.
    :param apart: HR ids of records that look like the person's and are somebody else's, as somebody said.
    :param expected: the reasons to expect an account of the person here, one line each.
    :param covered: kind of key -> how many other people the ledger's links found here by it.
    :param linked: the immutable ids of all accounts here that the ledger links to a person: a list, as JSON text.
    :param service: patterns of the accounts that belong to no single person, as policy says.
    :param logins: for a step on an HR system: the person's logins on the other systems, from the ledger's links.
    :param serials: for a step on a device management: the devices that the case has given there. For a step on the
        register in which devices enrol: the devices that the case has given anywhere.
    :param secrets: the service accounts whose keys and tokens the person made or knows, as policy says.
    """

    links: Sequence[Mapping[str, str]] = ()
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    apart: Sequence[str] = ()
    expected: Sequence[str] = ()
    covered: Mapping[str, int] = field(default_factory=dict)
    linked: str = "[]"
    service: Sequence[str] = ()
    secrets: Sequence[str] = ()
    logins: Mapping[str, str] = field(default_factory=dict)
    serials: Sequence[str] = ()

    @classmethod
    def of(cls, want: Mapping[str, Any]) -> Known:
        return cls(**(want.get("known") or {}))


def correlated(
    system: Correlates | Accounts, want: Mapping[str, Any], *, listed: bool = False
) -> tuple[Person, Correlation]:
    """Return the person, and every account that answers to any of their keys, judged.

    :param listed: when no account answers, also search the list of all accounts for keys that the system has no look-up
        for.
    """
    person, known = Person.of(want["person"]), Known.of(want)
    if isinstance(system, Correlates):
        name = str(getattr(getattr(system, "target", None), "name", ""))
        keys = system.keys_of(person, [link["id"] for link in known.links])
        accounts = list(_again(system, person, want) or system.candidates(keys))
        if listed and not accounts:
            accounts = list(_carrying(system, keys))
        found = correlate(keys, accounts, Others.read(known.others, known.apart), name)
    else:
        found = _by_address(system, person)
    note = want.get("seen")
    if note is not None:
        note[:] = [one.as_dict() for one in (*found.theirs, *found.doubts)]
    return person, found


def _again(system: Correlates, person: Person, want: Mapping[str, Any]) -> Sequence[Account]:
    """Return the accounts that this step has found before, read again by their immutable ids: the write went to these
    accounts.

    Empty when one of them is gone, or the system has no look-up by id: then every key is looked up again.
    """
    ids = tuple(want.get("again") or ())
    if not ids or Kind.ID not in system.LOOKS_UP:
        return ()
    accounts = [*system.candidates(PersonKeys(person, ids=ids))]
    return accounts if {account.id for account in accounts} == set(ids) else ()


def _carrying(system: Correlates, keys: PersonKeys) -> Iterator[Account]:
    """Yield the accounts that carry a key of the person for which the system has no look-up: in Slack, the employee
    number."""
    unasked = [kind for kind in system.COMPARES - system.LOOKS_UP if keys.of(kind)]
    if unasked and isinstance(system, AccountListing):
        for one in system.all_accounts():
            if any(key.kind in unasked and keys.has(key.kind, key.value) for key in one.account.carried):
                yield one.account


def _by_address(system: Accounts, person: Person) -> Correlation:
    """Correlate on a system whose connector looks up one address and compares by itself."""
    found = {}
    for address in dict.fromkeys((person.email, *(alias.lower() for alias in person.aliases))):
        then = person if address == person.email else replace(person, email=address, aliases=())
        account = system.find_account(then)
        number = str(account.attributes.get("employee_id") or "") if account is not None else ""
        if account is not None:
            differs = bool(number and person.employee_id and number != person.employee_id)
            doubt = f"its employee number is {number}, HR has {person.employee_id}" if differs else ""
            found[account.id] = Judged(
                account, Whose.DOUBT if differs else Whose.THEIRS, Agreement((Kind.ADDRESS,)), doubt
            )
            if address == person.email:
                break
    return Correlation(tuple(found.values()))


def person_and_account(system: Accounts, want: Mapping[str, Any]) -> tuple[Person, Account | None]:
    """Return the person asked for, and their one account here, beyond doubt.

    :raises AmbiguousIdentity: a doubt; or ``account_id`` says that another account is meant.
    :raises Refused: the system says that the account is nobody's own.
    """
    person, found = correlated(system, want)
    meant = want.get("account_id") or ""
    if meant:
        return person, _meant(person, found, meant)
    only = _only(person, found)
    if only is None:
        return person, None
    refuse_no_person(only.account, want)
    return person, only.account


def person_and_accounts(system: Accounts, want: Mapping[str, Any]) -> tuple[Person, Correlation]:
    """Return the person, the accounts that are certainly theirs, and those about which a person must be asked: for a
    cut.

    A field that the account's owner can write does not keep the account open, when an employee number or a link shows
    whose account it is.

    :raises AmbiguousIdentity: ``account_id`` says that another account is meant.
    :raises Refused: the only account is nobody's own.
    """
    person, found = correlated(system, want, listed=True)
    meant = want.get("account_id") or ""
    if meant:
        account = _meant(person, found, meant)
        return person, Correlation(
            tuple(one for one in found.judged if account is not None and one.account.id == account.id)
        )
    patterns = (want.get("guard") or {}).get("not_people")
    if patterns is None:
        return person, found
    judged = []
    for one in found.judged:
        said = nobodys(one.account, patterns) if one.whose is Whose.THEIRS else ""
        written_by_owner = not one.account.no_person and {Kind.ID, Kind.NUMBER} & set(one.how.by)
        if said and not written_by_owner:
            if len(found.theirs) == 1:
                refuse_no_person(one.account, want)
            one = replace(one, whose=Whose.DOUBT, doubt=f"it is nobody's own: {said}")
        judged.append(one)
    return person, Correlation(tuple(judged))


def _meant(person: Person, found: Correlation, meant: str) -> Account | None:
    for one in (*found.theirs, *found.doubts):
        if one.account.id == meant:
            return one.account
    if not found.theirs:
        return None
    account = found.theirs[0].account
    raise AmbiguousIdentity(
        f"the account found is {account.login} ({account.id}), and {meant} is meant",
        act=f"find account of {person.email}",
        hint="nothing was sent: correct what the two accounts say of themselves",
    )


def _only(person: Person, found: Correlation) -> Judged | None:
    """Return the one account on which every step but a cut works.

    :raises AmbiguousIdentity: a doubt, or several accounts that are equally theirs.
    """
    act = f"find account of {person.email}"
    doubts = [*found.doubts, *(one for one in found.theirs if one.doubt)]
    if doubts:
        raise AmbiguousIdentity(
            " | ".join(f"{one.account.login} may be somebody else's ({one.evidence})" for one in doubts),
            act=act,
            hint="nothing was sent: correct the account's keys there, or HR's record",
        )
    if len(found.theirs) > 1 and found.theirs[0].how.strength == found.theirs[1].how.strength:
        raise AmbiguousIdentity(
            f"{len(found.theirs)} accounts are equally theirs: {'; '.join(f'{one.account.login} ({one.evidence})' for one in found.theirs)}",
            act=act,
            hint="nothing was sent: name the one that is meant in HR's logins, or correct the other's keys there",
        )
    return found.theirs[0] if found.theirs else None


def person_here(system: object, want: Mapping[str, Any]) -> Person:
    """Return the person with the login of the account that was found here, whatever name HR gives them now."""
    person = Person.of(want["person"])
    if not isinstance(system, Correlates):
        if isinstance(system, Accounts) and person.aliases and system.find_account(person) is None:
            then = (replace(person, email=alias.lower(), aliases=()) for alias in person.aliases)
            return next((one for one in then if system.find_account(one) is not None), person)
        return person
    only = _only(person, correlated(system, want)[1])
    if only is None:
        return person
    name, login = system.target.name, system.addressed_by(only.account)  # type: ignore[attr-defined]
    return replace(person, logins={**person.logins, name: login})


def refuse_no_person(account: Account, want: Mapping[str, Any]) -> None:
    """Refuse a shared mailbox or a service account in the place of a person's account, by what the system says about
    it.

    It is checked when the guard has patterns: not in a step that only looks, and not when the ledger or a person has
    said that the account is theirs.

    :raises Refused: shows what the system says.
    """
    if "again" in want:
        return  # a read-back: it was checked before the write, and this task itself may have made the mailbox a shared one
    patterns = (want.get("guard") or {}).get("not_people")
    said = nobodys(account, patterns) if patterns is not None else ""
    if said:
        raise Refused(
            f"{account.login} is nobody's own: {said}",
            act=f"touch account of {Person.of(want['person']).email}",
            hint="correct the address in HR; or if it is theirs all the same: -e adopt=NAME of this system",
        )


def nobodys(account: Account, patterns: Sequence[Mapping[str, str]]) -> str:
    """Return why an account belongs to no single person: the system says so, or its facts there fit policy's
    patterns."""
    if account.no_person:
        return account.no_person
    for facts in patterns:
        if all(like(str(account.attributes.get(name) or ""), [pattern]) for name, pattern in facts.items()):
            return ", ".join(f"{name} is {account.attributes[name]}" for name in facts)
    return ""
