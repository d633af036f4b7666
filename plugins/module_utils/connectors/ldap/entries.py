# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read and change people's entries, and make accounts of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from ...model.errors import ProtocolError, Rejected, SystemError_
from ...sdk.keys import Key, Kind, PersonKeys, spellings
from ...sdk.target import Target
from ...sdk.values import Account
from .flavours import ACTIVE_DIRECTORY, FLAVOURS
from .locks import Locks
from .nobodys import nobodys
from .times import is_past
from .wire import BASE, REPLACE, Wire, in_filter, text, texts

#: Referrals of every Active Directory domain to parts that hold no people.
_OWN_PARTS = re.compile(r"/(DC=(Domain|Forest)DnsZones|CN=(Configuration|Schema)),", re.IGNORECASE)
#: The value of a lock without an end (draft-behera-ldap-password-policy-10, 5.3.3); a date is a lock that ends by itself.
LOCKED = "000001010000Z"
#: userAccountControl bits (https://learn.microsoft.com/troubleshoot/windows-server/active-directory/useraccountcontrol-manipulate-account-properties)
DISABLED, NORMAL = 0x2, 0x200
HOW_TO_LOCK = "load the password policy overlay (slapo-ppolicy) or set option lock, and run again"
#: Option ``lock`` -> the attribute that locks an account.
_LOCKS = {"ppolicy": "pwdAccountLockedTime", "nsaccountlock": "nsAccountLock"}


class Entries:
    """Finds, reads and changes the people of one directory."""

    def __init__(self, target: Target, wire: Wire) -> None:
        self.target, self.wire, self.locks = target, wire, Locks(target, wire)
        self.flavour = FLAVOURS[target.options["flavour"]]
        self.base: str = target.options["base"]
        self.ad = self.flavour is ACTIVE_DIRECTORY
        self.people_base: str = target.options["people_base"] or f"{'CN=Users' if self.ad else 'ou=people'},{self.base}"
        self._no_lock: str | None = None

    def no_lock(self) -> str:
        """Return why no account can be locked here; empty when it can, or when the directory does not show its schema (RFC 4512, 4.2)."""
        if self.ad:
            return ""
        if self._no_lock is None:
            attribute, known = _LOCKS[self.target.options["lock"]], self._schema()
            there = not known or any(f"'{attribute.casefold()}'" in one.casefold() for one in known)
            self._no_lock = "" if there else f"the directory's schema has no {attribute}, which locks an account"
        return self._no_lock

    def _schema(self) -> list[str]:
        """Return the definitions of all attributes; empty when the directory does not show them."""
        act = "read the schema"
        try:
            root = self.wire.search("", "(objectClass=*)", ["subschemaSubentry"], act=act, scope=BASE)
            place = text(root[0], "subschemaSubentry") if root else ""
            rows = self.wire.search(place, "(objectClass=*)", ["attributeTypes"], act=act, scope=BASE) if place else []
        except SystemError_:
            return []
        return texts(rows[0], "attributeTypes") if rows else []

    def is_there(self, place: str) -> bool:
        return bool(self.wire.search(place, "(objectClass=*)", ["objectClass"], act=f"look for {place}", scope=BASE))

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Search once for all keys; the caller compares the entries that the server takes for a match."""
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
        email = keys.person.email.lower()
        for row in self._people(f"(|{''.join(dict.fromkeys(parts))})", f"find {keys.person.email}"):
            account = self._account(row)
            # RFC 4511, 4.1.7: values have no order. If one of several addresses is the person's, it is the one to show.
            own = email in (value.lower() for value in texts(row, "mail"))
            yield replace(account, email=email) if own else account

    def unseen(self) -> str:
        """Return which parts of the directory are on other servers and not named in the option ``referred``; empty when all was searched."""
        named = [str(one).casefold() for one in self.target.options["referred"] or ()]
        parts = [
            url
            for url in map(unquote, self.wire.referred)
            if not _OWN_PARTS.search(url) and not any(one in url.casefold() for one in named)
        ]
        if not parts:
            return ""
        where = ", ".join(parts[:3])
        return f"a part of the directory is on another server ({where}), which was not searched: make it a system too, and name it in the option referred"

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
        """Return all attributes but the manager, who is another entry."""
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
            hint="let the bind account read it: without it no entry can be linked to a person",
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

    def locked(self, row: Mapping[str, Any]) -> bool:
        """Return whether the entry is locked without an end."""
        if self.ad:
            return bool(int(text(row, "userAccountControl") or 0) & DISABLED)
        if self.target.options["lock"] == "nsaccountlock":
            return text(row, "nsAccountLock").lower() == "true"
        return LOCKED in texts(row, "pwdAccountLockedTime") and not self.locks.without_effect(row)

    def _active(self, row: Mapping[str, Any]) -> bool:
        return not self.locked(row) and not is_past(text(row, self.flavour.ends))

    def set_active(self, account: Account, active: bool) -> None:
        """Lock or unlock an entry. Unlocking also removes an end that has passed, such as the end of an earlier contract.

        :raises Rejected: the directory has no lock, or its lock has no effect.
        """
        act, row = f"{'unlock' if active else 'lock'} {account.login}", account.raw
        ended = active and is_past(text(row, self.flavour.ends))
        values: dict[str, Sequence[str]] = {self.flavour.ends: ["0"] if self.ad else []} if ended else {}
        if not active and self.no_lock():
            raise Rejected(self.no_lock(), act=act, system=self.target.name, hint=HOW_TO_LOCK)
        if self.ad:
            bits = int(text(row, "userAccountControl"))
            values["userAccountControl"] = [str(bits & ~DISABLED if active else bits | DISABLED)]
        elif self.target.options["lock"] == "nsaccountlock":
            values["nsAccountLock"] = [] if active else ["TRUE"]
        else:
            why = "" if active else self.locks.without_effect(row)
            if why:
                raise Rejected(
                    why,
                    act=act,
                    system=self.target.name,
                    hint="set pwdLockout: TRUE there and let the bind account read it; with several policies, name the default in the option password_policy",
                )
            values["pwdAccountLockedTime"] = [] if active else [LOCKED]
        self.change(account, values, act)

    def change(self, account: Account, values: Mapping[str, Sequence[Any]], act: str) -> None:
        self.wire.modify(account.raw["dn"], {name: [(REPLACE, list(value))] for name, value in values.items()}, act=act)

    def _address_of(self, dn: str) -> str:
        rows = self.wire.search(dn, "(objectClass=*)", ["mail"], act="read manager", scope=BASE) if dn else []
        return text(rows[0], "mail").lower() if rows else ""
