# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The controller's REST API as the executor needs it: AWX 24.6.1 (``/api/v2``) and AAP 2.5+ behind its gateway (``/api/controller/v2``).

A request has three ends, which are kept apart here: it was answered, it surely was not taken, or nobody knows. The shapes are those of
https://docs.ansible.com/projects/awx/en/24.6.1/rest_api/ and of ansible/awx, awx/api/views and awx/api/generics.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from lifecycle_bridge import outgoing
from lifecycle_bridge.config import Controller
from lifecycle_bridge.errors import BridgeError, Unreachable

#: Seconds: to connect, between two bytes of an answer, and for all of it.
CONNECT, READ, CALL = 10.0, 60.0, 120.0
#: The most that a list gives at once (MAX_PAGE_SIZE).
PAGE = 200
#: The most pages of one list: a hundred thousand rows.
MOST_PAGES = 500
#: Answers of proxies, and of a controller that restarts: the request may still have been taken.
UNCERTAIN = (500, 502, 503, 504)


class NotTaken(Unreachable):
    """The request did not get through: nothing was done, and trying again may help. ``after``: seconds that the controller asks for."""

    def __init__(self, words: str, after: float = 0.0) -> None:
        super().__init__(words)
        self.after = after


class Unanswered(Unreachable):
    """The request may have been taken, and no answer says so."""


class Refused(BridgeError):
    """The controller answered no. ``status``: HTTP; ``said``: its own words."""

    def __init__(self, words: str, status: int, said: str) -> None:
        super().__init__(words)
        self.status, self.said = status, said


class _Bearer(requests.auth.AuthBase):
    """Reads the token for each request, so that a changed one holds at once. As ``auth`` it also keeps a .netrc from being used instead."""

    def __init__(self, settings: Controller) -> None:
        self.settings = settings

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.settings.token.read()}"
        return request


class Api:
    """The API of one controller. A session belongs to one thread, so each run makes its own.

    :raises ConfigError: of every request, when the token isn't there.
    """

    def __init__(self, settings: Controller) -> None:
        self._settings = settings
        self._session = outgoing.session(CALL)
        self._session.auth = _Bearer(settings)
        self._base = settings.api.strip("/")

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def gateway(self) -> bool:
        """Return whether this is AAP 2.5 or later; known after the first request."""
        return "controller" in self._base

    @property
    def base(self) -> str:
        """Return ``api/v2`` or ``api/controller/v2``: as configured, or found by asking ``/api/``."""
        if not self._base:
            self._base = self._found()
        return self._base

    def _found(self) -> str:
        answer = self._request("GET", "api/", "find the API")
        apis = answer.get("apis")
        if isinstance(apis, Mapping) and isinstance(apis.get("controller"), str):
            answer = self._request("GET", apis["controller"].lstrip("/"), "find the API")
        versions = answer.get("available_versions")
        path = versions.get("v2") if isinstance(versions, Mapping) else None
        if not isinstance(path, str) or not re.fullmatch(r"/api/(controller/)?v2/?", path):
            raise BridgeError(
                f"find the API of {self._settings.url}: /api/ does not say where v2 is; is it AWX or automation controller? "
                "Or set executor.api to /api/v2 or /api/controller/v2"
            )
        return path.strip("/")

    def get(self, path: str, what: str, **query: Any) -> dict[str, Any]:
        """Read one thing. ``path`` is relative to the API, or one that the controller gave (``/api/v2/jobs/7/``).

        :raises Refused: 4xx. :raises NotTaken: no answer, of whatever kind: a read may be repeated.
        """
        try:
            return self._request("GET", self._absolute(path), what, query=query)
        except Unanswered as failure:
            raise NotTaken(str(failure)) from None

    def pages(self, path: str, what: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Return all of a list. ``next`` is followed on this host only."""
        where: str | None = path
        query = {"page_size": PAGE, **query}
        seen: set[str] = set()
        while where:
            if where in seen or len(seen) >= MOST_PAGES:
                raise NotTaken(f"{what}: the controller's list has no end, and is not complete")
            seen.add(where)
            answer = self.get(where, what, **query)
            yield from answer.get("results") or []
            following = answer.get("next")
            parts = urlsplit(following) if isinstance(following, str) else None
            where, query = (f"{parts.path}?{parts.query}", {}) if parts else (None, {})

    def post(self, path: str, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write once, never repeated here.

        :raises Refused: 4xx: not done. :raises NotTaken: surely not done. :raises Unanswered: nobody knows.
        """
        return self._request("POST", self._absolute(path), what, body=body)

    def _absolute(self, path: str) -> str:
        return path.lstrip("/") if path.startswith("/api/") else f"{self.base}/{path}"

    def _request(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        tried = f"{what}: {method} {self._settings.url}/{path.partition('?')[0]}"
        try:
            answer = self._session.request(
                method,
                f"{self._settings.url}/{path}",
                params=dict(query or {}),
                json=body,
                timeout=(CONNECT, READ),
                allow_redirects=False,
                verify=str(self._settings.ca) if self._settings.ca else True,
            )
        except requests.exceptions.SSLError as failure:
            if _before_sending(failure):
                raise NotTaken(
                    f"{tried}: the certificate is not one that is trusted here: set executor.ca to the company's authority"
                ) from None
            raise Unanswered(f"{tried}: the connection broke before the answer") from None
        except requests.exceptions.RequestException as failure:
            if _before_sending(failure):
                raise NotTaken(f"{tried}: no connection: is the address right, and does the controller run?") from None
            raise Unanswered(f"{tried}: the connection broke before the answer") from None
        return _answered(answer, tried)


def _before_sending(failure: requests.exceptions.RequestException) -> bool:
    """Return whether the request surely never left: the connection was not made."""
    if isinstance(failure, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = failure.args[0] if failure.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return True
    return isinstance(reason, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason)


def _answered(answer: requests.Response, tried: str) -> dict[str, Any]:
    status = answer.status_code
    if status in UNCERTAIN:
        raise Unanswered(f"{tried}: HTTP {status}")
    if status == 429:
        after = answer.headers.get("Retry-After", "")
        raise NotTaken(f"{tried}: HTTP 429, too many requests", float(after) if after.isdigit() else 0.0)
    try:
        content = outgoing.parsed(answer.content) if answer.content else {}
    except ValueError:
        content = None
    if 200 <= status < 300:
        if isinstance(content, dict):
            return content
        raise Unanswered(f"{tried}: HTTP {status}, and what came is not JSON: is a proxy's sign-in page in between?")
    said = _words(content)
    cure = {
        401: "the token is not (or no longer) valid: make a new one, and put it where executor.token says",
        403: "the token's user may not: give it the role Execute on the job templates, and membership of the organization",
        404: "it is not there, or the token's user may not see it",
    }.get(status)
    if 300 <= status < 400:
        raise Refused(
            f"{tried}: HTTP {status} redirects elsewhere: executor.url is not the controller's own address",
            status,
            said,
        )
    raise Refused(f"{tried}: HTTP {status}{f', {said}' if said else ''}{f': {cure}' if cure else ''}", status, said)


def _words(content: Any) -> str:
    """Return the controller's own words, in one line: ``{"detail": ...}`` or ``{"field": ["what is wrong"]}``."""
    if not isinstance(content, dict):
        return ""
    if isinstance(content.get("detail"), str):
        return str(content["detail"])[:300]
    parts = [
        f"{field}: {'; '.join(map(str, words)) if isinstance(words, list) else words}"
        for field, words in content.items()
    ]
    return " | ".join(parts)[:500]
