# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Adobe's User Management API: https://adobe-apiplatform.github.io/umapi-documentation/en/. Commands name people by the exact address."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.world import Numbered, Op, Row, Seen, World, listed

MAKING = {"createFederatedID": "federatedID", "createEnterpriseID": "enterpriseID", "addAdobeID": "adobeID"}


class Adobe(World):
    name = "adobe"
    BASE = "/v2/usermanagement"
    READING_POSTS = (r"/ims/token/v3$",)
    UNSIGNED = Reply(401, {"error_code": "401013", "message": "Oauth token is not valid"})
    MISSING = Reply(404, {"result": "error.resource_not_found", "message": "not found"})
    PAGES = Numbered(page="page", first=0, path=True, fixed=200)
    OPTIONS = {"org": "1@AdobeOrg", "client_id": "cid"}
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CONFIRM = ("Jane@corp.example",)

    def seed(self) -> dict[str, Any]:
        users = {
            person["email"]: self._user(
                person["email"], person["first_name"], person["last_name"], "federatedID", ["Engineering"]
            )
            for person in self.seated().values()
        }
        groups = {
            n: {"groupId": i, "groupName": n, "type": "USER_GROUP", "memberCount": 1}
            for i, n in enumerate(("Engineering", "Platform"), 1)
        }
        return {"users": users, "groups": groups}

    def _user(self, email: str, first: str, last: str, kind: str, groups: list[str]) -> Row:
        # As Adobe has it on file, which is not how HR writes it.
        spelled = email.capitalize()
        return {
            "id": spelled,
            "email": spelled,
            "username": spelled,
            "domain": "corp.example",
            "status": "active",
            "type": kind,
            "firstname": first,
            "lastname": last,
            "country": "DE",
            "groups": groups,
        }

    def routes(self) -> Any:
        return [*super().routes(), ("POST", "/ims/token/v3", self._token)]

    def systems(self) -> Any:
        [entry] = super().systems().values()
        return {"adobe": {**entry, "options": {**self.OPTIONS, "token_url": f"{self.url}/ims/token/v3"}}}

    def operations(self) -> list[tuple[str, str, Op]]:
        return [
            ("GET", "/users/1@AdobeOrg/{page}", listed("users", wrap="users")),
            ("GET", "/groups/1@AdobeOrg/{page}", listed("groups", wrap="groups")),
            ("POST", "/action/1@AdobeOrg", self._action),
        ]

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/ims/token/v3":
            return None
        signed = (
            call.headers.get("authorization") == f"Bearer {self.secret('access')}"
            and call.headers.get("x-api-key") == "cid"
        )
        return None if signed else self.UNSIGNED

    def _token(self, call: Call) -> Reply:
        said = call.form
        if (said.get("client_id"), said.get("client_secret")) != ("cid", self.secret("client_secret")):
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client_secret parameter"})
        return Reply(200, {"access_token": self.secret("access"), "token_type": "bearer", "expires_in": 86399})

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        return {wrap: page, "lastPage": more["last"], "result": "success"}

    def _action(self, world: World, call: Call) -> Reply:
        errors: list[Row] = []
        for index, command in enumerate(call.body):
            for step, act in enumerate(command["do"]):
                [(name, how)] = act.items()
                code = self._do(command["user"], name, how)
                if code:
                    errors.append(
                        {
                            "index": index,
                            "step": step,
                            "errorCode": code,
                            "message": f"{code}: {command['user']}",
                            "user": command["user"],
                        }
                    )
        done = len(call.body) - len({error["index"] for error in errors})
        return Reply(
            200,
            {
                "completed": done,
                "notCompleted": len(call.body) - done,
                "completedInTestMode": 0,
                "result": "success" if not errors else "error",
                **({"errors": errors} if errors else {}),
            },
        )

    def _do(self, user: str, name: str, how: Any) -> str:
        """Do one step of a command; the code of what is wrong, if anything is."""
        row = next((r for r in self.state["users"].values() if r["email"] == user), None)
        if name in MAKING:
            if row is None and not any(r["email"].lower() == user.lower() for r in self.state["users"].values()):
                self.state["users"][user] = self._user(user, how["firstname"], how["lastname"], MAKING[name], [])
            return ""
        if row is None:
            return "error.user.nonexistent" if name != "removeFromOrg" else ""
        if name == "removeFromOrg":
            self.state["users"] = {k: r for k, r in self.state["users"].items() if r is not row}
            return ""
        if unknown := [group for group in how["group"] if group not in self.state["groups"]]:
            return f"error.group.not_found {unknown[0]}"
        groups = {*row["groups"], *how["group"]} if name == "add" else {*row["groups"]} - {*how["group"]}
        row["groups"] = sorted(groups)
        return ""

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        return Seen("absent") if user is None else Seen("active", held={f"groups: {group}" for group in user["groups"]})

    def twin(self, key: str) -> None:
        """An Adobe ID of the person's own, beside the company's account, whose user name is the address."""
        users = self.state["users"]
        users["own"] = {**users[self.id_of(users, key)], "email": "jane.private@mail.example", "type": "adobeID"}
