# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Zoom, API v2: https://developers.zoom.us/docs/api/users/. Users are listed by state; a pending one is addressed by address."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, changed, listed


def failed(status: int, code: int, message: str) -> Reply:
    return Reply(status, {"code": code, "message": message})


class Zoom(World):
    name = "zoom"
    BASE = "/v2"
    READING_POSTS = (r"/oauth/token$",)
    UNSIGNED = failed(401, 124, "Invalid access token.")
    MISSING = failed(404, 1001, "User does not exist.")
    PAGES = Cursor(cursor="next_page_token", size="page_size")
    OPTIONS = {"account": "A-1", "transfer_to": "mark@corp.example"}
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CREATED = "in_progress"
    CUT = "acknowledged"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {g: {"id": g, "name": name} for g, name in (("g1", "Engineering"), ("g2", "Platform"))},
            "meetings": {},
            "tokens": {},
            "transfers": [],
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"Zm{number}"
            state["users"][ident] = {
                "id": ident,
                "email": person["email"],
                "first_name": person["first_name"],
                "last_name": person["last_name"],
                "type": 2,
                "status": "active",
                "role_id": "0" if key == "grace" else "2",
                "dept": "",
                "job_title": "",
                "group_ids": ["g1"],
                "last_login_time": stamp(-1),
                "user_created_at": stamp(-500),
            }
            state["tokens"][ident] = 1
        jane = self.id_of(state["users"], "jane")
        state["meetings"]["801"] = {"id": 801, "topic": "Weekly", "type": 8, "host_id": jane}
        return state

    def routes(self) -> Any:
        return [*super().routes(), ("POST", "/oauth/token", self._token)]

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            (
                "GET",
                "/users",
                listed("users", lambda w, c, row: row["status"] == c.query.get("status", "active"), wrap="users"),
            ),
            ("POST", "/users", self._new),
            ("GET", "/users/{id}", self._one),
            ("PATCH", "/users/{id}", changed("users", lambda w, c, row: row.update(c.body), status=204)),
            ("DELETE", "/users/{id}", self._delete),
            ("PUT", "/users/{id}/status", changed("users", self._status, status=204)),
            ("DELETE", "/users/{id}/token", self._revoke),
            (
                "GET",
                "/users/{id}/meetings",
                listed("meetings", lambda w, c, row: row["host_id"] == c.args["id"], wrap="meetings"),
            ),
            ("GET", "/groups", listed("groups", wrap="groups")),
            (
                "GET",
                "/groups/{group}/members",
                listed("users", lambda w, c, row: c.args["group"] in row["group_ids"], wrap="members"),
            ),
            ("POST", "/groups/{group}/members", self._join),
            ("DELETE", "/groups/{group}/members/{id}", changed("users", self._leave, status=204)),
        ]

    def systems(self) -> Any:
        [entry] = super().systems().values()
        return {"zoom": {**entry, "options": {**self.OPTIONS, "token_url": f"{self.url}/oauth/token"}}}

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/oauth/token":
            right = self._signature("basic:{client_id}:{client_secret}")
            wrong = call.headers.get("authorization") != right or call.form.get("account_id") != "A-1"
            return (
                Reply(400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
                if wrong
                else None
            )
        signed = call.headers.get("authorization") == f"Bearer {self.secret('access')}"
        return None if signed else self.UNSIGNED

    def _token(self, call: Call) -> Reply:
        if call.form.get("grant_type") != "account_credentials":
            return Reply(400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"})
        return Reply(
            200, {"access_token": self.secret("access"), "token_type": "bearer", "expires_in": 3600, "scope": ""}
        )

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "page_size": len(page), "next_page_token": more["next"] or ""}

    def _by(self, ident: str) -> Row | None:
        """By id or address; somebody who is pending by address only."""
        found = self.row("users", ident)
        if found is not None:
            return found if found["status"] != "pending" else None
        return next((row for row in self.state["users"].values() if row["email"].lower() == ident.lower()), None)

    def _one(self, world: World, call: Call) -> Reply:
        ident = call.args["id"]
        if call.query.get("search_by_unique_id") == "true":
            row = next((r for r in self.state["users"].values() if r.get("employee_unique_id") == ident), None)
        else:
            row = self._by(ident)
        return self.MISSING if row is None else Reply(200, row)

    def _new(self, world: World, call: Call) -> Reply:
        said = call.body["user_info"]
        if call.body["action"] != "create" or said["type"] not in (1, 2, 99):
            return failed(400, 300, "Validation Failed.")
        if self._by(said["email"]) is not None:
            return failed(409, 1005, f"{said['email']} is already in the account")
        ident = f"Zm{self.next_id()}"
        row = {"id": ident, **said, "status": "pending", "role_id": "2", "group_ids": [], "user_created_at": stamp(0)}
        self.state["users"][ident] = row
        return Reply(201, {"id": ident, **said})

    def _delete(self, world: World, call: Call) -> Reply:
        row, action = self._by(call.args["id"]), call.query.get("action", "disassociate")
        if row is None:
            return self.MISSING
        if row["role_id"] == "0":
            return failed(400, 200, "The owner of the account can't be deleted.")
        if action == "delete" and row["status"] == "pending":
            return failed(400, 300, "A pending user can be disassociated only.")
        heir = call.query.get("transfer_email")
        if heir is not None:
            to = self._by(heir)
            if to is None or to is row or to["status"] != "active":
                return failed(400, 300, f"{heir} can't take anything over")
            self.state["transfers"].append({"of": row["email"], "to": heir})
        self.state["users"].pop(row["id"])
        self.state["meetings"] = {i: m for i, m in self.state["meetings"].items() if m["host_id"] != row["id"]}
        return Reply(204)

    def _status(self, world: World, call: Call, row: Row) -> Reply | None:
        if row["role_id"] == "0":
            return failed(400, 200, "The owner of the account can't be deactivated.")
        row["status"] = {"activate": "active", "deactivate": "inactive"}[call.body["action"]]
        return None

    def _revoke(self, world: World, call: Call) -> Reply:
        row = self._by(call.args["id"])
        if row is None:
            return self.MISSING
        self.state["tokens"].pop(row["id"], None)
        return Reply(204)

    def _join(self, world: World, call: Call) -> Reply:
        if call.args["group"] not in self.state["groups"]:
            return failed(404, 4130, "Group does not exist.")
        for member in call.body["members"]:
            row = self._by(member["id"])
            if row is None:
                return self.MISSING
            row["group_ids"] = sorted({*row["group_ids"], call.args["group"]})
        return Reply(201, {"added_at": stamp(0), "ids": ""})

    def _leave(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.args["group"] not in row["group_ids"]:
            return failed(404, 4130, "The user is not in the group.")
        row["group_ids"] = [group for group in row["group_ids"] if group != call.args["group"]]
        return None

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        if user is None:
            return Seen("absent")
        return Seen(
            {"active": "active", "inactive": "suspended", "pending": "invited"}[user["status"]],
            open=[f"token of {ident}"] if ident in self.state["tokens"] else [],
            held={f"groups: {self.state['groups'][group]['name']}" for group in user["group_ids"]},
            owned=[m["topic"] for m in self.state["meetings"].values() if m["host_id"] == ident],
        )

    def settle(self, key: str, state: str) -> None:
        user = self.state["users"][self.id_of(self.state["users"], key)]
        user["status"] = "active" if state == "active" else "inactive"

    def twin(self, key: str) -> None:
        """The address is somebody's here already, and the employee id leads to somebody else."""
        users = self.state["users"]
        number = str(self.company.people[key]["employee_id"])
        users["Zm99"] = {
            **users[self.id_of(users, key)],
            "id": "Zm99",
            "email": "j.d@corp.example",
            "employee_unique_id": number,
        }
