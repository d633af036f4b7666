# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One connection to an IMAP server: the library's, with an end to the time and the bytes that an answer may take."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any

from ...sdk.allowance import Allowance

#: Bytes of one answer, and of one that holds messages: the largest that Exchange takes has 150 MB.
MOST_BYTES = 8 * 1024 * 1024
MOST_BYTES_OF_MESSAGES = 192 * 1024 * 1024
#: A line of an answer; as long as the library's own limit.
_LONGEST_LINE = 1_000_000
_CHUNK = 256 * 1024


class Limited(imaplib.IMAP4):
    """Reads through an allowance, with the three methods that the library documents as those to override.

    The allowance is set by who makes a call, and may be set again between two commands.
    """

    def __init__(self, host: str, port: int, *, allowance: Allowance, timeout: float, **more: Any) -> None:
        self.allowance, self._silence = allowance, timeout
        #: Makes the allowance of each command from now on, where a connection lives through many.
        self.renew: Callable[[], Allowance] | None = None
        self._unread = bytearray()
        self._came_over: Any = None
        super().__init__(host, port, timeout=timeout, **more)

    def send(self, data: Any) -> None:
        if self.renew is not None:
            self.allowance = self.renew()
        self.sock.settimeout(self._silence)
        super().send(data)

    def read(self, size: int) -> bytes:
        while len(self._unread) < size:
            if not self._more():
                break
        return self._taken(size)

    def readline(self) -> bytes:
        looked = 0
        while (end := self._unread.find(b"\n", looked)) < 0:
            looked = len(self._unread)
            if looked > _LONGEST_LINE:
                raise self.error(f"got more than {_LONGEST_LINE} bytes in a line")
            if not self._more():
                return self._taken(looked)
        return self._taken(end + 1)

    def _more(self) -> bool:
        came = self.allowance.receive(self.sock, _CHUNK)
        self._came_over = self.sock
        self._unread += came
        return bool(came)

    def _taken(self, size: int) -> bytes:
        if self._unread and self._came_over is not self.sock:
            # What somebody on the way put behind the answer to STARTTLS is not the server's (CVE-2021-33515 and its kin).
            raise self.abort("it said more than it was asked before TLS began")
        with memoryview(self._unread) as unread:
            taken = bytes(unread[:size])
        del self._unread[:size]
        return taken


class LimitedTls(Limited, imaplib.IMAP4_SSL):
    """The same, encrypted from the start."""
