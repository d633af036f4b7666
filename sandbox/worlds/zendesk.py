# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Zendesk, ticketing API v2: https://developer.zendesk.com/api-reference/. The search answers from an index; customers are users too."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import NoPages, Numbered, Op, Row, Seen, World, changed, listed, made, matching, one, removed


class Searching(Numbered):
    """Pages by number, with the next page's address in the body."""


class Zendesk(World):
    name = "zendesk"
    BASE = "/api/v2"
    SIGNED = {"authorization": "basic:{email}/token:{token}"}
    UNSIGNED = Reply(401, {"error": "Couldn't authenticate you"})
    MISSING = Reply(404, {"error": "RecordNotFound", "description": "Not found"})
    PAGES = Numbered(page="page[after]", size="page[size]", first=0)
    OPTIONS = {"subdomain": "corp"}
    GIVE = ("groups", "Escalations")
    TAKE = ("groups", "Support")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {
                n: {"id": n, "name": name, "deleted": False} for n, name in ((71, "Support"), (72, "Escalations"))
            },
            "memberships": {},
            "sessions": {},
            "tokens": {},
            "custom_roles": {61: {"id": 61, "name": "Team lead"}},
        }
        for number, (key, person) in enumerate(self.seated().items(), 501):
            role = "admin" if key == "grace" else "agent"
            state["users"][number] = self._user(number, person["email"], self.full_name(person), role)
            state["memberships"][number + 1000] = {
                "id": number + 1000,
                "user_id": number,
                "group_id": 71,
                "default": True,
            }
            state["sessions"][number + 2000] = {
                "id": number + 2000,
                "user_id": number,
                "authenticated_at": stamp(-30),
            }
            state["tokens"][number + 3000] = {
                "id": number + 3000,
                "user_id": number,
                "client_id": 9,
                "created_at": stamp(-500, 0),
                "used_at": None,
                "expires_at": None,
            }
        # A customer who writes from an address that begins like jane's.
        state["users"][900] = self._user(900, "jane@corp.example.org", "Jane Customer", "end-user")
        return state

    def _user(self, number: int, email: str, name: str, role: str) -> Row:
        return {
            "id": number,
            "email": email,
            "name": name,
            "role": role,
            "active": True,
            "suspended": False,
            "phone": None,
            "custom_role_id": None,
            "created_at": stamp(-1000, 0),
            "last_login_at": stamp(-2),
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        mine = matching(user_id="id")
        return [
            (
                "GET",
                "/users/search",
                listed("users", self._search, wrap="users", pages=Searching(page="page", fixed=100)),
            ),
            ("GET", "/users", listed("users", self._roles, wrap="users")),
            ("POST", "/users", made("users", self._new, wrap="user")),
            ("GET", "/users/{id}", one("users", wrap="user")),
            ("PUT", "/users/{id}", changed("users", self._update, wrap="user")),
            ("DELETE", "/users/{id}", self._delete),
            ("GET", "/users/{id}/sessions", listed("sessions", mine, wrap="sessions")),
            ("DELETE", "/users/{user}/sessions/{id}", removed("sessions")),
            ("GET", "/oauth/tokens", listed("tokens", wrap="tokens")),
            ("DELETE", "/oauth/tokens/{id}", removed("tokens")),
            ("GET", "/groups", listed("groups", wrap="groups")),
            (
                "GET",
                "/groups/{group}/memberships",
                listed("memberships", matching(group_id="group"), wrap="group_memberships"),
            ),
            ("GET", "/users/{id}/group_memberships", listed("memberships", mine, wrap="group_memberships")),
            ("POST", "/group_memberships", made("memberships", self._join, wrap="group_membership")),
            ("DELETE", "/group_memberships/{id}", removed("memberships")),
            ("GET", "/custom_roles", listed("custom_roles", wrap="custom_roles", pages=NoPages())),
        ]

    def paged(self, call: Call, rows: list[Row], *, wrap: str = "", pages: Any = None) -> Reply:
        page, more, _ = (pages or self.PAGES).cut(self, call, rows)
        last = more.get("last", True) and not (self.stuck and rows)
        if isinstance(pages, NoPages):
            return Reply(200, {wrap: page})
        number = int(call.query.get("page") or call.query.get("page[after]") or 0) + 1
        here = f"{self.url}{call.path}?"
        if isinstance(pages, Searching):
            following = here + "&".join(
                f"{k}={v}" for k, v in {**call.query, "page": str(number + (number == 1))}.items()
            )
            return Reply(
                200, {wrap: page, "count": len(rows), "next_page": None if last else following, "previous_page": None}
            )
        kept = [(k, v) for k, v in parse_qsl(call.query_string) if k != "page[after]"]
        following = here + "&".join(f"{k}={v}" for k, v in [*kept, ("page[after]", str(number))])
        return Reply(200, {wrap: page, "meta": {"has_more": not last}, "links": {"next": None if last else following}})

    def _roles(self, world: World, call: Call, row: Row) -> bool:
        wanted = [v for k, v in parse_qsl(call.query_string) if k == "role[]"]
        return not wanted or row["role"] in wanted

    def _search(self, world: World, call: Call, row: Row) -> bool:
        return bool(row["email"].lower().startswith(call.query["query"].removeprefix("email:").lower()))

    def _new(self, world: World, call: Call, number: int) -> Row | Reply:
        user = call.body["user"]
        if any(row["email"] == user["email"] for row in self.state["users"].values()):
            return Reply(422, {"error": "RecordInvalid", "description": "Email: is already being used by another user"})
        return {**self._user(number, user["email"], user["name"], user["role"]), "phone": user.get("phone")}

    def _update(self, world: World, call: Call, row: Row) -> None:
        row.update(call.body["user"])
        if row["suspended"]:  # a suspended user is signed out
            self.state["sessions"] = {n: s for n, s in self.state["sessions"].items() if s["user_id"] != row["id"]}

    def _delete(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        return removed("users", status=200, body={"user": {**row, "active": False}} if row else None)(world, call)

    def _join(self, world: World, call: Call, number: int) -> Row | Reply:
        wanted = call.body["group_membership"]
        if any(
            (m["user_id"], m["group_id"]) == (wanted["user_id"], wanted["group_id"])
            for m in self.state["memberships"].values()
        ):
            return Reply(422, {"error": "RecordInvalid", "description": "User has already been taken"})
        return {"id": number, "default": False, **wanted}

    def see(self, key: str) -> Seen:
        number = self.id_of(self.state["users"], key)
        user = self.state["users"].get(number)
        groups = {m["group_id"] for m in self.state["memberships"].values() if m["user_id"] == number}
        return Seen(
            "absent" if user is None else "suspended" if user["suspended"] else "active",
            open=[
                f"{kind} {row['id']}"
                for kind in ("sessions", "tokens")
                for row in self.state[kind].values()
                if row["user_id"] == number
            ],
            held={f"groups: {self.state['groups'][group]['name']}" for group in groups},
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["suspended"] = state == "suspended"
