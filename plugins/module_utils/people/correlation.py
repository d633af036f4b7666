# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides which account is whose: compares all keys of each account that answered with the person's keys and everybody
else's.

All functions are pure. A connector returns the accounts (``Correlates.candidates``); only this module judges them, for
runs and for reconcile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from ..sdk.keys import WEIGHTS, Agreement, Kind, PersonKeys, agreement
from ..sdk.values import Account
from .others import Others

#: The keys that only an administrator can set.
_ASSIGNED = frozenset({Kind.ID, Kind.NUMBER})


class Whose(str, Enum):
    """The person to whom an account belongs."""

    THEIRS = "theirs"
    DOUBT = "in doubt"
    ANOTHER = "somebody else's"


@dataclass(frozen=True)
class Judged:
    """One account, and the decision whose it is.

    :param how: the keys that agree with the person's, and the evidence against it.
    :param doubt: what a person must look at, in words; also for an account that is theirs, when it has a key of
        somebody else too.
    """

    account: Account
    whose: Whose
    how: Agreement
    doubt: str = ""

    @property
    def evidence(self) -> str:
        """Return the keys that agree and the doubt, in one line."""
        return "; ".join(part for part in (", ".join(self.how.shown), self.doubt) if part)

    def as_dict(self) -> dict[str, object]:
        """Return plain data for a step's result, the ledger and the record."""
        return {
            "id": self.account.id,
            "login": self.account.login,
            "active": self.account.active,
            "whose": self.whose.value,
            "by": [kind.value for kind in self.how.by],
            "evidence": self.evidence,
            "doubt": self.doubt,
        }


@dataclass(frozen=True)
class Correlation:
    """All accounts that answered for one person on one system: the person's own first, by the strength of the
    evidence."""

    judged: tuple[Judged, ...] = ()

    @property
    def theirs(self) -> tuple[Judged, ...]:
        return tuple(one for one in self.judged if one.whose is Whose.THEIRS)

    @property
    def doubts(self) -> tuple[Judged, ...]:
        return tuple(one for one in self.judged if one.whose is Whose.DOUBT)

    @property
    def others(self) -> tuple[Judged, ...]:
        """Return the accounts that answered to a key of the person and belong to somebody else."""
        return tuple(one for one in self.judged if one.whose is Whose.ANOTHER and one.how.by)


def correlate(keys: PersonKeys, accounts: Iterable[Account], others: Others, system: str) -> Correlation:
    """Judge each account that answered.

    :param others: the keys of HR's other people.
    :param system: the name of the system, since each system has its own logins.
    """
    each = {account.id: account for account in accounts}
    judged = []
    for account in each.values():
        claims = others.claims(system, account, keys)
        judged.append(judge(keys, account, claims, twin=bool(claims) and others.twin(system, account, keys)))
    judged.sort(
        key=lambda one: (
            one.whose is not Whose.THEIRS,
            -one.how.strength,
            one.account.id not in keys.ids,
            one.account.id,
        )
    )
    mine = [one for one in judged if one.whose is Whose.THEIRS]
    # A second account that has only the person's address may be a service's account that names them as its contact.
    unsure = {one.account.id for one in mine[1:] if _names_a_contact(one)}
    return Correlation(
        tuple(
            replace(
                one,
                whose=Whose.DOUBT,
                doubt="it carries the person's address and nothing else of theirs, beside another account of theirs",
            )
            if one.account.id in unsure
            else one
            for one in judged
        )
    )


def _names_a_contact(one: Judged) -> bool:
    return set(one.how.by) == {Kind.ADDRESS} and (one.how.other_name or not one.account.names)


def judge(
    keys: PersonKeys, account: Account, claims: Collection[frozenset[Kind]] = (), *, twin: bool = False
) -> Judged:
    """Judge one account.

    :param claims: one set for each other person with keys of the account: the kinds of these keys.
    :param twin: one of these people has the same name as the person, and works here.
    """
    how = agreement(keys, account.carried, account.id, account.names)
    if not how.by:
        return Judged(account, Whose.ANOTHER, how)
    against = "; ".join(how.against)
    strongest = max((sum(WEIGHTS[kind] for kind in kinds), kinds) for kinds in claims) if claims else (0, frozenset())
    # A pattern often makes the same login for two people. Such a login is no claim when the account has a stronger key
    # of the person.
    contested = strongest[0] > WEIGHTS[Kind.LOGIN] or bool(claims) and set(how.by) == {Kind.LOGIN}
    if not contested:
        return Judged(account, Whose.THEIRS if how.certain else Whose.DOUBT, how, "" if how.certain else against)
    said = "; ".join(
        part
        for part in (
            against,
            f"somebody else in HR has its {' and '.join(kind.value for kind in Kind if kind in strongest[1])}",
        )
        if part
    )
    if twin:
        said = f"{said}, and the same name: one human being in two employments?"
    elif _certain_all_the_same(how, account, strongest[1]):
        return Judged(account, Whose.THEIRS, how, said)
    weak = not (_ASSIGNED | {Kind.ADDRESS}) & set(how.by)
    return Judged(account, Whose.ANOTHER if weak and strongest[0] > how.strength else Whose.DOUBT, how, said)


def _certain_all_the_same(how: Agreement, account: Account, claimed: Collection[Kind]) -> bool:
    """Return whether an account is certainly the person's, although it also has a key of somebody else.

    The owner of an account can write its address, but not the employee number. So an account with the link, or with the
    number and the login or name, is the person's. A colleague's account with the person's number by mistake has the
    colleague's login and name.
    """
    if Kind.ID in how.by:
        return Kind.NUMBER not in claimed
    if Kind.NUMBER not in how.by or Kind.NUMBER in claimed or how.contradicted:
        return False
    # The person has every key that the other person has in it, and the number too: for example, two records with one
    # address.
    shared = set(claimed) <= set(how.by) and not how.other_name
    confirmed = Kind.LOGIN in how.by or bool(account.names) and not how.other_name
    return shared or confirmed and len(claimed) == 1
