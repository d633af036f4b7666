# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""AWS: real boto3 against moto, which enforces keys and policies."""

from __future__ import annotations

from typing import Any

from sandbox.box import Box
from sandbox.servers.moto import Moto
from tests.conformance.scenario import Scenario

VENDORS = [Moto]
JANE, ADA, MARK = "jane@corp.example", "ada@corp.example", "mark@corp.example"


def users(box: Box) -> list[str]:
    return [u["UserName"] for u in box["aws"].client("iam").list_users()["Users"]]


def center(box: Box, login: str) -> tuple[list[Any], list[Any]]:
    """Identity Center memberships and assignments of a person, asked of the server."""
    moto = box["aws"]
    ids = {"IdentityStoreId": moto.instance["IdentityStoreId"]}
    store = moto.client("identitystore")
    user = next(u["UserId"] for u in store.list_users(**ids)["Users"] if u["UserName"] == login)
    return (
        store.list_group_memberships_for_member(**ids, MemberId={"UserId": user})["GroupMemberships"],
        moto.client("sso-admin").list_account_assignments_for_principal(
            InstanceArn=moto.instance["InstanceArn"], PrincipalId=user, PrincipalType="USER"
        )["AccountAssignments"],
    )


def _cut(box: Box) -> None:
    iam = box["aws"].client("iam")
    assert "lifecycle-deny-all" in iam.list_user_policies(UserName=JANE)["PolicyNames"]
    # moto lets Inactive keys in: the status is the proof
    assert [k["Status"] for k in iam.list_access_keys(UserName=JANE)["AccessKeyMetadata"]] == ["Inactive", "Inactive"]
    assert [k["Status"] for k in iam.list_ssh_public_keys(UserName=JANE)["SSHPublicKeys"]] == ["Inactive"]
    assert (
        iam.list_mfa_devices(UserName=JANE)["MFADevices"] == []
        and iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    )
    try:
        iam.get_login_profile(UserName=JANE)
        raise AssertionError("the console password is still there")
    except iam.exceptions.NoSuchEntityException:
        pass
    assert center(box, JANE) == ([], [])
    assert all(center(box, MARK)), "others keep theirs"


def _suspended(box: Box) -> None:
    assert "lifecycle-deny-all" in box["aws"].client("iam").list_user_policies(UserName=JANE)["PolicyNames"]


def _block(box: Box) -> None:
    iam = box["aws"].client("iam")
    iam.put_user_policy(
        UserName=JANE,
        PolicyName="lifecycle-deny-all",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
    )
    keys = [k["AccessKeyId"] for k in iam.list_access_keys(UserName=JANE)["AccessKeyMetadata"]]
    for key in keys:
        iam.update_access_key(UserName=JANE, AccessKeyId=key, Status="Inactive")
    iam.tag_user(UserName=JANE, Tags=[{"Key": "lifecycle-blocked-keys", "Value": keys[0]}])


def _back(box: Box) -> None:
    iam = box["aws"].client("iam")
    assert "lifecycle-deny-all" not in iam.list_user_policies(UserName=JANE)["PolicyNames"]
    assert sorted(k["Status"] for k in iam.list_access_keys(UserName=JANE)["AccessKeyMetadata"]) == [
        "Active",
        "Inactive",
    ], "only what the block closed comes back"


_REVOKES = {"service_specific_credentials": False, "cloudtrail": False, "settles_within": 0.0, "service_keys": "revoke"}


def _made_a_service_user(box: Box) -> None:
    iam = box["aws"].client("iam")
    iam.create_user(UserName="ci-deploy", Tags=[{"Key": "owner", "Value": JANE}])
    iam.create_access_key(UserName="ci-deploy")


def _others_key_is_off(box: Box) -> None:
    keys = box["aws"].client("iam").list_access_keys(UserName="ci-deploy")["AccessKeyMetadata"]
    assert [key["Status"] for key in keys] == ["Inactive"]


def _created(box: Box) -> None:
    assert users(box).count(ADA) == 1
    tags = {t["Key"]: t["Value"] for t in box["aws"].client("iam").list_user_tags(UserName=ADA)["Tags"]}
    assert tags == {"email": ADA, "employee_id": "E1020", "department": "Engineering"}


def _tagged(box: Box) -> None:
    tags = {t["Key"]: t["Value"] for t in box["aws"].client("iam").list_user_tags(UserName=JANE)["Tags"]}
    assert tags["department"] == "Platform" and tags["employee_id"] == "E1007"


def _gone(box: Box) -> None:
    assert JANE not in users(box) and MARK in users(box)
    assert box["aws"].client("iam").list_virtual_mfa_devices()["VirtualMFADevices"] == []
    moto = box["aws"]
    assert JANE not in [
        u["UserName"]
        for u in moto.client("identitystore").list_users(IdentityStoreId=moto.instance["IdentityStoreId"])["Users"]
    ]


def _entitled(box: Box) -> None:
    iam = box["aws"].client("iam")
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName=JANE)["Groups"]] == ["Auditors"]
    assert [p["PolicyName"] for p in iam.list_attached_user_policies(UserName=JANE)["AttachedPolicies"]] == [
        "ReadBilling"
    ]
    memberships, assignments = center(box, JANE)
    assert len(memberships) == 1 and [a["AccountId"] for a in assignments] == ["210987654321"]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName=MARK)["Groups"]] == ["Developers"]


_CLOSED: dict[str, str] = {}


def _blocked_by_a_case(box: Box) -> None:
    """As a cut-off leaves it, in few calls; ids are the server's own."""
    _block(box)
    _CLOSED.clear()
    _CLOSED.update(
        {
            f"access key {k['AccessKeyId']}": "open"
            for k in box["aws"].client("iam").list_access_keys(UserName=JANE)["AccessKeyMetadata"]
        }
    )
    _CLOSED["sign-in"] = "open"


def _reopened(box: Box) -> None:
    iam = box["aws"].client("iam")
    assert "lifecycle-deny-all" not in iam.list_user_policies(UserName=JANE)["PolicyNames"]
    assert [k["Status"] for k in iam.list_access_keys(UserName=JANE)["AccessKeyMetadata"]] == ["Active", "Active"]


SCENARIOS = [
    Scenario("cut off", "aws", "cutoff", {"person": "jane"}, _cut),
    Scenario("suspend", "aws", "account", {"person": "jane", "state": "suspended"}, _suspended),
    Scenario(
        "reinstate",
        "aws",
        "restore",
        {"person": "jane", "part": "access", "taken": {"access": _CLOSED}},
        _reopened,
        _blocked_by_a_case,
    ),
    Scenario(
        "keys of other users",
        "aws",
        "ownership",
        {"person": "jane", "successor": MARK, "options": _REVOKES},
        _others_key_is_off,
        _made_a_service_user,
    ),
    Scenario("let in again", "aws", "account", {"person": "jane", "state": "active"}, _back, _block),
    Scenario("joiner", "aws", "account", {"person": "ada"}, _created),
    Scenario("attributes", "aws", "account", {"person": "jane", "attributes": {"department": "Platform"}}, _tagged),
    Scenario("delete", "aws", "account", {"person": "jane", "state": "absent", "confirm": [JANE]}, _gone),
    Scenario(
        "exactly the new profile",
        "aws",
        "entitlements",
        {
            "person": "jane",
            "mode": "exact",
            "wanted": {
                "groups": ["Auditors"],
                "policies": ["ReadBilling"],
                "identity_center_groups": ["Finance"],
                "account_assignments": ["Deploy@210987654321"],
            },
        },
        _entitled,
    ),
]
