# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""PagerDuty, REST API v2: https://developer.pagerduty.com/api-reference/. Lists say ``more``; nobody is suspended."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Offset, Op, Row, Seen, World, changed, listed, made, matching, one, removed

ROLES = {
    "admin",
    "limited_user",
    "observer",
    "owner",
    "read_only_user",
    "restricted_access",
    "read_only_limited_user",
    "user",
}


def refused(*errors: str) -> Reply:
    return Reply(400, {"error": {"message": "Invalid Input Provided", "code": 2001, "errors": list(errors)}})


class PagerDuty(World):
    name = "pagerduty"
    SIGNED = {"authorization": "Token token={token}"}
    UNSIGNED = Reply(401, {"error": {"message": "Unauthorized", "code": 2006}})
    MISSING = Reply(404, {"error": {"message": "Not Found", "code": 2100}})
    PAGES = Offset()
    OPTIONS = {"from": "grace@corp.example", "delete_at_cutoff": True}
    GIVE = ("teams", "Platform")
    TAKE = ("teams", "Engineering")
    CREATED = "in_progress"
    #: A key can act on nobody's behalf for the integrations of others: a person revokes them.
    CUT = "needs_human"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "teams": {
                t: {"id": t, "type": "team", "name": name, "summary": name}
                for t, name in (("T1", "Engineering"), ("T2", "Platform"))
            },
            "delegations": {},
            "schedules": {},
            "policies": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            state["users"][f"PU{number}"] = self._user(
                f"PU{number}",
                person["email"],
                self.full_name(person),
                "owner" if key == "grace" else "limited_user",
                ["T1"],
            )
            for kind in ("mobile", "web", "integration"):
                ident = f"D{number}{kind[0]}"
                state["delegations"][ident] = {
                    "id": ident,
                    "user_id": f"PU{number}",
                    "client_id": f"c-{kind}",
                    "delegation_type": kind,
                    "status": "issued",
                    "type": "oauth_delegation",
                }
        jane = self.id_of(state["users"], "jane")
        state["schedules"]["S1"] = {
            "id": "S1",
            "type": "schedule",
            "summary": "Nights",
            "users": [{"id": jane, "type": "user_reference"}],
        }
        state["schedules"]["S2"] = {"id": "S2", "type": "schedule", "summary": "Days", "users": []}
        state["policies"]["E1"] = {"id": "E1", "type": "escalation_policy", "summary": "Core", "_users": [jane]}
        return state

    def _user(self, ident: str, email: str, name: str, role: str, teams: list[str], invited: bool = False) -> Row:
        return {
            "id": ident,
            "type": "user",
            "summary": name,
            "name": name,
            "email": email,
            "role": role,
            "job_title": None,
            "time_zone": "Europe/Berlin",
            "invitation_sent": invited,
            "teams": [{"id": t, "type": "team_reference"} for t in teams],
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users", listed("users", self._search, wrap="users")),
            ("POST", "/users", made("users", self._new, wrap="user")),
            ("GET", "/users/{id}", one("users", wrap="user")),
            ("PUT", "/users/{id}", changed("users", self._update, wrap="user")),
            ("DELETE", "/users/{id}", self._delete),
            (
                "GET",
                "/users/{id}/oauth_delegations",
                listed("delegations", self._issued, wrap="oauth_delegations", pages=Cursor()),
            ),
            ("DELETE", "/oauth_delegations", self._revoke),
            ("GET", "/teams", listed("teams", wrap="teams")),
            ("PUT", "/teams/{team}/users/{id}", self._join),
            ("DELETE", "/teams/{team}/users/{id}", changed("users", self._leave, status=204)),
            ("GET", "/schedules", listed("schedules", wrap="schedules")),
            (
                "GET",
                "/escalation_policies",
                listed(
                    "policies",
                    lambda w, c, row: c.query.get("user_ids[]") in (None, *row["_users"]),
                    wrap="escalation_policies",
                ),
            ),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        if "next" in more:
            return {wrap: page, "limit": 100, "next_cursor": more["next"], "more": not more["last"]}
        return {wrap: page, "limit": more["limit"], "offset": more["offset"], "more": not more["last"], "total": None}

    def _search(self, world: World, call: Call, row: Row) -> bool:
        wanted = call.query.get("query", "").lower()
        return wanted in row["email"].lower() or wanted in row["name"].lower()

    def _issued(self, world: World, call: Call, row: Row) -> bool:
        kind = call.query.get("delegation_type", row["delegation_type"])
        return (
            matching(user_id="id")(world, call, row)
            and row["status"] == call.query.get("status", "issued")
            and row["delegation_type"] == kind
        )

    def _new(self, world: World, call: Call, number: int) -> Row | Reply:
        user = call.body["user"]
        if "from" not in call.headers:
            return refused("The From header is required")
        if any(row["email"] == user["email"] for row in self.state["users"].values()):
            return refused("Email has already been taken")
        made_ = self._user(
            f"PU{number}", user["email"], user["name"], user.get("role", "limited_user"), [], invited=True
        )
        return {**made_, **{name: user[name] for name in ("job_title", "time_zone") if name in user}}

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        user = call.body["user"]
        missing = [name for name in ("type", "name", "email") if name not in user]
        if missing:
            return refused(f"{', '.join(missing)} can't be blank")
        if user.get("role", "user") not in ROLES or user.get("role") == "owner":
            return refused("Role is not included in the list")
        row.update(user)
        return None

    def _delete(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is not None and row["role"] == "owner":
            return refused("The account owner cannot be deleted")
        return removed("users")(world, call)

    def _revoke(self, world: World, call: Call) -> Reply:
        kinds = call.query.get("type", "mobile,web").split(",")
        if not set(kinds) <= {"mobile", "web"}:
            return refused("type must be mobile or web")
        for row in self.state["delegations"].values():
            if row["user_id"] == call.query["user_id"] and row["delegation_type"] in kinds:
                row["status"] = "revoked"
        return Reply(200, {})

    def _join(self, world: World, call: Call) -> Reply:
        user, team = self.row("users", call.args["id"]), self.row("teams", call.args["team"])
        if user is None or team is None:
            return self.MISSING
        if user["role"] == "read_only_user":
            return refused("A read only user can't be a member")
        user["teams"] = [t for t in user["teams"] if t["id"] != team["id"]] + [
            {"id": team["id"], "type": "team_reference"}
        ]
        return Reply(204)

    def _leave(self, world: World, call: Call, row: Row) -> Reply | None:
        if all(team["id"] != call.args["team"] for team in row["teams"]):
            return self.MISSING
        row["teams"] = [team for team in row["teams"] if team["id"] != call.args["team"]]
        return None

    def see(self, key: str) -> Seen:
        user = self.row("users", str(self.id_of(self.state["users"], key)))
        if user is None:
            return Seen("absent")
        mine = [
            row
            for row in self.state["delegations"].values()
            if row["user_id"] == user["id"] and row["status"] == "issued"
        ]
        return Seen(
            "invited" if user["invitation_sent"] else "active",
            open=[row["id"] for row in mine if row["delegation_type"] != "integration"],
            held={f"teams: {self.state['teams'][team['id']]['name']}" for team in user["teams"]},
        )
