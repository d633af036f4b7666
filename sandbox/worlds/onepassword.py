# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""1Password's Users API (public preview): https://developer.1password.com/docs/users-api/reference. Both acts are idempotent."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, changed, listed, one


def failed(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"code": code, "message": message, "details": []})


class OnePassword(World):
    name = "onepassword"
    READING_POSTS = (r"/oauth2/token$",)
    UNSIGNED = failed(401, "unauthenticated", "The access token is not valid")
    MISSING = failed(404, "not_found", "There is no such user")
    PAGES = Cursor(cursor="page_token", size="max_page_size")
    OPTIONS = {"account": "ACC1"}

    def seed(self) -> dict[str, Any]:
        return {
            "users": {
                f"U{n}": {
                    "id": f"U{n}",
                    "email": person["email"],
                    "display_name": self.full_name(person),
                    "state": "ACTIVE",
                    "create_time": stamp(-400),
                    "path": f"accounts/ACC1/users/U{n}",
                    "owner": key == "grace",
                }
                for n, (key, person) in enumerate(self.seated().items(), 1)
            }
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        users = "/v1beta1/accounts/ACC1/users"
        return [
            ("POST", "/v1beta1/users/oauth2/token", self._token),
            ("GET", users, listed("users", wrap="results")),
            ("POST", f"{users}/{{id}}:suspend", changed("users", self._suspend)),
            ("POST", f"{users}/{{id}}:reactivate", changed("users", lambda w, c, row: row.update(state="ACTIVE"))),
            ("GET", f"{users}/{{id}}", one("users")),
        ]

    def authorise(self, call: Call) -> Reply | None:
        right = self._signature("basic:{client_id}:{client_secret}")
        if not call.path.endswith("/oauth2/token"):
            right = f"Bearer {self.secret('access')}"
        return None if call.headers.get("authorization") == right else self.UNSIGNED

    def _token(self, world: World, call: Call) -> Reply:
        if call.form.get("grant_type") != "client_credentials":
            return failed(400, "invalid_argument", "unsupported grant type")
        return Reply(200, {"access_token": self.secret("access"), "token_type": "Bearer", "expires_in": 900})

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {"results": page, "next_page_token": more["next"] or ""}

    def _suspend(self, world: World, call: Call, row: Row) -> Reply | None:
        if row["owner"]:
            return failed(400, "failed_precondition", "The last owner of an account can't be suspended")
        row["state"] = "SUSPENDED"
        return None

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        return Seen("absent" if user is None else "active" if user["state"] == "ACTIVE" else "suspended")

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["state"] = state.upper()
