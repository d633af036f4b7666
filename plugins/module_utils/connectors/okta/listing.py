# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All accounts of Okta, deactivated ones too, and the API tokens that work without their maker."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.errors import NotFound
from ...sdk.values import Credential, Listed
from .accounts import account_of
from .api import OktaApi, path
from .entitlements import OktaEntitlements

#: The most users that one page holds: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
PAGE = 200


class OktaListing:
    """Lists accounts, members and credentials, page by page."""

    def __init__(self, api: OktaApi, entitlements: OktaEntitlements) -> None:
        self.api, self.entitlements = api, entitlements

    def accounts(self) -> Iterator[Listed]:
        """Yield every account. The plain list leaves out deactivated accounts, so they are read by a second list."""
        act = "list accounts"
        deactivated = {"filter": 'status eq "DEPROVISIONED"'}
        for only in ({}, deactivated):
            for row in self.api.listed(path("users"), act=act, limit=PAGE, **only):
                yield Listed(account_of(row), last_seen=row.get("lastLogin") or "", created=row.get("created") or "")

    def members(self, kind: str, name: str) -> Iterator[str]:
        """Yield ids, logins and addresses of the accounts that have a group, an app or a role.

        :raises NotFound: Okta has no group, app or role of this name.
        """
        act = f"list members of {name}"
        found = self.entitlements.find(kind, name)
        if found is None:
            raise NotFound(
                f"it has no {name} among its {kind}",
                act=act,
                system=self.api.target.name,
                hint="correct the name in policy or in the access profile",
            )
        if kind == "groups":
            for row in self.api.listed(path("groups", found.id, "users"), act=act, limit=PAGE):
                account = account_of(row)
                yield from dict.fromkeys(one for one in (account.id, account.login, account.email) if one)
        elif kind == "apps":
            for row in self.api.listed(path("apps", found.id, "users"), act=act, limit=PAGE):
                yield str(row["id"])
        else:
            for user in self.api.administrators(act=act):
                roles = self.api.listed(path("users", user, "roles"), act=act)
                if any(role["type"] == found.id for role in roles):
                    yield user

    def holders(self, kind: str, name: str) -> Iterator[str]:
        """Yield id, login and address of everybody who has a group, an app or a role: apps and roles are listed by id alone.

        A role through a group is among a person's roles (``assignmentType`` is GROUP).
        """
        members = self.members(kind, name)
        if kind == "groups":
            yield from members
            return
        for id in members:
            user = self.api.get(path("users", id), act=f"list members of {name}")
            account = account_of(user) if user else None
            yield from dict.fromkeys((id, account.login, account.email) if account else (id,))

    def credentials(self) -> Iterator[Credential]:
        """Yield the API tokens; ``maker`` is the user's id."""
        for token in self.api.listed(path("api-tokens"), act="list API tokens"):
            yield Credential(
                "API token",
                str(token["id"]),
                str(token["name"]),
                str(token.get("userId") or ""),
                created=str(token.get("created") or ""),
                expires=str(token.get("expiresAt") or ""),
            )
