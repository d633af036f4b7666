# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find the users who may do everything in an AWS account, by its policies.

The root user belongs to no person and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...sdk.values import Account
from .api import AwsApi
from .users import DENY_POLICY, Raw

#: The policy of AWS that allows everything (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html).
_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
_ACT = "list administrators"


class AwsAdministrators:
    """Finds the users who have the policy ``AdministratorAccess``."""

    def __init__(self, api: AwsApi) -> None:
        self.api = api

    def has(self, account: Account) -> bool:
        return "iam" in account.raw and account.login in self._names()

    def ids(self) -> Iterator[str]:
        """Yield the ids of users who have the policy, directly or through a group, and are not blocked.

        A role that Identity Center keeps for the policy counts too, because somebody may be assigned to it.
        """
        for name in sorted(self._names()):
            blocked = DENY_POLICY in self.api.every("iam", "list_user_policies", _ACT, key="PolicyNames", UserName=name)
            user = None if blocked else self.api.read("iam", "get_user", _ACT, key="User", UserName=name)
            if user is not None:
                yield str(user["UserId"])
        for role in self._holders("PolicyRoles"):
            if str(role["RoleName"]).startswith("AWSReservedSSO_"):
                yield str(role["RoleId"])

    def _names(self) -> set[str]:
        names = {str(user["UserName"]) for user in self._holders("PolicyUsers")}
        for group in self._holders("PolicyGroups"):
            members = self.api.every("iam", "get_group", _ACT, key="Users", GroupName=group["GroupName"])
            names |= {str(user["UserName"]) for user in members}
        return names

    def _holders(self, key: str) -> Iterator[Raw]:
        return self.api.every("iam", "list_entities_for_policy", _ACT, key=key, PolicyArn=_POLICY)
