# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends every HTTP request of this collection.

It builds addresses of quoted segments (``address``); keeps one pool of connections for each system and process, and
limits time and bytes (``wire``); retries by method and by the vendor's policy; limits the rate; uses a proxy and a
private certificate authority; refuses writes in check mode; and follows pages, until a page token that does not advance
or a list without an end. Connectors on a vendor's own library (boto3, ldap3, imaplib) call ``Target.writing`` before a
write instead.
"""

from __future__ import annotations

import base64
import json as jsonlib
import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from ..model.errors import (
    AnswerLost,
    AuthenticationFailed,
    CertificateError,
    Conflict,
    InputError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Rejected,
    SystemError_,
    Throttled,
    Unavailable,
)
from .address import UrlPath, literal, refuse_plain, same_host
from .allowance import CALL_TIMEOUTS, FILE_SECONDS, Pages
from .answer import Answer, Unreadable, json_message, parsed_json, retry_after, standard_throttle
from .target import Target
from .wire import MOST_BYTES, MOST_BYTES_OF_A_FILE, Raw, Request, address_of, exchange

__all__ = [
    "Answer",
    "Auth",
    "Policy",
    "StaticAuth",
    "TokenAuth",
    "Transport",
    "bearer",
    "json_message",
    "retry_after",
    "standard_throttle",
]

READS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Methods that have the same effect when a request is sent twice (RFC 9110, 9.2.2).
IDEMPOTENT = READS | {"PUT", "DELETE"}
#: The statuses of a server or gateway that did not do the work, or perhaps did not.
TROUBLE = frozenset({500, 502, 503, 504})
#: The characters that a header may hold (RFC 9110, 5.5) and Python can send.
_HEADER = re.compile(r"[\x20-\x7e\xa0-\xff]*")
#: RFC 9110's words for a status, for an answer without an error text.
_PHRASES: Mapping[int, str] = {one.value: one.phrase for one in HTTPStatus}
USER_AGENT = "workforce.lifecycle/0.1"


class Auth(Protocol):
    """Adds a credential to a request."""

    def headers(self) -> Mapping[str, str]: ...

    def refused(self) -> bool:
        """Note a 401, and return whether a new credential can be tried."""


@runtime_checkable
class SigningAuth(Auth, Protocol):
    """Signs each request by its content."""

    def signed(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """Return the headers of one request, which are the signature of it as it is sent."""


@dataclass(frozen=True)
class StaticAuth:
    """Adds a header that does not change: an API key, a personal token."""

    header: Mapping[str, str] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return self.header

    def refused(self) -> bool:
        return False


def bearer(token: str) -> StaticAuth:
    return StaticAuth({"Authorization": f"Bearer {token}"})


def basic(user: str, password: str) -> StaticAuth:
    """Return the header of a user's name and password (RFC 7617)."""
    return StaticAuth({"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()})


@dataclass(frozen=True)
class TokenAuth:
    """Adds a bearer token that is fetched once a run and, when the system refuses it, once more."""

    target: Target
    key: str
    fetch: Callable[[], tuple[str, float]] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.target.tokens.get(self.key, self.fetch)}"}

    def refused(self) -> bool:
        self.target.tokens.forget(self.key)
        return True


@dataclass(frozen=True)
class Policy:
    """How to read one vendor's refusals.

    :param throttled: returns the seconds to wait when the answer asks for fewer requests, else None.
    :param failure: returns the error text when the body reports a failure although the status does not (Slack), else
        empty.
    :param message: returns the error text of a refused request.
    :param rate: the requests a second that we send at most.
    :param rate_on: the domain of the vendor's cloud, where only its own hosts have this rate.
    :param attempts: how often a request is sent at most, when it fails in a way that may pass.
    :param permission_hint: what to do about a 403.
    :param most_bytes: the bytes that an answer may have, for a vendor without pages.
    """

    throttled: Callable[[Answer], float | None] = standard_throttle
    failure: Callable[[Answer], str] = lambda answer: ""
    message: Callable[[Answer], str] = json_message
    rate: float | None = None
    rate_on: str = ""
    attempts: int = 4
    permission_hint: str = "grant the credential the permission"
    most_bytes: int = MOST_BYTES
    headers: Mapping[str, str] = field(default_factory=dict)


#: The error for a status, where the status alone decides.
_ERRORS: Mapping[int, type[SystemError_]] = {
    **dict.fromkeys((404, 410), NotFound),
    **dict.fromkeys((409, 412, 423), Conflict),
    **dict.fromkeys((400, 405, 413, 415, 422, 501), Rejected),
}


class Transport:
    """Sends requests to one system.

    :param target: the system.
    :param auth: adds the credential.
    :param policy: how to read the vendor's refusals.
    :param url: the base address, when it is not the target's own.
    :raises InputError: the address is not encrypted and not this machine's.
    """

    def __init__(self, target: Target, auth: Auth, policy: Policy = Policy(), *, url: str = "") -> None:
        self.target, self.auth, self.policy = target, auth, policy
        self.url = (url or target.url).rstrip("/")
        if self.url.startswith("http://"):
            refuse_plain(self.url, act="connect", system=target.name)

    def get(
        self, path: str, *, act: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the JSON at ``path``, or None when the system answers 404."""
        answer = self.send("GET", path, act=act, params=params, headers=headers, missing=(404,))
        return None if answer.status == 404 else answer.body

    def send(
        self,
        method: str,
        path: str,
        *,
        act: str,
        json: Any = None,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        missing: Collection[int] = (),
        reads: bool = False,
        retry_safe: bool | None = None,
        raw: bool = False,
    ) -> Answer:
        """Send one request and return the answer when it is a success.

        :param act: what we are doing, for the error message: ``revoke sessions of ann@x``.
        :param missing: statuses that are an answer and no error (404 for "already gone"); the caller reads ``status``.
        :param reads: this POST only reads (a search), so that it may be sent in check mode, and again after a failure.
        :param retry_safe: the request has the same effect when it is sent twice; by default, the method decides.
        :param raw: the answer is not JSON (a file).
        :raises SystemError_: one of its subclasses, by what happened; see ``errors``.
        """
        reading = reads or method in READS
        if not reading:
            self.target.writing(act)
        safe = retry_safe if retry_safe is not None else (reading or method in IDEMPOTENT)
        request = Request(
            method=method,
            url=self._address(path, act),
            body=jsonlib.dumps(json).encode() if json is not None else data,
            params=params,
            headers={**({"Content-Type": "application/json"} if json is not None else {}), **(headers or {})},
            act=act,
            reading=reading,
            seconds=FILE_SECONDS if raw else self.target.timeout * CALL_TIMEOUTS,
            most_bytes=MOST_BYTES_OF_A_FILE if raw else self.policy.most_bytes,
        )
        return self._repeated(request, safe=safe, raw=raw, missing=missing)

    def _repeated(self, request: Request, *, safe: bool, raw: bool, missing: Collection[int]) -> Answer:
        """Send a request, again after a failure, a throttle or a refused token as far as the limits allow; judge the
        last answer."""
        patience = _Patience(self.policy.attempts - 1, self.target.max_wait)
        fresh_credential_tried = False
        ends = time.monotonic() + request.seconds
        while True:
            ends += self._await_turn()
            try:
                answer = self._once(request, ends, raw)
            except (Unavailable, AnswerLost) as trouble:
                if isinstance(trouble, CertificateError) or (isinstance(trouble, AnswerLost) and not safe):
                    raise
                if time.monotonic() >= ends or not patience.tries_again():
                    raise
                continue
            pause = self.policy.throttled(answer)
            if pause is not None:
                before = time.monotonic()
                if patience.waits(pause):
                    ends += time.monotonic() - before  # a wait that the system asked for does not count
                    continue
            elif answer.status in TROUBLE and safe and time.monotonic() < ends and patience.tries_again():
                continue
            if answer.status == 401 and 401 not in missing and not fresh_credential_tried and self.auth.refused():
                fresh_credential_tried = True
                continue
            return self._judged(answer, request.act, missing, throttled_for=pause, reading=request.reading)

    def pages(
        self,
        path: str,
        *,
        act: str,
        next_page: Callable[[Answer], str | Mapping[str, Any] | None],
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        """Yield every page, following what ``next_page`` finds in the answer: an address, or the parameters of the next request.

        :raises ProtocolError: the next page was read already, is equal to the page before, is on another host, or there
            are too many.
        """
        turned = Pages(act, self.target.name)
        here: tuple[str, Mapping[str, Any] | None] = (path, params)
        while True:
            turned.turn(repr(here))
            answer = self.send("GET", here[0], act=act, params=here[1], headers=headers)
            turned.read(answer.body)
            yield answer
            following = next_page(answer)
            if not following:
                return
            # The system wrote the link to the page: our credential must not go to another host with it.
            here = (
                (same_host(self.url, following, act=act, system=self.target.name), None)
                if isinstance(following, str)
                else (path, {**(params or {}), **following})
            )

    def link(self, path: UrlPath, params: Mapping[str, object] | None = None) -> str:
        """Return the whole address of a path on this system, for a request's body (OData's ``@odata.id``) or for a
        person to read."""
        return self.url + path.asking(params or {})

    def _address(self, path: str, act: str) -> str:
        """Return the whole address of a path, or of a link that the system itself gave."""
        if path.startswith(("https://", "http://")):
            return same_host(self.url, path, act=act, system=self.target.name)
        return self.url + literal(path)

    def _await_turn(self) -> float:
        """Wait for this request's turn, where the vendor names a rate; return the seconds that it took."""
        rate = self.policy.rate
        if not rate or not _ends_in(self.url, self.policy.rate_on):
            return 0.0
        wait = self.target.pace.turn(f"{self.target.name} {self.url}", 1.0 / rate)
        if wait > 0:
            time.sleep(wait)
        return wait

    def _once(self, request: Request, ends: float, raw: bool) -> Answer:
        left = max(0.5, min(ends, self.target.until) - time.monotonic())
        if time.monotonic() >= self.target.until:
            raise Unavailable(
                "not sent: the time of this step is over",
                act=request.act,
                system=self.target.name,
                hint="run again; raise deadline of the system if it needs longer",
            )
        base = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            **self.policy.headers,
            **self.auth.headers(),
        }
        headers = {**base, **request.headers}
        if isinstance(self.auth, SigningAuth):
            # The signature is of the request as it is sent: the address with its query, and the body's bytes.
            request = replace(request, url=address_of(request), params=None)
            sent = request.body if isinstance(request.body, bytes) else b""
            headers |= self.auth.signed(request.method, request.url, sent)
        for name, value in headers.items():
            if not _HEADER.fullmatch(value):
                raise InputError(
                    f"header {name} would hold a character that no header has",
                    act=request.act,
                    system=self.target.name,
                    hint="nothing was sent: look at the credential, or at the login that HR or the system gives",
                )
        came = exchange(self.target, self.url, replace(request, seconds=left, headers=headers))
        return Answer(came.status, came.headers, None if raw else self._parsed(came, request), came.content)

    def _parsed(self, came: Raw, request: Request) -> Any:
        """Return the JSON of an answer; None when it has none.

        :raises ProtocolError: it says that it did what was asked, in something else than whole JSON.
        :raises AnswerLost: the same of a write, which may have happened.
        """
        act, wrong = request.act, ProtocolError if request.reading or came.status >= 400 else AnswerLost
        media = came.headers.get("Content-Type", "")
        if not came.content:
            return None
        if "json" in media or came.content[:1] in b"{[":
            try:
                return parsed_json(came.content)
            except Unreadable as e:
                raise wrong(str(e), act=act, system=self.target.name, hint="it was not read") from None
            except ValueError:
                if came.status < 400:
                    raise wrong(
                        "its answer is not whole JSON",
                        act=act,
                        system=self.target.name,
                        hint="run again; if it stays, look at proxies in between",
                    ) from None
        elif came.status < 400 and "html" in media:
            raise wrong(
                "it answers a web page (HTML), not its API",
                act=act,
                system=self.target.name,
                hint=f"is url {self.url} the API's address, or is a sign-in page or proxy in between?",
            )
        elif request.reading and came.status < 300 and came.content.strip():
            # Taken for no body, it would say that nobody and nothing is there.
            raise ProtocolError(
                "its answer is not JSON",
                act=act,
                system=self.target.name,
                hint=f"is url {self.url} the API's address, or does a proxy in between answer?",
            )
        return None

    def _judged(
        self, answer: Answer, act: str, missing: Collection[int], *, throttled_for: float | None, reading: bool
    ) -> Answer:
        status, name = answer.status, self.target.name
        if status in missing:
            return answer
        if 200 <= status < 300:
            said = self.policy.failure(answer)
            if said:
                raise Rejected(said, act=act, system=name, status=status)
            return answer
        if (
            answer.body is None
            and "html" in answer.headers.get("Content-Type", "")
            and status < 500
            and status not in (401, 403, 404)
        ):
            said = "a web page (HTML)"
        else:
            said = self.policy.message(answer) or _PHRASES.get(status, "")
        error, hint = self._error_of(answer, throttled_for=throttled_for, reading=reading)
        raise error(f"{status} {said}".strip(), act=act, system=name, hint=hint, status=status)

    def _error_of(
        self, answer: Answer, *, throttled_for: float | None, reading: bool
    ) -> tuple[type[SystemError_], str]:
        """Return the error for a refusal, and the hint what to do."""
        status, name = answer.status, self.target.name
        if throttled_for is not None:
            wait = f"it asks to wait {throttled_for:.0f} s; run again then, or raise max_wait of the system"
            return Throttled, wait
        if 300 <= status < 400:
            place = answer.headers.get("Location", "?").split("?")[0]
            return ProtocolError, f"it redirects to {place}: is url {self.url} the API's address?"
        if status == 401:
            return AuthenticationFailed, f"check the credentials of {name}: wrong, expired or revoked"
        if status == 403:
            return PermissionDenied, self.policy.permission_hint
        if status >= 500 and status != 501:
            # After a gateway's 5xx, the system behind it may have done the write.
            return (
                (Unavailable, "it fails on its side: run again later")
                if reading
                else (AnswerLost, "the write may have happened: run again to see")
            )
        return _ERRORS.get(status, SystemError_), ""


def _ends_in(url: str, domain: str) -> bool:
    """Return whether an address belongs to a domain; with an empty domain, each does."""
    host = urlsplit(url).hostname or ""
    return not domain or host == domain or host.endswith(f".{domain}")


class _Patience:
    """Counts how often and how long one request is tried again."""

    def __init__(self, tries: int, max_wait: float) -> None:
        self._tries, self._left, self._failed, self._asked = tries, max_wait, 0, 0

    def tries_again(self) -> bool:
        """Wait a moment after a failure and return True; return False when it was tried often enough."""
        if self._failed >= self._tries:
            return False
        self._failed += 1
        time.sleep(self._backoff(self._failed))
        return True

    def waits(self, asked: float) -> bool:
        """Wait as long as the system asks, and return True; return False when the waits would exceed ``max_wait`` in
        all."""
        self._asked += 1
        pause = asked if asked > 0 else self._backoff(self._asked)
        if pause > self._left:
            return False
        self._left -= pause
        time.sleep(pause)
        return True

    def _backoff(self, time_: int) -> float:
        longest = min(8.0, 0.25 * 2.0 ** min(time_, 6))
        return longest * random.uniform(0.5, 1.0)
