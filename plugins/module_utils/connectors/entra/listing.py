# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All accounts of an Entra ID tenant, what they hold, and the credentials of its apps: read list by list, never user by user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, ClassVar

from ...model.errors import NotFound, PermissionDenied
from ...sdk.address import at
from ...sdk.values import Account, Credential, Entitlement, Listed
from ..microsoft.graph import graph_lists, graph_pages
from ..microsoft.groups import names_of, people_in
from ..microsoft.people import literal
from .entitlements import (
    ELIGIBLE,
    GROUP_FIELDS,
    ROLES,
    EntraEntitlements,
    app_name,
    fixed_group,
    scoped,
    user_roles,
    with_distinct_names,
)

_PAGE = "999"
#: With ``signInActivity`` a page holds no more (https://learn.microsoft.com/graph/api/user-list).
_PAGE_WITH_SIGN_INS = "500"
_IDS_AT_ONCE = 1000
_OWNERS = "owners($select=id,userPrincipalName,mail,accountEnabled)"
_USER = "#microsoft.graph.user"
Raw = Mapping[str, Any]
#: Id of a user -> what the user holds.
Holdings = dict[str, list[Entitlement]]


class EntraListing(EntraEntitlements):
    """Lists accounts, members and credentials."""

    LISTS_HELD: ClassVar[bool] = True
    #: The properties of a user that :meth:`listed_account` needs, for ``$select``.
    USER_FIELDS: ClassVar[str]

    def listed_account(self, row: Raw) -> Account:
        """Return a user's row as an account; the connector overrides this."""
        raise NotImplementedError

    # -- accounts ------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        """Yield every user, guests too. Members are read first, entitlement by entitlement: few calls for any number of users.

        ``last_seen`` needs AuditLog.Read.All and Entra ID P1; without them it stays empty.
        """
        act = "list accounts"
        holdings, groups = self._holdings(act)
        skus = {sku["skuId"]: sku["skuPartNumber"] for sku in self._skus()}
        for row in self._users(act):
            held = with_distinct_names([*holdings.pop(row["id"], ()), *_licences(row, skus, groups)])
            yield Listed(
                self.listed_account(row),
                last_seen=_last_seen(row),
                created=row.get("createdDateTime") or "",
                kind="guest" if row.get("userType") == "Guest" else "person",
                held=tuple(sorted((e.kind, e.name) for e in held)),
                fixed=tuple(sorted((e.kind, e.name) for e in held if e.fixed)),
            )

    def _users(self, act: str) -> Iterator[Raw]:
        fields = f"{self.USER_FIELDS},createdDateTime,licenseAssignmentStates"
        rows = graph_pages(
            self.graph, "/users", act=act, params={"$select": f"{fields},signInActivity", "$top": _PAGE_WITH_SIGN_INS}
        )
        try:
            first = next(rows, None)
        except PermissionDenied:  # the sign-ins are refused; if the users are, this is raised again
            rows = graph_pages(self.graph, "/users", act=act, params={"$select": fields, "$top": _PAGE})
            first = next(rows, None)
        return chain(() if first is None else (first,), rows)

    # -- held entitlements ---------------------------------------------------------------------------------------------

    def _holdings(self, act: str) -> tuple[Holdings, dict[str, str]]:
        """Return the groups, roles and apps that each user holds, and the groups' names by id."""
        held: Holdings = {}
        groups, members = self._groups(act)
        for id, row in groups.items():
            _give(held, members[id], Entitlement("groups", row["displayName"], id, fixed_group(row)))
        assigned = [("roles", *role) for role in self._roles(act)] + [
            ("apps", *app) for app in self._app_assignments(act)
        ]
        for kind, name, id, principal in assigned:
            through = groups.get(principal)
            fixed = f"through group {through['displayName']}" if through else ""
            _give(held, members[principal] if through else (principal,), Entitlement(kind, name, id, fixed))
        return held, {id: row["displayName"] for id, row in groups.items()}

    def _groups(self, act: str) -> tuple[dict[str, Raw], dict[str, set[str]]]:
        """Return every group, and its direct members' ids.

        A delta query shows all members of a group, where ``$expand`` shows 20. A large group comes in several rows; only the first one
        must have the group's properties, and rows can repeat (https://learn.microsoft.com/graph/delta-query-groups).
        """
        groups: dict[str, Raw] = {}
        members: dict[str, set[str]] = {}
        for row in graph_pages(self.graph, "/groups/delta", act=act, params={"$select": f"{GROUP_FIELDS},members"}):
            if "@removed" in row:
                groups.pop(row["id"], None)
                continue
            groups[row["id"]] = {
                **groups.get(row["id"], {"displayName": row["id"]}),
                **{k: v for k, v in row.items() if k != "members@delta"},
            }
            mine = members.setdefault(row["id"], set())
            for member in row.get("members@delta") or ():
                if "@removed" in member:
                    mine.discard(member["id"])
                else:
                    mine.add(member["id"])
        return groups, members

    def _roles(self, act: str) -> Iterator[tuple[str, str, str]]:
        """Yield (name, role's id, principal's id) of every assignment and eligibility."""
        rows = [(row, "") for row in graph_pages(self.graph, ROLES.below("/roleAssignments"), act=act)] + [
            (row, ELIGIBLE) for row in self._eligible({}, act)
        ]
        names = (
            {row["id"]: row["displayName"] for row in graph_pages(self.graph, ROLES.below("/roleDefinitions"), act=act)}
            if rows
            else {}
        )
        for row, mark in rows:
            role = row["roleDefinitionId"]
            yield scoped(names.get(role, role), row) + mark, role, row["principalId"]

    def _app_assignments(self, act: str) -> Iterator[tuple[str, str, str]]:
        """Yield (name, assignment's id, principal's id) of every app role that a user or a group has."""
        apps = {
            row["id"]: (row["displayName"], {role["id"]: role["displayName"] for role in user_roles(row)})
            for row in graph_pages(
                self.graph, "/servicePrincipals", act=act, params={"$select": "id,displayName,appRoles", "$top": _PAGE}
            )
        }
        paths = {at("/servicePrincipals/{}/appRoleAssignedTo", id): app for id, app in apps.items()}
        for path, rows in graph_lists(self.graph, paths, act=act, params={"$top": _PAGE}):
            name, roles = paths[path]
            try:
                for row in rows:
                    if row.get("principalType") != "ServicePrincipal":
                        yield app_name(name, roles, row["appRoleId"]), row["id"], row["principalId"]
            except NotFound:  # deleted since it was listed
                continue

    # -- members -------------------------------------------------------------------------------------------------------

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield id, login and address of each member, and of the members of groups within it."""
        act = f"read members of {name}"
        found = self.find_entitlement(kind, name) if kind in self.ENTITLEMENT_KINDS else None
        if found is None:
            raise NotFound(
                f"none of the {kind} has this name",
                act=act,
                system=self.target.name,
                hint="correct the name in policy or in the access profile",
            )
        if kind == "groups":
            rows = iter(people_in(self.graph, found.id, act))
        elif kind == "licences":
            rows = graph_pages(
                self.graph,
                "/users",
                act=act,
                params={
                    "$filter": f"assignedLicenses/any(l:l/skuId eq {found.id})",
                    "$select": "id,userPrincipalName,mail",
                    "$top": _PAGE,
                },
            )
        else:
            rows = self._principals(self._holders(found, act), act)
        seen: set[str] = set()
        for row in rows:
            if row["id"] not in seen:
                seen.add(row["id"])
                yield from names_of(row)

    def _holders(self, entitlement: Entitlement, act: str) -> list[str]:
        """Return the ids of the principals that have a directory role, or a role of an app."""
        if entitlement.kind == "apps":
            assigned = graph_pages(
                self.graph,
                at("/servicePrincipals/{}/appRoleAssignedTo", entitlement.id),
                act=act,
                params={"$top": _PAGE},
            )
            return [row["principalId"] for row in assigned if row["appRoleId"] == entitlement.raw["appRoleId"]]
        mine = {"$filter": f"roleDefinitionId eq {literal(entitlement.id)}"}
        rows = (
            self._eligible(mine, act)
            if entitlement.name.endswith(ELIGIBLE)
            else graph_pages(self.graph, ROLES.below("/roleAssignments"), act=act, params=mine)
        )
        return [row["principalId"] for row in rows]

    def _principals(self, ids: list[str], act: str) -> Iterator[Raw]:
        """Yield the users among these principals, and the members of the groups among them."""
        for start in range(0, len(ids), _IDS_AT_ONCE):
            body = {"ids": ids[start : start + _IDS_AT_ONCE], "types": ["user", "group"]}
            for row in self.graph.send("POST", "/directoryObjects/getByIds", act=act, json=body, reads=True).body[
                "value"
            ]:
                if row.get("@odata.type") == _USER:
                    yield row
                else:
                    yield from people_in(self.graph, row["id"], act)

    # -- credentials ---------------------------------------------------------------------------------------------------

    def all_credentials(self) -> Iterator[Credential]:
        """Yield secrets, certificates and federated credentials of apps, and the consents that people gave to apps.

        The maker is an owner of the app, an enabled account first; an app can have no owner. Consents that an administrator gave for
        everybody, and the keys of managed identities, which Azure renews by itself, are left out.
        """
        act = "list credentials"
        fields = "id,displayName,passwordCredentials,keyCredentials"
        makers: dict[str, str] = {}
        for row in graph_pages(
            self.graph, "/applications", act=act, params={"$select": fields, "$expand": _OWNERS, "$top": _PAGE}
        ):
            makers[row["id"]] = _maker(row)
            yield from _keys(row)
        # Graph expands one relation a request.
        for row in graph_pages(
            self.graph,
            "/applications",
            act=act,
            params={"$select": "id,displayName", "$expand": "federatedIdentityCredentials", "$top": _PAGE},
        ):
            for trusted in row.get("federatedIdentityCredentials") or ():
                name = f"{row['displayName']}: {trusted['name']} ({trusted.get('subject') or trusted.get('issuer')})"
                yield Credential("federated credential", trusted["id"], name, makers.get(row["id"], ""))
        apps: dict[str, str] = {}
        for row in graph_pages(
            self.graph,
            "/servicePrincipals",
            act=act,
            params={"$select": f"{fields},servicePrincipalType", "$expand": _OWNERS, "$top": _PAGE},
        ):
            apps[row["id"]] = row["displayName"]
            if row.get("servicePrincipalType") != "ManagedIdentity":
                yield from _keys(row)
        for row in graph_pages(self.graph, "/oauth2PermissionGrants", act=act, params={"$top": _PAGE}):
            if row.get("consentType") == "Principal":
                yield Credential(
                    "app consent",
                    row["id"],
                    f"{apps.get(row['clientId'], row['clientId'])}: {' '.join((row.get('scope') or '').split())}",
                    row["principalId"],
                )


def _give(held: Holdings, users: Iterable[str], entitlement: Entitlement) -> None:
    for user in users:
        mine = held.setdefault(user, [])
        # What a user holds both directly and through a group is kept once, as held directly.
        twin = (
            next((n for n, e in enumerate(mine) if (e.kind, e.name) == (entitlement.kind, entitlement.name)), None)
            if entitlement.kind != "groups"
            else None
        )
        if twin is None:
            mine.append(entitlement)
        elif not entitlement.fixed:
            mine[twin] = entitlement


def _licences(row: Raw, skus: Mapping[str, str], groups: Mapping[str, str]) -> Iterator[Entitlement]:
    states = row.get("licenseAssignmentStates") or ()
    for sku in dict.fromkeys(state["skuId"] for state in states):
        through = [
            state["assignedByGroup"] for state in states if state["skuId"] == sku and state.get("assignedByGroup")
        ]
        yield Entitlement(
            "licences",
            skus.get(sku, sku),
            sku,
            f"through group {groups.get(through[0], through[0])}" if through else "",
        )


def _last_seen(row: Raw) -> str:
    """Return the time of the last sign-in, interactive or not (ISO 8601); empty when Entra shows none."""
    activity = row.get("signInActivity") or {}
    return max((str(at) for name, at in activity.items() if name.endswith("DateTime") and at), default="")


def _maker(app: Raw) -> str:
    owners = sorted(
        (o for o in app.get("owners") or () if o.get("userPrincipalName")),
        key=lambda owner: owner.get("accountEnabled") is False,
    )
    return owners[0]["userPrincipalName"] if owners else ""


def _keys(app: Raw) -> Iterator[Credential]:
    """Yield the certificates and secrets of an app. A SAML certificate is one: it comes as two keys and a secret with one ``customKeyIdentifier``."""
    maker = _maker(app)
    seen: set[str] = set()
    for kind, keys in (("certificate", app.get("keyCredentials")), ("secret", app.get("passwordCredentials"))):
        for key in keys or ():
            mark = key.get("customKeyIdentifier") or key["keyId"]
            if mark not in seen:
                seen.add(mark)
                yield Credential(
                    kind,
                    key["keyId"],
                    f"{app['displayName']}: {key.get('displayName') or key['keyId']}",
                    maker,
                    created=key.get("startDateTime") or "",
                    expires=key.get("endDateTime") or "",
                )
