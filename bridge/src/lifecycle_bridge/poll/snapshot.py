# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares a whole list with how it looked last time, for sources without a feed of changes. Kept is a digest for each person's id."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifecycle_bridge.events import Event
from lifecycle_bridge.poll.base import Incident, Polled, canonical, digest, event, shrunk

#: More people than this are not kept: about 20 bytes each.
MOST = 50_000


@dataclass(frozen=True)
class Known:
    """The list at the last look.

    ``look`` counts the looks that found a change. It is part of the ids of events, so that a change, its undoing and the same change again are
    three events. ``extra`` is the poller's own: where its next turn begins, the columns of a file.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    active: int = 0
    look: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str) -> Known | None:
        """Read a cursor. None for an empty one, or one of another version or poller: the next look is then a first one."""
        if not cursor:
            return None
        try:
            head, _, packed = cursor.partition("\n")
            data = json.loads(head)
            lines = zlib.decompress(base64.b64decode(packed, validate=True)).decode()
            people = dict(line.split("\t", 1) for line in lines.split("\n") if line)
            return cls(people, int(data["active"]), int(data["look"]), dict(data["extra"]))
        except (ValueError, KeyError, TypeError, zlib.error):
            return None

    def text(self) -> str:
        """Return the cursor as it is kept."""
        lines = "\n".join(f"{key}\t{value}" for key, value in sorted(self.people.items()))
        packed = base64.b64encode(zlib.compress(lines.encode(), 6)).decode()
        return f"{canonical({'active': self.active, 'look': self.look, 'extra': self.extra}).decode()}\n{packed}"


def checked(name: str, ids: list[str]) -> None:
    """Check that every record has an id of its own.

    :raises Incident: one is missing, twice there, or not an id; or they are too many.
    """
    if len(ids) > MOST:
        raise Incident(
            f"poll {name}: {len(ids)} people; at most {MOST} are watched by comparing. Use webhooks, or several sources"
        )
    for ident in ids:
        if not ident or len(ident) > 200 or not ident.isprintable():
            raise Incident(
                f"poll {name}: a record has no id, or one that is none ({ident[:20]!r}); nothing was taken from the list"
            )
    if len(set(ids)) != len(ids):
        twice = next(ident for ident in ids if ids.count(ident) > 1)
        raise Incident(f"poll {name}: id {twice} is there twice; nothing was taken from the list")


def changes(name: str, before: Known, people: Mapping[str, str], now: datetime) -> tuple[Event, ...]:
    """Return events for who is new, who has changed, and whose record is gone (which is no termination: the intake looks at it)."""
    look = before.look + 1
    found = []
    for number, (person, mark) in enumerate(people.items(), 1):
        old = before.people.get(person)
        if old != mark:
            found.append(
                event(
                    name,
                    "jml.person.created" if old is None else "jml.person.changed",
                    person,
                    f"{mark}:{look}",
                    [person, mark],
                    now,
                    place=f"record {number} of the list",
                )
            )
    for person in before.people:
        if person not in people:
            found.append(event(name, "jml.person.deleted", person, f"gone:{look}", [person, "gone"], now))
    return tuple(found)


def next_look(
    before: Known | None, people: Mapping[str, str], active: int, extra: Mapping[str, Any] | None = None
) -> Known:
    """Return what is kept after a look; it has the same text when nothing changed."""
    extra = dict(extra or {})
    if before is None:
        return Known(people, active, 0, extra)
    return Known(people, active, before.look + (dict(before.people) != dict(people)), extra)


@dataclass(frozen=True)
class Seen:
    """One record of a list: the person's id, the values that decide about access, and whether they have not left."""

    id: str
    decides: Any
    active: bool


def compared(
    name: str,
    cursor: str,
    records: Sequence[Seen],
    options: Mapping[str, Any],
    now: datetime,
    *,
    accept: bool,
) -> Polled:
    """Compare a whole list with how it looked last time.

    :raises Incident: an id is missing or twice there, or the list shrank.
    """
    checked(name, [one.id for one in records])
    before = Known.read(cursor)
    shrunk(name, len(before.people) if before else 0, len(records), options, accept=accept)
    people = {one.id: digest(one.decides) for one in records}
    active = sum(one.active for one in records)
    found = changes(name, before, people, now) if before else ()
    return Polled(found, next_look(before, people, active).text(), len(people), active, whole=before is None)


__all__ = ["MOST", "Known", "Seen", "changes", "checked", "compared", "digest", "next_look"]
