# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Workspace at one address: directory, licences, data transfer, Vault, Gmail and Calendar.

It refuses what Google refuses: a token for somebody who is suspended or archived, backup codes of a suspended user, a delegate
twice, a forwarding to an address that is not verified, a deletion of what is not there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jwt

from sandbox.emulator import Call, Emulator, Handler, Reply
from sandbox.vendors import (
    google_workspace_calendar,
    google_workspace_devices,
    google_workspace_drives,
    google_workspace_mail,
)
from sandbox.vendors import google_workspace_seed as seeded
from sandbox.vendors.google_workspace_errors import error, gone

D = "/admin/directory/v1"


class GoogleWorkspace(Emulator):
    """The customer. grace is its super administrator, and the service account acts for her."""

    name = "google_workspace"
    READING_POSTS = (r"^/token$", r"/freeBusy$")
    #: What a page holds at most, whatever ``maxResults`` asks.
    PAGE = 3

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "google_workspace": {
                "connector": "google_workspace",
                "url": self.url,
                "credentials": {"service_account": seeded.service_account()},
                "options": {
                    "admin": f"grace@{self.company.domain}",
                    "vault_matter": "matter1",
                    "first_credential": "elsewhere",
                },
            }
        }

    def seed(self) -> Any:
        return seeded.seeded(self.company)

    def authorise(self, call: Call) -> Reply | None:
        """Check whose token it is: of the administrator, or of the person whose mail or calendar is asked for."""
        if call.path == "/token":
            return None
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        subject = given.partition("~")[2]
        if not given.startswith(self.secret("token")) or not self.by_key(subject):
            return error(401, "authError", "Invalid Credentials")
        if call.path.startswith(("/gmail/", "/calendar/")):
            whose = next((call.args[key] for key in ("user", "calendar") if key in call.args), subject)
            if call.query.get("useAdminAccess") == "true" and (self.by_key(subject) or {}).get("isAdmin"):
                return None
            owners = self.state["calendars"].get(whose, {}).get("owners", ())
            if whose.lower() != subject.lower() and subject.lower() not in owners:
                return error(403, "forbidden", "Delegation denied")
        elif not (self.by_key(subject) or {}).get("isAdmin"):
            return error(403, "forbidden", "Not Authorized to access this resource/api")
        return None

    def not_found(self, call: Call) -> Reply:
        return error(404, "notFound", "Not Found")

    def routes(self) -> list[tuple[str, str, Handler]]:
        user = D + "/users/{user}"
        role = D + "/customer/my_customer/roleassignments"
        return [
            ("POST", "/token", self.token),
            ("GET", D + "/users", self.list_users),
            ("POST", D + "/users", self.create),
            ("GET", user, self.read),
            ("PATCH", user, self.update),
            ("DELETE", user, self.delete),
            ("POST", user + "/undelete", self.undelete),
            ("POST", user + "/signOut", self.sign_out),
            ("POST", user + "/makeAdmin", self.make_admin),
            ("POST", user + "/aliases", self.add_alias),
            ("GET", user + "/tokens", lambda call: self._of(call, "tokens")),
            ("DELETE", user + "/tokens/{id}", lambda call: self._drop(call, "tokens", "clientId")),
            ("GET", user + "/asps", lambda call: self._of(call, "asps")),
            ("DELETE", user + "/asps/{id}", lambda call: self._drop(call, "asps", "codeId")),
            ("GET", user + "/verificationCodes", lambda call: self._of(call, "codes")),
            ("POST", user + "/verificationCodes/invalidate", self.invalidate),
            ("POST", user + "/twoStepVerification/turnOff", self.turn_off),
            ("GET", D + "/groups", self.list_groups),
            ("GET", D + "/groups/{group}", self.read_group),
            ("GET", D + "/groups/{group}/members", self.members),
            ("POST", D + "/groups/{group}/members", self.join),
            ("PATCH", D + "/groups/{group}/members/{user}", self.set_role),
            ("DELETE", D + "/groups/{group}/members/{user}", self.leave),
            ("GET", D + "/customer/my_customer/roles", self.roles),
            ("GET", role, self.assignments),
            ("POST", role, self.assign),
            ("DELETE", role + "/{id}", self.unassign),
            ("GET", "/apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", self.licence),
            ("POST", "/apps/licensing/v1/product/{product}/sku/{sku}/user", self.give_licence),
            ("DELETE", "/apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", self.take_licence),
            ("GET", "/apps/licensing/v1/product/{product}/sku/{sku}/users", self.licensed),
            ("GET", "/admin/datatransfer/v1/applications", self.applications),
            ("GET", "/admin/datatransfer/v1/transfers", self.transfers),
            ("POST", "/admin/datatransfer/v1/transfers", self.transfer),
            *google_workspace_mail.routes(self),
            *google_workspace_calendar.routes(self),
            *google_workspace_devices.routes(self),
            *google_workspace_drives.routes(self),
        ]

    # -- sign-in -------------------------------------------------------------------------------------------------------

    def token(self, call: Call) -> Reply:
        try:
            claims = jwt.decode(
                call.form["assertion"],
                seeded.key().public_key(),
                algorithms=["RS256"],
                audience="https://oauth2.googleapis.com/token",
                options={"require": ["exp", "iat", "iss", "sub"]},
            )
        except (KeyError, jwt.PyJWTError):
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        if claims["iss"] != seeded.CLIENT or not claims.get("scope") or claims["exp"] > time.time() + 3700:
            text = "Client is unauthorized to retrieve access tokens using this method"
            return Reply(401, {"error": "unauthorized_client", "error_description": text})
        user = self.by_key(claims["sub"])
        if user is None or user["suspended"] or user["archived"]:
            return Reply(
                400, {"error": "invalid_grant", "error_description": "Account has been suspended or not found"}
            )
        answer = {"access_token": f"{self.secret('token')}~{claims['sub']}", "expires_in": 3599, "token_type": "Bearer"}
        return Reply(200, answer)

    # -- users ---------------------------------------------------------------------------------------------------------

    def by_key(self, key: str) -> dict[str, Any] | None:
        """Return a user by id, primary address or alias."""
        for one in self.state["users"].values():
            if key == one["id"] or key.lower() in (one["primaryEmail"].lower(), *one["aliases"]):
                found: dict[str, Any] = one
                return found
        return None

    def page(self, call: Call, rows: list[Any], key: str) -> Reply:
        """Return a page; the key is left out where there is nothing."""
        start = int(call.query.get("pageToken", "t0")[1:])
        body: dict[str, Any] = {key: rows[start : start + self.PAGE]} if rows[start:] else {}
        if start + self.PAGE < len(rows):
            body["nextPageToken"] = f"t{start + self.PAGE}"
        return Reply(200, body)

    def list_users(self, call: Call) -> Reply:
        if call.query.get("showDeleted") == "true":
            return self.page(call, list(self.state["deleted"].values()), "users")
        rows = list(self.state["users"].values())
        field, _, value = call.query.get("query", "").partition("=" if "=" in call.query.get("query", "") else ":")
        value = value.strip("'\"").lower()
        if field == "isAdmin":
            rows = [u for u in rows if str(u["isAdmin"]).lower() == value]
        elif field == "isSuspended":
            rows = [u for u in rows if str(u["suspended"]).lower() == value]
        elif field == "email":
            rows = [u for u in rows if any(a.lower() == value for a in (u["primaryEmail"], *u["aliases"]))]
        elif field == "externalId":
            rows = [u for u in rows if any(e["value"].lower() == value for e in u.get("externalIds", ()))]
        elif field:
            return error(400, "invalid", "Invalid Input: query")
        return self.page(call, rows, "users")

    def create(self, call: Call) -> Reply:
        body = call.body
        if self.by_key(body["primaryEmail"]):
            return error(409, "duplicate", "Entity already exists.")
        if len(body.get("password", "")) < 8:
            return error(400, "invalid", "Invalid Password")
        number = f"1new{len(self.state['users']):018}"
        person = {
            "email": body["primaryEmail"],
            "first_name": body["name"]["givenName"],
            "last_name": body["name"]["familyName"],
            "title": "",
            "department": "",
            "employee_id": "",
        }
        made = {**seeded.user(number, person), "isEnrolledIn2Sv": False, "recoveryEmail": "", "organizations": []}
        made.update({key: value for key, value in body.items() if key not in ("password", "changePasswordAtNextLogin")})
        made["name"] = {**made["name"], "fullName": f"{person['first_name']} {person['last_name']}"}
        self.state["users"][number] = made
        self.state["passwords"][number] = True
        self.state["mail"][number] = seeded.mail_settings()
        return Reply(200, made)

    def read(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        return Reply(200, user) if user else gone("userKey")

    def update(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        body = dict(call.body)
        if "password" in body:
            self.state["passwords"][user["id"]] = True
            self.state["sessions"][user["id"]] = 0
            del body["password"]
        body.pop("changePasswordAtNextLogin", None)
        if "name" in body:
            body["name"] = {**user["name"], **body["name"]}
        if body.get("archived") and not user["archived"]:
            if not self.state["archive_seats"]:
                return error(412, "conditionNotMet", "There aren't enough available licenses for the archived user.")
            self.state["archive_seats"] -= 1
            self.state["licences"][user["id"]] = [seeded.ARCHIVED]
        elif body.get("archived") is False and user["archived"]:
            self.state["archive_seats"] += 1
            self.state["licences"][user["id"]] = []
        if "primaryEmail" in body and body["primaryEmail"].lower() != user["primaryEmail"].lower():
            user["aliases"] = [*user["aliases"], user["primaryEmail"].lower()]
        user.update(body)
        if user["suspended"]:
            self.state["sessions"][user["id"]] = 0
        return Reply(200, user)

    def delete(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        self.state["deleted"][user["id"]] = self.state["users"].pop(user["id"])
        for group in self.state["groups"].values():
            group["members"].pop(user["id"], None)
        return Reply(204)

    def undelete(self, call: Call) -> Reply:
        user = self.state["deleted"].pop(call.args["user"], None)
        if user is None:
            return error(412, "conditionNotMet", "User cannot be undeleted")
        self.state["users"][user["id"]] = {**user, "suspended": False}
        return Reply(204)

    def sign_out(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        self.state["sessions"][user["id"]] = 0
        return Reply(204)

    def make_admin(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        user["isAdmin"] = bool(call.body["status"])
        return Reply(204)

    def add_alias(self, call: Call) -> Reply:
        user, alias = self.by_key(call.args["user"]), call.body["alias"].lower()
        if user is None:
            return gone("userKey")
        if self.by_key(alias):
            return error(409, "duplicate", "Entity already exists.")
        user["aliases"] = [*user["aliases"], alias]
        return Reply(200, {"id": user["id"], "primaryEmail": user["primaryEmail"], "alias": alias})

    def _of(self, call: Call, what: str) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        rows = self.state[what].get(user["id"], [])
        return Reply(200, {"items": rows} if rows else {})

    def _drop(self, call: Call, what: str, key: str) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        rows = self.state[what].get(user["id"], [])
        left = [row for row in rows if str(row[key]) != call.args["id"]]
        if len(left) == len(rows):
            return gone("resourceId")
        self.state[what][user["id"]] = left
        return Reply(204)

    def turn_off(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        if not user["isEnrolledIn2Sv"] or user.get("isEnforcedIn2Sv"):
            return error(400, "invalid", "Invalid Input")
        user["isEnrolledIn2Sv"] = False
        return Reply(204)

    def invalidate(self, call: Call) -> Reply:
        user = self.by_key(call.args["user"])
        if user is None:
            return gone("userKey")
        if user["suspended"]:
            return error(400, "invalid", "Invalid Input: userId")
        self.state["codes"][user["id"]] = []
        return Reply(204)

    # -- groups and roles ----------------------------------------------------------------------------------------------

    def _group(self, call: Call) -> Any:
        key = call.args["group"].lower()
        return next((g for i, g in self.state["groups"].items() if key in (i, g["row"]["email"].lower())), None)

    def list_groups(self, call: Call) -> Reply:
        rows = list(self.state["groups"].values())
        if "userKey" in call.query:
            key = call.query["userKey"]
            number = (self.by_key(key) or {"id": key})["id"]  # somebody of outside is a member by address
            if number not in self.state["users"] and not any(number in g["members"] for g in rows):
                return gone("userKey")
            rows = [g for g in rows if number in g["members"]]
        wanted = call.query.get("query", "").removeprefix("name=").strip("'")
        return self.page(call, [g["row"] for g in rows if wanted in ("", g["row"]["name"])], "groups")

    def read_group(self, call: Call) -> Reply:
        group = self._group(call)
        return Reply(200, group["row"]) if group else gone("groupKey")

    def members(self, call: Call) -> Reply:
        group = self._group(call)
        if group is None:
            return gone("groupKey")
        groups = {gid: one["row"]["email"] for gid, one in self.state["groups"].items()}
        rows = [
            {
                "id": uid,
                "email": self.state["users"].get(uid, {}).get("primaryEmail") or groups.get(uid, uid),
                "role": role,
                "type": "GROUP" if uid in groups else "USER",
            }
            for uid, role in group["members"].items()
            if call.query.get("roles", role) == role
        ]
        return self.page(call, rows, "members")

    def join(self, call: Call) -> Reply:
        group, user = self._group(call), self.by_key(call.body.get("email", ""))
        if group is None or user is None:
            return gone("groupKey" if group is None else "memberKey")
        if user["id"] in group["members"]:
            return error(409, "duplicate", "Member already exists.")
        group["members"][user["id"]] = call.body.get("role", "MEMBER")
        return Reply(200, {"id": user["id"], "email": user["primaryEmail"], "role": group["members"][user["id"]]})

    def set_role(self, call: Call) -> Reply:
        group, user = self._group(call), self.by_key(call.args["user"])
        if group is None or user is None or user["id"] not in group["members"]:
            return gone("memberKey")
        group["members"][user["id"]] = call.body["role"]
        return Reply(200, {"id": user["id"], "email": user["primaryEmail"], "role": call.body["role"]})

    def leave(self, call: Call) -> Reply:
        group, user = self._group(call), self.by_key(call.args["user"]) or {"id": call.args["user"]}
        if group is None or group["members"].pop(user["id"], None) is None:
            return gone("memberKey")
        return Reply(204)

    def roles(self, call: Call) -> Reply:
        rows = [{"roleId": number, "roleName": name, "isSystemRole": True} for number, name in seeded.ROLES.items()]
        return self.page(call, rows, "items")

    def assignments(self, call: Call) -> Reply:
        rows = [
            {**row, "assigneeType": "group" if row["assignedTo"] in self.state["groups"] else "user"}
            for row in self.state["assignments"].values()
            if call.query.get("userKey", row["assignedTo"]) == row["assignedTo"]
            and call.query.get("roleId", row["roleId"]) == row["roleId"]
        ]
        return self.page(call, rows, "items")

    def assign(self, call: Call) -> Reply:
        number = str(300 + len(self.state["assignments"]))
        self.state["assignments"][number] = {**call.body, "roleAssignmentId": number}
        return Reply(200, self.state["assignments"][number])

    def unassign(self, call: Call) -> Reply:
        return Reply(204) if self.state["assignments"].pop(call.args["id"], None) else gone("resourceId")

    # -- licences and transfers ----------------------------------------------------------------------------------------

    def _licence_row(self, place: str, address: str) -> dict[str, Any]:
        product, _, sku = place.partition("/")
        return {"userId": address, "productId": product, "skuId": sku, "skuName": sku, "productName": product}

    def licence(self, call: Call) -> Reply:
        user, place = self.by_key(call.args["user"]), f"{call.args['product']}/{call.args['sku']}"
        if user is None or place not in self.state["licences"].get(user["id"], ()):
            return error(404, "notFound", "User does not have the license assigned.")
        return Reply(200, self._licence_row(place, user["primaryEmail"]))

    def give_licence(self, call: Call) -> Reply:
        user, place = self.by_key(call.body["userId"]), f"{call.args['product']}/{call.args['sku']}"
        if user is None:
            return gone("userKey")
        held = self.state["licences"].setdefault(user["id"], [])
        if place in held:
            return error(409, "duplicate", "User already has a license for the specified product and SKU.")
        held.append(place)
        return Reply(200, self._licence_row(place, user["primaryEmail"]))

    def take_licence(self, call: Call) -> Reply:
        user, place = self.by_key(call.args["user"]), f"{call.args['product']}/{call.args['sku']}"
        if user is None or place not in self.state["licences"].get(user["id"], ()):
            return error(404, "notFound", "User does not have the license assigned.")
        self.state["licences"][user["id"]].remove(place)
        return Reply(200, {})

    def licensed(self, call: Call) -> Reply:
        place = f"{call.args['product']}/{call.args['sku']}"
        users = self.state["users"]
        rows = [
            self._licence_row(place, users[uid]["primaryEmail"])
            for uid, held in self.state["licences"].items()
            if place in held and uid in users
        ]
        return self.page(call, rows, "items")

    def applications(self, call: Call) -> Reply:
        rows = [{"id": number, "name": name} for number, name in seeded.APPLICATIONS.items()]
        return self.page(call, rows, "applications")

    def transfers(self, call: Call) -> Reply:
        rows = [
            row
            for row in self.state["transfers"].values()
            if call.query.get("oldOwnerUserId", row["oldOwnerUserId"]) == row["oldOwnerUserId"]
        ]
        return self.page(call, rows, "dataTransfers")

    def transfer(self, call: Call) -> Reply:
        body = call.body
        if not {body["oldOwnerUserId"], body["newOwnerUserId"]} <= set(self.state["users"]):
            return error(400, "invalid", "Invalid value: owner")
        number = f"tr{len(self.state['transfers'])}"
        parts = [{**p, "applicationTransferStatus": "pending"} for p in body["applicationDataTransfers"]]
        row = {**body, "id": number, "overallTransferStatusCode": "inProgress", "applicationDataTransfers": parts}
        self.state["transfers"][number] = row
        return Reply(200, row)

    def finish_exports(self, status: str = "COMPLETED") -> None:
        google_workspace_mail.finish_exports(self, status)

    def finish_transfers(self) -> None:
        """What Google does in the background: the files and the calendar are the heir's now."""
        for row in self.state["transfers"].values():
            row["overallTransferStatusCode"] = "completed"
            for part in row["applicationDataTransfers"]:
                part["applicationTransferStatus"] = "completed"
            moved = self.state["events"].pop(row["oldOwnerUserId"], [])
            self.state["events"].setdefault(row["newOwnerUserId"], []).extend(moved)
