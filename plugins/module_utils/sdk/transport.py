# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The only place where an HTTP byte leaves this collection.

One pooled session a system and process; retries by method and by the vendor's policy; client-side rate limit; timeouts;
proxy and private certificate authority; the switch that refuses writes in check mode; paging that notices a page token
that stands still. Connectors on a vendor's own library (boto3, ldap3, imaplib) ask ``Target.writing`` instead.
"""

from __future__ import annotations

import json as jsonlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

try:
    import requests
    from requests.utils import get_environ_proxies
    from urllib3.exceptions import InvalidHeader, NewConnectionError
    from urllib3.util import Retry
except ImportError:
    # The collection must be readable (documentation, tests) without it; whoever runs a step is told in `_session`.
    requests = None  # type: ignore[assignment]

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
from .target import Target

READS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Repeating these does no more than doing them once (RFC 9110, 9.2.2).
IDEMPOTENT = READS | {"PUT", "DELETE"}
#: Answers of a server or gateway that did not do the work, or may not have.
TROUBLE = frozenset({500, 502, 503, 504})
USER_AGENT = "workforce.lifecycle/0.1"


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` is the parsed JSON, or None when there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any
    content: bytes = b""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class Auth(Protocol):
    """Puts a credential on a request."""

    def headers(self) -> Mapping[str, str]: ...

    def refused(self) -> bool:
        """The system answered 401. True when a fresh credential can be tried."""


@dataclass(frozen=True)
class StaticAuth:
    """A header that does not change: an API key, a personal token."""

    header: Mapping[str, str] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return self.header

    def refused(self) -> bool:
        return False


def bearer(token: str) -> StaticAuth:
    return StaticAuth({"Authorization": f"Bearer {token}"})


@dataclass(frozen=True)
class TokenAuth:
    """A bearer token that is fetched once a run and, when refused, once more."""

    target: Target
    key: str
    fetch: Callable[[], tuple[str, float]] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.target.tokens.get(self.key, self.fetch)}"}

    def refused(self) -> bool:
        self.target.tokens.forget(self.key)
        return True


def json_message(answer: Answer) -> str:
    """The error text of the usual JSON error bodies: OAuth, Graph, SCIM, GitHub, and plain ``message``."""
    body = answer.body
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict):
        inner = body.get("error")
        if isinstance(inner, dict):
            return ": ".join(str(inner[k]) for k in ("code", "message") if inner.get(k))
        parts = [str(body[k]) for k in ("error", "scimType", "message", "error_description", "detail") if body.get(k)]
        details = body.get("errors")
        if isinstance(details, list) and details:
            parts.append(
                str(
                    details[0]
                    if not isinstance(details[0], dict)
                    else next((details[0][k] for k in ("message", "code", "reason") if details[0].get(k)), details[0])
                )
            )
        return ": ".join(parts)
    return ""


def retry_after(answer: Answer) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (a number or a date), None without one."""
    text = answer.headers.get("Retry-After")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        try:
            return Retry().parse_retry_after(text)
        except (ValueError, InvalidHeader):
            return None


def standard_throttle(answer: Answer) -> float | None:
    """429, and 503 that names a time: the seconds to wait (1 when it names none), else None."""
    if answer.status == 429:
        return retry_after(answer) or 1.0
    if answer.status == 503:
        return retry_after(answer)
    return None


@dataclass(frozen=True)
class Policy:
    """How one vendor says no.

    ``throttled``: seconds to wait when the answer is a throttle, else None. ``failure``: the error text when the body says
    failure although the status does not (Slack), else empty. ``message``: the error text of a refused call. ``rate``:
    requests a second we allow ourselves. ``permission_hint``: what to do about a 403.
    """

    throttled: Callable[[Answer], float | None] = standard_throttle
    failure: Callable[[Answer], str] = lambda answer: ""
    message: Callable[[Answer], str] = json_message
    rate: float | None = None
    attempts: int = 4
    permission_hint: str = "grant the credential the permission"
    headers: Mapping[str, str] = field(default_factory=dict)


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
        _SESSIONS[key] = session
    return session


class Transport:
    """Sends requests to one system.

    :param target: the system.
    :param auth: puts the credential on.
    :param policy: the vendor's way of saying no.
    :param url: base address, when not the target's own.
    """

    def __init__(self, target: Target, auth: Auth, policy: Policy = Policy(), *, url: str = "") -> None:
        self.target, self.auth, self.policy = target, auth, policy
        self.url = (url or target.url).rstrip("/")
        self._next_slot = 0.0

    def get(
        self, path: str, *, act: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON at ``path``, or None when the system answers 404."""
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
        :param missing: statuses that are an answer, not an error (404 for "already gone"); the caller looks at ``status``.
        :param reads: this POST only reads (a search), so it may be sent in check mode and repeated.
        :param retry_safe: repeating the call does no more than doing it once; default: by method.
        :param raw: the answer is not JSON (a file).
        :raises SystemError_: one of its kinds, by what happened; see ``errors``.
        """
        reading = reads or method in READS
        if not reading:
            self.target.writing(act)
        safe = retry_safe if retry_safe is not None else (reading or method in IDEMPOTENT)
        url = path if path.startswith(("https://", "http://")) else self.url + path
        body = jsonlib.dumps(json).encode() if json is not None else data
        retry = Retry(total=self.policy.attempts - 1, backoff_factor=0.25, backoff_jitter=0.25, backoff_max=8)
        waited = 0.0
        fresh_credential_tried = False
        while True:
            self._await_slot()
            try:
                answer = self._once(method, url, body, json is not None, params, headers, reading, act, raw)
            except (Unavailable, AnswerLost) as trouble:
                if (
                    isinstance(trouble, CertificateError)
                    or retry.total == 0
                    or (isinstance(trouble, AnswerLost) and not safe)
                ):
                    raise
                retry = retry.increment()
                time.sleep(retry.get_backoff_time() or 0.1)
                continue
            pause = self.policy.throttled(answer)
            if pause is None and answer.status in TROUBLE and safe:
                retry_pause: float | None = 0.0
            else:
                retry_pause = pause
            if retry_pause is not None and retry.total and waited + retry_pause <= self.target.max_wait:
                retry = retry.increment()
                pause = max(retry_pause, retry.get_backoff_time())
                waited += pause
                time.sleep(pause)
                continue
            if answer.status == 401 and 401 not in missing and not fresh_credential_tried and self.auth.refused():
                fresh_credential_tried = True
                continue
            return self._judged(
                answer, act, missing, throttled_for=retry_pause if pause is not None else None, reading=reading
            )

    def pages(
        self,
        path: str,
        *,
        act: str,
        next_page: Callable[[Answer], str | Mapping[str, Any] | None],
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        """Every page, following what ``next_page`` finds in the answer: an address, or the parameters of the next request.

        :raises ProtocolError: the next page is one we have already seen.
        """
        seen: set[str] = set()
        here: tuple[str, Mapping[str, Any] | None] = (path, params)
        while True:
            mark = repr(here)
            if mark in seen:
                raise ProtocolError(
                    "the page token does not advance",
                    act=act,
                    system=self.target.name,
                    hint="report it to the vendor; the list is not complete",
                )
            seen.add(mark)
            answer = self.send("GET", here[0], act=act, params=here[1], headers=headers)
            yield answer
            following = next_page(answer)
            if not following:
                return
            if isinstance(following, str):
                self._same_origin(following, act)
                here = (following, None)
            else:
                here = (path, {**(params or {}), **following})

    def _same_origin(self, url: str, act: str) -> None:
        # A page link is the system's word; our credential must not follow it to somebody else.
        if url.startswith(("https://", "http://")) and url.split("/", 3)[:3] != self.url.split("/", 3)[:3]:
            raise ProtocolError(
                f"the next page is on another host: {url.split('?')[0]}", act=act, system=self.target.name
            )

    def _await_slot(self) -> None:
        if self.policy.rate:
            moment = time.monotonic()
            if moment < self._next_slot:
                time.sleep(self._next_slot - moment)
            self._next_slot = max(moment, self._next_slot) + 1.0 / self.policy.rate

    def _once(
        self,
        method: str,
        url: str,
        body: Any,
        is_json: bool,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        reading: bool,
        act: str,
        raw: bool,
    ) -> Answer:
        name = self.target.name
        sent_headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            **self.policy.headers,
            **self.auth.headers(),
        }
        if is_json:
            sent_headers["Content-Type"] = "application/json"
        sent_headers.update(headers or {})
        try:
            response = _session(self.target).request(
                method,
                url,
                data=body,
                params=dict(params) if params else None,
                headers=sent_headers,
                timeout=self.target.timeout,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as e:
            raise CertificateError(
                f"its certificate is not trusted ({_root(e)})",
                act=act,
                system=name,
                hint="set ca_file of the system to your certificate authority",
            ) from None
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as e:
            raise Unavailable(
                f"cannot connect ({_root(e)})", act=act, system=name, hint=f"is {self.url} right and reachable?"
            ) from None
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
        ) as e:
            raise InputError(
                f"{url.split('?')[0]} is not an address ({_root(e)})",
                act=act,
                system=name,
                hint="set url of the system: https://host",
            ) from None
        except requests.exceptions.RequestException as e:
            if _never_sent(e):
                raise Unavailable(
                    f"cannot connect ({_root(e)})", act=act, system=name, hint=f"is {self.url} right and reachable?"
                ) from None
            kind = Unavailable if reading else AnswerLost
            raise kind(
                f"no answer ({_root(e)})",
                act=act,
                system=name,
                hint="" if reading else "the write may have happened: run again to see",
            ) from None
        content = response.content
        parsed: Any = None
        media = response.headers.get("Content-Type", "")
        if content and not raw:
            if "json" in media or content[:1] in b"{[":
                try:
                    parsed = jsonlib.loads(content)
                except ValueError:
                    if response.status_code < 400:
                        raise ProtocolError(
                            "its answer is not whole JSON",
                            act=act,
                            system=name,
                            hint="run again; if it stays, look at proxies in between",
                        ) from None
            elif response.status_code < 400 and "html" in media:
                raise ProtocolError(
                    "it answers a web page (HTML), not its API",
                    act=act,
                    system=name,
                    hint=f"is url {self.url} the API's address, or is a sign-in page or proxy in between?",
                )
        return Answer(response.status_code, response.headers, parsed, content)

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
            said = self.policy.message(answer)
        said = f"{status} {said}".strip()
        error = SystemError_
        hint = ""
        if throttled_for is not None:
            error, hint = (
                Throttled,
                f"it asks to wait {throttled_for:.0f} s; run again then, or raise max_wait of the system",
            )
        elif 300 <= status < 400:
            error, hint = (
                ProtocolError,
                f"it redirects to {answer.headers.get('Location', '?').split('?')[0]}: is url {self.url} the API's address?",
            )
        elif status == 401:
            error, hint = AuthenticationFailed, f"check the credentials of {name}: wrong, expired or revoked"
        elif status == 403:
            error, hint = PermissionDenied, self.policy.permission_hint
        elif status in (404, 410):
            error = NotFound
        elif status in (409, 412, 423):
            error = Conflict
        elif status in (400, 405, 413, 415, 422, 501):
            error = Rejected
        elif status >= 500:
            # A write that ended in a gateway's 5xx may have been done behind it.
            error = Unavailable if reading else AnswerLost
            hint = "" if reading else "the write may have happened: run again to see"
        raise error(said, act=act, system=name, hint=hint, status=status)


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
