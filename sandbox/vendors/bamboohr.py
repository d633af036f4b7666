# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""BambooHR, API v1: employees, changes, tables, custom reports, webhooks. Answers as documentation.bamboohr.com/reference says.

Webhooks are event-based (docs/event-based-webhooks): an update is told when it takes effect, so a row with a day to come tells nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.hr_webhooks import Act, HrSystem, Subscription, only
from sandbox.vendors.bamboohr_seed import TABLES, row_of, seeded

#: Fields that exist in this company; custom ones begin with ``custom``.
FIELDS = (
    "employeeNumber",
    "firstName",
    "lastName",
    "preferredName",
    "displayName",
    "workEmail",
    "homeEmail",
    "mobilePhone",
    "jobTitle",
    "department",
    "division",
    "location",
    "country",
    "status",
    "hireDate",
    "terminationDate",
    "employmentHistoryStatus",
    "supervisor",
    "supervisorEId",
    "supervisorId",
    "customGitHub",
    "customTimeZone",
    "customCostCenter",
)
EVENTS = ("employee.created", "employee.updated", "employee.deleted")
#: Our names of fields, for whoever plays HR, to BambooHR's.
OURS = {
    "email": "workEmail",
    "first_name": "firstName",
    "last_name": "lastName",
    "title": "jobTitle",
    "department": "department",
    "location": "location",
    "country": "country",
    "personal_email": "homeEmail",
    "employee_id": "employeeNumber",
    "manager": "supervisorEId",
    "time_zone": "customTimeZone",
    "hire_date": "hireDate",
}


class BambooHr(HrSystem):
    """``state["employees"]`` by id, ``state["tables"][name]`` rows, ``state["changed"]`` id to (action, moment), ``state["hidden"]`` fields."""

    name = "bamboohr"
    READING_POSTS = (r"^/api/v1/reports/custom$",)
    #: docs/webhooks, "Webhook retries": five tries.
    GAPS = (0, 5, 10, 20, 40)

    def seed(self) -> Any:
        return seeded(self.company)

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/api/v1/employees/directory", self._directory),
            ("GET", "/api/v1/employees/changed", self._changed),
            ("GET", "/api/v1/employees/{id}/tables/{table}", self._table),
            ("GET", "/api/v1/employees/{id}", self._employee),
            ("POST", "/api/v1/employees", self._add),
            ("POST", "/api/v1/employees/{id}", self._update),
            ("POST", "/api/v1/employees/{id}/tables/{table}", self._add_row),
            ("POST", "/api/v1/reports/custom", self._report),
            ("GET", "/api/v1/webhooks", self._webhooks),
            ("POST", "/api/v1/webhooks", self._add_webhook),
            ("DELETE", "/api/v1/webhooks/{id}", self._remove_webhook),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "bamboohr": {
                "connector": "bamboohr",
                "url": self.url,
                "owner": "hr@corp.example",
                "credentials": {"api_key": self.secret("api-key")},
                "options": {"fields": {"github": "customGitHub", "time_zone": "customTimeZone"}},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        try:
            user = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if scheme.lower() != "basic" or user != self.secret("api-key"):
            return _refusal(401, "Invalid API key")
        return None

    def not_found(self, call: Call) -> Reply:
        return _refusal(404, "Not found")

    # -- what HR people do -----------------------------------------------------------------------------------------------

    def change(self, key: str, *, action: str = "Updated", at: datetime | None = None, **values: Any) -> None:
        """Edit an employee as somebody in HR would."""
        with self._told(key):
            if action == "Deleted":
                self.state["employees"].pop(key)
                for rows in self.state["tables"].values():
                    rows[:] = [row for row in rows if row["employeeId"] != key]
            else:
                self.state["employees"].setdefault(key, {"id": key}).update(values)
            self.state["changed"][key] = (action, (at or datetime.now(timezone.utc)).isoformat(timespec="seconds"))

    def employ(self, key: str, day: str, status: str) -> None:
        """Enter a row of the employment status table. A future row shows in no field until its day."""
        with self._told(key):
            self.state["tables"]["employmentStatus"].append(
                row_of(self.state["tables"], key, day, employmentStatus=status)
            )
            self.change(key)

    def edits_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        edits = {OURS.get(name, name): value for name, value in values.items()}
        unknown = sorted(set(edits) - set(FIELDS))
        if unknown:
            raise LookupError(f"no field {', '.join(unknown)}; there are {', '.join([*OURS, *FIELDS])}")
        return edits

    def acts(self) -> Mapping[str, Act]:
        return {
            "hire": lambda key, day, edits: self._hire({**edits, "hireDate": day}),
            "terminate": lambda key, day, edits: self.employ(key, day, "Terminated"),
            "withdraw": self._withdraw,
            "rehire": self._rehire,
            "leave": lambda key, day, edits: self.employ(key, day, "Leave of Absence"),
            "return": lambda key, day, edits: self.employ(key, day, "Full-Time"),
            "change": lambda key, day, edits: self.change(key, **edits),
            "start": self._start,
            "delete": lambda key, day, edits: self.change(key, action="Deleted"),
            "midnight": self._midnight,
        }

    def _withdraw(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        rows = self.state["tables"]["employmentStatus"]
        ended = [row for row in rows if row["employeeId"] == key and row["employmentStatus"] == "Terminated"]
        with self._told(key):
            rows[:] = [row for row in rows if row not in ended]
            self.change(key)

    def _rehire(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        with self._told(key):
            self.employ(key, day, "Full-Time")
            self.change(key, hireDate=day, **edits)

    def _start(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        with self._told(key):
            mine = [row for row in self.state["tables"]["employmentStatus"] if row["employeeId"] == key]
            for row in mine[:1]:
                row["date"] = day
            self.change(key, hireDate=day)

    def _midnight(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        eve = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
        for one, employee in self.state["employees"].items():
            self._tell(one, self._values(employee, eve), self._values(employee, day))

    def key_of(self, user: str) -> str:
        sought = user.casefold()
        return only(
            [
                key
                for key, e in self.state["employees"].items()
                if sought
                in (key, str(e.get("workEmail") or "").casefold(), str(e.get("employeeNumber") or "").casefold())
            ],
            user,
        )

    def _hire(self, values: Mapping[str, Any]) -> str:
        key = str(1 + max((int(one) for one in self.state["employees"]), default=100))
        day = str(values.get("hireDate") or datetime.now(timezone.utc).date().isoformat())
        with self._told(key):
            self.state["tables"]["employmentStatus"].append(
                row_of(self.state["tables"], key, day, employmentStatus="Full-Time")
            )
            self.change(key, action="Inserted", **{**dict.fromkeys(FIELDS[:3]), **values})
        return key

    # -- webhooks --------------------------------------------------------------------------------------------------------

    def signed(self, content: bytes, key: str) -> Mapping[str, str]:
        """docs/webhooks, "Security": HMAC-SHA256 of the body with the timestamp after it, hex."""
        moment = str(int(time.time()))
        return {
            "X-BambooHR-Timestamp": moment,
            "X-BambooHR-Signature": hmac.new(key.encode(), content + moment.encode(), hashlib.sha256).hexdigest(),
        }

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """What the outermost of these encloses is one edit, and told once."""
        if getattr(self, "_editing", False):
            yield
            return
        self._editing = True
        try:
            before = self._seen(key)
            yield
        finally:
            self._editing = False
        self._tell(key, before, self._seen(key))

    def _seen(self, key: str) -> dict[str, Any] | None:
        employee = self.state["employees"].get(key)
        return None if employee is None else self._values(employee)

    def _tell(self, key: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        changed = [name for name in FIELDS if (before or {}).get(name) != (after or {}).get(name)]
        for to in list(self.subscriptions.values()):
            if before is None and after is not None:
                self._send(to, "employee.created", key)
            if after is None and before is not None:
                self._send(to, "employee.deleted", key)
            watched = [name for name in changed if not to.fields or name in to.fields]
            if after is not None and watched:
                self._send(to, "employee.updated", key, watched)

    def _send(self, to: Subscription, event: str, key: str, fields: Sequence[str] = ()) -> None:
        if to.events and event not in to.events:
            return
        data: dict[str, Any] = {"companyId": "1", "employeeId": key}
        if fields:
            data["changedFields"] = list(fields)
        self.send(
            to,
            {"type": event, "timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000"), "data": data},
            event,
        )

    def _webhooks(self, call: Call) -> Reply:
        return Reply(200, {"webhooks": [self._shown(one) for one in self.subscriptions.values()]})

    def _add_webhook(self, call: Call) -> Reply:
        body = call.body if isinstance(call.body, dict) else {}
        events, fields = body.get("events") or [], body.get("monitorFields") or []
        wrong = [name for name in ("name", "url", "format") if not body.get(name)]
        if (
            wrong
            or body.get("format") not in ("json", "form-encoded")
            or set(events) - set(EVENTS)
            or set(fields) - set(FIELDS)
        ):
            return _refusal(400, f"Invalid webhook: {', '.join(wrong) or 'format, events or monitorFields'}")
        if not str(body["url"]).startswith(("https://", "http://localhost", "http://127.0.0.1")):
            return _refusal(400, "url must be https")  # the vendor sends nothing to http; this machine may
        if "employee.updated" in events and not fields:
            return _refusal(400, "monitorFields is required for employee.updated")
        if not events or body["format"] != "json":
            return _refusal(501, "this sandbox sends event-based webhooks as JSON")
        made = self.subscribe(body["url"], secrets.token_hex(16), fields=fields, events=events, name=body["name"])
        return Reply(201, {**self._shown(made), "privateKey": made.key})

    def _remove_webhook(self, call: Call) -> Reply:
        return Reply(200) if self.subscriptions.pop(call.args["id"], None) else _refusal(404, "Webhook not found")

    def _shown(self, one: Subscription) -> dict[str, Any]:
        """Show a webhook; its key is shown once, when it is made."""
        return {
            "id": one.id,
            "name": one.name,
            "url": one.url,
            "format": "json",
            "monitorFields": list(one.fields),
            "events": list(one.events),
        }

    # -- paths ---------------------------------------------------------------------------------------------------------

    def _directory(self, call: Call) -> Reply:
        shown = (
            "id",
            "displayName",
            "firstName",
            "lastName",
            "preferredName",
            "jobTitle",
            "workEmail",
            "department",
            "location",
            "division",
            "supervisor",
        )
        people = [
            self._fields(e, shown) for e in self.state["employees"].values() if self._values(e)["status"] == "Active"
        ]
        return Reply(
            200, {"fields": [{"id": n, "type": "text", "name": n} for n in shown if n != "id"], "employees": people}
        )

    def _changed(self, call: Call) -> Reply:
        since = call.query.get("since", "")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", since):
            return _refusal(400, "A valid ISO 8601 datetime is required for 'since'")
        if call.query.get("type", "all") not in ("inserted", "updated", "deleted", "all"):
            return _refusal(400, "Invalid type")
        moment = datetime.fromisoformat(since.replace("Z", "+00:00"))
        found = {
            key: {"id": key, "action": action, "lastChanged": at}
            for key, (action, at) in self.state["changed"].items()
            if datetime.fromisoformat(at) >= moment and call.query.get("type", "all") in ("all", action.lower())
        }
        latest = max((row["lastChanged"] for row in found.values()), default=since)
        return Reply(200, {"latest": latest, "employees": found or []})

    def _employee(self, call: Call) -> Reply:
        employee = self.state["employees"].get(call.args["id"])
        if employee is None:
            return _refusal(404, "Employee not found")
        wanted = [name for name in call.query.get("fields", "").split(",") if name]
        if len(wanted) > 400:
            return _refusal(400, "Too many fields")
        return Reply(200, {"id": employee["id"], **self._fields(employee, [name for name in wanted if name != "id"])})

    def _add(self, call: Call) -> Reply:
        body = call.body if isinstance(call.body, dict) else {}
        if not body.get("firstName") or not body.get("lastName"):
            return _refusal(400, "firstName and lastName are required")
        if set(body) - set(FIELDS):
            return _refusal(400, f"Unknown field {', '.join(sorted(set(body) - set(FIELDS)))}")
        return Reply(201, None, {"Location": f"{self.url}/api/v1/employees/{self._hire(body)}"})

    def _update(self, call: Call) -> Reply:
        if call.args["id"] not in self.state["employees"]:
            return _refusal(404, "Employee not found")
        body = call.body if isinstance(call.body, dict) else {}
        if not body or set(body) - set(FIELDS):
            return _refusal(400, "Invalid fields")
        if "edit" in self.state["hidden"]:
            return _refusal(403, "You do not have access to edit these fields")
        self.change(call.args["id"], **body)
        return Reply(200)

    def _add_row(self, call: Call) -> Reply:
        key, table, body = call.args["id"], call.args["table"], call.body if isinstance(call.body, dict) else {}
        if table not in TABLES or key not in self.state["employees"]:
            return _refusal(404, "Not found")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(body.get("date", ""))):
            return _refusal(400, "date is required")
        with self._told(key):
            self.state["tables"][table].append(
                row_of(self.state["tables"], key, body["date"], **{n: v for n, v in body.items() if n != "date"})
            )
            self.change(key)
        return Reply(200)

    def _table(self, call: Call) -> Reply:
        table, key = call.args["table"], call.args["id"]
        if table not in TABLES:
            return _refusal(404, f"Table {table} does not exist")
        if key != "all" and key not in self.state["employees"]:
            return _refusal(404, "Employee not found")
        # Unsorted, as the vendor's.
        return Reply(200, [row for row in reversed(self.state["tables"][table]) if key in ("all", row["employeeId"])])

    def _report(self, call: Call) -> Reply:
        if call.query.get("format") not in ("JSON", "XML", "CSV", "XLS", "PDF"):
            return _refusal(400, "Invalid format")
        body = call.body
        if not isinstance(body, dict) or not isinstance(body.get("fields"), list) or len(body["fields"]) > 400:
            return _refusal(400, "Invalid report request")
        wanted = [
            name for name in body["fields"] if name == "id" or name in FIELDS and name not in self.state["hidden"]
        ]
        rows = [
            {"id": e["id"], **self._fields(e, [name for name in wanted if name != "id"])}
            for e in self.state["employees"].values()
        ]
        return Reply(
            200,
            {
                "title": body.get("title", ""),
                "fields": [{"id": name, "type": "text", "name": name} for name in wanted],
                "employees": rows,
            },
        )

    # -- values --------------------------------------------------------------------------------------------------------

    def _fields(self, employee: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
        """Unknown fields and fields that the key may not see are left out, without an error."""
        values = self._values(employee)
        return {
            name: values.get(name)
            for name in wanted
            if name == "id" or name in FIELDS and name not in self.state["hidden"]
        }

    def _values(self, employee: Mapping[str, Any], today: str = "") -> dict[str, Any]:
        """Fields of history tables show the row in force today."""
        today = today or datetime.now(timezone.utc).date().isoformat()
        rows = sorted(
            (row["date"], int(row["id"]), row["employmentStatus"])
            for row in self.state["tables"]["employmentStatus"]
            if row["employeeId"] == employee["id"]
        )
        now = [row for row in rows if row[0] <= today]
        status = now[-1][2] if now else (rows[0][2] if rows else "")
        gone = status == "Terminated"
        return {
            "status": "Inactive" if gone else "Active",
            "employmentHistoryStatus": status,
            "terminationDate": now[-1][0] if gone and now else "0000-00-00",
            **employee,
        }


def _refusal(status: int, message: str) -> Reply:
    return Reply(status, None, {"X-BambooHR-Error-Message": message})
