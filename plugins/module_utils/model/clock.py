# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The one place that says what time it is."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(timezone.utc)


def stamp(moment: datetime | None = None) -> str:
    """Return a moment (now, when not given) as ISO 8601 in UTC: ``2026-03-01T12:00:00.123456Z``. It sorts as text."""
    return (moment or now()).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str, zone: tzinfo = timezone.utc) -> datetime:
    """Return the moment in an ISO 8601 text, which is in ``zone`` where it names none.

    :raises ValueError: not ISO 8601.
    """
    text = text.strip()
    # Vendors write seven digits of a second, or a Z, which Python 3.10 does not read.
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
