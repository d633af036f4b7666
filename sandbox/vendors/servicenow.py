# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""ServiceNow's Table API. A query that it does not understand is not refused: it finds everything."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.emulator import Call, Emulator, Handler, Reply
from sandbox.vendors.jira_tickets import STEPS

GROUP = "d625dccec0a8016700a222a0f7900d06"


class ServiceNowInstance(Emulator):
    """``state["tasks"]`` by sys_id."""

    name = "servicenow"

    def seed(self) -> Any:
        return {"tasks": {}}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "servicenow": {
                "connector": "servicenow",
                "url": self.url,
                "credentials": {"username": "bot", "password": self.secret("password")},
                "options": {"steps": STEPS, "assignment_group": GROUP},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        pair = base64.b64encode(f"bot:{self.secret('password')}".encode()).decode()
        failed = {"error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"}}
        good = call.headers.get("authorization") == f"Basic {pair}"
        return None if good else Reply(401, {**failed, "status": "failure"})

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [("GET", "/api/now/table/{table}", self._find), ("POST", "/api/now/table/{table}", self._create)]

    def _find(self, call: Call) -> Reply:
        name, _equal, value = call.query.get("sysparm_query", "").partition("^")[0].partition("=")
        known = name in ("correlation_id", "number", "sys_id")
        rows = [one for one in self.state["tasks"].values() if not known or one[name] == value]
        fields = call.query.get("sysparm_fields", "").split(",")
        limit = int(call.query.get("sysparm_limit", 10000))
        return Reply(200, {"result": [{n: self._both(n, one.get(n, "")) for n in fields} for one in rows[:limit]]})

    def _both(self, name: str, value: str) -> dict[str, str]:
        shown = "Service Desk" if name == "assignment_group" and value else value
        return {"display_value": shown, "value": value}

    def _create(self, call: Call) -> Reply:
        if call.args["table"] != "sc_task":
            return Reply(
                400, {"error": {"message": f"Invalid table {call.args['table']}", "detail": None}, "status": "failure"}
            )
        ident = f"{len(self.state['tasks']) + 1:032}"
        row = {**call.body, "sys_id": ident, "number": f"SCTASK{int(ident):07}", "state": "1", "active": "true"}
        self.state["tasks"][ident] = {"assigned_to": "", "assignment_group": "", **row}
        return Reply(201, {"result": row})

    # -- for testers ---------------------------------------------------------------------------------------------------

    def close(self, *, done: bool = True) -> None:
        """Close every task, as people do."""
        for one in self.state["tasks"].values():
            one.update(state="3" if done else "4", active="false")

    def tickets(self) -> list[str]:
        return [one["short_description"] for one in self.state["tasks"].values()]
