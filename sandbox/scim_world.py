# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The part of a vendor's world that is SCIM 2.0 (RFC 7643, RFC 7644), with that vendor's departures from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, Seen, World

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_EQ = re.compile(r'([\w.:]+) eq "((?:[^"\\]|\\.)*)"')
_ONE_MEMBER = re.compile(r'members\[value eq "([^"]+)"\]')


def refused(status: int, detail: str, kind: str = "") -> Reply:
    said = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    return Reply(status, {**said, **({"scimType": kind} if kind else {})})


class ScimWorld(World):
    """Users and groups by SCIM. ``REMOVES_INACTIVE``: who is deactivated is gone. ``CAN_DELETE``: DELETE is implemented."""

    REMOVES_INACTIVE: ClassVar[bool] = False
    CAN_DELETE: ClassVar[bool] = True
    HAS_GROUPS: ClassVar[bool] = True
    ADDRESS = "userName"
    #: The sandbox's people sign in by its identity provider.
    OPTIONS: ClassVar[Mapping[str, Any]] = {"first_credential": "elsewhere"}
    UNSIGNED = refused(401, "unauthorized")
    MISSING = refused(404, "resource not found")
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")

    def seed(self) -> dict[str, Any]:
        users = {
            f"u{n}": self.user(f"u{n}", person["email"], self.full_name(person))
            for n, person in enumerate(self.seated().values(), 1)
        }
        groups = {
            "g1": {
                "schemas": [GROUP],
                "id": "g1",
                "displayName": "Engineering",
                "members": [{"value": ident} for ident in users],
            },
            "g2": {"schemas": [GROUP], "id": "g2", "displayName": "Platform", "members": []},
        }
        return {"users": users, "groups": groups if self.HAS_GROUPS else {}}

    def user(self, ident: str, login: str, name: str) -> Row:
        first, _, last = name.partition(" ")
        return {
            "schemas": [USER],
            "id": ident,
            "userName": login,
            "displayName": name,
            "name": {"givenName": first, "familyName": last},
            "emails": [{"value": login, "primary": True, "type": "work"}],
            "active": True,
            "meta": {"resourceType": "User"},
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        made: list[tuple[str, str, Op]] = []
        for table, path in (("users", "/Users"), *((("groups", "/Groups"),) if self.HAS_GROUPS else ())):
            made += [
                ("GET", path, self._list(table)),
                ("POST", path, self._new(table)),
                ("GET", f"{path}/{{id}}", self._act(table, lambda call, row: Reply(200, row))),
                ("PUT", f"{path}/{{id}}", self._act(table, lambda call, row, t=table: self._put(t, call, row))),
                ("PATCH", f"{path}/{{id}}", self._act(table, lambda call, row, t=table: self._patch(t, call, row))),
                ("DELETE", f"{path}/{{id}}", self._act(table, lambda call, row, t=table: self._delete(t, row))),
            ]
        return made

    def _act(self, table: str, do: Any) -> Op:
        def op(world: World, call: Call) -> Reply:
            row = self.row(table, call.args["id"])
            said: Reply = self.MISSING if row is None else do(call, row)
            return said

        return op

    def _list(self, table: str) -> Op:
        def op(world: World, call: Call) -> Reply:
            rows = list(self.state[table].values())
            if "filter" in call.query:
                asked = _EQ.fullmatch(call.query["filter"])
                if asked is None:
                    return refused(400, "only eq", "invalidFilter")
                rows = [row for row in rows if asked[2].lower() in self._values(row, asked[1])]
            start = 1 if self.stuck else int(call.query.get("startIndex") or 1)
            size = self.page_size or int(call.query.get("count") or 100)
            page = rows[start - 1 : start - 1 + size]
            return Reply(
                200,
                {
                    "schemas": [LIST],
                    "totalResults": len(rows),
                    "startIndex": start,
                    "itemsPerPage": len(page),
                    "Resources": page,
                },
            )

        return op

    def _values(self, row: Row, attribute: str) -> list[str]:
        first, _, second = attribute.partition(".")
        said = row.get(first)
        if isinstance(said, list):
            return [str(one.get(second or "value", "")).lower() for one in said]
        return [str(said).lower()] if said is not None else []

    def _new(self, table: str) -> Op:
        def op(world: World, call: Call) -> Reply:
            body = call.body
            if table == "users" and any(
                u["userName"].lower() == body["userName"].lower() for u in self.state["users"].values()
            ):
                return refused(409, "userName is taken", "uniqueness")
            ident = f"{table[0]}{self.next_id()}"
            row = {"active": True, **body, "id": ident} if table == "users" else {"members": [], **body, "id": ident}
            self.state[table][ident] = row
            return Reply(201, row)

        return op

    def _put(self, table: str, call: Call, row: Row) -> Reply:
        kept = {"id": row["id"], "schemas": row["schemas"]}
        row.clear()
        row.update({**call.body, **kept})
        return self._settled(table, row)

    def _patch(self, table: str, call: Call, row: Row) -> Reply:
        for step in call.body["Operations"]:
            said = self._step(row, str(step["op"]).lower(), str(step.get("path", "")), step.get("value"))
            if said is not None:
                return said
        return self._settled(table, row)

    def _step(self, row: Row, op: str, path: str, value: Any) -> Reply | None:
        one = _ONE_MEMBER.fullmatch(path)
        if one is not None and op == "remove":
            row["members"] = [m for m in row["members"] if m["value"] != one[1]]
        elif path == "members" and op == "add":
            row["members"] = row["members"] + [{"value": m["value"]} for m in value if m not in row["members"]]
        elif path == "members" and op == "remove":
            gone = {m["value"] for m in value or row["members"]}
            row["members"] = [m for m in row["members"] if m["value"] not in gone]
        elif path == "" and op in ("replace", "add") and isinstance(value, dict):
            row.update(value)
        elif op in ("replace", "add") and path and "[" not in path:
            here = row
            *above, last = path.split(".")
            for word in above:
                here = here.setdefault(word, {})
            here[last] = value
        else:
            return refused(400, f"{op} {path} is not supported", "invalidPath")
        return None

    def _settled(self, table: str, row: Row) -> Reply:
        if table == "users" and row.get("active") is False:
            self.deactivated(row)
            if self.REMOVES_INACTIVE:
                self._gone(row)
        return Reply(200, row)

    def deactivated(self, row: Row) -> None:
        """What this vendor ends when somebody is deactivated."""

    def _delete(self, table: str, row: Row) -> Reply:
        if table == "users" and not self.CAN_DELETE:
            return refused(501, "DELETE is not implemented")
        if table == "users":
            self._gone(row)
        else:
            del self.state[table][row["id"]]
        return Reply(204)

    def _gone(self, row: Row) -> None:
        self.state["users"].pop(row["id"], None)
        for group in self.state["groups"].values():
            group["members"] = [m for m in group["members"] if m["value"] != row["id"]]

    def ways_left(self, row: Row) -> list[str]:
        """Ways in of a person that still work, beside the account."""
        return []

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        groups = {
            g["displayName"] for g in self.state["groups"].values() if ident in {m["value"] for m in g["members"]}
        }
        state = "absent" if user is None else "active" if user["active"] is not False else "suspended"
        return Seen(state, open=self.ways_left(user) if user else [], held={f"groups: {name}" for name in groups})

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["active"] = state == "active"
