# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Tailscale's API, version 2 (https://tailscale.com/api). It has no pages: every list is whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Emulator, Handler, Reply

NEVER = stamp(36500)
ROLES = ("owner", "member", "admin", "it-admin", "network-admin", "billing-admin", "auditor")


class Tailscale(Emulator):
    """Users, devices, keys and invitations of one tailnet. The API key was made by grace."""

    name = "tailscale"
    READING_POSTS = (r"/oauth/token$",)

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "tailscale": {
                "connector": "tailscale",
                "url": f"{self.url}/api/v2",
                "credentials": {"client_id": "k-sandbox", "client_secret": self.secret("client_secret")},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        if call.path.endswith("/oauth/token"):
            return None
        if call.headers.get("authorization") in (
            f"Bearer {self.secret('api_key')}",
            f"Bearer {self.secret('access_token')}",
        ):
            return None
        return Reply(401, {"message": "API token invalid"})

    def seed(self) -> Any:
        users: dict[str, Any] = {}
        for person in self.company.on_system("tailscale").values():
            users[f"u{person['employee_id']}"] = {
                "id": f"u{person['employee_id']}",
                "displayName": f"{person['first_name']} {person['last_name']}",
                "loginName": person["email"],
                "profilePicUrl": "",
                "tailnetId": "T1",
                "created": stamp(-1000),
                "type": "member",
                "role": person["on"]["tailscale"]["role"],
                "status": "active",
                "deviceCount": 0,
                "lastSeen": stamp(-2),
                "currentlyConnected": True,
            }
        devices: dict[str, Any] = {}

        def device(key: str, name: str, **more: Any) -> None:
            number = len(devices) + 1
            devices[f"n{number}CNTRL"] = {
                "id": str(9000 + number),
                "nodeId": f"n{number}CNTRL",
                "name": f"{name}.tail1.ts.net",
                "hostname": name,
                "user": self.company.people[key]["email"],
                "os": "linux",
                "authorized": True,
                "isExternal": False,
                "keyExpiryDisabled": False,
                "expires": NEVER,
                "lastSeen": stamp(-2),
                **more,
            }

        device("jane", "jane-mbp")
        device("jane", "janes-iphone", keyExpiryDisabled=True)
        device("jane", "build-server", tags=["tag:ci"], keyExpiryDisabled=True)
        device("mark", "mark-mbp")
        rows = (
            ("kJaneAuth1", "auth", "uE1007", "laptop setup", stamp(-60), NEVER),
            ("kJaneApi1", "api", "uE1007", "scripts", stamp(-60), NEVER),
            ("kJaneOld1", "auth", "uE1007", "old", stamp(-2090), stamp(-2000)),
            ("kGraceApi", "api", "uE1001", "lifecycle", stamp(-60), NEVER),
        )
        names = ("id", "keyType", "userId", "description", "created", "expires")
        keys = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
        return {"users": users, "devices": devices, "keys": keys, "invites": {}, "next": 1}

    def routes(self) -> list[tuple[str, str, Handler]]:
        v2 = "/api/v2"
        routes: list[tuple[str, str, Handler]] = [
            ("POST", f"{v2}/oauth/token", self.token),
            ("GET", f"{v2}/tailnet/{{t}}/users", self.list_users),
            (
                "GET",
                f"{v2}/tailnet/{{t}}/devices",
                lambda call: Reply(200, {"devices": list(self.state["devices"].values())}),
            ),
            ("GET", f"{v2}/tailnet/{{t}}/keys", self.list_keys),
            ("DELETE", f"{v2}/tailnet/{{t}}/keys/{{id}}", self.delete_key),
            ("GET", f"{v2}/tailnet/{{t}}/user-invites", lambda call: Reply(200, list(self.state["invites"].values()))),
            ("POST", f"{v2}/tailnet/{{t}}/user-invites", self.invite),
            ("DELETE", f"{v2}/user-invites/{{id}}", self.withdraw),
            ("POST", f"{v2}/device/{{id}}/expire", self.expire),
            ("POST", f"{v2}/device/{{id}}/key", self.set_key),
            ("DELETE", f"{v2}/device/{{id}}", self.delete_device),
            ("POST", f"{v2}/users/{{id}}/role", self.set_role),
        ]
        for verb in ("suspend", "restore", "delete"):
            routes.append(("POST", f"{v2}/users/{{id}}/{verb}", getattr(self, verb)))
        return routes

    def token(self, call: Call) -> Reply:
        form = call.form
        if form.get("client_id") != "k-sandbox" or form.get("client_secret") != self.secret("client_secret"):
            return Reply(401, {"message": "API token invalid"})
        return Reply(
            200,
            {"access_token": self.secret("access_token"), "token_type": "Bearer", "expires_in": 3600, "scope": "all"},
        )

    def list_users(self, call: Call) -> Reply:
        return Reply(
            200,
            {
                "users": [
                    u
                    for u in self.state["users"].values()
                    if call.query.get("type", u["type"]) in (u["type"], "all")
                    and call.query.get("role", u["role"]) in (u["role"], "all")
                ]
            },
        )

    def list_keys(self, call: Call) -> Reply:
        # Without all=true, only the caller's own are listed.
        return Reply(
            200,
            {
                "keys": [
                    k for k in self.state["keys"].values() if call.query.get("all") == "true" or k["userId"] == "uE1001"
                ]
            },
        )

    def delete_key(self, call: Call) -> Reply:
        if call.args["id"] not in self.state["keys"]:
            return Reply(404, {"message": "key not found"})
        del self.state["keys"][call.args["id"]]
        return Reply(200)

    def invite(self, call: Call) -> Reply:
        body = call.body
        if not isinstance(body, list) or not body:
            return Reply(400, {"message": "expected a list of invites"})
        made = []
        for wanted in body:
            if wanted.get("role", "member") not in ROLES or wanted.get("role") == "owner":
                return Reply(400, {"message": "invalid role"})
            number = str(self.state["next"])
            self.state["next"] += 1
            invite = {
                "id": number,
                "role": wanted.get("role", "member"),
                "tailnetId": 1,
                "inviterId": 1,
                "email": wanted.get("email", ""),
                "lastEmailSentAt": stamp(-2),
                "inviteUrl": f"https://login.tailscale.com/uinv/{number}",
            }
            self.state["invites"][number] = invite
            made.append(invite)
        return Reply(200, made)

    def accept(self, email: str) -> None:
        """The invited person signs in for the first time."""
        for number, invite in list(self.state["invites"].items()):
            if invite["email"] == email:
                del self.state["invites"][number]
                id = f"u{email}"
                self.state["users"][id] = {
                    "id": id,
                    "displayName": email,
                    "loginName": email,
                    "profilePicUrl": "",
                    "tailnetId": "T1",
                    "created": stamp(-2),
                    "type": "member",
                    "role": invite["role"],
                    "status": "active",
                    "deviceCount": 0,
                    "lastSeen": stamp(-2),
                    "currentlyConnected": False,
                }

    def withdraw(self, call: Call) -> Reply:
        return (
            Reply(200)
            if self.state["invites"].pop(call.args["id"], None)
            else Reply(404, {"message": "user invite not found"})
        )

    def _device(self, call: Call) -> Any:
        return next((d for d in self.state["devices"].values() if call.args["id"] in (d["id"], d["nodeId"])), None)

    def expire(self, call: Call) -> Reply:
        device = self._device(call)
        if device is None:
            return Reply(404, {"message": "no matching device"})
        device["expires"] = stamp(-1)
        return Reply(200)

    def set_key(self, call: Call) -> Reply:
        device = self._device(call)
        if device is None:
            return Reply(404, {"message": "no matching device"})
        device["keyExpiryDisabled"] = bool(call.body["keyExpiryDisabled"])
        return Reply(200)

    def delete_device(self, call: Call) -> Reply:
        device = self._device(call)
        if device is None:
            return Reply(404, {"message": "no matching device"})
        if device["isExternal"]:
            return Reply(501, {"message": "cannot delete a device shared into the tailnet"})
        del self.state["devices"][device["nodeId"]]
        return Reply(200)

    def _user(self, call: Call) -> tuple[Any, Reply | None]:
        user = self.state["users"].get(call.args["id"])
        if user is None:
            return None, Reply(404, {"message": "user not found"})
        if user["id"] == "uE1001" and call.headers.get("authorization") == f"Bearer {self.secret('api_key')}":
            return None, Reply(403, {"message": "cannot perform this action on yourself"})
        if user["role"] == "owner":
            return None, Reply(403, {"message": "cannot modify the tailnet owner"})
        return user, None

    def suspend(self, call: Call) -> Reply:
        return self._status(call, "suspended")

    def restore(self, call: Call) -> Reply:
        return self._status(call, "active")

    def _status(self, call: Call, status: str) -> Reply:
        user, refusal = self._user(call)
        if refusal:
            return refusal
        user["status"] = status
        return Reply(200)

    def delete(self, call: Call) -> Reply:
        """Untagged devices, tokens and keys go along; tagged devices stay."""
        user, refusal = self._user(call)
        if refusal:
            return refusal
        state = self.state
        del state["users"][user["id"]]
        state["devices"] = {
            i: d for i, d in state["devices"].items() if d["user"] != user["loginName"] or d.get("tags")
        }
        state["keys"] = {i: k for i, k in state["keys"].items() if k["userId"] != user["id"]}
        return Reply(200)

    def set_role(self, call: Call) -> Reply:
        user, refusal = self._user(call)
        if refusal:
            return refusal
        role = (call.body or {}).get("role")
        if role not in ROLES or role == "owner":
            return Reply(400, {"message": f"invalid role {role!r}"})
        user["role"] = role
        return Reply(200)
