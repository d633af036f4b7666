# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One connection to an IMAP server: imaplib's, with limits of time and bytes for each answer."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any

from ...sdk.allowance import Allowance

#: The most bytes of one answer, and of one with messages: the largest message that Exchange accepts has 150 MB.
MOST_BYTES = 8 * 1024 * 1024
MOST_BYTES_OF_MESSAGES = 192 * 1024 * 1024
#: The most bytes of a line; the same limit as imaplib's.
_LONGEST_LINE = 1_000_000
_CHUNK = 256 * 1024


class Limited(imaplib.IMAP4):
    """Reads within an allowance of time and bytes. It overrides the three methods that imaplib documents for that.

    The caller sets the allowance, and may set another one between two commands.
    """

    def __init__(self, host: str, port: int, *, allowance: Allowance, timeout: float, **more: Any) -> None:
        self.allowance, self._silence = allowance, timeout
        #: Returns the allowance of the next command, for a connection that sends many.
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
            # Bytes after the answer to STARTTLS can come from an attacker in between (CVE-2021-33515 and similar ones).
            raise self.abort("it sent unasked data before TLS began")
        with memoryview(self._unread) as unread:
            taken = bytes(unread[:size])
        del self._unread[:size]
        return taken


class LimitedTls(Limited, imaplib.IMAP4_SSL):
    """The same connection, encrypted from the start."""
