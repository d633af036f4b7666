# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Docusign's eSignature API: https://developers.docusign.com/docs/esign-rest-api/reference/users/users/. Numbers are texts there."""

from __future__ import annotations

from functools import cache
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Offset, Op, Row, Seen, World, listed


def failed(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"errorCode": code, "message": message})


@cache
def key() -> Any:
    """The app's key pair: made once a process, since that takes a moment."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Docusign(World):
    name = "docusign"
    BASE = "/restapi/v2.1"
    READING_POSTS = (r"/oauth/token$",)
    UNSIGNED = failed(401, "AUTHORIZATION_INVALID_TOKEN", "The access token provided is expired, revoked or malformed.")
    MISSING = failed(404, "USER_NOT_FOUND", "The user does not exist.")
    PAGES = Offset(offset="start_position", size="count")
    OPTIONS = {"account": "a-1", "integration_key": "ik-1", "user": "admin-1", "profile": "p1"}
    GIVE = ("groups", "Platform")
    TAKE = ("groups", "Engineering")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "users": {},
            "groups": {
                g: {"groupId": g, "groupName": name, "groupType": kind}
                for g, name, kind in (
                    ("g0", "Everyone", "everyoneGroup"),
                    ("g1", "Engineering", "customGroup"),
                    ("g2", "Platform", "customGroup"),
                )
            },
        }
        for number, person in enumerate(self.seated().values(), 1):
            state["users"][f"ds-{number}"] = {
                **self._user(f"ds-{number}", person["email"], self.full_name(person), "Active", ["g0", "g1"]),
                "firstName": person["first_name"],
                "lastName": person["last_name"],
                "lastLogin": stamp(-1),
            }
        return state

    def _user(self, ident: str, email: str, name: str, status: str, groups: list[str]) -> Row:
        return {
            "userId": ident,
            "email": email,
            "userName": name,
            "userStatus": status,
            "permissionProfileId": "p1",
            "createdDateTime": stamp(-200),
            "held": groups,
        }

    def routes(self) -> Any:
        return [*super().routes(), ("POST", "/oauth/token", self._token)]

    def systems(self) -> Any:
        from cryptography.hazmat.primitives import serialization

        pem = key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        [entry] = super().systems().values()
        options = {**self.OPTIONS, "token_url": f"{self.url}/oauth/token"}
        return {"docusign": {**entry, "credentials": {"private_key": pem.decode()}, "options": options}}

    def operations(self) -> list[tuple[str, str, Op]]:
        account = "/accounts/a-1"
        return [
            ("GET", f"{account}/users", self._users),
            ("POST", f"{account}/users", self._new),
            ("PUT", f"{account}/users", lambda world, call: self._each(call, self._put)),
            ("DELETE", f"{account}/users", lambda world, call: self._each(call, self._close)),
            ("GET", f"{account}/users/{{id}}", self._one),
            ("PUT", f"{account}/users/{{id}}", self._change),
            ("GET", f"{account}/groups", listed("groups", wrap="groups")),
            ("PUT", f"{account}/groups/{{group}}/users", lambda world, call: self._members(call, joins=True)),
            ("DELETE", f"{account}/groups/{{group}}/users", lambda world, call: self._members(call, joins=False)),
            ("GET", f"{account}/permission_profiles", self._profiles),
        ]

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/oauth/token":
            return None
        return None if call.headers.get("authorization") == f"Bearer {self.secret('access')}" else self.UNSIGNED

    def _token(self, call: Call) -> Reply:
        import jwt

        try:
            said = jwt.decode(
                call.form["assertion"], key().public_key(), algorithms=["RS256"], audience="account.docusign.com"
            )
        except (KeyError, jwt.InvalidTokenError):
            return Reply(400, {"error": "invalid_grant", "error_description": "no_valid_keys_or_signatures"})
        if (said["iss"], said["sub"], said["scope"]) != ("ik-1", "admin-1", "signature impersonation"):
            return Reply(400, {"error": "consent_required"})
        return Reply(200, {"access_token": self.secret("access"), "token_type": "Bearer", "expires_in": 28800})

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        said = {
            "resultSetSize": str(len(page)),
            "totalSetSize": str(more["total"]),
            "startPosition": str(more["offset"]),
        }
        return {**({wrap: page} if page else {}), **said}

    def _shown(self, row: Row) -> Row:
        groups = [self.state["groups"][group] for group in row["held"]]
        return {**{k: v for k, v in row.items() if k != "held"}, "groupList": groups}

    def _users(self, world: World, call: Call) -> Reply:
        wanted = call.query.get("email", "").lower()
        rows = [self._shown(row) for row in self.state["users"].values() if wanted in ("", row["email"].lower())]
        return self.paged(call, rows, wrap="users")

    def _one(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        return self.MISSING if row is None else Reply(200, self._shown(row))

    def _new(self, world: World, call: Call) -> Reply:
        made = []
        for said in call.body["newUsers"]:
            if any(row["email"].lower() == said["email"].lower() for row in self.state["users"].values()):
                made.append(
                    {
                        "email": said["email"],
                        "errorDetails": {"errorCode": "USER_ALREADY_EXISTS", "message": "They have an account already"},
                    }
                )
                continue
            ident = f"ds-{self.next_id()}"
            names = {name: said[name] for name in ("firstName", "lastName", "jobTitle") if name in said}
            self.state["users"][ident] = {
                **self._user(ident, said["email"], said["userName"], "ActivationSent", ["g0"]),
                **names,
            }
            made.append({"userId": ident, "email": said["email"], "userStatus": "ActivationSent"})
        return Reply(201, {"newUsers": made})

    def _each(self, call: Call, do: Any) -> Reply:
        answers = []
        for said in call.body["users"]:
            row = self.row("users", said["userId"])
            answers.append(
                do(row, said)
                if row
                else {
                    "userId": said["userId"],
                    "errorDetails": {"errorCode": "USER_NOT_FOUND", "message": "no such user"},
                }
            )
        return Reply(200, {"users": answers})

    def _put(self, row: Row, said: Row) -> Row:
        row.update(said)
        return {"userId": row["userId"], "userStatus": row["userStatus"]}

    def _close(self, row: Row, said: Row) -> Row:
        row["userStatus"] = "Closed"
        return {
            "userId": row["userId"],
            "userStatus": "Closed",
            "errorDetails": {"errorCode": "SUCCESS", "message": ""},
        }

    def _change(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is None:
            return self.MISSING
        row.update(call.body)
        return Reply(200, self._shown(row))

    def _members(self, call: Call, *, joins: bool) -> Reply:
        if call.args["group"] not in self.state["groups"]:
            return failed(404, "INVALID_GROUP_ID", "The group does not exist.")
        for said in call.body["users"]:
            row = self.row("users", said["userId"])
            if row is None:
                return self.MISSING
            group = call.args["group"]
            row["held"] = sorted({*row["held"], group} if joins else {*row["held"]} - {group})
        return Reply(200, {"users": call.body["users"]})

    def _profiles(self, world: World, call: Call) -> Reply:
        names = (("p1", "DocuSign Viewer"), ("p2", "DocuSign Sender"))
        return Reply(
            200, {"permissionProfiles": [{"permissionProfileId": p, "permissionProfileName": n} for p, n in names]}
        )

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        states = {"Active": "active", "Closed": "suspended", "ActivationSent": "invited"}
        return Seen(
            states[user["userStatus"]],
            held={f"groups: {self.state['groups'][group]['groupName']}" for group in user["held"]},
        )

    def settle(self, key: str, state: str) -> None:
        self.state["users"][self.id_of(self.state["users"], key)]["userStatus"] = (
            "Active" if state == "active" else "Closed"
        )

    def twin(self, key: str) -> None:
        users = self.state["users"]
        users["ds-99"] = {**users[self.id_of(users, key)], "userId": "ds-99"}
