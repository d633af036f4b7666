# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Says which source is due to be polled, and when its silence is an alarm. Pure functions of what is known and of the moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import ConfigError

#: The longest pause before a source that failed is polled again (or its own ``every``, where that is longer).
LONGEST = timedelta(hours=1)
#: After so many failures in a row a poll raises an alert.
FAILURES = 3
#: A webhook may be so late that a poll comes before it: BambooHR tries for 75 minutes.
GRACE = timedelta(minutes=90)
#: So many people must have changed without a webhook: a single one may have changed in a field that no webhook reports.
DEAD_AFTER = 3


@dataclass(frozen=True)
class Standing:
    """The facts about one source; moments in UTC, None for never.

    :param known_since: when the bridge first had it in its configuration.
    :param webhook_at: the last event that a webhook brought.
    :param unheard: since then, people whom polls found changed, with when.
    """

    known_since: datetime
    last_event_at: datetime | None = None
    last_look_at: datetime | None = None
    last_everybody_at: datetime | None = None
    tried_at: datetime | None = None
    failures: int = 0
    webhook_at: datetime | None = None
    unheard: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True)
class Task:
    """One thing to do: ``poll`` or ``everybody`` of a source, with ``everybody`` also the moment at which it was due."""

    source: str
    what: str
    slot: datetime | None = None


def due(sources: Mapping[str, tuple[Source, Standing]], now: datetime) -> list[Task]:
    """Return what is to be done now, the nightly comparisons first. A task is returned again until it is recorded as done."""
    nightly = [
        Task(name, "everybody", slot)
        for name, (source, standing) in sources.items()
        if (slot := everybody_due(source, standing, now)) is not None
    ]
    polls = [
        Task(name, "poll")
        for name, (source, standing) in sources.items()
        if source.poll is not None and (now >= poll_at(name, source, standing) or _ahead(standing.tried_at, now))
    ]
    return [*nightly, *polls]


def poll_at(name: str, source: Source, standing: Standing) -> datetime:
    """Return when the source is to be polled next: at once when it never was, and later after each failure. Up to a tenth is added, so that several
    sources and bridges do not ask at the same moment."""
    if source.poll is None or standing.tried_at is None:
        return standing.known_since
    every = timedelta(seconds=source.poll.every)
    if standing.failures:
        every = min(every * 2 ** min(standing.failures, 16), max(LONGEST, every))
    return standing.tried_at + every * (1 + _jitter(name, standing.tried_at))


def _ahead(moment: datetime | None, now: datetime) -> bool:
    """Return whether a moment is in the future. Only a wrong clock explains that, so it is ignored."""
    return moment is not None and moment > now


def _jitter(name: str, moment: datetime) -> float:
    """Return a number up to a tenth, which is the same for the same look."""
    return hashlib.sha256(f"{name} {moment.isoformat()}".encode()).digest()[0] / 2550


def everybody_due(source: Source, standing: Standing, now: datetime) -> datetime | None:
    """Return the moment of the nightly comparison that has come and was not made; None when there is none."""
    if not source.everybody_at:
        return None
    slot = last_slot(source.everybody_at, zone_of(source), now)
    last = standing.last_everybody_at
    return slot if last is None or last < slot or _ahead(last, now) else None


def last_slot(at: str, zone: tzinfo | None, now: datetime) -> datetime:
    """Return the last moment, up to now, at which a local clock (``zone``; None: this machine's) showed ``at``, in UTC.

    Each local day has exactly one such moment. A time that the clock skips is taken with the offset before the gap; where the clock shows a time
    twice, the first one counts (RFC 5545, 3.3.5, which is Python's fold=0).
    """
    clock = time.fromisoformat(at)
    today = now.astimezone(zone).date()
    slots = [datetime.combine(today + timedelta(days=days), clock, zone).astimezone(UTC) for days in (0, -1)]
    return next(slot for slot in slots if slot <= now)


def zone_of(source: Source) -> tzinfo | None:
    """Return the option ``zone`` of the source or its poll; None for this machine's.

    :raises ConfigError: there is no such zone.
    """
    name = (source.poll.options.get("zone") if source.poll else None) or source.options.get("zone")
    if not name:
        return None
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"poll.options.zone: {name!r} is not a time zone; an IANA name, such as Europe/Berlin"
        ) from None


def silent(source: Source, standing: Standing, now: datetime) -> str:
    """Return why the source counts as silent; empty while an event or a look that succeeded is recent enough.

    A webhook stops without a message when its owner is deactivated: only a look proves that nothing has changed.
    """
    seen = (standing.known_since, standing.last_event_at, standing.last_look_at)
    last = max((moment for moment in seen if moment is not None and not _ahead(moment, now)), default=now)
    if now - last <= timedelta(hours=source.silent_after):
        return ""
    since = (
        "it was first configured" if standing.last_event_at is None and standing.last_look_at is None else "the last"
    )
    what = (
        "neither an event nor a look that succeeded" if source.poll else "no event (it is not polled, so nobody looked)"
    )
    return f"{what} for {(now - last).total_seconds() / 3600:.0f} hours, since {since} at {last:%Y-%m-%d %H:%M} UTC"


def dead_webhook(source: Source, standing: Standing, now: datetime) -> str:
    """Return why the webhook counts as dead although it is configured; empty while it is not.

    It is dead when polls found several people changed, the first of them longer ago than HR repeats a webhook, and no webhook came since.
    """
    if not source.scheme or source.poll is None or not standing.unheard:
        return ""
    people = {person for person, _at in standing.unheard}
    first = min(at for _person, at in standing.unheard)
    if len(people) < int(source.poll.options.get("dead_after", DEAD_AFTER)) or now - first < GRACE:
        return ""
    last = (
        f"the last webhook came at {standing.webhook_at:%Y-%m-%d %H:%M} UTC"
        if standing.webhook_at
        else "no webhook ever came"
    )
    return (
        f"polls found {len(people)} people changed since {first:%Y-%m-%d %H:%M} UTC, and {last}. Polling goes on, later than a webhook would be. "
        "Look at the webhook in HR: it stops when the user who made it is deactivated, or may no longer see the fields"
    )


def unheard(
    rows: Iterable[tuple[str, datetime, bool]], window: timedelta
) -> tuple[datetime | None, tuple[tuple[str, datetime], ...]]:
    """Return when the last webhook came, and whom polls found since, from events (person, when received, whether a poll found it), oldest first.

    A person for whom a webhook came within ``window`` before is left out: the poll found the same change.
    """
    webhook: datetime | None = None
    last_sent: dict[str, datetime] = {}
    found: list[tuple[str, datetime]] = []
    for person, at, polled in rows:
        if not polled:
            webhook, found, last_sent[person] = at, [], at
        elif person and not (person in last_sent and at - last_sent[person] <= window):
            found.append((person, at))
    return webhook, tuple(found)
