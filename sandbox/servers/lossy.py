# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Stands in front of a directory and loses the answer to one write: the directory has done it, the client never hears of it."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from typing import Any

from sandbox.certs import Authority

#: Tags of the operations that write (RFC 4511, 4.2 to 4.9): modify, add, modify DN, delete.
WRITES = frozenset({0x66, 0x68, 0x6C, 0x4A})


class LossyLdap:
    """``with LossyLdap(url, authority) as lossy: lossy.lose(after=1)``: the second write from now on loses its answer, once.

    :param url: the directory, ldaps://localhost:PORT, with a certificate of ``authority``.
    """

    def __init__(self, url: str, authority: Authority) -> None:
        self._port = int(url.rpartition(":")[2])
        self._client = ssl.create_default_context(cafile=str(authority.ca_file))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(authority.cert_file, authority.key_file)
        self._lock = threading.Lock()
        self._left = -1
        self.lost = 0
        lossy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    with (
                        server.wrap_socket(self.request, server_side=True) as near,
                        socket.create_connection(("localhost", lossy._port)) as plain,
                        lossy._client.wrap_socket(plain, server_hostname="localhost") as far,
                    ):
                        lossy._carry(near, far)
                except OSError:
                    pass  # one side hung up

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"ldaps://localhost:{self._server.server_address[1]}"

    def __enter__(self) -> LossyLdap:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="lossy", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def lose(self, *, after: int) -> None:
        with self._lock:
            self._left, self.lost = after, 0

    def _carry(self, near: ssl.SSLSocket, far: ssl.SSLSocket) -> None:
        """Request by request, with all that the directory says to it: clients of this sandbox wait for their answers."""
        while request := _message(near):
            far.sendall(request)
            operation = _operation(request)
            if operation in WRITES and self._is_the_one():
                _message(far)  # it is done now
                return
            if operation in (0x42, 0x50):  # unbind, abandon: no answer
                continue
            while answer := _message(far):
                near.sendall(answer)
                if _operation(answer) not in (
                    0x64,
                    0x73,
                    0x79,
                ):  # an entry, a referral, something in between: more follows
                    break
            else:
                return

    def _is_the_one(self) -> bool:
        with self._lock:
            self._left -= 1
            if self._left != -1:
                return False
            self.lost += 1
            self._left = -2
            return True


def _message(connection: socket.socket) -> bytes:
    """Return one LDAPMessage as it came; empty at the end."""
    head = _exactly(connection, 2)
    if not head:
        return b""
    length = head[1]
    if length & 0x80:
        more = _exactly(connection, length & 0x7F)
        head, length = head + more, int.from_bytes(more, "big")
    return head + _exactly(connection, length)


def _exactly(connection: Any, count: int) -> bytes:
    content = b""
    while len(content) < count:
        part = connection.recv(count - len(content))
        if not part:
            return b""
        content += part
    return content


def _operation(message: bytes) -> int:
    """Return the tag behind the sequence's head and the message's number."""
    at = 2 + (message[1] & 0x7F if message[1] & 0x80 else 0)
    return message[at + 2 + message[at + 1]]
