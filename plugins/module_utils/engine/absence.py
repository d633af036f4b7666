# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides whether a run may say that somebody has no account: ``absent``, the strongest claim of a leaver's run.

Three things must be true: the system answered; nothing led to expect the person there; and every account of a person
there is seen to be another person's, by a key that HR knows. Otherwise the step waits for a person, and says what is
known.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from ..company.policy import like
from ..model.person import Person
from ..people.correlation import Correlation
from ..people.others import Others
from ..sdk.keys import Kind, PersonKeys, agreement
from ..sdk.protocols import AccountListing, Correlates, OnSystem
from ..sdk.target import Connector
from ..sdk.values import Account
from .change import Change, Outcome, absent
from .correlate import Known

#: How many of the accounts without a known owner the question names.
_NAMED = 5


class _Listed(Correlates, AccountListing, OnSystem, Protocol):
    """A system whose accounts are all listed and compared by keys."""


def nobody_here(
    system: object, want: Mapping[str, Any], person: Person, found: Correlation | None = None
) -> list[Change]:
    """Return the plan of a step that found no account: absent, or a question."""
    known = Known.of(want)
    doubts = ask_about(found) if found is not None else []
    if doubts:
        return doubts
    why = open_question(system, want, person)
    if why:
        return [Change("account", "not found", "known", outcome=Outcome.NEEDS_HUMAN, note=why)]
    said = f"{person.email} has no account here"
    if known.links:
        said += f": the one that was theirs ({known.links[-1].get('login') or known.links[-1]['id']}) is gone"
    elif found is not None and found.others:
        said += f"; {', '.join(f'{one.account.login} is not theirs ({one.doubt})' for one in found.others)}"
    return absent("account", said)


def ask_about(found: Correlation) -> list[Change]:
    """Return a question for each account that may be the person's."""
    return [
        Change(
            f"account {one.account.login}",
            "active" if one.account.active else "suspended",
            "known whose",
            outcome=Outcome.NEEDS_HUMAN if one.account.active else Outcome.ALREADY,
            note=f"it may be theirs ({one.evidence}): if it is, correct its keys and run again; if not, attest",
        )
        for one in found.doubts
    ]


def open_question(system: object, want: Mapping[str, Any], person: Person) -> str:
    """Return why nobody may say yet that the person has no account here; empty when a run may say it."""
    known = Known.of(want)
    if isinstance(system, Connector) and (part := system.unseen()):
        return part
    if not isinstance(system, Correlates) or not want.get("known"):
        return ""
    if known.links and Kind.ID in system.LOOKS_UP and _was_ended(want, known):
        return ""  # the account was looked up by an id that never changes: it is gone
    keys = system.keys_of(person)
    linked = [f"they had {link['login'] or link['id']} here" for link in known.links]
    expected = [*linked, *known.expected, *(f"HR names the login {login}" for login in keys.logins)]
    if expected:
        return (
            f"no account of theirs answers, and {'; '.join(expected)}: correct HR's logins, or attest that it is gone"
        )
    if not isinstance(system, AccountListing):
        return _by_links(system, keys, known)
    return _by_listing(cast(_Listed, system), keys, known)


def _was_ended(want: Mapping[str, Any], known: Known) -> bool:
    """Return whether a run of ours saw the account closed.

    Otherwise an account that does not answer may be gone, or only hidden: by a smaller search base, another tenant, or
    a credential that sees less.
    """
    return bool((want.get("history") or {}).get("done")) or all(link.get("ended") for link in known.links)


def _by_links(system: Correlates, keys: PersonKeys, known: Known) -> str:
    """Return the question where accounts are not listed: were other people found here by a key that this person has
    too?"""
    worked = [kind for kind in Kind if kind in system.LOOKS_UP and keys.of(kind) and known.covered.get(kind.value)]
    if worked or not known.others:
        return ""
    return "no account answers, and nobody was ever found here by a key that they have: see that their keys fit (docs/identity.md), or attest"


def _by_listing(system: _Listed, keys: PersonKeys, known: Known) -> str:
    others, name = Others.read(known.others), system.target.name
    placed, linked = 0, frozenset(jsonlib.loads(known.linked))
    nobodys: list[str] = []
    for account in _active_people(system, known):
        if len(nobodys) > _NAMED:
            break
        how = agreement(keys, account.carried, account.id, account.names)
        if how.certain:
            nobodys.append(account.login or account.id)  # it has a key of this person's, which did not find it
            continue
        keys_here = (key for key in account.carried if key.kind is not Kind.LOGIN or not system.logins_of_names)
        if account.id in linked or any(others.owners(name, key) for key in keys_here):
            placed += 1
        elif how.other_name:
            placed += 1  # its name shares no word with any name of this person
        elif not others and _same_kind(account, keys):
            placed += 1  # without an HR system, only the domain of its address shows that it is a colleague's
        else:
            nobodys.append(account.login or account.id)
    if nobodys and (others or not placed):
        some = ", ".join(nobodys[:_NAMED]) + (" and more" if len(nobodys) > _NAMED else "")
        return (
            f"no account answers to their keys, and HR knows nobody for {some}: if one is theirs, give it a key that HR has; "
            "if not, attest, or name it in policy (reconcile.service)"
        )
    return ""


def _active_people(system: AccountListing, known: Known) -> Iterator[Account]:
    for listed in system.all_accounts():
        account = listed.account
        names = [name for name in (account.login, account.email, account.id) if name]
        if (
            account.active
            and listed.kind in ("person", "guest")
            and not account.no_person
            and not any(like(name, known.service) for name in names)
        ):
            yield account


def _same_kind(account: Account, keys: PersonKeys) -> bool:
    domains = {address.rpartition("@")[2] for address in keys.addresses}
    return any(key.kind is Kind.ADDRESS and key.value.lower().rpartition("@")[2] in domains for key in account.carried)
