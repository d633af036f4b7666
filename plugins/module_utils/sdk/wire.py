# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One HTTP exchange with limits: so many seconds in all, so many bytes after decompression, no redirect followed.

A socket's timeout limits the silence between two bytes, and a system that sends one byte a second never is silent. So a timer
ends the connection when the exchange has had its time, whatever it is at.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import NewConnectionError
except ImportError:
    # The collection must be readable (documentation, tests) without it; whoever runs a step is told in `_session`.
    requests = None  # type: ignore[assignment]
    HTTPAdapter = HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]

from ..model.errors import (
    AnswerLost,
    CertificateError,
    InputError,
    ProtocolError,
    Unavailable,
)
from .target import Target

#: Bytes of one answer, after decompression. What is longer comes in pages, everywhere we know.
MOST_BYTES = 64 * 1024 * 1024
#: Bytes of one file: the largest message that Exchange takes has 150 MB.
MOST_BYTES_OF_A_FILE = 512 * 1024 * 1024
#: Read so many at a time: of a compressed answer a chunk becomes a thousand times as much.
_CHUNK = 16 * 1024
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True)
class Raw:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Request:
    """One exchange to make.

    :param seconds: how long it may take in all.
    :param most_bytes: how long its answer may be.
    :param reading: it changes nothing, so that a lost answer has lost nothing.
    """

    method: str
    url: str
    body: Any
    params: Mapping[str, Any] | None
    headers: Mapping[str, str]
    act: str
    reading: bool
    seconds: float
    most_bytes: int = MOST_BYTES


class _Watch(threading.local):
    """The connection that this thread talks over now."""

    def __init__(self) -> None:
        self.current: _Exchange | None = None


_WATCH = _Watch()


class _Exchange:
    """Ends a connection when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Exchange:
        _WATCH.current = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _WATCH.current = None

    def talks_over(self, sock: socket.socket | None) -> None:
        with self._lock:
            if sock is not None and sock not in self._sockets:
                self._sockets.append(sock)
            if self.over:
                self._shut()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Seen:
    """A connection that says over which socket it talks."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._say()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._say()
        super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self) -> Any:
        self._say()
        return super().getresponse()  # type: ignore[misc]

    def _say(self) -> None:
        if _WATCH.current is not None:
            _WATCH.current.talks_over(self.sock)


class _Plain(_Seen, HTTPConnection):
    """HTTP, to this machine."""


class _Tls(_Seen, HTTPSConnection):
    """HTTPS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    """requests' adapter over connections that can be ended."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager


_SESSIONS: dict[tuple[int, str, str, str], requests.Session] = {}


def _session(target: Target) -> requests.Session:
    # A worker is forked for each task and loops over people inside it: the pool must not cross a fork.
    key = (os.getpid(), target.name, target.ca_file, target.proxy)
    session = _SESSIONS.get(key)
    if session is None:
        if requests is None:
            raise InputError(
                "the Python library requests is not installed",
                act="connect",
                system=target.name,
                hint="pip install -r requirements.txt, where the step runs",
            )
        session = requests.Session()
        session.trust_env = False  # a netrc entry would replace our Authorization header
        proxy = {"http": target.proxy, "https": target.proxy} if target.proxy else get_environ_proxies(target.url)
        session.proxies.update(proxy)
        session.verify = target.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or True
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Adapter())
        _SESSIONS[key] = session
    return session


def exchange(target: Target, base: str, request: Request) -> Raw:
    """Send one request and read its answer whole.

    :param base: the system's address, for messages.
    :raises Unavailable: nothing was sent, or a read got no answer.
    :raises AnswerLost: a write was sent, and its answer did not come whole.
    :raises ProtocolError: the answer is longer than it may be, or compressed in a way that we did not ask for.
    """
    session = _session(target)
    with _Exchange(request.seconds) as watch:
        try:
            response = session.request(
                request.method,
                request.url,
                data=request.body,
                params=dict(request.params) if request.params else None,
                headers={"Accept-Encoding": "gzip, deflate", **request.headers},
                timeout=min(target.timeout, request.seconds),
                allow_redirects=False,
                stream=True,
            )
            try:
                content = _read(target, request, response)
            finally:
                response.close()
        except requests.exceptions.RequestException as e:
            raise _trouble(target, base, request, e, watch.over) from None
        except (OSError, ValueError, AttributeError) as e:
            # What a connection does that is ended under it, in urllib3 and http.client.
            if not watch.over:
                raise
            raise _lost(target, request, e, watch.over) from None
        if watch.over:  # an answer without a length ends where the connection does
            raise _lost(target, request, None, over=True)
    return Raw(response.status_code, response.headers, content)


def _read(target: Target, request: Request, response: requests.Response) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise ProtocolError(
            f"its answer is encoded as {encoding[:40]!r}, which nobody asked for", act=request.act, system=target.name
        )
    length = response.headers.get("Content-Length", "")
    chunks, had = [], 0
    too_long = ProtocolError(
        f"its answer is longer than {request.most_bytes:,} bytes",
        act=request.act,
        system=target.name,
        hint="the rest was not read",
    )
    if length.isdigit() and len(length) < 20 and int(length) > request.most_bytes:
        raise too_long
    for chunk in response.iter_content(_CHUNK):
        had += len(chunk)
        if had > request.most_bytes:
            raise too_long
        chunks.append(chunk)
    return b"".join(chunks)


def _trouble(
    target: Target, base: str, request: Request, e: requests.exceptions.RequestException, over: bool
) -> Exception:
    """The error of ours for one of the library's."""
    wrong = requests.exceptions
    if isinstance(e, wrong.SSLError) and not over:
        return CertificateError(
            f"its certificate is not trusted ({_root(e)})",
            act=request.act,
            system=target.name,
            hint="set ca_file of the system to your certificate authority",
        )
    if isinstance(e, (wrong.InvalidURL, wrong.MissingSchema, wrong.InvalidSchema)):
        return InputError(
            f"{request.url.split('?')[0]} is not an address ({_root(e)})",
            act=request.act,
            system=target.name,
            hint="set url of the system: https://host",
        )
    if isinstance(e, (wrong.ConnectTimeout, wrong.ProxyError)) or _never_sent(e):
        return Unavailable(
            f"cannot connect ({_root(e)})",
            act=request.act,
            system=target.name,
            hint=f"is {base} right and reachable?",
        )
    return _lost(target, request, e, over)


def _lost(target: Target, request: Request, e: Exception | None, over: bool) -> Exception:
    """No whole answer: nothing is lost of a read, and of a write nobody knows."""
    kind = Unavailable if request.reading else AnswerLost
    what = f"no whole answer in {request.seconds:.0f} s" if over or e is None else f"no answer ({_root(e)})"
    return kind(
        what,
        act=request.act,
        system=target.name,
        hint="" if request.reading else "the write may have happened: run again to see",
    )


def _root(error: BaseException) -> str:
    """The innermost reason, in a few words."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or (
            reason.args[0] if getattr(reason, "args", None) and isinstance(reason.args[0], BaseException) else None
        )
        if not isinstance(inner, BaseException):
            break
        reason = inner
    text = (
        str(reason.args[-1] if getattr(reason, "args", None) and isinstance(reason.args[-1], str) else reason)
        or type(reason).__name__
    )
    return text.split(" (Caused by")[0].rpartition(">: ")[2] or type(reason).__name__


def _never_sent(error: requests.exceptions.RequestException) -> bool:
    """Whether the connection was not even made, so that nothing can have happened."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError) or isinstance(cause, NewConnectionError)
