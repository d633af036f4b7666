# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Okta: the identity provider that people sign in to most SaaS products through.

Source: https://developer.okta.com/docs/api/openapi/okta-management/management/ (2026.06)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ...model.errors import Conflict
from ...model.person import Person
from ...sdk.keys import Kind, PersonKeys
from ...sdk.quotes import quoted
from ...sdk.side_by_side import answers
from ...sdk.target import Connector, Option, Target
from ...sdk.values import AccessPath, Account, Addresses, Credential, Entitlement, Listed, WayBack
from .access import DEPROVISIONED, SUSPENDED, OktaAccess
from .accounts import PROPERTIES, account_of, profile_of
from .api import OktaApi, path
from .entitlements import KINDS, OktaEntitlements
from .listing import OktaListing

#: The most clauses of one search, so that its address does not become too long.
CLAUSES = 20
#: Factors that do not count as a second factor: something that the person knows, or a mailbox.
_WEAK = frozenset({"question", "email", "password"})
#: Factors that resist phishing.
_PHISHING_RESISTANT = frozenset({"webauthn", "u2f", "signed_nonce"})


class Okta(Connector):
    TITLE = "Okta"
    #: 75 transactions at once for the whole organisation; large loads "rarely require more than 10":
    #: https://developer.okta.com/docs/reference/rl-additional-limits/
    PARALLEL = 8
    OPTIONS = {
        "end_state": Option(
            "What a cut-off does to the account: deactivate, which removes every app assignment; or suspend, which keeps them.",
            choices=("deactivate", "suspend"),
            default="deactivate",
        ),
        "activation_mail": Option(
            "Whether Okta mails its activation link to the person's own addresses when an account is opened.",
            kind="bool",
            default=True,
        ),
        "scopes": Option("Scopes of the service app, when it has fewer than the connector's page names.", kind="list"),
    }
    CREDENTIALS = {
        "api_token": Option("An API token of an administrator account that belongs to no employee."),
        "client_id": Option("Client id of a service app."),
        "private_key": Option("The service app's private key, PEM."),
        "key_id": Option("The key's id (kid), when the app has several."),
    }
    PERMISSIONS = {
        "accounts": ("okta.users.manage",),
        "provisioning": ("okta.users.manage",),
        "cutoff": ("okta.users.manage", "okta.roles.manage", "okta.apiTokens.manage", "okta.devices.manage"),
        "entitlements": ("okta.users.manage", "okta.groups.manage", "okta.apps.manage", "okta.roles.manage"),
        "security_controls": ("okta.users.read",),
        "account_listing": ("okta.users.read", "okta.groups.read", "okta.apps.read", "okta.roles.read"),
        "credential_listing": ("okta.apiTokens.read",),
    }
    #: A job may run on after Okta has answered (``transitioningToStatus``).
    SETTLES_WITHIN = 5.0
    CREATES_CLOSED = True
    LOOKS_UP = frozenset({Kind.ID, Kind.NUMBER, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP
    ATTRIBUTES: Sequence[str] = tuple(PROPERTIES)
    ADMINISTRATORS = (("roles", "Super Administrator"),)
    ENTITLEMENT_KINDS: Sequence[str] = KINDS
    CONTROLS: Sequence[str] = ("mfa_registered", "phishing_resistant")
    LISTS_HELD: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = OktaApi(target)
        self._access = OktaAccess(self.api, deactivates=target.options.get("end_state") != "suspend")
        self._held = OktaEntitlements(self.api)
        self._listing = OktaListing(self.api, self._held)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield every user with an id or login, read directly because Okta's search shows new users late, and the users that it finds."""
        act = f"find account of {keys.person.email}"
        seen: set[str] = set()
        named = dict.fromkeys((*keys.ids, *keys.of(Kind.LOGIN), *keys.addresses))
        for user in answers(self.target, lambda key: self.api.get(path("users", key), act=act), named):
            if user and user["id"] not in seen:
                seen.add(user["id"])
                yield account_of(user)
        # A value in a search is quoted as in JSON: https://developer.okta.com/docs/api/#filter
        sought = [("profile.employeeNumber", value) for value in keys.numbers]
        sought += [(field, value) for value in keys.addresses for field in ("profile.email", "profile.login")]
        for at in range(0, len(sought), CLAUSES):
            search = " or ".join(f"{field} eq {quoted(value)}" for field, value in sought[at : at + CLAUSES])
            for user in self.api.listed(path("users"), act=act, search=search):
                if user["id"] not in seen:
                    seen.add(user["id"])
                    yield account_of(user)

    def set_active(self, account: Account, active: bool) -> None:
        """Open the account: unsuspend or activate it. Close it: suspend it when it is ACTIVE, else deactivate it."""
        status = account.raw["status"]
        if active and status == SUSPENDED:
            self._access.unsuspend(account)
        elif active:
            self._access.activate(account, mail=bool(self.target.options.get("activation_mail")))
        elif status == "ACTIVE":
            self._access.suspend(account)
        else:
            self._access.deactivate(account)

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """Create a STAGED account: nobody can sign in, and nobody gets mail, until :meth:`set_active` opens it."""
        login = self.login_of(person)
        profile = {
            **profile_of(attributes, system=self.target.name),
            "login": login,
            "email": person.email,
            "firstName": attributes.get("first_name") or person.first_name,
            "lastName": attributes.get("last_name") or person.last_name,
        }
        self.api.send(
            "POST",
            path("users"),
            act=f"create account of {login}",
            params={"activate": "false"},
            json={"profile": {name: value for name, value in profile.items() if value}},
        )

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        self._update(account, profile_of(attributes, system=self.target.name), f"update {account.login}")

    def delete_account(self, account: Account) -> None:
        """Deactivate the account, then delete it: Okta deletes only deactivated accounts.

        :raises Conflict: the deactivation has not ended yet.
        """
        act = f"delete {account.login}"
        if account.raw["status"] != DEPROVISIONED:
            self._access.deactivate(account)
            now = self.api.get(path("users", account.id), act=act)
            if now and (now["status"] != DEPROVISIONED or now.get("transitioningToStatus")):
                raise Conflict(
                    "Okta is still deactivating it", act=act, system=self.target.name, hint="run it again in a minute"
                )
        self.api.send("DELETE", path("users", account.id), act=act, params={"sendEmail": "false"}, missing=(404,))

    def addresses(self, account: Account) -> Addresses:
        """Return the address, and the login that the person types; Okta keeps no aliases."""
        return Addresses(account.email, None, account.login.lower())

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        self._update(account, {"email": address}, f"change address of {account.login}")

    def set_login(self, account: Account, login: str) -> None:
        self._update(account, {"login": login}, f"change login of {account.login}")

    def _update(self, account: Account, profile: Mapping[str, Any], act: str) -> None:
        """Change these properties of the profile: a POST to a user leaves the others, and may be sent twice."""
        self.api.send("POST", path("users", account.id), act=act, json={"profile": dict(profile)}, retry_safe=True)

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return the account and the admin roles, which open again, and what the person has to set up again."""
        backs = self._access.ways_back(account, closed, mail=bool(self.target.options.get("activation_mail")))
        held = {one.name for one in self._held.held(account) if one.kind == "roles"}
        return [self._role_back(account, back, held) if back.entitlement[0] == "roles" else back for back in backs]

    def _role_back(self, account: Account, back: WayBack, held: set[str]) -> WayBack:
        role = self._held.find("roles", back.entitlement[1])
        if role is None:
            return WayBack(back.name, lost="it is a custom role: give it by hand", entitlement=back.entitlement)
        if role.name in held:
            return WayBack(back.name, "open", entitlement=("roles", role.name))
        return WayBack(back.name, "closed", partial(self.grant, account, role), entitlement=("roles", role.name))

    def administers(self, account: Account) -> bool:
        return any(role["type"] == "SUPER_ADMIN" for role in self._access.roles(account))

    def administrators(self) -> Iterator[str]:
        return self._access.super_admins()

    # -- entitlements --------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return self._held.held(account)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return self._held.find(kind, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._held.grant(account, entitlement)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self._held.revoke(account, entitlement)

    def controls(self, account: Account) -> Mapping[str, bool]:
        kinds = {f["factorType"] for f in self._access.factors(account) if f.get("status") == "ACTIVE"}
        return {
            "mfa_registered": bool(kinds - _WEAK),
            "phishing_resistant": bool(kinds & _PHISHING_RESISTANT),
        }

    # -- listing -------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        return self._listing.accounts()

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        return self._listing.members(kind, name)

    def holders(self, kind: str, name: str) -> Iterator[str]:
        return self._listing.holders(kind, name)

    def all_credentials(self) -> Iterator[Credential]:
        return self._listing.credentials()
