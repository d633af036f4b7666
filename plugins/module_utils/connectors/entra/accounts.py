# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Users of Entra ID: the fields that Graph has for them, and every change of a user."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...model.errors import InputError, NotFound, Refused
from ...model.person import Person
from ...sdk.address import UrlPath, at
from ...sdk.at_most_one import at_most_one
from ...sdk.transport import Transport
from ...sdk.values import Account
from ..microsoft.graph import graph_pages
from ..microsoft.people import keys_in, user_at

#: Our name of an attribute -> Graph's property (https://learn.microsoft.com/graph/api/resources/user).
PROPERTIES: Mapping[str, str] = {
    "first_name": "givenName",
    "last_name": "surname",
    "display_name": "displayName",
    "title": "jobTitle",
    "department": "department",
    "location": "officeLocation",
    "country": "usageLocation",
    "company": "companyName",
    "employee_id": "employeeId",
    "employment_type": "employeeType",
    "hire_date": "employeeHireDate",
    "mobile_phone": "mobilePhone",
    "preferred_language": "preferredLanguage",
}
SELECT = ",".join(
    (
        "id",
        "userPrincipalName",
        "mail",
        "accountEnabled",
        "userType",
        "onPremisesSyncEnabled",
        "signInSessionsValidFromDateTime",
        "lastPasswordChangeDateTime",
        *PROPERTIES.values(),
    )
)
SYNCED = "synchronised from on-premises Active Directory: change it there"


class EntraAccounts:
    """Creates, changes, deletes and restores users.

    :param settles: how long some replicas of the directory may not know a new account, in seconds.
    """

    def __init__(self, graph: Transport, system: str, settles: float) -> None:
        self.graph, self.system, self.settles = graph, system, settles

    def set_active(self, account: Account, active: bool) -> None:
        self.patch(account, {"accountEnabled": active}, f"{'enable' if active else 'disable'} {account.login}")

    def create(self, login: str, person: Person, attributes: Mapping[str, Any]) -> None:
        """Create an account that can sign in, with a password that nobody knows: the first credential is a Temporary Access Pass."""
        act = f"create account {login}"
        nickname = re.sub(r"[^A-Za-z0-9._-]", "", login.partition("@")[0])[:64]
        values = {
            **values_of(attributes),
            "accountEnabled": True,
            "userPrincipalName": login,
            "mailNickname": nickname,
            "passwordProfile": {"password": unknown_password(), "forceChangePasswordNextSignIn": True},
        }
        values.setdefault("displayName", person.name)
        made = self.graph.send("POST", "/users", act=act, json=values).body
        if attributes.get("manager"):
            self._when_replicated(lambda: self._set_manager(made["id"], str(attributes["manager"]), act))

    def update(self, account: Account, attributes: Mapping[str, Any]) -> None:
        values = values_of(attributes)
        if values:
            self.patch(account, values, f"change {', '.join(attributes)} of {account.login}")
        if "manager" in attributes:
            self.refuse_synced(account, "change manager")
            self._set_manager(account.id, str(attributes["manager"] or ""), f"set manager of {account.login}")

    def set_login(self, account: Account, login: str) -> None:
        self.patch(account, {"userPrincipalName": login}, f"change login of {account.login}")

    def delete(self, account: Account) -> None:
        """Move the account to the deleted items, where it stays for 30 days."""
        self.refuse_synced(account, "delete account")
        self.graph.send("DELETE", user_path(account.id), act=f"delete account {account.login}", missing=(404,))

    def find_deleted(self, login: str, person: Person) -> Account | None:
        login = login.casefold()
        rows = [
            row
            for row in graph_pages(
                self.graph,
                "/directory/deletedItems/microsoft.graph.user",
                act=f"find deleted account {login}",
                params={"$select": "id,userPrincipalName,mail,employeeId,deletedDateTime"},
            )
            if row["userPrincipalName"].casefold().removeprefix(row["id"].replace("-", "")) == login
            and (not person.employee_id or not row.get("employeeId") or row["employeeId"] == person.employee_id)
        ]
        said, hint = f"deleted accounts had the login {login}", "restore the right one in the Entra admin centre"
        row = at_most_one(rows, said, act=f"find deleted account {login}", system=self.system, hint=hint)
        return Account(row["id"], login, False, row.get("mail") or "", raw=row) if row else None

    def restore(self, account: Account) -> None:
        """Restore a deleted account with its groups and licences, and let it sign in."""
        self.graph.send(
            "POST", at("/directory/deletedItems/{}/restore", account.id), act=f"restore account {account.login}"
        )
        self._when_replicated(lambda: self.set_active(account, True))

    def _set_manager(self, id: str, manager: str, act: str) -> None:
        if not manager:
            self.graph.send("DELETE", user_path(id).below("/manager/$ref"), act=act, missing=(404,))
            return
        found = self.graph.get(
            user_path(manager), act=f"find manager {manager}", params={"$select": "id,userPrincipalName"}
        )
        if found is None:
            raise InputError(
                f"the manager {manager} has no account here",
                act=act,
                system=self.system,
                hint="correct the manager in HR",
            )
        self.graph.send(
            "PUT",
            user_path(id).below("/manager/$ref"),
            act=act,
            json={"@odata.id": self.graph.link(at("/users/{}", found["id"]))},
        )

    def patch(self, account: Account, values: Mapping[str, Any], act: str) -> None:
        self.refuse_synced(account, act)
        self.graph.send("PATCH", user_path(account.id), act=act, json=values, retry_safe=True)

    def refuse_synced(self, account: Account, act: str) -> None:
        if account.protected:
            raise Refused(account.protected, act=act, system=self.system)

    def _when_replicated(self, write: Callable[[], None]) -> None:
        """Repeat a call while the answer is 404: some replicas of the directory learn of a new account later."""
        deadline, pause = time.monotonic() + self.settles, 0.2
        while True:
            try:
                return write()
            except NotFound:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 5.0)


def user_path(key: str) -> UrlPath:
    """Return the path of one user, by object id or sign-in name."""
    return user_at(at("/users"), key)


def account_of(row: Mapping[str, Any]) -> Account:
    attributes = {ours: row.get(theirs) or "" for ours, theirs in PROPERTIES.items()}
    attributes["hire_date"], attributes["user_type"] = attributes["hire_date"][:10], row.get("userType") or ""
    manager = row.get("manager") or {}
    attributes["manager"] = (manager.get("mail") or manager.get("userPrincipalName") or "").lower()
    return Account(
        row["id"],
        row["userPrincipalName"],
        bool(row.get("accountEnabled")),
        row.get("mail") or "",
        attributes,
        SYNCED if row.get("onPremisesSyncEnabled") else "",
        raw=row,
        keys=keys_in(row),
    )


def values_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as Graph's properties: null clears a property, and a hire date becomes a moment."""
    values: dict[str, Any] = {
        PROPERTIES[name]: value or None for name, value in attributes.items() if name in PROPERTIES
    }
    if values.get("employeeHireDate"):
        values["employeeHireDate"] = f"{values['employeeHireDate'][:10]}T00:00:00Z"
    return values


def unknown_password() -> str:
    """Return a random password that nobody keeps; its last characters satisfy every rule of complexity."""
    return secrets.token_urlsafe(32) + "aA1!"
