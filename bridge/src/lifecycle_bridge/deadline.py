# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Ends the connections of a conversation when its time is over.

The timeout of a socket limits only the silence between two bytes. A server that sends a byte every few seconds is never silent.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Self


class Deadline:
    """The time of one conversation, which may use several connections. ``over``: it has ended, and so have the connections."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._seen: list[socket.socket] = []
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._held:
                one.close()
            self._held.clear()

    def watch(self, sock: socket.socket | None) -> None:
        """End this connection too. It is held by a descriptor of our own, since TLS takes over that of the socket which it wraps."""
        with self._lock:
            if sock is not None and sock not in self._seen:
                self._seen.append(sock)
                with suppress(OSError):  # it is closed already
                    self._held.append(socket.socket(fileno=os.dup(sock.fileno())))
            if self.over:
                self._shut()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        for one in self._held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
