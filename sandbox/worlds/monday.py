# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""monday.com: https://developer.monday.com/api-reference/reference/users. A mutation answers 200 and names those it refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Reply
from sandbox.graphql_world import Field, GraphQlWorld
from sandbox.world import Row, Seen


class Monday(GraphQlWorld):
    name = "monday"
    ENDPOINT = "/v2"
    SIGNED = {"authorization": "{token}"}
    UNSIGNED = Reply(401, {"errors": ["Not Authenticated"]})
    GIVE = ("teams", "Platform")
    TAKE = ("teams", "Engineering")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        users = {
            f"44{n}": self._user(f"44{n}", person["email"], self.full_name(person), admin=key == "grace", teams=["t1"])
            for n, (key, person) in enumerate(self.seated().items(), 1)
        }
        return {
            "users": users,
            "teams": {t: {"id": t, "name": n} for t, n in (("t1", "Engineering"), ("t2", "Platform"))},
        }

    def _user(
        self, ident: str, email: str, name: str, *, admin: bool = False, pending: bool = False, teams: list[str]
    ) -> Row:
        return {
            "id": ident,
            "name": name,
            "email": email,
            "enabled": True,
            "is_admin": admin,
            "is_guest": False,
            "is_view_only": False,
            "is_pending": pending,
            "last_activity": stamp(-1),
            "created_at": stamp(-200),
            "held": teams,
        }

    def fields(self) -> Mapping[str, Field]:
        return {
            "users": self._users,
            "teams": lambda info, **_: list(self.state["teams"].values()),
            "deactivate_users": lambda info, user_ids: self._set("deactivated_users", user_ids, enabled=False),
            "activate_users": lambda info, user_ids: self._set("activated_users", user_ids, enabled=True),
            "update_users_role": self._role,
            "invite_users": self._invite,
            "add_users_to_team": lambda info, team_id, user_ids: self._team(team_id, user_ids, joins=True),
            "remove_users_from_team": lambda info, team_id, user_ids: self._team(team_id, user_ids, joins=False),
        }

    def _users(self, info: Any, limit: int = 25, page: int = 1, non_active: bool = False, **asked: Any) -> list[Row]:
        rows = [row for row in self.state["users"].values() if row["enabled"] != non_active]
        if "emails" in asked:
            wanted = {one.lower() for one in asked["emails"]}
            rows = [row for row in rows if row["email"].lower() in wanted]
        if "ids" in asked:
            rows = [row for row in rows if row["id"] in asked["ids"]]
        size, number = self.page_size or limit, 1 if self.stuck else page
        return [
            {**row, "teams": [self.state["teams"][team] for team in row["held"]]}
            for row in rows[(number - 1) * size : number * size]
        ]

    def _set(self, done: str, user_ids: list[str], **values: Any) -> Row:
        changed, errors = [], []
        for ident in user_ids:
            row = self.row("users", ident)
            if row is None:
                errors.append({"user_id": ident, "code": "USER_NOT_FOUND", "message": "User not found"})
            else:
                row.update(values)
                changed.append(row)
        return {done: changed, "errors": errors}

    def _role(self, info: Any, user_ids: list[str], new_role: str) -> Row:
        flags = {"is_admin": "ADMIN", "is_guest": "GUEST", "is_view_only": "VIEW_ONLY"}
        return self._set("updated_users", user_ids, **{flag: role == new_role for flag, role in flags.items()})

    def _invite(self, info: Any, emails: list[str], **_: Any) -> Row:
        invited, errors = [], []
        for email in emails:
            if any(row["email"].lower() == email.lower() for row in self.state["users"].values()):
                errors.append({"email": email, "code": "ERROR", "message": "They are in the account already"})
                continue
            ident = str(self.next_id())
            self.state["users"][ident] = self._user(ident, email, "", pending=True, teams=[])
            invited.append(self.state["users"][ident])
        return {"invited_users": invited, "errors": errors}

    def _team(self, team: str, user_ids: list[str], *, joins: bool) -> Row:
        if team not in self.state["teams"]:
            raise self.refuse("Team not found")
        done: dict[str, list[Row]] = {"successful_users": [], "failed_users": []}
        for ident in user_ids:
            row = self.row("users", ident)
            if row is None or not row["enabled"]:  # the teams of somebody deactivated can't be changed
                done["failed_users"] += [row] if row else []
                continue
            row["held"] = sorted({*row["held"], team} if joins else {*row["held"]} - {team})
            done["successful_users"].append(row)
        return done

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        state = "invited" if user["is_pending"] else "active"
        return Seen(
            state if user["enabled"] else "suspended",
            held={f"teams: {self.state['teams'][t]['name']}" for t in user["held"]},
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["enabled"] = state == "active"
