# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Slack: SCIM 2.0 (``/scim/v2``) and the Web API (``/api/{method}``), whose errors come with 200."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.emulator import Call, Emulator, Handler, Reply

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class Refusal(Exception):
    """An error of the Web API."""


class Slack(Emulator):
    """An Enterprise organisation. grace is its primary owner."""

    name = "slack"
    #: Web API methods are all POST.
    READING_POSTS = (
        r"/api/(users\.info|users\.lookupByEmail|usergroups\.list|usergroups\.users\.list|admin\.users\.session\.list|admin\.workflows\.search|auth\.test)$",
    )
    #: What the server hands out at most, whatever ``limit`` asks.
    PAGE = 2

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "slack": {
                "connector": "slack",
                "url": f"{self.url}/api",
                "options": {"scim_url": f"{self.url}/scim/v2"},
                "credentials": {"token": self.secret("token")},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        given = call.headers.get("authorization", "")
        if given == f"Bearer {self.secret('token')}":
            return None
        if call.path.startswith("/api/"):
            return Reply(200, {"ok": False, "error": "invalid_auth" if given else "not_authed"})
        return _scim_error(401, "invalid_authentication")

    def seed(self) -> Any:
        users: dict[str, Any] = {}
        handles: dict[str, list[str]] = {}
        for key, person in self.company.on_system("slack").items():
            uid = f"U0{person['employee_id']}"
            users[uid] = {
                "schemas": [CORE, ENTERPRISE],
                "id": uid,
                "userName": key,
                "displayName": f"{person['first_name']} {person['last_name']}",
                "name": {"givenName": person["first_name"], "familyName": person["last_name"]},
                "title": person["title"],
                "active": True,
                "emails": [{"value": person["email"], "type": "work", "primary": True}],
                "timezone": person["time_zone"],
                ENTERPRISE: {"department": person["department"], "employeeNumber": person["employee_id"]},
            }
            for handle in person["on"]["slack"]["groups"]:
                handles.setdefault(handle, []).append(uid)
        handles["release-duty"] = ["U0E1007"]
        groups = {
            f"S0{n:03}": {
                "id": f"S0{n:03}",
                "team_id": "T1",
                "is_usergroup": True,
                "name": handle.replace("-", " ").title(),
                "handle": handle,
                "is_external": False,
                "date_delete": 0,
                "created_by": "U0E1007" if handle == "release-duty" else "U0E1001",
                "users": members,
            }
            for n, (handle, members) in enumerate(sorted(handles.items()), 1)
        }
        jane = "U0E1007"
        sessions = {uid: [{"user_id": uid, "session_id": 100 + n, "team_id": "T1"} for n in range(3)] for uid in users}
        workflows = {
            "Wf001": {"id": "Wf001", "title": "Deploy approval", "team_id": "T1", "collaborators": [jane]},
            "Wf002": {"id": "Wf002", "title": "Stand-up", "team_id": "T1", "collaborators": [jane, "U0E1002"]},
            "Wf003": {"id": "Wf003", "title": "Release notes", "team_id": "T1", "collaborators": [jane]},
        }
        return {
            "users": users,
            "groups": groups,
            "sessions": sessions,
            "teams": {},
            "workflows": workflows,
            "primary": "U0E1001",
            "next": 1,
        }

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/scim/v2/Users", self.find),
            ("POST", "/scim/v2/Users", self.create),
            ("GET", "/scim/v2/Users/{id}", self.read),
            ("PATCH", "/scim/v2/Users/{id}", self.patch),
            ("DELETE", "/scim/v2/Users/{id}", self.remove),
            ("POST", "/api/{method}", self.web),
        ]

    # -- SCIM ----------------------------------------------------------------------------------------------------------

    def find(self, call: Call) -> Reply:
        users = list(self.state["users"].values())
        if wanted := call.query.get("filter"):
            match = re.fullmatch(r'(userName|email) eq "([^"]*)"', wanted)
            if not match:
                return _scim_error(400, "invalid_filter")
            name, value = match[1], match[2].casefold()
            users = [
                u
                for u in users
                if value
                in ([u["userName"].casefold()] if name == "userName" else [e["value"].casefold() for e in u["emails"]])
            ]
        start, count = int(call.query.get("startIndex", 1)), min(int(call.query.get("count", 10)), 1000)
        page = users[start - 1 : start - 1 + count]
        return Reply(
            200,
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": len(users),
                "itemsPerPage": len(page),
                "startIndex": start,
                "Resources": page,
            },
        )

    def read(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        return Reply(200, user) if user else _scim_error(404, "user_not_found")

    def create(self, call: Call) -> Reply:
        body = call.body
        if not body.get("userName") or not body.get("emails"):
            return _scim_error(400, "missing_required_attribute")
        emails = {e["value"].casefold() for e in body["emails"]}
        for user in self.state["users"].values():
            if user["userName"] == body["userName"] or emails & {e["value"].casefold() for e in user["emails"]}:
                return _scim_error(
                    409, "username_taken" if user["userName"] == body["userName"] else "email_taken", "uniqueness"
                )
        uid = f"U1{self.state['next']:04}"
        self.state["next"] += 1
        self.state["users"][uid] = {**body, "id": uid, "active": True}
        self.state["sessions"][uid] = []
        return Reply(201, self.state["users"][uid])

    def patch(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        if user is None:
            return _scim_error(404, "user_not_found")
        for operation in call.body.get("Operations") or ():
            if operation["op"].lower() not in ("replace", "add"):
                return _scim_error(400, "unsupported_operation")
            value = operation["value"] if not operation.get("path") else {operation["path"]: operation["value"]}
            if value.get("active") is False and user["id"] == self.state["primary"]:
                return _scim_error(403, "cannot_modify_primary_owner")
            for name, new in value.items():
                user[name] = {**user.get(name, {}), **new} if isinstance(new, dict) else new
            if value.get("active") is False:
                self._deactivate(user)
        return Reply(200, user)

    def remove(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        if user is None:
            return _scim_error(404, "user_not_found")
        if user["id"] == self.state["primary"]:
            return _scim_error(403, "cannot_modify_primary_owner")
        self._deactivate(user)
        return Reply(204)

    def _deactivate(self, user: dict[str, Any]) -> None:
        user["active"] = False
        self.state["sessions"][user["id"]] = []

    # -- Web API -------------------------------------------------------------------------------------------------------

    def web(self, call: Call) -> Reply:
        methods: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "users.info": self.users_info,
            "usergroups.list": self.usergroups_list,
            "usergroups.users.list": self.members_list,
            "usergroups.users.update": self.members_update,
            "admin.users.session.list": self.session_list,
            "admin.users.session.reset": self.session_reset,
            "admin.users.deactivate": self.admin_deactivate,
            "admin.workflows.search": self.workflows_search,
            "admin.workflows.collaborators.add": self.collaborators_add,
            "admin.workflows.collaborators.remove": self.collaborators_remove,
        }
        method = methods.get(call.args["method"])
        if method is None:
            return Reply(200, {"ok": False, "error": "unknown_method"})
        try:
            return Reply(200, {"ok": True, **method(call.body or {})})
        except Refusal as e:
            return Reply(200, {"ok": False, "error": str(e)})

    def _page(self, rows: list[Any], key: str, args: Mapping[str, Any]) -> dict[str, Any]:
        start = 0
        if args.get("cursor"):
            try:
                start = int(base64.b64decode(args["cursor"]).decode().removeprefix("next:"))
            except ValueError:
                raise Refusal("invalid_cursor") from None
        end = start + min(int(args.get("limit", 100)), self.PAGE)
        cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(rows) else ""
        return {key: rows[start:end], "response_metadata": {"next_cursor": cursor}}

    def _user(self, args: Mapping[str, Any], key: str = "user_id") -> dict[str, Any]:
        user = self.state["users"].get(args.get(key))
        if user is None:
            raise Refusal("user_not_found")
        return dict(user)

    def users_info(self, args: Mapping[str, Any]) -> dict[str, Any]:
        user = self._user(args, "user")
        owner = user["id"] == self.state["primary"]
        teams = self.state["teams"].get(user["id"])
        return {
            "user": {
                "id": user["id"],
                "team_id": "T1",
                "name": user["userName"],
                "deleted": not user["active"],
                "is_admin": owner,
                "is_owner": owner,
                "is_primary_owner": owner,
                "is_restricted": False,
                "is_bot": False,
                **({"enterprise_user": {"id": user["id"], "enterprise_id": "E1", "teams": teams}} if teams else {}),
                "profile": {"email": user["emails"][0]["value"]},
            }
        }

    def usergroups_list(self, args: Mapping[str, Any]) -> dict[str, Any]:
        groups = [g for g in self.state["groups"].values() if args.get("include_disabled") or not g["date_delete"]]
        return {
            "usergroups": [
                g if args.get("include_users") else {k: v for k, v in g.items() if k != "users"} for g in groups
            ]
        }

    def _group(self, args: Mapping[str, Any]) -> dict[str, Any]:
        group = self.state["groups"].get(args.get("usergroup"))
        if group is None:
            raise Refusal("no_such_subteam")
        return group  # type: ignore[no-any-return]

    def members_list(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return {"users": self._group(args)["users"]}

    def members_update(self, args: Mapping[str, Any]) -> dict[str, Any]:
        group = self._group(args)
        users = [u for u in str(args.get("users") or "").split(",") if u]
        if not users:
            raise Refusal("no_users_provided")
        if any(u not in self.state["users"] for u in users):
            raise Refusal("invalid_users")
        group["users"] = users
        return {"usergroup": group}

    def session_list(self, args: Mapping[str, Any]) -> dict[str, Any]:
        if args.get("user_id") and not args.get("team_id"):
            raise Refusal("missing_team")
        rows = self.state["sessions"][self._user(args)["id"]]
        return self._page([row for row in rows if row["team_id"] == args["team_id"]], "active_sessions", args)

    def session_reset(self, args: Mapping[str, Any]) -> dict[str, Any]:
        self.state["sessions"][self._user(args)["id"]] = []
        return {}

    def admin_deactivate(self, args: Mapping[str, Any]) -> dict[str, Any]:
        user = self._user(args)
        if user["id"] == self.state["primary"]:
            raise Refusal("deactivation_failed")
        self._deactivate(self.state["users"][user["id"]])
        return {}

    def workflows_search(self, args: Mapping[str, Any]) -> dict[str, Any]:
        if int(args.get("limit", 20)) > 50:
            raise Refusal("invalid_arguments")
        wanted = set(args.get("collaborator_ids") or ())
        return self._page(
            [w for w in self.state["workflows"].values() if not wanted or wanted & set(w["collaborators"])],
            "workflows",
            args,
        )

    def collaborators_add(self, args: Mapping[str, Any]) -> dict[str, Any]:
        for uid in args.get("collaborator_ids") or ():
            if uid not in self.state["users"]:
                raise Refusal("collaborator_not_found")
        for wid in args.get("workflow_ids") or ():
            if wid not in self.state["workflows"]:
                raise Refusal("workflow_not_found")
            workflow = self.state["workflows"][wid]
            workflow["collaborators"] = list(dict.fromkeys([*workflow["collaborators"], *args["collaborator_ids"]]))
        return {}

    def collaborators_remove(self, args: Mapping[str, Any]) -> dict[str, Any]:
        for wid in args.get("workflow_ids") or ():
            if wid not in self.state["workflows"]:
                raise Refusal("workflow_not_found")
            left = [uid for uid in self.state["workflows"][wid]["collaborators"] if uid not in args["collaborator_ids"]]
            if not left:
                raise Refusal("cannot_remove_all_collaborators")
            self.state["workflows"][wid]["collaborators"] = left
        return {}


def _scim_error(status: int, detail: str, scim_type: str = "") -> Reply:
    return Reply(
        status,
        {"schemas": [ERROR], "status": str(status), "detail": detail, **({"scimType": scim_type} if scim_type else {})},
    )
