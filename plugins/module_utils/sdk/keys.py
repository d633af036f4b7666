# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The keys that show to which person an account belongs, and their comparison.

A connector returns every account that answers to any key of a person (:meth:`Correlates.candidates`), each with all its
keys. It decides nothing: ``people/correlation.py`` compares the keys, for runs and for reconcile.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..model.person import Person

#: ASCII only: ``str.casefold`` makes ``ſ`` an ``s`` and ``ß`` an ``ss``, so that two different mailboxes would be the
#: same.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Kind(str, Enum):
    """The kinds of keys, the strongest first."""

    ID = "immutable id"  #: the id in a link of the ledger: this account was seen to be the person's before
    NUMBER = "employee number"
    SUBJECT = "id of the identity provider"  #: SAML NameID, SCIM externalId, OIDC subject
    ADDRESS = "address"
    LOGIN = "login"


@dataclass(frozen=True)
class Key:
    """One key that an account carries."""

    kind: Kind
    value: str


def canonical(kind: Kind, value: str) -> str:
    """Return a key in the spelling in which keys are compared: NFC, without surrounding space, with ASCII letters in
    lower case.

    The case stays in an immutable id, and in an identity provider's subject (``externalId`` is case-exact, RFC 7643,
    3.1) unless it is an address.
    """
    value = value.strip()
    plain = value.isascii()  # nearly all are, and a list of 10,000 people compares millions: these are methods in C
    if not plain:
        value = unicodedata.normalize("NFC", value)
    if kind is Kind.ID or kind is Kind.SUBJECT and "@" not in value:
        return value
    return value.lower() if plain else value.translate(_LOWER)


def same(kind: Kind, left: str, right: str) -> bool:
    """Return whether two keys are the same. An empty key is the same as no other."""
    return bool(left.strip()) and canonical(kind, left) == canonical(kind, right)


def same_text(left: object, right: object) -> bool:
    """Return whether two names (groups, logins) are the same for a vendor that ignores ASCII case."""
    return isinstance(left, str) and isinstance(right, str) and same(Kind.LOGIN, left, right)


@dataclass(frozen=True)
class PersonKeys:
    """All keys of one person on one system.

    :param ids: immutable ids of the accounts that the ledger links to the person here.
    :param numbers: employee numbers.
    :param addresses: every present and former address, the current one first.
    :param subjects: the values that an identity provider's id may have for this person.
    :param subjects_declared: the systems file says which value it has, so that another value means another person.
    :param logins: logins here that HR names.
    :param patterned: logins here that the system's pattern makes, of every present and former address.
    :param guessed: logins as many companies make them, while nobody has said that this company does: they only raise a
        question.
    """

    person: Person
    ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    subjects_declared: bool = False
    logins: tuple[str, ...] = ()
    patterned: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[str, ...]:
        """Return the values of one kind."""
        return {
            Kind.ID: self.ids,
            Kind.NUMBER: self.numbers,
            Kind.SUBJECT: self.subjects,
            Kind.ADDRESS: self.addresses,
            Kind.LOGIN: (*self.logins, *self.patterned, *self.guessed),
        }[kind]

    def has(self, kind: Kind, value: str) -> bool:
        """Return whether a value is one of the person's keys of that kind."""
        return any(same(kind, value, own) for own in self.of(kind))


def spellings(value: str) -> tuple[str, ...]:
    """Return both spellings of a text, for a system that compares bytes: composed and decomposed (``é`` is one
    character or two)."""
    return tuple(dict.fromkeys(unicodedata.normalize(form, value.strip()) for form in ("NFC", "NFD")))


def distinct(kind: Kind, values: Iterable[str]) -> tuple[str, ...]:
    """Return each key once, in the order given, without the empty ones."""
    return tuple(
        {canonical(kind, value): value.strip() for value in reversed([*values]) if value and value.strip()}.values()
    )[::-1]


#: How much a kind of key counts where two people claim one account.
WEIGHTS: Mapping[Kind, int] = {Kind.ID: 8, Kind.NUMBER: 4, Kind.SUBJECT: 2, Kind.ADDRESS: 2, Kind.LOGIN: 1}


@dataclass(frozen=True)
class Agreement:
    """The comparison of an account with a person.

    :param by: the kinds of keys that agree, the strongest first.
    :param named: the login agrees, and HR itself names it.
    :param guessed: no login of the account is named by HR or made by the pattern.
    :param declared: the systems file says which value an identity provider's id has.
    :param against: the evidence against it, one line each.
    :param contradicted: a key that no two people share disagrees.
    :param unknown_address: none of the account's addresses is the person's.
    :param other_name: the account has the name of somebody else.
    :param shown: the keys that agree, in words.
    """

    by: tuple[Kind, ...] = ()
    named: bool = False
    guessed: bool = False
    declared: bool = False
    against: tuple[str, ...] = ()
    contradicted: bool = False
    unknown_address: bool = False
    other_name: bool = False
    shown: tuple[str, ...] = field(default=(), compare=False)

    @property
    def certain(self) -> bool:
        """Return whether the account is the person's, by these two alone.

        The immutable id of a link, an employee number or an address is enough. A login, or an external id whose meaning
        nobody declared, is not enough when the account has an address that is not the person's: it may be somebody with
        a similar name.
        """
        if Kind.ID in self.by:
            return True  # HR may have given the person a new number; the comparison with everybody finds who has the old one now
        if not self.by or self.contradicted:
            return False
        if {Kind.NUMBER, Kind.ADDRESS} & set(self.by) or Kind.SUBJECT in self.by and self.declared:
            return True
        return not self.unknown_address and (Kind.SUBJECT in self.by or not self.other_name and not self.guessed)

    @property
    def strength(self) -> int:
        """Return a weight, by which two people's claims to one account are compared."""
        return sum(WEIGHTS[kind] for kind in self.by) + self.named


def agreement(keys: PersonKeys, carried: Iterable[Key], account_id: str, names: Iterable[str] = ()) -> Agreement:
    """Compare an account with a person by every key that it carries.

    :param names: the names of a human being that the account shows. They confirm or contradict a key; alone they prove
        nothing.
    """
    held: dict[Kind, list[str]] = {}
    for key in carried:
        if key.value.strip():
            held.setdefault(key.kind, []).append(key.value)
    by, shown = [], []
    if account_id in keys.ids:
        by.append(Kind.ID)
        shown.append(f"immutable id {account_id}")
    for kind in (Kind.NUMBER, Kind.SUBJECT, Kind.ADDRESS, Kind.LOGIN):
        met = next((value for value in held.get(kind, ()) if keys.has(kind, value)), "")
        if met:
            by.append(kind)
            shown.append(f"{kind.value} {met}")
    against = []
    contradicted = False
    for kind, counts in ((Kind.NUMBER, True), (Kind.SUBJECT, keys.subjects_declared)):
        if counts and held.get(kind) and keys.of(kind) and kind not in by:
            contradicted = True
            against.append(f"its {kind.value} is {held[kind][0]}, HR has {keys.of(kind)[0]}")
    unknown_address = bool(held.get(Kind.ADDRESS)) and Kind.ADDRESS not in by
    if unknown_address:
        against.append(f"its address {held[Kind.ADDRESS][0]} is none of the person's")
    other_name = _another_name(keys.person, [*names])
    if other_name:
        against.append(f"it is named {next(iter(names))}")
    logins = held.get(Kind.LOGIN, ())
    return Agreement(
        tuple(by),
        any(same(Kind.LOGIN, value, own) for value in logins for own in keys.logins),
        not any(same(Kind.LOGIN, value, own) for value in logins for own in (*keys.logins, *keys.patterned)),
        keys.subjects_declared,
        tuple(against),
        contradicted,
        unknown_address,
        other_name,
        tuple(shown),
    )


def _another_name(person: Person, names: list[str]) -> bool:
    """Return whether an account shows a name that shares no word with any present or former name of the person."""
    shown = {word for name in names for word in _words(name)}
    own = {
        word
        for name in (person.first_name, person.last_name, person.display_name, *person.former_names)
        for word in _words(name)
    }
    return bool(shown and own) and shown.isdisjoint(own)


def _words(name: str) -> list[str]:
    """Return the words of a name, without accents and case, since a directory may spell a name in another way.

    A word with a digit is left out: it is a number or a login, and no name.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in plain).lower().split()
    return [word for word in words if len(word) > 1 and not any(map(str.isdigit, word))]
