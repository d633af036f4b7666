# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read people of IAM Identity Center, and grant and revoke their groups and account assignments."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import NotFound, Rejected
from ...sdk.keys import Key, Kind
from ...sdk.values import Account, Entitlement
from .api import AwsApi

Raw = Mapping[str, Any]
GROUPS, ASSIGNMENTS = "identity_center_groups", "account_assignments"


class IdentityCenter:
    """Reads and changes the Identity Center of one region. ``instance`` is read when it is first needed."""

    def __init__(self, api: AwsApi, *, used: bool) -> None:
        self.api, self.used = api, used
        self.found: Mapping[str, str] | None = None

    @property
    def instance(self) -> Mapping[str, str]:
        if self.found is None:
            found = list(self.api.every("sso-admin", "list_instances", "find Identity Center", key="Instances"))
            if len(found) != 1:
                raise NotFound(
                    f"{len(found)} instances of Identity Center in {self.api.region}",
                    act="find Identity Center",
                    system=self.api.target.name,
                    hint="set option region to the one it is in, or identity_center to false",
                )
            self.found = found[0]
        return self.found

    def _store(self) -> dict[str, Any]:
        return {"IdentityStoreId": self.instance["IdentityStoreId"]}

    def permission_set(self, arn: str) -> str:
        found = self.api.read(
            "sso-admin",
            "describe_permission_set",
            "read permission set",
            key="PermissionSet",
            InstanceArn=self.instance["InstanceArn"],
            PermissionSetArn=arn,
        )
        return str(found["Name"]) if found else arn

    def users(self) -> Iterator[Raw]:
        if self.used:
            yield from self.api.every(
                "identitystore", "list_users", "list people of Identity Center", key="Users", **self._store()
            )

    def held(self) -> dict[str, list[Entitlement]]:
        """Return the entitlements of each person, by id: groups, then account assignments, direct ones and those through a group."""
        held: dict[str, list[Entitlement]] = {}
        rows = self.api.every(
            "identitystore", "list_groups", "list groups of Identity Center", key="Groups", **self._store()
        )
        groups = {row["GroupId"]: row["DisplayName"] for row in rows}
        members = {group: list(self.members(group)) for group in groups}
        for group, ids in members.items():
            for id in ids:
                held.setdefault(id, []).append(Entitlement(GROUPS, groups[group], group))
        for name, assignment in self._all_assignments():
            own = assignment["PrincipalType"] == "USER"
            for id in (assignment["PrincipalId"],) if own else members.get(assignment["PrincipalId"], ()):
                held.setdefault(id, []).append(Entitlement(ASSIGNMENTS, name, name, "" if own else "through a group"))
        return held

    def members(self, group: str) -> Iterator[str]:
        for one in self.api.every(
            "identitystore",
            "list_group_memberships",
            "list members of Identity Center groups",
            key="GroupMemberships",
            GroupId=group,
            **self._store(),
        ):
            if one["MemberId"].get("UserId"):
                yield one["MemberId"]["UserId"]

    def _all_assignments(self) -> Iterator[tuple[str, Raw]]:
        act, instance = "list account assignments", {"InstanceArn": self.instance["InstanceArn"]}
        for arn in self.api.every("sso-admin", "list_permission_sets", act, key="PermissionSets", **instance):
            name = self.permission_set(arn)
            for account in self.api.every(
                "sso-admin",
                "list_accounts_for_provisioned_permission_set",
                act,
                key="AccountIds",
                PermissionSetArn=arn,
                **instance,
            ):
                yield from ((f"{name}@{account}", one) for one in self.assigned(arn, account))

    def assigned(self, permission_set: str, account: str) -> Iterator[Raw]:
        return self.api.every(
            "sso-admin",
            "list_account_assignments",
            "list account assignments",
            key="AccountAssignments",
            InstanceArn=self.instance["InstanceArn"],
            PermissionSetArn=permission_set,
            AccountId=account,
        )

    def groups_of(self, account: Account) -> Iterator[Entitlement]:
        store, act = self.instance["IdentityStoreId"], f"read Identity Center groups of {account.login}"
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
            yield Entitlement(GROUPS, name or one["GroupId"], one["GroupId"], raw=one)

    def assignments_of(self, account: Account) -> Iterator[Entitlement]:
        act, person = f"read account assignments of {account.login}", account.raw["center"]["UserId"]
        for one in self.api.every(
            "sso-admin",
            "list_account_assignments_for_principal",
            act,
            key="AccountAssignments",
            InstanceArn=self.instance["InstanceArn"],
            PrincipalId=person,
            PrincipalType="USER",
        ):
            name = f"{self.permission_set(one['PermissionSetArn'])}@{one['AccountId']}"
            yield Entitlement(
                ASSIGNMENTS,
                name,
                name,
                "" if one["PrincipalType"] == "USER" else "through a group",
                {"PermissionSetArn": one["PermissionSetArn"], "TargetId": one["AccountId"]},
            )

    def find_group(self, name: str, act: str) -> Entitlement | None:
        found = self.api.read(
            "identitystore",
            "get_group_id",
            act,
            key="GroupId",
            AlternateIdentifier={"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": name}},
            **self._store(),
        )
        return Entitlement(GROUPS, name, found) if found else None

    def find_assignment(self, name: str, act: str) -> Entitlement | None:
        """Return the assignment of a permission set to an account, written ``PermissionSet@123456789012``; None without one."""
        wanted, at, target = name.rpartition("@")
        if not at:
            return None
        instance = self._instance_arn()
        for arn in self.api.every("sso-admin", "list_permission_sets", act, key="PermissionSets", **instance):
            if self.permission_set(arn) == wanted:
                return Entitlement(ASSIGNMENTS, name, name, raw={"PermissionSetArn": arn, "TargetId": target})
        return None

    def join(self, account: Account, group: Entitlement, act: str) -> None:
        member = {"UserId": self.id_of(account, act)}
        self.api.write(
            "identitystore",
            "create_group_membership",
            act,
            repeat=False,
            GroupId=group.id,
            MemberId=member,
            **self._store(),
        )

    def leave(self, group: Entitlement, act: str) -> None:
        self.api.write(
            "identitystore",
            "delete_group_membership",
            act,
            gone_is_done=True,
            MembershipId=group.raw["MembershipId"],
            **self._store(),
        )

    def delete(self, account: Account, act: str) -> None:
        self.api.write(
            "identitystore",
            "delete_user",
            act,
            gone_is_done=True,
            repeat=False,
            UserId=account.raw["center"]["UserId"],
            **self._store(),
        )

    def assign(self, account: Account, entitlement: Entitlement, act: str) -> None:
        """Grant an account assignment, and wait for the end of the request."""
        self._follow("create", "creation", self._request(account, entitlement, act), act)

    def unassign(self, account: Account, entitlement: Entitlement, act: str) -> None:
        """Revoke an account assignment, and wait for the end of the request."""
        self._follow("delete", "deletion", self._request(account, entitlement, act), act)

    def id_of(self, account: Account, act: str) -> str:
        if not account.raw.get("center"):
            raise NotFound(
                f"{account.login} is not in Identity Center",
                act=act,
                system=self.api.target.name,
                hint="its identity source creates people there",
            )
        return str(account.raw["center"]["UserId"])

    def _request(self, account: Account, entitlement: Entitlement, act: str) -> dict[str, Any]:
        return {
            **self._instance_arn(),
            "TargetType": "AWS_ACCOUNT",
            "PrincipalType": "USER",
            "PrincipalId": self.id_of(account, act),
            **entitlement.raw,
        }

    def _follow(self, verb: str, noun: str, request: Mapping[str, Any], act: str) -> None:
        """Send a request about an account assignment, and wait for its end: AWS works on it in the background.

        :raises Rejected: the request failed.
        """
        key, deletes = f"AccountAssignment{noun.capitalize()}Status", verb == "delete"
        answer = self.api.write(
            "sso-admin", f"{verb}_account_assignment", act, gone_is_done=deletes, repeat=deletes, **request
        )
        status = answer.get(key) or {}
        deadline = time.monotonic() + self.api.target.max_wait
        while status.get("Status") == "IN_PROGRESS" and time.monotonic() < deadline:
            time.sleep(0.5)
            asked = {f"AccountAssignment{noun.capitalize()}RequestId": status["RequestId"], **self._instance_arn()}
            answered = self.api.read("sso-admin", f"describe_account_assignment_{noun}_status", act, key=key, **asked)
            status = answered or {}
        if status.get("Status") == "FAILED":
            raise Rejected(str(status.get("FailureReason") or "it failed"), act=act, system=self.api.target.name)

    def _instance_arn(self) -> dict[str, str]:
        return {"InstanceArn": self.instance["InstanceArn"]}


def center_account(user: Raw) -> Account:
    """Return a person of Identity Center without an IAM user as an account."""
    return Account(
        user["UserId"],
        user["UserName"],
        user.get("UserStatus", "ENABLED") != "DISABLED",
        address_of(user),
        {"display_name": user["DisplayName"]} if user.get("DisplayName") else {},
        raw={"center": user},
        keys=tuple(keys_of(user)),
    )


def keys_of(user: Raw) -> Iterator[Key]:
    for mail in user.get("Emails") or ():
        if mail.get("Value"):
            yield Key(Kind.ADDRESS, str(mail["Value"]))
    for external in user.get("ExternalIds") or ():
        if external.get("Id"):
            yield Key(Kind.SUBJECT, str(external["Id"]))


def address_of(user: Raw) -> str:
    emails = [e for e in user.get("Emails") or () if e.get("Value")]
    return str(next((e["Value"] for e in (*(e for e in emails if e.get("Primary")), *emails)), "")).lower()
