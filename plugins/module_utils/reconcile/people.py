# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Everybody whom HR and the closed cases know, on the disk, so that each system's check asks for whom it needs.

Built once a run on the controller, read by every worker: memory stays flat, whatever the number of people. An account is
matched as a run would match it: by HR id and employee id, exact address, former and further addresses, login. What points to
two people points to nobody.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..model import private
from ..model.errors import InputError
from ..model.person import Person
from ..sdk.values import Account

#: How strong a match is, strongest first, and how it is called.
ID, ADDRESS, ALIAS, LOGIN = range(4)
HOW = ("employee id", "address", "former or further address", "login")
_TABLES = """
CREATE TABLE people (n INTEGER PRIMARY KEY, state TEXT, profile TEXT, closed TEXT, until TEXT, employee TEXT, record TEXT);
CREATE TABLE keys (key TEXT, tier INTEGER, n INTEGER, PRIMARY KEY (key, tier, n)) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT);
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What a check needs of a person at once; the rest is :meth:`People.record`.

    ``state`` is ``active``, ``leave``, ``pending`` or ``gone``. ``profile`` is the access profile's name, "" without exactly one.
    ``closed`` is the case that closed their leaving, "" when there is none; ``until`` the end of a hand-over in which what they
    hold is not judged.
    """

    n: int
    state: str
    profile: str = ""
    closed: str = ""
    until: str = ""
    employee: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """To whom an account points: one person, nobody, or several; and by what."""

    people: tuple[Known, ...] = ()
    how: str = ""


def keys_of(person: Person) -> Iterator[tuple[str, int]]:
    """By what a person is found: (key, tier)."""
    for number in (person.hr_id, person.employee_id):
        if number:
            yield f"i:{number.casefold()}", ID
    yield f"m:{person.email.casefold()}", ADDRESS
    for alias in person.aliases:
        yield f"m:{alias.casefold()}", ALIAS
    for system, login in person.logins.items():
        yield f"l:{system}:{login.casefold()}", LOGIN


def write_people(
    path: str, people: Iterable[tuple[Known, Mapping[str, Any], Iterable[tuple[str, int]]]], facts: Mapping[str, Any]
) -> int:
    """Make the index: (what is known, the record, the keys) of each person.

    :returns: how many people are in it.
    """
    with open(private.opened(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "wb"):
        pass
    count = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;" + _TABLES)
        for known, record, keys in people:
            count += 1
            db.execute(
                "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?)",
                (known.n, known.state, known.profile, known.closed, known.until, known.employee, json.dumps(record)),
            )
            db.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", ((key, tier, known.n) for key, tier in keys))
        db.executemany(
            "INSERT INTO facts VALUES (?, ?)",
            ((name, json.dumps(value)) for name, value in {**facts, "complete": count}.items()),
        )
        db.execute("COMMIT")
    return count


class People:
    """The index, read only.

    :raises InputError: it is not there, or was not written to its end.
    """

    def __init__(self, path: str) -> None:
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
            self.facts: dict[str, Any] = {
                name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM facts")
            }
        except (sqlite3.Error, ValueError) as e:
            raise InputError(
                f"the index of people cannot be read: {e}",
                act="reconcile",
                hint="it is on the controller: systems are reconciled from there (ansible_connection: local)",
            ) from e
        if "complete" not in self.facts:
            raise InputError("the index of people is not complete", act="reconcile", hint="run it again")
        self._derived: dict[str, list[int]] = {}

    def close(self) -> None:
        self._db.close()

    def derive_logins(self, connector: Any) -> None:
        """Find people by the logins that a system's pattern makes of them, too."""
        if (connector.target.options.get("login") or connector.LOGIN) == "{email}":
            return  # an address is a key anyway
        for n, text in self._db.execute("SELECT n, record FROM people"):
            record = json.loads(text)
            if record.get("address_given_on"):
                continue  # what would be made of it is somebody else's now
            try:
                login = connector.login_of(Person(**record["person"]))
            except InputError:
                continue  # HR lacks the field: this person has no derived login here
            self._derived.setdefault(login.casefold(), []).append(n)

    def match(self, system: str, account: Account) -> Match:
        """The person to whom everything that an account says of itself points."""
        numbers = [str(account.attributes.get(name) or "") for name in ("employee_id", "hr_id")]
        further = account.attributes.get("aliases") or ()
        mails = [
            value
            for value in (account.email, account.login, *(further if isinstance(further, (list, tuple)) else ()))
            if "@" in value
        ]
        keys = [
            *(f"i:{n.casefold()}" for n in numbers if n),
            *(f"m:{mail.casefold()}" for mail in mails),
            f"l:{system}:{account.login.casefold()}",
        ]
        return self._narrowed(keys, self._derived.get(account.login.casefold(), ()))

    def _narrowed(self, keys: Sequence[str], derived: Sequence[int]) -> Match:
        """Strong keys first; each further one may only confirm what is left."""
        found: dict[int, dict[int, Known]] = {}
        marks = ", ".join("?" * len(keys))
        for tier, *row in self._db.execute(
            f"SELECT k.tier, p.n, p.state, p.profile, p.closed, p.until, p.employee FROM keys k JOIN people p ON p.n = k.n WHERE k.key IN ({marks})",
            keys,
        ):
            found.setdefault(tier, {})[row[0]] = _known(*row)
        for n in derived:
            found.setdefault(LOGIN, {}).setdefault(n, self.known(n))
        left: dict[int, Known] = {}
        how = ""
        for tier in sorted(found):
            both = {n: person for n, person in found[tier].items() if n in left}
            if not left:
                left, how = found[tier], HOW[tier]
            elif both:
                left = both
            else:
                left = {**left, **found[tier]}  # one key says this person, another says that one
                break
        return Match(tuple(_same_human(list(left.values()))), how)

    def known(self, n: int) -> Known:
        return _known(
            *self._db.execute(
                "SELECT n, state, profile, closed, until, employee FROM people WHERE n = ?", (n,)
            ).fetchone()
        )

    def record(self, n: int) -> dict[str, Any]:
        """``{"person": the HR record, "key", "name", "source": HR system, "case": the closed case or {}, "protected": why or ""}``."""
        record: dict[str, Any] = json.loads(
            self._db.execute("SELECT record FROM people WHERE n = ?", (n,)).fetchone()[0]
        )
        return record

    def active(self, profiles: Sequence[str]) -> Iterator[Known]:
        """Everybody at work who has one of these profiles."""
        marks = ", ".join("?" * len(profiles))
        for row in self._db.execute(
            f"SELECT n, state, profile, closed, until, employee FROM people WHERE state = 'active' AND profile IN ({marks}) ORDER BY n",
            list(profiles),
        ):
            yield _known(*row)


def _known(n: int, state: str, profile: str, *rest: str) -> Known:
    """A row of the index; what everybody has in common is kept once."""
    return Known(n, sys.intern(state), sys.intern(profile), *rest)


def _same_human(people: Sequence[Known]) -> Sequence[Known]:
    """Two employments of one employee number are one human: the one that is not over counts."""
    if len(people) > 1 and people[0].employee and len({person.employee for person in people}) == 1:
        current = [person for person in people if person.state != "gone"]
        return current[:1] if len(current) == 1 else people if current else people[-1:]
    return people
