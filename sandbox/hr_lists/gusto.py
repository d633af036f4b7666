# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Gusto: https://docs.gusto.com/app-integrations/reference/get-v1-companies-company_id-employees. Lists are bare arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import day
from sandbox.emulator import Call, Reply
from sandbox.hr_lists import HrWorld
from sandbox.world import Numbered, Op, Row, World


class Gusto(HrWorld):
    name = "gusto"
    UNSIGNED = Reply(401, {"error": "The access token is invalid"})
    PAGES = Numbered(size="per", fixed=25)
    OPTIONS = {"company": "c-1"}

    def record(self, key: str, person: Mapping[str, Any], number: int) -> Row:
        ended = str(person.get("termination_date") or "")
        manager = person.get("manager")
        job = {"title": person.get("title"), "hire_date": str(person.get("hire_date") or day(-2000)), "primary": True}
        return {
            "uuid": f"uuid-{key}",
            "employee_code": person.get("employee_id"),
            "work_email": person["email"],
            "first_name": person["first_name"],
            "last_name": person["last_name"],
            "preferred_first_name": None,
            "department": person.get("department"),
            "jobs": [{**job, "location": {"city": person.get("location")}}],
            "terminated": person.get("status") == "terminated",
            "onboarded": person.get("status") != "pending",
            "terminations": [{"effective_date": ended, "active": True}] if ended else [],
            "manager_uuid": f"uuid-{manager}" if manager else None,
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [("GET", "/v1/companies/c-1/employees", self._employees)]

    def _employees(self, world: World, call: Call) -> Reply:
        wanted = call.query.get("terminated")
        rows = [self.shown(row) for row in self.state["people"].values()]
        return self.paged(call, [row for row in rows if wanted in (None, str(row["terminated"]).lower())])
