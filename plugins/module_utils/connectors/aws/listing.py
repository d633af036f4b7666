# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every IAM user and every person of Identity Center with what they hold, and the keys that work without them."""

from __future__ import annotations

import csv
import io
import string
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model import clock
from ...model.errors import NotFound, Unavailable
from ...sdk.keys import Key, Kind
from ...sdk.target import Connector
from ...sdk.values import Account, Credential, Entitlement, Listed
from .api import AwsApi

#: The inline policy that is the block. It outranks every allow, for the user's own sessions too.
DENY_POLICY = "lifecycle-deny-all"
KEYS = ("access_key_1", "access_key_2")
Raw = Mapping[str, Any]
#: IAM's names are unique whatever their case, and looked up as they are written.
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
#: Tags that say whose a user is, without case, spaces and marks.
_TAGS = {
    **dict.fromkeys(("email", "mail", "emailaddress"), Kind.ADDRESS),
    **dict.fromkeys(("employeeid", "employeenumber", "personnelnumber", "staffid"), Kind.NUMBER),
}


class AwsListing(Connector):
    """The part of the connector that lists."""

    LISTS_HELD: ClassVar[bool] = True
    ATTRIBUTES: Sequence[str]
    api: AwsApi
    find_entitlement: Callable[[str, str], Entitlement | None]
    _found_instance: Mapping[str, str] | None = None

    # -- Identity Center -----------------------------------------------------------------------------------------------

    @property
    def _instance(self) -> Mapping[str, str]:
        if self._found_instance is None:
            found = list(self.api.every("sso-admin", "list_instances", "find Identity Center", key="Instances"))
            if len(found) != 1:
                raise NotFound(
                    f"{len(found)} instances of Identity Center in {self.api.region}",
                    act="find Identity Center",
                    system=self.target.name,
                    hint="set option region to the one it is in, or identity_center to false",
                )
            self._found_instance = found[0]
        return self._found_instance

    def _permission_set(self, arn: str) -> str:
        found = self.api.read(
            "sso-admin",
            "describe_permission_set",
            "read permission set",
            key="PermissionSet",
            InstanceArn=self._instance["InstanceArn"],
            PermissionSetArn=arn,
        )
        return str(found["Name"]) if found else arn

    # -- accounts ------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        """IAM users from one paged call that has their groups and policies, joined with Identity Center's people by name."""
        people = {user["UserName"].translate(LOWER): user for user in self._center_users()}
        held = self._center_held() if people else {}
        seen = {row["user"]: _last_used(row) for row in self._report()}
        for user in self._iam_users("list users"):
            center = people.pop(user["UserName"].translate(LOWER), None)
            inline = [policy["PolicyName"] for policy in user.get("UserPolicyList") or ()]
            yield _listed(
                self._iam_account(user, center),
                [*_iam_held(user, inline), *(held.get(center["UserId"], ()) if center else ())],
                _text(user.get("CreateDate")),
                seen.get(user["UserName"], ""),
            )
        for user in people.values():
            yield _listed(center_account(user), held.get(user["UserId"], ()), _text(user.get("CreatedAt")))

    def _iam_users(self, act: str) -> Iterator[Raw]:
        return self.api.every("iam", "get_account_authorization_details", act, key="UserDetailList", Filter=["User"])

    def _iam_account(self, user: Raw, center: Raw | None) -> Account:
        tags = {t["Key"]: t["Value"] for t in user.get("Tags") or ()}
        inline = [policy["PolicyName"] for policy in user.get("UserPolicyList") or ()]
        return Account(
            user["UserId"],
            user["UserName"],
            DENY_POLICY not in inline,
            tags.get("email", ""),
            {k: tags[k] for k in self.ATTRIBUTES if tags.get(k)},
            raw={"iam": user, "tags": tags, "center": center},
            keys=(*_keys_of_tags(tags), *(_keys_of_center(center) if center else ())),
        )

    def _center_users(self) -> Iterator[Raw]:
        if self.target.options.get("identity_center"):
            yield from self.api.every(
                "identitystore", "list_users", "list people of Identity Center", key="Users", **self._store()
            )

    def _store(self) -> dict[str, str]:
        return {"IdentityStoreId": self._instance["IdentityStoreId"]}

    def _center_held(self) -> dict[str, list[Entitlement]]:
        """What each person of Identity Center holds, by id: groups, then account assignments, their own or a group's."""
        held: dict[str, list[Entitlement]] = {}
        rows = self.api.every(
            "identitystore", "list_groups", "list groups of Identity Center", key="Groups", **self._store()
        )
        groups = {row["GroupId"]: row["DisplayName"] for row in rows}
        members = {group: list(self._center_members(group)) for group in groups}
        for group, ids in members.items():
            for id in ids:
                held.setdefault(id, []).append(Entitlement("identity_center_groups", groups[group], group))
        for name, assignment in self._all_assignments():
            own = assignment["PrincipalType"] == "USER"
            for id in (assignment["PrincipalId"],) if own else members.get(assignment["PrincipalId"], ()):
                held.setdefault(id, []).append(
                    Entitlement("account_assignments", name, name, "" if own else "through a group")
                )
        return held

    def _center_members(self, group: str) -> Iterator[str]:
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
        act, instance = "list account assignments", {"InstanceArn": self._instance["InstanceArn"]}
        for arn in self.api.every("sso-admin", "list_permission_sets", act, key="PermissionSets", **instance):
            name = self._permission_set(arn)
            for account in self.api.every(
                "sso-admin",
                "list_accounts_for_provisioned_permission_set",
                act,
                key="AccountIds",
                PermissionSetArn=arn,
                **instance,
            ):
                yield from ((f"{name}@{account}", one) for one in self._assigned(arn, account))

    def _assigned(self, permission_set: str, account: str) -> Iterator[Raw]:
        return self.api.every(
            "sso-admin",
            "list_account_assignments",
            "list account assignments",
            key="AccountAssignments",
            InstanceArn=self._instance["InstanceArn"],
            PermissionSetArn=permission_set,
            AccountId=account,
        )

    # -- members -------------------------------------------------------------------------------------------------------

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """The id and name of each member; of Identity Center's people the address too."""
        act, found = f"list members of {name}", self.find_entitlement(kind, name)
        if found is None:
            raise NotFound(f"it has no {name} among {kind}", act=act, system=self.target.name)
        if kind in ("groups", "policies"):
            users = (
                self.api.every("iam", "get_group", act, key="Users", GroupName=found.id)
                if kind == "groups"
                else self.api.every(
                    "iam", "list_entities_for_policy", act, key="PolicyUsers", PolicyArn=found.id, EntityFilter="User"
                )
            )
            for user in users:
                yield from (user["UserId"], user["UserName"])
            return
        if kind == "identity_center_groups":
            ids = set(self._center_members(found.id))
        else:
            assigned = list(self._assigned(found.raw["PermissionSetArn"], found.raw["TargetId"]))
            ids = {one["PrincipalId"] for one in assigned if one["PrincipalType"] == "USER"}
            ids |= {
                id
                for one in assigned
                if one["PrincipalType"] == "GROUP"
                for id in self._center_members(one["PrincipalId"])
            }
        for user in self._center_users():
            if user["UserId"] in ids:
                yield from dict.fromkeys(one for one in (user["UserId"], user["UserName"], _address(user)) if one)

    # -- credentials ---------------------------------------------------------------------------------------------------

    def all_credentials(self) -> Iterator[Credential]:
        """Active access keys and signing certificates of IAM users. The report tells who has any, so that only they are asked for."""
        report = {row["user"]: row for row in self._report()}
        for user in self.api.every("iam", "list_users", "list users", key="Users"):
            name, row = user["UserName"], report.get(user["UserName"])
            if row is None or _has(row, *KEYS):
                for key in self._of("list_access_keys", "AccessKeyMetadata", name):
                    used = max(
                        (
                            _time(row[f"{k}_last_used_date"])
                            for k in KEYS
                            if row and _same(row[f"{k}_last_rotated"], key.get("CreateDate"))
                        ),
                        default="",
                    )
                    yield Credential(
                        "access key", key["AccessKeyId"], key["AccessKeyId"], name, _text(key.get("CreateDate")), used
                    )
            if row is None or _has(row, "cert_1", "cert_2"):
                for one in self._of("list_signing_certificates", "Certificates", name):
                    yield Credential(
                        "signing certificate",
                        one["CertificateId"],
                        one["CertificateId"],
                        name,
                        _text(one.get("UploadDate")),
                    )

    def _of(self, operation: str, key: str, user: str) -> Iterator[Raw]:
        try:
            yield from (
                one
                for one in self.api.every("iam", operation, f"list credentials of {user}", key=key, UserName=user)
                if one["Status"] == "Active"
            )
        except NotFound:
            return  # the user was deleted since

    def _report(self) -> Iterator[Mapping[str, str]]:
        """The rows of the credential report, the root user's left out. AWS makes a new one only when the last is four hours old.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html

        :raises Unavailable: it is not ready within the system's max_wait.
        """
        act, deadline = "make the credential report", time.monotonic() + self.target.max_wait
        while (self.api.read("iam", "generate_credential_report", act, key="State") or "") != "COMPLETE":
            if time.monotonic() >= deadline:
                raise Unavailable(
                    "it is not ready",
                    act=act,
                    system=self.target.name,
                    hint="run again in a few minutes, or raise max_wait of the system",
                )
            time.sleep(0.5)
        content = self.api.read("iam", "get_credential_report", act, key="Content")
        if content is None:
            raise Unavailable("it is gone again", act=act, system=self.target.name, hint="run again")
        return (row for row in csv.DictReader(io.StringIO(content.decode())) if row["user"] != "<root_account>")


def _iam_held(user: Raw, inline: Sequence[str]) -> Iterator[Entitlement]:
    """In the order and by the names of ``entitlements``."""
    yield from (Entitlement("groups", name, name) for name in user.get("GroupList") or ())
    yield from (
        Entitlement("policies", p["PolicyName"], p["PolicyArn"]) for p in user.get("AttachedManagedPolicies") or ()
    )
    yield from (
        Entitlement("policies", name, name, "inline policy; goes with the account")
        for name in inline
        if name != DENY_POLICY
    )


def center_account(user: Raw) -> Account:
    """A person of Identity Center who has no IAM user."""
    return Account(
        user["UserId"],
        user["UserName"],
        user.get("UserStatus", "ENABLED") != "DISABLED",
        _address(user),
        {"display_name": user["DisplayName"]} if user.get("DisplayName") else {},
        raw={"center": user},
        keys=tuple(_keys_of_center(user)),
    )


def _keys_of_center(user: Raw) -> Iterator[Key]:
    for mail in user.get("Emails") or ():
        if mail.get("Value"):
            yield Key(Kind.ADDRESS, str(mail["Value"]))
    for external in user.get("ExternalIds") or ():
        if external.get("Id"):
            yield Key(Kind.SUBJECT, str(external["Id"]))


def _keys_of_tags(tags: Mapping[str, str]) -> Iterator[Key]:
    for name, value in tags.items():
        kind = _TAGS.get("".join(c for c in name.translate(LOWER) if c.isalnum()))
        if kind is not None and value:
            yield Key(kind, value)


def _listed(account: Account, held: Sequence[Entitlement], created: str, seen: str = "") -> Listed:
    return Listed(
        account,
        last_seen=seen,
        created=created,
        held=tuple((e.kind, e.name) for e in held),
        fixed=tuple((e.kind, e.name) for e in held if e.fixed),
    )


def _address(user: Raw) -> str:
    emails = [e for e in user.get("Emails") or () if e.get("Value")]
    return str(next((e["Value"] for e in (*(e for e in emails if e.get("Primary")), *emails)), "")).lower()


def _last_used(row: Mapping[str, str]) -> str:
    return max(_time(row["password_last_used"]), *(_time(row[f"{key}_last_used_date"]) for key in KEYS))


def _has(row: Mapping[str, str], *credentials: str) -> bool:
    return any(row[f"{one}_active"] == "true" for one in credentials)


def _time(text: str) -> str:
    """A column of the report; what is no time (``N/A``, ``no_information``, ``not_supported``) is empty."""
    return clock.stamp(clock.parse(text)) if text[:1].isdigit() else ""


def _same(text: str, moment: Any) -> bool:
    """The report knows keys by the second they were made in."""
    return bool(_time(text)) and _time(text)[:19] == _text(moment)[:19]


def _text(moment: Any) -> str:
    return clock.stamp(moment) if moment else ""
