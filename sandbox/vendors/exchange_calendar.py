# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Calendars of the sandbox's Exchange: series and their occurrences, and how Graph shows them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

#: The Windows names that the sandbox's people use; Graph takes IANA names as well.
WINDOWS = {
    "UTC": "UTC",
    "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Madrid",
    "GMT Standard Time": "Europe/London",
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def zone_of(name: str) -> ZoneInfo:
    """:raises KeyError: Graph does not know the zone."""
    try:
        return ZoneInfo(WINDOWS.get(name, name))
    except (OSError, ValueError) as e:
        raise KeyError(name) from e


def moment(point: Mapping[str, str]) -> datetime:
    """Return a ``dateTimeTimeZone`` as a moment in UTC."""
    text = point["dateTime"].removesuffix("Z")[:19]
    return datetime.fromisoformat(text).replace(tzinfo=zone_of(point.get("timeZone") or "UTC")).astimezone(timezone.utc)


def point(at: datetime, zone: str = "UTC") -> dict[str, str]:
    return {"dateTime": at.astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": zone}


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def occurrences(event: dict[str, Any], start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """Yield what of an event lies between two moments: the event itself, or a series' occurrences."""
    if not event.get("recurrence"):
        if moment(event["start"]) < end and moment(event["end"]) > start:
            yield event
        return
    length = moment(event["end"]) - moment(event["start"])
    for original in _rule(event, end + timedelta(days=60)):
        key = stamp(original)
        if key in event["_deleted"]:
            continue
        changed = event["_exceptions"].get(key)
        row = copy.copy(event) | {
            "recurrence": None,
            "seriesMasterId": event["id"],
            "id": f"{event['id']}.{key}",
            "type": "exception" if changed else "occurrence",
            "originalStart": key,
            "start": point(original),
            "end": point(original + length),
            **(changed or {}),
        }
        if moment(row["start"]) < end and moment(row["end"]) > start:
            yield row


def _rule(event: dict[str, Any], until: datetime) -> Iterator[datetime]:
    pattern, span = event["recurrence"]["pattern"], event["recurrence"]["range"]
    zone = zone_of(event["start"].get("timeZone") or "UTC")
    first = datetime.fromisoformat(event["start"]["dateTime"][:19])
    day = date.fromisoformat(span["startDate"])
    last = date.fromisoformat(span["endDate"]) if span["type"] == "endDate" else date.max
    left = span["numberOfOccurrences"] if span["type"] == "numbered" else 1 << 30
    begin = day
    while day <= last and left > 0:
        at = datetime.combine(day, first.time(), zone).astimezone(timezone.utc)
        if at >= until:
            return
        if _falls(pattern, begin, day):
            left -= 1
            yield at
        day += timedelta(days=1)


def _falls(pattern: Mapping[str, Any], begin: date, day: date) -> bool:
    interval = pattern.get("interval") or 1
    if pattern["type"] == "daily":
        return (day - begin).days % interval == 0
    if pattern["type"] == "weekly":
        weeks = ((day - timedelta(days=day.weekday())) - (begin - timedelta(days=begin.weekday()))).days // 7
        return _DAYS[day.weekday()] in pattern["daysOfWeek"] and weeks % interval == 0
    if pattern["type"] == "absoluteMonthly":
        return (
            day.day == pattern["dayOfMonth"]
            and ((day.year - begin.year) * 12 + day.month - begin.month) % interval == 0
        )
    raise KeyError(pattern["type"])


def shown(event: dict[str, Any], zone: str, expand: str = "") -> dict[str, Any]:
    """Return the event as Graph answers it: times in ``zone``, what is ours left out, extended properties only when expanded."""
    row = {k: copy.deepcopy(v) for k, v in event.items() if not k.startswith("_")}
    row["originalStartTimeZone"] = row["originalEndTimeZone"] = event["_zone"]
    row["start"], row["end"] = point(moment(event["start"]), zone), point(moment(event["end"]), zone)
    if "singleValueExtendedProperties" in expand:
        held = [p for p in event["_properties"] if f"'{p['id']}'" in expand]
        if held:
            row["singleValueExtendedProperties"] = copy.deepcopy(held)
    return row


def new_event(event_id: str, ical: str, body: Mapping[str, Any], organizer: str, *, own: bool) -> dict[str, Any]:
    """Return one copy of a meeting: the organizer's, or an attendee's."""
    event: dict[str, Any] = {
        "id": event_id,
        "iCalUId": ical,
        "subject": "",
        "body": {"contentType": "html", "content": ""},
        "importance": "normal",
        "sensitivity": "normal",
        "showAs": "busy",
        "isAllDay": False,
        "isCancelled": False,
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "responseRequested": True,
        "allowNewTimeProposals": True,
        "hideAttendees": False,
        "categories": [],
        "location": {"displayName": ""},
        "locations": [],
        "hasAttachments": False,
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "recurrence": None,
        "seriesMasterId": None,
        "transactionId": None,
        **{k: copy.deepcopy(v) for k, v in body.items() if k != "singleValueExtendedProperties"},
    }
    event |= {
        "type": "seriesMaster" if event["recurrence"] else "singleInstance",
        "isOrganizer": own,
        "organizer": {"emailAddress": {"address": organizer, "name": organizer}},
        "_zone": event["start"].get("timeZone") or "UTC",
        "_properties": copy.deepcopy(body.get("singleValueExtendedProperties") or []) if own else [],
        "_deleted": [],
        "_exceptions": {},
    }
    event["attendees"] = [
        {
            "type": a.get("type") or "required",
            "emailAddress": dict(a["emailAddress"]),
            "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        }
        for a in body.get("attendees") or ()
    ]
    if event["recurrence"]:
        event["recurrence"]["range"].setdefault("recurrenceTimeZone", event["_zone"])
    return event


def seeded(key: str, addresses: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """Bodies of the meetings that one of the company's people organises, around today."""
    day = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    while day.weekday() > 4:
        day += timedelta(days=1)
    monday = day - timedelta(days=day.weekday())

    if key == "jane":
        return _planned(addresses, day, monday)
    return _busy_mornings(addresses, monday) if key == "mark" else []


def _planned(addresses: Mapping[str, str], day: datetime, monday: datetime) -> list[dict[str, Any]]:
    """Return one online, one every week, two that nobody else needs, and one that is over."""
    weekly = monday - timedelta(days=28) + timedelta(days=1, hours=10)
    return [
        _meeting(
            addresses,
            "Release 7 planning",
            day + timedelta(days=9, hours=14),
            60,
            "mark",
            "lena",
            location={"displayName": "Room Spree"},
            isOnlineMeeting=True,
            onlineMeetingProvider="teamsForBusiness",
            body={
                "contentType": "html",
                "content": f"<p>Agenda für Köln</p>{'_' * 80}<a href='https://teams.example/l/1'>Join</a>{'_' * 80}",
            },
        ),
        _meeting(addresses, "Team sync", weekly, 30, "mark", "tom", recurrence=_every(["tuesday"], weekly)),
        _meeting(addresses, "1:1 Jane & Mark", day + timedelta(days=3, hours=16), 30, "mark"),
        _meeting(addresses, "Dentist", day + timedelta(days=4, hours=8), 60),
        _meeting(addresses, "Kick-off, last month", day - timedelta(days=30), 60, "mark"),
    ]


def _busy_mornings(addresses: Mapping[str, str], monday: datetime) -> list[dict[str, Any]]:
    """Return a meeting every morning until eleven, so that a free hour has to be looked for."""
    start = monday - timedelta(days=7) + timedelta(hours=9)
    return [_meeting(addresses, "Focus time", start, 120, recurrence=_every(list(_DAYS[:5]), start))]


def _meeting(
    addresses: Mapping[str, str], subject: str, at: datetime, minutes: int, *names: str, **more: Any
) -> dict[str, Any]:
    return {
        "subject": subject,
        "start": _local(at),
        "end": _local(at + timedelta(minutes=minutes)),
        "attendees": [{"emailAddress": {"address": addresses[n], "name": n}} for n in names if n in addresses],
        **more,
    }


def _every(days: list[str], first: datetime) -> dict[str, Any]:
    return {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": days, "firstDayOfWeek": "monday"},
        "range": {"type": "noEnd", "startDate": first.date().isoformat(), "endDate": "0001-01-01"},
    }


def _local(at: datetime) -> dict[str, str]:
    return {"dateTime": at.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "W. Europe Standard Time"}
