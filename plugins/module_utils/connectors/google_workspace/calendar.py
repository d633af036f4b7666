# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Meetings in Google Calendar: booking at a free time, and the meetings that a leaver organises.

https://developers.google.com/calendar/api/v3/reference
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...model import clock
from ...model.errors import NotFound
from ...sdk.address import UrlPath
from ...sdk.at_most_one import at_most_one
from ...sdk.free_time import WorkingHours, first_free
from ...sdk.values import Meeting
from .api import GoogleApi, path

#: How far ahead a leaver's meetings are searched.
HORIZON = timedelta(days=730)
_RESPONSES = {"accepted": "accepted", "declined": "declined", "tentative": "tentative"}
#: The private properties of a meeting that we booked: ``marker``, and the start that we chose.
_MARKER, _START = "lifecycleMarker", "lifecycleStart"


class GoogleCalendar:
    """Reads, books and ends meetings, each in the name of the person who owns the calendar."""

    def __init__(self, api: GoogleApi, *, working_hours: str) -> None:
        self.api, self.working_hours = api, working_hours

    def marked(self, organizer: str, marker: str) -> Meeting | None:
        """Return the meeting that we booked in a calendar under ``marker``; None without one.

        :raises AmbiguousIdentity: there are two.
        """
        act = f"find meeting {marker} of {organizer}"
        rows = list(self._events(organizer, act, privateExtendedProperty=f"{_MARKER}={marker}"))
        rows = [row for row in rows if row.get("status") != "cancelled"]
        row = at_most_one(rows, "meetings carry the mark", act=act, system=self.api.target.name)
        return _meeting(row) if row else None

    def free_slot(
        self, attendees: Sequence[str], *, earliest: str, latest: str, minutes: int, time_zone: str, country: str = ""
    ) -> str | None:
        """Return the first time at which all attendees are free, on a working day of ``country`` and within working hours of ``time_zone``.

        :raises NotFound: an attendee has no calendar.
        """
        act = f"find a free time for {', '.join(attendees)}"
        hours = WorkingHours.read(self.working_hours, time_zone, act=act, system=self.api.target.name)
        first, last = clock.parse(earliest), clock.parse(latest)
        start = first_free(
            hours,
            self._taken(attendees, first, last, act),
            first=first,
            last=last,
            length=timedelta(minutes=minutes),
            country=country,
        )
        return clock.stamp(start) if start else None

    def book(
        self,
        *,
        organizer: str,
        attendees: Sequence[str],
        subject: str,
        body: str,
        start: str,
        minutes: int,
        marker: str,
    ) -> None:
        """Book a meeting; Google sends the invitations at once. Its id is made of the marker: sending it twice books it once."""
        begins = clock.parse(start)
        event = {
            "id": _event_id(organizer, marker, start),
            "summary": subject,
            "description": body,
            "start": {"dateTime": clock.stamp(begins)},
            "end": {"dateTime": clock.stamp(begins + timedelta(minutes=minutes))},
            "attendees": [{"email": address} for address in attendees],
            "extendedProperties": {"private": {_MARKER: marker, _START: clock.stamp(begins)}},
        }
        where = _calendar(organizer, "events")
        self._of(organizer).send(
            "POST",
            where,
            act=f"book meeting {subject} of {organizer}",
            json=event,
            params={"sendUpdates": "all"},
            missing=(409,),
            retry_safe=True,
        )

    def future(self, address: str) -> Sequence[Meeting]:
        """Return the future meetings with attendees that the person organises. A series is returned once: its next occurrence, with the series' id."""
        now = clock.now()
        act = f"read meetings of {address}"
        found: dict[str, Meeting] = {}
        rows = self._events(
            address,
            act,
            singleEvents="true",
            orderBy="startTime",
            timeMin=clock.stamp(now),
            timeMax=clock.stamp(now + HORIZON),
        )
        for row in rows:
            mine = (
                (row.get("organizer") or {}).get("self") and row.get("attendees") and row.get("status") != "cancelled"
            )
            # timeMin is about the end of an event: one that has begun is listed too, and nobody cancels it while it runs.
            if mine and clock.parse((meeting := _meeting(row)).start) >= now:
                found.setdefault(meeting.id, meeting)
        return list(found.values())

    def cancel(self, address: str, meeting: Meeting) -> None:
        """Cancel a meeting, or all occurrences of a series; Google sends the attendees a message."""
        act = f"cancel meeting {meeting.subject} of {address}"
        where = _calendar(address, "events", meeting.id)
        # 410: it is cancelled already.
        self._of(address).send("DELETE", where, act=act, params={"sendUpdates": "all"}, missing=(404, 410))

    def hand_over(self, address: str, meeting: Meeting, successor: str) -> None:
        """Move a meeting to the successor's calendar, which makes them its organizer."""
        act = f"hand meeting {meeting.subject} of {address} to {successor}"
        where = _calendar(address, "events", meeting.id, "move")
        params = {"destination": successor, "sendUpdates": "all"}
        self._of(address).send("POST", where, act=act, params=params)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _of(self, address: str) -> Any:
        return self.api.person("www", address)

    def _events(self, address: str, act: str, **params: str) -> Any:
        return self.api.listed(self._of(address), _calendar(address, "events"), "items", act=act, **params)

    def _taken(
        self, attendees: Sequence[str], first: datetime, last: datetime, act: str
    ) -> list[tuple[datetime, datetime]]:
        body = {
            "timeMin": clock.stamp(first),
            "timeMax": clock.stamp(last),
            "items": [{"id": address} for address in attendees],
        }
        where = path("calendar", "v3", "freeBusy")
        answer = self._of(attendees[0]).send("POST", where, act=act, json=body, reads=True).body or {}
        taken = []
        for address, row in (answer.get("calendars") or {}).items():
            if row.get("errors"):
                raise NotFound(
                    f"{address} has no calendar to look at ({row['errors'][0].get('reason')})",
                    act=act,
                    system=self.api.target.name,
                    hint="a new account takes some time to appear: run again later",
                )
            taken += [(clock.parse(one["start"]), clock.parse(one["end"])) for one in row.get("busy") or ()]
        return taken


def _calendar(address: str, *segments: str) -> UrlPath:
    return path("calendar", "v3", "calendars", address, *segments)


def _event_id(organizer: str, marker: str, start: str) -> str:
    """Return an id in Google's alphabet (base32hex), the same for the same meeting."""
    import hashlib

    return hashlib.sha256(f"{organizer}\n{marker}\n{start}".encode()).hexdigest()[:40]


def _meeting(row: Mapping[str, Any]) -> Meeting:
    marks = (row.get("extendedProperties") or {}).get("private") or {}
    start = _point(row["start"])
    answers = {
        str(one.get("email", "")).lower(): _RESPONSES.get(str(one.get("responseStatus")), "none")
        for one in row.get("attendees") or ()
    }
    return Meeting(
        id=str(row.get("recurringEventId") or row["id"]),
        subject=str(row.get("summary") or ""),
        start=start,
        end=_point(row["end"]),
        organizer=str((row.get("organizer") or {}).get("email") or "").lower(),
        attendees=tuple(answers),
        responses=answers,
        recurring=bool(row.get("recurringEventId") or row.get("recurrence")),
        as_booked=marks.get(_START) == start,
    )


def _point(moment: Mapping[str, Any]) -> str:
    """Return start or end of an event in UTC; for an event of whole days, the beginning of the day."""
    return clock.stamp(clock.parse(str(moment.get("dateTime") or f"{moment['date']}T00:00:00Z")))
