# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""LDAP directories: OpenLDAP and its kin (RFC 2798 people, draft-behera password policy), and Active Directory.

What differs between the two is data: :class:`Flavour`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from ...model import clock
from ...model.errors import (
    AmbiguousIdentity,
    InputError,
    NotFound,
    ProtocolError,
    Unsupported,
)
from ...model.person import Person
from ...sdk.keys import Key, Kind, PersonKeys, spellings
from ...sdk.target import Option, Target
from ...sdk.values import AccessPath, Account, Addresses, Entitlement, Residual, WayBack
from .flavours import (
    ACTIVE_DIRECTORY,
    FLAVOURS,
    OPENLDAP,
)
from .listing import (
    LdapListing,
    nobodys,
    primary_group,
)
from .wire import (
    ADD,
    ATTRIBUTE_EXISTS,
    BASE,
    DELETE,
    ENTRY_EXISTS,
    NO_SUCH_ATTRIBUTE,
    REPLACE,
    UNWILLING,
    Wire,
    in_filter,
    in_name,
    text,
    texts,
)

#: A lock without an end (draft-behera-ldap-password-policy-10, 5.3.3); a date is a lockout that ends by itself.
LOCKED = "000001010000Z"
#: userAccountControl bits (https://learn.microsoft.com/troubleshoot/windows-server/active-directory/useraccountcontrol-manipulate-account-properties)
DISABLED, NORMAL = 0x2, 0x200
#: Life of a Kerberos ticket in a domain whose policy "Maximum lifetime for user ticket" was not changed
#: (https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/threat-protection/security-policy-settings/)
TICKET = timedelta(hours=10)
_EPOCH_1601 = 116_444_736_000_000_000


class Ldap(LdapListing):
    TITLE = "LDAP directory (OpenLDAP, Active Directory)"
    LOGIN = "{local_part}"
    OPTIONS = {
        "flavour": Option("Whose kind of directory it is.", default="openldap", choices=tuple(FLAVOURS)),
        "base": Option("Where the directory begins, e.g. dc=corp,dc=example.", required=True),
        "people_base": Option("Where new people go. ou=people,BASE, or CN=Users,BASE, when not given."),
        "groups_base": Option("Where groups are looked for. The base when not given."),
        "leavers_base": Option(
            "Active Directory: where people are moved when they are cut off. They stay where they are when not given."
        ),
        "upn_suffix": Option(
            "Active Directory: what follows the @ of userPrincipalName. The domain of the base when not given."
        ),
        "lock": Option(
            "OpenLDAP's kin: what locks an account, the password policy overlay or 389 Directory Server's attribute.",
            default="ppolicy",
            choices=("ppolicy", "nsaccountlock"),
        ),
        "posix": Option(
            "OpenLDAP's kin: makes new people posixAccounts too: {gid: 100, uid_from: 10000, home: /home/, shell: /bin/bash}.",
            kind="dict",
        ),
        "page_size": Option(
            "Entries a page, at most; 100 when not given. It is halved by itself as long as the server says that it is too many.",
            kind="int",
        ),
        "tls": Option(
            "ldaps:// is encrypted from the start; ldap:// must upgrade (starttls) unless this says none.",
            default="starttls",
            choices=("starttls", "none"),
        ),
    }
    CREDENTIALS = {
        "user": Option("Whom to bind as: a distinguished name, or user@domain on Active Directory.", required=True),
        "password": Option("Their password.", required=True),
    }
    PERMISSIONS = {
        "accounts": ["search and read people under people_base; to suspend, what cutoff needs"],
        "provisioning": [
            "add, modify and delete people under people_base; Active Directory: create user, reset password"
        ],
        "cutoff": [
            "OpenLDAP: read and write userPassword and pwdAccountLockedTime; Active Directory: write userAccountControl, reset password, delete and create"
            " users in the OUs when leavers_base is set"
        ],
        "entitlements": ["write member, uniqueMember and memberUid of the groups"],
        "account_listing": ["search and read people and groups under base, without a limit of size for paged searches"],
    }
    ATTRIBUTES = (*OPENLDAP.attributes, "manager")
    LOOKS_UP = frozenset({Kind.ID, Kind.NUMBER, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP
    ENTITLEMENT_KINDS = ("groups",)
    #: Domain controllers and replicas show a write after they have copied it.
    SETTLES_WITHIN = 5.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.wire = Wire(target)
        self.flavour = FLAVOURS[target.options["flavour"]]
        self.base: str = target.options["base"]
        self.ad = self.flavour is ACTIVE_DIRECTORY
        self.people_base: str = target.options["people_base"] or f"{'CN=Users' if self.ad else 'ou=people'},{self.base}"
        self.groups_base: str = target.options["groups_base"] or self.base

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """One search for every key; what the server takes for a match is compared by who asked."""
        f = self.flavour
        sought: list[tuple[str, str | bytes]] = [(name, self._uuid(one)) for name in f.uuids for one in keys.ids]
        sought += [(name, value) for name in (f.login, *f.logins) for value in keys.of(Kind.LOGIN)]
        sought += [(name, value) for name in (*f.addresses, *f.logins) for value in keys.addresses]
        sought += [(f.attributes["employee_id"], value) for value in keys.numbers]
        if "proxyAddresses" in f.addresses:
            sought += [("proxyAddresses", f"smtp:{value}") for value in keys.addresses]
        parts = [
            f"({name}={in_filter(spelled)})"
            for name, value in sought
            for spelled in (spellings(value) if isinstance(value, str) else (value,))
        ]
        email = keys.addresses[0] if keys.addresses else ""
        for row in self._people(f"(|{''.join(dict.fromkeys(parts))})", f"find {keys.person.email}"):
            account = self._account(row)
            # RFC 4511, 4.1.7: values have no order. Of several addresses the person's own is theirs, whichever comes first.
            own = email in (value.lower() for value in texts(row, "mail"))
            yield replace(account, email=email) if own else account

    def _uuid(self, ident: str) -> str | bytes:
        return UUID(ident).bytes_le if self.ad else ident

    def _people(self, query: str, act: str) -> list[dict[str, Any]]:
        f = self.flavour
        return self.wire.search(
            self.base,
            f"(&{f.people}{query})",
            [
                f.login,
                *f.uuids,
                "cn",
                *f.addresses,
                *f.logins,
                "manager",
                *f.attributes.values(),
                *f.keys.values(),
                *f.state,
                *f.nobodys,
            ],
            act=act,
        )

    def _account(self, row: Mapping[str, Any]) -> Account:
        return self.account_of(row, {**self.attributes_of(row), "manager": self._address_of(text(row, "manager"))})

    def attributes_of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """All attributes but the manager, who is another entry."""
        return {ours: text(row, theirs) for ours, theirs in self.flavour.attributes.items()}

    def account_of(self, row: Mapping[str, Any], attributes: Mapping[str, Any]) -> Account:
        f = self.flavour
        raw_id = self._raw_id(row)
        return Account(
            id=str(UUID(bytes_le=raw_id)) if self.ad else raw_id.decode(),
            login=text(row, f.login),
            active=self._active(row),
            email=text(row, "mail").lower(),
            attributes=attributes,
            raw=row,
            no_person=nobodys(row, self.ad),
            keys=tuple(self._further_keys(row)),
        )

    def _raw_id(self, row: Mapping[str, Any]) -> bytes:
        for name in self.flavour.uuids:
            for value in row.get(name.lower(), ()):
                return bytes(value)
        raise ProtocolError(
            f"{row['dn']} has no {' or '.join(self.flavour.uuids)}",
            act="read people",
            system=self.target.name,
            hint="let the bind account read it: without it nobody can be linked to an entry",
        )

    def _further_keys(self, row: Mapping[str, Any]) -> Iterator[Key]:
        f = self.flavour
        for value in (value for name in f.addresses for value in texts(row, name)):
            scheme, colon, rest = value.partition(":")
            if not colon or scheme.lower() == "smtp":
                yield Key(Kind.ADDRESS, rest if colon else value)
        for value in (value for name in (f.login, *f.logins) for value in texts(row, name)):
            yield Key(Kind.LOGIN, value)
            if "@" in value and self.ad:
                yield Key(Kind.ADDRESS, value)

    def _active(self, row: Mapping[str, Any]) -> bool:
        if self.ad:
            return not int(text(row, "userAccountControl") or 0) & DISABLED
        if self.target.options["lock"] == "nsaccountlock":
            return text(row, "nsAccountLock").lower() != "true"
        return LOCKED not in texts(row, "pwdAccountLockedTime")

    def set_active(self, account: Account, active: bool) -> None:
        act = f"{'unlock' if active else 'lock'} {account.login}"
        if self.ad:
            bits = int(text(account.raw, "userAccountControl"))
            self._set(account, {"userAccountControl": [str(bits & ~DISABLED if active else bits | DISABLED)]}, act)
        elif self.target.options["lock"] == "nsaccountlock":
            self._set(account, {"nsAccountLock": [] if active else ["TRUE"]}, act)
        else:
            self._set(account, {"pwdAccountLockedTime": [] if active else [LOCKED]}, act)

    def _set(self, account: Account, values: Mapping[str, Sequence[Any]], act: str) -> None:
        self.wire.modify(account.raw["dn"], {name: [(REPLACE, list(value))] for name, value in values.items()}, act=act)

    # -- provisioning --------------------------------------------------------------------------------------------------

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """One add, with a random password that nobody knows: the account is whole, or not there."""
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
        if self.ad:
            suffix = self.target.options["upn_suffix"] or ".".join(
                part.partition("=")[2] for part in self.base.split(",") if part.strip().lower().startswith("dc=")
            )
            values.update(
                {
                    "userPrincipalName": f"{login}@{suffix}",
                    "userAccountControl": str(NORMAL),
                    "unicodePwd": _unicode_password(),
                }
            )
        else:
            values["userPassword"] = secrets.token_urlsafe(32)
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
        name = values[f.rdn]
        self.wire.add(f"{f.rdn}={in_name(name)},{self.people_base}", classes, values, act=act)

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        act = f"update {account.login}"
        values = {name: [value] if value else [] for name, value in self._theirs(attributes, act).items()}
        shown, names = account.attributes.get("display_name"), texts(account.raw, "cn")
        if attributes.get("display_name") and shown in names and self.flavour.rdn != "cn":
            # Programs show people by cn too (RFC 4519, 2.3); of several, the one that was their name follows.
            values["cn"] = list(dict.fromkeys([attributes["display_name"], *(name for name in names if name != shown)]))
        self._set(account, values, act)

    def addresses(self, account: Account) -> Addresses:
        """An open directory keeps further addresses in ``mail`` itself, Active Directory in ``proxyAddresses``."""
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
            self._set(account, {"mail": [address], "proxyAddresses": proxies}, act)
        else:
            # RFC 4524, 2.16: mail has several values. Servers mostly keep their order, and programs take the first.
            self._set(account, {"mail": [address, *further]}, act)

    def set_login(self, account: Account, login: str) -> None:
        raise Unsupported(
            "the login may be part of the entry's name, and of files' owners",
            act=f"change login of {account.login}",
            system=self.target.name,
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
                f"{len(rows)} entries have the address {address} of the manager", act=act, system=self.target.name
            )
        return str(rows[0]["dn"])

    def _address_of(self, dn: str) -> str:
        rows = self.wire.search(dn, "(objectClass=*)", ["mail"], act="read manager", scope=BASE) if dn else []
        return text(rows[0], "mail").lower() if rows else ""

    # -- cutting off ---------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Sign-in, and every credential on the entry. Connections that are bound already can't be ended by a client."""
        bound = Residual(
            "LDAP connections that were bound before",
            "unknown",
            "the directory looks at a lock only when somebody binds: restart the programs that hold such a connection, or set an idle timeout",
        )
        keys = []
        for name, attribute in self.flavour.keys.items():
            if account.raw.get(attribute.lower()):
                keys.append(AccessPath(name, "open", lambda n=name, a=attribute: self._strip(account, n, a)))  # type: ignore[misc]
            elif attribute == "userPassword" and account.raw.get("pwdchangedtime"):
                keys.append(AccessPath(name, "unseen", lambda n=name, a=attribute: self._strip(account, n, a)))  # type: ignore[misc]
        sign_in = AccessPath(
            "sign-in", "open" if account.active else "closed", lambda: self.set_active(account, False), residual=bound
        )
        if not self.ad:
            # The password policy overlay lifts the lock when the password is touched: the lock comes last.
            return [*keys, sign_in]
        tickets = Residual(
            "Kerberos tickets",
            clock.stamp(clock.now() + TICKET),
            "service tickets that were issued stay good until they expire; 10 h unless the domain's policy says otherwise",
        )
        paths = [
            sign_in,
            AccessPath(
                "password", self._ad_password(account, since), lambda: self._randomise(account), residual=tickets
            ),
            *keys,
        ]
        leavers = self.target.options["leavers_base"]
        if leavers:
            there = account.raw["dn"].casefold().endswith(f",{leavers.casefold()}")
            paths.append(
                AccessPath(
                    "place among active people",
                    "closed" if there else f"open: {_parent(account.raw['dn'])}",
                    lambda: self.wire.move(account.raw["dn"], leavers, act=f"move {account.login}"),
                )
            )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """The place last: a move changes the name that everything else is addressed by."""
        backs = [
            WayBack(name, lost="it was removed: set a new one", anew=attribute != "userPassword")
            for name, attribute in (*self.flavour.keys.items(), ("password", "userPassword"))
            if name in closed
        ]
        if "sign-in" in closed:
            backs.append(
                WayBack("sign-in", "open" if account.active else "closed", lambda: self.set_active(account, True))
            )
        if "place among active people" in closed:
            place = closed["place among active people"].removeprefix("open").removeprefix(": ") or self.people_base
            there = _parent(account.raw["dn"]).casefold() == place.casefold()
            backs.append(
                WayBack(
                    "place among active people",
                    "open" if there else "closed",
                    lambda: self.wire.move(account.raw["dn"], place, act=f"move {account.login}"),
                )
            )
        return list({back.name: back for back in backs}.values())

    @staticmethod
    def _ad_password(account: Account, since: str) -> str:
        if not since:
            return "unseen"
        changed = (int(text(account.raw, "pwdLastSet") or 0) - _EPOCH_1601) / 10_000_000
        return "closed" if not account.active and changed >= clock.parse(since).timestamp() else "open"

    def _randomise(self, account: Account) -> None:
        # Twice, since domain controllers go on taking the password before the last for an hour over NTLM
        # (https://learn.microsoft.com/troubleshoot/windows-server/windows-security/new-setting-modifies-ntlm-network-authentication).
        for random in (_unicode_password(), _unicode_password()):
            self._set(account, {"unicodePwd": [random]}, f"randomise password of {account.login}")

    def _strip(self, account: Account, name: str, attribute: str) -> None:
        # An entry without a password can't bind, and shows it; a random one could not be told from the old.
        self.wire.modify(
            account.raw["dn"],
            {attribute: [(DELETE, [])]},
            act=f"remove {name} of {account.login}",
            fine=(NO_SUCH_ATTRIBUTE,),
        )

    # -- groups --------------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        dn, login = in_filter(account.raw["dn"]), in_filter(account.login)
        query = f"(member={dn})" if self.ad else f"(|(member={dn})(uniqueMember={dn})(memberUid={login}))"
        held = [self._group(row) for row in self._groups(query, f"read groups of {account.login}")]
        return held + self._primary_group(account)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        act = f"find group {name}"
        rows = [
            row
            for row in self._groups(f"(cn={in_filter(name)})", act)
            if name.casefold() in (v.casefold() for v in texts(row, "cn"))
        ]
        if len(rows) > 1:
            raise AmbiguousIdentity(
                f"{len(rows)} groups are named {name}: {'; '.join(row['dn'] for row in rows)}",
                act=act,
                system=self.target.name,
                hint="narrow groups_base",
            )
        return self._group(rows[0]) if rows else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        attribute, value = self._membership(account, entitlement)
        changes = [(ADD, [value])]
        if self._is_filler(entitlement, texts(entitlement.raw, attribute)):
            changes.append((DELETE, [entitlement.raw["dn"]]))
        self.wire.modify(
            entitlement.raw["dn"],
            {attribute: changes},
            act=f"add {account.login} to {entitlement.name}",
            fine=(ATTRIBUTE_EXISTS, ENTRY_EXISTS),
        )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        attribute, value = self._membership(account, entitlement)
        changes = [(DELETE, [value])]
        if attribute in ("member", "uniqueMember") and not self.ad and len(texts(entitlement.raw, attribute)) == 1:
            # Such a group must have a member (RFC 4519, 3.5): its own name stands in, which nobody can bind as.
            changes.insert(0, (ADD, [entitlement.raw["dn"]]))
        # Active Directory says 53 where others say 16: no such member. The read-back tells whether that was the reason.
        self.wire.modify(
            entitlement.raw["dn"],
            {attribute: changes},
            act=f"take {account.login} out of {entitlement.name}",
            fine=(NO_SUCH_ATTRIBUTE, *((UNWILLING,) if self.ad else ())),
        )

    def _is_filler(self, entitlement: Entitlement, members: Sequence[str]) -> bool:
        return entitlement.raw["dn"].casefold() in (m.casefold() for m in members)

    def _groups(self, query: str, act: str) -> list[dict[str, Any]]:
        return self.wire.search(
            self.groups_base,
            f"(&{self.flavour.groups}{query})",
            ["cn", "objectClass", "member", "uniqueMember", "memberUid"],
            act=act,
        )

    def _group(self, row: Mapping[str, Any]) -> Entitlement:
        return Entitlement("groups", text(row, "cn"), str(row["dn"]), raw=row)

    def _primary_group(self, account: Account) -> list[Entitlement]:
        group = primary_group(account.raw)
        if group is None:
            return []
        return [
            Entitlement("groups", text(row, "cn"), str(row["dn"]), fixed="it is the primary group", raw=row)
            for row in self.wire.search(
                self.base, f"(objectSid={in_filter(group)})", ["cn"], act=f"read primary group of {account.login}"
            )
        ]

    @staticmethod
    def _membership(account: Account, entitlement: Entitlement) -> tuple[str, str]:
        classes = {c.lower() for c in texts(entitlement.raw, "objectClass")}
        if "groupofuniquenames" in classes:
            return "uniqueMember", account.raw["dn"]
        if "posixgroup" in classes and "groupofnames" not in classes:
            return "memberUid", account.login
        return "member", account.raw["dn"]


def _parent(dn: str) -> str:
    """The entry above; a comma within a name is written with a backslash."""
    return re.split(r"(?<!\\),", dn, maxsplit=1)[-1]


def _unicode_password() -> bytes:
    """A random password as Active Directory takes it: quoted, UTF-16LE, over an encrypted connection only (MS-ADTS 3.1.1.3.1.5)."""
    return f'"{secrets.token_urlsafe(24)}aA1!"'.encode("utf-16-le")
