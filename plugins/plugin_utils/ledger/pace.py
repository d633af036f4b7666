# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Limits the rate of requests to a system for all runs that share a ledger: turns are kept in a file beside it, or in
PostgreSQL.

A process that is killed after taking a turn delays others by that one turn only: the kernel ends its lock, and a turn
that is too far away, or from another boot, does not count.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from ...module_utils.model import private
from ...module_utils.model.errors import LedgerError
from ...module_utils.sdk.pace import PROCESS, Pace
from .ledger import Ledger
from .store import PostgresStorage, SqliteStorage

#: The longest queue in seconds. A later turn was left by a clock that was wrong.
LONGEST = 600.0
#: The boot's id, and when the next request may be sent, by this boot's monotonic clock, which all processes share.
_ROW = struct.Struct("=16sd")


class FilePace:
    """Turns in files of one folder, for every process of this machine.

    :param folder: made when the first turn is taken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def turn(self, system: str, every: float) -> float:
        try:
            private.make_folder(self.folder)
            handle = private.opened(
                self.folder / hashlib.sha256(system.encode()).hexdigest()[:32], os.O_RDWR | os.O_CREAT
            )
        except OSError:
            return PROCESS.turn(system, every)  # a folder that is not writable must not stop a cut
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now = time.monotonic()
            mine = max(now, self._kept(handle, now))
            os.pwrite(handle, _ROW.pack(_boot(), mine + every), 0)
        finally:
            os.close(handle)
        return mine - now

    @staticmethod
    def _kept(handle: int, now: float) -> float:
        row = os.pread(handle, _ROW.size, 0)
        if len(row) != _ROW.size:
            return 0.0
        boot, kept = _ROW.unpack(row)
        return kept if boot == _boot() and kept - now < LONGEST else 0.0


class TablePace:
    """Keeps turns in the ledger's PostgreSQL, by its clock, for every machine that shares it."""

    def __init__(self, storage: PostgresStorage) -> None:
        self.storage = storage

    def turn(self, system: str, every: float) -> float:
        with suppress(
            LedgerError
        ):  # an error of this table must not stop a cut; the next write to the ledger reports it
            rows = self.storage.query(_TAKE, (system, every, LONGEST, every, every))
            return max(0.0, float(rows[0][0]))
        return PROCESS.turn(system, every)


#: It is one statement, so that the row's lock ends with it.
_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
_TAKE = (
    f"INSERT INTO pace AS kept (system, next) VALUES (?, {_NOW} + ?) ON CONFLICT (system) DO UPDATE SET next ="
    f" CASE WHEN kept.next - {_NOW} < ? THEN GREATEST(kept.next, {_NOW}) ELSE {_NOW} END + ? RETURNING next - ? - {_NOW}"
)


def pace_of(ledger: Ledger | None) -> Pace:
    """Return the pace of a run."""
    if ledger is None:
        return PROCESS
    kept = ledger.storage
    if isinstance(kept, PostgresStorage):
        return TablePace(kept)
    return FilePace(kept.path.with_name(f"{kept.path.name}.pace")) if isinstance(kept, SqliteStorage) else PROCESS


@cache
def _boot() -> bytes:
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        text = ""  # elsewhere a turn of another boot is seen by how far away it is
    return hashlib.sha256(text.encode()).digest()[:16]
