# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jira Cloud: a step for a person becomes an issue. https://developer.atlassian.com/cloud/jira/platform/rest/v3/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..model.person import Person
from ..sdk.address import at
from ..sdk.quotes import within
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Answer, Policy, Transport, basic
from ..sdk.values import Ticket
from .tickets.steps import STEPS, WAITING, Steps

_NOT_DONE = ("Won't Do", "Won't Fix", "Duplicate", "Declined", "Cannot Reproduce", "Cancelled")


class JiraTickets(Connector):
    """Opens issues in one project, and finds each again by its label."""

    TITLE = "Jira tickets"
    CREDENTIALS = {
        "email": Option("The address of the account that has the token.", required=True),
        "token": Option("An API token.", required=True),
    }
    OPTIONS = {
        "steps": STEPS,
        "waiting": WAITING,
        "project": Option("The key of the project.", required=True),
        "issue_type": Option("The type of the issues.", default="Task"),
        "assignee": Option(
            "The account id of the assignee; the project's own rule decides when not given.", default=""
        ),
        "not_done": Option(
            "Resolutions that mean that an issue was closed and nothing was done.", kind="list", default=list(_NOT_DONE)
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "manual_steps": ("Browse Projects", "Create Issues", "Assign Issues")
    }
    #: A search finds a new issue some seconds later.
    SETTLES_WITHIN = 15.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.steps = Steps(target)
        self.waiting = bool(target.options["waiting"])
        self.http = Transport(
            target,
            basic(target.credential("email"), target.credential("token")),
            Policy(message=_message, permission_hint="let the account browse the project and create issues in it"),
        )

    def manual_steps(self, kind: str, person: Person) -> Sequence[str]:
        return self.steps.of(kind, person)

    def find_ticket(self, key: str) -> Ticket | None:
        body = {
            "jql": f'project = "{self._project}" AND labels = "{_label(key)}" ORDER BY created ASC',
            "fields": ["status", "resolution", "assignee", "labels"],
            "maxResults": 2,
        }
        answer = self.http.send("POST", at("/rest/api/3/search/jql"), act=f"find ticket {key}", json=body, reads=True)
        issues = [one for one in answer.body.get("issues") or () if _label(key) in one["fields"].get("labels", ())]
        return self._ticket(issues[0]) if issues else None

    def open_ticket(self, key: str, step: str, text: str) -> None:
        assignee = self.target.options["assignee"]
        fields: dict[str, Any] = {
            "project": {"key": self._project},
            "issuetype": {"name": self.target.options["issue_type"]},
            "summary": step[:255],
            "description": _document(text),
            "labels": [_label(key)],
            **({"assignee": {"id": assignee}} if assignee else {}),
        }
        self.http.send(
            "POST", at("/rest/api/3/issue"), act=f"open ticket {key}", json={"fields": fields}, retry_safe=False
        )

    @property
    def _project(self) -> str:
        return within(str(self.target.options["project"]))

    def _ticket(self, issue: Mapping[str, Any]) -> Ticket:
        fields = issue["fields"]
        closed = ((fields.get("status") or {}).get("statusCategory") or {}).get("key") == "done"
        resolution = str((fields.get("resolution") or {}).get("name") or "")
        state = "open" if not closed else "dropped" if resolution in self.target.options["not_done"] else "done"
        owner = str((fields.get("assignee") or {}).get("displayName") or "")
        return Ticket(str(issue["key"]), state, owner, self.http.link(at("/browse/{}", issue["key"])))


def _label(key: str) -> str:
    return f"lifecycle-{key}"


def _document(text: str) -> Mapping[str, Any]:
    """Return a text in Atlassian's document format, with one paragraph for each line."""
    lines = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.splitlines() if line]
    return {"type": "doc", "version": 1, "content": lines}


def _message(answer: Answer) -> str:
    said = answer.body if isinstance(answer.body, dict) else {}
    named = [f"{name}: {text}" for name, text in (said.get("errors") or {}).items()]
    return "; ".join([*(said.get("errorMessages") or ()), *named])
