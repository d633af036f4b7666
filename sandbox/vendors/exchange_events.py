# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Calendars of the sandbox's Exchange, as Graph shows them."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.vendors.exchange_boxes import Mailboxes, Refusal
from sandbox.vendors.exchange_calendar import moment, new_event, occurrences, point, shown, zone_of

_PROPERTY = re.compile(r"^(String|Integer|Boolean|SystemTime) \{[0-9a-fA-F-]{36}\} (Name \S.*|Id 0x[0-9a-fA-F]+)$")
_FILTER = re.compile(
    r"^singleValueExtendedProperties/any\((\w+): ?\1/id eq '((?:[^']|'')*)' and \1/value eq '((?:[^']|'')*)'\)$", re.I
)


class CalendarOfGraph(Mailboxes):
    """Events, and who is free when."""

    def _window(self, call: Call) -> tuple[datetime, datetime]:
        given = {k.lower(): v for k, v in call.query.items()}
        try:
            start, end = (
                datetime.fromisoformat(given[k].replace("Z", "+00:00")) for k in ("startdatetime", "enddatetime")
            )
        except (KeyError, ValueError):
            raise Refusal(
                400,
                "ErrorInvalidParameter",
                "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
            ) from None
        if end - start > timedelta(days=1825):
            raise Refusal(400, "ErrorInvalidParameter", "The requested time window is more than 1825 days.")
        return start, end

    def _zone(self, call: Call) -> str:
        asked = re.search(r'outlook\.timezone="([^"]+)"', call.headers.get("prefer", ""))
        try:
            zone_of(asked.group(1) if asked else "UTC")
        except KeyError as e:
            raise Refusal(
                400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: {e}"
            ) from None
        return asked.group(1) if asked else "UTC"

    def calendar_view(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        start, end = self._window(call)
        rows = [row for event in box["events"].values() for row in occurrences(event, start, end)]
        return self._paged(
            call, [shown(row, self._zone(call)) for row in sorted(rows, key=lambda r: moment(r["start"]))]
        )

    def list_instances(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        event = self._event(call, box)
        if not event["recurrence"]:
            raise Refusal(
                400, "ErrorInvalidRequest", "Your request can't be completed. The event is not a series master."
            )
        start, end = self._window(call)
        return self._paged(call, [shown(row, self._zone(call)) for row in occurrences(event, start, end)])

    def list_events(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        rows, wanted = list(box["events"].values()), call.query.get("$filter")
        if wanted:
            match = _FILTER.match(wanted)
            if not match:
                raise Refusal(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
            name, value = (match.group(n).replace("''", "'") for n in (2, 3))
            rows = [
                e
                for e in rows
                if any(p["id"] == name and p["value"].lower() == value.lower() for p in e["_properties"])
            ]
        return self._paged(call, [shown(e, self._zone(call), call.query.get("$expand", "")) for e in rows])

    def get_event(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        return Reply(200, shown(self._event(call, box), self._zone(call), call.query.get("$expand", "")))

    def _event(self, call: Call, box: dict[str, Any]) -> dict[str, Any]:
        master, _, occurrence = call.args["event"].partition(".")
        event: dict[str, Any] | None = box["events"].get(master)
        if event is not None and occurrence:
            at = datetime.fromisoformat(occurrence.replace("Z", "+00:00"))
            event = next(
                (
                    row
                    for row in occurrences(event, at - timedelta(days=90), at + timedelta(days=90))
                    if row["id"] == call.args["event"]
                ),
                None,
            )
        if event is None:
            raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return event

    def _checked(self, body: Mapping[str, Any]) -> None:
        try:
            if "start" in body and "end" in body and moment(body["end"]) < moment(body["start"]):
                raise Refusal(
                    400,
                    "ErrorPropertyValidationFailure",
                    "At least one property failed validation: the end is before the start.",
                )
        except KeyError as e:
            raise Refusal(
                400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: {e}"
            ) from None
        for prop in body.get("singleValueExtendedProperties") or ():
            if not _PROPERTY.match(prop.get("id", "")):
                raise Refusal(
                    400,
                    "ErrorInvalidProperty",
                    f"The property '{prop.get('id')}' is not a valid extended property identifier.",
                )
        rule = (body.get("recurrence") or {}).get("range")
        if rule and (
            rule.get("type") not in ("endDate", "noEnd", "numbered")
            or not rule.get("startDate")
            or (rule["type"] == "endDate" and rule["endDate"] < rule["startDate"])
            or (rule["type"] == "numbered" and not rule.get("numberOfOccurrences"))
        ):
            raise Refusal(
                400, "ErrorPropertyValidationFailure", "At least one property failed validation: recurrence range."
            )

    def create_event(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        body = call.body
        if not body.get("start") or not body.get("end"):
            raise Refusal(
                400,
                "ErrorPropertyValidationFailure",
                "At least one property failed validation: start and end are required.",
            )
        self._checked(body)
        zone, transaction = self._zone(call), body.get("transactionId")
        same = next((e for e in box["events"].values() if transaction and e["transactionId"] == transaction), None)
        if same is not None:
            if (moment(same["start"]), same["subject"]) != (moment(body["start"]), body.get("subject")):
                raise Refusal(
                    409,
                    "ErrorDuplicateTransactionId",
                    "Your request can't be completed. The TransactionId specified in the request has already been used to create a different event.",
                )
            return Reply(201, shown(same, zone))
        event_id = f"AAMkAD{uuid.uuid4().hex}"
        event = new_event(event_id, f"040000008200E0{uuid.uuid4().hex.upper()}", body, self.address(user), own=True)
        box["events"][event_id] = event
        self._deliver(event)
        return Reply(201, shown(event, zone))

    def patch_event(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        event, body = self._event(call, box), call.body
        self._checked(body)
        if "organizer" in body or "isOrganizer" in body:
            raise Refusal(400, "ErrorPropertyValidationFailure", "The organizer of a meeting can't be changed.")
        if event.get("seriesMasterId"):
            master = box["events"][event["seriesMasterId"]]
            master["_exceptions"].setdefault(event["originalStart"], {}).update(
                {k: v for k, v in body.items() if k in ("subject", "start", "end", "location")}
            )
            event = self._event(call, box)
        else:
            event |= {k: v for k, v in body.items() if k in event}
            master = event
        if master["isOrganizer"]:
            self._deliver(master)
        return Reply(200, shown(event, self._zone(call)))

    def delete_event(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        self._remove(self._event(call, box), box)
        return Reply(204)

    def cancel_event(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        event = self._event(call, box)
        if not event["isOrganizer"]:
            raise Refusal(
                400,
                "ErrorInvalidRequest",
                "Your request can't be completed. You need to be an organizer to cancel a meeting.",
            )
        if not event["attendees"]:
            raise Refusal(
                400,
                "ErrorInvalidRequest",
                "Your request can't be completed. An appointment without attendees can't be cancelled.",
            )
        self._remove(event, box)
        return Reply(202)

    def _remove(self, event: dict[str, Any], box: dict[str, Any]) -> None:
        if event.get("seriesMasterId"):
            master = box["events"][event["seriesMasterId"]]
            master["_deleted"].append(event["originalStart"])
            if master["isOrganizer"]:
                self._deliver(master)
            return
        del box["events"][event["id"]]
        if event["isOrganizer"]:
            for other in self.state.values():
                for copied in other["events"].values():
                    if copied["iCalUId"] == event["iCalUId"]:
                        copied |= {"isCancelled": True, "subject": f"Canceled: {event['subject']}", "showAs": "free"}

    def list_calendars(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        """``calendars`` are further ones by id, each with ``name``, ``canShare`` and ``permissions``."""
        first = {"id": "AQMkFirst", "name": "Calendar", "isDefaultCalendar": True, "canShare": True}
        further = [
            {"id": key, "name": one["name"], "isDefaultCalendar": False, "canShare": one.get("canShare", True)}
            for key, one in box["calendars"].items()
        ]
        return self._paged(call, [first, *further])

    def _given(self, call: Call, box: dict[str, Any]) -> dict[str, str]:
        """Roles by address, in the calendar that the call names; the first, when it names none."""
        if "calendar" not in call.args:
            first: dict[str, str] = box["calendar_permissions"]
            return first
        further = box["calendars"].get(call.args["calendar"])
        if further is None:
            raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        given: dict[str, str] = further["permissions"]
        return given

    def list_permissions(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        """``calendar_permissions`` are roles by address; the company's own view is there always, and stays."""
        everybody = {
            "id": "RGVmYXVsdA==",
            "isRemovable": False,
            "isInsideOrganization": True,
            "role": "freeBusyRead",
            "allowedRoles": ["none", "freeBusyRead", "limitedRead", "read", "write"],
            "emailAddress": {"name": "My Organization"},
        }
        given = [
            {
                **everybody,
                "id": base64.b64encode(address.encode()).decode(),
                "isRemovable": True,
                "role": role,
                "emailAddress": {"name": address, "address": address},
            }
            for address, role in self._given(call, box).items()
        ]
        return self._paged(call, [everybody, *given])

    def add_calendar_permission(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        try:
            address, role = str(call.body["emailAddress"]["address"]), str(call.body["role"])
        except (KeyError, TypeError) as e:
            raise Refusal(400, "ErrorInvalidParameter", f"{e} is missing or not valid.") from None
        given = self._given(call, box)
        if address in given:
            raise Refusal(409, "ErrorPermissionAlreadyExists", "There is a permission for this user already.")
        given[address] = role
        return Reply(201, {"id": base64.b64encode(address.encode()).decode(), **call.body})

    def delete_permission(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        address = base64.b64decode(call.args["permission"]).decode()
        if self._given(call, box).pop(address, None) is None:
            raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return Reply(204)

    def get_schedule(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        body = {k[:1].lower() + k[1:]: v for k, v in call.body.items()}
        try:
            start, end = moment(body["startTime"]), moment(body["endTime"])
            asked, interval = body["schedules"], int(body.get("availabilityViewInterval", 30))
        except KeyError as e:
            raise Refusal(400, "ErrorInvalidParameter", f"{e} is missing or not valid.") from None
        if len(asked) > 20 or not 5 <= interval <= 1440 or end <= start or end - start > timedelta(days=62):
            raise Refusal(
                400,
                "ErrorInvalidParameter",
                "At most 20 schedules, an interval of 5 to 1440 minutes, and a window of up to 62 days.",
            )
        by_address = {self.address(u): b for u, b in self.mailboxes()}
        return Reply(
            200,
            {
                "value": [
                    self._schedule(address, by_address.get(address.lower()), start, end, interval) for address in asked
                ]
            },
        )

    def _schedule(
        self, address: str, box: dict[str, Any] | None, start: datetime, end: datetime, interval: int
    ) -> dict[str, Any]:
        if box is None:
            return {
                "scheduleId": address,
                "availabilityView": "",
                "scheduleItems": [],
                "error": {
                    "message": f"Unable to resolve e-mail address {address} to an Active Directory object.",
                    "responseCode": "ErrorMailRecipientNotFound",
                },
            }
        items = [
            row
            for event in box["events"].values()
            if event["showAs"] != "free" and not event["isCancelled"]
            for row in occurrences(event, start, end)
        ]
        slots = -(-(end - start) // timedelta(minutes=interval))
        view = "".join(
            "2"
            if any(
                moment(i["start"]) < start + timedelta(minutes=interval * (n + 1))
                and moment(i["end"]) > start + timedelta(minutes=interval * n)
                for i in items
            )
            else "0"
            for n in range(slots)
        )
        return {
            "scheduleId": address,
            "availabilityView": view,
            "scheduleItems": [
                {
                    "status": i["showAs"],
                    "isPrivate": False,
                    "subject": i["subject"],
                    "start": point(moment(i["start"])),
                    "end": point(moment(i["end"])),
                }
                for i in items
            ],
            "workingHours": {
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                "startTime": "08:00:00.0000000",
                "endTime": "17:00:00.0000000",
                "timeZone": {"name": "Pacific Standard Time"},
            },
        }
