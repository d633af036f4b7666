# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jira Cloud's issues, REST API v3: https://developer.atlassian.com/cloud/jira/platform/rest/v3/. A description is a document."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.emulator import Call, Emulator, Handler, Reply

STEPS = {"offboard": ["Collect the badge of {name} ({employee_id})", "Take back the keys of {name}"]}
_JQL = re.compile(r'project = "([^"]+)" AND labels = "([\w-]+)" ORDER BY created ASC')


def refused(status: int, *messages: str, **fields: str) -> Reply:
    return Reply(status, {"errorMessages": list(messages), "errors": fields})


class JiraCloud(Emulator):
    """``state["issues"]`` by key."""

    name = "jira_tickets"
    READING_POSTS = (r"/search/jql$",)

    def seed(self) -> Any:
        return {"issues": {}, "next": 1}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "jira_tickets": {
                "connector": "jira_tickets",
                "url": self.url,
                "credentials": {"email": "bot@corp.example", "token": self.secret("token")},
                "options": {"steps": STEPS, "project": "IT", "assignee": "712020:desk"},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        pair = base64.b64encode(f"bot@corp.example:{self.secret('token')}".encode()).decode()
        return (
            None
            if call.headers.get("authorization") == f"Basic {pair}"
            else Reply(401, b"Client must be authenticated")
        )

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [("POST", "/rest/api/3/search/jql", self._search), ("POST", "/rest/api/3/issue", self._create)]

    def _search(self, call: Call) -> Reply:
        asked = _JQL.fullmatch(call.body["jql"])
        if asked is None:
            return refused(400, "Error in the JQL Query")
        found = [one for one in self.state["issues"].values() if asked[2] in one["fields"]["labels"]]
        return Reply(200, {"issues": found[: call.body.get("maxResults", 50)], "isLast": True})

    def _create(self, call: Call) -> Reply:
        said = call.body["fields"]
        if not isinstance(said.get("description"), dict) or said["description"].get("type") != "doc":
            return refused(400, description="Operation value must be an Atlassian Document")
        if said["project"]["key"] != "IT" or "\n" in said["summary"]:
            return refused(400, summary="invalid")
        key = f"IT-{self.state['next']}"
        self.state["next"] += 1
        assignee = {"accountId": said["assignee"]["id"], "displayName": "Service Desk"} if "assignee" in said else None
        fields = {"summary": said["summary"], "labels": said["labels"], "assignee": assignee, "resolution": None}
        status = {"name": "To Do", "statusCategory": {"key": "new"}}
        self.state["issues"][key] = {"id": key, "key": key, "fields": {**fields, "status": status}}
        return Reply(201, {"id": key, "key": key, "self": f"{self.url}/rest/api/3/issue/{key}"})

    # -- for testers ---------------------------------------------------------------------------------------------------

    def close(self, *, done: bool = True) -> None:
        """Close every issue, as people do."""
        for one in self.state["issues"].values():
            one["fields"]["status"] = {"name": "Done", "statusCategory": {"key": "done"}}
            one["fields"]["resolution"] = {"name": "Done" if done else "Won't Do"}

    def tickets(self) -> list[str]:
        return [one["fields"]["summary"] for one in self.state["issues"].values()]
