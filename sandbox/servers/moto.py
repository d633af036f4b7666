# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""AWS: IAM and Identity Center as moto has them, behind the gateway; seeded through boto3 as anybody would."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import boto3
import httpx
from botocore.config import Config
from moto.server import ThreadedMotoServer

from sandbox.company import Company
from sandbox.gateway import Gateway

ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
READ_S3 = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
)
SSH_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCsandboxkeyofjane jane@corp.example"
ACCOUNT = "123456789012"
_OPERATION: ContextVar[str] = ContextVar("operation", default="")
_READS = ("Get", "List", "Describe", "Simulate", "Generate")


class Moto(Gateway):
    """The system ``aws``. Keys and policies are enforced by moto once the company is seeded."""

    name = "aws"
    KEEP_HOST = True
    #: IAM's and STS' forms say what they do in the body.
    READING_BODIES = ((r"^/", rb"(^|&)Action=(Get|List|Describe|Simulate|Generate)"),)

    def __init__(self, company: Company) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.upstream = f"http://{host}:{port}"
        self.admin = {"access_key_id": "seed", "secret_access_key": "seed"}
        super().__init__(company)

    def stop(self) -> None:
        self._server.stop()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The JSON services name their operation in a header."""
        _OPERATION.set(
            next(
                (v.decode().rpartition(".")[2] for k, v in scope.get("headers", ()) if k.lower() == b"x-amz-target"), ""
            )
        )
        await super().__call__(scope, receive, send)

    def is_write(self, method: str, path: str) -> bool:
        operation = _OPERATION.get()
        return not operation.startswith(_READS) if operation else super().is_write(method, path)

    def client(self, service: str, **keys: str) -> Any:
        """boto3 against the server itself, as the administrator unless keys are given."""
        return boto3.client(
            service,
            endpoint_url=self.upstream,
            region_name="us-east-1",
            aws_access_key_id=keys.get("access_key_id") or self.admin["access_key_id"],
            aws_secret_access_key=keys.get("secret_access_key") or self.admin["secret_access_key"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    def seed(self) -> Any:
        def control(path: str, content: str = "") -> None:
            httpx.post(f"{self.upstream}/moto-api/{path}", content=content, timeout=20).raise_for_status()

        control("reset-auth", "inf")
        control("reset")
        # the same ids every time, so that the credential in a systems file stays good
        control("seed?a=42")
        self.admin = {"access_key_id": "seed", "secret_access_key": "seed"}
        self.sessions: dict[str, list[dict[str, str]]] = {}
        iam = self.client("iam")
        iam.create_user(UserName="lifecycle")
        iam.put_user_policy(UserName="lifecycle", PolicyName="admin", PolicyDocument=ALLOW_ALL)
        admin = iam.create_access_key(UserName="lifecycle")["AccessKey"]
        self._fill(iam)
        self._fill_center()
        self.admin = {"access_key_id": admin["AccessKeyId"], "secret_access_key": admin["SecretAccessKey"]}
        control("reset-auth", "0")

    def _fill(self, iam: Any) -> None:
        for group in ("Administrators", "Developers", "Auditors"):
            iam.create_group(GroupName=group)
        self.policy = iam.create_policy(PolicyName="DeployStaging", PolicyDocument=ALLOW_ALL)["Policy"]["Arn"]
        iam.create_policy(PolicyName="ReadBilling", PolicyDocument=READ_S3)
        for key, person in self.company.on_system("aws").items():
            user = person["email"]
            iam.create_user(
                UserName=user,
                Tags=[{"Key": "email", "Value": user}, {"Key": "employee_id", "Value": person["employee_id"]}],
            )
            iam.create_login_profile(UserName=user, Password="Sandbox-1234567!")  # noqa: S106 - of the sandbox, for nobody
            for group in person["on"]["aws"].get("groups", ()):
                iam.add_user_to_group(GroupName=group, UserName=user)
            if key == "jane":
                self.sessions[key] = [_keys(iam.create_access_key(UserName=user)["AccessKey"]) for _ in range(2)]
                serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=key)["VirtualMFADevice"]["SerialNumber"]
                iam.enable_mfa_device(
                    UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
                )
                iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=SSH_KEY)
                iam.attach_user_policy(UserName=user, PolicyArn=self.policy)
                iam.put_user_policy(UserName=user, PolicyName="read-logs", PolicyDocument=READ_S3)

    def _fill_center(self) -> None:
        sso, store = self.client("sso-admin"), self.client("identitystore")
        self.instance = sso.list_instances()["Instances"][0]
        ids = {"IdentityStoreId": self.instance["IdentityStoreId"]}
        self.permission_set = sso.create_permission_set(InstanceArn=self.instance["InstanceArn"], Name="Deploy")[
            "PermissionSet"
        ]["PermissionSetArn"]
        # as AWS itself does with the first assignment
        sso.provision_permission_set(
            InstanceArn=self.instance["InstanceArn"],
            PermissionSetArn=self.permission_set,
            TargetType="AWS_ACCOUNT",
            TargetId=ACCOUNT,
        )
        groups = {name: store.create_group(**ids, DisplayName=name)["GroupId"] for name in ("Engineers", "Finance")}
        for person in self.company.on_system("aws").values():
            user = store.create_user(
                **ids,
                UserName=person["email"],
                DisplayName=person["first_name"],
                Name={"GivenName": person["first_name"], "FamilyName": person["last_name"]},
            )["UserId"]
            store.create_group_membership(**ids, GroupId=groups["Engineers"], MemberId={"UserId": user})
            sso.create_account_assignment(
                InstanceArn=self.instance["InstanceArn"],
                TargetId=ACCOUNT,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=self.permission_set,
                PrincipalType="USER",
                PrincipalId=user,
            )

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "aws": {
                "connector": "aws",
                "url": self.url,
                "credentials": dict(self.admin),
                # moto has no service-specific credentials and no event history, and shows changes at once
                "options": {
                    "first_credential": "elsewhere",
                    "identity_center": True,
                    "service_specific_credentials": False,
                    "cloudtrail": False,
                    "settles_within": 0.0,
                },
            }
        }


def _keys(answer: Mapping[str, Any]) -> dict[str, str]:
    return {"access_key_id": answer["AccessKeyId"], "secret_access_key": answer["SecretAccessKey"]}
