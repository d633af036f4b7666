# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps everybody whom HR and the closed cases know in a file, from which each system's check reads the people it
needs.

It is made once a run, on the machine that runs Ansible, and every worker reads it. So the memory does not grow with the
number of people. :mod:`matching` decides whose an account is.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..model import private
from ..model.errors import InputError

_TABLES = """
CREATE TABLE people (n INTEGER PRIMARY KEY, state TEXT, profile TEXT, closed TEXT, until TEXT, employee TEXT, forgotten INTEGER, record TEXT);
CREATE TABLE keys (key TEXT, n INTEGER, PRIMARY KEY (key, n)) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT);
"""
#: The columns of :class:`Known`.
_KNOWN = "n, state, profile, closed, until, employee, forgotten"


@dataclass(frozen=True, slots=True)
class Known:
    """The facts about a person that a check needs most; :meth:`People.record` has the others.

    ``state`` is ``active``, ``leave``, ``pending`` or ``gone``. ``profile`` is the access profile's name, "" without exactly one.
    ``closed`` is the id of the case that closed their leaving, "" when there is none. ``until`` is the end of an
    overlap (ISO 8601), before which what they hold is not judged.
    """

    n: int
    state: str
    profile: str = ""
    closed: str = ""
    until: str = ""
    employee: str = ""
    forgotten: bool = False


def write_people(
    path: str, people: Iterable[tuple[Known, Mapping[str, Any], Iterable[str]]], facts: Mapping[str, Any]
) -> int:
    """Make the index.

    :param people: for each person: the known facts, the record, and the texts of their keys and links (see
        ``people/others.py``).
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
                f"INSERT INTO people VALUES ({', '.join('?' * 8)})",
                (*(getattr(known, name) for name in _KNOWN.split(", ")), json.dumps(record)),
            )
            db.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", ((key, known.n) for key in keys))
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

    def close(self) -> None:
        self._db.close()

    def everybody(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number and the record of each person."""
        for n, record in self._db.execute("SELECT n, record FROM people ORDER BY n"):
            yield n, json.loads(record)

    def having(self, keys: Collection[str]) -> Iterator[tuple[str, Known]]:
        """Yield each of these keys together with a person who has it."""
        found = self._db.execute(
            f"SELECT k.key, {_KNOWN} FROM keys k JOIN people USING (n) WHERE k.key IN ({', '.join('?' * len(keys))})",
            list(keys),
        )
        for key, *row in found:
            yield key, _known(*row)

    def known(self, n: int) -> Known:
        return _known(*self._db.execute(f"SELECT {_KNOWN} FROM people WHERE n = ?", (n,)).fetchone())

    def record(self, n: int) -> dict[str, Any]:
        """Return ``{"person": HR record, "key", "name", "source": HR system, "case": the closed case or {},
        "protected": reason or ""}``."""
        record: dict[str, Any] = json.loads(
            self._db.execute("SELECT record FROM people WHERE n = ?", (n,)).fetchone()[0]
        )
        return record

    def active(self, profiles: Sequence[str]) -> Iterator[Known]:
        """Yield the active people who have one of these profiles."""
        marks = ", ".join("?" * len(profiles))
        for row in self._db.execute(
            f"SELECT {_KNOWN} FROM people WHERE state = 'active' AND profile IN ({marks}) ORDER BY n",
            list(profiles),
        ):
            yield _known(*row)


def _known(n: int, state: str, profile: str, closed: str, until: str, employee: str, forgotten: int) -> Known:
    """Return a row of the index; words that many rows share are kept once in memory."""
    return Known(n, sys.intern(state), sys.intern(profile), closed, until, employee, bool(forgotten))
