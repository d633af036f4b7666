# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""JumpCloud: https://docs.jumpcloud.com/api/1.0 (``results`` and ``totalCount``) and 2.0 (bare lists)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Offset, Op, Row, Seen, World, changed, listed, made, matching, one, removed

_FILTER = re.compile(r"(\w+):\$eq:(.+)")


class JumpCloud(World):
    name = "jumpcloud"
    BASE = "/api"
    SIGNED = {"x-api-key": "{api_key}"}
    UNSIGNED = Reply(401, {"message": "Unauthorized"})
    MISSING = Reply(404, {"message": "Not Found"})
    PAGES = Offset(offset="skip", size="limit")
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CREATED = "in_progress"

    def systems(self) -> Any:
        entry = super().systems()[self.name]
        return {self.name: {**entry, "options": {"v2_url": f"{self.url}{self.BASE}/v2"}}}

    def seed(self) -> dict[str, Any]:
        groups = {
            f"g{n}": {"id": f"g{n}", "name": name, "type": "user_group"}
            for n, name in enumerate(("Engineering", "Platform"))
        }
        state: dict[str, Any] = {"users": {}, "keys": {}, "groups": groups, "members": {}}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"u{number:04}"
            state["users"][ident] = self._user(ident, key, person["email"])
            state["users"][ident]["employeeIdentifier"] = person["employee_id"]
            state["keys"][f"k{number}"] = {
                "id": f"k{number}",
                "_user": ident,
                "name": f"{key}'s laptop",
                "public_key": "ssh-ed25519 AAAA",
            }
            state["members"][f"m{number}"] = {"id": f"m{number}", "user": ident, "group": "g0"}
        return state

    def _user(self, ident: str, username: str, email: str, activated: bool = True) -> Row:
        return {
            "_id": ident,
            "id": ident,
            "username": username,
            "email": email,
            "firstname": "",
            "lastname": "",
            "jobTitle": "",
            "department": "",
            "employeeIdentifier": None,
            "suspended": False,
            "activated": activated,
            "externally_managed": False,
            "mfa": {"configured": True},
            "created": stamp(-900),
        }

    def login(self, key: str) -> str:
        return key

    def operations(self) -> list[tuple[str, str, Op]]:
        user = "/systemusers/{id}"
        return [
            ("GET", "/systemusers", listed("users", self._filtered, wrap="results")),
            ("POST", "/systemusers", made("users", self._new, status=200)),
            ("GET", user, one("users")),
            ("PUT", user, changed("users", lambda world, call, row: row.update(call.body))),
            ("DELETE", user, removed("users", status=200, body={})),
            ("GET", user + "/sshkeys", listed("keys", matching(_user="id"))),
            ("DELETE", "/systemusers/{user}/sshkeys/{id}", removed("keys", status=200, body={})),
            ("GET", "/v2/usergroups", listed("groups")),
            ("GET", "/v2/usergroups/{id}/members", self._members),
            ("POST", "/v2/usergroups/{id}/members", self._change_members),
            ("GET", "/v2/users/{id}/memberof", self._member_of),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "totalCount": more["total"]} if wrap else page

    def _filtered(self, world: World, call: Call, row: Row) -> bool:
        asked = call.query.get("filter")
        found = _FILTER.fullmatch(asked) if asked else None
        return not asked or bool(found) and str(row.get(found[1])).lower() == found[2].lower()  # type: ignore[index]

    def _new(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if any(
            row["email"] == body["email"] or row["username"] == body["username"] for row in self.state["users"].values()
        ):
            return Reply(409, {"message": "User already exists with this username or email"})
        return {**self._user(f"u{number}", body["username"], body["email"], activated=False), **body}

    def _members(self, world: World, call: Call) -> Reply:
        rows = [m for m in self.state["members"].values() if m["group"] == call.args["id"]]
        return self.paged(call, [{"to": {"id": m["user"], "type": "user"}} for m in rows])

    def _member_of(self, world: World, call: Call) -> Reply:
        rows = [m for m in self.state["members"].values() if m["user"] == call.args["id"]]
        return self.paged(call, [{"id": m["group"], "type": "user_group"} for m in rows])

    def _change_members(self, world: World, call: Call) -> Reply:
        body, group = call.body, call.args["id"]
        held = [i for i, m in self.state["members"].items() if (m["user"], m["group"]) == (body["id"], group)]
        if body["op"] == "add":
            if held:
                return Reply(409, {"message": "Already Exists"})
            number = f"m{self.next_id()}"
            self.state["members"][number] = {"id": number, "user": body["id"], "group": group}
            return Reply(204)
        for ident in held:
            del self.state["members"][ident]
        return Reply(204) if held else Reply(404, {"message": "Not Found"})

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        if user is None:
            return Seen("absent")
        return Seen(
            "suspended" if user["suspended"] else "active" if user["activated"] else "invited",
            open=[row["id"] for row in self.state["keys"].values() if row["_user"] == ident],
            held={
                f"groups: {self.state['groups'][m['group']]['name']}"
                for m in self.state["members"].values()
                if m["user"] == ident
            },
        )

    def twin(self, key: str) -> None:
        row = self.state["users"][self.id_of(self.state["users"], key)]
        self.state["users"]["u0999"] = {**row, "_id": "u0999", "id": "u0999", "username": f"{row['username']}2"}

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["suspended"] = state == "suspended"
