# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the moments that directories write."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ...model import clock

_NONE = frozenset({"", "0", "9223372036854775807"})
_1601 = datetime(1601, 1, 1, tzinfo=timezone.utc)
_GENERALIZED = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{2}(?:\d{2})?)$")


def moment(value: str) -> str:
    """Return a time of a directory as ISO 8601; empty when there is none.

    It is a generalized time (RFC 4517, 3.3.13), or Active Directory's number of 100 nanoseconds since 1601.
    """
    if value in _NONE:
        return ""
    if value.isdigit():
        return clock.stamp(_1601 + timedelta(microseconds=int(value) // 10))
    match = _GENERALIZED.match(value)
    if match is None:
        return ""
    year, month, day, hour, minute, second, zone = match.groups()
    zone = "+00:00" if zone == "Z" else f"{zone[:3]}:{zone[3:] or '00'}"
    return clock.stamp(clock.parse(f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}{zone}"))


def is_past(value: str) -> bool:
    """Return whether a directory's time lies in the past; an empty one does not."""
    at = moment(value)
    return bool(at) and clock.parse(at) <= clock.now()
