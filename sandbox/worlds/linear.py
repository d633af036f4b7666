# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Linear: https://linear.app/developers/graphql. Errors come with status 400; the last administrator stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import stamp
from sandbox.graphql_world import Field, GraphQlWorld
from sandbox.world import Row, Seen


class Linear(GraphQlWorld):
    name = "linear"
    SIGNED = {"authorization": "{api_key}"}
    FAILED = 400
    GIVE = ("teams", "Platform")
    TAKE = ("teams", "Engineering")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "invites": {},
            "teams": {
                t: {"id": t, "name": name, "key": name[:3].upper(), "private": False, "scimManaged": False}
                for t, name in (("te1", "Engineering"), ("te2", "Platform"))
            },
            "members": {},
            "sessions": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"us{number}"
            state["users"][ident] = {
                "id": ident,
                "name": self.full_name(person),
                "displayName": key,
                "email": person["email"],
                "active": True,
                "admin": key == "grace",
                "owner": key == "grace",
                "guest": False,
                "app": False,
                "lastSeen": stamp(-1),
                "createdAt": stamp(-300),
                "updatedAt": stamp(-1),
            }
            state["members"][f"me{number}"] = {"id": f"me{number}", "user": ident, "team": "te1"}
            for kind in ("web", "ios"):
                state["sessions"][f"se{number}{kind}"] = {
                    "id": f"se{number}{kind}",
                    "user": ident,
                    "name": kind,
                    "type": kind,
                    "lastActiveAt": stamp(0),
                }
        return state

    def fields(self) -> Mapping[str, Field]:
        return {
            "users": self._users,
            "user": lambda info, id: self._user(self._found("users", id)),
            "userSessions": lambda info, id: [s for s in self.state["sessions"].values() if s["user"] == id],
            "organizationInvites": lambda info, **page: self.connection(list(self.state["invites"].values()), **page),
            "teams": lambda info, **page: self.connection(list(self.state["teams"].values()), **page),
            "team": lambda info, id: {
                **self._found("teams", id),
                "members": lambda info, **page: self._members(id, page),
            },
            "userSuspend": lambda info, id: self._suspend(id),
            "userUnsuspend": lambda info, id: self._set(id, active=True),
            "userChangeRole": lambda info, id, role: self._set(id, admin=role == "admin", guest=role == "guest"),
            "userRevokeSession": self._revoke,
            "organizationInviteCreate": self._invite,
            "organizationInviteDelete": lambda info, id: self._drop("invites", id),
            "teamMembershipCreate": self._join,
            "teamMembershipDelete": lambda info, id: self._drop("members", id),
        }

    def _found(self, table: str, ident: str) -> Row:
        row = self.row(table, ident)
        if row is None:
            raise self.refuse("Entity not found")
        return row

    def _users(self, info: Any, filter: Row | None = None, **page: Any) -> Row:
        everybody = page.pop("includeDisabled", False)
        rows = [row for row in self.state["users"].values() if everybody or row["active"]]
        asked = filter or {}
        if "email" in asked:
            rows = [row for row in rows if row["email"].lower() == asked["email"]["eqIgnoreCase"].lower()]
        if "id" in asked:
            rows = [row for row in rows if row["id"] == asked["id"]["eq"]]
        return self.connection(rows, **page)

    def _user(self, row: Row) -> Row:
        held = [
            {**m, "team": self.state["teams"][m["team"]]}
            for m in self.state["members"].values()
            if m["user"] == row["id"]
        ]
        return {**row, "teamMemberships": lambda info, **page: self.connection(held, **page)}

    def _members(self, team: str, page: Row) -> Row:
        held = [self.state["users"][m["user"]] for m in self.state["members"].values() if m["team"] == team]
        return self.connection(held, **page)

    def _suspend(self, ident: str) -> Row:
        if self._found("users", ident)["owner"]:
            raise self.refuse("The owner of the workspace can't be suspended")
        return self._set(ident, active=False)

    def _set(self, ident: str, **values: Any) -> Row:
        self._found("users", ident).update(values)
        return {"success": True}

    def _revoke(self, info: Any, **said: str) -> Row:
        self.state["sessions"].pop(said["sessionId"], None)
        return {"success": True}

    def _invite(self, info: Any, input: Row) -> Row:
        rows = [*self.state["users"].values(), *self.state["invites"].values()]
        if any(row["email"].lower() == input["email"].lower() for row in rows):
            raise self.refuse("They are invited or in the workspace already")
        ident = f"in{self.next_id()}"
        self.state["invites"][ident] = {
            "id": ident,
            "email": input["email"],
            "role": input["role"],
            "external": False,
            "createdAt": stamp(0),
            "expiresAt": stamp(14),
        }
        return {"success": True, "lastSyncId": 1, "organizationInvite": self.state["invites"][ident]}

    def _join(self, info: Any, input: Row) -> Row:
        self._found("users", input["userId"]), self._found("teams", input["teamId"])
        if not any(
            (m["user"], m["team"]) == (input["userId"], input["teamId"]) for m in self.state["members"].values()
        ):
            ident = f"me{self.next_id()}"
            self.state["members"][ident] = {"id": ident, "user": input["userId"], "team": input["teamId"]}
        return {"success": True, "lastSyncId": 1}

    def _drop(self, table: str, ident: str) -> Row:
        self._found(table, ident)
        del self.state[table][ident]
        return {"success": True, "entityId": ident, "lastSyncId": 1}

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("invited" if self.id_of(self.state["invites"], key) else "absent")
        return Seen(
            "active" if user["active"] else "suspended",
            open=[s["id"] for s in self.state["sessions"].values() if s["user"] == user["id"]],
            held={
                f"teams: {self.state['teams'][m['team']]['name']}"
                for m in self.state["members"].values()
                if m["user"] == user["id"]
            },
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["active"] = state == "active"
