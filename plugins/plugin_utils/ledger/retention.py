# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Moves old cases from the ledger to a file, and erases a person on request, without breaking the chain.

The row of an entry stays, with its number, hash and signature; its content is in the archive, or erased. A further
entry, signed like all others, names these entries, who did it and why.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.errors import InputError, LedgerError
from .entry import ACCEPTED, EMPTIED
from .ledger import Ledger
from .rows import Query
from .store import SqliteStorage

#: The columns of an archive's row, in this order. Links (``linked``) stay in the ledger, because the person may come
#: back.
COLUMNS = ("n", "at", "kind", "case", "system", "step", "person", "ref", "body", "hash", "key", "signature")
_ROWS = (
    "SELECT l.n, l.at, l.kind, l.case_id, l.system, l.step, l.person, l.ref, l.body, l.hash, s.key, s.signature"
    " FROM ledger l LEFT JOIN signed s ON s.n = l.n WHERE l.case_id = ? AND l.kind <> 'linked' ORDER BY l.n"
)


@dataclass(frozen=True)
class Archived:
    """The result of an archiving: the file, its digest, and how many cases and entries are in it."""

    path: Path
    sha256: str
    cases: int
    entries: int


@dataclass(frozen=True)
class Erased:
    """The result of an erasure: how many cases, entries and files; ``elsewhere`` counts entries of other people's cases
    that name the person, which stay.
    """

    cases: int
    entries: int
    files: int
    elsewhere: int


def archive(ledger: Ledger, folder: str, *, before: str, keep_years: int, by: str, run: str) -> Archived | None:
    """Archive every case that was closed before a day and not changed since; return None when there is none.

    :param before: the day (ISO 8601).
    :param keep_years: policy's; a later day is refused.
    :raises InputError: the day is too near, or none.
    :raises LedgerError: the archive cannot be written.
    """
    day = _day(before)
    today = clock.now()
    oldest = today.replace(year=today.year - keep_years, day=min(today.day, 28)).date().isoformat()
    if day > oldest:
        raise InputError(
            f"cases stay in the ledger for {keep_years} years, and {day} is nearer",
            act="archive",
            hint=f"give a day up to {oldest}, or change proof.retain_years in the policy",
        )
    cases = _closed_before(ledger.storage.query, day)
    if not cases:
        return None
    rows = [row for case in cases for row in ledger.storage.query(_ROWS, (case,))]
    text = "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = Path(folder).expanduser().absolute() / f"ledger-before-{day}-{digest[:8]}.jsonl"
    _keep(path, text, ledger)
    data = {
        "file": path.name,
        "sha256": digest,
        "entries": ranges(int(row[0]) for row in rows),
        "cases": len(cases),
        "before": day,
        "by": by,
    }
    _empty(ledger, "archived", data, cases, [int(row[0]) for row in rows], run)
    return Archived(path, digest, len(cases), len(rows))


def erase(
    ledger: Ledger, person: str, records: str, *, by: str, reason: str, run: str, read_only: bool = False
) -> Erased:
    """Erase everything about a person from the ledger and the records; all their cases must be closed.

    :param person: an address or a key.
    :raises InputError: nobody is called that, a case is open, or nobody says who and why.
    """
    act = "erase a person"
    if not by.strip() or not reason.strip():
        raise InputError(
            "by or reason is empty", act=act, hint="-e \"by='Ann Lee'\" -e \"reason='request of 1 March, ticket 77'\""
        )
    cases = ledger.cases(person=person)
    if not cases:
        raise InputError(
            f"the ledger knows nobody called {person}", act=act, hint="give the address or key of their case"
        )
    open_ones = [case.id for case in cases if not case.closed and not case.withdrawn]
    if open_ones:
        raise InputError(
            f"case {open_ones[0]} is open", act=act, hint="close it first: what is not done would be forgotten"
        )
    query = ledger.storage.query
    ids = [case.id for case in cases]
    numbers = [
        int(row[0]) for case in ids for row in query("SELECT n FROM ledger WHERE case_id = ? ORDER BY n", (case,))
    ]
    names = sorted({name for case in cases for name in _names(case.person, case.key)})
    alone, elsewhere = _mentions(query, names, {case.key for case in cases}, set(ids))
    numbers = sorted({*numbers, *alone})
    files = [path for case in ids for path in _files(records, case)]
    if not read_only:
        if isinstance(ledger.storage, SqliteStorage):
            query("PRAGMA secure_delete = ON")
        data = {"entries": ranges(numbers), "cases": len(ids), "files": len(files), "by": by, "reason": reason}
        _empty(ledger, "erased", data, ids, numbers, run, forget={case.key for case in cases})
        for path in files:
            path.unlink(missing_ok=True)
        if isinstance(ledger.storage, SqliteStorage):
            query("PRAGMA wal_checkpoint(TRUNCATE)")
    return Erased(len(ids), len(numbers), len(files), elsewhere)


def archived_rows(folder: str) -> Iterator[Sequence[Any]]:
    """Yield the rows of every archive in a folder, the oldest entry first: ``(n, at, kind, case, system, step, body)``."""
    rows: list[Sequence[Any]] = []
    for path in sorted(Path(folder).expanduser().glob("ledger-before-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows.append([row[name] for name in ("n", "at", "kind", "case", "system", "step", "body")])
    yield from sorted(rows, key=lambda row: int(row[0]))


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers as ranges: the first and the last number of each."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _closed_before(query: Query, day: str) -> list[str]:
    """Return cases whose last entry is older than the day, and that are closed or were withdrawn."""
    last = query("SELECT case_id, max(at) FROM ledger WHERE case_id <> '' GROUP BY case_id HAVING max(at) < ?", (day,))
    old = {str(row[0]) for row in last}
    ended: dict[str, bool] = {}
    for case, kind, body in query(
        "SELECT case_id, kind, body FROM ledger WHERE kind IN ('closed', 'withdrawn') ORDER BY n", ()
    ):
        ended[str(case)] = kind == "withdrawn" or bool(json.loads(body)["data"]["complete"])
    return sorted(case for case in old if ended.get(case))


def _empty(
    ledger: Ledger,
    kind: str,
    data: dict[str, Any],
    cases: Sequence[str],
    numbers: Sequence[int],
    run: str,
    forget: Iterable[str] = (),
) -> None:
    """Note it, and empty the entries, in one transaction."""
    with ledger.storage.writing(durable=True) as query:
        ledger.add(query, kind, data, run=run)
        for n in numbers:
            query(
                "UPDATE ledger SET kind = ?, case_id = '', system = '', step = '', person = '', ref = NULL, body = '' WHERE n = ?",
                (EMPTIED, n),
            )
        for case in cases:
            query("DELETE FROM counted WHERE case_id = ?", (case,))
        for key in forget:
            query("DELETE FROM seen WHERE person = ?", (key,))
    ledger.all_cases.forget()


def _names(person: Any, key: str) -> set[str]:
    """Return the addresses by which an entry may name the person."""
    addresses = [person.get(name) for name in ("email", "personal_email")] + list(person.get("aliases") or ())
    return {str(name).casefold() for name in addresses if name} | ({key.casefold()} if "@" in key else set())


def _mentions(query: Query, names: Sequence[str], keys: set[str], own: set[str]) -> tuple[list[int], int]:
    """Return the numbers of the entries without a case that name the person, which are erased too; and how many entries
    name them and stay: those of other people's cases, and those by which they accepted a loss.
    """
    alone, elsewhere = set(), set()
    for name in names:
        for n, case, kind in query(
            "SELECT n, case_id, kind FROM ledger WHERE lower(body) LIKE ? ESCAPE '!'", (f'%"{_like(name)}"%',)
        ):
            if kind == ACCEPTED:  # without it, the witnesses would call the ledger an older copy again
                elsewhere.add(int(n))
            elif not case:
                alone.add(int(n))
            elif case not in own:
                elsewhere.add(int(n))
    for key in keys:
        alone.update(int(row[0]) for row in query("SELECT n FROM ledger WHERE case_id = '' AND person = ?", (key,)))
    return sorted(alone), len(elsewhere)


def _like(text: str) -> str:
    return json.dumps(text)[1:-1].replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _files(records: str, case: str) -> list[Path]:
    folder = Path(records).expanduser() if records else None
    return sorted(folder.glob(f"{case}.*")) if folder is not None and folder.is_dir() else []


def _day(text: str) -> str:
    try:
        return clock.parse(text).date().isoformat()
    except ValueError:
        raise InputError(f"before is {text!r}", act="archive", hint="write a day: 2019-01-01") from None


def _keep(path: Path, text: str, ledger: Ledger) -> None:
    """Write the archive to the disk, before anything is removed from the ledger."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if ledger.seal.signer is not None:
            path.with_name(f"{path.name}.sig").write_bytes(ledger.seal.signer.sign(text.encode()))
    except OSError as e:
        raise LedgerError(str(e), act=f"write archive {path}", hint="nothing was taken out; make room there") from e
