# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Rippling: https://developer.rippling.com/documentation/rest-api. A page leads to the next by its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import day, stamp
from sandbox.emulator import Call, Reply
from sandbox.hr_lists import HrWorld
from sandbox.world import Cursor, Op, Row, World

STATUSES = {"active": "ACTIVE", "terminated": "TERMINATED", "leave": "ACTIVE", "pending": "HIRED"}


class Rippling(HrWorld):
    name = "rippling"
    UNSIGNED = Reply(401, {"message": "Unauthorized"})
    PAGES = Cursor(fixed=50)

    def record(self, key: str, person: Mapping[str, Any], number: int) -> Row:
        manager = person.get("manager")
        return {
            "worker": f"w-{key}",
            "number": person.get("employee_id"),
            "work_email": person["email"],
            "user": {"name": {"given_name": person["first_name"], "family_name": person["last_name"]}},
            "title": person.get("title"),
            "department": {"name": person.get("department")},
            "start_date": str(person.get("hire_date") or day(-2000)),
            "end_date": str(person.get("termination_date") or "") or None,
            "manager_id": f"w-{manager}" if manager else None,
            "status": STATUSES[person.get("status", "active")],
            "updated_at": stamp(-400),
        }

    def shown(self, row: Row) -> Row:
        return {**{name: value for name, value in row.items() if name != "worker"}, "id": row["worker"]}

    def operations(self) -> list[tuple[str, str, Op]]:
        return [("GET", "/workers", self._workers)]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        link = f"{self.url}/workers?expand=user,department,manager&order_by=id&cursor={more['next']}"
        return {"results": page, "next_link": link if more["next"] else None}

    def _workers(self, world: World, call: Call) -> Reply:
        return self.paged(call, [self.shown(row) for row in self.state["people"].values()])
