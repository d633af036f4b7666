# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A GitHub organisation, in Enterprise Cloud, Team or Enterprise Server.

A GitHub account belongs to the person: a joiner gets an invitation, and a leaver loses the membership. For three months a removed
membership can be restored (``role: reinstate`` brings back role, teams and private forks). Only the removal ends sessions in the web, so
a cut-off removes the membership.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import (
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Clock, Option, Target
from ...sdk.values import (
    AccessPath,
    Account,
    Entitlement,
    Owned,
    WayBack,
)
from .access import GitHubAccess
from .api import GitHubApi
from .entitlements import GitHubEntitlements
from .listing import GitHubListing
from .membership import Membership
from .ownership import GitHubOwnership
from .people import NO_LOGIN, People


class GitHub(GitHubListing):
    TITLE = "GitHub organisation"
    #: "Make requests serially instead of concurrently":
    #: https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api
    PARALLEL = 1
    NAMES_FROM = "the person, who owns the account"
    OWN_ACCOUNTS = True
    CLOCKS = (
        Clock(
            "teams, roles and private forks as they were",
            90,
            ("membership", "account"),
            "invite them back: account, state: active",
            "https://docs.github.com/organizations/managing-membership-in-your-organization/reinstating-a-former-member-of-your-organization",
        ),
    )
    DEFAULT_URL = "https://api.github.com"
    OPTIONS = {
        "org": Option("The organisation's login.", required=True),
        "enterprise": Option(
            "The enterprise's slug: needed when enterprise teams give membership of the organisation."
        ),
        "deploy_keys": Option(
            "What happens to deploy keys that a leaver added.", choices=("revoke", "decide"), default="revoke"
        ),
    }
    CREDENTIALS = {
        "token": Option(
            "A classic token of an owner with admin:org, repo and admin:enterprise. An app is better: only an app sees fine-grained tokens."
        ),
        "app_id": Option("The GitHub App's id."),
        "installation_id": Option("The id of the app's installation in the organisation."),
        "private_key": Option("The app's private key, PEM."),
    }
    PERMISSIONS = {
        "accounts": ("Organization: Members (write)", "Organization: Administration (read)"),
        "provisioning": ("Organization: Members (write)",),
        "cutoff": (
            "Organization: Members (write)",
            "Organization: Administration (write)",
            "Organization: Personal access tokens (write)",
            "Organization: Codespaces (write)",
            "Organization: GitHub Copilot Business (write)",
        ),
        "entitlements": ("Organization: Members (write)", "Organization: GitHub Copilot Business (write)"),
        "ownership": (
            "Repository: Administration (write)",
            "Repository: Contents (read)",
            "Repository: Secrets (read)",
            "Organization: Members (read)",
        ),
        "account_listing": (
            "Organization: Members (read)",
            "Organization: Administration (read)",
            "Organization: GitHub Copilot Business (read)",
        ),
        "credential_listing": (
            "Repository: Administration (read)",
            "Organization: Administration (read)",
            "Organization: Personal access tokens (read)",
        ),
    }
    #: GitHub revokes credentials in the background (202).
    SETTLES_WITHIN = 5.0
    LOGIN = "{github_login}"
    ATTRIBUTES: Sequence[str] = ()
    #: GitHub has no employee numbers.
    LOOKS_UP = frozenset({Kind.ID, Kind.SUBJECT, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP
    ADMINISTRATORS = (("roles", "owner"),)
    ENTITLEMENT_KINDS: Sequence[str] = ("roles", "teams", "seats")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = GitHubApi(target)
        self.org = at("/orgs/{}", target.options["org"])
        self.people = People(self.api, target.options["org"], self.org)
        self.membership = Membership(self.api, self.org)
        self._rights = GitHubEntitlements(self.api, self.org, target.name, self.membership, self.synchronised)
        self._access = GitHubAccess(self.api, self.org, target, self.membership, self._rights)
        self._owned = GitHubOwnership(self.api, self.org, target, self.people)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        return self.people.candidates(keys)

    def _login(self, person: Person) -> str | None:
        """Return the handle from HR or from the login pattern; None without one."""
        keys = self.keys_of(person)
        return next((login for login in (*keys.logins, *keys.patterned) if login != NO_LOGIN), None)

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """Invite a person by their login if it is known, else by e-mail. The person has to accept."""
        login = self._login(person)
        if login is not None:
            self.membership.invite(login)
        else:
            self.api.send(
                "POST",
                self.org.below("/invitations"),
                act=f"invite {person.email}",
                json={"email": person.email, "role": "direct_member"},
            )

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        raise Unsupported(
            "a GitHub profile belongs to the person",
            act=f"update {account.login}",
            system=self.target.name,
            hint="the person changes it",
        )

    def delete_account(self, account: Account) -> None:
        raise Unsupported(
            "a GitHub account belongs to the person; only their membership can end",
            act=f"delete {account.login}",
            system=self.target.name,
            hint="use state suspended",
        )

    def set_active(self, account: Account, active: bool) -> None:
        """See :meth:`Membership.set_active`."""
        self.membership.set_active(account, active)

    def administers(self, account: Account) -> bool:
        return bool((account.raw.get("membership") or {}).get("role") == "admin")

    def administrators(self) -> Iterator[str]:
        return (str(user["id"]) for user in self._owners())

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self._access.ways_back(account, closed)

    # -- entitlements --------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return self._rights.held(account)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return self._rights.find(kind, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._rights.grant(account, entitlement)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self._rights.revoke(account, entitlement)

    # -- ownership -----------------------------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        return self._owned.owned(account)

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        self._owned.reassign(account, owned, successor)

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        return self._owned.handed_over(account, heir)

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        self._owned.hand_back(account, heir, owned, keep=keep)
