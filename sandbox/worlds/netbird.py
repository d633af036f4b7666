# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""NetBird: https://docs.netbird.io/api. Every list is whole."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, Seen, World, changed, listed, made, matching, removed

ROLES = {"owner", "admin", "user", "network_admin", "auditor", "billing_admin"}


class NetBird(World):
    name = "netbird"
    BASE = "/api"
    SIGNED = {"authorization": "Token {token}"}
    UNSIGNED = Reply(401, {"code": 401, "message": "token invalid"})
    MISSING = Reply(404, {"code": 404, "message": "not found"})
    GIVE = ("roles", "auditor")
    TAKE = ("roles", "network_admin")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {"users": {}, "peers": {}, "tokens": {}}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"nb{number}"
            role = "owner" if key == "grace" else "network_admin"
            state["users"][ident] = self._user(ident, person["email"], self.full_name(person), role)
            state["peers"][f"p{number}"] = {
                "id": f"p{number}",
                "name": f"{key}-laptop",
                "user_id": ident,
                "connected": True,
            }
            state["tokens"][f"t{number}"] = {
                "id": f"t{number}",
                "name": f"{key}'s script",
                "_user": ident,
                "created_at": stamp(-50),
            }
        return state

    def _user(self, ident: str, email: str, name: str, role: str, status: str = "active") -> Row:
        return {
            "id": ident,
            "email": email,
            "name": name,
            "role": role,
            "status": status,
            "auto_groups": [],
            "is_current": False,
            "is_service_user": False,
            "is_blocked": False,
            "last_login": stamp(-1),
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users", listed("users")),
            ("POST", "/users", made("users", self._invite, status=200)),
            ("PUT", "/users/{id}", changed("users", self._update)),
            ("DELETE", "/users/{id}", self._remove),
            ("GET", "/users/{id}/tokens", listed("tokens", matching(_user="id"))),
            ("DELETE", "/users/{user}/tokens/{id}", removed("tokens", status=200, body={})),
            ("GET", "/peers", listed("peers")),
            ("DELETE", "/peers/{id}", removed("peers", status=200, body={})),
        ]

    def _invite(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if body.get("role") not in ROLES - {"owner"}:
            return Reply(422, {"code": 422, "message": "invalid user role"})
        if any(row["email"] == body["email"] for row in self.state["users"].values()):
            return Reply(409, {"code": 409, "message": "user already exists"})
        return self._user(f"nb{number}", body["email"], body.get("name", ""), body["role"], "invited")

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        body = call.body
        missing = [name for name in ("role", "auto_groups", "is_blocked") if name not in body]
        if missing or body["role"] not in ROLES:
            return Reply(422, {"code": 422, "message": f"{', '.join(missing) or 'role'} is required"})
        if row["role"] == "owner" or body["role"] == "owner":
            return Reply(403, {"code": 403, "message": "the owner can't be changed"})
        row.update(body)
        return None

    def _remove(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is not None and row["role"] == "owner":
            return Reply(403, {"code": 403, "message": "unable to delete a user with owner role"})
        return removed("users", status=200, body={})(world, call)

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        if user is None:
            return Seen("absent")
        peers = [row["id"] for row in self.state["peers"].values() if row["user_id"] == ident]
        tokens = [row["id"] for row in self.state["tokens"].values() if row["_user"] == ident]
        account = "suspended" if user["is_blocked"] else "invited" if user["status"] == "invited" else "active"
        return Seen(account, open=[*peers, *tokens], held={f"roles: {user['role']}"})

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["is_blocked"] = state == "suspended"
