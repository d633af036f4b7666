# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Datadog, API v2: https://docs.datadoghq.com/api/latest/. JSON:API bodies; DELETE of a user disables."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import NoPages, Numbered, Op, Row, Seen, World, listed, removed


def _ref(kind: str, ident: str) -> Row:
    return {"data": {"type": kind, "id": ident}}


class Datadog(World):
    name = "datadog"
    SIGNED = {"dd-api-key": "{api_key}", "dd-application-key": "{app_key}"}
    UNSIGNED = Reply(401, {"errors": ["Unauthorized"]})
    MISSING = Reply(404, {"errors": ["Not found"]})
    PAGES = Numbered(page="page[number]", size="page[size]", first=0)
    GIVE = ("teams", "Platform")
    TAKE = ("roles", "Datadog Standard Role")
    CREATED = "in_progress"
    ADDRESS = "_email"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "roles": {
                r: {"id": r, "type": "roles", "attributes": {"name": name}}
                for r, name in (("r1", "Datadog Standard Role"), ("r2", "Datadog Admin Role"))
            },
            "teams": {
                t: {"id": t, "type": "team", "attributes": {"name": name, "handle": name.lower()}}
                for t, name in (("t1", "Web"), ("t2", "Platform"))
            },
            "memberships": {},
            "app_keys": {},
            "api_keys": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"00000000-0000-0000-0000-0000000000{number:02}"
            state["users"][ident] = self._user(ident, person["email"], self.full_name(person), "Active")
            state["memberships"][f"m{number}"] = {
                "id": f"m{number}",
                "type": "team_memberships",
                "relationships": {"user": _ref("users", ident), "team": _ref("team", "t1")},
            }
            state["app_keys"][f"ak{number}"] = {
                "id": f"ak{number}",
                "type": "application_keys",
                "attributes": {"name": f"{key} cli", "created_at": stamp(-600, 0)},
                "relationships": {"owned_by": _ref("users", ident)},
            }
        jane = self.id_of(state["users"], "jane")
        state["api_keys"]["k1"] = {
            "id": "k1",
            "type": "api_keys",
            "attributes": {"name": "agents", "created_at": stamp(-1000, 0)},
            "relationships": {"created_by": _ref("users", jane)},
        }
        return state

    def _user(self, ident: str, email: str, name: str, status: str) -> Row:
        return {
            "_email": email,
            "id": ident,
            "type": "users",
            "attributes": {
                "email": email,
                "handle": email,
                "name": name,
                "disabled": False,
                "status": status,
                "service_account": False,
                "mfa_enabled": True,
                "created_at": stamp(-1000, 0),
            },
            "relationships": {"roles": {"data": [{"type": "roles", "id": "r1"}]}},
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        v2 = "/api/v2"
        return [
            (
                "GET",
                f"{v2}/users",
                listed(
                    "users", lambda w, c, row: c.query.get("filter", "").lower() in row["_email"].lower(), wrap="data"
                ),
            ),
            ("POST", f"{v2}/users", self._create),
            ("GET", f"{v2}/users/{{id}}", self._one),
            ("PATCH", f"{v2}/users/{{id}}", self._patch),
            ("DELETE", f"{v2}/users/{{id}}", self._disable),
            ("POST", f"{v2}/user_invitations", self._invite),
            (
                "GET",
                f"{v2}/users/{{id}}/memberships",
                listed(
                    "memberships",
                    lambda w, c, row: row["relationships"]["user"]["data"]["id"] == c.args["id"],
                    wrap="data",
                    pages=NoPages(),
                ),
            ),
            ("GET", f"{v2}/roles", listed("roles", wrap="data")),
            ("POST", f"{v2}/roles/{{role}}/users", self._role),
            ("DELETE", f"{v2}/roles/{{role}}/users", self._role),
            ("GET", f"{v2}/team", listed("teams", wrap="data")),
            (
                "GET",
                f"{v2}/team/{{team}}/memberships",
                listed(
                    "memberships",
                    lambda w, c, row: row["relationships"]["team"]["data"]["id"] == c.args["team"],
                    wrap="data",
                ),
            ),
            ("POST", f"{v2}/team/{{team}}/memberships", self._join),
            ("DELETE", f"{v2}/team/{{team}}/memberships/{{id}}", self._leave),
            ("GET", f"{v2}/application_keys", listed("app_keys", wrap="data")),
            ("DELETE", f"{v2}/application_keys/{{id}}", removed("app_keys")),
            ("GET", f"{v2}/api_keys", listed("api_keys", wrap="data")),
        ]

    def _one(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        return Reply(200, {"data": row}) if row else self.MISSING

    def _create(self, world: World, call: Call) -> Reply:
        said = call.body["data"]["attributes"]
        if any(row["_email"] == said["email"] for row in self.state["users"].values()):
            return Reply(409, {"errors": ["User with handle exists"]})
        ident = f"00000000-0000-0000-0000-{self.next_id():012}"
        self.state["users"][ident] = self._user(ident, said["email"], said["name"], "Pending")
        return Reply(201, {"data": self.state["users"][ident]})

    def _patch(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is None:
            return self.MISSING
        if call.body["data"].get("id") != row["id"] or call.body["data"].get("type") != "users":
            return Reply(422, {"errors": ["id and type must fit"]})
        row["attributes"].update(call.body["data"]["attributes"])
        row["attributes"]["status"] = "Disabled" if row["attributes"]["disabled"] else "Active"
        return Reply(200, {"data": row})

    def _disable(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is None:
            return self.MISSING
        row["attributes"].update(disabled=True, status="Disabled")
        return Reply(204)

    def _invite(self, world: World, call: Call) -> Reply:
        return Reply(201, {"data": [{"type": "user_invitations", "id": f"i{self.next_id()}", "attributes": {}}]})

    def _role(self, world: World, call: Call) -> Reply:
        row, role = self.row("users", call.body["data"]["id"]), self.row("roles", call.args["role"])
        if row is None or role is None:
            return self.MISSING
        held = [r for r in row["relationships"]["roles"]["data"] if r["id"] != role["id"]]
        row["relationships"]["roles"]["data"] = held + (
            [{"type": "roles", "id": role["id"]}] if call.method == "POST" else []
        )
        return Reply(200, {"data": list(self.state["users"].values())})

    def _of(self, team: str, user: str) -> list[str]:
        return [
            k
            for k, m in self.state["memberships"].items()
            if (m["relationships"]["team"]["data"]["id"], m["relationships"]["user"]["data"]["id"]) == (team, user)
        ]

    def _join(self, world: World, call: Call) -> Reply:
        user, team = call.body["data"]["relationships"]["user"]["data"]["id"], call.args["team"]
        if self._of(team, user):
            return Reply(409, {"errors": ["is a member"]})
        ident = f"m{self.next_id()}"
        self.state["memberships"][ident] = {
            "id": ident,
            "type": "team_memberships",
            "relationships": {"user": _ref("users", user), "team": _ref("team", team)},
        }
        return Reply(200, {"data": self.state["memberships"][ident]})

    def _leave(self, world: World, call: Call) -> Reply:
        found = self._of(call.args["team"], call.args["id"])
        for ident in found:
            del self.state["memberships"][ident]
        return Reply(204) if found else self.MISSING

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        if user is None:
            return Seen("absent")
        status = {"Active": "active", "Disabled": "suspended", "Pending": "invited"}[user["attributes"]["status"]]
        teams = [
            m["relationships"]["team"]["data"]["id"]
            for m in self.state["memberships"].values()
            if m["relationships"]["user"]["data"]["id"] == ident
        ]
        return Seen(
            status,
            open=[
                k
                for k, row in self.state["app_keys"].items()
                if row["relationships"]["owned_by"]["data"]["id"] == ident
            ],
            held={f"teams: {self.state['teams'][t]['attributes']['name']}" for t in teams}
            | {
                f"roles: {self.state['roles'][r['id']]['attributes']['name']}"
                for r in user["relationships"]["roles"]["data"]
            },
        )

    def settle(self, key: str, state: str) -> None:
        said = self.state["users"][self.id_of(self.state["users"], key)]["attributes"]
        said.update(disabled=state == "suspended", status="Disabled" if state == "suspended" else "Active")
