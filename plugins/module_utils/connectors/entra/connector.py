# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft Entra ID, over Graph v1.0 (https://learn.microsoft.com/graph/api/resources/user), signed in as an app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from ...model import clock
from ...model.addresses import LoginRule
from ...model.errors import PermissionDenied, Unsupported
from ...model.person import Person
from ...sdk.address import UrlPath, at
from ...sdk.keys import PersonKeys
from ...sdk.target import Clock, Option, Target
from ...sdk.values import AccessPath, Account, Addresses, WayBack
from ..microsoft.graph import GRAPH_CREDENTIALS, GRAPH_OPTIONS, graph_transport
from ..microsoft.people import LOOKS_UP, users
from .access import EntraAccess, cloud
from .accounts import PROPERTIES, SELECT, EntraAccounts, account_of, user_path
from .entitlements import ADMINISTRATORS
from .listing import EntraListing
from .methods import SignInMethods

#: Licences that carry a mailbox and a OneDrive, by part number.
_OFFICE = tuple(
    f"licences: {name}"
    for name in (
        "SPE_*",
        "SPB*",
        "ENTERPRISEPACK*",
        "ENTERPRISEPREMIUM*",
        "STANDARDPACK*",
        "DESKLESSPACK*",
        "O365_BUSINESS*",
        "M365*",
        "Microsoft_365*",
    )
)


class Entra(EntraListing):
    """Microsoft Entra ID."""

    TITLE = "Microsoft Entra ID"
    #: 3,500 resource units in ten seconds for an app in the smallest tenant; a leaver costs about 40, each a round trip:
    #: https://learn.microsoft.com/graph/throttling-limits (identity and access)
    PARALLEL = 8
    #: https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/plan-connect-userprincipalname
    LOGIN_RULE = LoginRule(
        r"[A-Za-z0-9'._!#^~-]+@[A-Za-z0-9.-]+", "ASCII letters, digits and ' . - _ ! # ^ ~", longest=113
    )
    CARRIES_DATA = True
    CLOCKS = (
        Clock(
            "the account, with its groups and licences",
            30,
            ("account",),
            "restore it: account, state: present",
            "https://learn.microsoft.com/entra/fundamentals/users-restore",
        ),
        Clock(
            "the mailbox of the deleted account",
            30,
            ("account",),
            "restore the account, or hold the mailbox",
            "https://learn.microsoft.com/exchange/recipients-in-exchange-online/delete-or-restore-mailboxes",
        ),
        Clock(
            "the OneDrive of the deleted account, unless SharePoint's retention says longer",
            30,
            ("account",),
            "restore the account, or copy the files",
            "https://learn.microsoft.com/sharepoint/retention-and-deletion",
        ),
        Clock(
            "the mailbox, which has no licence any more",
            30,
            (*_OFFICE, "licences: EXCHANGE*"),
            "give the licence back, or make the mailbox shared",
            "https://learn.microsoft.com/exchange/recipients-in-exchange-online/delete-or-restore-mailboxes",
            ("type", "shared"),
        ),
        Clock(
            "the OneDrive, which has no licence any more: it is archived then",
            93,
            (*_OFFICE, "licences: SHAREPOINT*"),
            "give a licence back, or copy the files (from day 60 it can only be read)",
            "https://learn.microsoft.com/sharepoint/unlicensed-onedrive-accounts",
        ),
    )
    DEFAULT_URL = "https://graph.microsoft.com/v1.0"
    CREDENTIALS = GRAPH_CREDENTIALS
    OPTIONS = {
        **GRAPH_OPTIONS,
        "sender": Option(
            "Address of the mailbox that sends first credentials; without it none can be issued.", default=""
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": ("User.Read.All",),
        "provisioning": (
            "User.ReadWrite.All",
            "User-PasswordProfile.ReadWrite.All",
            "MailboxSettings.Read",
            "and the role User Administrator",
        ),
        "restorable": ("User.DeleteRestore.All",),
        "cutoff": (
            "User.EnableDisableAccount.All",
            "User.RevokeSessions.All",
            "User-PasswordProfile.ReadWrite.All",
            "UserAuthenticationMethod.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
            "GroupMember.ReadWrite.All",
            "DelegatedPermissionGrant.ReadWrite.All",
            "Device.ReadWrite.All",
            "and the role User Administrator; Privileged Authentication Administrator where leavers hold admin roles",
        ),
        "entitlements": (
            "GroupMember.ReadWrite.All",
            "LicenseAssignment.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
            "AppRoleAssignment.ReadWrite.All",
            "Application.Read.All",
            "Organization.Read.All",
        ),
        "first_sign_in": ("UserAuthenticationMethod.ReadWrite.All", "Mail.Send"),
        "security_controls": ("UserAuthenticationMethod.Read.All",),
        "ownership": ("Group.ReadWrite.All", "Application.ReadWrite.All", "User.Read.All", "Device.Read.All"),
        "account_listing": (
            "User.Read.All",
            "GroupMember.Read.All",
            "RoleManagement.Read.Directory",
            "Application.Read.All",
            "Organization.Read.All",
            "AuditLog.Read.All and Entra ID P1, for when an account was last used; without them that stays empty",
        ),
        "credential_listing": ("Application.Read.All", "User.Read.All", "Directory.Read.All"),
    }
    #: The directory has many replicas. Most show a write within seconds.
    SETTLES_WITHIN = 30.0
    ADMINISTRATORS = ADMINISTRATORS
    ATTRIBUTES: Sequence[str] = (*PROPERTIES, "manager")
    CONTROLS: Sequence[str] = ("mfa_registered", "phishing_resistant")
    USER_FIELDS: ClassVar[str] = ",".join((SELECT, "proxyAddresses", "otherMails"))
    LOOKS_UP = LOOKS_UP
    COMPARES = LOOKS_UP

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.graph = graph_transport(target, scope=target.options["graph_scope"])
        self._accounts = EntraAccounts(self.graph, target.name, self.SETTLES_WITHIN)
        self._sign_in = SignInMethods(self.graph, target.name, str(target.options.get("sender") or ""))
        self._access = EntraAccess(self.graph, self._accounts, self._sign_in, self)
        self._skew = timedelta(0)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield the users that :func:`microsoft.people.users` finds, each with its manager."""
        expand = "manager($select=id,userPrincipalName,mail)"
        for row in users(self.graph, at("/users"), keys, select=SELECT.split(","), expand=expand, get=self._read_user):
            yield account_of(row)

    def _read_user(self, path: UrlPath, act: str, params: Mapping[str, str]) -> Any:
        answer = self.graph.send("GET", path, act=act, params=params, missing=(404,))
        self._note_time(answer.headers.get("Date"))
        return answer.body if answer.status == 200 else None

    def listed_account(self, row: Mapping[str, Any]) -> Account:
        """Return a listed user without the vendor's answer, to save memory, and without the manager, which a list does not show."""
        found = account_of(row)
        return replace(
            found, attributes={name: value for name, value in found.attributes.items() if name != "manager"}, raw={}
        )

    def _note_time(self, date: str | None) -> None:
        # Times that Graph writes are compared with "since" of our clock, and the two clocks can differ.
        if date:
            self._skew = parsedate_to_datetime(date) - clock.now()

    def set_active(self, account: Account, active: bool) -> None:
        self._accounts.set_active(account, active)

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        self._accounts.create(self.login_of(person), person, attributes)

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        self._accounts.update(account, attributes)

    def addresses(self, account: Account) -> Addresses:
        """Return the login only. Exchange owns the addresses, and writes them to the directory."""
        return Addresses(login=account.login.lower())

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        raise Unsupported(
            "addresses belong to the mailbox",
            act=f"change address of {account.login}",
            system=self.target.name,
            hint="change them on the Exchange system",
        )

    def set_login(self, account: Account, login: str) -> None:
        self._accounts.set_login(account, login)

    def delete_account(self, account: Account) -> None:
        self._accounts.delete(account)

    def find_deleted(self, person: Person) -> Account | None:
        return self._accounts.find_deleted(self.login_of(person), person)

    def restore_account(self, account: Account) -> None:
        self._accounts.restore(account)

    def carries(self, account: Account) -> str:
        """Return why deleting the account would delete a shared mailbox too; empty when it would not.

        https://learn.microsoft.com/microsoft-365/admin/email/convert-user-mailbox-to-shared-mailbox
        """
        act = f"look whether the mailbox of {account.login} is shared"
        try:
            said = self.graph.get(
                user_path(account.id).below("/mailboxSettings"), act=act, params={"$select": "userPurpose"}
            )
        except PermissionDenied as e:
            return f"whether its mailbox is shared can't be read ({e})"
        shared = (said or {}).get("userPurpose") in ("shared", "room", "equipment", "others")
        return (
            "its mailbox is shared, and would be deleted too: make it a user mailbox again when nobody needs it"
            if shared
            else ""
        )

    def administers(self, account: Account) -> bool:
        return any(("roles", role.name) in ADMINISTRATORS for role in self.roles_of(cloud(account)))

    def administrators(self) -> Iterator[str]:
        """Yield the ids of users who hold the role, directly or through a group, and can sign in."""
        act = "list global administrators"
        for kind, name in ADMINISTRATORS:
            role = self.find_entitlement(kind, name)
            for row in self._principals(self._holders(role, act), act) if role is not None else ():
                user = self.graph.get(user_path(row["id"]), act=act, params={"$select": "id,accountEnabled"})
                if user is not None and user.get("accountEnabled"):
                    yield row["id"]

    # -- cut-off, first sign-in, controls ------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account, since, self._skew)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self._access.ways_back(account, closed)

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        return self._sign_in.first_sign_in(account)

    def issue_first_sign_in(self, account: Account, *, deliver_to: str, lifetime_minutes: int, starts_at: str) -> None:
        self._sign_in.issue(account, deliver_to=deliver_to, lifetime_minutes=lifetime_minutes, starts_at=starts_at)

    def controls(self, account: Account) -> Mapping[str, bool]:
        return self._sign_in.controls(account)
