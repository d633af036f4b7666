# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Amazon Web Services: IAM users with every kind of credential they can hold, and people in IAM Identity Center.

https://docs.aws.amazon.com/IAM/latest/APIReference/ https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.addresses import LoginRule
from ...model.errors import Rejected
from ...model.person import Person
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Connector, Option, Target
from ...sdk.values import AccessPath, Account, Credential, Entitlement, Listed, Owned, WayBack
from .access import AwsAccess
from .administrators import AwsAdministrators
from .api import AwsApi
from .center import IdentityCenter, center_account
from .entitlements import IAM_KINDS, KINDS, AwsEntitlements
from .listing import AwsListing
from .ownership import AwsOwnership
from .users import ATTRIBUTES, IamUsers


class Aws(Connector):
    """An AWS account, and the Identity Center of its organisation."""

    TITLE = "Amazon Web Services"
    #: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html, UserName.
    LOGIN_RULE = LoginRule(r"[A-Za-z0-9_+=,.@-]+", "ASCII letters, digits and + = , . @ _ -", longest=64)
    NAMES_FROM = "nobody: IAM keeps no names"
    NEEDS_URL = False
    FIRST_CREDENTIAL = "a console password, or their place in Identity Center's source,"
    OPTIONS = {
        "region": Option("Region of IAM Identity Center; IAM itself has none.", default="us-east-1"),
        "profile": Option(
            "Profile of the AWS configuration to use in place of keys (single sign-on, an assumed role)."
        ),
        "identity_center": Option(
            "Whether people, groups and assignments of IAM Identity Center are managed too.", kind="bool", default=False
        ),
        "service_specific_credentials": Option(
            "False for an endpoint that is not AWS itself and has no service-specific credentials.",
            kind="bool",
            default=True,
        ),
        "service_keys": Option(
            "What happens to keys of other users that a leaver made or is responsible for: revoke makes them inactive.",
            choices=("decide", "revoke"),
            default="decide",
        ),
        "cloudtrail": Option(
            "Whether CloudTrail is asked who made a key. False for an endpoint that is not AWS itself and has no event history.",
            kind="bool",
            default=True,
        ),
        "settles_within": Option("How many seconds a change may take until reads show it.", kind="float", default=10.0),
    }
    CREDENTIALS = {
        "access_key_id": Option(
            "Access key of the integration's user or role. Without it, boto3 searches its usual places."
        ),
        "secret_access_key": Option("The secret of that key."),
        "session_token": Option("The session token of a temporary key."),
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
        "ownership": (
            "iam:GetAccountAuthorizationDetails",
            "iam:ListAccessKeys",
            "iam:UpdateAccessKey",
            "cloudtrail:LookupEvents",
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
    ATTRIBUTES: Sequence[str] = ATTRIBUTES
    #: Identity Center has external ids; of IAM users only tags say more than the name.
    LOOKS_UP = frozenset(Kind)
    COMPARES = LOOKS_UP
    ADMINISTRATORS = (("policies", "AdministratorAccess"),)
    ENTITLEMENT_KINDS: Sequence[str] = KINDS
    LISTS_HELD: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = AwsApi(target, target.options.get("region") or "us-east-1")
        self.SETTLES_WITHIN = float(target.options.get("settles_within") or 0.0)  # type: ignore[misc]
        self.users = IamUsers(self.api)
        self.center = IdentityCenter(self.api, used=bool(target.options.get("identity_center")))
        self._held = AwsEntitlements(self.api, self.users, self.center)
        self._access = AwsAccess(self.api, self.users, self.center, self._held)
        self._listing = AwsListing(self.api, self.users, self.center, self._held)
        self._administrators = AwsAdministrators(self.api)
        settle, trail = str(target.options.get("service_keys")), bool(target.options.get("cloudtrail"))
        self._owned = AwsOwnership(self.api, self.users, settle=settle, trail=trail)
        if not self.center.used:
            self.ENTITLEMENT_KINDS = IAM_KINDS

    def administers(self, account: Account) -> bool:
        return self._administrators.has(account)

    def administrators(self) -> Iterator[str]:
        return self._administrators.ids()

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield the accounts of the person, from the whole list: IAM can only be asked for an exact name."""
        for account, user, center in self._listing.known():
            if account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried):
                yield account
            elif user and center.get("UserId") in keys.ids:
                yield center_account(center)

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
            UserName=self.users.name_of(account, act),
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
        if active:
            self.users.unblock(account)
        else:
            self.users.block(account)

    def delete_account(self, account: Account) -> None:
        act = f"delete account {account.login}"
        if "iam" in account.raw:
            self.users.delete(account, act)
        if account.raw.get("center"):
            self.center.delete(account, act)

    # -- ways in -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self._access.ways_back(account, closed)

    # -- entitlements --------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return self._held.held(account)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return self._held.find(kind, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._held.grant(account, entitlement)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self._held.revoke(account, entitlement)

    # -- keys that a leaver may know -----------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        return list(self._owned.owned(account))

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        """Make a key inactive. The successor gets nothing."""
        self._owned.revoke(owned)

    # -- lists ---------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        return self._listing.all_accounts()

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        return self._listing.group_members(kind, name)

    def all_credentials(self) -> Iterator[Credential]:
        return self._listing.all_credentials()
