# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The bridge's tables: events, sources, cases, their time lines, runs, alerts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge import clock, private
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.store.migrations import up_to_date

#: Seconds for which a statement waits for a lock.
PATIENCE = 15.0


def stamp(moment: datetime) -> str:
    """Return a moment as text that sorts."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime | None:
    """Return the moment of a text; None for an empty one."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) if text else None


def rows(found: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    """Return all rows of an answer, by name."""
    return [dict(row) for row in found.mappings()]


class Database:
    """The connection to the bridge's tables. Safe to use from several threads and processes.

    :raises BridgeError: the address is of no database that can be used.
    """

    def __init__(self, url: str, password: str = "") -> None:
        try:
            address = sa.engine.make_url(url)
            address.get_dialect().import_dbapi()
        except (sa.exc.ArgumentError, ImportError):
            raise BridgeError(
                f"database: its address begins with {url.partition(':')[0][:40]!r}, which cannot be used; "
                "sqlite:////var/lib/... and postgresql+psycopg://user@host/name can, the latter with lifecycle-bridge[postgresql]"
            ) from None
        if password:
            address = address.set(password=password)
        self.sqlite = address.get_backend_name() == "sqlite"
        if self.sqlite and address.database and not address.database.startswith("file:"):
            try:
                private.folder(Path(address.database).parent)
            except OSError as failure:
                raise BridgeError(f"make the folder of database {address.database}: {failure.strerror}") from None
        # A database without an encoding (SQL_ASCII) would return texts as bytes.
        settings = {"client_encoding": "UTF8"} if address.get_driver_name() == "psycopg" else {}
        self.engine = sa.create_engine(address, pool_pre_ping=not self.sqlite, connect_args=settings)
        if self.sqlite:
            sa.event.listen(self.engine, "connect", _sqlite_settings)

    def create(self) -> None:
        """Make the tables that are missing. Bridges that start at the same time do this one after the other."""
        name = self.engine.url.database
        if self.sqlite and name and not name.startswith("file:"):
            try:
                private.file(Path(name))  # SQLite gives its -wal and -shm the same rights
            except OSError as failure:
                raise BridgeError(f"make database {name}: {failure.strerror}") from None
        with self.write() as connection:
            if not self.sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7018141341)"))
            up_to_date(connection)

    def now(self, connection: sa.Connection) -> datetime:
        """Return the clock that all bridges on this database share: PostgreSQL's; of the one machine that has the file with SQLite."""
        if self.sqlite:
            return clock.now()
        shared: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        return shared

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes; it begins with the lock, so that what it read holds until it ends (SQLite: BEGIN IMMEDIATE)."""
        with self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that only reads."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes because of what it has read; no second one of this kind is open, in this bridge or another.

        On PostgreSQL this takes a lock, since two transactions may read the same there. SQLite has only one that writes.

        :raises OperationalError: another bridge has held the lock for :data:`PATIENCE` seconds; a restart of this bridge would not help.
        """
        with self.write() as connection:
            if not self.sqlite:
                connection.execute(sa.text(f"SET LOCAL lock_timeout = {round(PATIENCE * 1000)}"))
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7018141342)"))
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _sqlite_settings(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined] # transactions are begun by us
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={round(PATIENCE * 1000)}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
