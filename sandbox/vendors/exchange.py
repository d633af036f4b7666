# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange Online in the sandbox: the admin API, and Graph's mail, settings and calendars, over one set of mailboxes."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.exchange_admin import CAS, Cmdlets
from sandbox.vendors.exchange_calendar import moment, new_event, occurrences, point, seeded, shown, stamp, zone_of
from sandbox.vendors.exchange_mail import folders_of, mime
from sandbox.vendors.microsoft import Part, graph_error

#: Licences with a mailbox, and those of them that include holds.
_MAILBOX = {"SPE_E3", "SPE_E5", "ENTERPRISEPACK", "EXCHANGEENTERPRISE", "EXCHANGESTANDARD"}
_HOLD = _MAILBOX - {"EXCHANGESTANDARD"}
_SPACE = uuid.UUID("7d7a3f0a-6f9e-4a64-9f0b-0f3c3f9a5b10")
_PROPERTY = re.compile(r"^(String|Integer|Boolean|SystemTime) \{[0-9a-fA-F-]{36}\} (Name \S.*|Id 0x[0-9a-fA-F]+)$")
_FILTER = re.compile(
    r"^singleValueExtendedProperties/any\((\w+): ?\1/id eq '((?:[^']|'')*)' and \1/value eq '((?:[^']|'')*)'\)$", re.I
)


class _Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = graph_error(status, code, message)


class ExchangePart(Part):
    """The state: a mailbox per user's id. A mailbox appears with a licence, and goes with it unless it is shared."""

    name = "exchange"
    READING_POSTS = (r"/calendar/(microsoft\.graph\.)?getSchedule$",)

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        # Every cmdlet goes to one path
        cloud.READING_BODIES = (*cloud.READING_BODIES, (r"/InvokeCommand$", rb'"CmdletName":\s*"Get-'))
        self.warnings: list[str] = []
        self.admin_page = 1000
        self.cmdlets = Cmdlets(self)

    def seed(self) -> Any:
        self.cloud.state[self.name] = {}
        self.mailboxes()
        return self.state

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "exchange": self.cloud.system(
                "exchange", options={"authority": self.cloud.url, "exchange_url": self.cloud.url}
            )
        }

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        user = "/v1.0/users/{user}"
        graph: list[tuple[str, str, Callable[[Call, dict[str, Any], dict[str, Any]], Reply]]] = [
            ("GET", "/mailboxSettings", self.get_settings),
            ("PATCH", "/mailboxSettings", self.patch_settings),
            ("GET", "/mailFolders", self.list_folders),
            ("GET", "/mailFolders/{folder}", self.get_folder),
            ("GET", "/mailFolders/{folder}/childFolders", self.list_folders),
            ("GET", "/mailFolders/{folder}/messages", self.list_messages),
            ("GET", "/mailFolders/{folder}/messageRules", self.list_rules),
            ("PATCH", "/mailFolders/{folder}/messageRules/{rule}", self.patch_rule),
            ("DELETE", "/mailFolders/{folder}/messageRules/{rule}", self.delete_rule),
            ("GET", "/messages/{message}/$value", self.get_mime),
            ("GET", "/calendarView", self.calendar_view),
            ("GET", "/events", self.list_events),
            ("POST", "/events", self.create_event),
            ("GET", "/events/{event}", self.get_event),
            ("PATCH", "/events/{event}", self.patch_event),
            ("DELETE", "/events/{event}", self.delete_event),
            ("GET", "/events/{event}/instances", self.list_instances),
            ("POST", "/events/{event}/cancel", self.cancel_event),
            ("POST", "/events/{event}/microsoft.graph.cancel", self.cancel_event),
            ("POST", "/calendar/getSchedule", self.get_schedule),
            ("POST", "/calendar/microsoft.graph.getSchedule", self.get_schedule),
        ]
        return [
            ("POST", "/adminapi/beta/{tenant}/InvokeCommand", self.cmdlets.invoke),
            *((method, user + path, self._graph(handler)) for method, path, handler in graph),
        ]

    # -- mailboxes -----------------------------------------------------------------------------------------------------

    def mailboxes(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Users with their mailboxes, those of new licences made on the way."""
        rows, known = [], len(self.state)
        for user in self.cloud.users():
            # the mailbox of somebody synchronised from on-premises may be there still
            elsewhere = user.get("onPremisesSyncEnabled") and user["id"] not in self.state
            licensed = bool(self._licences(user) & _MAILBOX) and not elsewhere
            if licensed and user["id"] not in self.state:
                self.state[user["id"]] = self._new(user)
            box = self.state.get(user["id"])
            if box and (licensed or box["type"] == "SharedMailbox"):
                rows.append((user, box))
        if len(self.state) > known:
            self._invite()
        return rows

    def mailbox_of(self, address: str) -> dict[str, Any]:
        """For tests: a mailbox by address or login."""
        return next(box for user, box in self.mailboxes() if address.lower() in self.names(user, box))

    def answer(self, organizer: str, subject: str, attendee: str, response: str) -> None:
        """For tests: an attendee answers an invitation (``accepted``, ``declined``, ``tentativelyAccepted``)."""
        for event in self.mailbox_of(organizer)["events"].values():
            if event["subject"] == subject and event["isOrganizer"]:
                for person in event["attendees"]:
                    if person["emailAddress"]["address"].lower() == attendee.lower():
                        person["status"] = {"response": response, "time": stamp(datetime.now(timezone.utc))}

    def _licences(self, user: Mapping[str, Any]) -> set[str]:
        return set(self.cloud.licences(user["id"]))

    def may_hold(self, user: Mapping[str, Any]) -> bool:
        return bool(self._licences(user) & _HOLD)

    def user_of(self, user_id: str) -> dict[str, Any]:
        found: dict[str, Any] = next(u for u in self.cloud.users() if u["id"] == user_id)
        return found

    def address(self, user: Mapping[str, Any]) -> str:
        return str(user.get("mail") or user["userPrincipalName"]).lower()

    def names(self, user: Mapping[str, Any], box: Mapping[str, Any]) -> set[str]:
        return {
            user["id"],
            user["userPrincipalName"].lower(),
            self.address(user),
            str(user.get("displayName")).lower(),
            box["guid"],
            *(box.get("aliases") or ()),
        }

    def _new(self, user: Mapping[str, Any]) -> dict[str, Any]:
        people = self.cloud.company.on_system("exchange")
        address = self.address(user)
        key = next((k for k, p in people.items() if p["email"] == address), "")
        others = [p["email"] for k, p in people.items() if k != key] or ["grace@corp.example"]
        now = datetime.now(timezone.utc)
        box: dict[str, Any] = {
            "guid": str(uuid.uuid5(_SPACE, address)),
            "type": "UserMailbox",
            "forwarding": None,
            "forwarding_smtp": None,
            "keep": False,
            "hold": False,
            "hidden": False,
            "archive": "None",
            "size": 31_000_000 if key == "jane" else 400_000,
            "delegates": [],
            "cas": dict(CAS),
            "devices": [],
            "rules": [],
            "events": {},
            "reply": {
                "status": "disabled",
                "externalAudience": "all",
                "internalReplyMessage": "",
                "externalReplyMessage": "",
            },
            "folders": folders_of(key or "new", address, others) if key else folders_of("new", address, others)[:8],
        }
        if not key:
            for folder in box["folders"]:
                folder["messages"] = []
        if key == "jane":
            box["devices"] = [
                {
                    "DeviceId": "ApplF2LJANE02",
                    "Guid": str(uuid.uuid5(_SPACE, "device")),
                    "DeviceModel": "iPhone16C1",
                    "FriendlyName": "Jane's iPhone",
                    "DeviceType": "iPhone",
                    "ClientType": "EAS",
                    "DeviceAccessState": "Allowed",
                }
            ]
            box["rules"] = [
                {
                    "id": "AQAAAJ5dZp8=",
                    "displayName": "Keep a copy at home",
                    "sequence": 1,
                    "isEnabled": True,
                    "hasError": False,
                    "isReadOnly": False,
                    "conditions": {},
                    "actions": {
                        "forwardTo": [{"emailAddress": {"name": "me", "address": "jane.private@mail.example"}}],
                        "stopProcessingRules": False,
                    },
                },
                {
                    "id": "AQAAAJ5dZp9=",
                    "displayName": "Builds",
                    "sequence": 2,
                    "isEnabled": True,
                    "hasError": False,
                    "isReadOnly": False,
                    "conditions": {"subjectContains": ["build"]},
                    "actions": {"moveToFolder": box["folders"][0]["id"]},
                },
            ]
        addresses = {k: p["email"] for k, p in people.items()}
        for n, body in enumerate(seeded(key, addresses, now)):
            event_id = f"AAMkAD{uuid.uuid5(_SPACE, f'{key} event {n}').hex}"
            box["events"][event_id] = new_event(
                event_id, f"040000008200E0{uuid.uuid5(_SPACE, f'{key} ical {n}').hex.upper()}", body, address, own=True
            )
        return box

    def _invite(self) -> None:
        """Copies of what is in calendars already, once a seeded attendee's or organizer's mailbox is there."""
        for box in list(self.state.values()):
            for event in list(box["events"].values()):
                if event["isOrganizer"]:
                    self._deliver(event)

    def _deliver(self, event: Mapping[str, Any]) -> None:
        """The attendees' copies of a meeting, as it is now."""
        invited = {a["emailAddress"]["address"].lower() for a in event["attendees"]}
        for user in self.cloud.users():
            box = self.state.get(user["id"])
            if box is None or self.address(user) not in invited:
                continue
            held = next((e for e in box["events"].values() if e["iCalUId"] == event["iCalUId"]), None)
            copy_id = held["id"] if held else f"AAMkAD{uuid.uuid4().hex}"
            fresh = new_event(
                copy_id,
                event["iCalUId"],
                {k: v for k, v in event.items() if k not in ("id", "iCalUId", "transactionId", "_properties")},
                event["organizer"]["emailAddress"]["address"],
                own=False,
            )
            fresh |= {
                "_zone": event["_zone"],
                "_deleted": list(event["_deleted"]),
                "_exceptions": dict(event["_exceptions"]),
            }
            box["events"][copy_id] = fresh

    # -- Graph ---------------------------------------------------------------------------------------------------------

    def _graph(self, handler: Callable[[Call, dict[str, Any], dict[str, Any]], Reply]) -> Handler:
        def handle(call: Call) -> Reply:
            name = call.args["user"].lower()
            user = self.cloud.user(name)
            if user is None:
                return graph_error(
                    404,
                    "Request_ResourceNotFound" if "-" in name else "ErrorInvalidUser",
                    f"The requested user '{name}' is invalid.",
                )
            box = next((b for u, b in self.mailboxes() if u["id"] == user["id"]), None)
            if box is None:
                return graph_error(
                    404,
                    "MailboxNotEnabledForRESTAPI",
                    "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
                )
            try:
                reply = handler(call, user, box)
            except _Refusal as e:
                return e.reply
            if "immutableid" in call.headers.get("prefer", "").lower():
                reply.headers["Preference-Applied"] = 'IdType="ImmutableId"'
            return reply

        return handle

    def _paged(self, call: Call, rows: list[dict[str, Any]], default: int = 10, most: int = 1000) -> Reply:
        try:
            top, skip = int(call.query.get("$top", default)), int(call.query.get("$skip", "0"))
        except ValueError:
            raise _Refusal(400, "ErrorInvalidUrlQuery", "The $top or $skip query option is not a number.") from None
        if not 1 <= top <= most:
            raise _Refusal(400, "ErrorInvalidUrlQuery", f"Invalid $top value: it must be between 1 and {most}.")
        chosen = [name for name in call.query.get("$select", "").split(",") if name]
        page = [
            {
                k: v
                for k, v in row.items()
                if not chosen or k in chosen or k.startswith("@") or k in ("id", "singleValueExtendedProperties")
            }
            for row in rows[skip : skip + top]
        ]
        body: dict[str, Any] = {
            "@odata.context": f"{self.cloud.url}/v1.0/$metadata#{call.path.rpartition('/')[2]}",
            "value": page,
        }
        if skip + top < len(rows):
            body["@odata.nextLink"] = f"{self.cloud.url}{call.path}?{urlencode({**call.query, '$skip': skip + top})}"
        return Reply(200, body)

    # -- settings and rules --------------------------------------------------------------------------------------------

    def get_settings(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        purpose = {
            "UserMailbox": "user",
            "SharedMailbox": "shared",
            "RoomMailbox": "room",
            "EquipmentMailbox": "equipment",
        }[box["type"]]
        return Reply(
            200,
            {"automaticRepliesSetting": box["reply"], "timeZone": "W. Europe Standard Time", "userPurpose": purpose},
        )

    def patch_settings(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        reply = call.body.get("automaticRepliesSetting") or {}
        if reply.get("status", "disabled") not in ("disabled", "alwaysEnabled", "scheduled") or reply.get(
            "externalAudience", "all"
        ) not in ("none", "contactsOnly", "all"):
            raise _Refusal(400, "RequestBodyRead", "Requested value was not found.")
        for key, value in reply.items():
            # the service keeps a reply as a page of its own
            box["reply"][key] = (
                f"<html>\n<body>\n{value}\n</body>\n</html>\n"
                if key.endswith("ReplyMessage") and value and "<html" not in value
                else value
            )
        return self.get_settings(call, user, box)

    def list_rules(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        return self._paged(call, box["rules"], default=100)

    def patch_rule(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        rule = self._rule(call, box)
        rule |= {
            k: v for k, v in call.body.items() if k in ("isEnabled", "displayName", "sequence", "conditions", "actions")
        }
        return Reply(200, rule)

    def delete_rule(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        box["rules"].remove(self._rule(call, box))
        return Reply(204)

    def _rule(self, call: Call, box: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] | None = next((r for r in box["rules"] if r["id"] == call.args["rule"]), None)
        if found is None:
            raise _Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    # -- mail ----------------------------------------------------------------------------------------------------------

    def _folder(self, call: Call, box: dict[str, Any]) -> dict[str, Any]:
        name = call.args["folder"]
        found: dict[str, Any] | None = next(
            (f for f in box["folders"] if name in _ids(f, "") or name.lower() == f["kind"]), None
        )
        if found is None:
            raise _Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    def _shown_folder(self, call: Call, box: dict[str, Any], folder: dict[str, Any]) -> dict[str, Any]:
        row = {
            "id": _shown_id(call, folder, ""),
            "displayName": folder["displayName"],
            "parentFolderId": folder["parent"] or "root",
            "isHidden": folder["isHidden"],
            "childFolderCount": sum(f["parent"] == folder["id"] for f in box["folders"]),
            "totalItemCount": len(folder["messages"]),
            "unreadItemCount": 0,
        }
        return row | ({"@odata.type": "#microsoft.graph.mailSearchFolder"} if folder["kind"] == "search" else {})

    def list_folders(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        parent = self._folder(call, box)["id"] if "folder" in call.args else ""
        hidden = call.query.get("includeHiddenFolders", "").lower() == "true"
        return self._paged(
            call,
            [
                self._shown_folder(call, box, f)
                for f in box["folders"]
                if f["parent"] == parent and (hidden or not f["isHidden"])
            ],
        )

    def get_folder(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        return Reply(200, self._shown_folder(call, box, self._folder(call, box)))

    def list_messages(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        folder = self._folder(call, box)
        return self._paged(
            call,
            [
                {
                    "@odata.etag": f'W/"{m["id"][:8]}"',
                    "id": _shown_id(call, m, folder["id"]),
                    "receivedDateTime": m["at"],
                    "createdDateTime": m["at"],
                    "subject": m["subject"],
                    "hasAttachments": bool(m["attachment"]),
                    "isRead": True,
                }
                for m in reversed(folder["messages"])
            ],
        )

    def get_mime(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        for folder in box["folders"]:
            for message in folder["messages"]:
                if call.args["message"] in _ids(message, folder["id"]):
                    return Reply(200, mime(message), {"content-type": "text/plain"})
        raise _Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")

    # -- calendars -----------------------------------------------------------------------------------------------------

    def _window(self, call: Call) -> tuple[datetime, datetime]:
        given = {k.lower(): v for k, v in call.query.items()}
        try:
            start, end = (
                datetime.fromisoformat(given[k].replace("Z", "+00:00")) for k in ("startdatetime", "enddatetime")
            )
        except (KeyError, ValueError):
            raise _Refusal(
                400,
                "ErrorInvalidParameter",
                "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
            ) from None
        if end - start > timedelta(days=1825):
            raise _Refusal(400, "ErrorInvalidParameter", "The requested time window is more than 1825 days.")
        return start, end

    def _zone(self, call: Call) -> str:
        asked = re.search(r'outlook\.timezone="([^"]+)"', call.headers.get("prefer", ""))
        try:
            zone_of(asked.group(1) if asked else "UTC")
        except KeyError as e:
            raise _Refusal(
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
            raise _Refusal(
                400, "ErrorInvalidRequest", "Your request can't be completed. The event is not a series master."
            )
        start, end = self._window(call)
        return self._paged(call, [shown(row, self._zone(call)) for row in occurrences(event, start, end)])

    def list_events(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        rows, wanted = list(box["events"].values()), call.query.get("$filter")
        if wanted:
            match = _FILTER.match(wanted)
            if not match:
                raise _Refusal(
                    400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes."
                )
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
            raise _Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return event

    def _checked(self, body: Mapping[str, Any]) -> None:
        try:
            if "start" in body and "end" in body and moment(body["end"]) < moment(body["start"]):
                raise _Refusal(
                    400,
                    "ErrorPropertyValidationFailure",
                    "At least one property failed validation: the end is before the start.",
                )
        except KeyError as e:
            raise _Refusal(
                400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: {e}"
            ) from None
        for prop in body.get("singleValueExtendedProperties") or ():
            if not _PROPERTY.match(prop.get("id", "")):
                raise _Refusal(
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
            raise _Refusal(
                400, "ErrorPropertyValidationFailure", "At least one property failed validation: recurrence range."
            )

    def create_event(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        body = call.body
        if not body.get("start") or not body.get("end"):
            raise _Refusal(
                400,
                "ErrorPropertyValidationFailure",
                "At least one property failed validation: start and end are required.",
            )
        self._checked(body)
        zone, transaction = self._zone(call), body.get("transactionId")
        same = next((e for e in box["events"].values() if transaction and e["transactionId"] == transaction), None)
        if same is not None:
            if (moment(same["start"]), same["subject"]) != (moment(body["start"]), body.get("subject")):
                raise _Refusal(
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
            raise _Refusal(400, "ErrorPropertyValidationFailure", "The organizer of a meeting can't be changed.")
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
            raise _Refusal(
                400,
                "ErrorInvalidRequest",
                "Your request can't be completed. You need to be an organizer to cancel a meeting.",
            )
        if not event["attendees"]:
            raise _Refusal(
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

    def get_schedule(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        body = {k[:1].lower() + k[1:]: v for k, v in call.body.items()}
        try:
            start, end = moment(body["startTime"]), moment(body["endTime"])
            asked, interval = body["schedules"], int(body.get("availabilityViewInterval", 30))
        except KeyError as e:
            raise _Refusal(400, "ErrorInvalidParameter", f"{e} is missing or not valid.") from None
        if len(asked) > 20 or not 5 <= interval <= 1440 or end <= start or end - start > timedelta(days=62):
            raise _Refusal(
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


def _ids(item: Mapping[str, Any], place: str) -> tuple[str, str]:
    """The id that stays, and the one that changes when the item is moved."""
    return tuple(
        base64.urlsafe_b64encode(text.encode()).decode() for text in (f"I{item['id']}", f"R{place}{item['id']}")
    )  # type: ignore[return-value]


def _shown_id(call: Call, item: Mapping[str, Any], place: str) -> str:
    return _ids(item, place)[0 if "immutableid" in call.headers.get("prefer", "").lower() else 1]
