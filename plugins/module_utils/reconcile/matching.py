# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides whose each account of one system is, among everybody, as a run decides for one person
(``people/correlation.py``).

The index finds the people who have a key of an account; the same comparison as in a run then decides. So an account
that reconcile calls a leaver's is one that the leaver's run would cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..model.answers import PersonRecord
from ..model.person import Person
from ..people.correlation import Judged, Whose, judge
from ..people.others import Others, everywhere, pack, texts
from ..sdk.keys import Key, Kind, PersonKeys
from ..sdk.target import Connector
from ..sdk.values import Account
from .people import Known, People

_FIELDS = frozenset(field.name for field in fields(Person))


@dataclass(frozen=True, slots=True)
class Match:
    """The person to whom an account belongs.

    ``people`` are its possible owners; ``one`` is the certain owner. ``how`` is the evidence: the keys that agree, and
    what speaks against it; ``by`` are the kinds of these keys. ``undisputed``: no key belongs to anybody else, so that
    a link may be kept.
    """

    people: tuple[Known, ...] = ()
    one: Known | None = None
    how: str = ""
    by: tuple[str, ...] = ()
    undisputed: bool = False


@dataclass(frozen=True)
class _Candidate:
    """One record that has a key of an account, and the comparison of the two."""

    known: Known
    keys: PersonKeys
    judged: Judged

    @property
    def disputes(self) -> bool:
        """Return whether this record puts the certain owner in doubt. A guessed login does not, and a record whose key
        disagrees does not."""
        how = self.judged.how
        guess = how.guessed and set(how.by) == {Kind.LOGIN}
        return self.judged.whose is Whose.DOUBT and not (how.contradicted or guess or self.known.forgotten)


class Matching:
    """Finds the owner of each account of one system.

    :param people: the index.
    :param system: the connector, which knows the keys that people have there.
    """

    def __init__(self, people: People, system: Connector) -> None:
        self.people, self.system, self.name = people, system, system.target.name
        self._further: dict[str, list[int]] = {}
        self._others = Others(pack(self._read(), {self.name: system.login_pattern}))

    def of(self, account: Account) -> Match:
        """Return the certain owner of an account, or its possible owners."""
        found = [one for one in self._candidates(account) if one.judged.how.by]
        theirs = [one for one in found if one.judged.whose is Whose.THEIRS]
        doubts = [one for one in found if one.judged.whose is Whose.DOUBT]
        own = self._current(theirs)
        if len(own) == 1 and not any(one.disputes and not self._same(one, own[0]) for one in doubts):
            judged = own[0].judged
            by = tuple(kind.value for kind in judged.how.by)
            alone = not judged.doubt and all(self._same(one, own[0]) for one in doubts)
            return Match((own[0].known,), own[0].known, ", ".join(judged.how.shown), by, alone)
        may = [*own, *(one for one in doubts if not any(self._same(one, mine) for mine in own))]
        return Match(
            tuple(one.known for one in self._current(may)), how="; ".join(sorted({one.judged.evidence for one in may}))
        )

    def called(self, name: str) -> Match:
        """Return the owner of a login or an address that a system shows without an account: a device's owner, a key's
        maker."""
        return self.of(Account("", name, True, name if "@" in name else ""))

    # -- who may be meant ----------------------------------------------------------------------------------------------

    def _read(self) -> Iterator[Person]:
        """Yield HR's people, and note for each the keys that hold only on this system."""
        for n, record in self.people.everybody():
            person = _person(record["person"])
            if not record.get("address_given_on"):  # what would be made of it is somebody else's now
                known = {*everywhere(person)}
                for text in self._texts(self.system.keys_of(person)):
                    if text not in known:
                        self._further.setdefault(text, []).append(n)
            if not record.get("forgotten"):
                yield person

    def _texts(self, keys: PersonKeys) -> Iterator[str]:
        for kind in Kind:
            for value in keys.of(kind):
                # An account whose login is an address has the address as a key too.
                if not (kind is Kind.LOGIN and keys.has(Kind.ADDRESS, value)):
                    yield from texts(self.name, Key(kind, value))

    def _candidates(self, account: Account) -> Iterator[_Candidate]:
        carried = [text for key in account.carried for text in texts(self.name, key)]
        linked = {*texts(self.name, Key(Kind.ID, account.id))}
        found: dict[int, tuple[Known, bool]] = {}
        for text, known in self.people.having({*carried, *linked}):
            found[known.n] = (known, text in linked or known.n in found and found[known.n][1])
        for n in {n for text in carried for n in self._further.get(text, ())} - found.keys():
            found[n] = (self.people.known(n), False)
        for n, (known, by_link) in sorted(found.items()):
            keys = self.system.keys_of(_person(self.people.record(n)["person"]), [account.id] if by_link else ())
            claims = self._others.claims(self.name, account, keys, in_hr=not known.forgotten)
            twin = bool(claims) and self._others.twin(self.name, account, keys)
            yield _Candidate(known, keys, judge(keys, account, claims, twin=twin))

    def _current(self, found: Sequence[_Candidate]) -> list[_Candidate]:
        """Return one record for each human being: of several employments, the one that is not over."""
        humans: list[list[_Candidate]] = []
        for one in found:
            same = next((human for human in humans if self._same(human[0], one)), None)
            if same is None:
                humans.append([one])
            else:
                same.append(one)
        left: list[_Candidate] = []
        for human in humans:
            current = [one for one in human if one.known.state != "gone"]
            left += current or human[-1:]
        return left

    def _same(self, left: _Candidate, right: _Candidate) -> bool:
        if left.known.n == right.known.n:
            return True
        numbers = (left.known.employee, right.known.employee)
        if any(numbers) and numbers[0] == numbers[1]:
            return True
        forgotten = left.known.forgotten or right.known.forgotten
        return not forgotten and self._others.one_human(self.name, left.keys, right.keys)


def _person(record: PersonRecord) -> Person:
    """Return the person of a record in the index; it was checked when the index was made."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items() if name in _FIELDS
    }
    return Person(**values)
