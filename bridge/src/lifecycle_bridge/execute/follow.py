# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A run that somebody watches: what it has reached since the last look, and whether it is to be stopped."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lifecycle_bridge import clock
from lifecycle_bridge.execute import Progress
from lifecycle_bridge.execute.folder import Folder

log = logging.getLogger(__name__)

#: Seconds between two questions whether a run is to be stopped: the caller may ask a database.
ASK = 0.25


class Follow:
    """What the caller wants to know of a run, and whether it wants it to be stopped."""

    def __init__(self, folder: Folder, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> None:
        self.folder, self._stop, self._progress = folder, stop, progress
        self._read = 0
        self._asked = False
        self._next = 0.0
        self._complained = False

    def look(self) -> None:
        """Once around."""
        self.catch_up(1 << 16)
        if self._asked or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + ASK
        if self.wants_to_stop():
            self.folder.ask_to_stop()
            self._asked = True

    def wants_to_stop(self) -> bool:
        try:
            return self._stop()
        except Exception:  # the caller's: a database that is away is no reason to leave a run alone
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
            except Exception:  # the caller's, in passing: whatever it raises must not end the watch over a run
                if not self._complained:
                    log.exception("report how far run %s is: it goes on", self.folder.path.name)
                self._complained = True


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
