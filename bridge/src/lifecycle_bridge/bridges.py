# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the bridges that work on one database: their signs of life, and who takes over the runs of one that is gone."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.tables import RUN_OPEN, bridges, runs

#: Seconds without a sign of life after which a bridge is gone.
DEAD = 20.0


class Bridges:
    """This bridge's place among all bridges. ``owner`` is its name in the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.owner = f"{machine()}-{os.getpid()}-{int(time.time() * 1000):x}"

    def beat(self) -> None:
        """Give a sign of life, by the clock that all bridges share."""
        with self._database.write() as c:
            at = stamp(self._database.now(c))
            if not c.execute(sa.update(bridges).where(bridges.c.owner == self.owner).values(beat_at=at)).rowcount:
                c.execute(sa.insert(bridges).values(owner=self.owner, started_at=at, beat_at=at))

    def take_over(self) -> list[str]:
        """Take over the runs whose bridge is gone, or that belong to none yet; return their idents. Each is taken by one bridge."""
        with self._database.exclusive() as c:
            silent = stamp(self._database.now(c) - timedelta(seconds=DEAD))
            for owner, beat_at in c.execute(sa.select(bridges.c.owner, bridges.c.beat_at)).all():
                if owner != self.owner and (beat_at < silent or is_gone(owner)):
                    c.execute(sa.delete(bridges).where(bridges.c.owner == owner))
            left = (runs.c.status.in_(RUN_OPEN), runs.c.owner.not_in(sa.select(bridges.c.owner)))
            found = list(c.execute(sa.select(runs.c.ident).where(*left)).scalars())
            if found:
                c.execute(sa.update(runs).where(runs.c.ident.in_(found)).values(owner=self.owner))
            return found

    def leave(self) -> None:
        """Remove this bridge from the table, so that another takes over its runs without waiting for its silence."""
        with self._database.write() as c:
            c.execute(sa.delete(bridges).where(bridges.c.owner == self.owner))


def is_gone(owner: str) -> bool:
    """Return whether a bridge of this machine has no process any more. Its runs are then taken over at once."""
    place, pid, _started = owner.rsplit("-", 2)
    return place == machine() and not os.path.exists(f"/proc/{pid}") and os.path.exists("/proc/self")


def machine() -> str:
    """Return a name for the space in which this process id is unique: machine, boot and container. Two containers may have one host name."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        return f"{socket.gethostname()[:40]}.{boot}.{os.stat('/proc/self/ns/pid').st_ino}"
    return socket.gethostname()[:40]
