# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Redmine's REST API: https://www.redmine.org/projects/redmine/wiki/Rest_api. Lists show neither state nor groups; 422 has ``errors``."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Offset, Op, Row, Seen, World, listed

ACTIVE, REGISTERED, LOCKED = 1, 2, 3


class Redmine(World):
    name = "redmine"
    SIGNED = {"x-redmine-api-key": "{api_key}"}
    UNSIGNED = Reply(401, None)
    MISSING = Reply(404, None)
    PAGES = Offset(fixed=25)
    ADDRESS = "mail"
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {n: {"id": n, "name": name} for n, name in ((51, "Engineering"), (52, "Platform"))},
            "issues": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 5):
            state["users"][number] = self._user(
                number, key, person["email"], person["first_name"], person["last_name"], [51]
            )
        jane = self.id_of(state["users"], "jane")
        state["issues"][901] = {"id": 901, "subject": "Migrate the wiki", "assigned_to": {"id": jane}}
        return state

    def _user(self, ident: int, login: str, mail: str, first: str, last: str, groups: list[int]) -> Row:
        return {
            "id": ident,
            "login": login,
            "admin": login == "grace",
            "firstname": first,
            "lastname": last,
            "mail": mail,
            "created_on": stamp(-500),
            "last_login_on": stamp(-1),
            "twofa_scheme": "totp",
            "status": ACTIVE,
            "held": groups,
        }

    def login(self, key: str) -> str:
        return key

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users.json", self._users),
            ("POST", "/users.json", self._new),
            ("GET", "/users/{id}.json", self._act(lambda call, row: Reply(200, {"user": self._whole(row)}))),
            ("PUT", "/users/{id}.json", self._act(self._put)),
            ("DELETE", "/users/{id}.json", self._act(self._delete)),
            ("GET", "/groups.json", lambda world, call: Reply(200, {"groups": list(self.state["groups"].values())})),
            ("GET", "/groups/{group}.json", self._group),
            ("POST", "/groups/{group}/users.json", self._join),
            ("DELETE", "/groups/{group}/users/{id}.json", self._act(self._leave)),
            (
                "GET",
                "/issues.json",
                listed(
                    "issues",
                    lambda w, c, row: str(row["assigned_to"]["id"]) == c.query["assigned_to_id"],
                    wrap="issues",
                ),
            ),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "total_count": more["total"], "offset": more["offset"], "limit": more["limit"]}

    def _listed(self, row: Row) -> Row:
        return {k: v for k, v in row.items() if k not in ("held", "status")}

    def _whole(self, row: Row) -> Row:
        groups = [self.state["groups"][group] for group in row["held"]]
        return {**{k: v for k, v in row.items() if k != "held"}, "groups": groups}

    def _users(self, world: World, call: Call) -> Reply:
        wanted, status = call.query.get("name", "").lower(), int(call.query.get("status", ACTIVE))
        rows = [
            self._listed(row)
            for row in self.state["users"].values()
            if row["status"] == status
            and any(wanted in row[f].lower() for f in ("login", "firstname", "lastname", "mail"))
        ]
        return self.paged(call, rows, wrap="users")

    def _act(self, do: Any) -> Op:
        def op(world: World, call: Call) -> Reply:
            row = self.row("users", call.args["id"])
            said: Reply = self.MISSING if row is None else do(call, row)
            return said

        return op

    def _new(self, world: World, call: Call) -> Reply:
        said = call.body["user"]
        if any(row["login"] == said["login"] for row in self.state["users"].values()):
            return Reply(422, {"errors": ["Login has already been taken"]})
        ident = self.next_id()
        self.state["users"][ident] = self._user(
            ident, said["login"], said["mail"], said["firstname"], said["lastname"], []
        )
        return Reply(201, {"user": self._whole(self.state["users"][ident])})

    def _put(self, call: Call, row: Row) -> Reply:
        said = call.body["user"]
        if said.get("status", ACTIVE) not in (ACTIVE, REGISTERED, LOCKED):
            return Reply(422, {"errors": ["Status is invalid"]})
        row.update(said)
        return Reply(204)

    def _delete(self, call: Call, row: Row) -> Reply:
        del self.state["users"][row["id"]]
        return Reply(204)

    def _group(self, world: World, call: Call) -> Reply:
        group = self.row("groups", call.args["group"])
        if group is None:
            return self.MISSING
        users = [{"id": u["id"], "name": u["login"]} for u in self.state["users"].values() if group["id"] in u["held"]]
        return Reply(200, {"group": {**group, "users": users}})

    def _join(self, world: World, call: Call) -> Reply:
        group, user = self.row("groups", call.args["group"]), self.row("users", str(call.body["user_id"]))
        if group is None or user is None:
            return self.MISSING
        if group["id"] in user["held"]:
            return Reply(422, {"errors": ["User is invalid"]})
        user["held"] = sorted([*user["held"], group["id"]])
        return Reply(204)

    def _leave(self, call: Call, row: Row) -> Reply:
        group = int(call.args["group"])
        if group not in row["held"]:
            return self.MISSING
        row["held"] = [one for one in row["held"] if one != group]
        return Reply(204)

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        return Seen(
            "suspended" if user["status"] == LOCKED else "active",
            held={f"groups: {self.state['groups'][group]['name']}" for group in user["held"]},
            owned=[i["subject"] for i in self.state["issues"].values() if i["assigned_to"]["id"] == user["id"]],
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["status"] = ACTIVE if state == "active" else LOCKED
