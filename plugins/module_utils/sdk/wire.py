# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes one HTTP exchange with limits: of its seconds in all, of its bytes after decompression; it follows no redirect.

A socket's timeout limits only the time between two bytes, and a system may send one byte a second without end. So a
timer ends the connection when the time of the exchange is over. It uses urllib3 without requests: requests would make
an exchange half as expensive again, and its documentation does not say that threads may share a session.
"""

from __future__ import annotations

import io
import math
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass  # noqa: TID251 - they read the environment, and send nothing

try:
    import urllib3
    from urllib3 import exceptions as wrong
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
except ImportError:
    # The collection must be readable (documentation, tests) without it; a run gets the error in `_manager`.
    urllib3 = None  # type: ignore[assignment]
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]

from ..model.errors import (
    AnswerLost,
    CertificateError,
    InputError,
    ProtocolError,
    Unavailable,
)
from .target import Target

#: The bytes of one answer, after decompression. Nearly every vendor has pages for more; a vendor without pages has
#: another limit (``most_bytes`` of its ``Policy``). As text and values, an answer may need several times as much
#: memory.
MOST_BYTES = 16 * 1024 * 1024
#: The bytes of one file: the largest message that Exchange accepts has 150 MB.
MOST_BYTES_OF_A_FILE = 512 * 1024 * 1024
#: How many bytes are read at once: a compressed chunk can become a thousand times as long.
_CHUNK = 16 * 1024
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True)
class Raw:
    """An answer before it is parsed."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Request:
    """One request to send.

    :param seconds: the time it may take in all.
    :param most_bytes: the bytes that its answer may have.
    :param reading: it changes nothing on the system, so that it does no harm when the answer is lost.
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
    """The exchange of this thread."""

    def __init__(self) -> None:
        self.current: Exchange | None = None


_WATCH = _Watch()


class Exchange:
    """One exchange with a server: the sockets that it uses, and the moment (of ``time.monotonic``) at which its time is over.

    ``over``: the time has ended, and so have the connections.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self.ends = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Exchange:
        _WATCH.current = self
        _Watchdog.of_process().watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        _Watchdog.of_process().leave(self)
        _WATCH.current = None

    def talks_over(self, sock: socket.socket | None) -> None:
        """End this connection too when the time is over."""
        with self._lock:
            if sock is not None and sock not in self._sockets:
                self._sockets.append(sock)
            if self.over:
                self._shut()

    def end(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Watchdog:
    """Ends the exchanges whose time is over: one thread a process, started with the first exchange.

    A timer for each exchange would be a thread for each, which would cost more than the rest of our own work on a
    request.
    """

    _made: _Watchdog | None = None
    _making = threading.Lock()

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: set[Exchange] = set()
        self._wakes = math.inf
        threading.Thread(target=self._run, name="exchange watchdog", daemon=True).start()

    @classmethod
    def of_process(cls) -> _Watchdog:
        with cls._making:
            if cls._made is None:
                cls._made = cls()
            return cls._made

    @classmethod
    def forget(cls) -> None:
        """Forget the thread in a process that was just forked: only the parent has it."""
        cls._made, cls._making = None, threading.Lock()

    def watch(self, exchange: Exchange) -> None:
        with self._changed:
            self._watched.add(exchange)
            if exchange.ends < self._wakes:
                self._changed.notify()

    def leave(self, exchange: Exchange) -> None:
        with self._changed:
            self._watched.discard(exchange)

    def _run(self) -> None:
        with self._changed:
            while True:
                self._wakes = min((exchange.ends for exchange in self._watched), default=math.inf)
                left = self._wakes - time.monotonic()
                if left > 0:
                    self._changed.wait(None if left == math.inf else left)
                    continue
                for exchange in [one for one in self._watched if one.ends <= self._wakes]:
                    self._watched.discard(exchange)
                    exchange.end()


os.register_at_fork(after_in_child=_Watchdog.forget)


class _Seen:
    """A connection that reports the socket that it uses."""

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


#: How many connections a pool keeps. It never gives one connection to two threads (urllib3.readthedocs.io, "Thread
#: safety").
_KEPT = 32
#: By process, system, authority, proxy and address. Ansible forks a worker for each task, and a pool must not be used
#: after a fork.
_MANAGERS: dict[tuple[int, str, str, str, str], urllib3.PoolManager] = {}
_MAKING = threading.Lock()


def _manager(target: Target, base: str) -> urllib3.PoolManager:
    key = (os.getpid(), target.name, target.ca_file, target.proxy, base)
    manager = _MANAGERS.get(key)
    if manager is None:
        manager = _made(target.ca_file, target.proxy or _environment_proxy(base))
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        with _MAKING:
            manager = _MANAGERS.setdefault(key, manager)
    return manager


os.register_at_fork(after_in_child=_MANAGERS.clear)


def _made(ca_file: str, proxy: str) -> urllib3.PoolManager:
    trusts = trust(ca_file)
    if not proxy:
        return urllib3.PoolManager(maxsize=_KEPT, ssl_context=trusts)
    through = urllib3.util.parse_url(proxy)
    return urllib3.ProxyManager(
        urllib3.util.Url(through.scheme or "http", None, through.host, through.port).url,
        proxy_headers=urllib3.make_headers(proxy_basic_auth=unquote(through.auth)) if through.auth else None,
        maxsize=_KEPT,
        ssl_context=trusts,
    )


#: By file and modification time.
_TRUSTED: dict[tuple[str, int], ssl.SSLContext] = {}


def trust(ca_file: str) -> ssl.SSLContext:
    """Return the TLS context with the trusted certificate authorities, one for all connections.

    Before Ansible forks, it is read once for all workers: to read the public authorities takes some 20 ms.

    :param ca_file: a file or a folder of authorities; empty for the public ones.
    :raises InputError: there is no urllib3, or the file can't be read or holds no authorities.
    """
    if urllib3 is None:
        raise InputError(
            "the Python library urllib3 is not installed",
            act="connect",
            hint="pip install -r requirements.txt, where the step runs",
        )
    trusted = ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or _everybodys_authorities()
    hint = "set ca_file of the system, or REQUESTS_CA_BUNDLE, to your certificate authorities, on the machine where the step runs"
    try:
        key = (trusted, os.stat(trusted).st_mtime_ns)
        if key not in _TRUSTED:
            made = urllib3.util.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
            made.load_verify_locations(**{"capath" if os.path.isdir(trusted) else "cafile": trusted})
            _TRUSTED[key] = made
        return _TRUSTED[key]
    except ssl.SSLError:
        raise InputError(f"{trusted} holds no certificate authorities (PEM)", act="connect", hint=hint) from None
    except OSError as e:
        raise InputError(f"{trusted} can't be read ({e.strerror})", act="connect", hint=hint) from None


def _everybodys_authorities() -> str:
    import certifi

    return certifi.where()


def _environment_proxy(base: str) -> str:
    """Return the environment's proxy for this address (HTTPS_PROXY, ALL_PROXY); empty when NO_PROXY has the host or its
    network."""
    parts = urlsplit(base)
    host, proxies = parts.hostname or "", getproxies()
    if proxy_bypass(host) or _in_networks(host, proxies.get("no", "")):
        return ""
    return proxies.get(parts.scheme) or proxies.get("all") or ""


def _in_networks(host: str, listed: str) -> bool:
    for network in (one.strip() for one in listed.split(",") if "/" in one):
        with suppress(ValueError):
            if ip_address(host) in ip_network(network, strict=False):
                return True
    return False


def exchange(target: Target, base: str, request: Request) -> Raw:
    """Send one request and read its whole answer.

    :param base: the system's address.
    :raises Unavailable: nothing was sent, or a read got no answer.
    :raises AnswerLost: a write was sent, and its whole answer did not arrive.
    :raises ProtocolError: the answer is too long, or compressed in a way that we did not ask for.
    """
    manager = _manager(target, base)
    body, headers = _encoded(request)
    seconds = min(target.timeout, request.seconds)
    with Exchange(request.seconds) as watch:
        try:
            response = manager.request(
                request.method,
                address_of(request),
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=seconds, read=seconds),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                content = _read(target, request, response)
            except BaseException:
                response.close()  # else the next exchange would read the rest of this answer
                raise
            response.release_conn()
        except wrong.HTTPError as e:
            raise _trouble(target, base, request, e, watch.over) from None
        except (OSError, ValueError, AttributeError) as e:
            # urllib3 and http.client raise these when the watchdog ends their connection.
            if not watch.over:
                raise
            raise _lost(target, request, e, watch.over) from None
        if watch.over:  # an answer without a length ends where the connection does
            raise _lost(target, request, None, over=True)
    return Raw(response.status, response.headers, content)


def address_of(request: Request) -> str:
    """Return the address of a request, with its query."""
    if not request.params:
        return request.url
    pairs = {name: value for name, value in request.params.items() if value is not None}
    asked = urlencode(pairs, doseq=True)
    return f"{request.url}{'&' if '?' in request.url else '?'}{asked}" if asked else request.url


def _encoded(request: Request) -> tuple[Any, dict[str, str]]:
    """Return the body as bytes, and the headers. A mapping or a text is sent as a form."""
    headers = {"Accept-Encoding": "gzip, deflate", **request.headers}
    body = request.body
    if isinstance(body, Mapping):
        body = urlencode({name: value for name, value in body.items() if value is not None}, doseq=True)
    if isinstance(body, str):
        body = body.encode()
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
    return body, headers


def _read(target: Target, request: Request, response: urllib3.BaseHTTPResponse) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise ProtocolError(
            f"its answer is encoded as {encoding[:40]!r}, which nobody asked for", act=request.act, system=target.name
        )
    length = response.headers.get("Content-Length", "")
    came = io.BytesIO()  # getvalue() makes no further copy of the bytes
    too_long = ProtocolError(
        f"its answer is longer than {request.most_bytes:,} bytes",
        act=request.act,
        system=target.name,
        hint="the rest was not read",
    )
    if length.isdigit() and len(length) < 20 and int(length) > request.most_bytes:
        raise too_long
    for chunk in response.stream(_CHUNK, decode_content=True):
        if came.tell() + len(chunk) > request.most_bytes:
            raise too_long
        came.write(chunk)
    return came.getvalue()


def _trouble(target: Target, base: str, request: Request, e: wrong.HTTPError, over: bool) -> Exception:
    """Return our error for one of urllib3's."""
    if isinstance(e, wrong.SSLError) and not over:
        return CertificateError.untrusted(_root(e), act=request.act, system=target.name)
    if isinstance(e, wrong.LocationValueError):
        return InputError(
            f"{request.url.split('?')[0]} is not an address ({_root(e)})",
            act=request.act,
            system=target.name,
            hint="set url of the system: https://host",
        )
    if isinstance(e, (wrong.ConnectTimeoutError, wrong.ProxyError)):  # the connection was not even made
        return Unavailable(
            f"cannot connect ({_root(e)})",
            act=request.act,
            system=target.name,
            hint=f"is {base} right and reachable?",
        )
    return _lost(target, request, e, over)


def _lost(target: Target, request: Request, e: Exception | None, over: bool) -> Exception:
    """Return the error when the whole answer did not arrive: a read changed nothing; what a write did is not known."""
    kind = Unavailable if request.reading else AnswerLost
    what = f"no whole answer in {request.seconds:.0f} s" if over or e is None else f"no answer ({_root(e)})"
    return kind(
        what,
        act=request.act,
        system=target.name,
        hint="" if request.reading else "the write may have happened: run again to see",
    )


def _root(error: BaseException) -> str:
    """Return the innermost reason of an error, in a few words."""
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
