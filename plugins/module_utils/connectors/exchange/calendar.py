# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Meetings through Graph: booked by free/busy, cancelled, and handed over.

Nobody can change a meeting's organizer. To hand a meeting over, the same meeting is made in the successor's calendar, with a mark so
that it is made once, and then the old one is ended. A series that has begun is not cancelled: it ends before its next occurrence, and
past occurrences stay in everybody's calendar.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ...model import clock
from ...model.errors import (
    Conflict,
    NotFound,
)
from ...model.person import Person
from ...sdk.address import UrlPath, at
from ...sdk.at_most_one import at_most_one
from ...sdk.free_time import WorkingHours, first_free
from ...sdk.target import Connector
from ...sdk.transport import Transport
from ...sdk.values import Meeting
from ..microsoft.graph import graph_pages
from ..microsoft.people import literal
from .mail import IMMUTABLE

#: The extended property that marks our meetings (https://learn.microsoft.com/graph/api/resources/extended-properties-overview).
MARK = "String {6f1b2c1e-3d0f-4a57-9a55-2f7b0f6c8d11} Name workforce.lifecycle"
#: calendarView takes no more than five years.
HORIZON = timedelta(days=1820)
#: getSchedule's limit of addresses a call.
SCHEDULES = 20
_BUSY = frozenset({"busy", "oof", "tentative", "unknown"})
_RESPONSES = {"accepted": "accepted", "declined": "declined", "tentativelyAccepted": "tentative"}
_READ = "id,iCalUId,subject,start,end,organizer,isOrganizer,isCancelled,attendees,type,seriesMasterId,transactionId"
#: The properties that are copied to the successor's meeting; times, attendees and the rule of a series are computed.
_KEPT = (
    "subject",
    "body",
    "location",
    "locations",
    "importance",
    "sensitivity",
    "showAs",
    "isAllDay",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "responseRequested",
    "allowNewTimeProposals",
    "hideAttendees",
    "categories",
)


class GraphCalendar(Connector):
    """Reads, books and ends meetings; the connector sets ``graph``."""

    graph: Transport

    # -- booking -------------------------------------------------------------------------------------------------------

    def find_meeting(self, person: Person, marker: str) -> Meeting | None:
        """Return the meeting that we booked in this person's calendar under ``marker``, with the attendees' answers.

        :raises AmbiguousIdentity: there are two.
        """
        act = f"find meeting {marker} of {person.email}"
        try:
            row = self._marked(self.login_of(person), marker, act)
        except NotFound:
            return None  # no such mailbox
        if row is None:
            return None
        found = _meeting(row)
        return replace(found, as_booked=row.get("transactionId") == _transaction(person.email, marker, found.start))

    def free_slot(
        self, attendees: Sequence[str], *, earliest: str, latest: str, minutes: int, time_zone: str, country: str = ""
    ) -> str | None:
        """Return the first time at which all attendees are free, on a working day of ``country`` and within the option ``working_hours``.

        The hours are those of ``time_zone``, not of each attendee's mailbox: a mailbox that nobody has used yet has the time zone of Redmond.

        :raises NotFound: an attendee has no calendar, e.g. a joiner whose mailbox does not exist yet.
        """
        act = f"find a free time for {', '.join(attendees)}"
        hours = WorkingHours.read(self.target.options["working_hours"], time_zone, act=act, system=self.target.name)
        first, last = clock.parse(earliest), clock.parse(latest)
        start = first_free(
            hours,
            self._taken(attendees, first, last, act),
            first=first,
            last=last,
            length=timedelta(minutes=minutes),
            country=country,
        )
        return start.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ") if start else None

    def book_meeting(
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
        """Book a meeting; Exchange sends the invitations at once. Sending it twice books it once (``transactionId``)."""
        begins = clock.parse(start)
        event: dict[str, Any] = {
            "subject": subject,
            "body": {"contentType": "text", "content": body},
            "start": _point(begins),
            "end": _point(begins + timedelta(minutes=minutes)),
            "attendees": [{"type": "required", "emailAddress": {"address": address}} for address in attendees],
        }
        if self.target.options["online_meetings"]:
            event |= {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}
        self._create(organizer, event, marker, salt=start, act=f"book meeting {subject} of {organizer}")

    def _taken(
        self, attendees: Sequence[str], first: datetime, last: datetime, act: str
    ) -> list[tuple[datetime, datetime]]:
        taken = []
        for number in range(0, len(attendees), SCHEDULES):
            asked = list(attendees[number : number + SCHEDULES])
            answer = self.graph.send(
                "POST",
                at("/users/{}/calendar/getSchedule", attendees[0]),
                act=act,
                reads=True,
                json={
                    "schedules": asked,
                    "startTime": _point(first),
                    "endTime": _point(last),
                    "availabilityViewInterval": 15,
                },
            )
            for row in answer.body["value"]:
                if row.get("error"):
                    raise NotFound(
                        f"{row['scheduleId']} has no calendar to look at ({row['error'].get('responseCode')})",
                        act=act,
                        system=self.target.name,
                        hint="a new mailbox takes some time to appear: run again later",
                    )
                taken += [
                    (_moment(item["start"]), _moment(item["end"]))
                    for item in row.get("scheduleItems") or ()
                    if item.get("status") in _BUSY
                ]
        return taken

    # -- a leaver's meetings -------------------------------------------------------------------------------------------

    def future_meetings(self, person: Person) -> Sequence[Meeting]:
        """Return the future meetings with attendees that the person organises. A series is returned once: its next occurrence, with the series' id."""
        now = clock.now()
        act = f"read meetings of {person.email}"
        found: dict[str, Meeting] = {}
        try:
            for row in self._view(
                at("/users/{}/calendarView", self.login_of(person)),
                now,
                now + HORIZON,
                act,
                {"$select": _READ},
            ):
                if (
                    row.get("isOrganizer")
                    and not row.get("isCancelled")
                    and row.get("attendees")
                    and _moment(row["start"]) >= now
                ):
                    meeting = _meeting(row)
                    known = found.get(meeting.id)
                    if known is None or meeting.start < known.start:
                        found[meeting.id] = meeting
        except NotFound:
            return []  # no mailbox, no meetings
        return list(found.values())

    def cancel_meeting(self, person: Person, meeting: Meeting, comment: str) -> None:
        """Cancel a meeting, with a message to the attendees; of a series, the future occurrences."""
        self._end(self.login_of(person), meeting, comment, f"cancel meeting {meeting.subject} of {person.email}")

    def hand_over_meeting(self, person: Person, meeting: Meeting, successor: str) -> None:
        """Book the same meeting in the successor's calendar, then end this one. If nobody else attends, it is only ended."""
        who = self.login_of(person)
        act = f"hand meeting {meeting.subject} of {person.email} over to {successor}"
        old = self._event(who, meeting.id, act)
        left = {person.email, who.lower(), successor.lower(), *(a.lower() for a in person.aliases)}
        attendees = [
            {"type": a.get("type") or "required", "emailAddress": a["emailAddress"]}
            for a in old.get("attendees") or ()
            if a["emailAddress"]["address"].lower() not in left
        ]
        marker = f"handover {old['iCalUId']}"
        if attendees and self._marked(successor, marker, act) is None:
            zone = _zone(old)
            local = self._event(who, meeting.id, act, zone)
            event = {key: old[key] for key in _KEPT if old.get(key) is not None} | {"attendees": attendees}
            if old.get("isOnlineMeeting"):
                event |= {
                    "isOnlineMeeting": True,
                    "onlineMeetingProvider": old.get("onlineMeetingProvider") or "teamsForBusiness",
                }
                event["body"] = _without_join_link(event.get("body"))
            event |= (
                self._rest_of_series(who, local, zone, act)
                if meeting.recurring
                else {"start": local["start"], "end": local["end"]}
            )
            self._create(successor, event, marker, salt="", act=act)
        if attendees and meeting.recurring:
            self._copy_exceptions(who, meeting.id, successor, marker, act)
        self._end(who, meeting, f"From now on {successor} organises this meeting." if attendees else "", act)

    def _rest_of_series(self, who: str, master: Mapping[str, Any], zone: str, act: str) -> dict[str, Any]:
        """Return start, end and rule of the rest of a series, in the series' own zone: its hour then stays the same when the clocks change."""
        upcoming = self._upcoming(who, master["id"], zone, act)
        regular = next((row for row in upcoming if row.get("type") != "exception"), upcoming[0])
        # The next occurrence may have been moved: the rule begins at its original date.
        begins = min(_pattern_date(row) for row in upcoming)
        shift = begins - _pattern_date(regular)
        start, end = (
            {**regular[k], "dateTime": (datetime.fromisoformat(regular[k]["dateTime"][:19]) + shift).isoformat()}
            for k in ("start", "end")
        )
        rule = dict(master["recurrence"]["range"]) | {"startDate": begins.isoformat()}
        if rule["type"] == "numbered":
            rule["numberOfOccurrences"] = len(upcoming)
        return {"start": start, "end": end, "recurrence": {"pattern": master["recurrence"]["pattern"], "range": rule}}

    def _copy_exceptions(self, who: str, series: str, successor: str, marker: str, act: str) -> None:
        """Move, rename and delete occurrences of the new series as they were in the old one.

        :raises Conflict: the two series have no time in common.
        """
        new = self._marked(successor, marker, act)
        if new is None:
            return
        old_rows = {_original(row): row for row in self._upcoming(who, series, "UTC", act)}
        new_rows = {_original(row): row for row in self._upcoming(successor, new["id"], "UTC", act)}
        if not set(old_rows) & set(new_rows):
            raise Conflict(
                "the new series does not fall on the times of the old one",
                act=act,
                system=self.target.name,
                hint="compare the two, and cancel one of them",
            )
        for moment, row in new_rows.items():
            was = old_rows.get(moment)
            path = _events(successor).below("/{}", row["id"])
            if was is None and moment <= max(old_rows):
                self.graph.send("DELETE", path, act=act, missing=(404,), headers=IMMUTABLE)
            elif was is not None and any(was.get(k) != row.get(k) for k in ("subject", "start", "end")):
                self.graph.send(
                    "PATCH",
                    path,
                    act=act,
                    json={k: was[k] for k in ("subject", "start", "end")},
                    headers=IMMUTABLE,
                    retry_safe=True,
                )

    def _end(self, who: str, meeting: Meeting, comment: str, act: str) -> None:
        path = _events(who).below("/{}", meeting.id)
        if meeting.recurring:
            master = self._event(who, meeting.id, act)
            upcoming = self._upcoming(who, meeting.id, _zone(master), act)
            rule = master["recurrence"]["range"]
            last = min((_pattern_date(row) for row in upcoming), default=date.max) - timedelta(days=1)
            if not upcoming:
                return
            if last.isoformat() >= rule["startDate"]:
                ended = {key: rule[key] for key in ("startDate", "recurrenceTimeZone") if rule.get(key)} | {
                    "type": "endDate",
                    "endDate": last.isoformat(),
                }
                self.graph.send(
                    "PATCH",
                    path,
                    act=act,
                    headers=IMMUTABLE,
                    retry_safe=True,
                    json={"recurrence": {"pattern": master["recurrence"]["pattern"], "range": ended}},
                )
                return
        # 404: cancelled already, and no longer in the organizer's calendar
        self.graph.send(
            "POST",
            path.below("/cancel"),
            act=act,
            json={"comment": comment},
            headers=IMMUTABLE,
            missing=(404,),
            retry_safe=True,
        )

    # -- events --------------------------------------------------------------------------------------------------------

    def _marked(self, who: str, marker: str, act: str) -> dict[str, Any] | None:
        rows = graph_pages(
            self.graph,
            _events(who),
            act=act,
            headers=IMMUTABLE,
            params={
                "$filter": f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq {literal(marker)})",
                "$expand": f"singleValueExtendedProperties($filter=id eq '{MARK}')",
                "$select": _READ,
            },
        )
        # The filter ignores case: compare again.
        found = [
            row
            for row in rows
            if not row.get("isCancelled")
            and any(p.get("value") == marker for p in row.get("singleValueExtendedProperties") or ())
        ]
        said, hint = f"meetings are marked {marker}", "cancel all but one"
        return at_most_one(found, said, act=act, system=self.target.name, hint=hint)

    def _create(self, who: str, event: Mapping[str, Any], marker: str, *, salt: str, act: str) -> None:
        # 409 ErrorDuplicateTransactionId: an earlier attempt made it, and its answer was lost.
        self.graph.send(
            "POST",
            _events(who),
            act=act,
            headers=IMMUTABLE,
            missing=(409,),
            retry_safe=True,
            json={
                **event,
                "transactionId": _transaction(who, marker, salt),
                "singleValueExtendedProperties": [{"id": MARK, "value": marker}],
            },
        )

    def _event(self, who: str, event_id: str, act: str, zone: str = "UTC") -> dict[str, Any]:
        answer = self.graph.send("GET", _events(who).below("/{}", event_id), act=act, headers=_in_zone(zone))
        event: dict[str, Any] = answer.body
        return event

    def _upcoming(self, who: str, series: str, zone: str, act: str) -> list[dict[str, Any]]:
        """Return the series' occurrences from now on, the earliest first, times in ``zone``."""
        now = clock.now()
        rows = self._view(_events(who).below("/{}/instances", series), now, now + HORIZON, act, {}, zone)
        return sorted(
            (row for row in rows if not row.get("isCancelled")), key=lambda row: str(row["start"]["dateTime"])
        )

    def _view(
        self, path: str, start: datetime, end: datetime, act: str, params: Mapping[str, Any], zone: str = "UTC"
    ) -> Any:
        window = {
            "startDateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endDateTime": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "$top": 500,
        }
        return graph_pages(self.graph, path, act=act, params={**window, **params}, headers=_in_zone(zone))


def _transaction(who: str, marker: str, salt: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{who.lower()} {marker} {salt}"))


def _events(who: str) -> UrlPath:
    return at("/users/{}/events", who)


def _in_zone(zone: str) -> dict[str, str]:
    return {"Prefer": f'{IMMUTABLE["Prefer"]}, outlook.timezone="{zone}"'}


def _zone(event: Mapping[str, Any]) -> str:
    zone = str(event.get("originalStartTimeZone") or "UTC")
    return "UTC" if zone.startswith("tzone://") else zone


def _point(moment: datetime) -> dict[str, str]:
    return {"dateTime": moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}


def _moment(point: Mapping[str, str]) -> datetime:
    """Return the moment of a ``dateTimeTimeZone`` that we have asked for in UTC."""
    return clock.parse(point["dateTime"])


def _original(row: Mapping[str, Any]) -> datetime:
    """Return the time that the rule of the series gives to this occurrence."""
    return clock.parse(row["originalStart"]) if row.get("originalStart") else _moment(row["start"])


def _pattern_date(row: Mapping[str, Any]) -> date:
    # For an occurrence that was moved, take the date that its rule gives.
    moved = row.get("type") == "exception" and row.get("originalStart")
    return date.fromisoformat(str(row["originalStart"] if moved else row["start"]["dateTime"])[:10])


def _without_join_link(body: Any) -> dict[str, Any]:
    """Return the body without the old meeting's Teams link, which stands between two lines of underscores."""
    kept: dict[str, Any] = dict(body or {"contentType": "html"})
    kept["content"] = re.sub(r"_{20,}.*?_{20,}", "", str(kept.get("content") or ""), flags=re.S)
    return kept


def _meeting(row: Mapping[str, Any]) -> Meeting:
    people = [
        (a["emailAddress"]["address"].lower(), (a.get("status") or {}).get("response"))
        for a in row.get("attendees") or ()
    ]
    series = row.get("seriesMasterId") or (row["id"] if row.get("type") == "seriesMaster" else "")
    return Meeting(
        id=series or row["id"],
        subject=row.get("subject") or "(no subject)",
        start=_moment(row["start"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        end=_moment(row["end"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        organizer=row["organizer"]["emailAddress"]["address"].lower(),
        attendees=tuple(address for address, _unused in people),
        responses={address: _RESPONSES.get(response or "", "none") for address, response in people},
        recurring=bool(series),
    )
