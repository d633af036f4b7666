# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""LDAP directories: OpenLDAP and similar servers (people as in RFC 2798, draft-behera password policy), and Active Directory.

The differences between the two are data: :class:`Flavour`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.errors import AmbiguousIdentity, InputError, NotFound, Unsupported
from ...model.person import Person
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Connector, Option, Target
from ...sdk.values import AccessPath, Account, Addresses, Entitlement, Listed, WayBack
from .access import LdapAccess, unicode_password
from .entries import HOW_TO_LOCK, NORMAL, Entries
from .flavours import FLAVOURS, OPENLDAP
from .groups import Groups
from .listing import LdapListing
from .wire import Wire, in_filter, in_name, text, texts


class Ldap(Connector):
    TITLE = "LDAP directory (OpenLDAP, Active Directory)"
    LOGIN = "{local_part}"
    LOGINS_ARE_CHOSEN = True
    FIRST_CREDENTIAL = "a password"
    OPTIONS = {
        "flavour": Option(
            "The family of the directory: openldap for OpenLDAP and similar servers.",
            default="openldap",
            choices=tuple(FLAVOURS),
        ),
        "base": Option("The entry that the directory begins with, e.g. dc=corp,dc=example.", required=True),
        "people_base": Option(
            "The entry below which new people are made: ou=people,BASE, or CN=Users,BASE, when not given."
        ),
        "groups_base": Option("The entry below which groups are searched: the base when not given."),
        "leavers_base": Option(
            "Active Directory: the entry that a cut-off moves people below. They are not moved when not given."
        ),
        "upn_suffix": Option(
            "Active Directory: what follows the @ of userPrincipalName. The domain of the base when not given."
        ),
        "lock": Option(
            "OpenLDAP and 389 Directory Server: what locks an account, the password policy overlay or 389 Directory Server's attribute.",
            default="ppolicy",
            choices=("ppolicy", "nsaccountlock"),
        ),
        "password_policy": Option(
            "The server's default password policy (ppolicy_default), if it has several: only a policy with pwdLockout: TRUE gives a lock an effect."
        ),
        "referred": Option(
            "Parts of the directory that are systems of their own in this file, as the referrals name them: ldap://child.corp.example.",
            kind="list",
        ),
        "posix": Option(
            "OpenLDAP and 389 Directory Server: makes new people posixAccounts too: {gid: 100, uid_from: 10000, home: /home/, shell: /bin/bash}.",
            kind="dict",
        ),
        "administrators": Option(
            "Groups whose members may do everything there: a person decides about the last member. Active Directory: Domain Admins when not given.",
            kind="list",
        ),
        "page_size": Option(
            "The most entries of a page; 100 when not given. It is halved for as long as the server answers that it is too much.",
            kind="int",
        ),
        "tls": Option(
            "ldaps:// is encrypted from the start; ldap:// must upgrade (starttls) unless this says none.",
            default="starttls",
            choices=("starttls", "none"),
        ),
    }
    CREDENTIALS = {
        "user": Option(
            "The account to bind as: a distinguished name, or user@domain on Active Directory.", required=True
        ),
        "password": Option("The password of that account.", required=True),
    }
    PERMISSIONS = {
        "accounts": ["search and read people under people_base; to suspend, what cutoff needs"],
        "provisioning": [
            "add, modify and delete people under people_base; Active Directory: create user, reset password"
        ],
        "cutoff": [
            "OpenLDAP: read and write userPassword and pwdAccountLockedTime, read the password policies; Active Directory: write"
            " userAccountControl, reset password, delete and create users in the OUs when leavers_base is set"
        ],
        "entitlements": ["write member, uniqueMember and memberUid of the groups"],
        "account_listing": ["search and read people and groups under base, without a limit of size for paged searches"],
    }
    ATTRIBUTES = (*OPENLDAP.attributes, "manager")
    LOOKS_UP = frozenset({Kind.ID, Kind.NUMBER, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP
    ENTITLEMENT_KINDS = ("groups",)
    LISTS_HELD: ClassVar[bool] = True
    #: Other domain controllers and replicas show a write after replication.
    SETTLES_WITHIN = 5.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.wire = Wire(target)
        self.entries = Entries(target, self.wire)
        self.flavour, self.base, self.ad = self.entries.flavour, self.entries.base, self.entries.ad
        named = target.options["administrators"] or (["Domain Admins"] if self.ad else ())
        self.ADMINISTRATORS = tuple(("groups", str(name)) for name in named)
        self._groups = Groups(self.entries)
        self._access = LdapAccess(self.entries)
        self._listing = LdapListing(self.entries, self._groups)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        return self.entries.candidates(keys)

    def unseen(self) -> str:
        return self.entries.unseen()

    def set_active(self, account: Account, active: bool) -> None:
        self.entries.set_active(account, active)

    # -- provisioning --------------------------------------------------------------------------------------------------

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """Create the entry with one write. Nobody can sign in until its password is set; Active Directory requires one, so it gets a random one."""
        login, act = self.login_of(person), f"create account of {person.email}"
        values: dict[str, Any] = {
            "cn": person.name,
            "sn": person.last_name or person.name,
            "mail": person.email,
            **self._theirs(attributes, act),
        }
        f = self.flavour
        values[f.login] = login
        values = {name: value for name, value in values.items() if value}
        classes = list(f.classes)
        values.update(self._domain_values(login) if self.ad else self._open_values(login, classes, act))
        name = values[f.rdn]
        self.wire.add(f"{f.rdn}={in_name(name)},{self.entries.people_base}", classes, values, act=act)

    def _domain_values(self, login: str) -> dict[str, Any]:
        suffix = self.target.options["upn_suffix"] or ".".join(
            part.partition("=")[2] for part in self.base.split(",") if part.strip().lower().startswith("dc=")
        )
        return {
            "userPrincipalName": f"{login}@{suffix}",
            "userAccountControl": str(NORMAL),
            "unicodePwd": unicode_password(),
        }

    def _open_values(self, login: str, classes: list[str], act: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        posix = self.target.options["posix"]
        if posix:
            classes.append("posixAccount")
            values.update(
                {
                    "uidNumber": str(self._next_uid(int(posix.get("uid_from", 10000)), act)),
                    "gidNumber": str(posix.get("gid", 100)),
                    "homeDirectory": f"{posix.get('home', '/home/')}{login}",
                    "loginShell": posix.get("shell", "/bin/bash"),
                }
            )
        return values

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        act = f"update {account.login}"
        values = {name: [value] if value else [] for name, value in self._theirs(attributes, act).items()}
        before, names = account.attributes, texts(account.raw, "cn")
        shown = {
            before.get("display_name"),
            " ".join(filter(None, (before.get("first_name"), before.get("last_name")))),
        }
        if attributes.get("display_name") and shown & set(names) and self.flavour.rdn != "cn":
            # Programs show people by cn too (RFC 4519, 2.3): replace the value that was the person's name.
            others = [name for name in names if name not in shown]
            values["cn"] = list(dict.fromkeys([attributes["display_name"], *others]))
        self.entries.change(account, values, act)

    def addresses(self, account: Account) -> Addresses:
        """Return all addresses: OpenLDAP keeps further ones in ``mail``, Active Directory in ``proxyAddresses``."""
        mail = [value.lower() for value in texts(account.raw, "mail")]
        proxies = [
            value[5:].lower() for value in texts(account.raw, "proxyAddresses") if value.lower().startswith("smtp:")
        ]
        return Addresses(account.email, tuple(sorted({*mail, *proxies} - {account.email})))

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        act = f"change address of {account.login}"
        further = sorted(
            {*(a.lower() for a in aliases), *(self.addresses(account).aliases or ()), account.email} - {address, ""}
        )
        if self.ad:
            others = [value for value in texts(account.raw, "proxyAddresses") if not value.lower().startswith("smtp:")]
            proxies = [f"SMTP:{address}", *(f"smtp:{alias}" for alias in further), *others]
            self.entries.change(account, {"mail": [address], "proxyAddresses": proxies}, act)
        else:
            # RFC 4524, 2.16: mail can have several values. Most servers keep their order, and programs take the first one.
            self.entries.change(account, {"mail": [address, *further]}, act)

    def set_login(self, account: Account, login: str) -> None:
        raise Unsupported(
            "the login can be part of the entry's name, and can own files",
            act=f"change login of {account.login}",
            system=self.target.name,
            hint="change it by hand, where nothing depends on it",
        )

    def delete_account(self, account: Account) -> None:
        self.wire.delete(account.raw["dn"], act=f"delete {account.login}")

    def _theirs(self, attributes: Mapping[str, Any], act: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in attributes.items():
            if name == "manager":
                values["manager"] = self._dn_of(value, act) if value else ""
            elif name in self.flavour.attributes:
                values[self.flavour.attributes[name]] = value
            else:
                raise InputError(
                    f"it keeps no attribute {name}",
                    act=act,
                    system=self.target.name,
                    hint=f"it keeps: {', '.join(self.ATTRIBUTES)}",
                )
        return values

    def _next_uid(self, first: int, act: str) -> int:
        rows = self.wire.search(self.base, "(objectClass=posixAccount)", ["uidNumber"], act=act)
        return max([first - 1, *(int(text(row, "uidNumber") or 0) for row in rows)]) + 1

    def _dn_of(self, address: str, act: str) -> str:
        rows = self.wire.search(self.base, f"(&{self.flavour.people}(mail={in_filter(address)}))", ["mail"], act=act)
        if len(rows) != 1:
            raise (AmbiguousIdentity if rows else NotFound)(
                f"{len(rows)} entries have the address {address} of the manager",
                act=act,
                system=self.target.name,
                hint="correct the manager in HR, or the addresses there",
            )
        return str(rows[0]["dn"])

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account, since)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self._access.ways_back(account, closed)

    def unready(self) -> Iterator[tuple[str, str, str]]:
        """Yield each configured place that does not exist, and the lock when the schema does not have it."""
        places = {
            "people_base": ("provisioning", self.entries.people_base),
            "groups_base": ("entitlements", self._groups.groups_base),
            "leavers_base": ("cutoff", self._access.leavers_base),
        }
        for option, (capability, place) in places.items():
            if place and not self.entries.is_there(place):
                yield capability, f"there is no entry {place}", f"correct the option {option}, or create the entry"
        if self.entries.no_lock():
            yield "cutoff", self.entries.no_lock(), HOW_TO_LOCK

    # -- groups --------------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return self._groups.held(account)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return self._groups.find(name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._groups.grant(account, entitlement)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self._groups.revoke(account, entitlement)

    # -- lists ---------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        return self._listing.all_accounts()

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        return self._listing.group_members(kind, name)
