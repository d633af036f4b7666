# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Snipe-IT's API: https://snipe-it.readme.io/reference. Every answer is 200; ``status`` says whether it worked."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Offset, Op, Row, Seen, World


def refused(message: Any) -> Reply:
    return Reply(200, {"status": "error", "messages": message, "payload": None})


def rows(found: list[Row]) -> Reply:
    return Reply(200, {"total": len(found), "rows": found})


class SnipeIt(World):
    name = "snipe_it"
    BASE = "/api/v1"
    UNSIGNED = Reply(401, {"error": "Unauthorized or unauthenticated."})
    MISSING = Reply(200, {"status": "error", "messages": "User not found", "payload": None})
    PAGES = Offset()
    RETURNED = ("C02JANE01", "JANE-MBP")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {"users": {}, "assets": {}, "licenses": {}, "accessories": {}}
        for number, (key, person) in enumerate(self.seated().items(), 7):
            state["users"][number] = {
                "id": number,
                "username": person["email"],
                "email": person["email"],
                "employee_num": person.get("employee_id", ""),
                "first_name": person["first_name"],
                "last_name": person["last_name"],
                "activated": True,
                "last_login": {"datetime": stamp(-1), "formatted": ""} if key != "tom" else None,
                "created_at": {"datetime": stamp(-500), "formatted": ""},
            }
        for number, spec in enumerate(self.company.devices, 101):
            owner = self.company.people[spec["owner"]]["email"] if spec.get("owner") else None
            holder = self.id_of(state["users"], spec["owner"]) if owner else None
            if spec["ownership"] == "company":
                asset = {"id": number, "asset_tag": f"A{number}", "serial": spec["serial"], "name": spec["name"]}
                state["assets"][number] = {**asset, "holder": holder}
        jane = self.id_of(state["users"], "jane")
        state["licenses"][31] = {"id": 31, "name": "Photoshop", "holder": jane}
        state["accessories"][41] = {"id": 41, "name": "USB-C dock", "holder": jane}
        return state

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users", self._users),
            ("GET", "/users/{id}", self._act(lambda call, row: Reply(200, row))),
            ("PATCH", "/users/{id}", self._act(self._patch)),
            ("DELETE", "/users/{id}", self._act(self._delete)),
            ("GET", "/users/{id}/assets", self._act(self._of("assets"))),
            ("GET", "/users/{id}/licenses", self._act(self._of("licenses"))),
            ("GET", "/users/{id}/accessories", self._act(self._of("accessories"))),
            ("POST", "/hardware/{id}/checkin", self._checkin),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {"total": more["total"], "rows": page}

    def _users(self, world: World, call: Call) -> Reply:
        # Each of these compares a part of the column, as the server's scopes do.
        wanted = {
            name: call.query[name].lower() for name in ("email", "username", "employee_num") if name in call.query
        }
        found = [
            row
            for row in self.state["users"].values()
            if all(text in str(row[name]).lower() for name, text in wanted.items())
        ]
        return self.paged(call, found)

    def _act(self, do: Any) -> Op:
        def op(world: World, call: Call) -> Reply:
            row = self.row("users", call.args["id"])
            said: Reply = self.MISSING if row is None else do(call, row)
            return said

        return op

    def _patch(self, call: Call, row: Row) -> Reply:
        if not isinstance(call.body.get("activated", True), bool):
            return refused({"activated": ["The activated field must be true or false."]})
        row.update(call.body)
        return Reply(200, {"status": "success", "messages": "User was successfully updated.", "payload": row})

    def _delete(self, call: Call, row: Row) -> Reply:
        if any(one["holder"] == row["id"] for one in self.state["assets"].values()):
            return refused({"user": ["This user still has assets associated with them."]})
        del self.state["users"][row["id"]]
        return Reply(200, {"status": "success", "messages": "User was deleted.", "payload": None})

    def _of(self, table: str) -> Any:
        return lambda call, row: rows(
            [
                {name: value for name, value in one.items() if name != "holder"}
                for one in self.state[table].values()
                if one["holder"] == row["id"]
            ]
        )

    def _checkin(self, world: World, call: Call) -> Reply:
        asset = self.row("assets", call.args["id"])
        if asset is None:
            return refused("Asset does not exist.")
        if asset["holder"] is None:
            return refused("That asset is already checked in.")
        asset["holder"], asset["status_id"] = None, call.body.get("status_id", asset.get("status_id"))
        return Reply(200, {"status": "success", "messages": "Asset checked in successfully.", "payload": None})

    def see(self, key: str) -> Seen:
        user = self.row("users", str(self.id_of(self.state["users"], key)))
        if user is None:
            return Seen("absent")
        owned = [
            one["name"]
            for table in ("assets", "licenses", "accessories")
            for one in self.state[table].values()
            if one["holder"] == user["id"]
        ]
        return Seen("active" if user["activated"] else "suspended", owned=owned)

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["activated"] = state == "active"
