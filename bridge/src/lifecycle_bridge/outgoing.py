# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends the bridge's own requests, with a limit of seconds for the whole request and of bytes for its answer. No redirect is followed.

A server that sends a byte a second would delay notices, sign-in and runs. So a timer ends the connection when the request has used its time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter

from lifecycle_bridge.deadline import Deadline
from lifecycle_bridge.loops import came_around

#: Bytes of an answer, after decompression. As text it may take four times as much memory.
MOST_BYTES = 16 * 1024 * 1024
#: How many values JSON may hold: each needs more than 100 bytes of memory.
MOST_VALUES = 1_000_000


class TooLong(requests.RequestException):
    """The answer is longer than it may be; the rest was not read."""


class _Current(threading.local):
    """The request that this thread is sending."""

    watch: _Watch | None = None


_CURRENT = _Current()


class _Watch(Deadline):
    """Ends the connections of the request that this thread sends when its time is over."""

    def __enter__(self) -> Self:
        _CURRENT.watch = self
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        _CURRENT.watch = None


class _Reporting:
    """A connection that reports which socket it uses."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._report()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._report()
        super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self) -> Any:
        self._report()
        return super().getresponse()  # type: ignore[misc]

    def _report(self) -> None:
        if _CURRENT.watch is not None:
            _CURRENT.watch.watch(self.sock)


@cache
def _seen(connection: type[Any]) -> type[Any]:
    return type(connection.__name__, (_Reporting, connection), {})


class Limited(HTTPAdapter):
    """Gives each request so many seconds, and its answer so many bytes.

    :raises TooLong: of ``send``: the answer is longer.
    """

    def __init__(self, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._seconds, self._most_bytes = seconds, most_bytes

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, _Reporting):
            pool.ConnectionCls = _seen(pool.ConnectionCls)
        return pool

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        came_around()
        with _Watch(self._seconds) as watch:
            try:
                response = super().send(request, *args, **{**kwargs, "stream": True})
                response._content = self._read(response)
            except requests.ConnectTimeout:
                raise
            except (requests.RequestException, OSError, ValueError, AttributeError):
                # Which of these comes when the connection is shut down during a request is not documented.
                if not watch.over:
                    raise
                raise self._late(request) from None
            if watch.over:  # an answer without a length ends where the connection does
                raise self._late(request)
        came_around()
        return response

    def _read(self, response: requests.Response) -> bytes:
        content = bytearray()
        for part in response.iter_content(16 * 1024):
            content += part
            if len(content) > self._most_bytes:
                response.close()  # the rest would be read as the next answer
                raise TooLong(f"the answer is longer than {self._most_bytes} bytes", request=response.request)
        return bytes(content)

    def _late(self, request: requests.PreparedRequest) -> requests.ReadTimeout:
        return requests.ReadTimeout(f"no whole answer in {self._seconds:.0f} s", request=request)


def limit(session: requests.Session, seconds: float, most_bytes: int = MOST_BYTES) -> None:
    """Put the limits on a session that another library has made."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, Limited(seconds, most_bytes))


def session(seconds: float, most_bytes: int = MOST_BYTES) -> requests.Session:
    """Return a session whose every request has these limits."""
    made = requests.Session()
    limit(made, seconds, most_bytes)
    return made


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, verify: bool | str = True
) -> requests.Response:
    """Send one POST.

    :raises requests.RequestException: it did not arrive, or no whole answer came.
    """
    with session(seconds) as once:
        return once.post(url, data=body, headers=dict(headers), timeout=seconds, allow_redirects=False, verify=verify)


def parsed(content: bytes) -> Any:
    """Parse JSON from outside.

    :raises ValueError: it is not JSON, or is nested deeper or holds more values than any answer needs.
    """
    if content.count(b"[") + content.count(b"{") + content.count(b",") > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nests too deep") from None
