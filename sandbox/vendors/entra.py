# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entra ID of the sandbox's Microsoft cloud: users, groups, licences, roles, apps, authentication methods, devices."""

from __future__ import annotations

import copy
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.entra_lists import Lists, group_shown, missing, plain, selected
from sandbox.vendors.entra_seed import DEFAULT, METHODS, SKUS, WRITABLE, seeded
from sandbox.vendors.microsoft import GRAPH, graph_error, stamp

ON_PREMISES = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."
_SENSITIVE = {
    "accountEnabled",
    "businessPhones",
    "mobilePhone",
    "onPremisesImmutableId",
    "otherMails",
    "passwordProfile",
    "userPrincipalName",
}
_STRONG = {"Privileged Authentication Administrator", "Global Administrator"}

Row = dict[str, Any]


def bad(message: str, details: Sequence[Mapping[str, str]] = ()) -> Reply:
    return graph_error(400, "Request_BadRequest", message, details)


def denied() -> Reply:
    return graph_error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


class EntraPart(Lists):
    """Tests may change what the app may do: ``state["app_roles"]`` are the directory roles of its service principal."""

    name = "entra"

    def seed(self) -> Any:
        return seeded(self.cloud.company)

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        entry = self.cloud.system("entra")
        return {
            "entra": {**entry, "options": {**entry["options"], "sender": self.cloud.company.people["grace"]["email"]}}
        }

    def sku_names(self, user_id: str) -> set[str]:
        names = {id: name for name, id in SKUS.items()}
        return {names[s["skuId"]] for s in self._licence_states(self.state["users"][user_id])}

    def routes(self) -> list[tuple[str, str, Handler]]:
        user, auth, roles = "/v1.0/users/{id}", "/v1.0/users/{id}/authentication", "/v1.0/roleManagement/directory"
        of_user: list[tuple[str, str, Callable[[Call, Row], Reply]]] = [
            ("GET", user, self.get_user),
            ("PATCH", user, self.patch_user),
            ("DELETE", user, self.delete_user),
            ("POST", f"{user}/revokeSignInSessions", self.revoke_sessions),
            ("GET", f"{user}/manager", self.get_manager),
            ("PUT", f"{user}/manager/$ref", self.put_manager),
            ("DELETE", f"{user}/manager/$ref", self.delete_manager),
            ("GET", f"{user}/memberOf/microsoft.graph.group", self.member_of),
            ("GET", f"{user}/ownedObjects", self.owned_objects),
            ("POST", f"{user}/assignLicense", self.assign_license),
            ("GET", f"{user}/appRoleAssignments", self.app_roles_of),
            ("POST", f"{user}/appRoleAssignments", self.assign_app_role),
            ("DELETE", f"{user}/appRoleAssignments/{{row}}", self.unassign_app_role),
            ("GET", f"{user}/oauth2PermissionGrants", self.grants_of),
            ("GET", f"{user}/registeredDevices", self.devices_of),
            ("POST", f"{user}/sendMail", self.send_mail),
            ("GET", f"{auth}/methods", self.methods_of),
            ("GET", f"{auth}/{{collection}}", self.typed_methods),
            ("POST", f"{auth}/temporaryAccessPassMethods", self.create_pass),
            ("DELETE", f"{auth}/{{collection}}/{{method}}", self.delete_method),
        ]
        others: list[tuple[str, str, Handler]] = [
            ("POST", "/v1.0/users", self.create_user),
            (
                "GET",
                "/v1.0/directory/deletedItems/microsoft.graph.user",
                lambda call: self._list(call, self.state["deleted"].values(), self._user_shown),
            ),
            ("POST", "/v1.0/directory/deletedItems/{id}/restore", self.restore_user),
            ("DELETE", "/v1.0/directory/deletedItems/{id}", lambda call: self._deleted("deleted", call.args["id"])),
            ("POST", "/v1.0/groups/{group}/members/$ref", lambda call: self.add_ref(call, "members")),
            ("DELETE", "/v1.0/groups/{group}/members/{object}/$ref", lambda call: self.remove_ref(call, "members")),
            ("GET", "/v1.0/{collection}/{group}/owners", self.list_owners),
            ("POST", "/v1.0/{collection}/{group}/owners/$ref", lambda call: self.add_ref(call, "owners")),
            ("DELETE", "/v1.0/{collection}/{group}/owners/{object}/$ref", lambda call: self.remove_ref(call, "owners")),
            ("GET", "/v1.0/subscribedSkus", lambda call: Reply(200, {"value": self._skus()})),
            ("GET", "/v1.0/servicePrincipals/{id}", self.get_app),
            ("DELETE", "/v1.0/oauth2PermissionGrants/{id}", lambda call: self._deleted("grants", call.args["id"])),
            ("PATCH", "/v1.0/devices/{id}", self.patch_device),
            ("DELETE", "/v1.0/devices/{id}", lambda call: self._deleted("devices", call.args["id"])),
            (
                "GET",
                f"{roles}/roleDefinitions",
                lambda call: self._list(call, self.state["role_definitions"].values(), plain),
            ),
            ("GET", f"{roles}/roleAssignments", lambda call: self._list_of_principal(call, "role_assignments")),
            ("POST", f"{roles}/roleAssignments", self.assign_role),
            (
                "DELETE",
                f"{roles}/roleAssignments/{{id}}",
                lambda call: self._deleted("role_assignments", call.args["id"]),
            ),
            ("GET", f"{roles}/roleEligibilitySchedules", lambda call: self._list_of_principal(call, "eligibilities")),
            ("POST", f"{roles}/roleEligibilityScheduleRequests", self.request_eligibility),
        ]
        return [
            *self.list_routes(),
            *others,
            *((method, path, self._of_user(handler)) for method, path, handler in of_user),
        ]

    # -- lists ---------------------------------------------------------------------------------------------------------

    def _of_user(self, handler: Callable[[Call, Row], Reply]) -> Handler:
        def found(call: Call) -> Reply:
            user = self.cloud.user(call.args["id"])
            return missing(call.args["id"]) if user is None else handler(call, user)

        return found

    def _list_of_principal(self, call: Call, table: str) -> Reply:
        if not self.state["premium"] and table == "eligibilities":
            return graph_error(
                400,
                "AadPremiumLicenseRequired",
                "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
            )
        return self._list(call, self.state[table].values(), plain)

    def _deleted(self, table: str, id: str) -> Reply:
        return missing(id) if self.state[table].pop(id, None) is None else Reply(204)

    # -- users ---------------------------------------------------------------------------------------------------------

    def _user_shown(self, user: Row) -> Row:
        return {
            **{k: v for k, v in user.items() if not k.startswith("_")},
            "licenseAssignmentStates": self._licence_states(user),
            "assignedLicenses": [{"skuId": s["skuId"], "disabledPlans": []} for s in self._licence_states(user)],
        }

    def get_user(self, call: Call, user: Row) -> Reply:
        body = selected(call, self._user_shown(user))
        if call.query.get("$expand", "").startswith("manager"):
            manager = self.state["users"].get(user["_manager"] or "")
            if manager:
                body["manager"] = {
                    "@odata.type": "#microsoft.graph.user",
                    **{k: manager[k] for k in ("id", "userPrincipalName", "mail")},
                }
        return Reply(200, body)

    def _refused_values(self, values: Row, own: str = "") -> Reply | None:
        unknown = [name for name in values if name not in WRITABLE]
        if unknown:
            return bad(f"Property '{unknown[0]}' does not exist as a declared property or extension property.")
        upn = values.get("userPrincipalName")
        if upn is not None:
            if not re.fullmatch(r"[A-Za-z0-9'.\-_!#^~]+@[A-Za-z0-9.-]+", upn):
                return bad("Property userPrincipalName is invalid.")
            if upn.rpartition("@")[2] != self.cloud.company.domain:
                return bad(
                    "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."
                )
            twin = self.cloud.user(upn)
            if twin and twin["id"] != own:
                return bad(
                    "Another object with the same value for property userPrincipalName already exists.",
                    [
                        {
                            "code": "ObjectConflict",
                            "message": "Another object with the same value for property userPrincipalName already exists.",
                            "target": "userPrincipalName",
                        }
                    ],
                )
        if len(values.get("employeeId") or "") > 16:
            return bad("Invalid value specified for property 'employeeId' of resource 'User'.")
        if values.get("usageLocation") and not re.fullmatch("[A-Z]{2}", values["usageLocation"]):
            return bad("Invalid value specified for property 'usageLocation' of resource 'User'.")
        if any(value == "" for value in values.values()):
            return bad("One or more properties contains invalid values.")
        password = (values.get("passwordProfile") or {}).get("password")
        if password is not None and (
            len(password) < 8
            or sum(bool(re.search(p, password)) for p in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")) < 3
        ):
            return bad(
                "The specified password does not comply with password complexity requirements. Please provide a different password."
            )
        return None

    def create_user(self, call: Call) -> Reply:
        values = call.body
        for name in ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"):
            if values.get(name) in (None, ""):
                return bad("A value is required for property '" + name + "' of resource 'User'.")
        if not re.fullmatch(r"[\x21-\x7e]{1,64}", values["mailNickname"]) or set(values["mailNickname"]) & set(
            '@()\\[]";:<>, '
        ):
            return bad("Invalid value specified for property 'mailNickname' of resource 'User'.")
        refused = self._refused_values(values)
        if refused:
            return refused
        now = stamp()
        user = {
            **dict.fromkeys(WRITABLE),
            **values,
            "id": str(uuid.uuid4()),
            "createdDateTime": now,
            "signInSessionsValidFromDateTime": now,
            "lastPasswordChangeDateTime": now,
            "onPremisesSyncEnabled": None,
            "userType": "Member",
            "mail": values.get("mail"),
            "businessPhones": [],
            "_password": values["passwordProfile"]["password"],
            "_manager": None,
            "_licences": [],
            "_methods": [],
        }
        user.pop("passwordProfile")
        self.state["users"][user["id"]] = user
        return Reply(
            201, {"@odata.context": f"{GRAPH}/v1.0/$metadata#users/$entity", **{k: user.get(k) for k in DEFAULT}}
        )

    def patch_user(self, call: Call, user: Row) -> Reply:
        values = dict(call.body)
        refused = self._refused_values(values, user["id"])
        if refused:
            return refused
        if user["onPremisesSyncEnabled"] and set(values) - {"usageLocation"}:
            return bad(ON_PREMISES)
        if set(values) & _SENSITIVE and self._too_strong(user):
            return denied()
        profile = values.pop("passwordProfile", None)
        if profile is not None:
            if not set(self.state["app_roles"]) & (_STRONG | {"User Administrator"}):
                return denied()
            if "password" in profile:
                user["_password"] = profile["password"]
                user["lastPasswordChangeDateTime"] = stamp()
        user.update(values)
        return Reply(204)

    def _too_strong(self, user: Row) -> bool:
        """Whether the target holds more than the app may touch (https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions)."""
        holds = any(a["principalId"] == user["id"] for a in self.state["role_assignments"].values())
        through = any(
            g["isAssignableToRole"] and user["id"] in (*g["members"], *g["owners"])
            for g in self.state["groups"].values()
        )
        return (holds or through) and not set(self.state["app_roles"]) & _STRONG

    def delete_user(self, call: Call, user: Row) -> Reply:
        if user["onPremisesSyncEnabled"]:
            return bad(ON_PREMISES)
        if self._too_strong(user):
            return denied()
        memberships = [g["id"] for g in self.state["groups"].values() if user["id"] in g["members"]]
        gone = {
            **user,
            "deletedDateTime": stamp(),
            "userPrincipalName": user["id"].replace("-", "") + user["userPrincipalName"],
            "_memberships": memberships,
        }
        for group in self.state["groups"].values():
            for field in ("members", "owners"):
                if user["id"] in group[field]:
                    group[field].remove(user["id"])
        del self.state["users"][user["id"]]
        self.state["deleted"][user["id"]] = gone
        return Reply(204)

    def restore_user(self, call: Call) -> Reply:
        gone = self.state["deleted"].get(call.args["id"])
        if gone is None:
            return missing(call.args["id"])
        upn = gone["userPrincipalName"].removeprefix(gone["id"].replace("-", ""))
        if self.cloud.user(upn):
            return bad(
                "Another object with the same value for property userPrincipalName already exists.",
                [{"code": "ObjectConflict", "message": "Conflict", "target": "userPrincipalName"}],
            )
        user = {k: v for k, v in gone.items() if k not in ("deletedDateTime", "_memberships")} | {
            "userPrincipalName": upn
        }
        for group in self.state["groups"].values():
            if group["id"] in gone["_memberships"]:
                group["members"].append(user["id"])
        del self.state["deleted"][user["id"]]
        self.state["users"][user["id"]] = user
        return Reply(200, {"@odata.type": "#microsoft.graph.user", **{k: user.get(k) for k in DEFAULT}})

    def revoke_sessions(self, call: Call, user: Row) -> Reply:
        user["signInSessionsValidFromDateTime"] = stamp()
        return Reply(200, {"@odata.context": f"{GRAPH}/v1.0/$metadata#Edm.Boolean", "value": True})

    def get_manager(self, call: Call, user: Row) -> Reply:
        manager = self.state["users"].get(user["_manager"] or "")
        return Reply(200, selected(call, self._user_shown(manager))) if manager else missing("manager")

    def put_manager(self, call: Call, user: Row) -> Reply:
        if user["onPremisesSyncEnabled"]:
            return bad(ON_PREMISES)
        manager = self.state["users"].get(call.body["@odata.id"].rsplit("/", 1)[1])
        if manager is None:
            return missing(call.body["@odata.id"].rsplit("/", 1)[1])
        user["_manager"] = manager["id"]
        return Reply(204)

    def delete_manager(self, call: Call, user: Row) -> Reply:
        if user["_manager"] is None:
            return missing("manager")
        user["_manager"] = None
        return Reply(204)

    # -- groups and what is owned --------------------------------------------------------------------------------------

    def member_of(self, call: Call, user: Row) -> Reply:
        return self.cloud.page(
            call, [selected(call, group_shown(g)) for g in self.state["groups"].values() if user["id"] in g["members"]]
        )

    def owned_objects(self, call: Call, user: Row) -> Reply:
        rows = [
            {"@odata.type": f"#microsoft.graph.{kind}", **group_shown(row)}
            for kind, table in (("group", "groups"), ("application", "applications"), ("servicePrincipal", "apps"))
            for row in self.state[table].values()
            if user["id"] in row.get("owners", ())
        ]
        return self.cloud.page(call, rows)

    def list_owners(self, call: Call) -> Reply:
        row = self._owner_of_refs(call)
        if row is None:
            return missing(call.args["group"])
        reply = self.cloud.page(call, [self.state["users"][id] for id in row["owners"] if id in self.state["users"]])
        if reply.status == 200:
            reply.body["value"] = [
                {"@odata.type": "#microsoft.graph.user", **self._owner_shown(user["id"], call.query.get("$select"))}
                for user in reply.body["value"]
            ]
        return reply

    def _owner_of_refs(self, call: Call) -> Row | None:
        table = {"groups": "groups", "applications": "applications", "servicePrincipals": "apps"}.get(
            call.args.get("collection", "groups"), "groups"
        )
        found: Row | None = self.state[table].get(call.args["group"])
        return found

    def _group_refuses(self, group: Row, field: str) -> Reply | None:
        if group.get("onPremisesSyncEnabled"):
            return bad(ON_PREMISES)
        if field == "members" and group.get("membershipRule"):
            return denied()
        if group.get("mailEnabled") and "Unified" not in group["groupTypes"]:
            return bad("Cannot Update a mail-enabled security groups and or distribution list.")
        return None

    def add_ref(self, call: Call, field: str) -> Reply:
        group, id = self._owner_of_refs(call), call.body["@odata.id"].rsplit("/", 1)[1]
        if group is None:
            return missing(call.args["group"])
        if id not in self.state["users"]:
            return missing(id)
        refused = self._group_refuses(group, field)
        if refused:
            return refused
        if id in group[field]:
            return bad(
                f"One or more added object references already exist for the following modified properties: '{field}'."
            )
        group[field].append(id)
        return Reply(204)

    def remove_ref(self, call: Call, field: str) -> Reply:
        group, id = self._owner_of_refs(call), call.args["object"]
        if group is None:
            return missing(call.args["group"])
        refused = self._group_refuses(group, field)
        if refused:
            return refused
        if id not in group[field]:
            return missing(id)
        if field == "owners" and "groupTypes" in group and len(group["owners"]) == 1:
            return bad("The group must have at least one owner, hence this owner cannot be removed.")
        group[field].remove(id)
        return Reply(204)

    # -- licences ------------------------------------------------------------------------------------------------------

    def _licence_states(self, user: Row) -> list[Row]:
        licensed = [g for g in self.state["groups"].values() if g["_licences"]]
        direct = [
            {"skuId": id, "disabledPlans": [], "assignedByGroup": None, "state": "Active", "error": "None"}
            for id in user["_licences"]
        ]
        return direct + [
            {"skuId": id, "disabledPlans": [], "assignedByGroup": g["id"], "state": "Active", "error": "None"}
            for g in licensed
            if user["id"] in g["members"]
            for id in g["_licences"]
        ]

    def _skus(self) -> list[Row]:
        used = [
            s["skuId"]
            for user in self.state["users"].values()
            for s in {s["skuId"]: s for s in self._licence_states(user)}.values()
        ]
        return [
            {
                "skuId": id,
                "skuPartNumber": name,
                "consumedUnits": used.count(id),
                "capabilityStatus": "Enabled",
                "prepaidUnits": {"enabled": self.state["seats"][name], "suspended": 0, "warning": 0, "lockedOut": 0},
            }
            for name, id in SKUS.items()
        ]

    def assign_license(self, call: Call, user: Row) -> Reply:
        body = call.body
        if not isinstance(body.get("addLicenses"), list) or not isinstance(body.get("removeLicenses"), list):
            return bad(
                "One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing parameters are: addLicenses, removeLicenses."
            )
        skus = {row["skuId"]: row for row in self._skus()}
        for id in body["removeLicenses"]:
            if id not in user["_licences"]:
                inherited = any(s["skuId"] == id for s in self._licence_states(user))
                return bad(
                    "User license is inherited from a group membership and it cannot be removed directly from the user."
                    if inherited
                    else "User does not have a corresponding license."
                )
        for id in (row["skuId"] for row in body["addLicenses"]):
            if id not in skus:
                return bad(f"License {id} does not correspond to a valid company License.")
            if not user["usageLocation"]:
                return bad("License assignment cannot be done for user with invalid usage location.")
            if id not in user["_licences"] and skus[id]["consumedUnits"] >= skus[id]["prepaidUnits"]["enabled"]:
                return bad(f"Subscription with SKU {id} does not have any available licenses.")
        user["_licences"] = [id for id in user["_licences"] if id not in body["removeLicenses"]]
        user["_licences"] += [row["skuId"] for row in body["addLicenses"] if row["skuId"] not in user["_licences"]]
        return Reply(200, {k: user.get(k) for k in DEFAULT})

    # -- roles and apps ------------------------------------------------------------------------------------------------

    def assign_role(self, call: Call) -> Reply:
        body = call.body
        if body["principalId"] not in self.state["users"]:
            return graph_error(404, "SubjectNotFound", "The subject is not found.")
        if body["roleDefinitionId"] not in self.state["role_definitions"]:
            return graph_error(404, "RoleNotFound", "The role is not found.")
        if any(
            a["principalId"] == body["principalId"] and a["roleDefinitionId"] == body["roleDefinitionId"]
            for a in self.state["role_assignments"].values()
        ):
            return bad(
                "A conflicting object with one or more of the specified property values is present in the directory."
            )
        row = {
            "id": secrets.token_urlsafe(24),
            **{k: body[k] for k in ("principalId", "roleDefinitionId", "directoryScopeId")},
        }
        self.state["role_assignments"][row["id"]] = row
        return Reply(201, row)

    def request_eligibility(self, call: Call) -> Reply:
        body, table = call.body, self.state["eligibilities"]
        held = next(
            (
                e
                for e in table.values()
                if e["principalId"] == body["principalId"] and e["roleDefinitionId"] == body["roleDefinitionId"]
            ),
            None,
        )
        if body["action"] == "adminRemove":
            if held is None:
                return graph_error(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
            del table[held["id"]]
            return Reply(201, {**body, "id": str(uuid.uuid4()), "status": "Revoked"})
        if body["action"] != "adminAssign" or not body.get("scheduleInfo"):
            return graph_error(400, "InvalidRequest", "The action or its schedule is not valid.")
        if held is not None:
            return graph_error(400, "RoleAssignmentExists", "The Role assignment already exists.")
        row = {
            "id": str(uuid.uuid4()),
            "memberType": "Direct",
            "status": "Provisioned",
            **{k: body[k] for k in ("principalId", "roleDefinitionId", "directoryScopeId")},
        }
        table[row["id"]] = row
        return Reply(201, {**body, "id": row["id"], "status": "Provisioned"})

    def get_app(self, call: Call) -> Reply:
        app = self.state["apps"].get(call.args["id"])
        return Reply(200, selected(call, plain(app))) if app else missing(call.args["id"])

    def app_roles_of(self, call: Call, user: Row) -> Reply:
        groups = {g["id"] for g in self.state["groups"].values() if user["id"] in g["members"]}
        return self.cloud.page(
            call,
            [
                a
                for a in self.state["app_assignments"].values()
                if a["principalId"] == user["id"] or a["principalId"] in groups
            ],
        )

    def assign_app_role(self, call: Call, user: Row) -> Reply:
        app = self.state["apps"].get(call.body["resourceId"])
        if app is None or call.body["principalId"] != user["id"]:
            return missing(call.body["resourceId"])
        roles = [r["id"] for r in app["appRoles"]] or ["00000000-0000-0000-0000-000000000000"]
        if call.body["appRoleId"] not in roles:
            return bad("Permission being assigned was not found on application")
        row = {
            "id": secrets.token_urlsafe(24),
            **call.body,
            "principalType": "User",
            "principalDisplayName": user["displayName"],
            "resourceDisplayName": app["displayName"],
        }
        if any(
            all(a[k] == row[k] for k in ("principalId", "resourceId", "appRoleId"))
            for a in self.state["app_assignments"].values()
        ):
            return bad("Permission being assigned already exists on the object")
        self.state["app_assignments"][row["id"]] = row
        return Reply(201, row)

    def unassign_app_role(self, call: Call, user: Row) -> Reply:
        row = self.state["app_assignments"].get(call.args["row"])
        return (
            missing(call.args["row"])
            if row is None or row["principalId"] != user["id"]
            else self._deleted("app_assignments", row["id"])
        )

    def grants_of(self, call: Call, user: Row) -> Reply:
        return self.cloud.page(call, [g for g in self.state["grants"].values() if g["principalId"] == user["id"]])

    # -- devices, mail, authentication methods -------------------------------------------------------------------------

    def devices_of(self, call: Call, user: Row) -> Reply:
        return self.cloud.page(
            call,
            [
                {"@odata.type": "#microsoft.graph.device", **plain(d)}
                for d in self.state["devices"].values()
                if d["_owner"] == user["id"]
            ],
        )

    def patch_device(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return missing(call.args["id"])
        if device["operatingSystem"] != "Windows" and set(call.body) - {"extensionAttributes"}:
            return denied()  # https://learn.microsoft.com/graph/api/device-update: an app may update only extension attributes of other systems
        device.update(call.body)
        return Reply(204)

    def send_mail(self, call: Call, user: Row) -> Reply:
        if not self.sku_names(user["id"]) & {"SPE_E3"}:
            return graph_error(
                404,
                "MailboxNotEnabledForRESTAPI",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            )
        recipients = [r["emailAddress"]["address"] for r in call.body["message"]["toRecipients"]]
        if not recipients or not all(re.fullmatch(r"[^@\s]+@[^@\s]+", r) for r in recipients):
            return graph_error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        self.state["mails"].append({"from": user["userPrincipalName"], **copy.deepcopy(call.body)})
        return Reply(202)

    def methods_of(self, call: Call, user: Row) -> Reply:
        password = {
            "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
            "id": "28c10230-6103-485e-b985-444c60001490",
            "password": None,
        }
        return self.cloud.page(call, [password, *(plain(m) for m in user["_methods"])])

    def typed_methods(self, call: Call, user: Row) -> Reply:
        kind = METHODS.get(call.args["collection"])
        if kind is None:
            return self.cloud.not_found(call)
        return self.cloud.page(call, [plain(m) for m in user["_methods"] if m["_kind"] == kind])

    def delete_method(self, call: Call, user: Row) -> Reply:
        kind = METHODS.get(call.args["collection"])
        if kind is None:
            return graph_error(400, "badRequest", "No HTTP resource was found that matches the request URI.")
        method = next((m for m in user["_methods"] if m["_kind"] == kind and m["id"] == call.args["method"]), None)
        if method is None:
            return graph_error(404, "resourceNotFound", "The requested authentication method was not found.")
        if self._too_strong(user):
            return denied()
        if method.get("_default") and any(
            m is not method and m["_kind"] not in ("temporaryAccessPass", "windowsHelloForBusiness")
            for m in user["_methods"]
        ):
            return graph_error(
                400,
                "badRequest",
                "Cannot delete default method with other methods configured. Please change default method before deletion.",
            )
        user["_methods"].remove(method)
        return Reply(204)

    def create_pass(self, call: Call, user: Row) -> Reply:
        body = call.body or {}
        lifetime = body.get("lifetimeInMinutes", 60)
        if not 10 <= lifetime <= 480:
            return graph_error(
                400, "badRequest", "Lifetime provided is not within the allowed policy range of 10 to 480 minutes."
            )
        if not self.state["pass_policy"]:
            return graph_error(
                400, "badRequest", "Converged UserCredentialPolicy does not allow creating or updating this credential."
            )
        now = datetime.now(timezone.utc)
        start = (
            datetime.fromisoformat(body["startDateTime"].replace("Z", "+00:00")) if body.get("startDateTime") else now
        )
        if start < now - timedelta(minutes=5):
            return graph_error(400, "badRequest", "startDateTime can't be in the past.")
        usable = start <= now
        method = {
            "_kind": "temporaryAccessPass",
            "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
            "id": str(uuid.uuid4()),
            "temporaryAccessPass": None,
            "createdDateTime": stamp(now),
            "startDateTime": stamp(start),
            "lifetimeInMinutes": lifetime,
            "isUsableOnce": body.get("isUsableOnce", False),
            "isUsable": usable,
            "methodUsabilityReason": "EnabledByPolicy" if usable else "NotYetValid",
        }
        user["_methods"] = [m for m in user["_methods"] if m["_kind"] != "temporaryAccessPass"] + [method]
        return Reply(201, {**plain(method), "temporaryAccessPass": f"canary-pass-{secrets.token_urlsafe(8)}"})
