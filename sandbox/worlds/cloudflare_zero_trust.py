# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cloudflare Zero Trust: https://developers.cloudflare.com/api/resources/zero_trust/. A seat comes with a sign-in."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Numbered, Op, Row, Seen, World, keep, listed, one

GOOD = {"success": True, "errors": [], "messages": []}


def failed(status: int, code: int, message: str) -> Reply:
    return Reply(
        status, {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    )


class CloudflareZeroTrust(World):
    name = "cloudflare_zero_trust"
    BASE = "/client/v4"
    UNSIGNED = failed(401, 10000, "Authentication error")
    MISSING = failed(404, 12130, "access.api.error.not_found")
    PAGES = Numbered(page="page", size="per_page", fixed=1000)
    OPTIONS = {"account": "acc1"}

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {"users": {}, "sessions": {}, "registrations": {}}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"zt{number}"
            state["users"][ident] = {
                "id": ident,
                "uid": f"uid{number}",
                "email": person["email"],
                "name": self.full_name(person),
                "access_seat": True,
                "gateway_seat": key == "jane",
                "seat_uid": f"seat{number}",
                "active_device_count": 1,
                "last_successful_login": stamp(-1),
                "created_at": stamp(-400),
            }
            state["sessions"][f"s{number}"] = {"id": f"s{number}", "user": person["email"]}
            for device in ("mac", "phone") if key == "jane" else ("mac",):
                reg = f"r{number}{device}"
                state["registrations"][reg] = {
                    "id": reg,
                    "status": "active",
                    "device": {"id": device},
                    "user": {"id": ident, "email": person["email"]},
                }
        state["tokens"] = {
            "st1": {
                "id": "st1",
                "name": "ci",
                "created_at": stamp(-300),
                "last_seen_at": stamp(-1),
                "expires_at": stamp(60),
            }
        }
        return state

    def operations(self) -> list[tuple[str, str, Op]]:
        account = "/accounts/acc1"
        return [
            ("GET", f"{account}/access/users", listed("users", keep(email="email"), wrap="result")),
            ("GET", f"{account}/access/users/{{id}}", one("users", wrap="result")),
            ("POST", f"{account}/access/organizations/revoke_user", self._revoke),
            ("PATCH", f"{account}/access/seats", self._seats),
            (
                "GET",
                f"{account}/devices/registrations",
                listed("registrations", self._searched, wrap="result", pages=Cursor(size="per_page")),
            ),
            ("POST", f"{account}/devices/registrations/revoke", self._unregister),
            ("GET", f"{account}/access/service_tokens", listed("tokens", wrap="result")),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        info = {
            "count": len(page),
            "total_count": more["total"],
            **({"cursor": more["next"]} if "next" in more else {}),
        }
        return {**GOOD, "result": page, "result_info": info}

    def _searched(self, world: World, call: Call, row: Row) -> bool:
        status = call.query.get("status", "active")
        return call.query.get("search", "").lower() in row["user"]["email"].lower() and status in ("all", row["status"])

    def _revoke(self, world: World, call: Call) -> Reply:
        email = call.body["email"].lower()
        self.state["sessions"] = {i: s for i, s in self.state["sessions"].items() if s["user"].lower() != email}
        return Reply(200, {**GOOD, "result": True})

    def _seats(self, world: World, call: Call) -> Reply:
        for said in call.body:
            row = next((r for r in self.state["users"].values() if r["seat_uid"] == said["seat_uid"]), None)
            if row is None:
                return failed(400, 11110, "There is no such seat")
            row.update(access_seat=said["access_seat"], gateway_seat=said["gateway_seat"])
        return Reply(200, {**GOOD, "result": call.body})

    def _unregister(self, world: World, call: Call) -> Reply:
        row = self.row("registrations", call.query["id"])
        if row is None:
            return self.MISSING
        row["status"] = "revoked"
        return Reply(200, {**GOOD, "result": None})

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        mine = [s["id"] for s in self.state["sessions"].values() if s["user"] == user["email"]]
        devices = [
            r["id"]
            for r in self.state["registrations"].values()
            if r["user"]["id"] == user["id"] and r["status"] == "active"
        ]
        works = user["access_seat"] or user["gateway_seat"]
        # Sessions are not listed by address: the seat stands for them.
        return Seen("active" if works or mine else "suspended", open=devices)
