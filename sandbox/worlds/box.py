# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Box, API 2.0: https://developer.box.com/reference/. Whoever owns files can't be deleted."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Offset, Op, Row, Seen, World, changed, listed, made, removed

STATUSES = ("active", "inactive", "cannot_delete_edit", "cannot_delete_edit_upload")


def _refused(status: int, code: str) -> Reply:
    return Reply(status, {"type": "error", "status": status, "code": code, "message": code})


class BoxCom(World):
    name = "box"
    BASE = "/2.0"
    READING_POSTS = (r"/oauth2/token$",)
    UNSIGNED = _refused(401, "unauthorized")
    MISSING = _refused(404, "not_found")
    PAGES = Offset()
    ADDRESS = "login"
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CUT = "acknowledged"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {
                g: {"id": g, "type": "group", "name": n} for g, n in (("31", "Engineering"), ("32", "Platform"))
            },
            "memberships": {},
            "ended": [],
        }
        for number, person in enumerate(self.seated().values(), 101):
            ident = str(number)
            state["users"][ident] = self._user(ident, person["email"], self.full_name(person), 0)
            state["memberships"][f"9{ident}"] = {"id": f"9{ident}", "user": {"id": ident}, "group": {"id": "31"}}
        return state

    def _user(self, ident: str, login: str, name: str, used: int) -> Row:
        return {
            "id": ident,
            "type": "user",
            "login": login,
            "name": name,
            "status": "active",
            "job_title": "",
            "space_used": used,
            "created_at": stamp(-1000, 0),
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users", listed("users", self._begins, wrap="entries")),
            ("POST", "/users", made("users", self._new)),
            ("POST", "/users/terminate_sessions", self._end),
            ("GET", "/users/{id}", self._one),
            ("PUT", "/users/{id}", changed("users", self._update)),
            ("DELETE", "/users/{id}", self._delete),
            ("PUT", "/users/{id}/folders/0", self._move),
            ("GET", "/users/{id}/memberships", self._memberships("user")),
            ("GET", "/groups", listed("groups", wrap="entries")),
            ("GET", "/groups/{id}/memberships", self._memberships("group")),
            ("POST", "/group_memberships", made("memberships", self._join)),
            ("DELETE", "/group_memberships/{id}", removed("memberships")),
        ]

    def routes(self) -> Any:
        return [*super().routes(), ("POST", "/oauth2/token", self._token)]

    def _token(self, call: Call) -> Reply:
        form = call.form
        known = {"client_id": self.secret("client_id"), "client_secret": self.secret("client_secret")}
        good = {**known, "grant_type": "client_credentials", "box_subject_type": "enterprise", "box_subject_id": "77"}
        if form != good:
            return Reply(400, {"error": "invalid_client"})
        return Reply(200, {"access_token": self.secret("token"), "expires_in": 3600, "token_type": "bearer"})

    def authorise(self, call: Call) -> Reply | None:
        signed = call.headers.get("authorization") == f"Bearer {self.secret('token')}"
        return None if signed or call.path == "/oauth2/token" else self.UNSIGNED

    def systems(self) -> Any:
        entry = dict(super().systems()["box"])
        return {"box": {**entry, "options": {"enterprise": "77", "token_url": f"{self.url}/oauth2/token"}}}

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "total_count": more["total"], "offset": more["offset"], "limit": more["limit"]}

    def _memberships(self, of: str) -> Op:
        return listed("memberships", lambda world, call, row: row[of]["id"] == call.args["id"], wrap="entries")

    def _begins(self, world: World, call: Call, row: Row) -> bool:
        wanted = call.query.get("filter_term", "").lower()
        return any(row[column].lower().startswith(wanted) for column in ("login", "name"))

    def _one(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        return Reply(200, row) if row else self.MISSING

    def _new(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if any(row["login"] == body["login"] for row in self.state["users"].values()):
            return _refused(409, "user_login_already_used")
        return {**self._user(str(number), body["login"], body["name"], 0), "job_title": body.get("job_title", "")}

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.body.get("status", "active") not in STATUSES:
            return _refused(400, "bad_request")
        row.update(call.body)
        return None

    def _delete(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is not None and row["space_used"]:
            return _refused(400, "user_has_content")
        return removed("users")(world, call)

    def _move(self, world: World, call: Call) -> Reply:
        row, heir = self.row("users", call.args["id"]), self.row("users", call.body["owned_by"]["id"])
        if row is None or heir is None:
            return self.MISSING
        heir["space_used"], row["space_used"] = heir["space_used"] + row["space_used"], 0
        return Reply(200, {"id": "55", "type": "folder", "name": f"{row['login']}'s Files"})

    def _end(self, world: World, call: Call) -> Reply:
        self.state["ended"] += call.body["user_ids"]
        return Reply(202, {"message": "Request is successful, please check the admin events for the status of the job"})

    def _join(self, world: World, call: Call, number: int) -> Row | Reply:
        user, group = call.body["user"]["id"], call.body["group"]["id"]
        if any((m["user"]["id"], m["group"]["id"]) == (user, group) for m in self.state["memberships"].values()):
            return _refused(409, "conflict")
        return {"id": str(number), "user": {"id": user}, "group": {"id": group}}

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        groups = [m["group"]["id"] for m in self.state["memberships"].values() if m["user"]["id"] == ident]
        return Seen(
            "absent" if user is None else "active" if user["status"] == "active" else "suspended",
            open=[] if user is None or ident in self.state["ended"] else ["sessions"],
            held={f"groups: {self.state['groups'][group]['name']}" for group in groups},
            owned=["files"] if user and user["space_used"] else [],
        )

    def give(self, key: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["space_used"] = 4096

    def settle(self, key: str, state: str) -> None:
        status = {"active": "active", "suspended": "inactive"}[state]
        self.state["users"][self.id_of(self.state["users"], key)]["status"] = status
