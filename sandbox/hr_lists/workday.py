# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Workday: one custom report as a web service. What has no value is left out of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import day
from sandbox.emulator import Call, Reply
from sandbox.hr_lists import HrWorld
from sandbox.world import Op, Row, World

PATH = "/ccx/service/customreport2/corp/isu_lifecycle/Lifecycle_People"
STATUSES = {"active": "Active", "terminated": "Terminated", "leave": "On Leave", "pending": "Not Yet Hired"}


class Workday(HrWorld):
    name = "workday"
    SIGNED = {"authorization": "basic:{username}:{password}"}
    UNSIGNED = Reply(401, {"error": "invalid username or password"})
    OPTIONS = {"tenant": "corp", "owner": "isu_lifecycle", "report": "Lifecycle_People"}

    def _secrets(self) -> list[str]:
        return ["username", "password"]

    def record(self, key: str, person: Mapping[str, Any], number: int) -> Row:
        row = {
            "Worker_WID": f"{number:032x}",
            "Employee_ID": person.get("employee_id"),
            "Work_Email": person["email"],
            "First_Name": person["first_name"],
            "Last_Name": person["last_name"],
            "Business_Title": person.get("title"),
            "Department": person.get("department"),
            "Location": person.get("location"),
            "Hire_Date": str(person.get("hire_date") or day(-2000)),
            "Termination_Date": str(person.get("termination_date") or ""),
            "Manager_Email": self.manager(person),
            "Worker_Status": STATUSES[person.get("status", "active")],
        }
        return {name: value for name, value in row.items() if value}

    def operations(self) -> list[tuple[str, str, Op]]:
        return [("GET", PATH, self._report)]

    def _report(self, world: World, call: Call) -> Reply:
        if call.query.get("format") != "json":
            return Reply(400, {"error": "unknown format"})
        return Reply(200, {"Report_Entry": [self.shown(row) for row in self.state["people"].values()]})
