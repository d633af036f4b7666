# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The tables of the ledger, version by version, and the migration of an older ledger.

A migration is a list of statements. All missing ones run in one transaction, which also writes the version. So a run
that is killed in between leaves the ledger as it was, and the next run begins again. Entries and their hashes are never
changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...module_utils.model import clock
from ...module_utils.model.errors import LedgerError
from .rows import Query

#: The table with one row, which is the version of the tables.
TABLE = "ledger_schema"


@dataclass(frozen=True)
class Migration:
    """One step from a version to the next: ``what`` it adds, and the statements, which SQLite and PostgreSQL both know."""

    version: int
    what: str
    statements: Iterable[str]


#: Version 1 is the ledger of 0.1.0, which had no version: each of its statements does nothing when the table exists
#: already.
MIGRATIONS: Sequence[Migration] = (
    Migration(
        1,
        "the chain, what the brake counts, which run has whom, and what HR showed last",
        (
            # The columns beside ``body`` are for finding entries; what counts is the text in ``body``, and its hash.
            "CREATE TABLE IF NOT EXISTS ledger (n BIGINT PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, case_id TEXT NOT NULL,"
            " system TEXT NOT NULL, step TEXT NOT NULL, person TEXT NOT NULL, ref BIGINT, body TEXT NOT NULL, hash TEXT NOT NULL)",
            "CREATE INDEX IF NOT EXISTS ledger_step ON ledger (case_id, system, step)",
            "CREATE INDEX IF NOT EXISTS ledger_cases ON ledger (kind, person)",
            "CREATE INDEX IF NOT EXISTS ledger_ref ON ledger (ref)",
            "CREATE TABLE IF NOT EXISTS ledger_head (one INTEGER PRIMARY KEY CHECK (one = 1), n BIGINT NOT NULL, hash TEXT NOT NULL)",
            "CREATE INDEX IF NOT EXISTS ledger_kind ON ledger (kind, case_id, at)",
            # Beside the chain: what the brake counts, and which run has whom.
            "CREATE TABLE IF NOT EXISTS counted (of_limit TEXT NOT NULL, subject TEXT NOT NULL, case_id TEXT NOT NULL, at TEXT NOT NULL,"
            " released INTEGER NOT NULL, PRIMARY KEY (of_limit, subject, case_id))",
            "CREATE INDEX IF NOT EXISTS counted_at ON counted (of_limit, at)",
            "CREATE INDEX IF NOT EXISTS counted_case ON counted (case_id)",
            "CREATE TABLE IF NOT EXISTS holder (run TEXT PRIMARY KEY, host TEXT NOT NULL, place TEXT NOT NULL, pid BIGINT NOT NULL,"
            " started TEXT NOT NULL, since TEXT NOT NULL, renewed TEXT NOT NULL, lost TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, run TEXT NOT NULL, case_id TEXT NOT NULL)",
            "CREATE INDEX IF NOT EXISTS lease_case ON lease (case_id)",
            # HR's people at the last look, for the intake: dates and hashes, no evidence.
            "CREATE TABLE IF NOT EXISTS seen (source TEXT NOT NULL, person TEXT NOT NULL, data TEXT NOT NULL, previous TEXT NOT NULL,"
            " batch TEXT NOT NULL, PRIMARY KEY (source, person))",
            "CREATE INDEX IF NOT EXISTS seen_batch ON seen (batch)",
        ),
    ),
    Migration(
        2,
        "the company's signature of each entry",
        ("CREATE TABLE signed (n BIGINT PRIMARY KEY, key TEXT NOT NULL, signature TEXT NOT NULL)",),
    ),
    Migration(
        3,
        "when each system may be asked next, where several machines share the ledger",
        ("CREATE TABLE pace (system TEXT PRIMARY KEY, next DOUBLE PRECISION NOT NULL)",),
    ),
    Migration(
        4,
        "which laptop of the stock list is chosen for whom, until its device management shows it",
        (
            "CREATE TABLE chosen (system TEXT NOT NULL, thing TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,"
            " PRIMARY KEY (system, thing))",
        ),
    ),
)


def newest() -> int:
    """Return the version that this code writes."""
    return max(migration.version for migration in MIGRATIONS)


def is_current(query: Query, *, has_table: bool) -> bool:
    """Return whether the tables have today's version.

    :param has_table: whether the ledger has the table :data:`TABLE` at all.
    :raises LedgerError: a newer version of the collection wrote it.
    """
    return _version(query, has_table=has_table) == newest()


def migrate(query: Query, *, has_table: bool) -> list[Migration]:
    """Bring the tables to today's version, inside the caller's transaction; the caller is the only writer.

    :returns: the migrations that ran; none when another process was first.
    :raises LedgerError: a newer version of the collection wrote it.
    """
    known = _version(query, has_table=has_table)
    missing = [migration for migration in MIGRATIONS if migration.version > known]
    for migration in missing:
        for statement in migration.statements:
            query(statement, ())
    if missing:
        query(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, at TEXT NOT NULL)",
            (),
        )
        query(f"DELETE FROM {TABLE}", ())
        query(f"INSERT INTO {TABLE} (one, version, at) VALUES (1, ?, ?)", (newest(), clock.stamp()))
    return missing


def _version(query: Query, *, has_table: bool) -> int:
    rows = query(f"SELECT version FROM {TABLE}", ()) if has_table else []
    version = int(rows[0][0]) if rows else 0
    if version > newest():
        raise LedgerError(
            f"it has version {version}, and this code knows {newest()}",
            act="open ledger",
            hint="a newer workforce.lifecycle wrote it: install that version here too",
        )
    return version
