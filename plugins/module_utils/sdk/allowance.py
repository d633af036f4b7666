# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Limits the time of one call to a system and the bytes of its answer, for every protocol over a socket.

A socket's timeout limits only the time between two bytes, and a system may send a byte a second without end. So the
time that is left for the call is checked whenever something is received. HTTP has the same limits in :mod:`wire`.
"""

from __future__ import annotations

import socket
import time

from ..model.errors import AnswerLost, ProtocolError, SystemError_, Unavailable
from .target import Target

#: One call with its retries may take this many times the system's ``timeout``; a file may take this many seconds.
CALL_TIMEOUTS = 2
FILE_SECONDS = 900.0
#: The most pages of one list: a million people in pages of a hundred.
MOST_PAGES = 10_000
_REPORT = "report it to the vendor; the list is not complete"


class Pages:
    """Counts the pages of one list, each by the mark with which it was requested.

    :param by: the name of that mark: a page token, a page cookie.
    """

    def __init__(self, act: str, system: str, *, by: str = "page token", hint: str = _REPORT) -> None:
        self._act, self._system, self._by, self._hint = act, system, by, hint
        self._seen: set[object] = set()
        self._before: object = None

    def turn(self, mark: object) -> None:
        """Note the mark of the next page.

        :raises ProtocolError: this page was read already, or there are too many pages.
        """
        if mark in self._seen:
            raise self._stands_still()
        self._seen.add(mark)
        if len(self._seen) > MOST_PAGES:
            raise ProtocolError(
                f"its list has more than {MOST_PAGES:,} pages",
                act=self._act,
                system=self._system,
                hint="the list is not complete",
            )

    def read(self, body: object) -> None:
        """Note the content of a page: a system that ignores the page's number returns the first one again and again.

        :raises ProtocolError: it is equal to the page before.
        """
        if body and body == self._before:
            raise self._stands_still()
        self._before = body

    def _stands_still(self) -> ProtocolError:
        return ProtocolError(f"the {self._by} does not advance", act=self._act, system=self._system, hint=self._hint)


class Exceeded(OSError):
    """The call has used all its time or bytes. It is an OSError, so that a library treats it as a broken connection."""


class Allowance:
    """The seconds and bytes that one call has left.

    :param seconds: the seconds that it may take in all; fewer when the step's time ends earlier.
    :param most_bytes: the bytes that it may receive.
    :raises Unavailable: the time of the step was over before the call began.
    """

    def __init__(self, target: Target, act: str, *, seconds: float, most_bytes: int) -> None:
        now = time.monotonic()
        if now >= target.until:
            raise Unavailable(
                "not sent: the time of this step is over",
                act=act,
                system=target.name,
                hint="run again; raise deadline of the system if it needs longer",
            )
        self.seconds = max(0.5, min(seconds, target.until - now))
        self._target, self._act = target, act
        self._ends, self._most, self._had = now + self.seconds, most_bytes, 0

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._ends

    @property
    def too_long(self) -> bool:
        return self._had > self._most

    def receive(self, sock: socket.socket, size: int) -> bytes:
        """Return up to ``size`` bytes, as ``recv`` gives them.

        :raises Exceeded: the call has used all its time or bytes.
        """
        left = self._ends - time.monotonic()
        if left <= 0 or self.too_long:
            raise Exceeded("the call has had its time" if left <= 0 else "the answer is too long")
        sock.settimeout(min(self._target.timeout, left))
        came = sock.recv(size)
        self._had += len(came)
        return came

    def error(self, *, reading: bool = True) -> SystemError_ | None:
        """Return our error when a limit was exceeded, else None."""
        if self.too_long:
            return ProtocolError(
                f"its answer is longer than {self._most:,} bytes",
                act=self._act,
                system=self._target.name,
                hint="the rest was not read",
            )
        if not self.over:
            return None
        kind = Unavailable if reading else AnswerLost
        return kind(
            f"no whole answer in {self.seconds:.0f} s",
            act=self._act,
            system=self._target.name,
            hint="" if reading else "the write may have happened: run again to see",
        )
