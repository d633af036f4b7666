# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What users of the sandbox's Entra ID hold and own: groups, licences, roles, apps."""

from __future__ import annotations

import secrets
import uuid

from sandbox.emulator import Call, Reply
from sandbox.vendors.entra_lists import ON_PREMISES, Lists, Row, bad, denied, group_shown, missing, selected
from sandbox.vendors.entra_seed import DEFAULT, SKUS
from sandbox.vendors.microsoft import graph_error

STRONG = {"Privileged Authentication Administrator", "Global Administrator"}


class Holdings(Lists):
    """Gives and takes them."""

    def sku_names(self, user_id: str) -> set[str]:
        names = {id: name for name, id in SKUS.items()}
        return {names[s["skuId"]] for s in self._licence_states(self.state["users"][user_id])}

    def _too_strong(self, user: Row) -> bool:
        """Whether the target holds more than the app may touch (https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions)."""
        holds = any(a["principalId"] == user["id"] for a in self.state["role_assignments"].values())
        through = any(
            g["isAssignableToRole"] and user["id"] in (*g["members"], *g["owners"])
            for g in self.state["groups"].values()
        )
        return (holds or through) and not set(self.state["app_roles"]) & STRONG

    def _deleted(self, table: str, id: str) -> Reply:
        return missing(id) if self.state[table].pop(id, None) is None else Reply(204)

    def member_of(self, call: Call, user: Row) -> Reply:
        return self.cloud.page(
            call,
            [
                selected(call, {**group_shown(g), "assignedLicenses": [{"skuId": id} for id in g["_licences"]]})
                for g in self.state["groups"].values()
                if user["id"] in g["members"]
            ],
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
        table = self.state["applications" if "/applications/" in call.path else "apps"]
        app = table.get(call.args["id"])
        if not app:
            return missing(call.args["id"])
        expanded = call.query.get("$expand", "")
        held = {expanded: list(app.get("_federated", ()))} if expanded == "federatedIdentityCredentials" else {}
        return Reply(200, {**selected(call, self._app_shown(app)), **held})

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
