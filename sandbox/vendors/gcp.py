# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Cloud: Resource Manager's policies (https://cloud.google.com/resource-manager/reference/rest/v3), OS Login, keys of service accounts,
and Cloud Identity's groups (https://cloud.google.com/identity/docs/reference/rest/v1/groups.memberships).

A policy has an etag, and one that is stale is refused. Conditions are shown, and may be written, in version 3 only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jwt

from sandbox.days import stamp
from sandbox.emulator import Call, Emulator, Handler, Reply
from sandbox.vendors import google_workspace_seed as seeded

#: As the page of a key has it that never ends: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
NEVER = datetime.max.strftime("%Y-%m-%dT%H:%M:%SZ")
NIGHT = {"title": "for a while", "expression": f'request.time < timestamp("{stamp(200)}")'}


def error(status: int, word: str, message: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "status": word}})


class GoogleCloud(Emulator):
    """``state["policies"]`` by resource; ``state["moved"]`` is how many writes find that somebody else was faster.

    ``state["groups"]`` are the members of each group, by address; ``state["reads_groups"]`` is whether the service account may see them.
    """

    name = "gcp"
    READING_POSTS = (r"/token$", r":getIamPolicy$")
    PAGE = 2

    def seed(self) -> Any:
        people = self.company.people
        jane, mark, grace = (f"user:{people[key]['email']}" for key in ("jane", "mark", "grace"))
        policies = {
            "organizations/1": [{"role": "roles/resourcemanager.organizationAdmin", "members": [grace]}],
            "projects/shop": [
                {"role": "roles/owner", "members": [grace, "group:platform@corp.example"]},
                {"role": "roles/editor", "members": [jane, mark]},
                {"role": "roles/storage.admin", "members": [jane], "condition": NIGHT},
            ],
            "projects/lab": [
                {"role": "roles/viewer", "members": [f"user:{people['jane']['email'].title()}"]},
                {"role": "roles/viewer", "members": [mark], "condition": NIGHT},
            ],
            "projects/third": [{"role": "roles/viewer", "members": [mark]}],
        }
        return {
            "policies": {name: {"bindings": rows, "etag": 1} for name, rows in policies.items()},
            "keys": {people["jane"]["email"]: {"fp1": {"key": "ssh-ed25519 AAAA jane", "fingerprint": "fp1"}}},
            "groups": {"platform@corp.example": [people["mark"]["email"]]},
            "reads_groups": True,
            "suspended": [],
            "moved": 0,
        }

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "gcp": {
                "connector": "gcp",
                "url": self.url,
                "credentials": {"service_account": seeded.service_account()},
                "options": {
                    "resources": ["organizations/1", "projects/shop", "projects/lab", "projects/third"],
                    "os_login": True,
                },
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/token":
            return None
        good = call.headers.get("authorization", "").startswith(f"Bearer {self.secret('token')}~")
        return None if good else error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("POST", "/token", self._token),
            ("GET", "/v3/projects:search", self._projects),
            ("POST", "/v3/{kind}/{rest}", self._policy),
            ("GET", "/v1/groups:lookup", self._group),
            ("GET", "/v1/groups/{group}/memberships", self._memberships),
            ("GET", "/v1/users/{user}/loginProfile", self._profile),
            ("DELETE", "/v1/users/{user}/sshPublicKeys/{fingerprint}", self._end_key),
            ("GET", "/v1/projects/{project}/serviceAccounts", self._accounts),
            ("GET", "/v1/projects/{project}/serviceAccounts/{account}/keys", self._keys),
        ]

    def _token(self, call: Call) -> Reply:
        try:
            claims = jwt.decode(
                call.form["assertion"],
                seeded.key().public_key(),
                algorithms=["RS256"],
                audience="https://oauth2.googleapis.com/token",
                options={"require": ["exp", "iat", "iss"]},
            )
        except (KeyError, jwt.PyJWTError):
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        if claims["iss"] != seeded.CLIENT or claims["exp"] > time.time() + 3700:
            return Reply(401, {"error": "unauthorized_client", "error_description": "Client is unauthorized"})
        if claims.get("sub") in self.state["suspended"]:
            return Reply(400, {"error": "invalid_grant", "error_description": "Account has been suspended"})
        token = f"{self.secret('token')}~{claims.get('sub', '')}"
        return Reply(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    # -- policies ------------------------------------------------------------------------------------------------------

    def _projects(self, call: Call) -> Reply:
        names = [one.partition("/")[2] for one in self.state["policies"] if one.startswith("projects/")]
        start = int(call.query.get("pageToken") or 0)
        rows = [{"name": f"projects/{n}", "projectId": one, "state": "ACTIVE"} for n, one in enumerate(names)]
        more = {"nextPageToken": str(start + self.PAGE)} if start + self.PAGE < len(rows) else {}
        return Reply(200, {"projects": rows[start : start + self.PAGE], **more})

    def _policy(self, call: Call) -> Reply:
        id, _colon, verb = call.args["rest"].partition(":")
        policy = self.state["policies"].get(f"{call.args['kind']}/{id}")
        if policy is None:
            return error(403, "PERMISSION_DENIED", "The caller does not have permission")
        if verb == "getIamPolicy":
            version = ((call.body or {}).get("options") or {}).get("requestedPolicyVersion", 1)
            return Reply(200, self._shown(policy, version))
        return self._set(policy, call.body["policy"]) if verb == "setIamPolicy" else self.not_found(call)

    def _shown(self, policy: Mapping[str, Any], version: int) -> dict[str, Any]:
        rows = [dict(row) for row in policy["bindings"]]
        if version < 3:  # what it looks like without conditions
            rows = [
                {**row, "role": f"{row['role']}_withcond_1", "condition": None} if "condition" in row else row
                for row in rows
            ]
        conditional = any(row.get("condition") for row in rows)
        return {"version": 3 if conditional else 1, "etag": f"e{policy['etag']}", "bindings": rows}

    def _set(self, policy: Any, said: Mapping[str, Any]) -> Reply:
        if self.state["moved"]:
            self.state["moved"] -= 1
            policy["etag"] += 1
        if said.get("etag") != f"e{policy['etag']}":
            return error(
                409, "ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write."
            )
        rows = said.get("bindings", [])
        if any(not row["members"] for row in rows):
            return error(400, "INVALID_ARGUMENT", "A binding has no members.")
        strangers = [one for row in rows for one in row["members"] if not self._known(one)]
        if strangers:
            return error(400, "INVALID_ARGUMENT", f"User {strangers[0].partition(':')[2]} does not exist.")
        if any("condition" in row for row in rows) and said.get("version") != 3:
            return error(400, "INVALID_ARGUMENT", "Policies with conditions must have version 3.")
        policy.update(bindings=rows, etag=policy["etag"] + 1)
        return Reply(200, self._shown(policy, 3))

    def _known(self, member: str) -> bool:
        """Return whether a member is somebody: Google looks for each user, and believes what a group is called."""
        kind, _colon, address = member.partition(":")
        return kind != "user" or address.lower() in {one["email"] for one in self.company.people.values()}

    # -- groups --------------------------------------------------------------------------------------------------------

    def _group(self, call: Call) -> Reply:
        address = call.query.get("groupKey.id", "").lower()
        if not self.state["reads_groups"] or address not in self.state["groups"]:
            return error(
                403, "PERMISSION_DENIED", "Error(2028): Permission denied for resource groups (or it may not exist)."
            )
        return Reply(200, {"name": f"groups/{list(self.state['groups']).index(address):08}"})

    def _memberships(self, call: Call) -> Reply:
        address = list(self.state["groups"])[int(call.args["group"])]
        start = int(call.query.get("pageToken") or 0)
        rows = [self._membership(call, number, one) for number, one in enumerate(self.state["groups"][address])]
        more = {"nextPageToken": str(start + self.PAGE)} if start + self.PAGE < len(rows) else {}
        return Reply(200, {"memberships": rows[start : start + self.PAGE], **more})

    def _membership(self, call: Call, number: int, member: str) -> dict[str, Any]:
        name = f"groups/{call.args['group']}/memberships/{number}"
        shown = {"name": name, "preferredMemberKey": {"id": member}, "roles": [{"name": "MEMBER"}]}
        if call.query.get("view") != "FULL":
            return shown
        service = member.endswith(".gserviceaccount.com")
        kind = "GROUP" if member in self.state["groups"] else "SERVICE_ACCOUNT" if service else "USER"
        return {**shown, "type": kind}

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _own(self, call: Call) -> bool:
        return call.headers["authorization"].endswith(f"~{call.args['user']}")

    def _profile(self, call: Call) -> Reply:
        if not self._own(call):
            return error(403, "PERMISSION_DENIED", "Insufficient permissions to read the login profile.")
        keys = self.state["keys"].get(call.args["user"], {})
        return Reply(200, {"name": call.args["user"], "posixAccounts": [], **({"sshPublicKeys": keys} if keys else {})})

    def _end_key(self, call: Call) -> Reply:
        if not self._own(call):
            return error(403, "PERMISSION_DENIED", "Insufficient permissions.")
        if self.state["keys"].get(call.args["user"], {}).pop(call.args["fingerprint"], None) is None:
            return error(404, "NOT_FOUND", "SSH key not found.")
        return Reply(200, {})

    def _accounts(self, call: Call) -> Reply:
        email = f"ci@{call.args['project']}.iam.gserviceaccount.com"
        return Reply(200, {"accounts": [{"name": f"projects/-/serviceAccounts/{email}", "email": email}]})

    def _keys(self, call: Call) -> Reply:
        if call.query.get("keyTypes") != "USER_MANAGED":
            return error(400, "INVALID_ARGUMENT", "keyTypes")
        name = f"projects/{call.args['project']}/serviceAccounts/{call.args['account']}/keys/k1"
        times = {"validAfterTime": stamp(-300), "validBeforeTime": NEVER}
        return Reply(200, {"keys": [{"name": name, **times}]})

    # -- for testers ---------------------------------------------------------------------------------------------------

    def roles_of(self, email: str) -> list[str]:
        """Return what a person holds, by the policies."""
        return [
            f"{row['role']} on {resource}"
            for resource, policy in self.state["policies"].items()
            for row in policy["bindings"]
            if f"user:{email}" in [one.lower() for one in row["members"]]
        ]
