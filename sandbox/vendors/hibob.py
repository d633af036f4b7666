# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HiBob (Bob), API v1: people search and read, lifecycle table, webhooks v2. Answers as apidocs.hibob.com says.

apidocs.hibob.com/docs/people-read-api-contract: no paging of people, fields that one may not see are left out without a word, keys
with slashes beside nested ones. The rows of /bulk/people/lifecycle are flat with ``employeeId`` (their exact shape is not public).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.hr_webhooks import Act, HrSystem, Subscription, only

#: Fields of this company, by category.
FIELDS = (
    "root.id",
    "root.email",
    "root.firstName",
    "root.surname",
    "root.displayName",
    "root.fullName",
    "work.title",
    "work.department",
    "work.site",
    "work.startDate",
    "work.reportsTo",
    "work.employeeIdInCompany",
    "internal.status",
    "internal.lifecycleStatus",
    "internal.terminationDate",
    "home.privateEmail",
    "home.mobilePhone",
    "address.country",
    "payroll.employment.type",
    "work.custom.github",
    "work.custom.timeZone",
)
#: Lists: the machine gets an item's id, people its name.
LISTS = ("work.title", "work.department", "work.site")
#: What HR enters; the rest Bob works out from the lifecycle table.
_OWN = tuple(name for name in FIELDS if not name.startswith("internal.") and name != "root.fullName")
INACTIVE = ("terminated", "garden leave", "parental leave", "sick leave", "hired")
OURS = {
    "email": "root.email",
    "first_name": "root.firstName",
    "last_name": "root.surname",
    "title": "work.title",
    "department": "work.department",
    "location": "work.site",
    "country": "address.country",
    "personal_email": "home.privateEmail",
    "manager": "work.reportsTo",
    "time_zone": "work.custom.timeZone",
    "hire_date": "work.startDate",
}


class HiBob(HrSystem):
    """``state["people"]`` by id, fields by their names; ``state["lifecycle"]`` rows by id; ``state["hidden"]`` fields; ``state["left"]`` calls until 429."""

    name = "hibob"
    READING_POSTS = (r"^/v1/people/",)
    #: docs/getting-started-with-partner-webhooks: 1, 10, 20, 40, 80, 160 minutes.
    GAPS = (0, 1, 10, 20, 40, 80, 160)

    def seed(self) -> Any:
        people: dict[str, dict[str, Any]] = {}
        lifecycle: dict[str, list[dict[str, Any]]] = {}
        for person in self.company.people.values():
            if person.get("contractor"):
                continue
            key = _id(person["hr_id"])
            manager = self.company.people[person["manager"]] if person.get("manager") else None
            people[key] = {
                "root.id": key,
                "root.email": person["email"],
                "root.firstName": person["first_name"],
                "root.surname": person["last_name"],
                "root.displayName": f"{person['first_name']} {person['last_name']}",
                "work.title": person["title"],
                "work.department": person["department"],
                "work.site": person["location"],
                "work.startDate": str(person["hire_date"]),
                "work.employeeIdInCompany": person["employee_id"],
                "work.reportsTo": _id(manager["hr_id"]) if manager else None,
                "home.privateEmail": person.get("personal_email"),
                "home.mobilePhone": person.get("mobile_phone"),
                "address.country": person["country"],
                "payroll.employment.type": "permanent",
                "work.custom.github": (person.get("logins") or {}).get("github"),
                "work.custom.timeZone": person.get("time_zone"),
            }
            lifecycle[key] = [_row(1, str(person["hire_date"]), "employed")]
            if person.get("termination_date"):
                lifecycle[key].append(_row(2, str(person["termination_date"]), "terminated"))
        return {"people": people, "lifecycle": lifecycle, "hidden": [], "left": None}

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("POST", "/v1/people/search", self._search),
            ("POST", "/v1/people/{id}", self._person),
            ("PUT", "/v1/people/{id}", self._update),
            ("PUT", "/v1/people/{id}/email", self._change_email),
            ("GET", "/v1/people/{id}/lifecycle", self._lifecycle),
            ("GET", "/v1/bulk/people/lifecycle", self._bulk),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "hibob": {
                "connector": "hibob",
                "url": self.url,
                "owner": "hr@corp.example",
                "credentials": {"service_user_id": "SERVICE-1", "service_user_token": self.secret("token")},
                "options": {"fields": {"github": "work.custom.github", "time_zone": "work.custom.timeZone"}},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        try:
            user = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if scheme.lower() != "basic" or user != f"SERVICE-1:{self.secret('token')}":
            return Reply(401, {"error": "Unauthorized"})
        if self.state["left"] is not None:
            if self.state["left"] <= 0:
                self.state["left"] = None
                headers = {
                    "X-RateLimit-Limit": "50",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": str(int(time.time())),
                }
                return Reply(429, {"error": "Too Many Requests"}, headers)
            self.state["left"] -= 1
        return None

    # -- paths ---------------------------------------------------------------------------------------------------------

    def _search(self, call: Call) -> Reply:
        body = call.body if isinstance(call.body, dict) else {}
        fields, filters = body.get("fields") or [], body.get("filters") or []
        if len(fields) > 400 or len(filters) > 1 or body.get("humanReadable", "") not in ("", "APPEND", "REPLACE"):
            return _refusal("Request has invalid parameters")
        keys = list(self.state["people"])
        for one in filters:
            if (
                one.get("fieldPath") not in ("root.id", "root.email")
                or one.get("operator") != "equals"
                or not isinstance(one.get("values"), list)
            ):
                return _refusal("filters: only root.id or root.email, operator equals, with values")
            keys = [key for key in keys if self.state["people"][key][one["fieldPath"]] in one["values"]]
        if not body.get("showInactive"):
            keys = [key for key in keys if self._values(key)["internal.status"] == "Active"]
        return Reply(200, {"employees": [self._shown(key, fields, body.get("humanReadable", "")) for key in keys]})

    def _person(self, call: Call) -> Reply:
        sought, body = call.args["id"], call.body if isinstance(call.body, dict) else {}
        key = next((key for key, person in self.state["people"].items() if sought in (key, person["root.email"])), "")
        return (
            Reply(200, self._shown(key, body.get("fields") or [], body.get("humanReadable", "")))
            if key
            else Reply(404, {"error": "Employee not found"})
        )

    def _update(self, call: Call) -> Reply:
        """docs/update-employee-data: fields as they are read, nested; the e-mail has a path of its own."""
        if call.args["id"] not in self.state["people"]:
            return Reply(404, {"error": "Employee not found"})
        edits = _flattened(call.body if isinstance(call.body, dict) else {})
        if not edits or set(edits) - set(FIELDS) or "root.email" in edits:
            return _refusal("Request has invalid parameters")
        if "edit" in self.state["hidden"]:
            return Reply(403, {"error": "Forbidden"})
        self.change(call.args["id"], **edits)
        return Reply(200)

    def _change_email(self, call: Call) -> Reply:
        body = call.body if isinstance(call.body, dict) else {}
        if call.args["id"] not in self.state["people"]:
            return Reply(404, {"error": "Employee not found"})
        if set(body) != {"email"} or "@" not in str(body["email"]):
            return _refusal("Request has invalid parameters")
        if "edit" in self.state["hidden"]:
            return Reply(403, {"error": "Forbidden"})
        self.change(call.args["id"], **{"root.email": body["email"]})
        return Reply(200)

    def _lifecycle(self, call: Call) -> Reply:
        rows = self.state["lifecycle"].get(call.args["id"])
        if "lifecycle" in self.state["hidden"]:
            return Reply(403, {"error": "Forbidden"})
        return (
            Reply(404, {"error": "Employee not found"})
            if rows is None
            else Reply(200, {"values": [self._current(row, rows) for row in rows]})
        )

    def _bulk(self, call: Call) -> Reply:
        if "lifecycle" in self.state["hidden"]:
            return Reply(403, {"error": "Forbidden"})
        limit = call.query.get("limit", "50")
        if not limit.isdigit() or not 1 <= int(limit) <= 200:
            return _refusal("limit: 1 to 200")
        wanted = [key for key in call.query.get("employeeIds", "").split(",") if key]
        rows = [
            {"employeeId": key, **self._current(row, mine)}
            for key, mine in sorted(self.state["lifecycle"].items())
            if not wanted or key in wanted
            for row in mine
        ]
        try:
            start = int(base64.urlsafe_b64decode(call.query["cursor"])) if call.query.get("cursor") else 0
        except (ValueError, binascii.Error):
            return _refusal("cursor: not one of ours")
        end = start + int(limit)
        cursor = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(rows) else None
        return Reply(200, {"results": rows[start:end], "response_metadata": {"next_cursor": cursor}})

    # -- what HR people do ---------------------------------------------------------------------------------------------

    def change(self, key: str, **values: Any) -> None:
        """Edit fields, by their names with a dot as ``__`` (``work__title``) or as they are."""
        edits = {name.replace("__", "."): value for name, value in values.items()}
        self.state["people"][key].update(edits)
        updates = [{"id": name, "value": value} for name, value in edits.items()]
        self._send("employee.updated", key, fieldUpdates=updates)

    def enter(self, key: str, day: str, status: str) -> None:
        """A row of the lifecycle table. What is dated later is told at its midnight."""
        rows = self.state["lifecycle"][key]
        rows.append(_row(1 + max((int(row["id"]) for row in rows), default=0), day, status))
        self._send("table.entry.created", key, tableId="lifecycle")
        if day <= _today():
            self._takes_effect(key, status)

    def withdraw(self, key: str) -> None:
        """Delete the last row. Nothing is sent for it (docs/employee-data-webhooks)."""
        self.state["lifecycle"][key].pop()

    def edits_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        edits = {OURS.get(name, name): value for name, value in values.items()}
        unknown = sorted(set(edits) - set(FIELDS))
        if unknown:
            raise LookupError(f"no field {', '.join(unknown)}; there are {', '.join([*OURS, *FIELDS])}")
        return edits

    def acts(self) -> Mapping[str, Act]:
        return {
            "terminate": lambda key, day, edits: self.enter(key, day, "terminated"),
            "leave": lambda key, day, edits: self.enter(key, day, "parental leave"),
            "return": lambda key, day, edits: self.enter(key, day, "employed"),
            "rehire": self._rehire,
            "withdraw": lambda key, day, edits: self.withdraw(key),
            "change": lambda key, day, edits: self.change(key, **edits),
            "start": lambda key, day, edits: self.change(key, **{"work.startDate": day}),
            "hire": self._hire,
            "delete": self._delete,
            "midnight": self._midnight,
            "revoke": lambda key, day, edits: self._send("employee.access.revoked.immediately", key),
        }

    def _rehire(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        self.state["people"][key]["work.startDate"] = day
        self.enter(key, day, "employed")

    def _hire(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        new = str(1 + max(int(one) for one in self.state["people"]))
        self.state["people"][new] = {**dict.fromkeys(_OWN), **edits, "root.id": new, "work.startDate": day}
        self.state["lifecycle"][new] = [_row(1, day, "employed")]
        self._send("employee.created", new)

    def _delete(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        self.state["people"].pop(key)
        self.state["lifecycle"].pop(key)
        self._send("employee.deleted", key)

    def _midnight(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        for one, rows in self.state["lifecycle"].items():
            for row in rows:
                if row["effectiveDate"] == day:
                    self._takes_effect(one, row["status"])

    def key_of(self, user: str) -> str:
        sought = user.casefold()
        return only(
            [
                key
                for key, p in self.state["people"].items()
                if sought in (key, str(p["root.email"]).casefold(), str(p["work.employeeIdInCompany"]).casefold())
            ],
            user,
        )

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def signed(self, content: bytes, key: str) -> Mapping[str, str]:
        """docs/working-with-webhooks: base64 of HMAC-SHA512 of the body."""
        return {"Bob-Signature": base64.b64encode(hmac.new(key.encode(), content, hashlib.sha512).digest()).decode()}

    def subscribe(self, url: str, key: str, **how: Any) -> Subscription:
        """Return a new webhook is pinged, with a text and with an object (docs/working-with-webhooks)."""
        made = super().subscribe(url, key, **how)
        for ping in ("Ping test", {"text": "Ping test"}):
            self.send(made, ping, "ping")
        return made

    def _takes_effect(self, key: str, status: str) -> None:
        for event in {
            "terminated": ("employee.left", "employee.inactivated"),
            "garden leave": ("employee.left", "employee.inactivated"),
            "employed": ("employee.joined", "employee.activated"),
        }.get(status, ("employee.temporaryLeave", "employee.inactivated")):
            self._send(event, key)

    def _send(self, event: str, key: str, **data: Any) -> None:
        for to in list(self.subscriptions.values()):
            if not to.events or event in to.events:
                at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
                self.send(
                    to,
                    {
                        "companyId": 7,
                        "type": event,
                        "triggeredBy": "system",
                        "triggeredAt": at,
                        "version": "v2",
                        "data": {"employeeId": key, **data},
                    },
                    event,
                )

    # -- values --------------------------------------------------------------------------------------------------------

    def _values(self, key: str) -> dict[str, Any]:
        person, rows = self.state["people"][key], self.state["lifecycle"][key]
        now = _in_force(rows, _today())
        status = now["status"] if now else "hired"
        last = _sorted(rows)[-1]
        ended = last["effectiveDate"] if last["status"] == "terminated" else None
        return {
            "internal.lifecycleStatus": status,
            "internal.status": "Inactive" if status in INACTIVE and status != "hired" else "Active",
            "internal.terminationDate": ended,
            "root.fullName": person.get("root.displayName"),
            **person,
        }

    def _shown(self, key: str, fields: Sequence[str], human: str) -> dict[str, Any]:
        values = self._values(key)
        shown: dict[str, Any] = {}
        readable: dict[str, Any] = {}
        for field in [*fields, "root.id"]:
            if field in values and field in FIELDS and field not in self.state["hidden"]:
                value = values[field]
                machine = (
                    hashlib.sha256(str(value).encode()).hexdigest()[:9]
                    if field in LISTS and value is not None and human != "REPLACE"
                    else value
                )
                if field == "work.reportsTo" and value is not None:
                    machine = {"id": value, "email": self.state["people"].get(value, {}).get("root.email")}
                shown["/" + field.replace(".", "/")] = {"value": machine}
                _nest(shown, field, machine)
                _nest(readable, field, value)
        return {**shown, "humanReadable": readable} if human == "APPEND" else shown

    def _current(self, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {**row, "isCurrent": row is _in_force(rows, _today())}


def _flattened(body: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        at = f"{path}.{name}" if path else name
        found.update(_flattened(value, at) if isinstance(value, dict) else {at if "." in at else f"root.{at}": value})
    return found


def _nest(into: dict[str, Any], field: str, value: Any) -> None:
    *path, last = field.removeprefix("root.").split(".")
    for part in path:
        into = into.setdefault(part, {})
    into[last] = value


def _sorted(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: (row["effectiveDate"], int(row["id"])))


def _in_force(rows: Sequence[Mapping[str, Any]], day: str) -> Mapping[str, Any] | None:
    return next((row for row in reversed(_sorted(rows)) if row["effectiveDate"] <= day), None)


def _row(number: int, day: str, status: str) -> dict[str, Any]:
    return {"id": str(number), "effectiveDate": day, "status": status}


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def _id(hr_id: Any) -> str:
    """Bob's ids are 19 digits."""
    return f"3332883894235{int(hr_id):06d}"


def _refusal(message: str) -> Reply:
    return Reply(400, {"error": message})
