# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Follows a run for the bridge: what it has reached since the last look, whether it is to be stopped, whether its supervisor still works."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lifecycle_bridge import clock
from lifecycle_bridge.execute import Progress
from lifecycle_bridge.execute.folder import Folder
from lifecycle_bridge.loops import came_around

log = logging.getLogger(__name__)

#: Seconds between two questions whether a run is to be stopped: the caller may ask a database.
ASK = 0.25
#: Seconds without a sign of the supervisor, which gives one every five, after which it hangs. The longest that two looks count for: a machine
#: that was paused, bridge and supervisor together, was not silent.
HANGS, _LONGEST_LOOK = 120.0, 1.0


class Follow:
    """What the caller wants to know of a run, and whether it wants it to be stopped."""

    def __init__(
        self,
        folder: Folder,
        stop: Callable[[], bool],
        progress: Callable[[Progress], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self._stop, self._progress, self._monotonic = folder, stop, progress, monotonic
        self._sign: int | None = None
        self._silent = 0.0
        self._looked_at = monotonic()
        self._read = 0
        self._asked = False
        self._next = 0.0
        self._complained = False

    def look(self) -> None:
        """Report what the run has reached, and ask whether it is to be stopped."""
        came_around()
        self._listen()
        self.catch_up(1 << 16)
        if self._asked or self._monotonic() < self._next:
            return
        self._next = self._monotonic() + ASK
        if self.wants_to_stop():
            self.folder.ask_to_stop()
            self._asked = True

    @property
    def supervisor_hangs(self) -> bool:
        """Return whether the run's supervisor, which would end it in time, has given no sign for too long."""
        return self._silent > HANGS

    def _listen(self) -> None:
        """Count the seconds since the supervisor's last sign; none while it has never given one."""
        try:
            sign = self.folder.heartbeat.stat().st_mtime_ns
        except OSError:
            sign = None
        now = self._monotonic()
        same = sign is not None and sign == self._sign
        self._silent = self._silent + min(now - self._looked_at, _LONGEST_LOOK) if same else 0.0
        self._sign, self._looked_at = sign, now

    def wants_to_stop(self) -> bool:
        """Ask the caller whether the run is to be stopped."""
        try:
            return self._stop()
        except Exception:  # of the caller: the run is followed even when its database is away
            log.exception("ask whether run %s is to be stopped: it goes on", self.folder.path.name)
            return False

    def catch_up(self, most: int = 8 << 20) -> None:
        """Hand on what was reached since, whole lines of it, ``most`` bytes at a time."""
        try:
            with open(self.folder.progress, "rb") as file:
                file.seek(self._read)
                part = file.read(most)
        except OSError:
            return
        part = part[: part.rfind(b"\n") + 1]
        self._read += len(part)
        for line in part.splitlines():
            try:
                words = json.loads(line)
                step = Progress(
                    moment(words["at"]) or clock.now(), words["play"], words["task"], words["host"], words["outcome"]
                )
                self._progress(step)
            except Exception:  # of the caller: whatever it raises, the run is followed
                if not self._complained:
                    log.exception("report how far run %s is: it goes on", self.folder.path.name)
                self._complained = True


def moment(text: str | None) -> datetime | None:
    """Return a moment of the folder's files in UTC; None for an empty text."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
