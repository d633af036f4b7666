# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OpenAI's administration API: https://platform.openai.com/docs/api-reference/administration."""

from __future__ import annotations

from typing import Any

from sandbox.days import moment
from sandbox.emulator import Call, Reply
from sandbox.world import After, Op, Row, Seen, World, changed, listed, made, one, removed

ROLES = {"owner", "reader"}


def refused(message: str) -> Reply:
    return Reply(400, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})


class OpenAi(World):
    name = "openai"
    BASE = "/v1/organization"
    SIGNED = {"authorization": "Bearer {admin_key}"}
    UNSIGNED = Reply(401, {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}})
    MISSING = Reply(404, {"error": {"message": "Not found", "type": "invalid_request_error"}})
    PAGES = After()
    GIVE = ("roles", "owner")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        users = {}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"user-{number:02}"
            users[ident] = {
                "object": "organization.user",
                "id": ident,
                "name": self.full_name(person),
                "email": person["email"],
                "role": "owner" if key == "grace" else "reader",
                "added_at": int(moment(-400).timestamp()),
            }
        return {"users": users, "invites": {}}

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            (
                "GET",
                "/users",
                listed("users", lambda w, c, row: c.query.get("emails", row["email"]) == row["email"], wrap="data"),
            ),
            ("GET", "/users/{id}", one("users")),
            ("POST", "/users/{id}", changed("users", self._update)),
            (
                "DELETE",
                "/users/{id}",
                removed("users", status=200, body={"object": "organization.user.deleted", "deleted": True}),
            ),
            ("GET", "/invites", listed("invites", wrap="data")),
            ("POST", "/invites", made("invites", self._invite, status=200)),
            (
                "DELETE",
                "/invites/{id}",
                removed("invites", status=200, body={"object": "organization.invite.deleted", "deleted": True}),
            ),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {
            "object": "list",
            wrap: page,
            "has_more": more["more"],
            "first_id": more["first"],
            "last_id": more["last"],
        }

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.body["role"] not in ROLES:
            return refused("Invalid role")
        row["role"] = call.body["role"]
        return None

    def _invite(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if body.get("role") not in ROLES:
            return refused("Invalid role")
        if any(row["email"] == body["email"] for table in ("users", "invites") for row in self.state[table].values()):
            return refused("This person is a member or invited already")
        row = {"object": "organization.invite", "id": f"invite-{number}", "email": body["email"], "role": body["role"]}
        return {**row, "status": "pending", "invited_at": int(moment(0).timestamp())}

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("invited" if self.id_of(self.state["invites"], key) is not None else "absent")
        return Seen("active", held={f"roles: {user['role']}"})
