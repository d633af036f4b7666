# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Calendar of the sandbox's Google Workspace."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.google_workspace_errors import error

if TYPE_CHECKING:
    from sandbox.vendors.google_workspace import GoogleWorkspace


def routes(google: GoogleWorkspace) -> list[tuple[str, str, Handler]]:
    calendar = _Calendar(google)
    events = "/calendar/v3/calendars/{calendar}/events"
    return [
        ("GET", events, calendar.list),
        ("POST", events, calendar.insert),
        ("DELETE", events + "/{id}", calendar.delete),
        ("POST", events + "/{id}/move", calendar.move),
        ("POST", "/calendar/v3/freeBusy", calendar.free_busy),
        ("GET", "/calendar/v3/users/me/calendarList", calendar.mine),
        ("POST", "/calendar/v3/calendars/{calendar}/transferOwnership", calendar.transfer),
        ("GET", "/calendar/v3/calendars/{calendar}/acl", calendar.rules),
        ("POST", "/calendar/v3/calendars/{calendar}/acl", calendar.share),
        ("DELETE", "/calendar/v3/calendars/{calendar}/acl/{rule}", calendar.unshare),
    ]


def _at(point: Any) -> datetime:
    return datetime.fromisoformat(point["dateTime"].replace("Z", "+00:00"))


class _Calendar:
    def __init__(self, google: GoogleWorkspace) -> None:
        self.google = google

    def _events(self, address: str) -> list[Any]:
        user = self.google.by_key(address)
        rows: list[Any] = self.google.state["events"].setdefault(user["id"], []) if user else []
        return rows

    def list(self, call: Call) -> Reply:
        rows = self._events(call.args["calendar"])
        mark = call.query.get("privateExtendedProperty", "")
        if mark:
            key, _, value = mark.partition("=")
            rows = [r for r in rows if r.get("extendedProperties", {}).get("private", {}).get(key) == value]
        if "timeMin" in call.query:
            begin = datetime.fromisoformat(call.query["timeMin"].replace("Z", "+00:00"))
            rows = [r for r in rows if _at(r["end"]) > begin]
        return self.google.page(call, rows, "items")

    def insert(self, call: Call) -> Reply:
        rows, body = self._events(call.args["calendar"]), call.body
        if any(r["id"] == body["id"] for r in rows):
            return error(409, "duplicate", "The requested identifier already exists.")
        attendees = [{**one, "responseStatus": "needsAction"} for one in body.get("attendees", ())]
        organizer = {"email": call.args["calendar"], "self": True}
        rows.append({**body, "status": "confirmed", "organizer": organizer, "attendees": attendees})
        return Reply(200, rows[-1])

    def delete(self, call: Call) -> Reply:
        rows = self._events(call.args["calendar"])
        found = next((r for r in rows if r["id"] == call.args["id"]), None)
        if found is None:
            return error(410, "deleted", "Resource has been deleted")
        rows.remove(found)
        return Reply(204)

    def move(self, call: Call) -> Reply:
        rows = self._events(call.args["calendar"])
        found = next((r for r in rows if r["id"] == call.args["id"]), None)
        there = self.google.by_key(call.query.get("destination", ""))
        if found is None or there is None:
            return error(404, "notFound", "Not Found")
        rows.remove(found)
        moved = {**found, "organizer": {"email": there["primaryEmail"], "self": True}}
        self.google.state["events"].setdefault(there["id"], []).append(moved)
        return Reply(200, moved)

    def free_busy(self, call: Call) -> Reply:
        calendars: dict[str, Any] = {}
        for one in call.body["items"]:
            if not self.google.by_key(one["id"]):
                calendars[one["id"]] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
                continue
            busy = [{"start": r["start"]["dateTime"], "end": r["end"]["dateTime"]} for r in self._events(one["id"])]
            calendars[one["id"]] = {"busy": busy}
        return Reply(200, {"kind": "calendar#freeBusy", "calendars": calendars})

    def mine(self, call: Call) -> Reply:
        """List what a person has as an owner: their own calendar, and those that they made or were made owners of."""
        email = call.headers["authorization"].partition("~")[2]
        own = {"id": email, "summary": email, "primary": True, "accessRole": "owner"}
        shared = [
            {"id": id, "summary": row["summary"], "accessRole": "owner", "dataOwner": row["dataOwner"]}
            for id, row in self.google.state["calendars"].items()
            if email in row["owners"]
        ]
        return self.google.page(call, [own, *shared], "items")

    def transfer(self, call: Call) -> Reply:
        calendar = self.google.state["calendars"].get(call.args["calendar"])
        there = self.google.by_key(call.query.get("newDataOwner", ""))
        if calendar is None or there is None or there["suspended"]:
            return error(404, "notFound", "Not Found")
        if call.query.get("useAdminAccess") != "true":
            return error(403, "forbidden", "Only the data owner or an administrator may do so")
        calendar["dataOwner"] = there["primaryEmail"]
        calendar["owners"] = sorted({*calendar["owners"], there["primaryEmail"]})
        return Reply(204)  # it answers nothing

    def _shared(self, number: str) -> dict[str, str]:
        """Return who may do what in a calendar, by address: whoever is among its owners, and its further rules."""
        whose = self.google.state["calendars"].get(number, {}).get("owners", (number.lower(),))
        rules: dict[str, str] = self.google.state["acl"].get(number, {})
        return {**dict.fromkeys(whose, "owner"), **rules}

    def rules(self, call: Call) -> Reply:
        rows = [_rule(who, role) for who, role in self._shared(call.args["calendar"]).items()]
        return self.google.page(call, rows, "items")

    def share(self, call: Call) -> Reply:
        who, role = call.body["scope"]["value"], call.body["role"]
        self.google.state["acl"].setdefault(call.args["calendar"], {})[who] = role
        return Reply(200, _rule(who, role))

    def unshare(self, call: Call) -> Reply:
        number, who = call.args["calendar"], call.args["rule"].removeprefix("user:")
        if who not in self._shared(number):
            return error(404, "notFound", "Not Found")
        calendar = self.google.state["calendars"].get(number, {})
        if calendar.get("dataOwner") == who:
            return error(403, "cannotChangeOwnAcl", "Cannot change your own access level.")
        self.google.state["acl"].get(number, {}).pop(who, None)
        if calendar:
            calendar["owners"] = [one for one in calendar["owners"] if one != who]
        return Reply(204)


def _rule(who: str, role: str) -> dict[str, Any]:
    return {"kind": "calendar#aclRule", "id": f"user:{who}", "role": role, "scope": {"type": "user", "value": who}}
