# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the texts of the pages: names of kinds and states, moments and lengths of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lifecycle_bridge.kinds import OFFBOARD, ONBOARD, REINSTATE, RENAME, RESUME, SUSPEND, TRANSFER, WITHDRAW

KINDS: Mapping[str, str] = {
    ONBOARD: "Joiner",
    OFFBOARD: "Leaver",
    TRANSFER: "Mover",
    SUSPEND: "Leave begins",
    RESUME: "Back from leave",
    REINSTATE: "Reinstated",
    RENAME: "Renamed",
    WITHDRAW: "Hire withdrawn",
}
#: Kinds of case in which somebody says what is kept.
DECIDED = (TRANSFER, "rollout")
#: The word for each state, and its colour.
STATES: Mapping[str, tuple[str, str]] = {
    "upcoming": ("upcoming", "quiet"),
    "ready": ("starting", "soft"),
    "running": ("running", "soft"),
    "waiting": ("tries again", "warn"),
    "todo": ("waits for a person", "warn"),
    "stuck": ("stuck", "bad"),
    "held": ("held", "warn"),
    "done": ("done", "good"),
    "cancelled": ("cancelled", "quiet"),
}
RUNS: Mapping[str, tuple[str, str]] = {
    "ready": ("starting", "soft"),
    "running": ("running", "soft"),
    "waiting": ("tries again", "warn"),
    "stopping": ("stopping", "warn"),
    "successful": ("successful", "good"),
    "failed": ("failed", "bad"),
    "timeout": ("timed out", "bad"),
    "canceled": ("stopped", "quiet"),
    "unknown": ("end unknown", "warn"),
    "refused": ("not begun", "bad"),
}
FILTERS: Mapping[str, str] = {"open": "all open", "working": "running", "late": "late"}
#: Lines of a time line: word and colour.
LINES: Mapping[str, tuple[str, str]] = {
    "event": ("HR", "soft"),
    "made": ("made", "quiet"),
    "moved": ("moved", "quiet"),
    "noted": ("noted", "quiet"),
    "started": ("started", "soft"),
    "progress": ("step", "quiet"),
    "retry": ("tries again", "warn"),
    "todo": ("waits for a person", "warn"),
    "attested": ("attested", "good"),
    "stuck": ("stuck", "bad"),
    "held": ("held", "warn"),
    "done": ("done", "good"),
    "cancelled": ("cancelled", "quiet"),
    "told": ("notice sent", "soft"),
    "released": ("released", "good"),
    "refused": ("release refused", "bad"),
    "retried": ("tried again by hand", "soft"),
    "hurried": ("run now, by hand", "soft"),
    "stopping": ("being stopped", "warn"),
    "cancel_asked": ("one person wants it cancelled", "warn"),
}


def zone_of(name: str) -> tzinfo:
    """Return a time zone; UTC where there is none of that name."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def absolute(moment: datetime, zone: str, now: datetime) -> str:
    """Return a moment such as ``Tue 24 Nov, 18:00``, with the year where it is another one."""
    local = moment.astimezone(zone_of(zone))
    year = f" {local.year}" if local.year != now.astimezone(zone_of(zone)).year else ""
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def zone_word(zone: str) -> str:
    """Return a zone in words: ``Berlin time`` for ``Europe/Berlin``."""
    if zone_of(zone) is UTC or zone in ("UTC", "Etc/UTC"):
        return "UTC"
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def span(length: timedelta | float) -> str:
    """Return a length of time such as ``45 s``, ``12 min``, ``3 h``, ``4 days``."""
    seconds = abs(length.total_seconds() if isinstance(length, timedelta) else length)
    for limit, unit, one in ((90, "s", 1), (90 * 60, "min", 60), (36 * 3600, "h", 3600)):
        if seconds < limit:
            return f"{seconds / one:.0f} {unit}" if seconds >= 1 or not seconds else "under 1 s"
    days = round(seconds / 86400)
    return f"{days} day{'' if days == 1 else 's'}"


def relative(moment: datetime, now: datetime) -> str:
    """Return a moment relative to now: ``in 3 h``, ``2 days ago``, ``now``."""
    ahead = (moment - now).total_seconds()
    if abs(ahead) < 1:
        return "now"
    return f"in {span(ahead)}" if ahead > 0 else f"{span(ahead)} ago"


def event_word(kind: str) -> str:
    """Return in words what HR said, from an event's type."""
    base, comma, urgent = kind.partition(",")
    said = {
        "jml.person.created": "somebody new",
        "jml.person.changed": "the record changed",
        "jml.person.deleted": "the record is gone",
        "jml.employment.terminated": "employment ends",
        "jml.employment.cancelled": "the end is called off",
        "jml.access.revoked": "access ends now",
        "jml.feed.changed": "something changed",
    }
    return f"{said.get(base, base)}{comma}{urgent}"
