# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Request Tracker's REST 2: https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html. The real one: tests/integration/test_request_tracker.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.emulator import Call, Emulator, Handler, Reply
from sandbox.vendors.jira_tickets import STEPS

_QUERY = re.compile(r"Queue = '((?:[^'\\]|\\.)*)' AND Subject LIKE '((?:[^'\\]|\\.)*)'")


class Rt(Emulator):
    """``state["tickets"]`` by number."""

    name = "request_tracker"

    def seed(self) -> Any:
        return {"tickets": {}}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "request_tracker": {
                "connector": "request_tracker",
                "url": self.url,
                "credentials": {"token": self.secret("token")},
                "options": {"steps": STEPS, "queue": "Workplace", "owner": "desk"},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        good = call.headers.get("authorization") == f"token {self.secret('token')}"
        return None if good else Reply(401, {"message": "Unauthorized"})

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [("GET", "/REST/2.0/tickets", self._search), ("POST", "/REST/2.0/ticket", self._create)]

    def _search(self, call: Call) -> Reply:
        asked = _QUERY.fullmatch(call.query.get("query", ""))
        if asked is None:
            return Reply(400, {"message": "Invalid query"})
        queue, mark = (re.sub(r"\\(.)", r"\1", text) for text in asked.groups())
        rows = [
            {"id": number, "type": "ticket", "Subject": one["Subject"], "Status": one["Status"], "Owner": one["Owner"]}
            for number, one in self.state["tickets"].items()
            if one["Queue"] == queue and mark.lower() in one["Subject"].lower()
        ]
        return Reply(
            200, {"items": rows, "total": len(rows), "count": len(rows), "pages": 1, "page": 1, "per_page": 20}
        )

    def _create(self, call: Call) -> Reply:
        said = call.body
        if said.get("Queue") != "Workplace":
            return Reply(400, {"message": "Could not create ticket. Queue not set"})
        number = str(len(self.state["tickets"]) + 1)
        owner = {"type": "user", "id": said.get("Owner", "Nobody"), "_url": ""}
        self.state["tickets"][number] = {**said, "Status": "new", "Owner": owner}
        return Reply(201, {"id": number, "type": "ticket", "_url": f"{self.url}/REST/2.0/ticket/{number}"})

    # -- for testers ---------------------------------------------------------------------------------------------------

    def close(self, *, done: bool = True) -> None:
        """Close every ticket, as people do."""
        for one in self.state["tickets"].values():
            one["Status"] = "resolved" if done else "rejected"

    def tickets(self) -> list[str]:
        return [one["Subject"] for one in self.state["tickets"].values()]
