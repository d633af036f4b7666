# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An Okta organisation: users and their state machine, factors, sessions, consents, tokens, devices, groups, apps and roles.

It refuses what Okta refuses: a factor of a deactivated user, a group that an app or a rule fills, an assignment that a
group gives, a second deactivation, a deletion of what is not deactivated.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt

from sandbox.emulator import Call, Emulator, Handler, Reply
from sandbox.vendors import okta_seed as seeded
from sandbox.vendors.okta_errors import error, not_found

#: Where a transition of the state machine leads to, and from where it may be taken.
TRANSITIONS: Mapping[str, tuple[frozenset[str], str]] = {
    "activate": (frozenset({"STAGED", "DEPROVISIONED"}), "PROVISIONED"),
    "suspend": (frozenset({"ACTIVE"}), "SUSPENDED"),
    "unsuspend": (frozenset({"SUSPENDED"}), "ACTIVE"),
}


class Okta(Emulator):
    """The organisation of the company. grace is its super administrator."""

    name = "okta"
    READING_POSTS = (r"/oauth2/v1/token$",)
    #: What a page holds at most, whatever ``limit`` asks.
    PAGE = 3

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "okta": {
                "connector": "okta",
                "url": self.url,
                "credentials": {"client_id": "0oaSERVICE", "private_key": seeded.private_key(), "key_id": "key-1"},
            }
        }

    def seed(self) -> Any:
        return seeded.seeded(self.company)

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/oauth2/v1/token":
            return None
        given = call.headers.get("authorization", "")
        if given in (f"SSWS {self.secret('api_token')}", f"Bearer {self.secret('access_token')}"):
            return None
        return error(401, "E0000011", "Invalid token provided")

    def not_found(self, call: Call) -> Reply:
        return error(404, "E0000022", "The endpoint does not support the provided HTTP method")

    def routes(self) -> list[tuple[str, str, Handler]]:
        user = "/api/v1/users/{user}"
        return [
            ("POST", "/oauth2/v1/token", self.token),
            ("GET", "/api/v1/users", self.list_users),
            ("POST", "/api/v1/users", self.create),
            ("GET", user, self.read),
            ("POST", user, self.update),
            ("DELETE", user, self.delete),
            ("POST", user + "/lifecycle/{act}", self.lifecycle),
            ("DELETE", user + "/sessions", self.end_sessions),
            ("GET", user + "/factors", lambda call: self._of_user(call, "factors")),
            ("DELETE", user + "/factors/{id}", self.unenrol),
            ("GET", user + "/grants", lambda call: self._of_user(call, "grants")),
            ("DELETE", user + "/grants", self.end_grants),
            ("GET", user + "/clients", self.clients),
            ("GET", user + "/clients/{id}/tokens", self.client_tokens),
            ("DELETE", user + "/clients/{id}/tokens", self.end_client_tokens),
            ("GET", user + "/devices", self.devices),
            ("GET", user + "/groups", self.user_groups),
            ("GET", user + "/roles", lambda call: self._of_user(call, "roles")),
            ("POST", user + "/roles", self.give_role),
            ("DELETE", user + "/roles/{id}", self.take_role),
            ("GET", "/api/v1/devices/{id}/users", self.device_users),
            ("POST", "/api/v1/devices/{id}/lifecycle/deactivate", self.end_device),
            ("GET", "/api/v1/api-tokens", lambda call: self._page(call, list(self.state["tokens"].values()))),
            ("DELETE", "/api/v1/api-tokens/{id}", self.end_token),
            ("GET", "/api/v1/groups", self.list_groups),
            ("GET", "/api/v1/groups/rules", lambda call: self._page(call, self.state["rules"])),
            ("GET", "/api/v1/groups/{id}/users", self.group_users),
            ("PUT", "/api/v1/groups/{id}/users/{user}", self.join),
            ("DELETE", "/api/v1/groups/{id}/users/{user}", self.leave),
            ("GET", "/api/v1/apps", self.list_apps),
            ("GET", "/api/v1/apps/{id}/users", self.app_users),
            ("POST", "/api/v1/apps/{id}/users", self.assign),
            ("DELETE", "/api/v1/apps/{id}/users/{user}", self.unassign),
            ("GET", "/api/v1/iam/assignees/users", self.assignees),
        ]

    # -- sign-in -------------------------------------------------------------------------------------------------------

    def token(self, call: Call) -> Reply:
        """Return a token for a service app that signs with its key: each assertion once, for this server, for an hour at most."""
        form = call.form
        try:
            claims = jwt.decode(
                form["client_assertion"],
                seeded.public_key(),
                algorithms=["RS256"],
                audience=f"{self.url}/oauth2/v1/token",
                options={"require": ["exp", "iss", "sub", "jti"]},
            )
        except (KeyError, jwt.PyJWTError) as e:
            return Reply(401, {"error": "invalid_client", "error_description": f"The client_assertion is invalid: {e}"})
        if claims["exp"] > time.time() + 3600 or claims["jti"] in self.state["assertions"]:
            return Reply(401, {"error": "invalid_client", "error_description": "The client_assertion was used already"})
        self.state["assertions"].append(claims["jti"])
        if claims["iss"] != "0oaSERVICE" or form.get("grant_type") != "client_credentials":
            return Reply(401, {"error": "invalid_client", "error_description": "The client is unknown"})
        return Reply(
            200,
            {
                "token_type": "Bearer",
                "expires_in": 3600,
                "access_token": self.secret("access_token"),
                "scope": form.get("scope", ""),
            },
        )

    # -- users ---------------------------------------------------------------------------------------------------------

    def _page(self, call: Call, rows: list[Any]) -> Reply:
        """Return a page, and in ``Link`` the address of the next, whose ``after`` is opaque."""
        start = int(call.query.get("after", "p0")[1:])
        size = min(self.PAGE, int(call.query.get("limit", self.PAGE)))
        headers = {}
        if start + size < len(rows):
            query = urlencode({**call.query, "after": f"p{start + size}"})
            headers["Link"] = f'<{self.url}{call.path}?{query}>; rel="next"'
        return Reply(200, rows[start : start + size], headers)

    def _user(self, call: Call) -> dict[str, Any] | None:
        wanted = call.args["user"]
        users = self.state["users"]
        if wanted in users:
            found: dict[str, Any] = users[wanted]
            return found
        return next((u for u in users.values() if u["profile"]["login"].lower() == wanted.lower()), None)

    def _of_user(self, call: Call, what: str) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        return Reply(200, self.state[what].get(user["id"], []))

    def list_users(self, call: Call) -> Reply:
        """Return the plain list leaves out deactivated users; a filter or a search does not."""
        users = list(self.state["users"].values())
        asked = call.query.get("search") or call.query.get("filter")
        if not asked:
            return self._page(call, [u for u in users if u["status"] != "DEPROVISIONED"])
        tests = [re.fullmatch(r'(status|id|profile\.\w+) eq "((?:[^"\\]|\\.)*)"', one) for one in asked.split(" or ")]
        if not all(tests):
            return error(400, "E0000031", f"Invalid search criteria: {asked}")
        wanted = [
            (test[1].removeprefix("profile."), re.sub(r"\\(.)", r"\1", test[2]).lower()) for test in tests if test
        ]
        return self._page(
            call,
            [
                u
                for u in users
                if any(str(u.get(field, u["profile"].get(field)) or "").lower() == value for field, value in wanted)
            ],
        )

    def create(self, call: Call) -> Reply:
        profile = (call.body or {}).get("profile") or {}
        missing = [name for name in ("firstName", "lastName", "email", "login") if not profile.get(name)]
        if missing:
            causes = [f"{name}: The field cannot be left blank" for name in missing]
            return error(400, "E0000001", f"Api validation failed: {missing[0]}", *causes)
        if any(u["profile"]["login"].lower() == profile["login"].lower() for u in self.state["users"].values()):
            cause = "login: An object with this field already exists in the current organization"
            return error(400, "E0000001", "Api validation failed: login", cause)
        uid = f"00unew{len(self.state['users'])}"
        status = "STAGED" if call.query.get("activate") == "false" else "PROVISIONED"
        self.state["users"][uid] = seeded.user(uid, status, {**seeded.EMPTY, **profile})
        self.state["groups"]["00geveryone"]["members"].append(uid)
        return Reply(200, self.state["users"][uid])

    def read(self, call: Call) -> Reply:
        user = self._user(call)
        return Reply(200, user) if user else not_found(call.args["user"], "User")

    def update(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        if user["status"] == "DEPROVISIONED":
            return error(403, "E0000038", "This operation is not allowed in the user's current status.")
        if user["credentials"]["provider"]["type"] == "ACTIVE_DIRECTORY":
            return error(403, "E0000006", "You do not have permission to perform the requested action")
        user["profile"].update((call.body or {}).get("profile") or {})
        return Reply(200, user)

    def delete(self, call: Call) -> Reply:
        """Return the first time a user is deactivated; only the second time is one deleted."""
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        if user["status"] != "DEPROVISIONED":
            self._end(user)
        else:
            del self.state["users"][user["id"]]
        return Reply(204)

    def lifecycle(self, call: Call) -> Reply:
        user, act = self._user(call), call.args["act"]
        if user is None:
            return not_found(call.args["user"], "User")
        if act == "deactivate":
            if user["status"] == "DEPROVISIONED":
                return not_found(user["id"], "User")
            self._end(user)
            return Reply(200)
        if act not in TRANSITIONS:
            return self.not_found(call)
        allowed, status = TRANSITIONS[act]
        if user["status"] not in allowed:
            if act == "activate":
                return error(403, "E0000016", "Activation failed because the user is already active")
            cause = f"Cannot {act} a user that is {user['status'].lower()}"
            return error(400, "E0000001", f"Api validation failed: {user['id']}", cause)
        user["status"] = status
        if act == "suspend":
            self.state["sessions"][user["id"]] = []
        if act == "activate" and call.query.get("sendEmail", "true") == "true":
            self.state["mails"].append(user["profile"].get("secondEmail") or user["profile"]["email"])
            return Reply(200, {})
        link = {"activationUrl": f"{self.url}/welcome/x", "activationToken": self.secret("activation")}
        return Reply(200, link) if act == "activate" else Reply(200)

    def _end(self, user: dict[str, Any]) -> None:
        """A deactivation: every app assignment, session and API token of the user goes."""
        uid = user["id"]
        user["status"] = "DEPROVISIONED"
        self.state["sessions"][uid] = []
        self.state["tokens"] = {i: t for i, t in self.state["tokens"].items() if t["userId"] != uid}
        for app in self.state["apps"].values():
            app["users"].pop(uid, None)

    def end_sessions(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        self.state["sessions"][user["id"]] = []
        if call.query.get("oauthTokens") == "true":
            self.state["client_tokens"][user["id"]] = {}
        return Reply(204)

    # -- what else lets in ---------------------------------------------------------------------------------------------

    def unenrol(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        if user["status"] == "DEPROVISIONED":
            return error(403, "E0000038", "This operation is not allowed in the user's current status.")
        held = self.state["factors"].get(user["id"], [])
        factor = next((f for f in held if f["id"] == call.args["id"]), None)
        if factor is None:
            return not_found(call.args["id"], "UserFactor")
        # https://developer.okta.com/docs/api/...: unenrolling push also unenrols signed_nonce.
        gone = {"push", "signed_nonce"} if factor["factorType"] == "push" else set()
        self.state["factors"][user["id"]] = [f for f in held if f is not factor and f["factorType"] not in gone]
        return Reply(204)

    def end_grants(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        self.state["grants"][user["id"]] = []
        return Reply(204)

    def clients(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        held = self.state["client_tokens"].get(user["id"], {})
        return Reply(200, [{"client_id": cid, "client_name": "Notes app"} for cid in held])

    def client_tokens(self, call: Call) -> Reply:
        user = self._user(call)
        held = self.state["client_tokens"].get(user["id"], {}) if user else {}
        return Reply(200, held.get(call.args["id"], []))

    def end_client_tokens(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        self.state["client_tokens"].get(user["id"], {}).pop(call.args["id"], None)
        return Reply(204)

    def devices(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        rows = [
            {"created": seeded.THEN, "deviceUserId": f"du-{d['id']}", "device": seeded.device_shown(d)}
            for d in self.state["devices"].values()
            if user["id"] in d["users"]
        ]
        return Reply(200, rows)

    def device_users(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return not_found(call.args["id"], "Device")
        return Reply(
            200,
            [
                {"created": seeded.THEN, "managementStatus": "NOT_MANAGED", "user": self.state["users"][uid]}
                for uid in device["users"]
            ],
        )

    def end_device(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return not_found(call.args["id"], "Device")
        device["status"] = "DEACTIVATED"
        return Reply(204)

    def end_token(self, call: Call) -> Reply:
        if self.state["tokens"].pop(call.args["id"], None) is None:
            return not_found(call.args["id"], "ApiToken")
        return Reply(204)

    # -- groups, apps, roles -------------------------------------------------------------------------------------------

    def list_groups(self, call: Call) -> Reply:
        start = call.query.get("q", "").lower()
        rows = [
            g["row"] for g in self.state["groups"].values() if g["row"]["profile"]["name"].lower().startswith(start)
        ]
        return self._page(call, rows)

    def user_groups(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        return Reply(200, [g["row"] for g in self.state["groups"].values() if user["id"] in g["members"]])

    def group_users(self, call: Call) -> Reply:
        group = self.state["groups"].get(call.args["id"])
        if group is None:
            return not_found(call.args["id"], "Group")
        return self._page(call, [self.state["users"][uid] for uid in group["members"] if uid in self.state["users"]])

    def _writable(self, call: Call) -> tuple[Any, Reply | None]:
        group = self.state["groups"].get(call.args["id"])
        if group is None:
            return None, not_found(call.args["id"], "Group")
        if call.args["user"] not in self.state["users"]:
            return None, not_found(call.args["user"], "User")
        if group["row"]["type"] != "OKTA_GROUP":
            return None, error(403, "E0000006", "You do not have permission to perform the requested action")
        return group, None

    def join(self, call: Call) -> Reply:
        group, refusal = self._writable(call)
        if refusal:
            return refusal
        if call.args["user"] not in group["members"]:
            group["members"].append(call.args["user"])
        return Reply(204)

    def leave(self, call: Call) -> Reply:
        group, refusal = self._writable(call)
        if refusal:
            return refusal
        group["members"] = [uid for uid in group["members"] if uid != call.args["user"]]
        for app in self.state["apps"].values():
            if app["group"] == call.args["id"]:
                app["users"].pop(call.args["user"], None)
        return Reply(204)

    def list_apps(self, call: Call) -> Reply:
        apps = list(self.state["apps"].values())
        asked = call.query.get("filter")
        if not asked:
            start = call.query.get("q", "").lower()
            return self._page(call, [a["row"] for a in apps if a["row"]["label"].lower().startswith(start)])
        match = re.fullmatch(r'user\.id eq "(\w+)"', asked)
        if not match:
            return error(400, "E0000031", f"Invalid search criteria: {asked}")
        uid = match[1]
        shown = call.query.get("expand") == f"user/{uid}"
        rows = [
            {**a["row"], **({"_embedded": {"user": a["users"][uid]}} if shown else {})}
            for a in apps
            if uid in a["users"]
        ]
        return self._page(call, rows)

    def app_users(self, call: Call) -> Reply:
        app = self.state["apps"].get(call.args["id"])
        return self._page(call, list(app["users"].values())) if app else not_found(call.args["id"], "AppInstance")

    def assign(self, call: Call) -> Reply:
        app, uid = self.state["apps"].get(call.args["id"]), (call.body or {}).get("id")
        if app is None or uid not in self.state["users"]:
            return not_found(call.args["id"], "AppInstance")
        app["users"][uid] = seeded.app_user(uid, "USER")
        return Reply(200, app["users"][uid])

    def unassign(self, call: Call) -> Reply:
        app, uid = self.state["apps"].get(call.args["id"]), call.args["user"]
        if app is None or uid not in app["users"]:
            return not_found(uid, "AppUser")
        if app["users"][uid]["scope"] == "GROUP":
            cause = "The application cannot be unassigned from the user while their group memberships grant them access"
            return error(403, "E0000046", "Deactivate application for user forbidden.", cause)
        del app["users"][uid]
        return Reply(204)

    def give_role(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        held = self.state["roles"].setdefault(user["id"], [])
        kind = (call.body or {}).get("type")
        if any(role["type"] == kind for role in held):
            return error(409, "E0000090", "Duplicate role assignment exception.")
        held.append(seeded.role(f"ra-{user['id']}-{kind}", kind))
        return Reply(201, held[-1])

    def take_role(self, call: Call) -> Reply:
        user = self._user(call)
        if user is None:
            return not_found(call.args["user"], "User")
        held = self.state["roles"].get(user["id"], [])
        if not any(role["id"] == call.args["id"] for role in held):
            return not_found(call.args["id"], "RoleAssignment")
        self.state["roles"][user["id"]] = [role for role in held if role["id"] != call.args["id"]]
        return Reply(204)

    def assignees(self, call: Call) -> Reply:
        """Return a page of the users with admin roles; this list has the link to the next page in its body."""
        rows = [{"id": uid} for uid, held in self.state["roles"].items() if held]
        start = int(call.query.get("after", "p0")[1:])
        end = start + min(self.PAGE, int(call.query.get("limit", self.PAGE)))
        query = urlencode({**call.query, "after": f"p{end}"})
        links = {"_links": {"next": {"href": f"{self.url}{call.path}?{query}"}}} if end < len(rows) else {}
        return Reply(200, {"value": rows[start:end], **links})
