# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Users of Google Workspace, read as accounts and changed: https://developers.google.com/admin-sdk/directory/reference/rest/v1/users"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import NotFound
from ...model.person import Person
from ...sdk.at_most_one import at_most_one
from ...sdk.unkept import refuse_unkept
from ...sdk.values import Account, Addresses
from .api import GoogleApi, directory

ATTRIBUTES = ("first_name", "last_name", "title", "department", "employee_id", "location", "manager", "personal_email")


def account_of(user: Mapping[str, Any]) -> Account:
    """Return the account as the directory shows it."""
    name = user.get("name") or {}
    work = _first(user.get("organizations"))
    manager: Mapping[str, Any] = next((r for r in user.get("relations") or () if r.get("type") == "manager"), {})
    number: Mapping[str, Any] = next((e for e in user.get("externalIds") or () if e.get("type") == "organization"), {})
    attributes = {
        "first_name": name.get("givenName") or "",
        "last_name": name.get("familyName") or "",
        "display_name": name.get("fullName") or "",
        "title": work.get("title") or "",
        "department": work.get("department") or "",
        "location": work.get("location") or "",
        "employee_id": number.get("value") or "",
        "manager": str(manager.get("value") or "").lower(),
        "personal_email": user.get("recoveryEmail") or "",
        "aliases": [str(alias).lower() for alias in user.get("aliases") or ()],
        "org_unit": user.get("orgUnitPath") or "",
    }
    return Account(
        str(user["id"]),
        str(user["primaryEmail"]),
        not user.get("suspended") and not user.get("archived"),
        str(user["primaryEmail"]).lower(),
        attributes,
        pending="" if user.get("isMailboxSetup", True) else "its mailbox is still being created",
        raw=user,
    )


def _first(rows: Any) -> Mapping[str, Any]:
    """Return the primary entry of a list, else the first one, else an empty one: Google's profile fields are lists."""
    found = [row for row in rows or () if isinstance(row, dict)]
    return next((row for row in found if row.get("primary")), found[0] if found else {})


def fields_of(user: Mapping[str, Any], attributes: Mapping[str, Any], *, system: str) -> dict[str, Any]:
    """Return the body of a PATCH that sets our attributes. A list is sent whole, with its other entries.

    :raises Unsupported: the directory has no field for an attribute.
    """
    refuse_unkept(attributes, ATTRIBUTES, keeper="Google", system=system)
    body: dict[str, Any] = {}
    names = {"first_name": "givenName", "last_name": "familyName"}
    if names.keys() & attributes.keys():
        body["name"] = {theirs: attributes[ours] for ours, theirs in names.items() if ours in attributes}
    work = {key: attributes[key] for key in ("title", "department", "location") if key in attributes}
    if work:
        before = _first(user.get("organizations"))
        others = [row for row in user.get("organizations") or () if row is not before]
        body["organizations"] = [{"primary": True, **before, **work}, *others]
    if "employee_id" in attributes:
        kept = [row for row in user.get("externalIds") or () if row.get("type") != "organization"]
        body["externalIds"] = [*kept, {"type": "organization", "value": attributes["employee_id"]}]
    if "manager" in attributes:
        kept = [row for row in user.get("relations") or () if row.get("type") != "manager"]
        body["relations"] = [*kept, {"type": "manager", "value": attributes["manager"]}]
    if "personal_email" in attributes:
        body["recoveryEmail"] = attributes["personal_email"]
    return body


class GoogleAccounts:
    """Finds, creates, changes and deletes accounts, in the administrator's name."""

    def __init__(self, api: GoogleApi) -> None:
        self.api = api

    def read(self, key: str, *, act: str) -> Account | None:
        """Return the account with an id, a primary address or an alias; None when there is none."""
        user = self.api.admin().get(directory("users", key), act=act, params={"projection": "full"})
        return account_of(user) if user else None

    def search(self, query: str, *, act: str) -> Iterator[Account]:
        """Return the accounts that match a query: https://developers.google.com/admin-sdk/directory/v1/guides/search-users"""
        rows = self.api.listed(
            self.api.admin(),
            directory("users"),
            "users",
            act=act,
            customer="my_customer",
            query=query,
            projection="full",
        )
        return (account_of(row) for row in rows)

    def active(self, *, act: str) -> Iterator[Account]:
        """Return every account that is neither suspended nor archived."""
        return (one for one in self.search("isSuspended=false", act=act) if one.active)

    def numbered(self, number: str, *, act: str) -> Iterator[Account]:
        """Return the accounts that Google finds for an employee number; the caller compares the numbers."""
        escaped = number.replace(chr(92), chr(92) * 2).replace("'", chr(92) + "'")
        return self.search(f"externalId:'{escaped}'", act=act)

    def create(self, person: Person, address: str, attributes: Mapping[str, Any], *, org_unit: str) -> None:
        """Create a suspended account with a random password that nobody knows; :meth:`set_suspended` opens it."""
        body = {
            "primaryEmail": address,
            "name": {"givenName": person.first_name, "familyName": person.last_name},
            "password": new_password(),
            "changePasswordAtNextLogin": True,
            "suspended": True,
            **({"orgUnitPath": org_unit} if org_unit else {}),
            **fields_of({}, attributes, system=self.api.target.name),
        }
        self.api.admin().send("POST", directory("users"), act=f"create account of {address}", json=body)

    def update(self, account: Account, attributes: Mapping[str, Any]) -> None:
        body = fields_of(account.raw, attributes, system=self.api.target.name)
        self.patch(account, body, f"update {account.login}")

    def patch(self, account: Account, body: Mapping[str, Any], act: str) -> None:
        self.api.admin().send("PATCH", directory("users", account.id), act=act, json=dict(body), retry_safe=True)

    def set_suspended(self, account: Account, suspended: bool) -> None:
        act = f"{'suspend' if suspended else 'let in'} {account.login}"
        archived = {"archived": False} if account.raw.get("archived") and not suspended else {}
        self.patch(account, {"suspended": suspended, **archived}, act)

    def archive(self, account: Account) -> None:
        """Archive the account: an Archived User licence replaces its own, and keeps its data.

        https://support.google.com/a/answer/9048836
        """
        self.patch(account, {"archived": True}, f"archive {account.login}")

    def delete(self, account: Account) -> None:
        act = f"delete {account.login}"
        self.api.admin().send("DELETE", directory("users", account.id), act=act, missing=(404,))

    def find_deleted(self, address: str) -> Account | None:
        """Return the deleted account that had an address; Google keeps deleted accounts for 20 days.

        :raises AmbiguousIdentity: several deleted accounts had the address.
        """
        act = f"find deleted account of {address}"
        rows = self.api.listed(
            self.api.admin(),
            directory("users"),
            "users",
            act=act,
            customer="my_customer",
            showDeleted="true",
        )
        found = [one for one in map(account_of, rows) if one.email == address.lower()]
        said, hint = f"deleted accounts had the address {address}", "restore the right one in the admin console"
        return at_most_one(found, said, act=act, system=self.api.target.name, hint=hint)

    def undelete(self, account: Account, *, org_unit: str) -> None:
        act = f"restore {account.login}"
        body = {"orgUnitPath": org_unit or "/"}
        self.api.admin().send("POST", directory("users", account.id, "undelete"), act=act, json=body)

    # -- address -------------------------------------------------------------------------------------------------------

    def addresses(self, account: Account) -> Addresses:
        """Return the addresses. There is no separate login: people sign in with any of their addresses."""
        return Addresses(account.email, tuple(sorted(account.attributes["aliases"])))

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        """Change the primary address; Google keeps the former one as an alias by itself.

        :raises NotFound: the account was deleted meanwhile.
        """
        act = f"change address of {account.login}"
        if account.email != address.lower():
            self.patch(account, {"primaryEmail": address}, act)
        now = self.read(account.id, act=act)
        if now is None:
            raise NotFound(
                "the account does not exist any more", act=act, system=self.api.target.name, hint="run again"
            )
        for alias in sorted({alias.lower() for alias in aliases} - {now.email, *now.attributes["aliases"]}):
            where = directory("users", account.id, "aliases")
            # 409: the account has this alias already.
            self.api.admin().send("POST", where, act=act, json={"alias": alias}, missing=(409,), retry_safe=True)


def new_password() -> str:
    """Return a random password that nobody keeps."""
    return secrets.token_urlsafe(48)
