# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HubSpot's user provisioning: https://developers.hubspot.com/docs/api-reference/settings-user-provisioning-v3/guide. Nobody is suspended."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, listed


def failed(status: int, category: str, message: str) -> Reply:
    return Reply(status, {"status": "error", "message": message, "correlationId": "c-1", "category": category})


class HubSpot(World):
    name = "hubspot"
    UNSIGNED = failed(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
    MISSING = failed(404, "OBJECT_NOT_FOUND", "The user does not exist in this portal.")
    PAGES = Cursor(cursor="after", size="limit")
    OPTIONS = {"delete_at_cutoff": True, "role": "r2"}
    GIVE = ("teams", "Platform")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "roles": {
                r: {"id": r, "name": name, "requiresBillingWrite": False}
                for r, name in (("r1", "Sales"), ("r2", "Service"))
            },
            "teams": {t: {"id": t, "name": name} for t, name in (("t1", "Engineering"), ("t2", "Platform"))},
            "owners": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"70{number}"
            state["users"][ident] = {
                "id": ident,
                "email": person["email"],
                "firstName": person["first_name"],
                "lastName": person["last_name"],
                "roleIds": ["r1"],
                "primaryTeamId": "t1",
                "secondaryTeamIds": [],
                "superAdmin": key == "grace",
            }
            state["owners"][f"90{number}"] = {
                "id": f"90{number}",
                "email": person["email"],
                "userId": int(ident),
                "archived": False,
            }
        return state

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/settings/v3/users", listed("users", wrap="results")),
            ("POST", "/settings/v3/users", self._new),
            ("GET", "/settings/v3/users/roles", self._whole("roles")),
            ("GET", "/settings/v3/users/teams", self._whole("teams")),
            ("GET", "/settings/v3/users/{id}", self._act(lambda call, row: Reply(200, row))),
            ("PUT", "/settings/v3/users/{id}", self._act(self._put)),
            ("DELETE", "/settings/v3/users/{id}", self._act(self._delete)),
            (
                "GET",
                "/crm/v3/owners",
                listed("owners", lambda w, c, row: row["email"] == c.query.get("email", row["email"]), wrap="results"),
            ),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {"results": page, **({"paging": {"next": {"after": more["next"], "link": ""}}} if more["next"] else {})}

    def _whole(self, table: str) -> Op:
        return lambda world, call: Reply(200, {"results": list(self.state[table].values())})

    def _act(self, do: Any) -> Op:
        def op(world: World, call: Call) -> Reply:
            key = "email" if call.query.get("idProperty") == "EMAIL" else "id"
            row = next((r for r in self.state["users"].values() if r[key].lower() == call.args["id"].lower()), None)
            said: Reply = self.MISSING if row is None else do(call, row)
            return said

        return op

    def _new(self, world: World, call: Call) -> Reply:
        said = dict(call.body)
        if any(row["email"].lower() == said["email"].lower() for row in self.state["users"].values()):
            return failed(409, "CONFLICT", "A user with this address is there already.")
        if said.get("roleId", "r1") not in self.state["roles"]:
            return failed(400, "VALIDATION_ERROR", "There is no such role.")
        ident = str(self.next_id())
        names = {name: said.get(name) for name in ("firstName", "lastName", "primaryTeamId")}
        roles = [said["roleId"]] if "roleId" in said else []
        self.state["users"][ident] = {
            "id": ident,
            "email": said["email"],
            **names,
            "roleIds": roles,
            "secondaryTeamIds": [],
            "superAdmin": False,
        }
        return Reply(201, self.state["users"][ident])

    def _put(self, call: Call, row: Row) -> Reply:
        said = dict(call.body)
        if "roleId" in said:
            row["roleIds"] = [said.pop("roleId")]
        row.update(said)
        return Reply(200, row)

    def _delete(self, call: Call, row: Row) -> Reply:
        del self.state["users"][row["id"]]
        return Reply(204)

    def see(self, key: str) -> Seen:
        user = self.row("users", str(self.id_of(self.state["users"], key)))
        if user is None:
            return Seen("absent")
        team = self.state["teams"].get(user["primaryTeamId"])
        return Seen("active", held={f"teams: {team['name']}"} if team else set(), owned=["records"])
