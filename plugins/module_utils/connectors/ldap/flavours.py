# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The differences between families of directories, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Flavour:
    """The object classes and attributes of one family of directories.

    ``attributes`` maps our names to the directory's. ``keys`` maps the name of a credential on a person's entry to its attribute. ``state``
    are the attributes that show whether somebody may sign in, ``last_seen`` those that show when they last did, ``listed`` further
    attributes that a listing reads, ``nobodys`` those that show that an entry belongs to no person.
    """

    login: str
    rdn: str
    #: The immutable id; the first one that an entry has counts: 389 Directory Server has entryUUID only with a plugin.
    uuids: Sequence[str]
    people: str
    classes: Sequence[str]
    groups: str
    attributes: Mapping[str, str]
    keys: Mapping[str, str]
    state: Sequence[str]
    #: The attribute with the time at which the account expires.
    ends: str
    last_seen: Sequence[str]
    created: str
    listed: Sequence[str]
    nobodys: Sequence[str]
    group_classes: frozenset[str]
    #: The attributes that hold addresses, the primary one first; and those that hold further sign-in names.
    addresses: Sequence[str]
    logins: Sequence[str]


OPENLDAP = Flavour(
    login="uid",
    rdn="uid",
    uuids=("entryUUID", "nsUniqueId"),
    # An account for the VPN or a mail server often has only a name and a password (RFC 4524, 3.1 and 3.8).
    people="(|(objectClass=person)(objectClass=posixAccount)(objectClass=account)(objectClass=simpleSecurityObject))",
    classes=("inetOrgPerson",),
    groups="(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))",
    attributes={
        "first_name": "givenName",
        "last_name": "sn",
        "display_name": "displayName",
        "title": "title",
        "department": "departmentNumber",
        "location": "l",
        "employee_id": "employeeNumber",
        "employment_type": "employeeType",
        "mobile_phone": "mobile",
    },
    keys={"password": "userPassword", "SSH keys": "sshPublicKey", "NT password": "sambaNTPassword"},
    state=("pwdAccountLockedTime", "nsAccountLock", "pwdChangedTime", "pwdPolicySubentry", "pwdEndTime"),
    ends="pwdEndTime",
    # the overlays lastbind and ppolicy of OpenLDAP; 389 Directory Server's account policy
    last_seen=("authTimestamp", "pwdLastSuccess", "lastLoginTime"),
    created="createTimestamp",
    listed=("authTimestamp", "pwdLastSuccess", "lastLoginTime", "createTimestamp"),
    nobodys=("objectClass",),
    group_classes=frozenset({"groupofnames", "groupofuniquenames", "posixgroup"}),
    # draft-lachman-laser-ldap-mail-routing and qmail's schema: where a mail server keeps its aliases
    addresses=("mail", "mailLocalAddress", "mailAlternateAddress", "mailRoutingAddress", "gosaMailAlternateAddress"),
    logins=("krbPrincipalName",),
)
ACTIVE_DIRECTORY = Flavour(
    login="sAMAccountName",
    rdn="cn",
    uuids=("objectGUID",),
    people="(&(objectCategory=person)(objectClass=user))",
    classes=("top", "person", "organizationalPerson", "user"),
    groups="(objectClass=group)",
    attributes={
        "first_name": "givenName",
        "last_name": "sn",
        "display_name": "displayName",
        "title": "title",
        "department": "department",
        "location": "l",
        "employee_id": "employeeID",
        "employment_type": "employeeType",
        "mobile_phone": "mobile",
    },
    keys={"certificate mappings": "altSecurityIdentities", "Windows Hello keys": "msDS-KeyCredentialLink"},
    state=("userAccountControl", "accountExpires", "pwdLastSet", "primaryGroupID", "objectSid"),
    ends="accountExpires",
    # lastLogon is exact, but each domain controller has its own; this one is replicated, up to 14 days late.
    last_seen=("lastLogonTimestamp",),
    created="whenCreated",
    listed=("lastLogonTimestamp", "whenCreated", "memberOf", "isCriticalSystemObject", "msExchRecipientTypeDetails"),
    nobodys=("objectClass", "servicePrincipalName", "isCriticalSystemObject", "msExchRecipientTypeDetails"),
    group_classes=frozenset({"group"}),
    addresses=("mail", "proxyAddresses"),
    logins=("userPrincipalName",),
)
FLAVOURS = {"openldap": OPENLDAP, "active_directory": ACTIVE_DIRECTORY}
