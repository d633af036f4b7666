# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Says of each loop of the bridge when it last came around, and which one is silent for longer than it may be.

A loop is a thread that repeats something for as long as the bridge runs (``dispatch``, ``polls``), or that does a piece of work which may take
long (one look at a source, one run, the sending of notices). A thread that hangs raises no error and ends nothing. Only its silence shows it.
``/healthz``, the metrics, the console, the alert and systemd's watchdog all read :class:`Loops`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

#: Seconds for which each loop may be silent. Each is well above the longest single step of that loop.
ALLOWED: Mapping[str, float] = {
    "dispatch": 120.0,  # looks twice a second; a statement waits up to 15 s for SQLite, and the hourly sweep of old runs takes a while
    "polls": 120.0,  # asks once a second which source is due
    "poll": 600.0,  # one look at one source, silent during one request; its timeout is added, and a throttle may cost 120 s
    "inbox": 120.0,  # one transaction
    "run": 600.0,  # one run: its executor is heard several times a second, a request to a controller may take 120 s
    "notices": 900.0,  # one notice: it waits for HR up to 300 s, behind another question to HR that may take as long
    "alerts": 900.0,  # one alert, by all its ways: a slow mail server costs a minute
    "people": 900.0,  # asks HR for names
    "locate": 900.0,  # asks the systems where somebody is
}


@dataclass(frozen=True)
class Silence:
    """How long a loop has been silent.

    :param loop: one of :data:`ALLOWED`.
    :param of: which of several, such as the source of a poll or the ident of a run; for the log, never for a page without sign-in.
    """

    loop: str
    of: str
    seconds: float
    allowed: float

    @property
    def hangs(self) -> bool:
        """Return whether the loop hangs."""
        return self.seconds > self.allowed

    @property
    def words(self) -> str:
        """Return which loop hangs, and since when."""
        which = f"{self.loop} ({self.of})" if self.of else self.loop
        return f"loop {which} hangs: no sign of it for {self.seconds:.0f} s, {self.allowed:.0f} s are allowed"


class Loop:
    """One loop, from its begin to its end."""

    def __init__(self, name: str, of: str, allowed: float, monotonic: Callable[[], float]) -> None:
        self.name, self.of, self.allowed, self._monotonic = name, of, allowed, monotonic
        self._around_at = self._succeeded_at = monotonic()

    def came_around(self) -> None:
        """Note that the loop moves, whether what it did succeeded or not."""
        self._around_at = self._monotonic()

    def succeeded(self) -> None:
        """Note that the loop did its work."""
        self._succeeded_at = self._around_at = self._monotonic()

    def silence(self) -> Silence:
        """Return for how long the loop has not moved."""
        return Silence(self.name, self.of, self._monotonic() - self._around_at, self.allowed)

    def seconds_without_success(self) -> float:
        """Return for how long nothing that the loop did has succeeded."""
        return self._monotonic() - self._succeeded_at


class _Mine(threading.local):
    """The loops that this thread is in, the outermost first."""

    def __init__(self) -> None:
        self.loops: tuple[Loop, ...] = ()


_MINE = _Mine()


def came_around() -> None:
    """Note that the loops of this thread move. Called where their work passes by: for each request, for each look at a run."""
    for loop in _MINE.loops:
        loop.came_around()


def never_stop() -> bool:
    """Say that a run goes on; an executor asks this again and again, so it also shows that the run's loop moves."""
    came_around()
    return False


class Loops:
    """All loops of one bridge. Safe to use from several threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: list[Loop] = []

    def begin(self, name: str, of: str = "", more: float = 0.0) -> Loop:
        """Expect a loop from now on. If its thread dies without :meth:`end`, it counts as hanging after its time.

        :param more: seconds that this one may be silent beyond what :data:`ALLOWED` says.
        """
        loop = Loop(name, of, ALLOWED[name] + more, self._monotonic)
        with self._lock:
            self._open.append(loop)
        return loop

    def end(self, loop: Loop) -> None:
        """Expect a loop no longer."""
        with self._lock:
            if loop in self._open:
                self._open.remove(loop)

    @contextmanager
    def running(self, name: str, of: str = "", more: float = 0.0) -> Iterator[Loop]:
        """Expect a loop for as long as a piece of work takes; :func:`came_around` in this thread counts for it."""
        loop, outer = self.begin(name, of, more), _MINE.loops
        _MINE.loops = (*outer, loop)
        try:
            yield loop
        finally:
            _MINE.loops = outer
            self.end(loop)

    def silences(self) -> dict[str, Silence]:
        """Return the silence of each loop by its name: of several the one that is nearest to its limit, and none where none runs."""
        found = {name: Silence(name, "", 0.0, allowed) for name, allowed in ALLOWED.items()}
        for one in self._all():
            if one.seconds / one.allowed > found[one.loop].seconds / found[one.loop].allowed:
                found[one.loop] = one
        return found

    def hanging(self) -> list[Silence]:
        """Return the loops that hang."""
        return [one for one in self._all() if one.hangs]

    def trouble(self) -> str:
        """Return in words which loops hang; empty when none does."""
        return "; ".join(one.words for one in self.hanging())

    def _all(self) -> list[Silence]:
        with self._lock:
            return [loop.silence() for loop in self._open]
