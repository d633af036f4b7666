# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Everything that every system of the sandbox holds, as plain data, to compare before and after.

Emulators show their state; real servers are read to the end by their own protocols, as their administrators. Nothing of the
collection is used here, so that it can't vouch for itself.
"""

from __future__ import annotations

import hashlib
import imaplib
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import ldap3

from sandbox.box import Box
from sandbox.servers.directory import ADMIN, BASE

#: Compared without being shown.
_SECRET = frozenset({"userpassword"})


def whole(box: Box) -> dict[str, Any]:
    """``{system's name in the sandbox: what it holds}``."""
    return {name: SERVERS[name](box) if name in SERVERS else system.state for name, system in box.emulators.items()}


def directory(box: Box, name: str = "ldap") -> dict[str, Any]:
    """Return every entry with all its attributes, operational ones too: ``{dn: {attribute: [values]}}``."""
    server = ldap3.Server(
        box[name].url, tls=ldap3.Tls(ca_certs_file=box.ca_file, validate=ssl.CERT_REQUIRED), get_info=ldap3.NONE
    )
    with ldap3.Connection(server, ADMIN, box[name].secret("password"), auto_bind=True, check_names=False) as connection:
        rows = connection.extend.standard.paged_search(
            BASE, "(objectClass=*)", attributes=["*", "+"], paged_size=10, generator=False
        )
        return {
            row["dn"]: {
                name: sorted(_text(name, value) for value in values) for name, values in row["raw_attributes"].items()
            }
            for row in rows
            if row["type"] == "searchResEntry"
        }


def _text(name: str, value: bytes) -> str:
    return hashlib.sha256(value).hexdigest() if name.lower() in _SECRET else value.decode("utf-8", "backslashreplace")


def _scim(name: str) -> Callable[[Box], dict[str, Any]]:
    """Return every resource as the service gives it, by its id."""
    return lambda box: {kind: {one["id"]: one for one in box[name].resources(kind)} for kind in ("Users", "Groups")}


def _aws(box: Box) -> dict[str, Any]:
    iam = box["aws"].client("iam")
    details = _all(
        iam,
        "get_account_authorization_details",
        "UserDetailList",
        "GroupDetailList",
        "RoleDetailList",
        "Policies",
        Filter=["User", "Group", "Role", "LocalManagedPolicy"],
    )
    users = {
        user["UserName"]: {**_named(user), **_credentials(iam, user["UserName"])} for user in details["UserDetailList"]
    }
    return {
        "users": users,
        "groups": {group["GroupName"]: _named(group) for group in details["GroupDetailList"]},
        "roles": {role["RoleName"]: _named(role) for role in details["RoleDetailList"]},
        "policies": {policy["Arn"]: policy for policy in details["Policies"]},
        "mfa": {
            device["SerialNumber"]: (device.get("User") or {}).get("UserName", "")
            for device in _all(iam, "list_virtual_mfa_devices", "VirtualMFADevices")["VirtualMFADevices"]
        },
        **_center(box),
    }


def _all(client: Any, operation: str, *keys: str, **arguments: Any) -> dict[str, list[Any]]:
    """Return the lists of all pages."""
    found: dict[str, list[Any]] = {key: [] for key in keys}
    for page in client.get_paginator(operation).paginate(**arguments):
        for key in keys:
            found[key] += page.get(key) or []
    return found


def _named(one: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of {name: ...} become mappings by that name."""
    names = {
        "UserPolicyList": "PolicyName",
        "GroupPolicyList": "PolicyName",
        "RolePolicyList": "PolicyName",
        "AttachedManagedPolicies": "PolicyArn",
        "Tags": "Key",
    }
    return {key: {row[names[key]]: row for row in value} if key in names else value for key, value in one.items()}


def _credentials(iam: Any, user: str) -> dict[str, Any]:
    try:
        console = iam.get_login_profile(UserName=user)["LoginProfile"]
    except iam.exceptions.NoSuchEntityException:
        console = None
    listed = {
        "access keys": ("list_access_keys", "AccessKeyMetadata", "AccessKeyId"),
        "ssh keys": ("list_ssh_public_keys", "SSHPublicKeys", "SSHPublicKeyId"),
        "certificates": ("list_signing_certificates", "Certificates", "CertificateId"),
        "mfa devices": ("list_mfa_devices", "MFADevices", "SerialNumber"),
    }
    return {
        "console": console,
        **{
            what: {row[key]: row for row in _all(iam, operation, rows, UserName=user)[rows]}
            for what, (operation, rows, key) in listed.items()
        },
    }


def _center(box: Box) -> dict[str, Any]:
    """Identity Center; memberships and assignments are named by what they join, since each is given an id anew."""
    sso, store = box["aws"].client("sso-admin"), box["aws"].client("identitystore")
    instance, ids = box["aws"].instance["InstanceArn"], {"IdentityStoreId": box["aws"].instance["IdentityStoreId"]}
    people = {user["UserId"]: user for user in _all(store, "list_users", "Users", **ids)["Users"]}
    groups = {group["GroupId"]: group for group in _all(store, "list_groups", "Groups", **ids)["Groups"]}
    members = {
        group["DisplayName"]: sorted(
            people[row["MemberId"]["UserId"]]["UserName"]
            for row in _all(store, "list_group_memberships", "GroupMemberships", GroupId=number, **ids)[
                "GroupMemberships"
            ]
        )
        for number, group in groups.items()
    }
    sets = {
        arn: sso.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)["PermissionSet"]
        for arn in _all(sso, "list_permission_sets", "PermissionSets", InstanceArn=instance)["PermissionSets"]
    }
    assigned = {
        f"{user['UserName']}": sorted(
            f"{sets[row['PermissionSetArn']]['Name']}@{row['AccountId']}"
            for row in _all(
                sso,
                "list_account_assignments_for_principal",
                "AccountAssignments",
                InstanceArn=instance,
                PrincipalId=number,
                PrincipalType="USER",
            )["AccountAssignments"]
        )
        for number, user in people.items()
    }
    return {
        "center people": people,
        "center groups": groups,
        "center members": members,
        "center assignments": assigned,
        "permission sets": sets,
    }


def _mail(box: Box) -> dict[str, Any]:
    """Return every mailbox of the server: ``{login: {folder: {uid: flags and size}}}``."""
    return {key: _mailbox(box, key) for key in box.company.on_system("imap")}


def _mailbox(box: Box, key: str) -> dict[str, Any]:
    server, folders = box["imap"], {}
    with imaplib.IMAP4_SSL(
        "localhost", server.port, ssl_context=ssl.create_default_context(cafile=box.ca_file)
    ) as client:
        client.authenticate("PLAIN", lambda _: f"{key}\0archiver\0{server.secret('password')}".encode())
        for line in client.list()[1]:
            if isinstance(line, bytes) and b"\\Noselect" not in line:
                name = (line.rpartition(b' "/" ')[2] or line.rpartition(b" ")[2]).decode()
                if int(client.select(name, readonly=True)[1][0] or 0):
                    rows = client.fetch("1:*", "(UID FLAGS RFC822.SIZE)")[1]
                    folders[name] = sorted(row.partition(b" ")[2].decode() for row in rows if isinstance(row, bytes))
                else:
                    folders[name] = []
    return folders


def _contractors(box: Box) -> list[str]:
    lines: list[str] = box["contractors"].path.read_text("utf-8-sig").splitlines()
    return lines


#: What is no emulator with a state of its own.
SERVERS: Mapping[str, Callable[[Box], Any]] = {
    "ldap": directory,
    "wiki": _scim("wiki"),
    "crm": _scim("crm"),
    "aws": _aws,
    "imap": _mail,
    "contractors": _contractors,
}
