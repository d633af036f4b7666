# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""BambooHR, API v1: employees, changes, tables, custom reports. Answers as documentation.bamboohr.com/reference says."""
from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sandbox.emulator import Call, Emulator, Handler, Reply

#: Fields that exist in this company; custom ones begin with ``custom``.
FIELDS = ("employeeNumber", "firstName", "lastName", "preferredName", "displayName", "workEmail", "homeEmail", "mobilePhone", "jobTitle", "department",
          "division", "location", "country", "status", "hireDate", "terminationDate", "employmentHistoryStatus", "supervisor", "supervisorEId",
          "supervisorId", "customGitHub", "customTimeZone", "customCostCenter")
TABLES = ("jobInfo", "employmentStatus", "compensation")


class BambooHr(Emulator):
    """``state["employees"]`` by id, ``state["tables"][name]`` rows, ``state["changed"]`` id to (action, moment), ``state["hidden"]`` fields."""

    name = "bamboohr"
    READING_POSTS = (r"^/api/v1/reports/custom$",)

    def seed(self) -> Any:
        employees: dict[str, dict[str, Any]] = {}
        tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        for person in self.company.people.values():
            if person.get("contractor"):
                continue
            key = str(person["hr_id"])
            manager = self.company.people[person["manager"]] if person.get("manager") else None
            employees[key] = {
                "id": key, "employeeNumber": person["employee_id"], "firstName": person["first_name"], "lastName": person["last_name"], "preferredName": None,
                "displayName": f"{person['first_name']} {person['last_name']}", "workEmail": person["email"], "homeEmail": person.get("personal_email"),
                "mobilePhone": person.get("mobile_phone"), "jobTitle": person["title"], "department": person["department"], "division": None,
                "location": person["location"], "country": person["country"], "hireDate": str(person["hire_date"]),
                "supervisor": f"{manager['last_name']}, {manager['first_name']}" if manager else None,
                "supervisorEId": str(manager["hr_id"]) if manager else None, "supervisorId": manager["employee_id"] if manager else None,
                "customGitHub": (person.get("logins") or {}).get("github"), "customTimeZone": person.get("time_zone"), "customCostCenter": None,
            }
            rows = [(str(person["hire_date"]), "Full-Time")]
            if person.get("termination_date"):
                rows.append((str(person["termination_date"]), "Terminated"))
            for day, status in rows:
                tables["employmentStatus"].append(self._row(tables, key, day, employmentStatus=status))
            tables["jobInfo"].append(self._row(tables, key, str(person["hire_date"]), jobTitle=person["title"], department=person["department"],
                                               location=person["location"], division="", reportsTo=""))
        moment = "2026-01-01T00:00:00+00:00"
        return {"employees": employees, "tables": tables, "changed": dict.fromkeys(employees, ("Inserted", moment)), "hidden": []}

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/api/v1/employees/directory", self._directory),
            ("GET", "/api/v1/employees/changed", self._changed),
            ("GET", "/api/v1/employees/{id}/tables/{table}", self._table),
            ("GET", "/api/v1/employees/{id}", self._employee),
            ("POST", "/api/v1/reports/custom", self._report),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"bamboohr": {"connector": "bamboohr", "url": self.url, "owner": "hr@corp.example", "credentials": {"api_key": self.secret("api-key")},
                             "options": {"fields": {"github": "customGitHub", "time_zone": "customTimeZone"}}}}

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

    # -- what HR people do; for tests ----------------------------------------------------------------------------------

    def change(self, key: str, *, action: str = "Updated", at: datetime | None = None, **values: Any) -> None:
        """Edit an employee as somebody in HR would."""
        if action == "Deleted":
            self.state["employees"].pop(key)
            for rows in self.state["tables"].values():
                rows[:] = [row for row in rows if row["employeeId"] != key]
        else:
            self.state["employees"].setdefault(key, {"id": key}).update(values)
        self.state["changed"][key] = (action, (at or datetime.now(timezone.utc)).isoformat(timespec="seconds"))

    def employ(self, key: str, day: str, status: str) -> None:
        """Enter a row of the employment status table. A future row shows in no field until its day."""
        self.state["tables"]["employmentStatus"].append(self._row(self.state["tables"], key, day, employmentStatus=status))
        self.change(key)

    # -- paths ---------------------------------------------------------------------------------------------------------

    def _directory(self, call: Call) -> Reply:
        shown = ("id", "displayName", "firstName", "lastName", "preferredName", "jobTitle", "workEmail", "department", "location", "division", "supervisor")
        people = [self._fields(e, shown) for e in self.state["employees"].values() if self._values(e)["status"] == "Active"]
        return Reply(200, {"fields": [{"id": n, "type": "text", "name": n} for n in shown if n != "id"], "employees": people})

    def _changed(self, call: Call) -> Reply:
        since = call.query.get("since", "")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", since):
            return _refusal(400, "A valid ISO 8601 datetime is required for 'since'")
        if call.query.get("type", "all") not in ("inserted", "updated", "deleted", "all"):
            return _refusal(400, "Invalid type")
        moment = datetime.fromisoformat(since.replace("Z", "+00:00"))
        found = {key: {"id": key, "action": action, "lastChanged": at} for key, (action, at) in self.state["changed"].items()
                 if datetime.fromisoformat(at) >= moment and call.query.get("type", "all") in ("all", action.lower())}
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
        wanted = [name for name in body["fields"] if name == "id" or name in FIELDS and name not in self.state["hidden"]]
        rows = [{"id": e["id"], **self._fields(e, [name for name in wanted if name != "id"])} for e in self.state["employees"].values()]
        return Reply(200, {"title": body.get("title", ""), "fields": [{"id": name, "type": "text", "name": name} for name in wanted], "employees": rows})

    # -- values --------------------------------------------------------------------------------------------------------

    def _fields(self, employee: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
        """Unknown fields and fields that the key may not see are left out, without an error."""
        values = self._values(employee)
        return {name: values.get(name) for name in wanted if name == "id" or name in FIELDS and name not in self.state["hidden"]}

    def _values(self, employee: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of history tables show the row in force today."""
        today = datetime.now(timezone.utc).date().isoformat()
        rows = sorted((row["date"], int(row["id"]), row["employmentStatus"]) for row in self.state["tables"]["employmentStatus"] if row["employeeId"] == employee["id"])
        now = [row for row in rows if row[0] <= today]
        status = now[-1][2] if now else (rows[0][2] if rows else "")
        gone = status == "Terminated"
        return {"status": "Inactive" if gone else "Active", "employmentHistoryStatus": status, "terminationDate": now[-1][0] if gone and now else "0000-00-00", **employee}

    def _row(self, tables: Mapping[str, list[dict[str, Any]]], key: str, day: str, **values: Any) -> dict[str, Any]:
        number = 1 + sum(len(rows) for rows in tables.values())
        return {"id": str(number), "employeeId": key, "date": day, **values}


def _refusal(status: int, message: str) -> Reply:
    return Reply(status, None, {"X-BambooHR-Error-Message": message})
