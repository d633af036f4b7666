# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Groups, app assignments and admin roles of an Okta account.

Only members of Okta's own groups can be changed by hand. What comes from an app, a rule or a group is fixed, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...sdk.at_most_one import at_most_one
from ...sdk.values import Account, Entitlement
from .api import OktaApi, path

KINDS = ("groups", "apps", "roles")
#: Admin roles by the label that Okta's console shows:
#: https://developer.okta.com/docs/api/openapi/okta-management/guides/roles/
ROLES: Mapping[str, str] = {
    "Super Administrator": "SUPER_ADMIN",
    "Organization Administrator": "ORG_ADMIN",
    "Application Administrator": "APP_ADMIN",
    "Group Administrator": "USER_ADMIN",
    "Group Membership Administrator": "GROUP_MEMBERSHIP_ADMIN",
    "Help Desk Administrator": "HELP_DESK_ADMIN",
    "Read-only Administrator": "READ_ONLY_ADMIN",
    "Mobile Administrator": "MOBILE_ADMIN",
    "API Access Management Administrator": "API_ACCESS_MANAGEMENT_ADMIN",
    "Report Administrator": "REPORT_ADMIN",
}
#: Type of group -> why nobody can be added or removed by hand.
FIXED_GROUPS: Mapping[str, str] = {
    "APP_GROUP": "it is mastered by an app or directory: change it there",
    "BUILT_IN": "Okta's own group of everybody",
}


class OktaEntitlements:
    """Reads, grants and revokes entitlements of accounts."""

    def __init__(self, api: OktaApi) -> None:
        self.api = api
        self._rules: dict[str, str] | None = None

    def held(self, account: Account) -> Sequence[Entitlement]:
        """Return all entitlements that the account has now, fixed ones too."""
        return [*self._groups(account), *self._apps(account), *self._roles(account)]

    def find(self, kind: str, name: str) -> Entitlement | None:
        """Return a group or an app by its name, or a role by its label or type; None when there is none.

        :raises AmbiguousIdentity: several have the name.
        """
        if kind == "roles":
            label = next((shown for shown, code in ROLES.items() if name in (shown, code)), "")
            return Entitlement("roles", label, ROLES[label]) if label else None
        act = f"find {name} among {kind}"
        if kind == "groups":
            rows = self.api.listed(path("groups"), act=act, q=name)
            found = [self.group_of(row) for row in rows if row["profile"]["name"] == name]
        else:
            rows = self.api.listed(path("apps"), act=act, q=name)
            found = [Entitlement("apps", row["label"], row["id"], raw=row) for row in rows if row["label"] == name]
        return at_most_one(found, f"answer to {name}", act=act, system=self.api.target.name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.name} to {account.login}"
        if entitlement.kind == "groups":
            self.api.send("PUT", path("groups", entitlement.id, "users", account.id), act=act)
        elif entitlement.kind == "apps":
            assignment = {"id": account.id, "scope": "USER"}
            self.api.send("POST", path("apps", entitlement.id, "users"), act=act, json=assignment, retry_safe=True)
        else:
            # 409: the role is assigned already.
            self.api.send(
                "POST",
                path("users", account.id, "roles"),
                act=act,
                json={"type": entitlement.id},
                missing=(409,),
                retry_safe=True,
            )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        act = f"take {entitlement.name} from {account.login}"
        where = (
            path("users", account.id, "roles", str(entitlement.raw.get("id") or ""))
            if entitlement.kind == "roles"
            else path(entitlement.kind, entitlement.id, "users", account.id)
        )
        params = {"sendEmail": "false"} if entitlement.kind == "apps" else None
        self.api.send("DELETE", where, act=act, params=params, missing=(404,))

    # -- groups --------------------------------------------------------------------------------------------------------

    def group_of(self, row: Mapping[str, Any]) -> Entitlement:
        fixed = FIXED_GROUPS.get(str(row.get("type")), "")
        if not fixed and row["id"] in self.rules():
            fixed = f"assigned by the group rule {self.rules()[row['id']]}"
        return Entitlement("groups", row["profile"]["name"], row["id"], fixed=fixed, raw=row)

    def rules(self) -> Mapping[str, str]:
        """Return the id of each group that an active rule fills, with the rule's name. Okta adds people again who are removed from it."""
        if self._rules is None:
            self._rules = {
                group: str(rule["name"])
                for rule in self.api.listed(path("groups", "rules"), act="list group rules", limit=50)
                if rule.get("status") == "ACTIVE"
                for group in ((rule.get("actions") or {}).get("assignUserToGroups") or {}).get("groupIds") or ()
            }
        return self._rules

    def _groups(self, account: Account) -> list[Entitlement]:
        rows = self.api.listed(path("users", account.id, "groups"), act=f"list groups of {account.login}")
        # Everybody is in Okta's own group, and nobody can be removed from it.
        return [self.group_of(row) for row in rows if row.get("type") != "BUILT_IN"]

    # -- apps and roles ------------------------------------------------------------------------------------------------

    def _apps(self, account: Account) -> list[Entitlement]:
        act = f"list apps of {account.login}"
        wanted = {"filter": f'user.id eq "{account.id}"', "expand": f"user/{account.id}"}
        return [_app_of(row) for row in self.api.listed(path("apps"), act=act, **wanted)]

    def _roles(self, account: Account) -> list[Entitlement]:
        shown = {code: label for label, code in ROLES.items()}
        return [
            Entitlement(
                "roles",
                shown.get(role["type"], role.get("label") or role["type"]),
                role["type"],
                fixed="" if role.get("assignmentType", "USER") == "USER" else "through a group",
                raw=role,
            )
            for role in self.api.listed(path("users", account.id, "roles"), act=f"list admin roles of {account.login}")
        ]


def _app_of(row: Mapping[str, Any]) -> Entitlement:
    """Return an app as an entitlement. An assignment through a group can't be removed here: Okta answers E0000046."""
    assigned = (row.get("_embedded") or {}).get("user") or {}
    fixed = "through a group" if assigned.get("scope") == "GROUP" else ""
    return Entitlement("apps", row["label"], row["id"], fixed=fixed, raw=row)
