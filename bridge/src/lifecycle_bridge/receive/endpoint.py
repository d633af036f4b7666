# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Receives HR's requests: ``POST`` and ``OPTIONS /hr/<source>``.

A request is read within limits of size and time, proven, read for ids, stored, and then answered. Nothing of a body or a header is logged or
returned. A refusal has the same words whatever its reason was.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import ConfigError, Forged, Malformed, Unreachable
from lifecycle_bridge.events import Event, Raw
from lifecycle_bridge.receive import SCHEMES, Received, Unsupported, check, receive
from lifecycle_bridge.receive.limits import Limits

log = logging.getLogger("lifecycle_bridge.endpoint")

#: Forged requests of one address in a minute that are answered with 401; further ones are answered "too many".
FORGED_PER_MINUTE = 120
_WORDS = {
    400: "not understood",
    401: "not accepted",
    404: "not found",
    405: "not allowed",
    408: "too slow",
    413: "too large",
    415: "not understood",
    429: "too many, come later",
    500: "trouble here, come later",
    503: "trouble here, come later",
}


class Puts(Protocol):
    """Stores events: :class:`lifecycle_bridge.store.inbox.Inbox`."""

    async def put(self, events: list[Event]) -> list[Event]: ...


@dataclass(frozen=True)
class Passed:
    """An answered request, for metrics. ``outcome`` is one of a few words."""

    source: str
    outcome: str
    status: int
    seconds: float
    new: int = 0
    known: int = 0


@dataclass(frozen=True)
class _Verdict:
    status: int
    outcome: str
    headers: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    new: int = 0
    known: int = 0


class _TooLarge(Exception):
    """The body is longer than this source may send."""


class Endpoint:
    """Receives HR's requests.

    :param sources: of the configuration; those without a scheme have no address here.
    :param body_seconds: how long a body may take to arrive.
    :param seen: called after each answer.
    :raises ConfigError: a source is configured so that its requests cannot be proven.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        inbox: Puts,
        *,
        body_seconds: float = 10,
        seen: Callable[[Passed], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        wrong = [words for name, source in sources.items() for words in check(name, source)]
        if wrong:
            raise ConfigError("\n".join(wrong))
        self._sources = {name: source for name, source in sources.items() if source.scheme}
        self._inbox = inbox
        self._body_seconds = body_seconds
        self._seen = seen
        self._limits = Limits(monotonic)

    def routes(self) -> list[Route]:
        return [Route("/hr/{source}", self.answer, methods=["POST", "OPTIONS"])]

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        started = time.perf_counter()
        name = request.path_params["source"]
        source = self._sources.get(name)
        if source is None:
            return _response(_Verdict(404, "unknown"))
        length = 0
        try:
            raw = await self._raw(request, name, source)
            length = len(raw.body)
            verdict = await self._judged(raw, name, source, _host(request))
        except _Refused as refused:
            verdict = refused.verdict
        except Exception as failure:  # noqa: BLE001 - a fault of ours must lose no event; its text may hold a part of the body, so only its kind is logged
            place = failure.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else "?"
            verdict = _Verdict(500, "fault", why=f"{type(failure).__name__} at {where}")
        self._report(name, verdict, length, time.perf_counter() - started)
        return _response(verdict)

    async def _raw(self, request: Request, name: str, source: Source) -> Raw:
        scheme = SCHEMES[source.scheme]
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _body(request, source.max_bytes)
        except TimeoutError:
            # 408 is a 4xx: a vendor that never repeats after a 4xx gets its status for "busy"
            raise _Refused(
                _Verdict(
                    408 if scheme.busy == 429 else scheme.busy, "slow", {"Connection": "close", "Retry-After": "10"}
                )
            ) from None
        except _TooLarge:
            raise _Refused(
                _Verdict(413, "large", {"Connection": "close"}, f"more than {source.max_bytes} bytes")
            ) from None
        except ClientDisconnect:
            raise _Refused(_Verdict(400, "gone")) from None
        return Raw(request.method, request.url.path, _headers(request), body, clock.now())

    async def _judged(self, raw: Raw, name: str, source: Source, host: str) -> _Verdict:
        scheme = SCHEMES[source.scheme]
        try:
            received = receive(raw, name, source, raw.received_at)
        except Forged as failure:
            # Several senders may share an address (a proxy, a vendor's cloud): a genuine request is never refused because of forged ones.
            seconds = self._limits.take((name, host), FORGED_PER_MINUTE)
            if seconds:
                return _Verdict(scheme.busy, "limited", {"Retry-After": str(seconds)}, "too many forgeries from here")
            return _Verdict(401, "forged", why=str(failure))
        except Unsupported as failure:
            return _Verdict(415 if scheme.unreadable == 400 else scheme.unreadable, "unreadable", why=str(failure))
        except Malformed as failure:
            return _Verdict(scheme.unreadable, "unreadable", why=str(failure))
        except ConfigError as failure:
            return _Verdict(503, "unready", {"Retry-After": "60"}, str(failure))
        if received.token:
            return _handed_over(received, source)
        if not received.events:
            outcome = "nothing" if received.ignored or received.answer.status >= 400 else "greeting"
            return _Verdict(received.answer.status, outcome, received.answer.headers)
        seconds = self._limits.take(name, source.per_minute)
        if seconds:
            return _Verdict(
                scheme.busy, "limited", {"Retry-After": str(seconds)}, f"more than {source.per_minute} in a minute"
            )
        try:
            new = await self._inbox.put(list(received.events))
        except Unreachable as failure:
            return _Verdict(503, "unready", {"Retry-After": "30"}, str(failure))
        known = len(received.events) - len(new)
        return _Verdict(
            received.answer.status, "received" if new else "known", received.answer.headers, new=len(new), known=known
        )

    def _report(self, name: str, verdict: _Verdict, length: int, seconds: float) -> None:
        level = logging.INFO if verdict.status < 400 else logging.ERROR if verdict.status >= 500 else logging.WARNING
        facts = {
            "source": name,
            "outcome": verdict.outcome,
            "status": verdict.status,
            "bytes": length,
            "new": verdict.new,
            "known": verdict.known,
            "ms": round(seconds * 1000, 1),
        }
        log.log(level, "hr %s: %s%s", name, verdict.outcome, f" ({verdict.why})" if verdict.why else "", extra=facts)
        if self._seen is not None:
            self._seen(Passed(name, verdict.outcome, verdict.status, seconds, verdict.new, verdict.known))


class _Refused(Exception):
    def __init__(self, verdict: _Verdict) -> None:
        super().__init__(verdict.outcome)
        self.verdict = verdict


async def _body(request: Request, most: int) -> bytes:
    said = request.headers.get("content-length", "0")
    if len(said) > 15 or (said.isdecimal() and int(said) > most):
        raise _TooLarge
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most:
            raise _TooLarge
        body += chunk
    return bytes(body)


def _headers(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _handed_over(received: Received, source: Source) -> _Verdict:
    """Keep a token that the vendor sends once, in a file for a person to read."""
    path = source.options.get("handshake")
    if not path:
        return _Verdict(401, "forged", why="a token was handed over, and options.handshake names no file for it")
    if len(received.token) > 512:
        return _Verdict(401, "forged", why="a token that is too long")
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _Verdict(
            200, "greeting", why=f"another token was handed over; {path} is kept as it is: remove it to take a new one"
        )
    except OSError as failure:
        return _Verdict(503, "unready", {"Retry-After": "60"}, f"keep the vendor's token in {path}: {failure.strerror}")
    with os.fdopen(place, "w", encoding="utf-8") as file:
        file.write(received.token + "\n")
    return _Verdict(
        200,
        "greeting",
        why=f"the vendor's token is in {path}: confirm it there, then name the file as this source's secret",
    )


def _response(verdict: _Verdict) -> Response:
    headers = {**verdict.headers, "Cache-Control": "no-store"}
    if verdict.status < 300:
        return JSONResponse({"status": "received" if verdict.new or verdict.known else "ok"}, verdict.status, headers)
    return JSONResponse({"error": _WORDS.get(verdict.status, "not accepted")}, verdict.status, headers)
