# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polls BambooHR: ``GET /api/v1/employees/changed?since=`` (documentation.bamboohr.com/reference/get-changed-employee-ids).

A feed of changes is empty when the key has lost its permissions. So every few hours everybody's id and status is counted (a custom report of
these two fields). A list that shrank, or a status that is hidden, is an incident.

When the day of a dated change comes, BambooHR changes no record then, so the feed shows nothing: cases have their own timers, and the nightly
comparison finds the rest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from lifecycle_bridge.config import Source
from lifecycle_bridge.events import Event
from lifecycle_bridge.poll import api
from lifecycle_bridge.poll.base import Incident, Polled, credential, event, settings, shrunk

TYPES = {"inserted": "jml.person.created", "updated": "jml.person.changed", "deleted": "jml.person.deleted"}
#: Minutes that are read again: a change that is entered while the feed is made may be dated a little before its end.
OVERLAP = timedelta(minutes=2)


class BambooHR:
    credentials: tuple[str, ...] = ("api_key",)
    options: frozenset[str] = frozenset({"ca_file", "timeout", "shrink_percent", "count_hours", "zone", "dead_after"})

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        poll = settings(name, source)
        key = base64.b64encode(f"{credential(name, poll, 'api_key')}:x".encode()).decode()
        state = _read(cursor)
        with api.of(name, poll, "", {"Authorization": f"Basic {key}"}) as bamboo:
            since = _moment(state.get("since")) or now
            first = not state
            answer = bamboo.get(
                "/api/v1/employees/changed", {"since": (since - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            )
            assert answer is not None
            found, latest = _changes(name, answer.body, now)
            if first:  # from here on by the vendor's clock, not ours
                since = min(now, _dated(answer.headers.get("Date", "")) or now)
            counted = _moment(state.get("counted_at"))
            people, active = state.get("people"), state.get("active")
            if accept or counted is None or now - counted >= timedelta(hours=float(poll.options.get("count_hours", 6))):
                people, active = _counted(name, bamboo)
                shrunk(name, int(state.get("people") or 0), people, poll.options, accept=accept)
                counted = now
        following = {
            "since": max(since, min(latest or since, now)).isoformat(),
            "counted_at": counted.isoformat(),
            "people": people,
            "active": active,
        }
        return Polled(() if first else found, json.dumps(following, sort_keys=True), people, active, whole=first)


def _changes(name: str, body: Any, now: datetime) -> tuple[tuple[Event, ...], datetime | None]:
    employees = body.get("employees") if isinstance(body, dict) else None
    if employees == []:  # PHP writes an empty map as a list
        employees = {}
    if not isinstance(employees, dict):
        raise Incident(
            f"poll {name}: the answer to employees/changed holds no employees; is poll.url https://<company>.bamboohr.com?"
        )
    found: list[Event] = []
    for key, row in employees.items():
        said = row if isinstance(row, Mapping) else {}
        action, at = str(said.get("action", "")).lower(), str(said.get("lastChanged", ""))
        moment = _moment(at)
        if not str(key) or action not in TYPES or moment is None:
            raise Incident(
                f"poll {name}: employees/changed has a row that cannot be read ({action or 'no action'}, {at or 'no date'}); "
                "nothing was taken from it"
            )
        place = f"entry {len(found) + 1} of employees/changed"
        found.append(event(name, TYPES[action], str(key), f"{action}:{at}", said, now, moment, place=place))
    return tuple(found), max(
        (each.occurred_at for each in found if each.occurred_at), default=_moment(body.get("latest"))
    )


def _counted(name: str, bamboo: api.Api) -> tuple[int, int]:
    body = bamboo.post(
        "/api/v1/reports/custom",
        {"title": "bridge", "fields": ["id", "status"]},
        params={"format": "JSON", "onlyCurrent": "true"},
    ).body
    rows = body.get("employees") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise Incident(f"poll {name}: the report of everybody holds no employees")
    if rows and any("status" not in row for row in rows):
        raise Incident(
            f"poll {name}: the key may not see Status of everybody; give its user access (Settings > Access Levels)"
        )
    return len(rows), sum(str(row["status"]).casefold() != "inactive" for row in rows)


def _read(cursor: str) -> dict[str, Any]:
    try:
        state = json.loads(cursor) if cursor else {}
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dated(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
