# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The input and the result of every poller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lifecycle_bridge.config import Poll, Source
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.events import Event
from lifecycle_bridge.person_ids import refusal

#: How ids of events begin that no webhook brought.
PREFIX = "poll:"


class Incident(BridgeError):
    """The list of the source cannot be believed, or cannot be read until a person acts: it makes no events."""


@dataclass(frozen=True)
class Polled:
    """What one look at a source found.

    :param events: what changed since ``cursor``; ids only.
    :param cursor: where the next look begins. It is stored after the events: a look that is repeated from the old cursor gives the same events.
    :param people: how many people the source showed; None where this look does not say.
    :param active: how many of them have not left.
    :param whole: everybody is to be compared, since this was the first look: what changed before it is not known.
    :param after: called when events and cursor are stored, such as to archive a file.
    :param more: there is more to read at once, such as another file.
    :param looked: false when there was nothing to read (no file came): the look neither succeeded nor failed.
    """

    events: tuple[Event, ...]
    cursor: str
    people: int | None = None
    active: int | None = None
    whole: bool = False
    after: Callable[[], None] | None = None
    more: bool = False
    looked: bool = True


class Poller(Protocol):
    """One kind of source."""

    #: Names of credentials that must be configured, and of further options.
    credentials: tuple[str, ...]
    options: frozenset[str]

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        """Look once. ``cursor`` is empty at the first look. ``accept``: a person has said that a shorter list is right.

        :raises Incident: the list cannot be believed; in words for a person.
        :raises Unreachable: it did not answer; the next look may.
        :raises ConfigError: a credential is missing.
        """
        ...


def settings(name: str, source: Source) -> Poll:
    """Return the source's poll section.

    :raises ConfigError: it has none.
    """
    if source.poll is None:
        raise ConfigError(f"poll {name}: sources.{name}.poll is not configured")
    return source.poll


def credential(name: str, poll: Poll, key: str) -> str:
    """Read a credential now, so that a changed one is used without a restart.

    :raises ConfigError: it is not configured, or cannot be read.
    """
    if key not in poll.credentials:
        raise ConfigError(f"poll {name}: sources.{name}.poll.credentials.{key} is missing")
    return poll.credentials[key].read()


def event(
    name: str,
    kind: str,
    person: str,
    mark: str,
    seen: Any,
    now: datetime,
    at: datetime | None = None,
    *,
    place: str = "",
) -> Event:
    """Return an event with an id that the same look gives again: source, person and ``mark``."""
    ident = f"{PREFIX}{person}:{mark}"
    if len(ident) > 200 or refusal(person):
        ident = f"{PREFIX}{hashlib.sha256(person.encode('utf-8', 'backslashreplace')).hexdigest()}:{mark}"
    return Event(name, ident, kind, person, now, hashlib.sha256(canonical(seen)).hexdigest(), at, place=place)


def canonical(value: Any) -> bytes:
    """Return the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode(
        "utf-8", "backslashreplace"
    )


def digest(value: Any) -> str:
    """Return twelve characters that change with the value."""
    return hashlib.sha256(canonical(value)).hexdigest()[:12]


def shrunk(
    name: str, before: int, now: int, options: Mapping[str, Any], *, what: str = "people", accept: bool = False
) -> None:
    """Refuse a list that is empty, or has lost more than ``shrink_percent`` (5) and more than one.

    :raises Incident: with both numbers.
    """
    if accept:
        return
    percent = float(options.get("shrink_percent", 5))
    lost = before - now
    if now == 0:
        had = f"; it had {before} {what}" if before else ""
        raise Incident(
            f"poll {name}: the list is empty{had}. An export or a permission that failed? Nothing was taken from it. "
            f"Once it is right: lifecycle-bridge accept {name}"
        )
    if lost > 1 and lost * 100 > percent * before:
        raise Incident(
            f"poll {name}: the list has {now} {what}, {lost} fewer than before ({before}; more than {percent:g} %). Nothing was taken from it. "
            f"Look at the export and at what the credential may see; if it is right: lifecycle-bridge accept {name}"
        )
