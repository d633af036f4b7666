# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sign each request, for vendors that require it: Duo's signature of version 5 (https://duo.com/docs/adminapi#authentication)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import parse_qsl, quote, urlsplit

from ...model import clock
from ...sdk.transport import basic


@dataclass(frozen=True)
class DuoAuth:
    """Signs method, host, path, query, body and time with the secret key, which is never sent."""

    integration_key: str
    secret_key: str = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return {}

    def refused(self) -> bool:
        return False

    def signed(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        date = format_datetime(clock.now(), usegmt=True)
        text = canonical(date, method, url, body)
        signature = hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha512).hexdigest()
        return {"Date": date, **basic(self.integration_key, signature).headers()}


def canonical(date: str, method: str, url: str, body: bytes) -> str:
    """Return the text that is signed. Its last line is the hash of further X-Duo headers, of which there are none."""
    parts = urlsplit(url)
    query = _sorted(parse_qsl(parts.query, keep_blank_values=True))
    no_headers = hashlib.sha512(b"").hexdigest()
    lines = (
        date,
        method.upper(),
        parts.netloc.lower(),
        parts.path,
        query,
        hashlib.sha512(body).hexdigest(),
        no_headers,
    )
    return "\n".join(lines)


def _sorted(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in sorted((quote(n, "~"), quote(v, "~")) for n, v in pairs))
