# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read, find, grant and revoke entitlements: groups and policies of IAM, groups and account assignments of Identity Center."""

from __future__ import annotations

from collections.abc import Sequence

from ...sdk.values import Account, Entitlement
from .api import AwsApi
from .center import ASSIGNMENTS, GROUPS, IdentityCenter
from .users import DENY_POLICY, IamUsers, inline_policy

IAM_KINDS = ("groups", "policies")
KINDS = (*IAM_KINDS, GROUPS, ASSIGNMENTS)


class AwsEntitlements:
    """Reads, grants and revokes entitlements of the kinds above."""

    def __init__(self, api: AwsApi, users: IamUsers, center: IdentityCenter) -> None:
        self.api, self.users, self.center = api, users, center

    def held(self, account: Account) -> Sequence[Entitlement]:
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
                inline_policy(name)
                for name in self.api.every("iam", "list_user_policies", act, key="PolicyNames", UserName=user)
                if name != DENY_POLICY
            ]
        if account.raw.get("center"):
            held += [*self.center.groups_of(account), *self.center.assignments_of(account)]
        return held

    def find(self, kind: str, name: str) -> Entitlement | None:
        act = f"find {name} among {kind}"
        if kind == "groups":
            group = self.api.read("iam", "get_group", act, key="Group", GroupName=name)
            return Entitlement(kind, group["GroupName"], group["GroupName"]) if group else None
        if kind == "policies":
            return self._policy(name, act)
        return self.center.find_group(name, act) if kind == GROUPS else self.center.find_assignment(name, act)

    def _policy(self, name: str, act: str) -> Entitlement | None:
        for scope in ("Local", "AWS"):
            for policy in self.api.every("iam", "list_policies", act, key="Policies", Scope=scope):
                if name in (policy["PolicyName"], policy["Arn"]):
                    return Entitlement("policies", policy["PolicyName"], policy["Arn"])
        return None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.name} to {account.login}"
        if entitlement.kind == "groups":
            user = self.users.name_of(account, act)
            self.api.write("iam", "add_user_to_group", act, UserName=user, GroupName=entitlement.id)
        elif entitlement.kind == "policies":
            user = self.users.name_of(account, act)
            self.api.write("iam", "attach_user_policy", act, UserName=user, PolicyArn=entitlement.id)
        elif entitlement.kind == GROUPS:
            self.center.join(account, entitlement, act)
        else:
            self.center.assign(account, entitlement, act)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        act = f"take {entitlement.name} from {account.login}"
        if entitlement.kind == "groups":
            user, group = self.users.name_of(account, act), entitlement.id
            self.api.write("iam", "remove_user_from_group", act, gone_is_done=True, UserName=user, GroupName=group)
        elif entitlement.kind == "policies":
            user, arn = self.users.name_of(account, act), entitlement.id
            self.api.write("iam", "detach_user_policy", act, gone_is_done=True, UserName=user, PolicyArn=arn)
        elif entitlement.kind == GROUPS:
            self.center.leave(entitlement, act)
        else:
            self.center.unassign(account, entitlement, act)
