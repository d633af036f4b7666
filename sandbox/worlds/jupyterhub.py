# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""JupyterHub's REST API: https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html. People are names; nobody is suspended."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Offset, Op, Row, Seen, World, changed, listed, removed


def failed(status: int, message: str) -> Reply:
    return Reply(status, {"status": status, "message": message})


class JupyterHub(World):
    name = "jupyterhub"
    BASE = "/hub/api"
    SIGNED = {"authorization": "token {token}"}
    UNSIGNED = failed(403, "Missing or invalid credentials.")
    MISSING = failed(404, "Not Found")
    PAGES = Offset()
    ADDRESS = "name"
    OPTIONS = {"delete_at_cutoff": True}
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {
                n: {"kind": "group", "name": n, "roles": [], "properties": {}} for n in ("Engineering", "Platform")
            },
            "tokens": {},
        }
        for number, key in enumerate(self.seated(), 1):
            name = self.email(key)
            state["users"][name] = self._user(name, ["Engineering"], server=f"/user/{name}/")
            state["tokens"][f"a{number}"] = {
                "id": f"a{number}",
                "kind": "api_token",
                "user": key,
                "note": "laptop",
                "expires_at": None,
                "created": stamp(-9),
            }
        return state

    def _user(self, name: str, groups: list[str], server: str | None = None) -> Row:
        return {
            "kind": "user",
            "name": name,
            "admin": False,
            "groups": groups,
            "server": server,
            "pending": None,
            "created": stamp(-100),
            "last_activity": stamp(-1),
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users", listed("users")),
            ("POST", "/users/{id}", self._new),
            ("PATCH", "/users/{id}", changed("users", lambda w, c, row: row.update(c.body))),
            ("DELETE", "/users/{id}", removed("users")),
            ("GET", "/users/{id}/tokens", self._tokens),
            ("DELETE", "/users/{id}/tokens/{token}", removed("tokens", arg="token")),
            ("DELETE", "/users/{id}/server", changed("users", lambda w, c, row: row.update(server=None), status=204)),
            ("GET", "/groups", listed("groups")),
            ("POST", "/groups/{group}/users", lambda world, call: self._members(call, joins=True)),
            ("DELETE", "/groups/{group}/users", lambda world, call: self._members(call, joins=False)),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        rows = [{k: v for k, v in row.items() if not k.startswith("_")} for row in page]
        return {
            "items": rows,
            "_pagination": {"offset": more["offset"], "limit": more["limit"], "total": more["total"]},
        }

    def _new(self, world: World, call: Call) -> Reply:
        name = call.args["id"]
        if name in self.state["users"]:
            return failed(409, f"User {name} already exists")
        self.state["users"][name] = self._user(name, [])
        return Reply(201, {"name": name})

    def _tokens(self, world: World, call: Call) -> Reply:
        rows = [row for row in self.state["tokens"].values() if row["user"] == call.args["id"]]
        return Reply(200, {"api_tokens": rows}) if self.row("users", call.args["id"]) else self.MISSING

    def _members(self, call: Call, *, joins: bool) -> Reply:
        group = call.args["group"]
        if group not in self.state["groups"]:
            return self.MISSING
        for name in call.body["users"]:
            row = self.row("users", name)
            if row is None:
                return failed(400, f"No such user: {name}")
            row["groups"] = sorted({*row["groups"], group} if joins else {*row["groups"]} - {group})
        return Reply(200, self.state["groups"][group])

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.email(key))
        if user is None:
            return Seen("absent")
        mine = [t for t, row in self.state["tokens"].items() if row["user"] == user["name"]]
        return Seen(
            "active",
            open=[*mine, *(["server"] if user["server"] else [])],
            held={f"groups: {g}" for g in user["groups"]},
        )

    def twin(self, key: str) -> None:
        """Another authenticator wrote the address in another way."""
        users = self.state["users"]
        users["twin"] = {**users[self.email(key)], "name": self.email(key).upper()}
