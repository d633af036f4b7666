# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Twingate: https://www.twingate.com/docs/api-overview. A mutation answers ``ok``; who is synced is changed by nobody here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import stamp
from sandbox.graphql_world import Field, GraphQlWorld
from sandbox.world import Row, Seen


def bad(error: str) -> Row:
    return {"ok": False, "error": error, "entity": None}


class Twingate(GraphQlWorld):
    name = "twingate"
    ENDPOINT = "/api/graphql/"
    SIGNED = {"x-api-key": "{api_key}"}
    OPTIONS = {"network": "corp"}
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {
                "g0": {"id": "g0", "name": "Everyone", "type": "SYSTEM"},
                "g1": {"id": "g1", "name": "Engineering", "type": "MANUAL"},
                "g2": {"id": "g2", "name": "Platform", "type": "MANUAL"},
            },
            "devices": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"VXNlcjo{number}"
            state["users"][ident] = {
                "id": ident,
                "email": person["email"],
                "firstName": person["first_name"],
                "lastName": person["last_name"],
                "role": "ADMIN" if key == "grace" else "MEMBER",
                "type": "MANUAL",
                "state": "ACTIVE",
                "createdAt": stamp(-300),
                "held": ["g0", "g1"],
            }
            for kind in ("mac", "phone"):
                state["devices"][f"d{number}{kind}"] = {
                    "id": f"d{number}{kind}",
                    "name": kind,
                    "isTrusted": True,
                    "activeState": "ACTIVE",
                    "owner": ident,
                }
        return state

    def fields(self) -> Mapping[str, Field]:
        return {
            "users": self._users,
            "user": lambda info, id: self._user(id),
            "groups": lambda info, **page: self.connection(list(self.state["groups"].values()), **page),
            "group": lambda info, id: self._group(id),
            "devices": self._devices,
            "userCreate": self._create,
            "userDetailsUpdate": self._update,
            "userRoleUpdate": lambda info, id, role: self._set(id, role=role),
            "userDelete": self._delete,
            "groupUpdate": self._members,
            "deviceBlock": self._block,
        }

    def _users(self, info: Any, filter: Row | None = None, **page: Any) -> Row:
        rows = list(self.state["users"].values())
        if "email" in (filter or {}):
            rows = [row for row in rows if row["email"].lower() == (filter or {})["email"]["eq"].lower()]
        return self.connection(rows, **page)

    def _user(self, ident: str) -> Row | None:
        row = self.row("users", ident)
        if row is None:
            return None
        held = [self.state["groups"][group] for group in row["held"]]
        return {**row, "groups": lambda info, **page: self.connection(held, **page)}

    def _group(self, ident: str) -> Row | None:
        row = self.row("groups", ident)
        held = [user for user in self.state["users"].values() if ident in user["held"]]
        return None if row is None else {**row, "users": lambda info, **page: self.connection(held, **page)}

    def _devices(self, info: Any, **page: Any) -> Row:
        rows = [{**row, "user": self.state["users"].get(row["owner"])} for row in self.state["devices"].values()]
        return self.connection(rows, **page)

    def _set(self, ident: str, **values: Any) -> Row:
        row = self.row("users", ident)
        if row is None:
            return bad("User does not exist")
        if row["type"] == "SYNCED":
            return bad("Synced users can't be changed")
        row.update({name: value for name, value in values.items() if value is not None})
        return {"ok": True, "error": None, "entity": row}

    def _update(self, info: Any, id: str, **values: Any) -> Row:
        return self._set(id, **values)

    def _create(self, info: Any, email: str, role: str = "MEMBER", **names: Any) -> Row:
        if any(row["email"].lower() == email.lower() for row in self.state["users"].values()):
            return bad("A user with this email exists already")
        ident = f"VXNlcjo{self.next_id()}"
        new = {
            "id": ident,
            "email": email,
            "firstName": None,
            "lastName": None,
            **names,
            "role": role,
            "type": "MANUAL",
        }
        self.state["users"][ident] = {**new, "state": "PENDING", "createdAt": stamp(0), "held": ["g0"]}
        return {"ok": True, "error": None, "entity": self.state["users"][ident]}

    def _delete(self, info: Any, id: str) -> Row:
        gone = self.state["users"].pop(id, None)
        return {"ok": True, "error": None} if gone else bad("User does not exist")

    def _members(self, info: Any, id: str, **said: Any) -> Row:
        group = self.row("groups", id)
        if group is None or group["type"] != "MANUAL":
            return bad("Only manual groups can be changed")
        for ident in said.get("addedUserIds") or ():
            self.state["users"][ident]["held"] = sorted({*self.state["users"][ident]["held"], id})
        for ident in said.get("removedUserIds") or ():
            self.state["users"][ident]["held"] = sorted({*self.state["users"][ident]["held"]} - {id})
        return {"ok": True, "error": None, "entity": group}

    def _block(self, info: Any, id: str) -> Row:
        device = self.row("devices", id)
        if device is None:
            return bad("Device does not exist")
        device["activeState"] = "BLOCKED"
        return {"ok": True, "error": None, "entity": {**device, "user": None}}

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        return Seen(
            {"ACTIVE": "active", "PENDING": "invited", "DISABLED": "suspended"}[user["state"]],
            open=[
                d["id"]
                for d in self.state["devices"].values()
                if d["owner"] == user["id"] and d["activeState"] == "ACTIVE"
            ],
            held={f"groups: {self.state['groups'][group]['name']}" for group in user["held"]},
        )

    def settle(self, key: str, state: str) -> None:
        user = self.state["users"][self.id_of(self.state["users"], key)]
        user["state"] = "ACTIVE" if state == "active" else "DISABLED"
