# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the ledger's rows: in SQLite for one machine, in PostgreSQL for several. Neither knows what a case is."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ...module_utils.model import private
from ...module_utils.model.errors import LedgerError
from . import migrations
from .rows import Query, Row

#: Seconds to wait for another writer.
PATIENCE = 30
#: Any number, the same for everybody who writes this ledger.
_ADVISORY_LOCK = 0x6C6564676572  # "ledger"


class Storage(Protocol):
    """Rows, and one writer at a time."""

    @property
    def in_transaction(self) -> bool:
        """Return whether this thread is inside :meth:`writing`."""

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]: ...

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]: ...

    def writing(self, *, durable: bool) -> AbstractContextManager[Query]:
        """Open a transaction that no other writer shares, committed at the end of the block. ``durable``: the commit is
        on the disk."""


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. SQLite does not wait by itself while another process is about to do the same."""
    until = time.monotonic() + PATIENCE
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


class SqliteStorage:
    """Keeps rows in one file in WAL mode. ``synchronous=NORMAL`` survives a killed process, a durable write also a
    power failure.

    A connection belongs to one process and thread: SQLite's locks do not survive a fork (sqlite.org/howtocorrupt.html, 2.6).
    """

    #: The parent's connections, after a fork. They are kept, so that Python does not close them in this process.
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
            private.make_folder(self.path.parent)
            private.check(self.path)
            # SQLite gives its -wal and -shm files the mode of this file. An existing file is not opened here: to close
            # it again would end the locks that this process already has on it (sqlite.org/howtocorrupt.html, 2.2).
            with suppress(FileExistsError):
                os.close(private.opened(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
            connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            self._migrate(connection)
        self._local.connection, self._local.pid = connection, os.getpid()
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        def run(sql: str, values: Sequence[Any] = ()) -> list[Row]:
            return connection.execute(sql, tuple(values)).fetchall()

        def has_table() -> bool:
            return bool(run("SELECT 1 FROM sqlite_master WHERE name = ?", (migrations.TABLE,)))

        if migrations.is_current(run, has_table=has_table()):
            return
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations.migrate(run, has_table=has_table())
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("PRAGMA synchronous=NORMAL")

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

    @property
    def in_transaction(self) -> bool:
        return self._connection().in_transaction

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
    """Keeps rows in a database that several machines share. The server's settings decide how durable a commit is, at
    least locally."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        #: The address for messages, without the password.
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
                self.url,
                autocommit=True,
                connect_timeout=10,
                application_name="workforce.lifecycle",
                client_encoding="UTF8",  # a database without an encoding (SQL_ASCII) would return texts as bytes
            )
            self._migrate(connection)
        self._local.connection, self._local.pid = connection, os.getpid()
        return connection

    @staticmethod
    def _migrate(connection: Any) -> None:
        def run(sql: str, values: Sequence[Any] = ()) -> list[Row]:
            cursor = connection.execute(sql.replace("?", "%s"), tuple(values))
            return list(cursor.fetchall()) if cursor.description else []

        def has_table() -> bool:
            return run("SELECT to_regclass(?)", (migrations.TABLE,)) != [(None,)]

        if not migrations.is_current(run, has_table=has_table()):
            with connection.transaction():
                run("SELECT pg_advisory_xact_lock(?)", (_ADVISORY_LOCK,))
                migrations.migrate(run, has_table=has_table())

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

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection().info.transaction_status)  # 0 is idle

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        connection = self._connection()
        with self._explained("read"):
            return list(connection.execute(sql.replace("?", "%s"), tuple(values)).fetchall())

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        connection = self._connection()
        # The cursor is on the server, because the ledger of many years does not fit into memory.
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


def is_missing(url: str) -> bool:
    """Return whether a ledger is a file that does not exist yet."""
    found = storage(url)
    return isinstance(found, SqliteStorage) and not found.path.exists()


def storage(url: str) -> Storage:
    """Return the storage that a URL names.

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
