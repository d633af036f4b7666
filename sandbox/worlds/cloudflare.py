# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The members of a Cloudflare account: https://developers.cloudflare.com/api/resources/accounts/subresources/members/."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Numbered, Op, Row, Seen, World, listed, made, one, removed


def failed(status: int, code: int, message: str) -> Reply:
    return Reply(
        status, {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    )


class Cloudflare(World):
    name = "cloudflare"
    BASE = "/client/v4"
    UNSIGNED = failed(401, 10000, "Authentication error")
    MISSING = failed(404, 1003, "Member not found for account")
    PAGES = Numbered(page="page", size="per_page", fixed=20)
    OPTIONS = {"account": "acc1", "roles": ["ro2"]}
    CREATED = "in_progress"
    TAKE = None
    GIVE = None

    def seed(self) -> dict[str, Any]:
        users = {
            f"m{n}": self._member(f"m{n}", person["email"], "accepted", ["ro1"])
            for n, person in enumerate(self.seated().values(), 1)
        }
        return {
            "users": users,
            "roles": {
                r: {"id": r, "name": name, "description": name}
                for r, name in (("ro1", "Administrator"), ("ro2", "DNS"))
            },
            "tokens": {
                "tok1": {
                    "id": "tok1",
                    "name": "terraform",
                    "status": "active",
                    "issued_on": stamp(-300),
                    "last_used_on": stamp(-1),
                }
            },
        }

    def _member(self, ident: str, email: str, status: str, roles: list[str]) -> Row:
        user = (
            {"id": f"u{ident}", "email": email, "two_factor_authentication_enabled": True}
            if status == "accepted"
            else None
        )
        return {
            "id": ident,
            "email": email,
            "status": status,
            "user": user,
            "roles": [{"id": r, "name": r} for r in roles],
            "policies": [],
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        members = "/accounts/acc1/members"
        return [
            ("GET", members, listed("users", wrap="result")),
            ("POST", members, made("users", self._new, wrap="result", status=200)),
            ("GET", f"{members}/{{id}}", one("users", wrap="result")),
            (
                "DELETE",
                f"{members}/{{id}}",
                removed("users", status=200, body={"success": True, "errors": [], "messages": [], "result": {}}),
            ),
            ("GET", "/accounts/acc1/roles", listed("roles", wrap="result")),
            ("GET", "/accounts/acc1/tokens", listed("tokens", wrap="result")),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {
            "success": True,
            "errors": [],
            "messages": [],
            "result": page,
            "result_info": {"total_count": more["total"], "count": len(page)},
        }

    def _new(self, world: World, call: Call, number: int) -> Row | Reply:
        said = call.body
        if not said.get("roles") and not said.get("policies"):
            return failed(400, 1001, "Roles or policies are required")
        if any(row["email"].lower() == said["email"].lower() for row in self.state["users"].values()):
            return failed(400, 1009, "Member is already in the account")
        return self._member(f"m{number}", said["email"], "pending", said["roles"])

    def see(self, key: str) -> Seen:
        member = self.state["users"].get(self.id_of(self.state["users"], key))
        if member is None:
            return Seen("absent")
        return Seen("active" if member["status"] == "accepted" else "invited")
