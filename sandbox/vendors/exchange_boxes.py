# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The mailboxes of the sandbox's Exchange, one a user, and how Graph speaks of them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.exchange_calendar import new_event, seeded, stamp
from sandbox.vendors.exchange_cmdlets import CAS
from sandbox.vendors.exchange_mail import folders_of
from sandbox.vendors.microsoft import Part, graph_error

#: Licences with a mailbox, and those of them that include holds.
_MAILBOX = {"SPE_E3", "SPE_E5", "ENTERPRISEPACK", "EXCHANGEENTERPRISE", "EXCHANGESTANDARD"}
_HOLD = _MAILBOX - {"EXCHANGESTANDARD"}
_SPACE = uuid.UUID("7d7a3f0a-6f9e-4a64-9f0b-0f3c3f9a5b10")


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = graph_error(status, code, message)


class Mailboxes(Part):
    """A mailbox per user's id. A mailbox appears with a licence, and goes with it unless it is shared."""

    def mailboxes(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return users with their mailboxes, those of new licences made on the way."""
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

    def name_of(self, user: Mapping[str, Any], box: Mapping[str, Any]) -> str:
        """Return the mailbox's unique name: its object id, since 2023; what it was called then, where it is older."""
        return str(box.get("name") or user["displayName"])

    def names(self, user: Mapping[str, Any], box: Mapping[str, Any]) -> set[str]:
        return {
            user["id"],
            user["userPrincipalName"].lower(),
            self.address(user),
            str(user.get("displayName")).lower(),
            self.name_of(user, box).lower(),
            box["guid"],
            *(box.get("aliases") or ()),
        }

    def _new(self, user: Mapping[str, Any]) -> dict[str, Any]:
        people = self.cloud.company.on_system("exchange")
        address = self.address(user)
        key = next((k for k, p in people.items() if p["email"] == address), "")
        others = [p["email"] for k, p in people.items() if k != key] or ["grace@corp.example"]
        now = datetime.now(timezone.utc)
        box = _empty_box(address)
        box["folders"] = folders_of(key, address, others) if key else folders_of("new", address, others)[:8]
        if not key:
            for folder in box["folders"]:
                folder["messages"] = []
        if key == "jane":
            box |= {"size": 31_000_000, "devices": [_phone()], "rules": _rules(box["folders"][0]["id"])}
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
            except Refusal as e:
                return e.reply
            if "immutableid" in call.headers.get("prefer", "").lower():
                reply.headers["Preference-Applied"] = 'IdType="ImmutableId"'
            return reply

        return handle

    def _paged(self, call: Call, rows: list[dict[str, Any]], default: int = 10, most: int = 1000) -> Reply:
        try:
            top, skip = int(call.query.get("$top", default)), int(call.query.get("$skip", "0"))
        except ValueError:
            raise Refusal(400, "ErrorInvalidUrlQuery", "The $top or $skip query option is not a number.") from None
        if not 1 <= top <= most:
            raise Refusal(400, "ErrorInvalidUrlQuery", f"Invalid $top value: it must be between 1 and {most}.")
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


def ids_of(item: Mapping[str, Any], place: str) -> tuple[str, str]:
    """Return the id that stays, and the one that changes when the item is moved."""
    return tuple(
        base64.urlsafe_b64encode(text.encode()).decode() for text in (f"I{item['id']}", f"R{place}{item['id']}")
    )  # type: ignore[return-value]


def shown_id(call: Call, item: Mapping[str, Any], place: str) -> str:
    return ids_of(item, place)[0 if "immutableid" in call.headers.get("prefer", "").lower() else 1]


def _empty_box(address: str) -> dict[str, Any]:
    return {
        "guid": str(uuid.uuid5(_SPACE, address)),
        "type": "UserMailbox",
        "forwarding": None,
        "forwarding_smtp": None,
        "keep": False,
        "hold": False,
        "hidden": False,
        "archive": "None",
        "size": 400_000,
        "delegates": [],
        "send_as": [],
        "on_behalf": [],
        "calendar_permissions": {},
        "calendars": {},
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
        "folders": [],
    }


def _phone() -> dict[str, Any]:
    return {
        "DeviceId": "ApplF2LJANE02",
        "Guid": str(uuid.uuid5(_SPACE, "device")),
        "DeviceModel": "iPhone16C1",
        "FriendlyName": "Jane's iPhone",
        "DeviceType": "iPhone",
        "ClientType": "EAS",
        "DeviceAccessState": "Allowed",
    }


def _rules(folder: str) -> list[dict[str, Any]]:
    """Return a rule that sends mail out of the company, and one that only sorts it into a folder."""
    return [
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
            "actions": {"moveToFolder": folder},
        },
    ]
