# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps links: which account belongs to which person, by the account's immutable id, which stays when names and
addresses change.

Every step that sees an account without a doubt makes a link, and so does reconcile for the whole company.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.person import KEYS, Person, names_in
from ...module_utils.people.correlation import Whose
from .entry import entry_of
from .ledger import Ledger

KIND = "linked"
#: How many entries are written in one transaction, so that other runs can write in between.
_AT_ONCE = 500


@dataclass(frozen=True)
class Link:
    """One account of one person on one system.

    ``by`` are the kinds of keys that agreed when the link was made, the strongest first; ``at`` is that moment (ISO
    8601).
    """

    system: str
    id: str
    login: str
    by: tuple[str, ...]
    at: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for a step's arguments."""
        return {"id": self.id, "login": self.login, "by": list(self.by), "at": self.at}


def names_of(person: Person) -> list[str]:
    """Return the names by which the ledger may know a person: their key now, and the key before HR gave them an id.

    Each has its field, since one person's HR id may be another person's number.
    """
    return [*names_in(person.as_dict()), f" {person.key}"]


def _named(key: str, data: Mapping[str, Any]) -> str:
    """Return the name of an entry's person, with its field. An older entry has no field: only an address can be
    recognised."""
    return f"{data.get('key_field') or (KEYS[-1] if '@' in key else '')} {key}"


def links(ledger: Ledger, person: Person, system: str | None = None) -> list[Link]:
    """Return a person's links, the oldest first: on one system, or on all."""
    names = names_of(person)
    keys = list(dict.fromkeys(name.partition(" ")[2] for name in names))
    marks = ", ".join("?" * len(keys))
    rows = ledger.storage.query(
        f"SELECT system, at, body FROM ledger WHERE kind = '{KIND}' AND person IN ({marks}) ORDER BY n", keys
    )
    found: dict[tuple[str, str], Link] = {}
    for where, at, body in rows:
        entry = json.loads(body)
        data = entry["data"]
        if system in (None, where) and _named(entry["person"], data) in names:
            found.setdefault((where, data["id"]), Link(where, data["id"], data["login"], tuple(data["by"]), at))
    return list(found.values())


def keep(ledger: Ledger, person: Person, system: str, accounts: Iterable[Mapping[str, Any]], run: str) -> int:
    """Note links to the accounts that a step saw to be the person's, each once.

    :param accounts: in the form of ``Judged.as_dict``; an account in doubt gets no link.
    :returns: how many links are new.
    """
    sure = [
        one for one in accounts if one.get("whose") == Whose.THEIRS.value and not one.get("doubt") and one.get("id")
    ]
    if not sure:
        return 0
    known = {link.id for link in links(ledger, person, system)}
    fresh = [one for one in sure if one["id"] not in known]
    for one in fresh:
        ledger.note(
            KIND,
            {"id": one["id"], "login": one["login"], "by": list(one["by"]), "key_field": person.key_field},
            system=system,
            person=person.key,
            run=run,
        )
    return len(fresh)


def keep_seen(ledger: Ledger, seen: Iterable[tuple[Person, Link]], run: str) -> int:
    """Note the links that a reconcile found. An account that has a link already gets no second one.

    :returns: how many links are new.
    """
    known = {account for accounts in by_name(ledger).values() for account in accounts}
    fresh = [(who, link) for who, link in seen if link.id and (link.system, link.id) not in known]
    for start in range(0, len(fresh), _AT_ONCE):
        with ledger.storage.writing(durable=False) as query:
            for who, link in fresh[start : start + _AT_ONCE]:
                data = {"id": link.id, "login": link.login, "by": list(link.by), "key_field": who.key_field}
                ledger.add(query, KIND, data, system=link.system, person=who.key, run=run)
    return len(fresh)


def by_name(ledger: Ledger) -> dict[str, list[tuple[str, str]]]:
    """Return the (system, id) of all linked accounts, by the person's name in the form of :func:`names_of`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for person, system, body in ledger.storage.query(
        f"SELECT person, system, body FROM ledger WHERE kind = '{KIND}' ORDER BY n", ()
    ):
        data = json.loads(body)["data"]
        found.setdefault(_named(person, data), []).append((system, data["id"]))
    return found


class Everybody:
    """The links of all people on one system; each look reads only the entries since the last one."""

    def __init__(self, ledger: Ledger, system: str) -> None:
        self.ledger, self.system = ledger, system
        self._by: Counter[str] = Counter()
        self._ids: dict[str, None] = {}
        self._packed = "[]"
        self._read_to = 0
        self._reading = threading.Lock()

    def now(self) -> tuple[dict[str, int], str]:
        """Return how many people were found by each kind of key, and the ids of all linked accounts.

        The ids are one JSON text: they are in the arguments of every step, where a list of thousands would be copied
        each time.
        """
        with self._reading:
            known = len(self._ids)
            for row in self.ledger.chain.added((KIND,), after=self._read_to):
                self._read_to = int(row[0])
                if row[4] == self.system:
                    data = entry_of(row).data
                    self._by.update(data["by"])
                    self._ids[data["id"]] = None
            if len(self._ids) != known:
                self._packed = json.dumps([*self._ids])
            return dict(self._by), self._packed


def expected(ledger: Ledger, person: Person, system: str) -> list[str]:
    """Return a line for each earlier case that gave the person an account there: reasons to expect one without a
    link."""
    return [
        f"case {case.id} gave them {case.facts.profile or 'an account'} there"
        for case in ledger.cases_of(person)
        if case.meaning.needs_profile and not case.withdrawn and case.complete and system in (case.facts.wanted or {})
    ]


def _ended(ledger: Ledger, person: Person) -> str:
    """Return when a leaver's case saw every way in closed; empty when the person has access, as far as the ledger
    knows."""
    cases = [case for case in ledger.cases_of(person) if not case.withdrawn]
    last = next((case for case in reversed(cases) if case.meaning.ends or case.meaning.returns), None)
    if last is None or not last.meaning.ends or not last.access_closed:
        return ""
    return last.closed or clock.stamp()


def left_out(ledger: Ledger, person: Person, systems: Collection[str]) -> list[str]:
    """Return the systems outside ``systems`` on which the person still has a linked account.

    A system that only got another name does not count: the same account id was seen under the new name.
    """
    ended, own = _ended(ledger, person), links(ledger, person)
    here = {link.id for link in own if link.system in systems}
    return sorted({one.system for one in own if one.system not in systems and one.id not in here and one.at > ended})


def known(everybody: Everybody | None, person: PersonRecord) -> dict[str, Any]:
    """Return what the ledger knows about a step's person on its system: see ``engine/correlate.py``, ``Known``.

    :param everybody: the links of all people on the system; None without a ledger. They are needed only for a person
        without a link.
    """
    if everybody is None or not person.get("email"):
        return {}
    ledger, system, who = everybody.ledger, everybody.system, Person.of(person)
    own: Sequence[Link] = links(ledger, who, system)
    if own:
        ended = _ended(ledger, who)
        return {"links": [{**link.as_dict(), **({"ended": ended} if link.at <= ended else {})} for link in own]}
    covered, linked = everybody.now()
    return {"links": [], "covered": covered, "linked": linked, "expected": expected(ledger, who, system)}
