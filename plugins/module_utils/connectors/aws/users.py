# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read, block and delete IAM users, with every kind of credential that they hold."""

from __future__ import annotations

import csv
import io
import json
import string
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import Conflict, NotFound, Unavailable
from ...sdk.keys import Key, Kind
from ...sdk.values import Account, Entitlement
from .api import AwsApi

#: The inline policy that blocks a user. Its Deny takes precedence over every Allow, in the user's sessions too.
DENY_POLICY = "lifecycle-deny-all"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
#: The tag with the keys that were active before the block, so that unblocking activates these and no others.
KEYS_TAG = "lifecycle-blocked-keys"
#: Our attributes that are kept, in tags.
ATTRIBUTES = ("email", "employee_id", "department")
Raw = Mapping[str, Any]
#: IAM's names are unique without case, and a look-up needs the exact case.
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
#: Names of tags that identify the person, without case, spaces and punctuation -> kind of key.
_TAGS = {
    **dict.fromkeys(("email", "mail", "emailaddress"), Kind.ADDRESS),
    **dict.fromkeys(("employeeid", "employeenumber", "personnelnumber", "staffid"), Kind.NUMBER),
}


class IamUsers:
    """Reads, blocks and deletes the users of one AWS account."""

    def __init__(self, api: AwsApi) -> None:
        self.api = api

    def every(self, act: str) -> Iterator[Raw]:
        """Yield all users with their groups, policies and tags, from one paged call."""
        return self.api.every("iam", "get_account_authorization_details", act, key="UserDetailList", Filter=["User"])

    def name_of(self, account: Account, act: str) -> str:
        """Return the user's name, after a check that it still belongs to the same user: IAM writes take a name, and a name can be reused.

        :raises NotFound: the user does not exist any more.
        :raises Conflict: the name belongs to another user now.
        """
        user = self.api.read("iam", "get_user", act, key="User", UserName=account.login)
        if user is None:
            raise NotFound("the user does not exist any more", act=act, system=self.api.target.name, hint="run again")
        if user["UserId"] != account.id:
            raise Conflict(
                f"{account.login} is now another user",
                act=act,
                system=self.api.target.name,
                hint="look at it, and run again",
            )
        return str(user["UserName"])

    def keys(self, user: str) -> list[Mapping[str, Any]]:
        return list(
            self.api.every(
                "iam", "list_access_keys", f"read access keys of {user}", key="AccessKeyMetadata", UserName=user
            )
        )

    def service_credentials(self, user: str) -> list[Mapping[str, Any]]:
        if self.api.target.options.get("service_specific_credentials") is False:
            return []
        return list(
            self.api.every(
                "iam",
                "list_service_specific_credentials",
                f"read service credentials of {user}",
                key="ServiceSpecificCredentials",
                UserName=user,
            )
        )

    def block(self, account: Account) -> None:
        """Deny the user everything by one write, then make their keys inactive."""
        self.deny(account)
        act = f"block {account.login}"
        user = self.name_of(account, act)
        for one in self.keys(user):
            if one["Status"] == "Active":
                self._set_key(user, one["AccessKeyId"], "Inactive", act)

    def unblock(self, account: Account) -> None:
        """Remove the block, and activate the keys that were active before it."""
        act = f"let in {account.login}"
        user = self.name_of(account, act)
        for key in str(account.raw.get("tags", {}).get(KEYS_TAG, "")).split():
            self._set_key(user, key, "Active", act)
        self.api.write("iam", "untag_user", act, UserName=user, TagKeys=[KEYS_TAG])
        # Last: while the policy is there, a later run sees that there is more to do.
        self.api.write("iam", "delete_user_policy", act, gone_is_done=True, UserName=user, PolicyName=DENY_POLICY)

    def _set_key(self, user: str, key: str, status: str, act: str) -> None:
        self.api.write(
            "iam", "update_access_key", act, gone_is_done=True, UserName=user, AccessKeyId=key, Status=status
        )

    def deny(self, account: Account) -> None:
        """Deny the user everything by one write, and note in a tag which keys were active."""
        act = f"block {account.login}"
        user = self.name_of(account, act)
        active = [k["AccessKeyId"] for k in self.keys(user) if k["Status"] == "Active"]
        noted = str(account.raw.get("tags", {}).get(KEYS_TAG, "")).split()
        self.api.write("iam", "put_user_policy", act, UserName=user, PolicyName=DENY_POLICY, PolicyDocument=DENY)
        if active:
            self.api.write(
                "iam",
                "tag_user",
                act,
                UserName=user,
                Tags=[{"Key": KEYS_TAG, "Value": " ".join(dict.fromkeys([*noted, *active]))}],
            )

    def delete(self, account: Account, act: str) -> None:
        """Delete the credentials, then policies and groups, then the user. Policies come late, because one of them may be a Deny."""
        user = self.name_of(account, act)
        self._delete_credentials(user, act)
        attached = self.api.every("iam", "list_attached_user_policies", act, key="AttachedPolicies", UserName=user)
        self._take_each(user, "detach_user_policy", "PolicyArn", attached, act)
        for name in list(self.api.every("iam", "list_user_policies", act, key="PolicyNames", UserName=user)):
            self.api.write("iam", "delete_user_policy", act, gone_is_done=True, UserName=user, PolicyName=name)
        groups = self.api.every("iam", "list_groups_for_user", act, key="Groups", UserName=user)
        self._take_each(user, "remove_user_from_group", "GroupName", groups, act)
        self.api.write("iam", "delete_user", act, gone_is_done=True, repeat=False, UserName=user)

    def _take_each(self, user: str, operation: str, key: str, rows: Iterable[Mapping[str, Any]], act: str) -> None:
        """Remove each row of a list from the user; ``key`` is the row's identifier, in the list and in the operation."""
        for row in list(rows):
            self.api.write("iam", operation, act, gone_is_done=True, UserName=user, **{key: row[key]})

    def _delete_credentials(self, user: str, act: str) -> None:
        self.api.write("iam", "delete_login_profile", act, gone_is_done=True, UserName=user)
        self._take_each(user, "delete_access_key", "AccessKeyId", self.keys(user), act)
        keys = self.api.every("iam", "list_ssh_public_keys", act, key="SSHPublicKeys", UserName=user)
        self._take_each(user, "delete_ssh_public_key", "SSHPublicKeyId", keys, act)
        services = self.service_credentials(user)
        self._take_each(user, "delete_service_specific_credential", "ServiceSpecificCredentialId", services, act)
        certificates = self.api.every("iam", "list_signing_certificates", act, key="Certificates", UserName=user)
        self._take_each(user, "delete_signing_certificate", "CertificateId", certificates, act)
        for device in list(self.api.every("iam", "list_mfa_devices", act, key="MFADevices", UserName=user)):
            self.remove_mfa(user, device["SerialNumber"])

    def remove_mfa(self, user: str, serial: str) -> None:
        act = f"remove MFA device of {user}"
        self.api.write("iam", "deactivate_mfa_device", act, gone_is_done=True, UserName=user, SerialNumber=serial)
        if ":mfa/" in serial:
            # A virtual device would stay behind.
            self.api.write("iam", "delete_virtual_mfa_device", act, gone_is_done=True, SerialNumber=serial)

    def drop_password(self, user: str) -> None:
        act = f"remove console password of {user}"
        self.api.write("iam", "delete_login_profile", act, gone_is_done=True, UserName=user)

    def report(self) -> Iterator[Mapping[str, str]]:
        """Yield the rows of the credential report, without the root user. AWS makes a new report only when the last one is four hours old.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html

        :raises Unavailable: the report is not ready within the system's max_wait.
        """
        act, deadline = "make the credential report", time.monotonic() + self.api.target.max_wait
        while (self.api.read("iam", "generate_credential_report", act, key="State") or "") != "COMPLETE":
            if time.monotonic() >= deadline:
                raise Unavailable(
                    "the report is not ready",
                    act=act,
                    system=self.api.target.name,
                    hint="run again in a few minutes, or raise max_wait of the system",
                )
            time.sleep(0.5)
        content = self.api.read("iam", "get_credential_report", act, key="Content")
        if content is None:
            raise Unavailable("the report has expired", act=act, system=self.api.target.name, hint="run again")
        return (row for row in csv.DictReader(io.StringIO(content.decode())) if row["user"] != "<root_account>")


def user_account(user: Raw, further: Sequence[Key] = (), center: Raw | None = None) -> Account:
    """Return an IAM user as an account.

    :param further: keys of the same person in Identity Center.
    :param center: the person in Identity Center.
    """
    tags = {t["Key"]: t["Value"] for t in user.get("Tags") or ()}
    return Account(
        user["UserId"],
        user["UserName"],
        DENY_POLICY not in inline_policies(user),
        tags.get("email", ""),
        {k: tags[k] for k in ATTRIBUTES if tags.get(k)},
        raw={"iam": user, "tags": tags, "center": center},
        keys=(*_keys_of_tags(tags), *further),
    )


def user_held(user: Raw) -> Iterator[Entitlement]:
    """Yield the entitlements of a user from :meth:`IamUsers.every`, in the order and with the names of ``AwsEntitlements.held``."""
    yield from (Entitlement("groups", name, name) for name in user.get("GroupList") or ())
    yield from (
        Entitlement("policies", p["PolicyName"], p["PolicyArn"]) for p in user.get("AttachedManagedPolicies") or ()
    )
    yield from (inline_policy(name) for name in inline_policies(user) if name != DENY_POLICY)


def inline_policy(name: str) -> Entitlement:
    """Return an inline policy as an entitlement that a person removes: its text would be lost."""
    return Entitlement(
        "policies", name, name, "an inline policy: delete it, or delete the account with it", by_hand=True
    )


def inline_policies(user: Raw) -> list[str]:
    return [policy["PolicyName"] for policy in user.get("UserPolicyList") or ()]


def _keys_of_tags(tags: Mapping[str, str]) -> Iterator[Key]:
    for name, value in tags.items():
        kind = _TAGS.get("".join(c for c in name.translate(LOWER) if c.isalnum()))
        if kind is not None and value:
            yield Key(kind, value)
