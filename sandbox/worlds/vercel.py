# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Vercel: https://vercel.com/docs/rest-api/reference/endpoints/teams. Members and invitations come in one answer."""

from __future__ import annotations

from typing import Any

from sandbox.days import moment
from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, changed, made, removed

ROLES = {"OWNER", "MEMBER", "DEVELOPER", "BILLING", "VIEWER", "CONTRIBUTOR"}


def refused(status: int, message: str) -> Reply:
    return Reply(status, {"error": {"code": "bad_request", "message": message}})


class Vercel(World):
    name = "vercel"
    UNSIGNED = Reply(403, {"error": {"code": "forbidden", "message": "Not authorized", "invalidToken": True}})
    MISSING = Reply(404, {"error": {"code": "not_found", "message": "Not found"}})
    PAGES = Cursor(cursor="until", size="limit")
    OPTIONS = {"team": "team_corp"}
    GIVE = ("roles", "BILLING")
    TAKE = ("roles", "DEVELOPER")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        users = {}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"v{number:03}"
            users[ident] = {
                "uid": ident,
                "id": ident,
                "username": f"{key}-corp",
                "name": self.full_name(person),
                "email": person["email"],
                "role": "OWNER" if key == "grace" else "DEVELOPER",
                "confirmed": True,
                "createdAt": int(moment(-200).timestamp() * 1000),
            }
        return {"users": users, "invites": {}}

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/v2/teams/team_corp/members", self._members),
            ("POST", "/v1/teams/team_corp/members", made("invites", self._invite, status=200)),
            ("PATCH", "/v1/teams/team_corp/members/{id}", changed("users", self._update)),
            ("DELETE", "/v1/teams/team_corp/members/{id}", self._remove),
            ("DELETE", "/v1/teams/team_corp/invites/{id}", removed("invites", status=200, body={"id": "team_corp"})),
        ]

    def _members(self, world: World, call: Call) -> Reply:
        wanted = call.query.get("search", "").lower()
        rows = [u for u in self.state["users"].values() if wanted in u["email"].lower() or wanted in u["username"]]
        return self.paged(call, rows, wrap="members")

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        pagination = {"count": len(page), "next": more["next"], "hasNext": not more["last"]}
        return {wrap: page, "emailInviteCodes": list(self.state["invites"].values()), "pagination": pagination}

    def _invite(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if body.get("role") not in ROLES:
            return refused(400, "Invalid role")
        if any(row["email"] == body["email"] for table in ("users", "invites") for row in self.state[table].values()):
            return refused(400, "The user is a member or invited already")
        row = {"id": f"inv{number}", "email": body["email"], "role": body["role"], "isDSyncUser": False}
        return {**row, "expired": False, "createdAt": int(moment(0).timestamp() * 1000)}

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.body.get("role") not in ROLES:
            return refused(400, "Invalid role")
        row["role"] = call.body["role"]
        return Reply(200, {"id": "team_corp"})

    def _remove(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is not None and [u for u in self.state["users"].values() if u["role"] == "OWNER"] == [row]:
            return refused(400, "Cannot leave the team as the only owner.")
        return removed("users", status=200, body={"id": "team_corp", "newDefaultTeamIdError": False})(world, call)

    def twin(self, key: str) -> None:
        row = self.state["users"][self.id_of(self.state["users"], key)]
        self.state["users"]["v999"] = {**row, "uid": "v999", "id": "v999", "username": f"{row['username']}2"}

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("invited" if self.id_of(self.state["invites"], key) is not None else "absent")
        return Seen("active", held={f"roles: {user['role']}"})
