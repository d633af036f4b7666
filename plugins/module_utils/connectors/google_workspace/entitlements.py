# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Groups, licences and admin roles of a Google account, and the groups without another owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import NotFound
from ...sdk.address import UrlPath
from ...sdk.at_most_one import at_most_one
from ...sdk.values import Account, Entitlement, Owned
from .api import GoogleApi, directory, path

KINDS = ("groups", "licences", "roles")
#: Licences by the name that the console shows: product and SKU.
#: https://developers.google.com/admin-sdk/licensing/v1/how-tos/products
LICENCES: Mapping[str, str] = {
    "Business Starter": "Google-Apps/1010020027",
    "Business Standard": "Google-Apps/1010020028",
    "Business Plus": "Google-Apps/1010020025",
    "Enterprise Standard": "Google-Apps/1010020026",
    "Enterprise Plus": "Google-Apps/1010020020",
    "Frontline Starter": "Google-Apps/1010020030",
    "Google Vault": "Google-Vault/Google-Vault",
}


class GoogleEntitlements:
    """Reads, grants and revokes entitlements of accounts.

    :param licences: name -> ``product/sku``, for licences that :data:`LICENCES` does not have.
    """

    def __init__(self, api: GoogleApi, licences: Mapping[str, str]) -> None:
        self.api = api
        self.licences = {**LICENCES, **licences}
        self._role_names: dict[str, str] | None = None

    def held(self, account: Account) -> Sequence[Entitlement]:
        return [*self._groups(account), *self._licences(account), *self._roles(account)]

    def find(self, kind: str, name: str) -> Entitlement | None:
        """Return a group by its address or name, or a licence or a role by its name; None when there is none.

        :raises AmbiguousIdentity: several groups have that name.
        """
        if kind == "licences":
            return Entitlement("licences", name, self.licences[name]) if name in self.licences else None
        if kind == "roles":
            ids = [id_ for id_, shown in self._roles_by_id().items() if shown == name]
            return Entitlement("roles", name, ids[0]) if ids else None
        act = f"find group {name}"
        if "@" in name:
            row = self.api.admin().get(directory("groups", name), act=act)
            return _group(row) if row else None
        query = f"name='{name.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39))}'"
        rows = self.api.listed(
            self.api.admin(), directory("groups"), "groups", act=act, customer="my_customer", query=query
        )
        found = [_group(row) for row in rows if row.get("name") == name]
        said, hint = f"groups are called {name}", "write the group's address"
        return at_most_one(found, said, act=act, system=self.api.target.name, hint=hint)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.name} to {account.login}"
        if entitlement.kind == "groups":
            # 409: the account is a member already.
            body = {"email": account.email, "role": "MEMBER"}
            where = directory("groups", entitlement.id, "members")
            self.api.admin().send("POST", where, act=act, json=body, missing=(409,), retry_safe=True)
        elif entitlement.kind == "licences":
            product, _sep, sku = entitlement.id.partition("/")
            where = _licensing("product", product, "sku", sku, "user")
            self.api.admin("licensing").send(
                "POST", where, act=act, json={"userId": account.email}, missing=(409,), retry_safe=True
            )
        else:
            body = {"roleId": entitlement.id, "assignedTo": account.id, "scopeType": "CUSTOMER"}
            where = directory("customer", "my_customer", "roleassignments")
            self.api.admin().send("POST", where, act=act, json=body)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        act = f"take {entitlement.name} from {account.login}"
        if entitlement.kind == "groups":
            where = directory("groups", entitlement.id, "members", account.id)
            self.api.admin().send("DELETE", where, act=act, missing=(404,))
        elif entitlement.kind == "licences":
            product, _sep, sku = entitlement.id.partition("/")
            where = _licensing("product", product, "sku", sku, "user", account.email)
            self.api.admin("licensing").send("DELETE", where, act=act, missing=(404,))
        else:
            number = str(entitlement.raw["roleAssignmentId"])
            where = directory("customer", "my_customer", "roleassignments", number)
            self.api.admin().send("DELETE", where, act=act, missing=(404,))

    def members(self, kind: str, name: str) -> Iterator[str]:
        """Yield ids and addresses of the accounts that have a group, a licence or a role.

        :raises NotFound: there is no group, licence or role of this name.
        """
        act, found = f"list members of {name}", self.must_find(kind, name)
        if kind == "groups":
            rows = self.api.listed(
                self.api.admin(), directory("groups", found.id, "members"), "members", act=act, maxResults=200
            )
            for row in rows:
                yield from (str(row[key]) for key in ("id", "email") if row.get(key))
        elif kind == "licences":
            product, _sep, sku = found.id.partition("/")
            where = _licensing("product", product, "sku", sku, "users")
            rows = self.api.listed(
                self.api.admin("licensing"), where, "items", act=act, customerId="my_customer", maxResults=1000
            )
            yield from (str(row["userId"]) for row in rows)
        else:
            yield from (str(row["assignedTo"]) for row in self._assignments(act, roleId=found.id))

    def must_find(self, kind: str, name: str) -> Entitlement:
        """Return a group, a licence or a role.

        :raises NotFound: there is none of this name.
        """
        found = self.find(kind, name)
        if found is None:
            raise NotFound(
                f"it has no {name} among its {kind}",
                act=f"list members of {name}",
                system=self.api.target.name,
                hint="correct the name in policy or in the access profile",
            )
        return found

    def assigned(self, role: str, act: str) -> Iterator[tuple[str, str]]:
        """Yield the id and the type, ``user`` or ``group``, of everything that has an admin role."""
        for row in self._assignments(act, roleId=role):
            yield str(row["assignedTo"]), str(row.get("assigneeType") or "").lower()

    # -- groups that nobody else owns ----------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        """Return the groups that have this account as their only owner."""
        act = f"list groups that {account.login} owns"
        found = []
        for group in self._groups(account):
            where = directory("groups", group.id, "members")
            rows = list(self.api.listed(self.api.admin(), where, "members", act=act, roles="OWNER"))
            if [str(row.get("id")) for row in rows] == [account.id]:
                found.append(Owned("group", group.id, group.name, raw=group.raw))
        return found

    def reassign(self, heir: Account, owned: Owned) -> None:
        """Make the heir an owner of a group; the leaver's membership ends later, with their other groups."""
        act = f"give group {owned.name} to {heir.login}"
        members = directory("groups", owned.id, "members")
        body = {"email": heir.email, "role": "OWNER"}
        answer = self.api.admin().send("POST", members, act=act, json=body, missing=(409,), retry_safe=True)
        if answer.status == 409:  # the heir is a member already: change the role
            where = directory("groups", owned.id, "members", heir.id)
            self.api.admin().send("PATCH", where, act=act, json={"role": "OWNER"}, retry_safe=True)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _groups(self, account: Account) -> list[Entitlement]:
        act = f"list groups of {account.login}"
        rows = self.api.listed(
            self.api.admin(), directory("groups"), "groups", act=act, userKey=account.id, maxResults=200
        )
        return [_group(row) for row in rows]

    def _licences(self, account: Account) -> list[Entitlement]:
        """Ask for each known licence: Google lists the licences of a product, not of an account."""
        act, found = f"read licences of {account.login}", []
        for name, place in self.licences.items():
            product, _sep, sku = place.partition("/")
            where = _licensing("product", product, "sku", sku, "user", account.email)
            if self.api.admin("licensing").get(where, act=act):
                found.append(Entitlement("licences", name, place))
        return found

    def _roles(self, account: Account) -> list[Entitlement]:
        rows = self._assignments(f"list admin roles of {account.login}", userKey=account.id)
        return [
            Entitlement(
                "roles", self._roles_by_id().get(str(row["roleId"]), str(row["roleId"])), str(row["roleId"]), raw=row
            )
            for row in rows
            # The role of super administrator has a call of its own: it is a way in, not an entitlement.
            if self._roles_by_id().get(str(row["roleId"])) != "_SEED_ADMIN_ROLE"
        ]

    def _assignments(self, act: str, **params: str) -> Iterator[Mapping[str, Any]]:
        where = directory("customer", "my_customer", "roleassignments")
        return self.api.listed(self.api.admin(), where, "items", act=act, **params)

    def _roles_by_id(self) -> Mapping[str, str]:
        if self._role_names is None:
            where = directory("customer", "my_customer", "roles")
            rows = self.api.listed(self.api.admin(), where, "items", act="list admin roles")
            self._role_names = {str(row["roleId"]): str(row["roleName"]) for row in rows}
        return self._role_names


def is_workspace_licence(entitlement: Entitlement) -> bool:
    """Return whether an entitlement is a licence that mail and files need; others are additional."""
    return entitlement.kind == "licences" and entitlement.id.startswith("Google-Apps/")


def _group(row: Mapping[str, Any]) -> Entitlement:
    return Entitlement("groups", str(row["email"]).lower(), str(row["id"]), raw=row)


def _licensing(*segments: str) -> UrlPath:
    return path("apps", "licensing", "v1", *segments)
