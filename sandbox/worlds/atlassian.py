# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An Atlassian organisation: https://developer.atlassian.com/cloud/admin/. Only managed accounts have a life cycle there."""

from __future__ import annotations

from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Cursor, Op, Row, Seen, World, changed, matching, removed

DIRECTORY = "/admin/v2/orgs/o-1/directories/{directory}"


def _failed(status: int, code: str, detail: str) -> Reply:
    return Reply(
        status, {"errors": [{"id": "e-1", "status": str(status), "code": code, "title": code, "detail": detail}]}
    )


def _forbidden(reason: str) -> Reply:
    return Reply(403, {"key": "forbidden.action", "context": {"allowed": False, "reason": {"key": reason}}})


def _life(change: Any) -> Op:
    """Return a step of the life cycle, of managed accounts that no identity provider rules."""

    def step(world: Any, call: Call, row: Row) -> Reply | None:
        if row["claimStatus"] != "managed":
            return _forbidden("managedAccount")
        if row["managementSource"] == "synced":
            return _forbidden("externalDirectory.scim")
        change(row)
        return None

    return changed("users", step, status=204)


class Atlassian(World):
    name = "atlassian"
    SIGNED = {"authorization": "Bearer {api_key}"}
    READING_POSTS = (r"/search$",)
    UNSIGNED = _failed(401, "401", "The API key is not valid")
    MISSING = _failed(404, "404", "Not Found")
    PAGES = Cursor(cursor="cursor", size="limit", json=True)
    OPTIONS = {"org": "o-1", "groups": ["g-1"]}
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {
                g: {"id": g, "name": name, "externalSynced": g == "g-3", "directoryId": "d-1"}
                for g, name in (("g-1", "Engineering"), ("g-2", "Platform"), ("g-3", "Everybody"))
            },
            "members": {},
            "tokens": {},
        }
        for number, (key, person) in enumerate(self.seated().items(), 1):
            ident = f"712020:{number}"
            state["users"][ident] = self._user(ident, person["email"], self.full_name(person))
            for group in ("g-1", "g-3"):
                state["members"][f"{ident} {group}"] = {"user": ident, "group": group}
            state["tokens"][f"t{number}"] = {
                "id": f"t{number}",
                "user": ident,
                "label": f"{key}'s script",
                "createdAt": stamp(-90),
            }
        # Guests have accounts of their own, which are nobody's to deactivate.
        state["users"]["712020:5"] |= {"claimStatus": "unmanaged"}
        return state

    def _user(self, ident: str, email: str, name: str, verified: bool = True) -> Row:
        return {
            "id": ident,
            "accountId": ident,
            "accountType": "atlassian",
            "accountStatus": "active",
            "membershipStatus": "active",
            "claimStatus": "managed",
            "managementSource": "invited",
            "name": name,
            "email": email,
            "emailVerified": verified,
            "mfaEnabled": True,
            "forDeletion": False,
            "addedToOrg": stamp(-700),
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        one = f"{DIRECTORY}/users/{{id}}"
        manage = "/users/{id}/manage"
        return [
            ("POST", f"{DIRECTORY}/users/search", self._users),
            ("POST", f"{DIRECTORY}/groups/search", self._groups),
            ("POST", "/admin/v2/orgs/o-1/users/invite", self._invite),
            (
                "POST",
                f"{one}/suspend",
                changed("users", lambda w, c, row: row.update(membershipStatus="suspended"), status=204),
            ),
            (
                "POST",
                f"{one}/restore",
                changed("users", lambda w, c, row: row.update(membershipStatus="active"), status=204),
            ),
            ("DELETE", one, removed("users")),
            ("POST", f"{DIRECTORY}/groups/{{group}}/memberships", self._join),
            ("DELETE", f"{DIRECTORY}/groups/{{group}}/memberships/{{id}}", self._leave),
            ("POST", f"{manage}/lifecycle/disable", _life(lambda row: row.update(accountStatus="inactive"))),
            ("POST", f"{manage}/lifecycle/enable", _life(lambda row: row.update(accountStatus="active"))),
            (
                "POST",
                f"{manage}/lifecycle/delete",
                _life(lambda row: row.update(forDeletion=True, accountStatus="inactive")),
            ),
            ("POST", f"{manage}/lifecycle/cancel-delete", _life(lambda row: row.update(forDeletion=False))),
            ("GET", f"{manage}/api-tokens", self._tokens),
            ("DELETE", f"{manage}/api-tokens/{{token}}", removed("tokens", arg="token")),
        ]

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {"data": page, "links": {"self": "", "prev": None, "next": more["next"]}}

    def _users(self, world: World, call: Call) -> Reply:
        asked, rows = call.body, list(self.state["users"].values())
        if "emails" in asked:
            wanted = {one.lower() for one in asked["emails"]}
            rows = [row for row in rows if row["email"].lower() in wanted]
        if "accountIds" in asked:
            rows = [row for row in rows if row["accountId"] in asked["accountIds"]]
        if "groupIds" in asked:
            held = {m["user"] for m in self.state["members"].values() if m["group"] in asked["groupIds"]}
            rows = [row for row in rows if row["accountId"] in held]
        return self.paged(call, rows)

    def _groups(self, world: World, call: Call) -> Reply:
        rows = list(self.state["groups"].values())
        if "accountIds" in call.body:
            held = {m["group"] for m in self.state["members"].values() if m["user"] in call.body["accountIds"]}
            rows = [row for row in rows if row["id"] in held]
        return self.paged(call, rows)

    def _invite(self, world: World, call: Call) -> Reply:
        for email in call.body["emails"]:
            if self.id_of_address(email) is None:
                ident = f"712020:{self.next_id()}"
                self.state["users"][ident] = self._user(ident, email, email, verified=False)
                for group in call.body.get("additionalGroups", ()):
                    self.state["members"][f"{ident} {group}"] = {"user": ident, "group": group}
        return Reply(200, {"data": [{"email": email} for email in call.body["emails"]]})

    def id_of_address(self, email: str) -> str | None:
        return next((i for i, row in self.state["users"].items() if row["email"].lower() == email.lower()), None)

    def _join(self, world: World, call: Call) -> Reply:
        user, group = call.body["accountId"], call.args["group"]
        if user not in self.state["users"] or group not in self.state["groups"]:
            return self.MISSING
        if self.state["groups"][group]["externalSynced"]:
            return _failed(403, "403", "The group is synced from an identity provider")
        self.state["members"][f"{user} {group}"] = {"user": user, "group": group}
        return Reply(204)

    def _leave(self, world: World, call: Call) -> Reply:
        gone = self.state["members"].pop(f"{call.args['id']} {call.args['group']}", None)
        return Reply(204) if gone else self.MISSING

    def _tokens(self, world: World, call: Call) -> Reply:
        user = self.row("users", call.args["id"])
        if user is None:
            return self.MISSING
        if user["claimStatus"] != "managed":
            return _forbidden("managedAccount")
        return Reply(200, [row for row in self.state["tokens"].values() if matching(user="id")(self, call, row)])

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["users"], key)
        user = self.state["users"].get(ident)
        if user is None or user["forDeletion"]:
            return Seen("absent")
        works = user["accountStatus"] == "active" and user["membershipStatus"] == "active"
        groups = [m["group"] for m in self.state["members"].values() if m["user"] == ident]
        return Seen(
            ("active" if user["emailVerified"] else "invited") if works else "suspended",
            open=[t for t, row in self.state["tokens"].items() if row["user"] == ident],
            held={f"groups: {self.state['groups'][group]['name']}" for group in groups},
        )

    def settle(self, key: str, state: str) -> None:
        user = self.state["users"][self.id_of(self.state["users"], key)]
        user.update(accountStatus="active" if state == "active" else "inactive", forDeletion=state == "deleted")

    def twin(self, key: str) -> None:
        users = self.state["users"]
        users["712020:99"] = {**users[self.id_of(users, key)], "id": "712020:99", "accountId": "712020:99"}
