# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Asks a vendor's API: reads only, without redirects, with limits on size and waiting. Error messages hold no body and no secret."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from lifecycle_bridge import outgoing
from lifecycle_bridge.config import Poll
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.poll.base import Incident

#: How to wait; a test replaces it.
pause = time.sleep

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Answer:
    """A success: its body as JSON, and its headers."""

    body: Any
    headers: Mapping[str, str]


@dataclass
class Api:
    """The API of one source during one look.

    :param wait: seconds that waiting for a throttle may take in all.
    """

    name: str
    base: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca: str = ""
    timeout: float = 30.0
    wait: float = 120.0
    most_bytes: int = outgoing.MOST_BYTES

    def __post_init__(self) -> None:
        self.base = self.base.rstrip("/")
        where = urlsplit(self.base)
        if where.scheme != "https" and not (where.scheme == "http" and where.hostname in _LOOPBACK):
            raise ConfigError(f"poll {self.name}: {self.base or 'an empty url'} is not https://")
        self.session = outgoing.session(2 * self.timeout, self.most_bytes)
        self.session.trust_env = False  # a netrc entry would replace our Authorization
        self.session.verify = self.ca or True

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, missing_ok: bool = False) -> Answer | None:
        """Return the JSON; None when 404 is an answer."""
        return self._asked("GET", path, params=params, missing_ok=missing_ok)

    def post(self, path: str, body: Any, *, form: bool = False, params: Mapping[str, Any] | None = None) -> Answer:
        """Post a search, or ask for a token."""
        sent = {"data": body} if form else {"json": body}
        answer = self._asked("POST", path, params=params, **sent)
        assert answer is not None
        return answer

    def _asked(self, method: str, path: str, *, missing_ok: bool = False, **sent: Any) -> Answer | None:
        act = f"poll {self.name}: {method} {self.base}{path.split('?')[0]}"
        if not path.startswith("/") or urlsplit(self.base + path).netloc != urlsplit(self.base).netloc:
            # A link to the next page is the vendor's text: "@elsewhere.example/" behind a base address is another host.
            raise Incident(
                f"poll {self.name}: a link in an answer leads away from {self.base}; nothing was taken from it"
            )
        troubles = 0
        while True:
            status, headers, content = self._once(method, path, act, sent)
            again = _throttled(status, headers)
            if again is None and status in (500, 502, 503, 504) and troubles < 2:
                again, troubles = float(2**troubles), troubles + 1
            if again is not None and again <= self.wait:
                self.wait -= max(again, 0.1)
                pause(again)
                continue
            return None if missing_ok and status == 404 else _judged(act, status, headers, content)

    def _once(self, method: str, path: str, act: str, sent: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        try:
            response = self.session.request(
                method,
                self.base + path,
                headers={"Accept": "application/json", **self.headers},
                timeout=self.timeout,
                allow_redirects=False,
                **sent,
            )
        except outgoing.TooLong:
            raise Incident(
                f"{act}: the answer is larger than {self.most_bytes} bytes; nothing was taken from it"
            ) from None
        except requests.exceptions.SSLError:
            raise Incident(
                f"{act}: its certificate is not trusted; set poll.options.ca_file to your certificate authority"
            ) from None
        except requests.RequestException as failure:
            raise Unreachable(f"{act}: no answer ({type(failure).__name__}); it is tried again") from None
        return response.status_code, response.headers, response.content


def of(name: str, poll: Poll, url: str, headers: Mapping[str, str]) -> Api:
    """Return the API that a source's section names."""
    return Api(
        name, poll.url or url, headers, str(poll.options.get("ca_file", "")), float(poll.options.get("timeout", 30))
    )


def _judged(act: str, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    if status in (401, 403):
        raise Incident(
            f"{act}: answers {status}: the credential is wrong, expired, or may not see it. Renew it or give it the permission"
        )
    if _throttled(status, headers) is not None:
        raise Unreachable(f"{act}: answers {status}: too many requests; it is tried again later")
    if status >= 500:
        raise Unreachable(f"{act}: answers {status}; it is tried again")
    if not 200 <= status < 300:
        raise Incident(f"{act}: answers {status}; is poll.url the API's address?")
    try:
        return Answer(outgoing.parsed(content), headers)
    except ValueError:
        what = "a web page" if "html" in headers.get("Content-Type", "") else "something that is not whole JSON"
        raise Unreachable(f"{act}: answers {what}; is a sign-in page or proxy in between? It is tried again") from None


def _throttled(status: int, headers: Mapping[str, str]) -> float | None:
    """Return seconds to wait, when the answer is a throttle. HiBob names the moment in X-RateLimit-Reset (epoch seconds)."""
    if status != 429 and not (status == 503 and "Retry-After" in headers):
        return None
    retry_after = headers.get("Retry-After", "")
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        if retry_after:
            return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
        return max(0.0, float(headers.get("X-RateLimit-Reset", "")) - time.time())
    except (ValueError, TypeError):
        return 5.0
