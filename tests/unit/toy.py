# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The smallest vendor and its connector, to try the seam on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Change, absent
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.address import at
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.protocols import Accounts
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector, Option
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Answer, Policy, Transport, bearer
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account

from sandbox.emulator import Call, Emulator, Handler, Reply


class Toy(Emulator):
    name = "toy"

    def seed(self) -> Any:
        return {"users": {p["email"]: {"active": True} for p in self.company.people.values()}, "wiped": 0}

    def authorise(self, call: Call) -> Reply | None:
        return (
            None
            if call.headers.get("authorization") == "Bearer " + self.secret("token")
            else Reply(401, {"message": "bad token"})
        )

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/users/{id}", self.get),
            ("PUT", "/users/{id}", self.put),
            ("POST", "/wipe", self.wipe),
            ("GET", "/list", self.page),
        ]

    def get(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        return Reply(200, user) if user else Reply(404, {"message": "none"})

    def put(self, call: Call) -> Reply:
        self.state["users"][call.args["id"]] = call.body
        return Reply(204)

    def wipe(self, call: Call) -> Reply:
        self.state["wiped"] += 1
        return Reply(202, {})

    def page(self, call: Call) -> Reply:
        number = int(call.query.get("page", 1))
        return Reply(
            200,
            {
                "items": [number],
                "next": f"{self.url}/list?page={number + 1 if number < 3 else (3 if 'stuck' in call.query else 0)}"
                if number < 3 or "stuck" in call.query
                else None,
            },
        )

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"toy": {"connector": "toy", "url": self.url, "credentials": {"token": self.secret("token")}}}


class ToyConnector(Connector):
    """Suspends people, and wipes the world."""

    TITLE = "Toy"
    CREDENTIALS = {"token": Option("A token.", required=True)}
    SETTLES_WITHIN = 2.0

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self.http = Transport(target, bearer(target.credential("token")), Policy())

    def find_account(self, person: Person) -> Account | None:
        user = self.http.get(at("/users/{}", person.email), act=f"find {person.email}")
        return user and Account(person.email, person.email, user["active"])

    def set_active(self, account: Account, active: bool) -> None:
        self.http.send(
            "PUT",
            at("/users/{}", account.id),
            json={"active": active},
            act=f"suspend {account.login}",
            retry_safe=False,
        )

    def wipe(self) -> None:
        self.http.send("POST", "/wipe", json={}, act="wipe")

    def names(self, **params: str) -> list[int]:
        def following(answer: Answer) -> str | None:
            return answer.body["next"]

        return [
            item
            for answer in self.http.pages("/list", act="list", next_page=following, params=params)
            for item in answer.body["items"]
        ]


def plan(system: Any, want: Mapping[str, Any]) -> list[Change]:
    account = system.find_account(Person.of(want["person"]))
    if account is None:
        return absent("account", "none")
    return [Change("account", account.active, False, lambda: system.set_active(account, False))]


SUSPEND = Task(Accounts, plan, {"person": {"type": "dict", "required": True}})


def plan_wipe(system: Any, want: Mapping[str, Any]) -> list[Change]:
    return [
        Change("world", "there", "gone", system.wipe, irreversible=True, confirm="world", traceable=want["traceable"])
    ]


WIPE = Task(
    Accounts, plan_wipe, {"confirm": {"type": "list", "default": []}, "traceable": {"type": "bool", "default": False}}
)
