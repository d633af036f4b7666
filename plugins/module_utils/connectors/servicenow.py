# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""ServiceNow: a step for a person becomes a record of a task table. https://www.servicenow.com/docs (Table API)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..model.person import Person
from ..sdk.address import UrlPath, at
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Answer, Policy, StaticAuth, Transport, basic, bearer
from ..sdk.values import Ticket
from .tickets.steps import STEPS, WAITING, Steps

#: Table -> the states that mean done, and the states that mean closed and nothing done. All others are open.
_STATES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sc_task": (("3",), ("4", "7")),
    "incident": (("6", "7"), ("8",)),
    "task": (("3",), ("4", "7")),
}
_FIELDS = "sys_id,number,state,active,assigned_to,assignment_group,correlation_id"


class ServiceNow(Connector):
    """Opens records in one table, and finds each again by ``correlation_id``."""

    TITLE = "ServiceNow tickets"
    CREDENTIALS = {
        "username": Option("The integration user, with basic authentication."),
        "password": Option("The password of that user."),
        "token": Option("An OAuth token, in place of user and password."),
    }
    OPTIONS = {
        "steps": STEPS,
        "waiting": WAITING,
        "table": Option("The table of the tickets.", default="sc_task", choices=tuple(_STATES)),
        "assignment_group": Option("The sys_id of the group that the tickets are assigned to.", default=""),
        "caller": Option("The sys_id of the caller of an incident.", default=""),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {"manual_steps": ("itil", "rest_api_explorer")}

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.steps = Steps(target)
        self.waiting = bool(target.options["waiting"])
        self.http = Transport(
            target,
            _auth(target),
            Policy(message=_message, permission_hint="give the integration user the role itil"),
        )

    def manual_steps(self, kind: str, person: Person) -> Sequence[str]:
        return self.steps.of(kind, person)

    def find_ticket(self, key: str) -> Ticket | None:
        params = {
            "sysparm_query": f"correlation_id={key}^ORDERBYsys_created_on",
            "sysparm_fields": _FIELDS,
            "sysparm_display_value": "all",
            "sysparm_limit": 2,
        }
        answer = self.http.send("GET", self._table, act=f"find ticket {key}", params=params)
        # ServiceNow does not refuse a wrong query: it then finds everything.
        rows = [row for row in answer.body["result"] if _value(row, "correlation_id") == key]
        return self._ticket(rows[0]) if rows else None

    def open_ticket(self, key: str, step: str, text: str) -> None:
        body = {
            "short_description": step[:160],
            "description": text,
            "correlation_id": key,
            "correlation_display": "lifecycle",
        }
        for name, option in (("assignment_group", "assignment_group"), ("caller_id", "caller")):
            if self.target.options[option]:
                body[name] = self.target.options[option]
        self.http.send("POST", self._table, act=f"open ticket {key}", json=body, retry_safe=False)

    @property
    def _table(self) -> UrlPath:
        return at("/api/now/table/{}", self.target.options["table"])

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        done, dropped = _STATES[self.target.options["table"]]
        said = _value(row, "state")
        state = "done" if said in done else "dropped" if said in dropped else "open"
        owner = _shown(row, "assigned_to") or _shown(row, "assignment_group")
        table = self.target.options["table"]
        url = self.http.link(at("/{}.do", table), {"sys_id": _value(row, "sys_id")})
        return Ticket(_value(row, "number"), state, owner, url)


def _auth(target: Target) -> StaticAuth:
    if target.credentials.get("token"):
        return bearer(target.credential("token"))
    return basic(target.credential("username"), target.credential("password"))


def _value(row: Mapping[str, Any], name: str) -> str:
    said = row.get(name)
    return str((said.get("value") if isinstance(said, dict) else said) or "")


def _shown(row: Mapping[str, Any], name: str) -> str:
    said = row.get(name)
    return str((said.get("display_value") if isinstance(said, dict) else said) or "")


def _message(answer: Answer) -> str:
    said = answer.body.get("error") if isinstance(answer.body, dict) else None
    if isinstance(said, dict):
        return ": ".join(str(said[name]) for name in ("message", "detail") if said.get(name))
    return str(said or "")
