# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Anthropic's administration API: https://docs.anthropic.com/en/api/administration-api. Lists say ``has_more`` and ``last_id``."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import After, Op, Row, Seen, World, changed, listed, made, one, removed

ROLES = {"user", "developer", "billing", "admin", "claude_code_user"}


def refused(message: str) -> Reply:
    return Reply(400, {"type": "error", "error": {"type": "invalid_request_error", "message": message}})


class Anthropic(World):
    name = "anthropic"
    BASE = "/v1/organizations"
    SIGNED = {"x-api-key": "{admin_key}", "anthropic-version": "2023-06-01"}
    UNSIGNED = Reply(401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}})
    MISSING = Reply(404, {"type": "error", "error": {"type": "not_found_error", "message": "Not found"}})
    #: https://docs.anthropic.com/en/api/admin-api/users/list-users
    PAGES = After("after_id")
    GIVE = ("roles", "billing")
    TAKE = ("roles", "developer")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {"users": {}, "invites": {}, "keys": {}}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"user_{number:02}"
            role = "admin" if key == "grace" else "developer"
            state["users"][ident] = {
                "id": ident,
                "type": "user",
                "email": person["email"],
                "name": self.full_name(person),
                "role": role,
                "added_at": stamp(-400),
            }
            state["keys"][f"apikey_{number}"] = {
                "id": f"apikey_{number}",
                "type": "api_key",
                "name": f"{key}'s key",
                "status": "active",
                "created_at": stamp(-300),
                "created_by": {"id": ident, "type": "user"},
                "workspace_id": None,
                "partial_key_hint": "sk-ant-...",
            }
        return state

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            (
                "GET",
                "/users",
                listed("users", lambda w, c, row: c.query.get("email", row["email"]) == row["email"], wrap="data"),
            ),
            ("GET", "/users/{id}", one("users")),
            ("POST", "/users/{id}", changed("users", self._update)),
            ("DELETE", "/users/{id}", self._remove),
            ("GET", "/invites", listed("invites", wrap="data")),
            ("POST", "/invites", made("invites", self._invite, status=200)),
            ("DELETE", "/invites/{id}", removed("invites", status=200, body={"type": "invite_deleted"})),
            ("GET", "/api_keys", listed("keys", self._keys, wrap="data")),
            ("POST", "/api_keys/{id}", changed("keys", lambda world, call, row: row.update(call.body))),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "has_more": more["more"], "first_id": more["first"], "last_id": more["last"]}

    def _keys(self, world: World, call: Call, row: Row) -> bool:
        maker, status = row["created_by"]["id"], row["status"]
        return call.query.get("created_by_user_id", maker) == maker and call.query.get("status", status) == status

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        role = call.body["role"]
        if role not in ROLES or "admin" in (role, row["role"]):
            return refused("role: the admin role can't be given or taken by the API")
        row["role"] = role
        return None

    def _remove(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is not None and row["role"] == "admin":
            return refused("Members with the admin role cannot be removed via the API")
        return removed("users", status=200, body={"type": "user_deleted"})(world, call)

    def _invite(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if body.get("role") not in ROLES - {"admin"}:
            return refused("role: invalid")
        if any(row["email"] == body["email"] for table in ("users", "invites") for row in self.state[table].values()):
            return refused("email: already a member or invited")
        row = {
            "id": f"invite_{number}",
            "type": "invite",
            "email": body["email"],
            "role": body["role"],
            "status": "pending",
        }
        return {**row, "invited_at": stamp(0), "expires_at": stamp(21)}

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            invited = self.id_of(self.state["invites"], key) is not None
            return Seen("invited" if invited else "absent")
        mine = [
            k["id"]
            for k in self.state["keys"].values()
            if k["created_by"]["id"] == user["id"] and k["status"] == "active"
        ]
        return Seen("active", open=mine, held={f"roles: {user['role']}"})
