# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads a system's answer: its error text, the time it asks to wait, and JSON within limits."""

from __future__ import annotations

import json as jsonlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ..model import clock
from ..model.text import storable

#: How many levels JSON may have. The deepest answer that we know (Graph, SCIM) has nine.
DEEPEST = 60
#: How many values JSON may hold: each costs more than 100 bytes of memory, however small the answer is on the wire.
MOST_VALUES = 1_000_000


_LINK = re.compile(r"\s*<([^>]+)>\s*;(.*)")


class Unreadable(ValueError):
    """An answer's body is JSON over our limits. The message says which limit."""


@dataclass(frozen=True)
class Answer:
    """A system's answer. ``body`` is the parsed JSON, or None when there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any
    content: bytes = b""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def next_link(answer: Answer) -> str:
    """Return the address of the next page in the header ``Link`` (RFC 8288); empty when there is none.

    Sentry gives an address also for a page that is empty, with ``results="false"``: then there is no next page.
    """
    for part in re.split(r",\s*(?=<)", answer.headers.get("Link") or ""):
        found = _LINK.match(part)
        if found and re.search(r'rel="?next"?', found[2]) and 'results="false"' not in found[2]:
            return found[1]
    return ""


def json_message(answer: Answer) -> str:
    """Return the error text of the usual JSON error bodies: OAuth, Graph, SCIM, GitHub, and plain ``message``."""
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
    """Return the seconds that the header ``Retry-After`` asks for (a number or a date); None without one."""
    text = (answer.headers.get("Retry-After") or "")[:100].strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            then = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((then if then.tzinfo else then.replace(tzinfo=timezone.utc)) - clock.now()).total_seconds()
    # NaN is no time. An infinite wait stays: it is longer than max_wait.
    return max(0.0, seconds) if not math.isnan(seconds) else None


def standard_throttle(answer: Answer) -> float | None:
    """Return the seconds to wait for a 429 (1 when it names no time) and for a 503 that names a time; else None."""
    if answer.status == 429:
        return retry_after(answer) or 1.0
    if answer.status == 503:
        return retry_after(answer)
    return None


def parsed_json(content: bytes) -> Any:
    """Parse JSON that a system wrote.

    :raises ValueError: it is not JSON.
    :raises Unreadable: it has more levels or more values than any answer needs.
    """
    opened = content.count(b"[") + content.count(b"{")
    if opened + content.count(b",") > MOST_VALUES:
        raise Unreadable(f"its answer holds more than {MOST_VALUES:,} values")
    try:
        parsed = jsonlib.loads(content, parse_constant=_no_number)
    except RecursionError:
        raise Unreadable(f"its answer nests deeper than {DEEPEST} levels") from None
    if opened > DEEPEST and _depth_over(parsed, DEEPEST):
        raise Unreadable(f"its answer nests deeper than {DEEPEST} levels")
    lowered = content.lower() if b"\\u" in content else b""
    return storable(parsed) if b"\\ud" in lowered or b"\\u0000" in lowered else parsed


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _depth_over(value: Any, most: int) -> bool:
    level = [value]
    for _unused in range(most):
        level = (
            [
                inner
                for holder in level
                for inner in (holder.values() if isinstance(holder, dict) else holder)
                if isinstance(inner, (dict, list))
            ]
            if isinstance(value, (dict, list))
            else []
        )
        if not level:
            return False
    return True
