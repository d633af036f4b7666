# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Asana: https://developers.asana.com/reference. Bodies are wrapped in ``data``; a person is addressed by gid or address."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, listed


def failed(status: int, message: str) -> Reply:
    return Reply(status, {"errors": [{"message": message, "help": "https://developers.asana.com/docs/errors"}]})


class Asana(World):
    name = "asana"
    BASE = "/api/1.0"
    UNSIGNED = failed(401, "Not Authorized")
    MISSING = failed(404, "Not a recognized ID")
    PAGES = Cursor(cursor="offset", size="limit")
    OPTIONS = {"workspace": "111"}
    GIVE = ("teams", "Platform")
    TAKE = ("teams", "Engineering")

    def seed(self) -> dict[str, Any]:
        users, members = {}, {}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            gid = f"50{number}"
            users[gid] = self._member(gid, person["email"], self.full_name(person), key == "grace")
            members[gid] = {"id": gid, "user": gid, "team": "700"}
        teams = {
            gid: {"gid": gid, "name": name, "resource_type": "team"}
            for gid, name in (("700", "Engineering"), ("701", "Platform"))
        }
        return {"users": users, "members": members, "teams": teams}

    def _member(self, gid: str, email: str, name: str, admin: bool = False) -> Row:
        return {
            "gid": f"9{gid}",
            "resource_type": "workspace_membership",
            "email": email,
            "id": gid,
            "user": {"gid": gid, "email": email, "name": name},
            "is_active": True,
            "is_admin": admin,
            "is_guest": False,
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/workspaces/111/workspace_memberships", self._memberships),
            ("POST", "/workspaces/111/addUser", self._add),
            ("POST", "/workspaces/111/removeUser", self._remove),
            ("GET", "/workspaces/111/teams", listed("teams", wrap="data")),
            ("GET", "/users/{id}/teams", self._teams_of),
            ("GET", "/teams/{team}/users", self._team),
            ("POST", "/teams/{team}/addUser", self._join),
            ("POST", "/teams/{team}/removeUser", self._leave),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        following = {"offset": more["next"], "path": "", "uri": ""} if more["next"] else None
        return {"data": page, "next_page": following}

    def _memberships(self, world: World, call: Call) -> Reply:
        wanted = call.query.get("user")
        rows = list(self.state["users"].values())
        if wanted:
            rows = [row for row in rows if wanted.lower() in (row["user"]["gid"], row["user"]["email"].lower())]
            if not rows:
                return failed(400, f"user: Not a recognized ID: {wanted}")
        return self.paged(call, rows, wrap="data")

    def _add(self, world: World, call: Call) -> Reply:
        email = call.body["data"]["user"]
        if all(row["email"] != email for row in self.state["users"].values()):
            gid = str(self.next_id())
            self.state["users"][gid] = self._member(gid, email, "")
        return Reply(200, {"data": {"email": email}})

    def _remove(self, world: World, call: Call) -> Reply:
        gone = self.state["users"].pop(call.body["data"]["user"], None)
        return Reply(200, {"data": {}}) if gone else failed(404, "Not a member of the workspace")

    def _held(self, user: str, team: str) -> list[str]:
        return [i for i, m in self.state["members"].items() if (m["user"], m["team"]) == (user, team)]

    def _teams_of(self, world: World, call: Call) -> Reply:
        teams = [m["team"] for m in self.state["members"].values() if m["user"] == call.args["id"]]
        return self.paged(call, [self.state["teams"][team] for team in teams], wrap="data")

    def _team(self, world: World, call: Call) -> Reply:
        users = [m["user"] for m in self.state["members"].values() if m["team"] == call.args["team"]]
        rows = [self.state["users"][user]["user"] for user in users if user in self.state["users"]]
        return self.paged(call, rows, wrap="data")

    def _join(self, world: World, call: Call) -> Reply:
        user, team = call.body["data"]["user"], call.args["team"]
        if user not in self.state["users"]:
            return self.MISSING
        if not self._held(user, team):
            number = str(self.next_id())
            self.state["members"][number] = {"id": number, "user": user, "team": team}
        return Reply(200, {"data": {"gid": team}})

    def _leave(self, world: World, call: Call) -> Reply:
        held = self._held(call.body["data"]["user"], call.args["team"])
        for number in held:
            del self.state["members"][number]
        return Reply(200, {"data": {}}) if held else failed(404, "Not a member of the team")

    def twin(self, key: str) -> None:
        row = self.state["users"][self.id_of(self.state["users"], key)]
        self.state["users"]["599"] = {**row, "id": "599", "gid": "9599", "user": {**row["user"], "gid": "599"}}

    def see(self, key: str) -> Seen:
        gid = self.id_of(self.state["users"], key)
        if gid is None:
            return Seen("absent")
        teams = {m["team"] for m in self.state["members"].values() if m["user"] == gid}
        return Seen("active", held={f"teams: {self.state['teams'][team]['name']}" for team in teams})
