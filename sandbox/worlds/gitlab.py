# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""GitLab, self-managed: https://docs.gitlab.com/api/rest/. Lists are bare arrays with a Link header; errors say ``message``."""

from __future__ import annotations

from typing import Any

from sandbox.days import day, stamp
from sandbox.emulator import Call, Reply
from sandbox.world import LinkHeader, Op, Seen, World, changed, keep, listed, made, matching, one, removed

GONE = Reply(404, {"message": "404 User Not Found"})


def _sets(state: str) -> Op:
    return changed("users", lambda world, call, row: row.update(state=state), status=201)


class GitLab(World):
    name = "gitlab"
    BASE = "/api/v4"
    SIGNED = {"private-token": "{token}"}
    UNSIGNED = Reply(401, {"message": "401 Unauthorized"})
    PAGES = LinkHeader(page="page", size="per_page")
    GIVE = ("groups", "platform")
    TAKE = ("groups", "engineering")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "tokens": {},
            "impersonation": {},
            "keys": {},
            "groups": {
                n: {"id": n, "full_path": path, "name": path.title()}
                for n, path in ((1, "engineering"), (2, "platform"))
            },
            "members": {},
            "projects": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 11):
            state["users"][number] = {
                **self._user(number, person["email"], person["email"].partition("@")[0], self.full_name(person)),
                "is_admin": key == "grace",
                "last_activity_on": day(-2).isoformat(),
            }
            for kind in ("tokens", "impersonation", "keys"):
                ident = number * 10 + len(kind)
                row = {"id": ident, "user_id": number, "created_at": stamp(-600, 0), "expires_at": None}
                state[kind][ident] = {
                    **row,
                    **(
                        {"title": f"{key}'s laptop"}
                        if kind == "keys"
                        else {"name": f"{key} {kind}", "active": True, "last_used_at": None}
                    ),
                }
            state["members"][number * 10] = {"id": number * 10, "user_id": number, "source_id": 1, "access_level": 30}
        jane = self.id_of(state["users"], "jane")
        state["projects"][700] = {"id": 700, "path_with_namespace": "jane/notes", "owner_id": jane}
        return state

    def login(self, key: str) -> str:
        return key

    def _user(self, number: int, email: str, username: str, name: str) -> dict[str, Any]:
        return {
            "id": number,
            "username": username,
            "name": name,
            "email": email,
            "state": "active",
            "bot": False,
            "external": False,
            "job_title": "",
            "two_factor_enabled": True,
            "is_admin": False,
            "created_at": stamp(-1000, 0),
            "last_activity_on": None,
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        mine = matching(user_id="id")
        return [
            ("GET", "/users", listed("users", self._search)),
            ("GET", "/users/{id}", one("users")),
            ("POST", "/users", made("users", self._new_user, status=201)),
            ("PUT", "/users/{id}", changed("users", self._update)),
            ("DELETE", "/users/{id}", removed("users")),
            ("POST", "/users/{id}/block", _sets("blocked")),
            ("POST", "/users/{id}/unblock", _sets("active")),
            ("GET", "/personal_access_tokens", listed("tokens", keep(user_id="user_id"))),
            ("DELETE", "/personal_access_tokens/{id}", removed("tokens")),
            ("GET", "/users/{id}/impersonation_tokens", listed("impersonation", mine)),
            ("DELETE", "/users/{user}/impersonation_tokens/{id}", removed("impersonation")),
            ("GET", "/users/{id}/keys", listed("keys", mine)),
            ("DELETE", "/users/{user}/keys/{id}", removed("keys")),
            ("GET", "/users/{id}/projects", listed("projects", matching(owner_id="id"))),
            ("GET", "/users/{id}/memberships", listed("members", mine)),
            ("GET", "/groups", listed("groups")),
            ("GET", "/groups/{group}/members", self._members),
            ("POST", "/groups/{group}/members", self._join),
            ("DELETE", "/groups/{group}/members/{id}", self._leave),
        ]

    def _search(self, world: World, call: Call, row: dict[str, Any]) -> bool:
        if "username" in call.query:
            return bool(row["username"].lower() == call.query["username"].lower())
        wanted = call.query.get("search", "").lower()
        return wanted in row["email"].lower() or wanted in row["username"].lower() or wanted in row["name"].lower()

    def _new_user(self, world: World, call: Call, number: int) -> dict[str, Any] | Reply:
        body = call.body
        if any(
            row["email"] == body["email"] or row["username"] == body["username"] for row in self.state["users"].values()
        ):
            return Reply(409, {"message": "Email has already been taken"})
        return {
            **self._user(number, body["email"], body["username"], body["name"]),
            "job_title": body.get("job_title", ""),
        }

    def _update(self, world: World, call: Call, row: dict[str, Any]) -> None:
        body = dict(call.body)
        if "admin" in body:
            row["is_admin"] = body.pop("admin")
        row.update(body)

    def _members(self, world: World, call: Call) -> Reply:
        held = {
            m["user_id"]: m["access_level"]
            for m in self.state["members"].values()
            if str(m["source_id"]) == call.args["group"]
        }
        rows = [
            {**self.state["users"][user], "access_level": level}
            for user, level in held.items()
            if user in self.state["users"]
        ]
        return self.paged(call, rows)

    def _join(self, world: World, call: Call) -> Reply:
        group, user = int(call.args["group"]), int(call.body["user_id"])
        if user not in self.state["users"]:
            return GONE
        if any(m["user_id"] == user and m["source_id"] == group for m in self.state["members"].values()):
            return Reply(409, {"message": "Member already exists"})
        number = self.next_id()
        self.state["members"][number] = {
            "id": number,
            "user_id": user,
            "source_id": group,
            "access_level": call.body["access_level"],
        }
        return Reply(201, {"id": user, "access_level": call.body["access_level"]})

    def _leave(self, world: World, call: Call) -> Reply:
        found = [
            n
            for n, m in self.state["members"].items()
            if (str(m["source_id"]), str(m["user_id"])) == (call.args["group"], call.args["id"])
        ]
        for number in found:
            del self.state["members"][number]
        return Reply(204) if found else Reply(404, {"message": "404 Not found"})

    def see(self, key: str) -> Seen:
        number = self.id_of(self.state["users"], key)
        user = self.state["users"].get(number)
        groups = {m["source_id"] for m in self.state["members"].values() if m["user_id"] == number}
        return Seen(
            "absent" if user is None else "active" if user["state"] == "active" else "suspended",
            open=[
                f"{kind} {row['id']}"
                for kind in ("tokens", "impersonation", "keys")
                for row in self.state[kind].values()
                if row["user_id"] == number
            ],
            held={f"groups: {self.state['groups'][group]['full_path']}" for group in groups},
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["state"] = {
            "active": "active",
            "suspended": "blocked",
        }[state]
