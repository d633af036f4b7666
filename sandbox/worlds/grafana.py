# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Grafana, self-managed: https://grafana.com/docs/grafana/latest/developers/http_api/admin/. Basic auth of a server administrator."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Numbered, Op, Row, Seen, World, changed, listed, matching, one, removed


def _sets(disabled: bool) -> Op:
    def change(world: Any, call: Call, row: Row) -> Reply:
        row["isDisabled"] = disabled
        if disabled:  # https://grafana.com/docs/grafana/latest/administration/user-management/: it ends sessions
            world.state["sessions"] = {i: s for i, s in world.state["sessions"].items() if s["user"] != row["id"]}
        return Reply(200, {"message": f"User {'disabled' if disabled else 'enabled'}"})

    return changed("users", change)


class Grafana(World):
    name = "grafana"
    BASE = "/api"
    SIGNED = {"authorization": "basic:{user}:{password}"}
    UNSIGNED = Reply(401, {"message": "Invalid username or password"})
    MISSING = Reply(404, {"message": "user not found"})
    PAGES = Numbered(page="page", size="perpage")
    GIVE = ("teams", "Platform")
    TAKE = ("teams", "Engineering")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "sessions": {},
            "teams": {n: {"id": n, "name": name} for n, name in ((1, "Engineering"), (2, "Platform"))},
            "members": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 11):
            state["users"][number] = {
                "id": number,
                "login": key,
                "email": person["email"],
                "name": self.full_name(person),
                "isGrafanaAdmin": key == "grace",
                "isDisabled": False,
                "lastSeenAt": stamp(-1),
                "createdAt": stamp(-600),
            }
            state["sessions"][number * 10] = {"id": number * 10, "user": number, "isActive": True, "browser": "Firefox"}
            state["members"][number * 100] = {"id": number * 100, "user": number, "team": 1}
        return state

    def login(self, key: str) -> str:
        return key

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users", listed("users")),
            ("GET", "/users/search", listed("users", self._search, wrap="users")),
            ("GET", "/users/{id}", one("users")),
            ("GET", "/users/{id}/teams", self._teams_of),
            ("POST", "/admin/users/{id}/disable", _sets(True)),
            ("POST", "/admin/users/{id}/enable", _sets(False)),
            ("DELETE", "/admin/users/{id}", removed("users", status=200, body={"message": "User deleted"})),
            ("GET", "/admin/users/{id}/auth-tokens", listed("sessions", matching(user="id"))),
            ("POST", "/admin/users/{id}/revoke-auth-token", self._revoke),
            ("GET", "/teams/search", listed("teams", wrap="teams")),
            ("GET", "/teams/{team}/members", self._members),
            ("POST", "/teams/{team}/members", self._join),
            ("DELETE", "/teams/{team}/members/{id}", self._leave),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "totalCount": more["total"]} if wrap else page

    def _search(self, world: World, call: Call, row: Row) -> bool:
        wanted = call.query.get("query", "").lower()
        return any(wanted in row[field].lower() for field in ("login", "email", "name"))

    def _revoke(self, world: World, call: Call) -> Reply:
        gone = self.state["sessions"].pop(call.body["authTokenId"], None)
        return (
            Reply(200, {"message": "User auth token revoked"}) if gone else Reply(404, {"message": "token not found"})
        )

    def _held(self, user: str, team: str) -> list[Any]:
        return [i for i, m in self.state["members"].items() if (str(m["user"]), str(m["team"])) == (user, team)]

    def _teams_of(self, world: World, call: Call) -> Reply:
        teams = [m["team"] for m in self.state["members"].values() if str(m["user"]) == call.args["id"]]
        return Reply(200, [self.state["teams"][team] for team in teams])

    def _members(self, world: World, call: Call) -> Reply:
        rows = [m for m in self.state["members"].values() if str(m["team"]) == call.args["team"]]
        users = self.state["users"]
        return Reply(200, [{"userId": m["user"], **{k: users[m["user"]][k] for k in ("login", "email")}} for m in rows])

    def _join(self, world: World, call: Call) -> Reply:
        user, team = int(call.body["userId"]), int(call.args["team"])
        if self._held(str(user), str(team)):
            return Reply(400, {"message": "User is already added to this team"})
        number = self.next_id()
        self.state["members"][number] = {"id": number, "user": user, "team": team}
        return Reply(200, {"message": "Member added to Team"})

    def _leave(self, world: World, call: Call) -> Reply:
        held = self._held(call.args["id"], call.args["team"])
        for ident in held:
            del self.state["members"][ident]
        return Reply(200, {"message": "Team Member removed"}) if held else Reply(404, {"message": "Member not found"})

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        if user is None:
            return Seen("absent")
        return Seen(
            "suspended" if user["isDisabled"] else "active",
            open=[str(s["id"]) for s in self.state["sessions"].values() if s["user"] == ident],
            held={
                f"teams: {self.state['teams'][m['team']]['name']}"
                for m in self.state["members"].values()
                if m["user"] == ident
            },
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["isDisabled"] = state == "suspended"
