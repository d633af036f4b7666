# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft Entra ID, over Graph v1.0 (https://learn.microsoft.com/graph/api/resources/user), signed in as an app."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, ClassVar

from ...model import clock
from ...model.errors import (
    AmbiguousIdentity,
    InputError,
    LifecycleError,
    NotFound,
    Refused,
    Rejected,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import UrlPath, at
from ...sdk.keys import PersonKeys
from ...sdk.target import Clock, Option, Target
from ...sdk.values import AccessPath, Account, Addresses, Residual, WayBack
from ..microsoft.graph import (
    GRAPH_CREDENTIALS,
    GRAPH_OPTIONS,
    granted_roles,
    graph_pages,
    graph_transport,
)
from ..microsoft.people import LOOKS_UP, by_object_id, keys_in, users
from .listing import EntraListing

#: Ours -> Graph's.
_PROPERTIES: Mapping[str, str] = {
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
_SELECT = ",".join(
    (
        "id",
        "userPrincipalName",
        "mail",
        "accountEnabled",
        "userType",
        "onPremisesSyncEnabled",
        "signInSessionsValidFromDateTime",
        "lastPasswordChangeDateTime",
        *_PROPERTIES.values(),
    )
)
_SYNCED = "synchronised from on-premises Active Directory: change it there"
#: Type of an authentication method -> its collection; ``DELETE`` exists only there (reference of each type at learn.microsoft.com).
_METHODS: Mapping[str, str] = {
    "phone": "phoneMethods",
    "email": "emailMethods",
    "fido2": "fido2Methods",
    "microsoftAuthenticator": "microsoftAuthenticatorMethods",
    "softwareOath": "softwareOathMethods",
    "windowsHelloForBusiness": "windowsHelloForBusinessMethods",
    "temporaryAccessPass": "temporaryAccessPassMethods",
    "platformCredential": "platformCredentialMethods",
    "external": "externalAuthenticationMethods",
}
_STRONG = frozenset({"fido2", "windowsHelloForBusiness", "platformCredential"})
_SECOND_FACTORS = _STRONG | {"phone", "microsoftAuthenticator", "softwareOath", "hardwareOath", "external"}
#: An access token lives 60 to 90 minutes (https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes).
_TOKEN_LIFE = timedelta(minutes=90)
#: Without a case there is no moment to compare with; what happened within this is taken as this cut.
_RECENT = timedelta(hours=1)


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
        "sender": Option("Address of the mailbox that sends the first credential; needed for that only.", default=""),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": ("User.Read.All",),
        "provisioning": ("User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All", "and the role User Administrator"),
        "restorable": ("User.DeleteRestore.All",),
        "cutoff": (
            "User.EnableDisableAccount.All",
            "User.RevokeSessions.All",
            "User-PasswordProfile.ReadWrite.All",
            "UserAuthenticationMethod.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
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
        "ownership": ("Group.ReadWrite.All", "Application.ReadWrite.All"),
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
    #: The directory has many replicas; most show a write within seconds.
    SETTLES_WITHIN = 30.0
    ATTRIBUTES: Sequence[str] = (*_PROPERTIES, "manager")
    CONTROLS: Sequence[str] = ("mfa_registered", "phishing_resistant")
    USER_FIELDS: ClassVar[str] = ",".join((_SELECT, "proxyAddresses", "otherMails"))
    LOOKS_UP = LOOKS_UP
    COMPARES = LOOKS_UP

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.graph = graph_transport(target, scope=target.options["graph_scope"])
        self._skew = timedelta(0)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def granted(self) -> frozenset[str] | None:
        return granted_roles(self.graph)

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        return by_object_id(super().keys_of(person, ids))

    def addressed_by(self, account: Account) -> str:
        """Sign-in name and address differ, and both change."""
        return account.id

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """See :func:`microsoft.people.users`."""
        expand = "manager($select=id,userPrincipalName,mail)"
        for row in users(self.graph, at("/users"), keys, select=_SELECT.split(","), expand=expand, get=self._read_user):
            yield _account(row)

    def _read_user(self, path: UrlPath, act: str, params: Mapping[str, str]) -> Any:
        answer = self.graph.send("GET", path, act=act, params=params, missing=(404,))
        self._note_time(answer.headers.get("Date"))
        return answer.body if answer.status == 200 else None

    def listed_account(self, row: Mapping[str, Any]) -> Account:
        """Without the vendor's own answer, which a list of thousands need not keep, and the manager, whom a list does not have."""
        found = _account(row)
        return replace(
            found, attributes={name: value for name, value in found.attributes.items() if name != "manager"}, raw={}
        )

    def _note_time(self, date: str | None) -> None:
        # What Graph stamps is compared with our clock's "since": the two may differ.
        if date:
            self._skew = parsedate_to_datetime(date) - clock.now()

    def set_active(self, account: Account, active: bool) -> None:
        self._patch(account, {"accountEnabled": active}, f"{'enable' if active else 'disable'} {account.login}")

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """Created able to sign in, with a password that nobody knows: the first credential is a Temporary Access Pass."""
        login = self.login_of(person)
        act = f"create account {login}"
        nickname = re.sub(r"[^A-Za-z0-9._-]", "", login.partition("@")[0])[:64]
        values = {
            **_values(attributes),
            "accountEnabled": True,
            "userPrincipalName": login,
            "mailNickname": nickname,
            "passwordProfile": {"password": _password(), "forceChangePasswordNextSignIn": True},
        }
        values.setdefault("displayName", person.name)
        made = self.graph.send("POST", "/users", act=act, json=values).body
        if attributes.get("manager"):
            self._when_replicated(lambda: self._set_manager(made["id"], str(attributes["manager"]), act))

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        values = _values(attributes)
        if values:
            self._patch(account, values, f"change {', '.join(attributes)} of {account.login}")
        if "manager" in attributes:
            self._refuse_synced(account, "change manager")
            self._set_manager(account.id, str(attributes["manager"] or ""), f"set manager of {account.login}")

    def addresses(self, account: Account) -> Addresses:
        """The login. Addresses are the mailbox's: Exchange tells the directory."""
        return Addresses(login=account.login.lower())

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        raise Unsupported(
            "addresses are changed where the mailbox is",
            act=f"change address of {account.login}",
            system=self.target.name,
        )

    def set_login(self, account: Account, login: str) -> None:
        self._patch(account, {"userPrincipalName": login}, f"change login of {account.login}")

    def delete_account(self, account: Account) -> None:
        """Into the bin, where it stays for 30 days."""
        self._refuse_synced(account, "delete account")
        self.graph.send("DELETE", _user(account.id), act=f"delete account {account.login}", missing=(404,))

    def find_deleted(self, person: Person) -> Account | None:
        login = self.login_of(person).casefold()
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
        if len(rows) > 1:
            raise AmbiguousIdentity(
                f"{len(rows)} deleted accounts had the login {login}",
                act=f"find deleted account {login}",
                system=self.target.name,
                hint="restore the right one in the Entra admin centre",
            )
        return Account(rows[0]["id"], login, False, rows[0].get("mail") or "", raw=rows[0]) if rows else None

    def restore_account(self, account: Account) -> None:
        """Back from the bin with its groups and licences, and able to sign in."""
        self.graph.send(
            "POST", at("/directory/deletedItems/{}/restore", account.id), act=f"restore account {account.login}"
        )
        self._when_replicated(lambda: self.set_active(account, True))

    def _set_manager(self, id: str, manager: str, act: str) -> None:
        if not manager:
            self.graph.send("DELETE", _user(id).below("/manager/$ref"), act=act, missing=(404,))
            return
        boss = self.graph.get(_user(manager), act=f"find manager {manager}", params={"$select": "id,userPrincipalName"})
        if boss is None:
            raise InputError(
                f"the manager {manager} has no account here",
                act=act,
                system=self.target.name,
                hint="correct the manager in HR",
            )
        self.graph.send(
            "PUT",
            _user(id).below("/manager/$ref"),
            act=act,
            json={"@odata.id": self.graph.link(at("/users/{}", boss["id"]))},
        )

    def _patch(self, account: Account, values: Mapping[str, Any], act: str) -> None:
        self._refuse_synced(account, act)
        self.graph.send("PATCH", _user(account.id), act=act, json=values, retry_safe=True)

    def _refuse_synced(self, account: Account, act: str) -> None:
        if account.protected:
            raise Refused(account.protected, act=act, system=self.target.name)

    def _when_replicated(self, write: Callable[[], None]) -> None:
        """A fresh account is not known to every replica at once: its 404 is then no answer."""
        deadline, pause = time.monotonic() + self.SETTLES_WITHIN, 0.2
        while True:
            try:
                return write()
            except NotFound:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 5.0)

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Roles first: they guard the disable. Then sign-in, what is signed in, and everything that could sign in again."""
        moment = ((clock.parse(since) if since else clock.now() - _RECENT) + self._skew).replace(microsecond=0)
        revoked, changed = (
            _moment(account.raw.get("signInSessionsValidFromDateTime")),
            _moment(account.raw.get("lastPasswordChangeDateTime")),
        )
        cut = revoked if revoked and revoked >= moment else None
        tokens = Residual(
            "issued access tokens",
            clock.stamp((cut or clock.now()) + _TOKEN_LIFE),
            "an app that does not evaluate access continuously takes a token until it expires, at most 90 minutes after the revocation",
        )
        paths = [
            AccessPath(
                f"role {role.name}",
                "open",
                lambda r=role: self.revoke(_cloud(account), r),  # type: ignore[misc]
                refused=role.fixed and f"held {role.fixed}: remove the person from it",
            )
            for role in self.roles_of(_cloud(account))
        ]
        mastered = f"{_SYNCED}, or it comes back with the next synchronisation" if account.protected else ""
        paths += [
            AccessPath(
                "sign-in",
                "open" if account.active else "closed",
                lambda: self.set_active(account, False),
                refused=mastered,
            ),
            AccessPath("sessions", "closed" if cut else "open", lambda: self._revoke_sessions(account), tokens),
            AccessPath(
                "password",
                "closed" if changed and changed >= moment else "open",
                lambda: self._scramble(account),
                refused=mastered,
            ),
            AccessPath(
                "authentication methods",
                "open" if self._methods(account) else "closed",
                lambda: self._remove_methods(account),
            ),
        ]
        consents = [
            row
            for row in graph_pages(
                self.graph,
                _user(account.id).below("/oauth2PermissionGrants"),
                act=f"read app consents of {account.login}",
            )
            if row.get("consentType") == "Principal" and row.get("principalId") == account.id
        ]
        paths.append(
            AccessPath(
                "app consents", "open" if consents else "closed", lambda: self._remove_consents(account, consents)
            )
        )
        for device in graph_pages(
            self.graph, _user(account.id).below("/registeredDevices"), act=f"read devices of {account.login}"
        ):
            paths.append(
                AccessPath(
                    f"device {device['displayName']} ({device['id'][:8]})",
                    "open" if device.get("accountEnabled") else "closed",
                    partial(self._end_device, device),
                )
            )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Sign-in, then devices, roles last. A password that was made unknown stays so: a first credential takes its place."""
        anew = {
            "sessions": "they were ended: they sign in anew",
            "authentication methods": "they were removed: they register theirs again",
            "password": "it was made unknown: a first credential takes its place, and they choose a new one",
            "app consents": "they were withdrawn: each app asks them again",
        }
        backs = (
            [WayBack("sign-in", "open" if account.active else "closed", lambda: self.set_active(account, True))]
            if "sign-in" in closed
            else []
        )
        backs += [WayBack(name, lost=why, anew=True) for name, why in anew.items() if name in closed]
        if any(name.startswith("device ") for name in closed):
            known = {
                f"device {d['displayName']} ({d['id'][:8]})": d
                for d in graph_pages(
                    self.graph, _user(account.id).below("/registeredDevices"), act=f"read devices of {account.login}"
                )
            }
            backs += [self._device_back(name, known.get(name)) for name in closed if name.startswith("device ")]
        held = (
            {role.name for role in self.roles_of(_cloud(account))}
            if any(name.startswith("role ") for name in closed)
            else set()
        )
        return backs + [self._role_back(account, name, held) for name in closed if name.startswith("role ")]

    def _device_back(self, name: str, device: Mapping[str, Any] | None) -> WayBack:
        if device is None:
            return WayBack(
                name, lost="its registration was deleted: it is registered again when they sign in on it", anew=True
            )
        return WayBack(name, "open" if device.get("accountEnabled") else "closed", lambda: self._enable_device(device))

    def _enable_device(self, device: Mapping[str, Any]) -> None:
        self.graph.send(
            "PATCH",
            at("/devices/{}", device["id"]),
            act=f"enable {device['displayName']}",
            json={"accountEnabled": True},
            retry_safe=True,
        )

    def _role_back(self, account: Account, name: str, held: Collection[str]) -> WayBack:
        role = name.removeprefix("role ")
        found = None if " in /" in role else self.find_entitlement("roles", role)
        if role in held or found is None:
            why = (
                ""
                if role in held
                else "a role of less than the whole directory, or one that is no more: give it by hand"
            )
            return WayBack(name, "open" if role in held else "closed", lost=why, entitlement=("roles", role))
        return WayBack(name, "closed", lambda: self.grant(_cloud(account), found), entitlement=("roles", role))

    def _revoke_sessions(self, account: Account) -> None:
        self.graph.send(
            "POST",
            _user(account.id).below("/revokeSignInSessions"),
            act=f"revoke sessions of {account.login}",
            json={},
            retry_safe=True,
        )

    def _scramble(self, account: Account) -> None:
        self._patch(
            account,
            {"passwordProfile": {"password": _password(), "forceChangePasswordNextSignIn": True}},
            f"make the password of {account.login} unknown",
        )

    def _methods(self, account: Account) -> list[tuple[str, Mapping[str, Any]]]:
        """(kind, method) of everything but the password, which can't be removed."""
        rows = graph_pages(
            self.graph,
            _user(account.id).below("/authentication/methods"),
            act=f"read authentication methods of {account.login}",
        )
        kinds = [
            (str(row.get("@odata.type")).rpartition(".")[2].removesuffix("AuthenticationMethod"), row) for row in rows
        ]
        return [(kind, row) for kind, row in kinds if kind != "password"]

    def _remove_methods(self, account: Account) -> None:
        """The default method can only be removed as the last one, and nothing says which it is: go round until none is left."""
        act, left = f"remove authentication methods of {account.login}", self._methods(account)
        while left:
            kept: list[tuple[str, Mapping[str, Any]]] = []
            refusal: LifecycleError | None = None
            for kind, row in left:
                if kind not in _METHODS:
                    refusal = Rejected(
                        f"Graph v1.0 can't remove a method of the kind {kind}",
                        act=act,
                        system=self.target.name,
                        hint="remove it in the Entra admin centre",
                    )
                    kept.append((kind, row))
                    continue
                try:
                    self.graph.send(
                        "DELETE",
                        _user(account.id).below("/authentication/{}/{}", _METHODS[kind], row["id"]),
                        act=act,
                        missing=(404,),
                    )
                except Rejected as e:
                    refusal = e
                    kept.append((kind, row))
            if refusal and len(kept) == len(left):
                raise refusal
            left = kept

    def _remove_consents(self, account: Account, consents: Sequence[Mapping[str, Any]]) -> None:
        for row in consents:
            self.graph.send(
                "DELETE",
                at("/oauth2PermissionGrants/{}", row["id"]),
                act=f"remove app consents of {account.login}",
                missing=(404,),
            )

    def _end_device(self, device: Mapping[str, Any]) -> None:
        act, path = f"end registration of {device['displayName']}", at("/devices/{}", device["id"])
        if str(device.get("operatingSystem", "")).casefold().startswith("windows"):
            # Disabled and not deleted: its BitLocker keys hang on the object.
            self.graph.send("PATCH", path, act=act, json={"accountEnabled": False}, retry_safe=True)
        else:
            # An app may not disable others (https://learn.microsoft.com/graph/api/device-update).
            self.graph.send("DELETE", path, act=act, missing=(404,))

    # -- first sign-in, and controls -----------------------------------------------------------------------------------

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        for kind, row in self._methods(account):
            if kind == "temporaryAccessPass" and (
                row.get("isUsable") or row.get("methodUsabilityReason") == "NotYetValid"
            ):
                return {
                    "issued": True,
                    "expires": clock.stamp(
                        clock.parse(row["startDateTime"]) + timedelta(minutes=row["lifetimeInMinutes"])
                    ),
                }
        return {"issued": False, "expires": ""}

    def issue_first_sign_in(self, account: Account, *, deliver_to: str, lifetime_minutes: int, starts_at: str) -> None:
        """A Temporary Access Pass, mailed. A pass that did not arrive is taken back, so that the next run can issue another."""
        act, sender = f"issue first credential of {account.login}", self.target.options.get("sender")
        if not sender:
            raise InputError(
                "option sender is not set",
                act=act,
                system=self.target.name,
                hint="set options.sender to the mailbox that sends it",
            )
        wish: dict[str, Any] = {"lifetimeInMinutes": lifetime_minutes, "isUsableOnce": True}
        if starts_at and clock.parse(starts_at) > clock.now():
            wish["startDateTime"] = clock.stamp(clock.parse(starts_at))
        try:
            made = self.graph.send(
                "POST", _user(account.id).below("/authentication/temporaryAccessPassMethods"), act=act, json=wish
            ).body
            self.graph.send(
                "POST",
                _user(sender).below("/sendMail"),
                act=f"{act}: deliver it to {deliver_to}",
                json=_letter(account, deliver_to, made),
            )
        except LifecycleError:
            self._take_back(account, act)
            raise

    def _take_back(self, account: Account, act: str) -> None:
        for kind, row in self._methods(account):
            if kind == "temporaryAccessPass":
                self.graph.send(
                    "DELETE",
                    _user(account.id).below("/authentication/{}/{}", _METHODS[kind], row["id"]),
                    act=f"{act}: take back what was not delivered",
                    missing=(404,),
                )

    def controls(self, account: Account) -> Mapping[str, bool]:
        kinds = {kind for kind, _unused in self._methods(account)}
        return {"mfa_registered": bool(kinds & _SECOND_FACTORS), "phishing_resistant": bool(kinds & _STRONG)}


def _user(key: str) -> UrlPath:
    # A guest's login holds "#", which would end the path; one that begins with "$" needs the key form.
    return at("/users/{}", key) if not key.startswith("$") else at("/users('{}')", key)


def _account(row: Mapping[str, Any]) -> Account:
    attributes = {ours: row.get(theirs) or "" for ours, theirs in _PROPERTIES.items()}
    attributes["hire_date"], attributes["user_type"] = attributes["hire_date"][:10], row.get("userType") or ""
    manager = row.get("manager") or {}
    attributes["manager"] = (manager.get("mail") or manager.get("userPrincipalName") or "").lower()
    return Account(
        row["id"],
        row["userPrincipalName"],
        bool(row.get("accountEnabled")),
        row.get("mail") or "",
        attributes,
        _SYNCED if row.get("onPremisesSyncEnabled") else "",
        raw=row,
        keys=keys_in(row),
    )


def _cloud(account: Account) -> Account:
    """The same account where synchronisation does not matter: roles are always the cloud's own."""
    return Account(account.id, account.login, account.active, raw=account.raw)


def _values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Graph's properties. It clears with null, and wants a moment where HR has a day."""
    values: dict[str, Any] = {
        _PROPERTIES[name]: value or None for name, value in attributes.items() if name in _PROPERTIES
    }
    if values.get("employeeHireDate"):
        values["employeeHireDate"] = f"{values['employeeHireDate'][:10]}T00:00:00Z"
    return values


def _moment(text: str | None) -> datetime | None:
    return clock.parse(text) if text else None


def _password() -> str:
    """Random, and thrown away; the end satisfies every complexity rule."""
    return secrets.token_urlsafe(32) + "aA1!"


def _letter(account: Account, deliver_to: str, made: Mapping[str, Any]) -> dict[str, Any]:
    text = (
        f"Your Temporary Access Pass for {account.login}:\n\n    {made['temporaryAccessPass']}\n\nIt works once, from {made['startDateTime']} for"
        f" {made['lifetimeInMinutes']} minutes. Sign in at https://aka.ms/mysecurityinfo and set up how you sign in from then on.\n"
    )
    return {
        "message": {
            "subject": "Your first sign-in",
            "body": {"contentType": "text", "content": text},
            "toRecipients": [{"emailAddress": {"address": deliver_to}}],
        },
        "saveToSentItems": False,
    }
