# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Amazon Web Services: IAM users with every kind of credential they can hold, and people in IAM Identity Center.

https://docs.aws.amazon.com/IAM/latest/APIReference/ https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...model.errors import Conflict, NotFound, Rejected
from ...model.person import Person
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Option, Target
from ...sdk.values import AccessPath, Account, Entitlement, Residual
from .api import AwsApi
from .listing import DENY_POLICY, LOWER, AwsListing, center_account
from .reopening import AwsReopening

DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
#: Names the keys that were active before the block, so that letting in again brings back these and no others.
KEYS_TAG = "lifecycle-blocked-keys"
LONGEST_ROLE_SESSION = 12 * 3600.0


class Aws(AwsListing, AwsReopening):
    """See docs/connectors/aws.md."""

    TITLE = "Amazon Web Services"
    NAMES_FROM = "nobody: IAM keeps no names"
    NEEDS_URL = False
    OPTIONS = {
        "region": Option("Region of IAM Identity Center; IAM itself has none.", default="us-east-1"),
        "profile": Option(
            "Profile of the AWS configuration to use in place of keys (single sign-on, an assumed role)."
        ),
        "identity_center": Option(
            "Also look after people, groups and assignments of IAM Identity Center.", kind="bool", default=False
        ),
        "service_specific_credentials": Option(
            "False for an endpoint that is not AWS itself and has no service-specific credentials.",
            kind="bool",
            default=True,
        ),
        "settles_within": Option("Seconds a change may take until reads show it.", kind="float", default=10.0),
    }
    CREDENTIALS = {
        "access_key_id": Option("Key of the integration's user or role. Without it, boto3's usual places."),
        "secret_access_key": Option("Its secret."),
        "session_token": Option("For temporary keys."),
    }
    PERMISSIONS = {
        #: The reads are those of all capabilities.
        "accounts": (
            "iam:Get*",
            "iam:List*",
            "iam:PutUserPolicy",
            "iam:DeleteUserPolicy",
            "iam:TagUser",
            "iam:UntagUser",
            "iam:UpdateAccessKey",
            "sso:List*",
            "sso:Describe*",
            "identitystore:Get*",
            "identitystore:List*",
            "identitystore:Describe*",
        ),
        "cutoff": (
            "iam:Get*",
            "iam:List*",
            "iam:PutUserPolicy",
            "iam:TagUser",
            "iam:Update*",
            "iam:DeleteLoginProfile",
            "iam:DeactivateMFADevice",
            "iam:DeleteVirtualMFADevice",
            "sso:DeleteAccountAssignment",
            "identitystore:DeleteGroupMembership",
        ),
        "provisioning": (
            "iam:CreateUser",
            "iam:TagUser",
            "iam:UntagUser",
            "iam:Delete*",
            "iam:DeactivateMFADevice",
            "iam:DetachUserPolicy",
            "iam:RemoveUserFromGroup",
            "identitystore:DeleteUser",
        ),
        "entitlements": (
            "iam:AddUserToGroup",
            "iam:RemoveUserFromGroup",
            "iam:AttachUserPolicy",
            "iam:DetachUserPolicy",
            "sso:*AccountAssignment*",
            "identitystore:*GroupMembership*",
        ),
        "account_listing": (
            "iam:GetAccountAuthorizationDetails",
            "iam:GenerateCredentialReport",
            "iam:GetCredentialReport",
            "sso:List*",
            "identitystore:List*",
        ),
        "credential_listing": (
            "iam:ListUsers",
            "iam:ListAccessKeys",
            "iam:ListSigningCertificates",
            "iam:GenerateCredentialReport",
            "iam:GetCredentialReport",
        ),
    }
    ATTRIBUTES: Sequence[str] = ("email", "employee_id", "department")
    #: Identity Center has external ids; of IAM users only tags tell more than the name.
    LOOKS_UP = frozenset(Kind)
    COMPARES = LOOKS_UP
    ENTITLEMENT_KINDS: Sequence[str] = ("groups", "policies", "identity_center_groups", "account_assignments")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = AwsApi(target, target.options.get("region") or "us-east-1")
        self.SETTLES_WITHIN = float(target.options.get("settles_within") or 0.0)  # type: ignore[misc]
        if not target.options.get("identity_center"):
            self.ENTITLEMENT_KINDS = ("groups", "policies")

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """IAM can be asked for a name only, as it is written: its list, which has tags and policies too, is compared whole."""
        users = list(self._iam_users("find users"))
        center = {user["UserName"].translate(LOWER): user for user in self._center_users()}
        for user in users:
            joined = center.get(user["UserName"].translate(LOWER))
            account = self._iam_account(user, joined)
            if self._answers(keys, account):
                center.pop(user["UserName"].translate(LOWER), None)
                yield account
        for user in center.values():
            account = center_account(user)
            if self._answers(keys, account):
                yield account

    @staticmethod
    def _answers(keys: PersonKeys, account: Account) -> bool:
        return account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried)

    def _user(self, account: Account, act: str) -> str:
        """The user's name to address, proved to be still the one we saw: IAM writes know no ids, and names are given again."""
        user = self.api.read("iam", "get_user", act, key="User", UserName=account.login)
        if user is None:
            raise NotFound("it is gone", act=act, system=self.target.name)
        if user["UserId"] != account.id:
            raise Conflict(
                f"{account.login} is now another user",
                act=act,
                system=self.target.name,
                hint="look at it, and run again",
            )
        return str(user["UserName"])

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        login = self.login_of(person)
        tags = [{"Key": k, "Value": str(v)} for k, v in attributes.items() if v]
        self.api.write("iam", "create_user", f"create account {login}", repeat=False, UserName=login, Tags=tags)

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        act = f"change {', '.join(attributes)} of {account.login}"
        self.api.write(
            "iam",
            "tag_user",
            act,
            UserName=self._user(account, act),
            Tags=[{"Key": k, "Value": str(v)} for k, v in attributes.items()],
        )

    def set_active(self, account: Account, active: bool) -> None:
        if "iam" not in account.raw:
            raise Rejected(
                "Identity Center has no call that disables a person",
                act=f"block {account.login}",
                system=self.target.name,
                hint="disable them at its identity source, or in its console",
            )
        act = f"{'let in' if active else 'block'} {account.login}"
        user = self._user(account, act)
        if not active:
            self._deny(account)
            for one in self._keys(user):
                if one["Status"] == "Active":
                    self.api.write(
                        "iam",
                        "update_access_key",
                        act,
                        gone_is_done=True,
                        UserName=user,
                        AccessKeyId=one["AccessKeyId"],
                        Status="Inactive",
                    )
            return
        for key in str(account.raw.get("tags", {}).get(KEYS_TAG, "")).split():
            self.api.write(
                "iam", "update_access_key", act, gone_is_done=True, UserName=user, AccessKeyId=key, Status="Active"
            )
        self.api.write("iam", "untag_user", act, UserName=user, TagKeys=[KEYS_TAG])
        # last: what it is read by, so that a run cut short is taken up again
        self.api.write("iam", "delete_user_policy", act, gone_is_done=True, UserName=user, PolicyName=DENY_POLICY)

    def _deny(self, account: Account) -> None:
        """Block: one write that holds for everything the user is. Which keys were active is noted, for the way back."""
        act = f"block {account.login}"
        user = self._user(account, act)
        active = [k["AccessKeyId"] for k in self._keys(user) if k["Status"] == "Active"]
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

    def delete_account(self, account: Account) -> None:
        """Credentials first, what they may do later, the user last: a policy that is taken early may have been a Deny."""
        act = f"delete account {account.login}"
        if "iam" in account.raw:
            user = self._user(account, act)
            self._remove_credentials(user, act)
            for policy in list(
                self.api.every("iam", "list_attached_user_policies", act, key="AttachedPolicies", UserName=user)
            ):
                self.api.write(
                    "iam", "detach_user_policy", act, gone_is_done=True, UserName=user, PolicyArn=policy["PolicyArn"]
                )
            for name in list(self.api.every("iam", "list_user_policies", act, key="PolicyNames", UserName=user)):
                self.api.write("iam", "delete_user_policy", act, gone_is_done=True, UserName=user, PolicyName=name)
            for group in list(self.api.every("iam", "list_groups_for_user", act, key="Groups", UserName=user)):
                self.api.write(
                    "iam", "remove_user_from_group", act, gone_is_done=True, UserName=user, GroupName=group["GroupName"]
                )
            self.api.write("iam", "delete_user", act, gone_is_done=True, repeat=False, UserName=user)
        if account.raw.get("center"):
            self.api.write(
                "identitystore",
                "delete_user",
                act,
                gone_is_done=True,
                repeat=False,
                IdentityStoreId=self._instance["IdentityStoreId"],
                UserId=account.raw["center"]["UserId"],
            )

    def _remove_credentials(self, user: str, act: str) -> None:
        self.api.write("iam", "delete_login_profile", act, gone_is_done=True, UserName=user)
        for key in self._keys(user):
            self.api.write(
                "iam", "delete_access_key", act, gone_is_done=True, UserName=user, AccessKeyId=key["AccessKeyId"]
            )
        for key in list(self.api.every("iam", "list_ssh_public_keys", act, key="SSHPublicKeys", UserName=user)):
            self.api.write(
                "iam",
                "delete_ssh_public_key",
                act,
                gone_is_done=True,
                UserName=user,
                SSHPublicKeyId=key["SSHPublicKeyId"],
            )
        for one in self._service_credentials(user):
            self.api.write(
                "iam",
                "delete_service_specific_credential",
                act,
                gone_is_done=True,
                UserName=user,
                ServiceSpecificCredentialId=one["ServiceSpecificCredentialId"],
            )
        for one in list(self.api.every("iam", "list_signing_certificates", act, key="Certificates", UserName=user)):
            self.api.write(
                "iam",
                "delete_signing_certificate",
                act,
                gone_is_done=True,
                UserName=user,
                CertificateId=one["CertificateId"],
            )
        for device in list(self.api.every("iam", "list_mfa_devices", act, key="MFADevices", UserName=user)):
            self._remove_mfa(user, device["SerialNumber"])

    def _keys(self, user: str) -> list[Mapping[str, Any]]:
        return list(
            self.api.every(
                "iam", "list_access_keys", f"read access keys of {user}", key="AccessKeyMetadata", UserName=user
            )
        )

    def _service_credentials(self, user: str) -> list[Mapping[str, Any]]:
        if self.target.options.get("service_specific_credentials") is False:
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

    def _remove_mfa(self, user: str, serial: str) -> None:
        act = f"remove MFA device of {user}"
        self.api.write("iam", "deactivate_mfa_device", act, gone_is_done=True, UserName=user, SerialNumber=serial)
        if ":mfa/" in serial:
            # a virtual device stays behind as an orphan otherwise
            self.api.write("iam", "delete_virtual_mfa_device", act, gone_is_done=True, SerialNumber=serial)

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Block first. What has a status is made inactive, so that it can come back; deleting is for ``delete_account``."""
        paths = list(self._iam_paths(account)) if "iam" in account.raw else []
        if account.raw.get("center"):
            paths += self._center_paths(account)
        return paths

    def _iam_paths(self, account: Account) -> Iterator[AccessPath]:
        user = account.login
        act = f"read credentials of {user}"
        yield AccessPath(
            "sign-in",
            "open" if account.active else "closed",
            lambda: self._deny(account),
            Residual(
                "role sessions",
                "",
                "a role that the user assumed before the cut keeps its session to its end, 12 h at most",
                lasts=LONGEST_ROLE_SESSION,
            ),
        )
        for key in self._keys(user):
            yield self._status_path(user, "access key", "update_access_key", "AccessKeyId", key)
        if self.api.read("iam", "get_login_profile", act, key="LoginProfile", UserName=user):
            yield AccessPath("console password", "open", lambda: self._drop_password(user))
        for key in self.api.every("iam", "list_ssh_public_keys", act, key="SSHPublicKeys", UserName=user):
            yield self._status_path(user, "SSH key", "update_ssh_public_key", "SSHPublicKeyId", key)
        for one in self._service_credentials(user):
            yield self._status_path(
                user, "service credential", "update_service_specific_credential", "ServiceSpecificCredentialId", one
            )
        for one in self.api.every("iam", "list_signing_certificates", act, key="Certificates", UserName=user):
            yield self._status_path(user, "signing certificate", "update_signing_certificate", "CertificateId", one)
        for device in self.api.every("iam", "list_mfa_devices", act, key="MFADevices", UserName=user):
            serial = device["SerialNumber"]
            close = partial(self._remove_mfa, user, serial)
            yield AccessPath(f"MFA device {serial.rpartition('/')[2]}", "open", close)

    def _status_path(self, user: str, what: str, operation: str, id_name: str, one: Mapping[str, Any]) -> AccessPath:
        def close() -> None:
            self.api.write(
                "iam",
                operation,
                f"close {what} of {user}",
                gone_is_done=True,
                UserName=user,
                **{id_name: one[id_name]},
                Status="Inactive",
            )

        return AccessPath(f"{what} {one[id_name]}", "open" if one["Status"] == "Active" else "closed", close)

    def _drop_password(self, user: str) -> None:
        self.api.write(
            "iam", "delete_login_profile", f"remove console password of {user}", gone_is_done=True, UserName=user
        )

    def _center_paths(self, account: Account) -> list[AccessPath]:
        """No call disables the person or ends a portal session: what the portal gives is taken away instead."""
        lingering = Residual(
            "Identity Center sessions",
            "",
            "no API ends a portal session; role sessions taken from it live to their end, 12 h at most. Disable the person at the identity source too",
            lasts=LONGEST_ROLE_SESSION,
        )
        return [
            AccessPath(f"{e.kind.replace('_', ' ')} {e.name}", "open", lambda e=e: self.revoke(account, e), lingering)  # type: ignore[misc]
            for e in (*self._assignments(account), *self._center_groups(account))
            if not e.fixed
        ]

    # -- entitlements --------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        held: list[Entitlement] = []
        if "iam" in account.raw:
            act, user = f"read entitlements of {account.login}", account.login
            held += [
                Entitlement("groups", g["GroupName"], g["GroupName"])
                for g in self.api.every("iam", "list_groups_for_user", act, key="Groups", UserName=user)
            ]
            held += [
                Entitlement("policies", p["PolicyName"], p["PolicyArn"])
                for p in self.api.every(
                    "iam", "list_attached_user_policies", act, key="AttachedPolicies", UserName=user
                )
            ]
            held += [
                Entitlement("policies", name, name, "inline policy; goes with the account")
                for name in self.api.every("iam", "list_user_policies", act, key="PolicyNames", UserName=user)
                if name != DENY_POLICY
            ]
        if account.raw.get("center"):
            held += [*self._center_groups(account), *self._assignments(account)]
        return held

    def _center_groups(self, account: Account) -> Iterator[Entitlement]:
        store, act = self._instance["IdentityStoreId"], f"read Identity Center groups of {account.login}"
        member = {"UserId": account.raw["center"]["UserId"]}
        for one in self.api.every(
            "identitystore",
            "list_group_memberships_for_member",
            act,
            key="GroupMemberships",
            IdentityStoreId=store,
            MemberId=member,
        ):
            name = self.api.read(
                "identitystore", "describe_group", act, key="DisplayName", IdentityStoreId=store, GroupId=one["GroupId"]
            )
            yield Entitlement("identity_center_groups", name or one["GroupId"], one["GroupId"], raw=one)

    def _assignments(self, account: Account) -> Iterator[Entitlement]:
        act, person = f"read account assignments of {account.login}", account.raw["center"]["UserId"]
        for one in self.api.every(
            "sso-admin",
            "list_account_assignments_for_principal",
            act,
            key="AccountAssignments",
            InstanceArn=self._instance["InstanceArn"],
            PrincipalId=person,
            PrincipalType="USER",
        ):
            name = f"{self._permission_set(one['PermissionSetArn'])}@{one['AccountId']}"
            yield Entitlement(
                "account_assignments",
                name,
                name,
                "" if one["PrincipalType"] == "USER" else "through a group",
                {"PermissionSetArn": one["PermissionSetArn"], "TargetId": one["AccountId"]},
            )

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        act = f"find {name} among {kind}"
        if kind == "groups":
            group = self.api.read("iam", "get_group", act, key="Group", GroupName=name)
            return Entitlement(kind, group["GroupName"], group["GroupName"]) if group else None
        if kind == "policies":
            for scope in ("Local", "AWS"):
                for policy in self.api.every("iam", "list_policies", act, key="Policies", Scope=scope):
                    if name in (policy["PolicyName"], policy["Arn"]):
                        return Entitlement(kind, policy["PolicyName"], policy["Arn"])
            return None
        if kind == "identity_center_groups":
            found = self.api.read(
                "identitystore",
                "get_group_id",
                act,
                key="GroupId",
                IdentityStoreId=self._instance["IdentityStoreId"],
                AlternateIdentifier={"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": name}},
            )
            return Entitlement(kind, name, found) if found else None
        wanted, at, target = name.rpartition("@")
        for arn in (
            self.api.every(
                "sso-admin",
                "list_permission_sets",
                act,
                key="PermissionSets",
                InstanceArn=self._instance["InstanceArn"],
            )
            if at
            else ()
        ):
            if self._permission_set(arn) == wanted:
                return Entitlement(kind, name, name, raw={"PermissionSetArn": arn, "TargetId": target})
        return None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.name} to {account.login}"
        if entitlement.kind == "groups":
            self.api.write("iam", "add_user_to_group", act, UserName=self._user(account, act), GroupName=entitlement.id)
        elif entitlement.kind == "policies":
            self.api.write(
                "iam", "attach_user_policy", act, UserName=self._user(account, act), PolicyArn=entitlement.id
            )
        elif entitlement.kind == "identity_center_groups":
            self.api.write(
                "identitystore",
                "create_group_membership",
                act,
                repeat=False,
                IdentityStoreId=self._instance["IdentityStoreId"],
                GroupId=entitlement.id,
                MemberId={"UserId": self._center_id(account, act)},
            )
        else:
            self._assign("create_account_assignment", "AccountAssignmentCreationStatus", account, entitlement, act)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        act = f"take {entitlement.name} from {account.login}"
        if entitlement.kind == "groups":
            self.api.write(
                "iam",
                "remove_user_from_group",
                act,
                gone_is_done=True,
                UserName=self._user(account, act),
                GroupName=entitlement.id,
            )
        elif entitlement.kind == "policies":
            self.api.write(
                "iam",
                "detach_user_policy",
                act,
                gone_is_done=True,
                UserName=self._user(account, act),
                PolicyArn=entitlement.id,
            )
        elif entitlement.kind == "identity_center_groups":
            self.api.write(
                "identitystore",
                "delete_group_membership",
                act,
                gone_is_done=True,
                IdentityStoreId=self._instance["IdentityStoreId"],
                MembershipId=entitlement.raw["MembershipId"],
            )
        else:
            self._assign("delete_account_assignment", "AccountAssignmentDeletionStatus", account, entitlement, act)

    def _center_id(self, account: Account, act: str) -> str:
        if not account.raw.get("center"):
            raise NotFound(
                f"{account.login} is not in Identity Center",
                act=act,
                system=self.target.name,
                hint="its identity source creates people there",
            )
        return str(account.raw["center"]["UserId"])

    def _assign(self, operation: str, key: str, account: Account, entitlement: Entitlement, act: str) -> None:
        """Account assignments are made and ended in the background: follow the request to its end."""
        instance = self._instance["InstanceArn"]
        answer = self.api.write(
            "sso-admin",
            operation,
            act,
            gone_is_done=operation.startswith("delete"),
            repeat=operation.startswith("delete"),
            InstanceArn=instance,
            TargetType="AWS_ACCOUNT",
            PrincipalType="USER",
            PrincipalId=self._center_id(account, act),
            **entitlement.raw,
        )
        status = answer.get(key) or {}
        deadline = time.monotonic() + self.target.max_wait
        kind = "creation" if "Creation" in key else "deletion"
        while status.get("Status") == "IN_PROGRESS" and time.monotonic() < deadline:
            time.sleep(0.5)
            status = (
                self.api.read(
                    "sso-admin",
                    f"describe_account_assignment_{kind}_status",
                    act,
                    key=key,
                    InstanceArn=instance,
                    **{f"AccountAssignment{kind.capitalize()}RequestId": status["RequestId"]},
                )
                or {}
            )
        if status.get("Status") == "FAILED":
            raise Rejected(str(status.get("FailureReason") or "it failed"), act=act, system=self.target.name)
