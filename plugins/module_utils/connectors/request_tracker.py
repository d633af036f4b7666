# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Request Tracker 5: a step for a person becomes a ticket. https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..model.person import Person
from ..sdk.address import at
from ..sdk.quotes import quoted
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Policy, StaticAuth, Transport
from ..sdk.values import Ticket
from .tickets.steps import STEPS, WAITING, Steps


class RequestTracker(Connector):
    """Opens tickets in one queue, and finds each again by a mark in its subject."""

    TITLE = "Request Tracker"
    CREDENTIALS = {"token": Option("An authentication token of the account (Settings, Auth Tokens).", required=True)}
    OPTIONS = {
        "steps": STEPS,
        "waiting": WAITING,
        "queue": Option("The queue of the tickets.", required=True),
        "owner": Option("The user name of the owner; nobody when not given.", default=""),
        "done": Option("Statuses that mean that a step is done.", kind="list", default=["resolved"]),
        "not_done": Option(
            "Statuses that mean that a ticket was closed and nothing was done.",
            kind="list",
            default=["rejected", "deleted"],
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "manual_steps": ("SeeQueue", "ShowTicket", "CreateTicket", "OwnTicket", "ManageAuthTokens")
    }

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.steps = Steps(target)
        self.waiting = bool(target.options["waiting"])
        self.http = Transport(
            target,
            StaticAuth({"Authorization": f"token {target.credential('token')}"}),
            Policy(permission_hint="give the account SeeQueue, ShowTicket and CreateTicket on the queue"),
        )

    def manual_steps(self, kind: str, person: Person) -> Sequence[str]:
        return self.steps.of(kind, person)

    def find_ticket(self, key: str) -> Ticket | None:
        queue, mark = (quoted(text, "'") for text in (self.target.options["queue"], _mark(key)))
        query = f"Queue = {queue} AND Subject LIKE {mark}"
        params = {"query": query, "fields": "Subject,Status,Owner", "orderby": "id", "order": "ASC", "per_page": 10}
        answer = self.http.send("GET", at("/REST/2.0/tickets"), act=f"find ticket {key}", params=params)
        rows = [row for row in answer.body.get("items") or () if _mark(key) in str(row.get("Subject") or "")]
        return self._ticket(rows[0]) if rows else None

    def open_ticket(self, key: str, step: str, text: str) -> None:
        body: dict[str, Any] = {
            "Queue": self.target.options["queue"],
            "Subject": f"{step[:150]} {_mark(key)}",
            "Content": text,
            "ContentType": "text/plain",
        }
        if self.target.options["owner"]:
            body["Owner"] = self.target.options["owner"]
        self.http.send("POST", at("/REST/2.0/ticket"), act=f"open ticket {key}", json=body, retry_safe=False)

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        said, options = str(row.get("Status") or ""), self.target.options
        state = "done" if said in options["done"] else "dropped" if said in options["not_done"] else "open"
        owner = row.get("Owner")
        name = str(owner.get("Name") or owner.get("id") or "") if isinstance(owner, dict) else str(owner or "")
        url = self.http.link(at("/Ticket/Display.html"), {"id": row["id"]})
        return Ticket(f"#{row['id']}", state, "" if name == "Nobody" else name, url)


def _mark(key: str) -> str:
    return f"[lifecycle {key}]"
