# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""List IAM users and people of Identity Center with their entitlements, and the access keys and certificates of users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model import clock
from ...model.errors import NotFound
from ...sdk.values import Account, Credential, Entitlement, Listed
from .api import AwsApi
from .center import GROUPS, IdentityCenter, address_of, center_account, keys_of
from .entitlements import IAM_KINDS, AwsEntitlements
from .users import LOWER, IamUsers, Raw, user_account, user_held

KEYS = ("access_key_1", "access_key_2")


class AwsListing:
    """Lists the accounts, members and credentials of one AWS account and its Identity Center."""

    def __init__(self, api: AwsApi, users: IamUsers, center: IdentityCenter, held: AwsEntitlements) -> None:
        self.api, self.users, self.center, self.held = api, users, center, held

    def known(self) -> Iterator[tuple[Account, Raw, Raw]]:
        """Yield every account with its IAM user and its person of Identity Center, which are joined by name; one of the two can be empty."""
        people = {user["UserName"].translate(LOWER): user for user in self.center.users()}
        for user in self.users.every("list users"):
            center = people.pop(user["UserName"].translate(LOWER), None)
            yield user_account(user, tuple(keys_of(center)) if center else (), center), user, center or {}
        for center in people.values():
            yield center_account(center), {}, center

    def all_accounts(self) -> Iterator[Listed]:
        """Yield the IAM users, joined with the people of Identity Center by name, then the other people of Identity Center."""
        held = self.center.held() if self.center.used else {}
        seen = {row["user"]: _last_used(row) for row in self.users.report()}
        for account, user, center in self.known():
            yield _listed(
                account,
                [*user_held(user), *held.get(center.get("UserId", ""), ())],
                _text(user.get("CreateDate") or center.get("CreatedAt")),
                seen.get(user.get("UserName", ""), ""),
            )

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield the id and name of each member; for people of Identity Center the address too.

        :raises NotFound: there is no entitlement of this name.
        """
        act, found = f"list members of {name}", self.held.find(kind, name)
        if found is None:
            raise NotFound(
                f"it has no {name} among {kind}",
                act=act,
                system=self.api.target.name,
                hint="correct the name in policy or in the access profile",
            )
        if kind in IAM_KINDS:
            yield from self._iam_members(kind, found.id, act)
            return
        if kind == GROUPS:
            ids = set(self.center.members(found.id))
        else:
            assigned = list(self.center.assigned(found.raw["PermissionSetArn"], found.raw["TargetId"]))
            ids = {one["PrincipalId"] for one in assigned if one["PrincipalType"] == "USER"}
            ids |= {
                id
                for one in assigned
                if one["PrincipalType"] == "GROUP"
                for id in self.center.members(one["PrincipalId"])
            }
        for user in self.center.users():
            if user["UserId"] in ids:
                yield from dict.fromkeys(one for one in (user["UserId"], user["UserName"], address_of(user)) if one)

    def _iam_members(self, kind: str, id: str, act: str) -> Iterator[str]:
        """Yield the id and name of each user in a group, or of each user who has a policy, directly or through a group."""
        groups, users = [id], list[Raw]()
        if kind == "policies":
            users += self._with_policy(id, "User", act)
            groups = [group["GroupName"] for group in self._with_policy(id, "Group", act)]
        for group in groups:
            users += self.api.every("iam", "get_group", act, key="Users", GroupName=group)
        yield from dict.fromkeys(name for user in users for name in (user["UserId"], user["UserName"]))

    def _with_policy(self, arn: str, what: str, act: str) -> Iterator[Raw]:
        return self.api.every(
            "iam", "list_entities_for_policy", act, key=f"Policy{what}s", PolicyArn=arn, EntityFilter=what
        )

    def all_credentials(self) -> Iterator[Credential]:
        """Yield active access keys and signing certificates. The credential report shows which users have any, so only these are read."""
        report = {row["user"]: row for row in self.users.report()}
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


def _listed(account: Account, held: Sequence[Entitlement], created: str, seen: str = "") -> Listed:
    return Listed(
        account,
        last_seen=seen,
        created=created,
        held=tuple((e.kind, e.name) for e in held),
        fixed=tuple((e.kind, e.name) for e in held if e.fixed),
    )


def _last_used(row: Mapping[str, str]) -> str:
    return max(_time(row["password_last_used"]), *(_time(row[f"{key}_last_used_date"]) for key in KEYS))


def _has(row: Mapping[str, str], *credentials: str) -> bool:
    return any(row[f"{one}_active"] == "true" for one in credentials)


def _time(text: str) -> str:
    """Return a time of the report as ISO 8601; empty for ``N/A``, ``no_information`` and ``not_supported``."""
    return clock.stamp(clock.parse(text)) if text[:1].isdigit() else ""


def _same(text: str, moment: Any) -> bool:
    """Return whether a time of the report and a moment are the same second: the report identifies keys by the time they were made."""
    return bool(_time(text)) and _time(text)[:19] == _text(moment)[:19]


def _text(moment: Any) -> str:
    return clock.stamp(moment) if moment else ""
