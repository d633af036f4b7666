# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Netlify: https://open-api.netlify.com/. A team's members are one bare list."""

from __future__ import annotations

from typing import Any

from sandbox.days import day
from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, Seen, World, changed, listed, made, removed

ROLES = {"Owner", "Developer", "Billing Admin", "Reviewer"}


class Netlify(World):
    name = "netlify"
    BASE = "/api/v1"
    SIGNED = {"authorization": "Bearer {token}"}
    UNSIGNED = Reply(401, {"code": 401, "message": "Access Denied"})
    MISSING = Reply(404, {"code": 404, "message": "Not Found"})
    OPTIONS = {"team": "corp"}
    GIVE = ("roles", "Billing Admin")
    TAKE = ("roles", "Reviewer")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        users = {}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"n{number:03}"
            role = "Owner" if key == "grace" else "Reviewer"
            users[ident] = self._member(ident, person["email"], self.full_name(person), role)
        return {"users": users}

    def _member(self, ident: str, email: str, name: str, role: str, pending: bool = False) -> Row:
        seen = None if pending else day(-3).isoformat()
        return {
            "id": ident,
            "full_name": name,
            "email": email,
            "role": role,
            "pending": pending,
            "last_activity_date": seen,
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/corp/members", listed("users")),
            ("POST", "/corp/members", made("users", self._invite, status=200)),
            ("PUT", "/corp/members/{id}", changed("users", self._update)),
            ("DELETE", "/corp/members/{id}", self._remove),
        ]

    def _invite(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if body.get("role") not in ROLES:
            return Reply(422, {"code": 422, "message": "role is not included in the list"})
        if any(row["email"] == body["email"] for row in self.state["users"].values()):
            return Reply(422, {"code": 422, "message": "email is a member already"})
        return self._member(f"n{number}", body["email"], "", body["role"], pending=True)

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.body.get("role") not in ROLES:
            return Reply(422, {"code": 422, "message": "role is not included in the list"})
        row["role"] = call.body["role"]
        return None

    def _remove(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        owners = [one for one in self.state["users"].values() if one["role"] == "Owner"]
        if row is not None and owners == [row]:
            return Reply(422, {"code": 422, "message": "the last owner can't be removed"})
        return removed("users")(world, call)

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        return Seen("invited" if user["pending"] else "active", held={f"roles: {user['role']}"})
