# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What Microsoft's connectors list: everybody, what they hold, devices, credentials; over several pages, and never half of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import errors
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Credential, Device, Listed

from sandbox.box import Box
from sandbox.days import stamp
from sandbox.vendors.microsoft import Microsoft, guid
from tests.contract.judge import Judge
from tests.support import connect, person_of

_TEMPLATE: dict[str, Any] = {"onPremisesSyncEnabled": None, "createdDateTime": "2021-01-01T08:00:00Z"}


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["microsoft"].reset()
    return running


def state(box: Box, part: str = "entra") -> Any:
    return box["microsoft"].state[part]


def user(box: Box, key: str) -> Any:
    return box["microsoft"].user(f"{key}@corp.example")


def group(box: Box, name: str) -> Any:
    return next(g for g in state(box)["groups"].values() if g["displayName"] == name)


def asked(box: Box, end: str) -> list[dict[str, Any]]:
    return [entry for entry in box["microsoft"].journal if entry["path"].endswith(end)]


def by_login(box: Box, **changes: Any) -> dict[str, Listed]:
    return {one.account.login.partition("@")[0]: one for one in connect(box, "entra", **changes).all_accounts()}


def crowd(box: Box, count: int) -> list[str]:
    """That many more users; their ids."""
    twin = user(box, "lena")
    ids = [guid("crowd", str(n)) for n in range(count)]
    for n, id in enumerate(ids):
        state(box)["users"][id] = {
            **twin,
            **_TEMPLATE,
            "id": id,
            "userPrincipalName": f"c{n}@corp.example",
            "mail": f"c{n}@corp.example",
            "employeeId": f"C{n}",
            "_licences": [],
            "_methods": [],
        }
    return ids


# -- accounts of entra ---------------------------------------------------------------------------------------------------


def test_everybody_is_listed_with_what_they_hold(box: Box) -> None:
    listed = by_login(box)
    assert set(listed) == {"grace", "mark", "jane", "tom", "lena", "otto"}
    jane = listed["jane"]
    assert (
        jane.account.active
        and jane.account.email == "jane@corp.example"
        and jane.account.attributes["employee_id"] == "E1007"
    )
    assert jane.held == (
        ("apps", "Figma"),
        ("groups", "All Employees"),
        ("groups", "Automation"),
        ("groups", "Engineering"),
        ("groups", "News"),
        ("groups", "Release Managers"),
        ("groups", "VPN Users"),
        ("licences", "FLOW_FREE"),
        ("licences", "POWER_BI_PRO"),
        ("licences", "SPE_E3"),
        ("roles", "Application Administrator"),
        ("roles", "Helpdesk Administrator (eligible)"),
    )
    assert set(jane.fixed) == {("groups", "All Employees"), ("groups", "News"), ("licences", "FLOW_FREE")}
    assert (
        jane.created == user(box, "jane")["createdDateTime"]
        and jane.last_seen == user(box, "jane")["signInActivity"]["lastNonInteractiveSignInDateTime"]
    )
    assert ("groups", "Finance") in listed["otto"].fixed and listed["otto"].account.protected


@pytest.mark.parametrize("key", ["grace", "mark", "jane", "tom", "lena", "otto"])
def test_the_list_agrees_with_what_is_read_of_one(box: Box, key: str) -> None:
    """Each person's own reading is another path through Graph, with other calls."""
    connector = connect(box, "entra")
    app = next(a for a in state(box)["apps"].values() if a["displayName"] == "Salesforce")
    row = {
        "id": "assigned",
        "principalId": group(box, "Sales")["id"],
        "principalType": "Group",
        "principalDisplayName": "Sales",
        "resourceId": app["id"],
        "resourceDisplayName": "Salesforce",
        "appRoleId": app["appRoles"][0]["id"],
    }
    state(box)["app_assignments"]["assigned"] = row
    alone = connector.entitlements(connector.find_account(Person.of(person_of(box, key))))
    listed = by_login(box)[key]
    assert listed.held == tuple(sorted((e.kind, e.name) for e in alone))
    assert listed.fixed == tuple(sorted((e.kind, e.name) for e in alone if e.fixed))
    assert (("apps", "Salesforce/Standard User") in listed.fixed) is (key in ("tom", "lena"))


def test_the_calls_do_not_grow_with_the_people(box: Box) -> None:
    by_login(box)
    few = len(box["microsoft"].journal)
    box["microsoft"].journal.clear()
    crowd(box, 300)
    assert len(by_login(box)) == 306
    assert len(box["microsoft"].journal) == few


def test_users_come_over_several_pages(box: Box) -> None:
    ids = crowd(box, 1100)
    group(box, "All Employees")["members"] += ids
    listed = by_login(box)
    assert len(listed) == 1106 and all(("groups", "All Employees") in listed[f"c{n}"].held for n in range(1100))
    assert len(asked(box, "/v1.0/users")) == 3  # of 500
    assert len(asked(box, "/groups/delta")) > 10  # the large group alone has that many


def test_a_page_that_fails_is_never_a_short_list(box: Box) -> None:
    crowd(box, 600)
    box["microsoft"].fault(
        "status",
        path="/v1.0/users$",
        after=1,
        status=400,
        body={"error": {"code": "Directory_ExpiredPageToken", "message": "expired"}},
    )
    rows = connect(box, "entra").all_accounts()
    seen = 0
    with pytest.raises(errors.Rejected):
        for _unused in rows:
            seen += 1
    assert seen == 500  # and they came before the rest was asked for


@pytest.mark.parametrize(
    "path",
    ["/groups/delta", "/roleAssignments", "/roleDefinitions", r"/\$batch", "/servicePrincipals$", "/subscribedSkus"],
)
def test_holdings_that_cannot_be_read_are_not_none(box: Box, path: str) -> None:
    box["microsoft"].fault(
        "status",
        path=path,
        times=-1,
        status=403,
        body={"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}},
    )
    with pytest.raises(errors.PermissionDenied):
        list(connect(box, "entra").all_accounts())


def test_the_last_page_of_a_large_group_failing_raises(box: Box) -> None:
    group(box, "All Employees")["members"] += crowd(box, 300)
    box["microsoft"].fault("html", path="/groups/delta", after=2)
    with pytest.raises(errors.ProtocolError):
        list(connect(box, "entra").all_accounts())


@pytest.mark.parametrize("without", ["premium", "reads_sign_ins"])
def test_without_sign_ins_only_they_are_missing(box: Box, without: str) -> None:
    crowd(box, 600)
    state(box)[without] = False
    listed = by_login(box)
    assert len(listed) == 606 and {one.last_seen for one in listed.values()} == {""}
    assert ("licences", "SPE_E3") in listed["jane"].held
    assert (("roles", "Helpdesk Administrator (eligible)") in listed["jane"].held) is (without != "premium")


def test_users_that_may_not_be_read_at_all_are_an_error(box: Box) -> None:
    box["microsoft"].fault(
        "status",
        path="/v1.0/users$",
        times=-1,
        status=403,
        body={"error": {"code": "Authorization_RequestDenied", "message": "no"}},
    )
    with pytest.raises(errors.PermissionDenied):
        list(connect(box, "entra").all_accounts())


def test_guests_and_blocked_users_are_distinguished(box: Box) -> None:
    user(box, "lena")["userType"] = "Guest"
    user(box, "tom")["accountEnabled"] = False
    listed = by_login(box)
    assert {key: (one.kind, one.account.active) for key, one in listed.items() if key in ("lena", "tom", "mark")} == {
        "lena": ("guest", True),
        "tom": ("person", False),
        "mark": ("person", True),
    }


def test_what_a_batch_refuses_is_read_by_itself(box: Box) -> None:
    whole = by_login(box)
    for body in (
        {
            "fault": "status",
            "status": 429,
            "headers": {"Retry-After": "0"},
            "body": {"error": {"code": "TooManyRequests", "message": "slow"}},
        },
        {"fault": "status", "status": 503, "body": {"error": {"code": "serviceNotAvailable", "message": "later"}}},
    ):
        box["microsoft"].fault(path="/appRoleAssignedTo", **body)
        assert by_login(box) == whole
    assert asked(box, "/appRoleAssignedTo")


def test_an_app_whose_assignments_stay_unread_raises(box: Box) -> None:
    box["microsoft"].fault(
        "status",
        path="/appRoleAssignedTo",
        times=-1,
        status=403,
        body={"error": {"code": "Authorization_RequestDenied", "message": "no"}},
    )
    with pytest.raises(errors.PermissionDenied):
        list(connect(box, "entra").all_accounts())


def test_assignments_of_more_than_a_page_are_read_whole(box: Box) -> None:
    app = next(a for a in state(box)["apps"].values() if a["displayName"] == "Figma")
    ids = crowd(box, 1005)
    for id in ids:
        state(box)["app_assignments"][id] = {
            "id": id,
            "principalId": id,
            "principalType": "User",
            "principalDisplayName": "c",
            "resourceId": app["id"],
            "resourceDisplayName": "Figma",
            "appRoleId": app["appRoles"][0]["id"],
        }
    assert sum(("apps", "Figma") in one.held for one in by_login(box).values()) == 1006


def test_what_is_inside_the_batches_keeps_the_contract(box: Box) -> None:
    """The judge of all tests looks at exchanges; a batch is one, with many inside."""
    list(connect(box, "entra").all_accounts())
    batches = asked(box, "$batch")
    assert batches and not any(entry["write"] for entry in batches)
    for batch in batches:
        answers = {one["id"]: one for one in json.loads(batch["answer"])["responses"]}
        for one in json.loads(batch["body"])["requests"]:
            path, _, query = one["url"].partition("?")
            said = answers[one["id"]]
            entry = {
                **batch,
                "method": "GET",
                "path": f"/v1.0{path}",
                "query": query,
                "body": "",
                "status": said["status"],
                "answer": json.dumps(said["body"]),
            }
            assert Judge().violations("microsoft", entry) == []
    assert box["microsoft"].is_write("POST", "/v1.0/$batch")
    [(_, body)] = [row for row in box["microsoft"].READING_BODIES if re.search(row[0], "/v1.0/$batch")]
    assert re.search(body, b'{"requests":[{"method":"GET"}]}') and not re.search(
        body, b'{"requests":[{"method":"GET"},{"method": "DELETE"}]}'
    )


# -- members -------------------------------------------------------------------------------------------------------------


def names(box: Box, *keys: str) -> set[str]:
    return {name for key in keys for name in (user(box, key)["id"], user(box, key)["userPrincipalName"])}


def test_members_of_groups_licences_roles_and_apps(box: Box) -> None:
    connector = connect(box, "entra")
    group(box, "VPN Users")["members"].append(group(box, "Finance")["id"])
    assert set(connector.group_members("groups", "vpn users")) == names(box, "jane", "otto")
    assert set(connector.group_members("licences", "POWER_BI_PRO")) == names(box, "jane")
    assert set(connector.group_members("licences", "FLOW_FREE")) == names(box, "jane", "mark")
    assert set(connector.group_members("roles", "Global Administrator")) == names(box, "grace")
    assert set(connector.group_members("roles", "Helpdesk Administrator (eligible)")) == names(box, "jane")
    assert set(connector.group_members("apps", "Figma")) == names(box, "jane")
    state(box)["role_assignments"]["by group"] = {
        "id": "by group",
        "principalId": group(box, "Release Managers")["id"],
        "directoryScopeId": "/",
        "roleDefinitionId": next(iter(state(box)["role_definitions"])),
    }
    assert set(connector.group_members("roles", "Global Administrator")) == names(box, "grace", "jane")
    assert ("roles", "Global Administrator") in by_login(box)["jane"].fixed


@pytest.mark.parametrize(
    "kind, name",
    [("groups", "Nobody"), ("licences", "SPE_E5"), ("roles", "Emperor"), ("apps", "Nope"), ("seats", "SPE_E3")],
)
def test_no_such_group_is_an_error(box: Box, kind: str, name: str) -> None:
    with pytest.raises(errors.NotFound):
        list(connect(box, "entra").group_members(kind, name))


def test_members_over_several_pages_and_the_second_failing(box: Box) -> None:
    ids = crowd(box, 1200)
    group(box, "VPN Users")["members"] = ids
    for id in ids:
        state(box)["users"][id]["_licences"] = ["f30db892-07e9-47e9-837c-80727f46fd3d"]
    connector = connect(box, "entra")
    assert len(set(connector.group_members("groups", "VPN Users"))) == 2400
    assert len(set(connector.group_members("licences", "FLOW_FREE"))) == 2404
    box["microsoft"].fault("cut", path="/transitiveMembers", after=1)
    with pytest.raises(errors.ProtocolError):
        list(connector.group_members("groups", "VPN Users"))


# -- credentials ---------------------------------------------------------------------------------------------------------


def credentials(box: Box) -> dict[str, Credential]:
    return {one.name: one for one in connect(box, "entra").all_credentials()}


def test_secrets_and_certificates_have_their_owners(box: Box) -> None:
    found = credentials(box)
    assert set(found) == {"Deploy Bot: pipeline", "Deploy Bot: CN=deploy", "Figma: openid Files.Read offline_access"}
    assert found["Deploy Bot: pipeline"] == Credential(
        "secret",
        guid("secret", "Deploy Bot"),
        "Deploy Bot: pipeline",
        "jane@corp.example",
        created=stamp(-400),
        expires=stamp(400),
    )
    assert (found["Deploy Bot: CN=deploy"].kind, found["Deploy Bot: CN=deploy"].maker) == (
        "certificate",
        "jane@corp.example",
    )
    assert (
        found["Figma: openid Files.Read offline_access"].kind,
        found["Figma: openid Files.Read offline_access"].maker,
    ) == ("app consent", user(box, "jane")["id"])


def test_an_owner_who_can_sign_in_comes_first(box: Box) -> None:
    [bot] = state(box)["applications"].values()
    bot["owners"] = [user(box, "jane")["id"], user(box, "mark")["id"]]
    assert credentials(box)["Deploy Bot: pipeline"].maker == "jane@corp.example"
    user(box, "jane")["accountEnabled"] = False
    assert credentials(box)["Deploy Bot: pipeline"].maker == "mark@corp.example"
    bot["owners"] = []
    assert credentials(box)["Deploy Bot: pipeline"].maker == ""


def test_a_trusted_pipeline_is_a_credential_of_the_apps_owner(box: Box) -> None:
    [bot] = state(box)["applications"].values()
    bot["_federated"] = [
        {
            "id": guid("federated"),
            "name": "main",
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:corp/app:ref:refs/heads/main",
            "audiences": ["api://AzureADTokenExchange"],
        }
    ]
    found = credentials(box)["Deploy Bot: main (repo:corp/app:ref:refs/heads/main)"]
    assert (found.kind, found.id, found.maker) == ("federated credential", guid("federated"), "jane@corp.example")


def test_a_saml_certificate_is_one_credential_and_azures_own_is_none(box: Box) -> None:
    key = {
        "displayName": "CN=sso",
        "startDateTime": "2025-01-01T00:00:00Z",
        "endDateTime": "2028-01-01T00:00:00Z",
        "customKeyIdentifier": "c2FtbA==",
    }
    apps = {app["displayName"]: app for app in state(box)["apps"].values()}
    apps["Status Page"] |= {
        "_certificates": [{**key, "keyId": "sign", "usage": "Sign"}, {**key, "keyId": "verify", "usage": "Verify"}],
        "_passwords": [{**key, "keyId": "pfx"}],
    }
    apps["Figma"] |= {"_type": "ManagedIdentity", "_certificates": [{**key, "keyId": "azure"}]}
    found = [one for one in connect(box, "entra").all_credentials() if "CN=sso" in one.name]
    assert [(one.kind, one.id, one.maker) for one in found] == [("certificate", "sign", "jane@corp.example")]


def test_credentials_over_several_pages_and_the_second_failing(box: Box) -> None:
    [bot] = list(state(box)["applications"].values())
    for n in range(1000):
        state(box)["applications"][guid("bot", str(n))] = {**bot, "id": guid("bot", str(n)), "displayName": f"Bot {n}"}
    assert sum(one.kind == "secret" for one in connect(box, "entra").all_credentials()) == 1001
    box["microsoft"].fault(
        "status",
        path="/applications",
        after=1,
        status=404,
        body={"error": {"code": "Request_ResourceNotFound", "message": "gone"}},
    )
    with pytest.raises(errors.NotFound):
        list(connect(box, "entra").all_credentials())


# -- devices -------------------------------------------------------------------------------------------------------------


def devices(box: Box) -> dict[str, Device]:
    return {one.serial or one.name: one for one in connect(box, "intune").all_devices()}


def test_devices_are_listed_with_owner_encryption_and_keys(box: Box) -> None:
    found = devices(box)
    assert set(found) == {"C02JANE01", "F2LJANE02", "5CGTOM001", "C02MARK01"}
    tom = found["5CGTOM001"]
    assert (tom.assigned_to, tom.encrypted, tom.compliant, tom.escrowed, tom.ownership, tom.state) == (
        "tom@corp.example",
        False,
        False,
        False,
        "company",
        "managed",
    )
    jane = found["C02JANE01"]
    assert (jane.assigned_to, jane.encrypted, jane.compliant, jane.escrowed, jane.platform) == (
        "jane@corp.example",
        True,
        True,
        None,
        "macOS",
    )
    assert found["F2LJANE02"].ownership == "personal" and found["F2LJANE02"].last_seen


def test_the_list_of_devices_agrees_with_what_is_read_of_one(box: Box) -> None:
    """But for what only a device's own record has."""
    connector = connect(box, "intune")
    for one in connector.all_devices():
        alone = connector.find_device(one.serial)
        assert one == replace(
            alone, software=(), bypass_kept="", escrowed=alone.escrowed if one.platform == "Windows" else one.escrowed
        )


def test_a_wipe_on_its_way_shows_in_the_list(box: Box) -> None:
    connector = connect(box, "intune")
    connector.wipe_device(connector.find_device("5CGTOM001"))
    assert devices(box)["5CGTOM001"].state == "wipe_pending"


def test_a_device_that_was_never_enrolled_is_unmanaged(box: Box) -> None:
    shown = {
        "displayName": "LENA-HOME",
        "operatingSystem": "Windows",
        "accountEnabled": True,
        "trustType": "Workplace",
        "_owner": user(box, "lena")["id"],
        "approximateLastSignInDateTime": "2026-02-01T08:00:00Z",
    }
    state(box)["devices"] |= {
        "a": {"id": guid("a"), "deviceId": guid("a", "id"), **shown},
        "b": {"id": guid("b"), "deviceId": guid("b", "id"), **shown, "accountEnabled": False},
    }
    found = [one for one in connect(box, "intune").all_devices() if one.state == "unmanaged"]
    assert [(one.id, one.name, one.ownership, one.assigned_to, one.encrypted, one.last_seen) for one in found] == [
        (guid("a"), "LENA-HOME", "personal", "lena@corp.example", None, "2026-02-01T08:00:00Z")
    ]


@pytest.mark.parametrize("path", ["/managedDevices$", "/v1.0/devices$", "/recoveryKeys$"])
def test_devices_over_several_pages_and_the_second_failing(box: Box, path: str) -> None:
    intune, mark = (
        state(box, "intune"),
        next(d for d in state(box, "intune")["devices"].values() if d["serialNumber"] == "C02MARK01"),
    )
    [known] = [d for d in state(box)["devices"].values() if d["displayName"] == "MARK-MBP"]
    for n in range(1000):
        serial = f"S{n:04}"
        intune["devices"][serial] = {
            **mark,
            "id": guid("device", serial),
            "serialNumber": serial,
            "azureADDeviceId": guid("deviceid", serial),
        }
        state(box)["devices"][serial] = {**known, "id": guid("known", serial), "deviceId": guid("deviceid", serial)}
        intune["bitlocker"][serial] = {
            "id": guid("key", serial),
            "createdDateTime": "2026-01-01T00:00:00Z",
            "volumeType": "operatingSystemVolume",
            "deviceId": guid("deviceid", serial),
            "key": "1",
        }
    assert len(devices(box)) == 1004
    box["microsoft"].fault(
        "status", path=path, after=1, status=400, body={"error": {"code": "BadRequest", "message": "page"}}
    )
    with pytest.raises(errors.Rejected):
        list(connect(box, "intune").all_devices())


# -- mailboxes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(box: Box) -> Iterator[Box]:
    part = next(part for part in box["microsoft"].parts if part.name == "exchange")
    part.admin_page = 2
    yield box
    part.admin_page = 1000


def mailboxes(box: Box) -> dict[str, Listed]:
    return {one.account.email: one for one in connect(box, "exchange").all_accounts()}


def test_mailboxes_come_over_several_pages_with_their_kinds(small_pages: Box) -> None:
    box, part = small_pages, next(part for part in small_pages["microsoft"].parts if part.name == "exchange")
    part.mailbox_of("lena@corp.example")["type"] = "SharedMailbox"
    part.mailbox_of("mark@corp.example")["type"] = "RoomMailbox"
    part.mailbox_of("tom@corp.example")["cas"] |= {
        key: key == "SmtpClientAuthenticationDisabled" for key in part.mailbox_of("tom@corp.example")["cas"]
    }
    found = mailboxes(box)
    assert {address.partition("@")[0]: (one.kind, one.account.active) for address, one in found.items()} == {
        "grace": ("person", True),
        "jane": ("person", True),
        "tom": ("person", False),
        "lena": ("shared", True),
        "mark": ("shared", True),
    }
    jane = found["jane@corp.example"]
    assert (jane.account.id, jane.account.login, jane.created) == (
        user(box, "jane")["id"],
        "jane@corp.example",
        user(box, "jane")["createdDateTime"],
    )
    assert connect(box, "exchange").find_account(Person.of(person_of(box, "tom"))).active is False
    assert len(asked(box, "/InvokeCommand")) >= 6 and not box["microsoft"].writes()


@pytest.mark.parametrize("after", [1, 4])
def test_a_page_of_mailboxes_that_fails_raises(small_pages: Box, after: int) -> None:
    """The second page of the protocols, and of the mailboxes."""
    small_pages["microsoft"].fault("html", path="/InvokeCommand", after=after)
    with pytest.raises(errors.ProtocolError):
        list(connect(small_pages, "exchange").all_accounts())


def test_members_of_a_distribution_list(small_pages: Box) -> None:
    box = small_pages
    group(box, "News")["members"] = [user(box, key)["id"] for key in ("jane", "mark", "grace")] + [
        group(box, "VPN Users")["id"]
    ]
    group(box, "VPN Users")["mailEnabled"] = True
    group(box, "VPN Users")["members"] = [user(box, "jane")["id"], user(box, "lena")["id"]]
    connector = connect(box, "exchange")
    assert set(connector.group_members("groups", "News")) == names(box, "jane", "mark", "grace", "lena")
    for kind, name in (("groups", "Nobody"), ("teams", "News")):
        with pytest.raises(errors.NotFound):
            list(connector.group_members(kind, name))


# -- files taken back ----------------------------------------------------------------------------------------------------


def test_files_are_taken_back_from_the_successor_only(box: Box) -> None:
    connector, jane = connect(box, "onedrive"), Person.of(person_of(box, "jane"))
    before = connector.files(jane)
    connector.hand_over_files(jane, "mark@corp.example")
    connector.hand_over_files(jane, "grace@corp.example")
    assert connector.files(jane)["owners"] == ["grace@corp.example", "jane@corp.example", "mark@corp.example"]
    connector.take_back_files(jane, "Mark@corp.example")
    assert connector.files(jane)["owners"] == ["grace@corp.example", "jane@corp.example"]
    connector.take_back_files(jane, "grace@corp.example")
    assert connector.files(jane) == before
    connector.take_back_files(jane, "jane@corp.example")  # the owner keeps it
    connector.take_back_files(jane, "mark@corp.example")
    assert connector.files(jane) == before
    drive = next(d for d in state(box, "onedrive")["drives"].values() if d["owner"] == "jane@corp.example")
    assert [p["roles"] for p in next(i for i in drive["items"].values() if i["parent"] is None)["permissions"]] == [
        ["owner"]
    ]


def test_what_they_can_list(box: Box) -> None:
    listing = {"account_listing", "device_listing", "credential_listing"}
    assert {
        system: set(capabilities_of(type(connect(box, system)))) & listing
        for system in ("entra", "exchange", "intune", "onedrive")
    } == {
        "entra": {"account_listing", "credential_listing"},
        "exchange": {"account_listing"},
        "intune": {"device_listing"},
        "onedrive": set(),
    }
