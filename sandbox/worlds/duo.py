# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Duo's Admin API: https://duo.com/docs/adminapi. Each request is signed (version 5); lists say ``next_offset``."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote

from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, changed, listed, made, matching, one, removed

STATUSES = ("active", "bypass", "disabled")
_WAYS = {
    "bypass_codes": "bypass_code_id",
    "phones": "phone_id",
    "tokens": "token_id",
    "webauthncredentials": "webauthnkey",
}


def refused(status: int, code: int, message: str, detail: str = "") -> Reply:
    body = {"stat": "FAIL", "code": code, "message": message}
    return Reply(status, {**body, "message_detail": detail} if detail else body)


class Duo(World):
    name = "duo"
    SIGNED = {}
    UNSIGNED = refused(401, 40103, "Invalid signature in request credentials")
    MISSING = refused(404, 40401, "Resource not found")
    PAGES = Cursor(cursor="offset")
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CONFIRM = ("jane@corp.example", "jane")

    def seed(self) -> dict[str, Any]:
        groups = {g: {"group_id": g, "name": n, "desc": ""} for g, n in (("DG1", "Engineering"), ("DG2", "Platform"))}
        state: dict[str, Any] = {"users": {}, "groups": groups, **{table: {} for table in _WAYS}}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"DU{number}"
            state["users"][ident] = self._user(ident, key, person["email"], self.full_name(person), ["DG1"])
            for table, column in _WAYS.items():
                row = {"id": f"{table}-{number}", column: f"{table}-{number}", "user": ident}
                state[table][row["id"]] = {**row, "serial": f"S{number}", "credential_name": "YubiKey"}
        return state

    def _user(self, ident: str, login: str, email: str, name: str, groups: list[str]) -> Row:
        return {
            "id": ident,
            "user_id": ident,
            "username": login,
            **dict.fromkeys(("alias1", "alias2", "alias3", "alias4")),
            "email": email,
            "realname": name,
            "status": "active",
            "is_enrolled": True,
            "last_login": 1_700_000_000,
            "created": 1_600_000_000,
            "held": groups,
        }

    def login(self, key: str) -> str:
        return key

    # -- signatures ----------------------------------------------------------------------------------------------------

    def authorise(self, call: Call) -> Reply | None:
        pair = base64.b64decode(call.headers.get("authorization", "").removeprefix("Basic ")).decode()
        key, _sep, signature = pair.partition(":")
        query = sorted((quote(n, "~"), quote(v, "~")) for n, v in parse_qsl(call.query_string, keep_blank_values=True))
        text = "\n".join(
            (
                call.headers.get("date", ""),
                call.method,
                call.headers.get("host", "").lower(),
                call.path,
                "&".join(f"{name}={value}" for name, value in query),
                hashlib.sha512(call.content).hexdigest(),
                hashlib.sha512(b"").hexdigest(),
            )
        )
        wanted = hmac.new(self.secret("secret_key").encode(), text.encode(), hashlib.sha512).hexdigest()
        return None if (key, signature) == (self.secret("integration_key"), wanted) else self.UNSIGNED

    # -- what the vendor has -------------------------------------------------------------------------------------------

    def operations(self) -> list[tuple[str, str, Op]]:
        user = "/admin/v1/users/{id}"
        return [
            ("GET", "/admin/v1/users", self._shown(listed("users", self._named, wrap="response"))),
            ("POST", "/admin/v1/users", self._shown(made("users", self._new, wrap="response", status=200))),
            ("GET", user, self._shown(one("users", wrap="response"))),
            ("POST", user, self._shown(changed("users", self._update, wrap="response"))),
            ("DELETE", user, self._shown(removed("users", status=200, body={"response": ""}))),
            *(("GET", f"{user}/{table}", self._shown(self._of(table))) for table in _WAYS),
            *(("DELETE", f"{user}/{table}/{{way}}", self._gone(table)) for table in ("phones", "tokens")),
            *(
                ("DELETE", f"/admin/v1/{table}/{{way}}", self._gone(table))
                for table in ("bypass_codes", "webauthncredentials")
            ),
            ("GET", "/admin/v1/groups", self._shown(listed("groups", wrap="response"))),
            ("POST", f"{user}/groups", self._shown(changed("users", self._join, wrap="response"))),
            ("DELETE", f"{user}/groups/{{group}}", self._shown(changed("users", self._leave, wrap="response"))),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        metadata = {"total_objects": more["total"]} | ({} if more["last"] else {"next_offset": int(more["next"])})
        return {wrap: page, "metadata": metadata}

    def _shown(self, op: Op) -> Op:
        """Put the envelope around an answer, and groups into a user."""

        def whole(row: Any) -> Any:
            if not isinstance(row, dict):
                return row
            shown = {name: value for name, value in row.items() if name not in ("id", "held", "user")}
            return {**shown, "groups": [self.state["groups"][one] for one in row["held"]]} if "held" in row else shown

        def answer(world: World, call: Call) -> Reply:
            said = op(world, call)
            if said.status != 200 or not isinstance(said.body, dict):
                return said
            found = said.body["response"]
            shown = [whole(one) for one in found] if isinstance(found, list) else whole(found)
            return Reply(200, {"stat": "OK", **said.body, "response": shown})

        return answer

    def _named(self, world: World, call: Call, row: Row) -> bool:
        wanted = call.query.get("username")
        return wanted is None or wanted.lower() in (row["username"], row["alias1"])

    def _new(self, world: World, call: Call, number: int) -> Row | Reply:
        said = call.body
        if any(row["username"] == said["username"] for row in self.state["users"].values()):
            return refused(400, 40003, "Duplicate resource", "username")
        return self._user(f"DU{number}", said["username"], said.get("email", ""), said.get("realname", ""), [])

    def _update(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.body.get("status", "active") not in STATUSES:
            return refused(400, 40002, "Invalid request parameters", "status")
        row.update(call.body)
        return None

    def _of(self, table: str) -> Op:
        inner = listed(table, matching(user="id"), wrap="response")

        def op(world: World, call: Call) -> Reply:
            return inner(world, call) if self.row("users", call.args["id"]) else self.MISSING

        return op

    def _gone(self, table: str) -> Op:
        inner: Callable[[World, Call], Reply] = removed(
            table, arg="way", status=200, body={"stat": "OK", "response": ""}
        )
        return inner

    def _join(self, world: World, call: Call, row: Row) -> Reply | None:
        if call.body["group_id"] not in self.state["groups"]:
            return refused(400, 40002, "Invalid request parameters", "group_id")
        row["held"] = sorted({*row["held"], call.body["group_id"]})
        return None

    def _leave(self, world: World, call: Call, row: Row) -> Reply | None:
        row["held"] = [one for one in row["held"] if one != call.args["group"]]
        return None

    # -- what a tester sees --------------------------------------------------------------------------------------------

    def see(self, key: str) -> Seen:
        user = self.row("users", str(self.id_of(self.state["users"], key)))
        if user is None:
            return Seen("absent")
        return Seen(
            "suspended" if user["status"] == "disabled" else "active",
            open=[one["id"] for table in _WAYS for one in self.state[table].values() if one["user"] == user["id"]],
            held={f"groups: {self.state['groups'][one]['name']}" for one in user["held"]},
        )

    def settle(self, key: str, state: str) -> None:
        user = self.state["users"][self.id_of(self.state["users"], key)]
        user["status"] = "active" if state == "active" else "disabled"

    def twin(self, key: str) -> None:
        row = self.state["users"][self.id_of(self.state["users"], key)]
        self.state["users"]["DU0"] = {**row, "id": "DU0", "user_id": "DU0", "username": f"{row['username']}2"}
