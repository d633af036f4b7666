# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entra ID of the sandbox's Microsoft cloud: users, groups, licences, roles, apps, authentication methods, devices."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.entra_held import STRONG
from sandbox.vendors.entra_lists import ON_PREMISES, Row, bad, denied, missing, plain, selected
from sandbox.vendors.entra_seed import DEFAULT, WRITABLE, seeded
from sandbox.vendors.entra_sign_in import SignIn
from sandbox.vendors.microsoft import GRAPH, graph_error, stamp

_SENSITIVE = {
    "accountEnabled",
    "businessPhones",
    "mobilePhone",
    "onPremisesImmutableId",
    "otherMails",
    "passwordProfile",
    "userPrincipalName",
}


class EntraPart(SignIn):
    """Tests may change what the app may do: ``state["app_roles"]`` are the directory roles of its service principal."""

    name = "entra"

    def seed(self) -> Any:
        return seeded(self.cloud.company)

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        entry = self.cloud.system("entra")
        return {
            "entra": {**entry, "options": {**entry["options"], "sender": self.cloud.company.people["grace"]["email"]}}
        }

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            *self.list_routes(),
            *self._directory_routes(),
            *self._role_routes(),
            *((method, path, self._of_user(handler)) for method, path, handler in self._user_routes()),
        ]

    def _user_routes(self) -> list[tuple[str, str, Callable[[Call, Row], Reply]]]:
        """Return the routes below one user, who must be there."""
        user, auth = "/v1.0/users/{id}", "/v1.0/users/{id}/authentication"
        return [
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
            ("GET", f"{user}/ownedDevices", self.owned_devices_of),
            ("POST", f"{user}/sendMail", self.send_mail),
            ("GET", f"{auth}/methods", self.methods_of),
            ("GET", f"{auth}/{{collection}}", self.typed_methods),
            ("POST", f"{auth}/temporaryAccessPassMethods", self.create_pass),
            ("DELETE", f"{auth}/{{collection}}/{{method}}", self.delete_method),
        ]

    def _directory_routes(self) -> list[tuple[str, str, Handler]]:
        return [
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
            ("GET", "/v1.0/applications/{id}", self.get_app),
            ("DELETE", "/v1.0/oauth2PermissionGrants/{id}", lambda call: self._deleted("grants", call.args["id"])),
            ("PATCH", "/v1.0/devices/{id}", self.patch_device),
            ("DELETE", "/v1.0/devices/{id}", lambda call: self._deleted("devices", call.args["id"])),
        ]

    def _role_routes(self) -> list[tuple[str, str, Handler]]:
        roles = "/v1.0/roleManagement/directory"
        return [
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
            if not set(self.state["app_roles"]) & (STRONG | {"User Administrator"}):
                return denied()
            if "password" in profile:
                user["_password"] = profile["password"]
                user["lastPasswordChangeDateTime"] = stamp()
        user.update(values)
        return Reply(204)

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

    # -- licences ------------------------------------------------------------------------------------------------------

    # -- roles and apps ------------------------------------------------------------------------------------------------

    # -- devices, mail, authentication methods -------------------------------------------------------------------------
