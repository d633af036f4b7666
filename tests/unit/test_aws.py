# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""AWS: what moto can't show (order, service-specific credentials, background work) through botocore's Stubber, the rest on moto."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.aws.connector import Aws
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AuthenticationFailed,
    Conflict,
    InputError,
    Rejected,
    Unavailable,
    WriteInCheckMode,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account, Entitlement
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, entitlements, ownership, restore
from botocore.stub import Stubber

from sandbox.box import Box
from sandbox.servers.moto import Moto
from tests.support import connect, person_of, run

JANE = "jane@corp.example"
ID = "AIDA1234567890EXAMPLE"
ARN = "arn:aws:iam::123456789012:user/one"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}'
THEN = datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Moto]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["aws"].reset()
    return running


def stubbed(service: str, **options: Any) -> tuple[Aws, Stubber]:
    name = f"stub {datetime.now(timezone.utc).timestamp()}"
    system = Aws(
        Target(
            name,
            "aws",
            credentials={"access_key_id": "AKIAEXAMPLEEXAMPLE", "secret_access_key": "x"},
            options=checked_options(name, Aws, options),
            max_wait=5,
        )
    )
    return system, Stubber(system.api.client(service))


def writes(box: Box) -> list[str]:
    return [
        e["headers"].get("x-amz-target", "").rpartition(".")[2] or e["body"].split("&")[0].removeprefix("Action=")
        for e in box["aws"].writes()
    ]


def test_credentials_go_before_what_they_may_do_and_the_user_last(box: Box) -> None:
    system = connect(box, "aws")
    system.delete_account(system.find_account(Person.of(person_of(box, "jane"))))
    sent = list(dict.fromkeys(writes(box)))
    assert sent == [
        "DeleteLoginProfile",
        "DeleteAccessKey",
        "DeleteSSHPublicKey",
        "DeactivateMFADevice",
        "DeleteVirtualMFADevice",
        "DetachUserPolicy",
        "DeleteUserPolicy",
        "RemoveUserFromGroup",
        "DeleteUser",
    ]


def test_the_block_is_the_first_thing_closed(box: Box) -> None:
    system = connect(box, "aws")
    paths = system.access_paths(system.find_account(Person.of(person_of(box, "jane"))), "")
    assert paths[0].name == "sign-in"
    paths[0].close()
    assert writes(box)[0] == "PutUserPolicy"


def test_the_hook_refuses_every_write_in_check_mode(box: Box) -> None:
    system = connect(box, "aws", read_only=True)
    with pytest.raises(WriteInCheckMode):
        system.api.client("iam").delete_user(UserName=JANE)
    assert box["aws"].writes() == []
    assert system.find_account(Person.of(person_of(box, "jane")))


def test_a_name_given_to_another_user_stops(box: Box) -> None:
    system = connect(box, "aws")
    seen = system.find_account(Person.of(person_of(box, "jane")))
    other = Account(ID, seen.login, True, raw=seen.raw)
    with pytest.raises(Conflict):
        system.delete_account(other)
    assert box["aws"].writes() == []


def test_a_wrong_key_is_an_authentication_failure(box: Box) -> None:
    with pytest.raises(AuthenticationFailed) as error:
        connect(
            box, "aws", credentials={"access_key_id": "AKIAUNKNOWNUNKNOWN00", "secret_access_key": "nothing"}
        ).find_account(Person.of(person_of(box, "jane")))
    assert "nothing" not in str(error.value)


def test_service_specific_credentials_are_made_inactive_at_the_cut() -> None:
    system, stub = stubbed("iam")
    one = {
        "UserName": JANE,
        "Status": "Active",
        "ServiceUserName": "jane-at-1",
        "CreateDate": datetime(2026, 1, 1),
        "ServiceSpecificCredentialId": "ACCAEXAMPLEEXAMPLE000",
        "ServiceName": "codecommit.amazonaws.com",
    }
    stub.add_response("list_access_keys", {"AccessKeyMetadata": []}, {"UserName": JANE})
    stub.add_client_error("get_login_profile", "NoSuchEntity", http_status_code=404)
    stub.add_response("list_ssh_public_keys", {"SSHPublicKeys": []})
    stub.add_response("list_service_specific_credentials", {"ServiceSpecificCredentials": [one]}, {"UserName": JANE})
    stub.add_response("list_signing_certificates", {"Certificates": []})
    stub.add_response("list_mfa_devices", {"MFADevices": []})
    with stub:
        [signin, credential] = system.access_paths(Account(ID, JANE, True, raw={"iam": {"UserId": ID}}), "")
        assert (credential.name, credential.state) == ("service credential ACCAEXAMPLEEXAMPLE000", "open")
        stub.add_response(
            "update_service_specific_credential",
            {},
            {"UserName": JANE, "ServiceSpecificCredentialId": "ACCAEXAMPLEEXAMPLE000", "Status": "Inactive"},
        )
        credential.close()
        stub.assert_no_pending_responses()


def test_an_assignment_is_followed_to_its_end_and_its_failure_is_an_error() -> None:
    system, stub = stubbed("sso-admin", identity_center=True)
    system.center.found = {
        "InstanceArn": "arn:aws:sso:::instance/ssoins-1234567890abcdef",
        "IdentityStoreId": "d-1234567890",
    }
    where = {
        "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef",
        "TargetId": "123456789012",
    }
    request = "11111111-2222-3333-4444-555555555555"
    stub.add_response(
        "delete_account_assignment",
        {"AccountAssignmentDeletionStatus": {"Status": "IN_PROGRESS", "RequestId": request}},
    )
    stub.add_response(
        "describe_account_assignment_deletion_status",
        {
            "AccountAssignmentDeletionStatus": {
                "Status": "FAILED",
                "RequestId": request,
                "FailureReason": "role is in use",
            }
        },
    )
    with stub, pytest.raises(Rejected, match="role is in use"):
        system.revoke(
            Account("user-1", JANE, True, raw={"center": {"UserId": "11111111-2222-3333-4444-555555555555"}}),
            Entitlement("account_assignments", "Deploy@123456789012", "x", raw=where),
        )
    stub.assert_no_pending_responses()


def test_what_the_cut_off_made_inactive_comes_back_and_what_it_deleted_is_said(box: Box) -> None:
    """Keys of every kind, and what Identity Center gave; the block goes last."""
    iam, person = box["aws"].client("iam"), person_of(box, "jane")
    cut = run(cutoff.TASK, box, "aws", person=person)
    assert sorted(one["what"] for one in cut["residual"]) == ["Identity Center sessions", "role sessions"], (
        "two of the ways in leave the same behind"
    )
    closed = {row["what"]: row["before"] for row in cut["changes"]}
    result = run(restore.TASK, box, "aws", person=person, part="access", taken={"access": closed})
    outcomes = {row["what"]: row["outcome"] for row in result["changes"]}
    assert {what for what, outcome in outcomes.items() if outcome == "needs_human"} == {
        "console password"
    } and outcomes["MFA device jane"] == "already"
    assert set(outcomes.values()) == {"done", "already", "needs_human"} and list(outcomes)[-1] == "sign-in"
    assert "lifecycle-deny-all" not in iam.list_user_policies(UserName=JANE)["PolicyNames"]
    assert [k["Status"] for k in iam.list_ssh_public_keys(UserName=JANE)["SSHPublicKeys"]] == ["Active"]
    again = run(restore.TASK, box, "aws", person=person, part="access", taken={"access": closed})
    assert not again["changed"] and {row["what"] for row in again["changes"] if row["before"] == "lost"} == {
        "console password",
        "MFA device jane",
    }


def test_a_user_is_found_by_the_tags_that_say_whose_it_is_and_by_a_name_in_capitals(box: Box) -> None:
    iam = connect(box, "aws").api
    tags = [{"Key": "EmployeeId", "Value": "E4711"}, {"Key": "Email", "Value": "mara.vogel@corp.example"}]
    iam.write("iam", "create_user", "plant", repeat=False, UserName="lfischer", Tags=tags)
    iam.write("iam", "create_user", "plant", repeat=False, UserName="Kim.Lange@corp.example")
    married = Person.of({"email": "mara.kern@corp.example", "employee_id": "E4711"})
    assert connect(box, "aws").find_account(married).login == "lfischer"
    assert connect(box, "aws").find_account(Person.of({"email": "kim.lange@corp.example"})).login.startswith("Kim")


@pytest.mark.parametrize(("service", "outcome"), [([], "needs_human"), (["lifecycle"], "absent")])
def test_who_has_no_user_waits_for_a_user_nobody_can_place_until_policy_says_that_it_is_a_service(
    box: Box, service: list[str], outcome: str
) -> None:
    hr = [Person.of(person_of(box, key)) for key in box.company.people]
    others = {"inline": [base64.b64encode(pack(hr, {})).decode()]}
    ran = run(cutoff.TASK, box, "aws", person=person_of(box, "tom"), known={"others": others, "service": service})
    assert ran["outcome"] == outcome, ran
    assert ("HR knows nobody for lifecycle" in str(ran["changes"])) == (not service)


def test_the_last_administrator_is_distinguished_from_one_beside_a_usable_other() -> None:
    system, stub = stubbed("iam")
    asked = {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    holders = {"PolicyUsers": [{"UserName": JANE}], "PolicyGroups": [{"GroupName": "admins"}], "PolicyRoles": []}
    group = {"Path": "/", "GroupName": "admins", "GroupId": "AGPA1234567890EXAMPLE", "Arn": ARN, "CreateDate": THEN}
    mark = {"Path": "/", "UserName": "mark", "UserId": "AIDA0000000000EXAMPLE", "Arn": ARN, "CreateDate": THEN}
    jane = {**mark, "UserName": JANE, "UserId": ID}

    def named(policies: list[str]) -> None:
        for _key in ("PolicyUsers", "PolicyGroups"):
            stub.add_response("list_entities_for_policy", holders, asked)
        stub.add_response("get_group", {"Group": group, "Users": [mark]}, {"GroupName": "admins"})
        stub.add_response("list_user_policies", {"PolicyNames": []}, {"UserName": JANE})
        stub.add_response("get_user", {"User": jane}, {"UserName": JANE})
        stub.add_response("list_user_policies", {"PolicyNames": policies}, {"UserName": "mark"})
        if not policies:
            stub.add_response("get_user", {"User": mark}, {"UserName": "mark"})
        stub.add_response("list_entities_for_policy", holders, asked)

    with stub:
        named(["lifecycle-deny-all"])
        assert list(system.administrators()) == [ID]  # who is blocked is no other
        named([])
        assert list(system.administrators()) == [ID, mark["UserId"]]
        for _key in ("PolicyUsers", "PolicyGroups"):
            stub.add_response("list_entities_for_policy", {**holders, "PolicyGroups": []}, asked)
        assert system.administers(Account(ID, JANE, True, raw={"iam": {}}))


def test_who_has_a_policy_through_a_group_is_a_member_too(box: Box) -> None:
    system = connect(box, "aws")
    arn = system.find_entitlement("policies", "DeployStaging").id
    direct = set(system.group_members("policies", "DeployStaging"))
    assert JANE in direct and "mark@corp.example" not in direct
    system.api.client("iam").attach_group_policy(GroupName="Developers", PolicyArn=arn)
    assert {JANE, "mark@corp.example"} <= set(system.group_members("policies", "DeployStaging"))


def test_an_inline_policy_of_a_leaver_is_left_to_a_person_by_name(box: Box) -> None:
    iam = connect(box, "aws").api.client("iam")
    iam.put_user_policy(UserName=JANE, PolicyName="buckets", PolicyDocument=POLICY)
    result = run(entitlements.TASK, box, "aws", person=person_of(box, "jane"), mode="remove")
    assert {row["what"]: row["outcome"] for row in result["changes"]}["policies: buckets"] == "needs_human"
    assert "buckets" in iam.list_user_policies(UserName=JANE)["PolicyNames"], "its text would be lost"


def service_key(box: Box, name: str, **tags: str) -> str:
    """A key of a user that is a service's; its id."""
    iam = box["aws"].client("iam")
    iam.create_user(UserName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return str(iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"])


def keys_left(box: Box, **want: Any) -> dict[str, dict[str, Any]]:
    """What a leaver's run says of other users' keys, by name."""
    result = run(ownership.TASK, box, "aws", person=person_of(box, "jane"), successor="mark@corp.example", **want)
    return {row["what"]: row for row in result["changes"]}


def test_keys_of_users_that_a_leaver_answers_for_are_named_and_stay_until_somebody_says_that_they_were_replaced(
    box: Box,
) -> None:
    hers = service_key(box, "ci-deploy", Owner="Jane@corp.example")
    service_key(box, "backup", Owner="mark@corp.example")
    service_key(box, "nobodys")
    found = keys_left(box)
    assert set(found) == {f"access key of another user ci-deploy ({hers})"}
    [row] = found.values()
    assert row["outcome"] == "needs_human" and row["lasting"] and "tag Owner names the leaver" in row["note"]
    assert box["aws"].client("iam").list_access_keys(UserName="ci-deploy")["AccessKeyMetadata"][0]["Status"] == "Active"


def test_keys_of_other_users_are_made_inactive_where_the_company_says_so(box: Box) -> None:
    hers = service_key(box, "ci-deploy", created_by="E1007")
    entry = box.systems()["aws"]
    options = {**entry["options"], "service_keys": "revoke"}
    found = keys_left(box, changes={"options": options})
    assert found[f"access key of another user ci-deploy ({hers})"]["outcome"] == "done"
    assert [
        k["Status"] for k in box["aws"].client("iam").list_access_keys(UserName="ci-deploy")["AccessKeyMetadata"]
    ] == ["Inactive"]


def made_by(identity: dict[str, Any], user: str, key: str) -> dict[str, Any]:
    """An event of CloudTrail's history."""
    event = {
        "eventName": "CreateAccessKey",
        "userIdentity": identity,
        "responseElements": {"accessKey": {"accessKeyId": key, "userName": user, "status": "Active"}},
    }
    return {"EventId": key, "EventName": "CreateAccessKey", "CloudTrailEvent": json.dumps(event)}


def with_events(box: Box) -> tuple[Aws, Stubber]:
    """The connector, whose event history the stub answers for."""
    options = {**box.systems()["aws"]["options"], "cloudtrail": True}
    system = connect(box, "aws", options=options)
    assert system._owned._events is not None
    return system, Stubber(system._owned._events.client("cloudtrail"))


ASKED = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateAccessKey"}]}


def test_keys_that_a_leaver_made_for_others_are_found_in_the_event_history_by_user_id_and_by_session(box: Box) -> None:
    first, second, other, own = (service_key(box, name) for name in ("one", "two", "three", "four"))
    system, stub = with_events(box)
    jane = system.find_account(Person.of(person_of(box, "jane")))
    events = [
        made_by({"type": "IAMUser", "principalId": jane.id, "userName": "was-jane"}, "one", first),
        made_by({"type": "AssumedRole", "principalId": "AROA1:Jane@corp.example"}, "two", second),
        made_by({"type": "IAMUser", "principalId": "AIDAOTHER", "userName": "jane@corp.example"}, "three", other),
        {"EventId": "refused", "CloudTrailEvent": json.dumps({"userIdentity": {}, "responseElements": None})},
    ]
    stub.add_response("lookup_events", {"Events": events[:2], "NextToken": "more"}, ASKED)
    stub.add_response("lookup_events", {"Events": events[2:]}, {**ASKED, "NextToken": "more"})
    with stub:
        found = system.owned(jane)
    assert [one.name for one in found] == [f"one ({first})", f"two ({second})"] and own
    assert all(one.settle == "decide" and one.lasting for one in found)


def test_a_history_that_may_not_be_read_is_said_and_the_tags_are_read_all_the_same(box: Box) -> None:
    service_key(box, "ci-deploy", owner="jane@corp.example")
    system, stub = with_events(box)
    jane = system.find_account(Person.of(person_of(box, "jane")))
    stub.add_client_error("lookup_events", "AccessDeniedException", http_status_code=400)
    with stub:
        found = system.owned(jane)
    assert [(one.kind, one.settle) for one in found] == [
        ("keys of other users", "decide"),
        ("access key of another user", "decide"),
    ]


def test_service_accounts_whose_keys_policy_says_a_leaver_knows_stay_open_even_where_they_have_no_account(
    box: Box,
) -> None:
    person = person_of(box, "jane")
    result = run(cutoff.TASK, box, "aws", person=person, known={"secrets": ["ci-deploy"]})
    [row] = [row for row in result["changes"] if "service account" in row["what"]]
    assert row["what"] == "keys and tokens of service account ci-deploy" and row["outcome"] == "needs_human"
    assert row["lasting"] and result["outcome"] == "needs_human"
    nobody = {**person, "email": "no@where.example", "aliases": [], "employee_id": "", "logins": {}}
    result = run(cutoff.TASK, box, "aws", person=nobody, known={"secrets": ["ci-deploy"]})
    assert [row["outcome"] for row in result["changes"]][-1] == "needs_human" and result["outcome"] == "needs_human"


def test_aws_that_drips_or_never_ends_has_the_limits_of_everybody() -> None:
    """The library's own timeout is of the silence between two bytes."""
    from tests.unit.test_endless_answers import drip, server, within_bound

    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n"
    with server(lambda asked: drip(head)) as one:
        slow = Aws(
            Target(
                "drips",
                "aws",
                url=f"http://127.0.0.1:{one.server_address[1]}",
                credentials={"access_key_id": "x", "secret_access_key": "x"},
                options=checked_options("drips", Aws, {}),
                timeout=0.5,
                max_wait=0,
            )
        )
        within_bound(
            lambda: slow.api.read("iam", "get_user", "read user", key="User"), Unavailable, "no whole answer in 1 s"
        )


def test_a_key_is_not_sent_to_aws_in_plain_text() -> None:
    plain = Aws(
        Target(
            "plain",
            "aws",
            url="http://iam.corp.example",
            credentials={"access_key_id": "x", "secret_access_key": "x"},
            options=checked_options("plain", Aws, {}),
        )
    )
    with pytest.raises(InputError, match="is not encrypted"):
        plain.api.read("iam", "get_user", "read user", key="User")
