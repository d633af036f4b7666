# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A user of Google Workspace as an account, and back: https://developers.google.com/admin-sdk/directory/reference/rest/v1/users"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import NotFound
from ...model.person import Person
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
        pending="" if user.get("isMailboxSetup", True) else "its mailbox is still being made",
        raw=user,
    )


def _first(rows: Any) -> Mapping[str, Any]:
    """Return the primary of several, else the first; Google's profile fields are lists."""
    found = [row for row in rows or () if isinstance(row, dict)]
    return next((row for row in found if row.get("primary")), found[0] if found else {})


def fields_of(user: Mapping[str, Any], attributes: Mapping[str, Any], *, system: str) -> dict[str, Any]:
    """Return what a PATCH needs to set our attributes. A list is sent whole, with what else stands in it.

    :raises Unsupported: an attribute that the directory keeps nowhere.
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
    """Finds, makes, changes and ends accounts, in the administrator's name."""

    def __init__(self, api: GoogleApi) -> None:
        self.api = api

    def read(self, key: str, *, act: str) -> Account | None:
        """Return the account under an id, a primary address or an alias; None when there is none."""
        user = self.api.admin().get(directory("users", key), act=act, params={"projection": "full"})
        return account_of(user) if user else None

    def search(self, query: str, *, act: str) -> Iterator[Account]:
        """Return accounts that answer to a query: https://developers.google.com/admin-sdk/directory/v1/guides/search-users"""
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
        """Return everybody who is not suspended."""
        return (one for one in self.search("isSuspended=false", act=act) if one.active)

    def numbered(self, number: str, *, act: str) -> Iterator[Account]:
        """Return accounts with an employee number; what Google takes for a match is compared by who asked."""
        escaped = number.replace(chr(92), chr(92) * 2).replace("'", chr(92) + "'")
        return self.search(f"externalId:'{escaped}'", act=act)

    def create(self, person: Person, address: str, attributes: Mapping[str, Any], *, org_unit: str) -> None:
        """Make it with a random password that nobody knows, suspended until :meth:`set_suspended` opens it."""
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
        """Keep the account and its data under an Archived User licence, which takes the place of its own.

        https://support.google.com/a/answer/9048836
        """
        self.patch(account, {"archived": True}, f"archive {account.login}")

    def delete(self, account: Account) -> None:
        act = f"delete {account.login}"
        self.api.admin().send("DELETE", directory("users", account.id), act=act, missing=(404,))

    def find_deleted(self, address: str) -> Account | None:
        """Return a deleted account, which Google keeps for 20 days, by the address it had."""
        rows = self.api.listed(
            self.api.admin(),
            directory("users"),
            "users",
            act=f"find deleted account of {address}",
            customer="my_customer",
            showDeleted="true",
        )
        found = [account_of(row) for row in rows]
        return next((one for one in found if one.email == address.lower()), None)

    def undelete(self, account: Account, *, org_unit: str) -> None:
        act = f"restore {account.login}"
        body = {"orgUnitPath": org_unit or "/"}
        self.api.admin().send("POST", directory("users", account.id, "undelete"), act=act, json=body)

    # -- address -------------------------------------------------------------------------------------------------------

    def addresses(self, account: Account) -> Addresses:
        """People sign in with any of their addresses; the login is none of its own."""
        return Addresses(account.email, tuple(sorted(account.attributes["aliases"])))

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        """Change the primary address; Google keeps the former one as an alias by itself.

        :raises NotFound: the account went meanwhile.
        """
        act = f"change address of {account.login}"
        if account.email != address.lower():
            self.patch(account, {"primaryEmail": address}, act)
        now = self.read(account.id, act=act)
        if now is None:
            raise NotFound("the account is not there any more", act=act, system=self.api.target.name)
        for alias in sorted({alias.lower() for alias in aliases} - {now.email, *now.attributes["aliases"]}):
            where = directory("users", account.id, "aliases")
            # 409: it is there already.
            self.api.admin().send("POST", where, act=act, json={"alias": alias}, missing=(409,), retry_safe=True)


def new_password() -> str:
    """Random, and thrown away."""
    return secrets.token_urlsafe(48)
