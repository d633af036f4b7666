# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entitlements of an Entra ID account: groups, licences, directory roles, app roles; and the things it owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model.errors import (
    InputError,
    NotFound,
    Refused,
    Rejected,
)
from ...sdk.address import at
from ...sdk.at_most_one import at_most_one
from ...sdk.values import Account, Entitlement, Owned
from ..microsoft.directory import DirectoryUsers
from ..microsoft.graph import graph_pages
from ..microsoft.people import literal
from .left_behind import LeftBehind

ROLES = at("/roleManagement/directory")
#: Marks a role that the person may activate (Privileged Identity Management) and does not hold all the time.
ELIGIBLE = " (eligible)"
#: The role that allows everything in the tenant, held now or after an activation in Privileged Identity Management.
ADMINISTRATORS = (("roles", "Global Administrator"), ("roles", f"Global Administrator{ELIGIBLE}"))
KEPT_IN_EXCHANGE = "a distribution list or mail-enabled security group: Exchange keeps its members"
GROUP_FIELDS = "id,displayName,groupTypes,mailEnabled,membershipRule,onPremisesSyncEnabled"
#: The role id of an assignment to an app that has no roles (https://learn.microsoft.com/graph/api/resources/approleassignment).
_NO_ROLE = "00000000-0000-0000-0000-000000000000"
_COLLECTIONS = {"group": "groups", "application": "applications", "servicePrincipal": "servicePrincipals"}
Raw = Mapping[str, Any]


class EntraEntitlements(DirectoryUsers):
    """Reads, grants and revokes entitlements; the connector sets ``graph``."""

    ENTITLEMENT_KINDS: Sequence[str] = ("groups", "licences", "roles", "apps")

    # -- held entitlements ---------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        act = f"read what {account.login} holds"
        groups = [
            group_of(row)
            for row in graph_pages(
                self.graph,
                at("/users/{}/memberOf/microsoft.graph.group", account.id),
                act=act,
                params={"$select": GROUP_FIELDS},
            )
        ]
        return with_distinct_names(
            [
                *groups,
                *self._licences(account, {g.id: g.name for g in groups}),
                *_once(self.roles_of(account)),
                *self._apps(account),
            ]
        )

    def _licences(self, account: Account, groups: Mapping[str, str]) -> Iterator[Entitlement]:
        states = self.graph.send(
            "GET",
            at("/users/{}", account.id),
            act=f"read licences of {account.login}",
            params={"$select": "id,licenseAssignmentStates"},
        ).body
        held = states.get("licenseAssignmentStates") or []
        names = {sku["skuId"]: sku["skuPartNumber"] for sku in self._skus()} if held else {}
        for sku in dict.fromkeys(state["skuId"] for state in held):
            through = [s["assignedByGroup"] for s in held if s["skuId"] == sku and s.get("assignedByGroup")]
            fixed = f"through group {groups.get(through[0], through[0])}" if through else ""
            yield Entitlement("licences", names.get(sku, sku), sku, fixed)

    def roles_of(self, account: Account) -> list[Entitlement]:
        """Return the directory roles that the account holds, directly or through a group, and those that it may activate.

        A role through a group has the group's row in ``raw["group"]``. A list of role assignments by principal shows direct ones alone
        (https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments), so each group is asked for.
        """
        act = f"read directory roles of {account.login}"
        groups = {str(row["id"]): row for row in self._role_groups(account, act)}
        held = [(row, mark) for id in (account.id, *groups) for row, mark in self._roles_held(id, act)]
        names: dict[str, str] = (
            {row["id"]: row["displayName"] for row in graph_pages(self.graph, ROLES.below("/roleDefinitions"), act=act)}
            if held
            else {}
        )
        return [
            Entitlement(
                "roles",
                scoped(names.get(str(row["roleDefinitionId"]), str(row["roleDefinitionId"])), row) + mark,
                row["roleDefinitionId"],
                _through(row, account, groups),
                raw={**row, "group": groups.get(row["principalId"])},
            )
            for row, mark in held
        ]

    def _roles_held(self, principal: str, act: str) -> list[tuple[Raw, str]]:
        """Return each assignment and each eligibility of a user or a group."""
        mine = {"$filter": f"principalId eq {literal(principal)}"}
        rows = graph_pages(self.graph, ROLES.below("/roleAssignments"), act=act, params=mine)
        return [*((row, "") for row in rows), *((row, ELIGIBLE) for row in self._eligible(mine, act))]

    def _role_groups(self, account: Account, act: str) -> Iterator[Raw]:
        """Yield the groups of the account that may hold roles. A group can't be a member of one, so that its direct members are all.

        https://learn.microsoft.com/entra/identity/role-based-access-control/groups-concept
        """
        path = at("/users/{}/memberOf/microsoft.graph.group", account.id)
        fields = {"$select": f"{GROUP_FIELDS},isAssignableToRole,assignedLicenses"}
        return (row for row in graph_pages(self.graph, path, act=act, params=fields) if row.get("isAssignableToRole"))

    def _eligible(self, mine: Mapping[str, str], act: str) -> list[dict[str, Any]]:
        try:
            return list(graph_pages(self.graph, ROLES.below("/roleEligibilitySchedules"), act=act, params=mine))
        except Rejected as e:
            if "AadPremiumLicenseRequired" not in e.what:
                raise
            return []  # eligible roles need Entra ID P2

    def _apps(self, account: Account) -> Iterator[Entitlement]:
        roles: dict[str, list[Raw]] = {}
        for row in graph_pages(
            self.graph, at("/users/{}/appRoleAssignments", account.id), act=f"read apps of {account.login}"
        ):
            app = row["resourceId"]
            if app not in roles:
                roles[app] = user_roles(
                    self.graph.get(
                        at("/servicePrincipals/{}", app),
                        act=f"read app {row['resourceDisplayName']}",
                        params={"$select": "id,appRoles"},
                    )
                    or {}
                )
            name = app_name(
                row["resourceDisplayName"], {role["id"]: role["displayName"] for role in roles[app]}, row["appRoleId"]
            )
            fixed = (
                ""
                if row["principalId"] == account.id
                else f"through group {row.get('principalDisplayName') or row['principalId']}"
            )
            yield Entitlement("apps", name, row["id"], fixed, raw=row)

    # -- entitlements by name ------------------------------------------------------------------------------------------

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        """Return the group, licence, role or app of this name, or None.

        :raises AmbiguousIdentity: two groups, or two apps, have this name.
        :raises InputError: the app has several roles, and the name does not say which.
        """
        finders: Mapping[str, Callable[[str], Entitlement | None]] = {
            "groups": self._find_group,
            "licences": self._find_licence,
            "roles": self._find_role,
            "apps": self._find_app,
        }
        return finders[kind](name)

    def _find_group(self, name: str) -> Entitlement | None:
        row = self._only("group", name, "/groups", GROUP_FIELDS)
        return group_of(row) if row else None

    def _find_licence(self, name: str) -> Entitlement | None:
        sku = next((row for row in self._skus() if row["skuPartNumber"].casefold() == name.casefold()), None)
        return Entitlement("licences", sku["skuPartNumber"], sku["skuId"], raw=sku) if sku else None

    def _find_role(self, name: str) -> Entitlement | None:
        plain = name.removesuffix(ELIGIBLE)
        for row in graph_pages(self.graph, ROLES.below("/roleDefinitions"), act=f"find directory role {plain}"):
            if row["displayName"].casefold() == plain.casefold():
                return Entitlement("roles", row["displayName"] + (ELIGIBLE if plain != name else ""), row["id"])
        return None

    def _find_app(self, name: str) -> Entitlement | None:
        app, slash, role = name, "", ""
        row = self._only("app", name, "/servicePrincipals", "id,displayName,appRoles")
        if row is None and "/" in name:
            app, slash, role = name.rpartition("/")
            row = self._only("app", app, "/servicePrincipals", "id,displayName,appRoles")
        if row is None:
            return None
        roles = user_roles(row)
        wanted = [r for r in roles if r["displayName"].casefold() == role.casefold()] if slash else roles
        if slash and not wanted:
            return None
        if len(wanted) > 1:
            raise InputError(
                f"the app {app} has several roles",
                act=f"find app {name}",
                system=self.target.name,
                hint="name one: " + ", ".join(f"{app}/{r['displayName']}" for r in wanted),
            )
        full = f"{row['displayName']}/{wanted[0]['displayName']}" if len(roles) > 1 else row["displayName"]
        return Entitlement(
            "apps", full, row["id"], raw={"resourceId": row["id"], "appRoleId": wanted[0]["id"] if wanted else _NO_ROLE}
        )

    def _only(self, what: str, name: str, path: str, select: str) -> Raw | None:
        rows = graph_pages(
            self.graph,
            path,
            act=f"find {what} {name}",
            params={"$filter": f"displayName eq {literal(name)}", "$select": select},
        )
        found = [row for row in rows if row["displayName"].casefold() == name.casefold()]
        said, act = f"{what}s have this name", f"find {what} {name}"
        return at_most_one(found, said, act=act, system=self.target.name, hint="rename one of them")

    def _skus(self) -> list[dict[str, Any]]:
        return list(graph_pages(self.graph, "/subscribedSkus", act="read licences"))

    # -- granting and revoking -----------------------------------------------------------------------------------------

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._refuse(account, entitlement, "grant")
        act, e = f"grant {entitlement.name} to {account.login}", entitlement
        if e.kind == "groups":
            self._tolerant(
                "already exist",
                "POST",
                at("/groups/{}/members/$ref", e.id),
                act,
                {"@odata.id": self._object(account.id)},
            )
        elif e.kind == "licences":
            self._license(account, {"addLicenses": [{"skuId": e.id, "disabledPlans": []}], "removeLicenses": []}, act)
        elif e.kind == "apps":
            self._tolerant(
                "already exists",
                "POST",
                at("/users/{}/appRoleAssignments", account.id),
                act,
                {"principalId": account.id, **e.raw},
            )
        elif e.name.endswith(ELIGIBLE):
            self._tolerant(
                "RoleAssignmentExists",
                "POST",
                ROLES.below("/roleEligibilityScheduleRequests"),
                act,
                {
                    **_eligibility(account, e, "adminAssign"),
                    "scheduleInfo": {"startDateTime": None, "expiration": {"type": "noExpiration"}},
                },
            )
        else:
            self._tolerant(
                "conflicting object",
                "POST",
                ROLES.below("/roleAssignments"),
                act,
                {"principalId": account.id, "roleDefinitionId": e.id, "directoryScopeId": "/"},
            )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self._refuse(account, entitlement, "revoke")
        act, e = f"revoke {entitlement.name} of {account.login}", entitlement
        if e.kind == "groups":
            # Without /$ref this would delete the user.
            self._tolerant("do not exist", "DELETE", at("/groups/{}/members/{}/$ref", e.id, account.id), act)
        elif e.kind == "licences":
            self._license(account, {"addLicenses": [], "removeLicenses": [e.id]}, act)
        elif e.kind == "apps":
            self.graph.send("DELETE", at("/users/{}/appRoleAssignments/{}", account.id, e.id), act=act, missing=(404,))
        elif e.name.endswith(ELIGIBLE):
            # A removal that worked may still answer that there is nothing to remove: reading back decides.
            self._tolerant(
                "RoleAssignmentDoesNotExist",
                "POST",
                ROLES.below("/roleEligibilityScheduleRequests"),
                act,
                _eligibility(account, e, "adminRemove"),
            )
        else:
            self.graph.send("DELETE", ROLES.below("/roleAssignments/{}", e.raw["id"]), act=act, missing=(404,))

    def _license(self, account: Account, body: Raw, act: str) -> None:
        try:
            self.graph.send("POST", at("/users/{}/assignLicense", account.id), act=act, json=body, retry_safe=True)
        except Rejected as e:
            if "does not have a corresponding license" in e.what:
                return
            e.hint = (
                "set the person's country first: Microsoft wants usageLocation"
                if "usage location" in e.what
                else "buy or free a licence"
                if "available licenses" in e.what
                else e.hint
            )
            raise

    def _tolerant(self, benign: str, method: str, path: str, act: str, json: Any = None) -> None:
        """Send a write, and accept a refusal whose text has ``benign``: only the text shows that nothing was left to do."""
        try:
            self.graph.send(
                method, path, act=act, json=json, missing=(404,) if method == "DELETE" else (), retry_safe=True
            )
        except Rejected as e:
            if benign not in e.what:
                raise

    def _refuse(self, account: Account, entitlement: Entitlement, verb: str) -> None:
        reason = account.protected or entitlement.fixed
        if reason:
            raise Refused(reason, act=f"{verb} {entitlement.name} of {account.login}", system=self.target.name)

    def _object(self, id: str) -> str:
        return self.graph.link(at("/directoryObjects/{}", id))

    # -- owned things --------------------------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        found = []
        for row in graph_pages(
            self.graph, at("/users/{}/ownedObjects", account.id), act=f"read what {account.login} owns"
        ):
            kind = str(row.get("@odata.type", "")).rpartition(".")[2]
            if kind not in _COLLECTIONS:
                continue
            mastered = (
                "synchronised from on-premises Active Directory: change the owner there"
                if row.get("onPremisesSyncEnabled")
                else ""
            )
            found.append(
                Owned(
                    {"group": "group", "application": "app", "servicePrincipal": "enterprise app"}[kind],
                    row["id"],
                    row["displayName"],
                    "decide" if mastered else "reassign",
                    self._beside(at("/{}/{}/owners", _COLLECTIONS[kind], row["id"]), account),
                    raw={"why": mastered, "collection": _COLLECTIONS[kind]},
                )
            )
        apps = [(str(one.raw["collection"]), one.id) for one in found if one.kind != "group"]
        return [*found, *LeftBehind(self.graph).of(account, apps)]

    def _beside(self, owners: str, account: Account) -> tuple[str, ...]:
        rows = graph_pages(self.graph, owners, act=f"read who owns it beside {account.login}")
        return tuple(
            sorted(
                str(row.get("mail") or row.get("userPrincipalName") or row["id"]).lower()
                for row in rows
                if row["id"] != account.id
            )
        )

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        return self.owned(heir)

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        act, owners = (
            f"hand {owned.kind} {owned.name} back to {account.login}",
            at("/{}/{}/owners", owned.raw["collection"], owned.id),
        )
        self._tolerant("already exist", "POST", owners.below("/$ref"), act, {"@odata.id": self._object(account.id)})
        if not keep:
            self._tolerant("do not exist", "DELETE", owners.below("/{}/$ref", heir.id), act)

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        """Make the successor an owner, then remove the account: the last owner of a group can't be removed.

        :raises NotFound: the successor has no account here.
        """
        act = f"hand {owned.kind} {owned.name} of {account.login} to {successor}"
        heir = self.graph.get(at("/users/{}", successor), act=act, params={"$select": "id,userPrincipalName"})
        if heir is None:
            raise NotFound(
                f"{successor} has no account here",
                act=act,
                system=self.target.name,
                hint="name a successor who has one",
            )
        owners = at("/{}/{}/owners", owned.raw["collection"], owned.id)
        self._tolerant("already exist", "POST", owners.below("/$ref"), act, {"@odata.id": self._object(heir["id"])})
        self._tolerant("do not exist", "DELETE", owners.below("/{}/$ref", account.id), act)


def group_of(row: Raw) -> Entitlement:
    fixed = fixed_group(row)
    return Entitlement("groups", row["displayName"], row["id"], fixed, raw=row, by_hand=fixed == KEPT_IN_EXCHANGE)


def fixed_group(row: Raw) -> str:
    """Return why a group's members can't be changed through Graph (https://learn.microsoft.com/graph/api/group-delete-members)."""
    if row.get("onPremisesSyncEnabled"):
        return "synchronised from on-premises Active Directory: change it there"
    if row.get("membershipRule"):
        return f"dynamic rule {row['membershipRule']}: change what the rule looks at"
    if row.get("mailEnabled") and "Unified" not in row.get("groupTypes", ()):
        return KEPT_IN_EXCHANGE
    return ""


def user_roles(app: Raw) -> list[Raw]:
    return [
        role
        for role in app.get("appRoles") or ()
        if role.get("isEnabled") and "User" in role.get("allowedMemberTypes", ())
    ]


def app_name(app: str, roles: Mapping[str, str], role: str) -> str:
    """Return the name of an app role in a profile: ``app/role`` where the app has several roles, else ``app``.

    :param roles: id of a role -> its name.
    :param role: the id of the role that is held.
    """
    return f"{app}/{roles[role]}" if len(roles) > 1 and role in roles else app


def _through(row: Raw, account: Account, groups: Mapping[str, Raw]) -> str:
    """Return through which group an account holds a role; empty when it holds the role directly."""
    group = groups.get(str(row["principalId"]))
    if group is not None:
        return f"through group {group['displayName']}"
    indirect = row["principalId"] != account.id or row.get("memberType") in ("Group", "Inherited")
    return "through a group" if indirect else ""


def _once(roles: Sequence[Entitlement]) -> list[Entitlement]:
    """Return each role once, the direct assignment first: a role can be held directly and through several groups."""
    kept: dict[str, Entitlement] = {}
    for role in sorted(roles, key=lambda one: bool(one.fixed)):
        kept.setdefault(role.name, role)
    return [*kept.values()]


def scoped(name: str, row: Raw) -> str:
    scope = row.get("directoryScopeId") or "/"
    return name if scope == "/" else f"{name} in {scope}"


def _eligibility(account: Account, entitlement: Entitlement, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "principalId": account.id,
        "roleDefinitionId": entitlement.id,
        "directoryScopeId": entitlement.raw.get("directoryScopeId") or "/",
        "justification": "workforce lifecycle",
    }


def with_distinct_names(found: Sequence[Entitlement]) -> list[Entitlement]:
    """Return the entitlements with the id added to each name that repeats: display names are not unique."""
    names = [(e.kind, e.name.casefold()) for e in found]
    return [
        e if names.count((e.kind, e.name.casefold())) == 1 else replace(e, name=f"{e.name} ({e.id})") for e in found
    ]
