# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Where the ledger's rows are kept: SQLite on this machine, PostgreSQL for several. Neither knows what a case is."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ...module_utils.model.errors import LedgerError

Row = tuple[Any, ...]
#: Runs one statement with ``?`` in place of values, and gives its rows.
Query = Callable[[str, Sequence[Any]], list[Row]]

#: The columns beside ``body`` are for finding entries; what counts is the text in ``body``, and its hash.
SCHEMA = (
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
    "CREATE TABLE IF NOT EXISTS holder (run TEXT PRIMARY KEY, host TEXT NOT NULL, place TEXT NOT NULL, pid BIGINT NOT NULL, started TEXT NOT NULL,"
    " since TEXT NOT NULL, renewed TEXT NOT NULL, lost TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, run TEXT NOT NULL, case_id TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS lease_case ON lease (case_id)",
    # HR's people at the last look, for the intake: dates and hashes, no evidence.
    "CREATE TABLE IF NOT EXISTS seen (source TEXT NOT NULL, person TEXT NOT NULL, data TEXT NOT NULL, previous TEXT NOT NULL, batch TEXT NOT NULL,"
    " PRIMARY KEY (source, person))",
    "CREATE INDEX IF NOT EXISTS seen_batch ON seen (batch)",
)
#: What is made last: a ledger that has it has everything.
NEWEST = "seen_batch"
#: Seconds to wait for another writer.
PATIENCE = 30
#: Any number, the same for everybody who writes this ledger.
_ADVISORY_LOCK = 0x6C6564676572  # "ledger"


class Storage(Protocol):
    """Rows, and one writer at a time."""

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]: ...

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]: ...

    def writing(self, *, durable: bool) -> AbstractContextManager[Query]:
        """Alone until the end of the block, then committed. ``durable``: on the disk before the block ends."""


class SqliteStorage:
    """One file in WAL mode. ``synchronous=NORMAL`` survives a killed process; a durable write also a lost power supply.

    A connection belongs to one process and thread: SQLite's locks do not survive a fork (sqlite.org/howtocorrupt.html, 2.6).
    """

    #: Connections that a fork gave us. They are the parent's: kept, so that nothing closes them here.
    _inherited: list[Any] = []

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        if getattr(self._local, "pid", None) == os.getpid():
            return self._local.connection  # type: ignore[no-any-return]
        if hasattr(self._local, "connection"):
            self._inherited.append(self._local.connection)
        with self._explained("open"):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its -wal and -shm files the rights of the file itself. One that is there is not touched: to close it would end the
            # locks that this process has on it already (sqlite.org/howtocorrupt.html, 2.2).
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (NEWEST,)).fetchone():
                connection.execute("BEGIN IMMEDIATE")
                for statement in SCHEMA:
                    connection.execute(statement)
                connection.execute("COMMIT")
        self._local.connection, self._local.pid = connection, os.getpid()
        return connection

    @contextmanager
    def _explained(self, act: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as e:
            hint = (
                "another process holds it; end that, or use postgresql:// when several machines write"
                if "locked" in str(e)
                else "set lifecycle_ledger to a file on a local disk that this user may write"
            )
            raise LedgerError(str(e), act=f"{act} ledger {self.path}", hint=hint) from e

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        connection = self._connection()
        with self._explained("read"):
            return connection.execute(sql, tuple(values)).fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        connection = self._connection()
        with self._explained("read"):
            yield from connection.execute(sql, tuple(values))

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[Query]:
        connection = self._connection()

        def run(sql: str, values: Sequence[Any] = ()) -> list[Row]:
            return connection.execute(sql, tuple(values)).fetchall()

        with self._explained("write"):
            if durable:
                connection.execute("PRAGMA synchronous=FULL")
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield run
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            finally:
                if durable:
                    connection.execute("PRAGMA synchronous=NORMAL")


class PostgresStorage:
    """A database that several machines share. Every commit is as durable as the server is set to make it, at least locally."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        #: For messages: the password must not be in them.
        self.name = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._local = threading.local()

    def _connection(self) -> Any:
        if getattr(self._local, "pid", None) == os.getpid() and not self._local.connection.closed:
            return self._local.connection
        if hasattr(self._local, "connection") and self._local.pid != os.getpid():
            SqliteStorage._inherited.append(self._local.connection)
        with self._explained("open"):
            import psycopg

            connection = psycopg.connect(
                self.url, autocommit=True, connect_timeout=10, application_name="workforce.lifecycle"
            )
            if connection.execute("SELECT to_regclass(%s)", (NEWEST,)).fetchone() == (None,):
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
                    for statement in SCHEMA:
                        connection.execute(statement)
        self._local.connection, self._local.pid = connection, os.getpid()
        return connection

    @contextmanager
    def _explained(self, act: str) -> Iterator[None]:
        try:
            import psycopg
        except ImportError as e:
            raise LedgerError(
                "psycopg is not installed",
                act=f"{act} ledger {self.name}",
                hint="pip install 'psycopg[binary]', or keep the ledger in a file",
            ) from e
        try:
            yield
        except psycopg.Error as e:
            raise LedgerError(
                str(e).splitlines()[0] if str(e) else type(e).__name__,
                act=f"{act} ledger {self.name}",
                hint="check that the server runs, and that this user may create and write the table ledger",
            ) from e

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        connection = self._connection()
        with self._explained("read"):
            return list(connection.execute(sql.replace("?", "%s"), tuple(values)).fetchall())

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        connection = self._connection()
        # A cursor on the server: a ledger of years does not fit into memory.
        with self._explained("read"), connection.transaction(), connection.cursor(name="ledger_stream") as cursor:
            yield from cursor.execute(sql.replace("?", "%s"), tuple(values))

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[Query]:
        connection = self._connection()

        def run(sql: str, values: Sequence[Any] = ()) -> list[Row]:
            cursor = connection.execute(sql.replace("?", "%s"), tuple(values))
            return list(cursor.fetchall()) if cursor.description else []

        with self._explained("write"), connection.transaction():
            if durable:
                connection.execute("SET LOCAL synchronous_commit = on")
            connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
            yield run


def storage(url: str) -> Storage:
    """The storage that a URL names.

    ``sqlite:///var/lib/x.db`` and a bare path are a file; ``sqlite:////var/lib/x.db``, as SQLAlchemy writes it, is the same one.

    :raises LedgerError: another scheme.
    """
    scheme, found, rest = url.partition("://")
    if not found:
        return SqliteStorage(Path(url).expanduser().absolute())
    if scheme == "sqlite" and rest.strip("/"):
        return SqliteStorage(Path(rest[1:] if rest.startswith(("/~", "//")) else rest).expanduser().absolute())
    if scheme in ("postgresql", "postgres"):
        return PostgresStorage(url)
    raise LedgerError(
        f"{scheme}:// is no ledger",
        act="open ledger",
        hint="give a path, sqlite:///path or postgresql://user@host/database",
    )
