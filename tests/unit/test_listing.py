# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What github, scim, slack, tailscale, aws and ldap list: everybody, what each holds as their own account says it, and never a short list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.aws.api import AwsApi
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap.connector import Imap
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap import wire as ldap_wire
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.listing import in_form
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.wire import Wire
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.slack import listing as slack_listing
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    LifecycleError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Rejected,
    Unavailable,
    Unsupported,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Listed
from ldap3 import MODIFY_ADD

from sandbox.box import Box
from sandbox.days import stamp
from sandbox.servers.directory import BASE
from sandbox.servers.moto import Moto
from sandbox.servers.scim import Crm, Wiki
from sandbox.servers.slapd import Slapd
from sandbox.vendors.github import GitHub
from sandbox.vendors.ldap import Ldap
from sandbox.vendors.slack import Slack
from sandbox.vendors.tailscale import Tailscale
from tests.support import connect, person_of

SYSTEMS = ("github", "wiki", "crm", "slack", "tailscale", "aws", "ldap")


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([GitHub, Wiki, Crm, Slack, Tailscale, Moto, Ldap]) as box:
        yield box


@pytest.fixture
def box(running: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.setattr(slack_listing, "PAGE", 3)
    monkeypatch.setattr(GitHub, "PAGE", 2)
    return running


@pytest.fixture(autouse=True)
def as_seeded(running: Box) -> Iterator[None]:
    yield
    for emulator in running.emulators.values():
        if emulator.writes() or emulator.name not in ("aws", "wiki", "crm"):
            emulator.reset()
        elif hasattr(emulator, "faults"):
            emulator.faults, emulator.journal = [], []


def paged(box: Box, system: str) -> Any:
    """The connector, with pages smaller than its list."""
    entry = box.systems()[system]
    return connect(
        box, system, options={**(entry.get("options") or {}), **({"page_size": 2} if system == "wiki" else {})}
    )


def logins(box: Box, system: str) -> set[str]:
    """Who has an account, by the system's own word."""
    vendor = box[system]
    if system == "github":
        return {*vendor.state["members"], *vendor.state["outside"]}
    if system in ("wiki", "crm"):
        return {user["userName"] for user in vendor.resources("Users")}
    if system == "slack":
        return {user["userName"] for user in vendor.state["users"].values()}
    if system == "tailscale":
        return {user["loginName"] for user in vendor.state["users"].values()}
    if system == "aws":
        return {user["UserName"] for user in vendor.client("iam").list_users()["Users"]}
    return set(box.company.on_system("ldap"))


def listed(connector: Any) -> dict[str, Listed]:
    rows = list(connector.all_accounts())
    assert len({row.account.id for row in rows}) == len(rows), "each once"
    return {row.account.login: row for row in rows}


@pytest.mark.parametrize("system", SYSTEMS)
def test_everybody_is_listed_as_they_are_found_by_themselves(box: Box, system: str) -> None:
    """Suspended ones too, with all that ``entitlements`` says."""
    connector = paged(box, system)
    jane = Person.of(person_of(box, "jane"))
    if system != "github":  # there it would be no member any more
        connector.set_active(connector.find_account(jane), False)
    found = listed(connector)
    assert set(found) == logins(box, system)
    compared = 0
    for key in box.company.on_system(system):
        account = connector.find_account(Person.of(person_of(box, key)))
        row = found[account.login]
        assert (row.account.id, row.account.active, row.account.pending) == (
            account.id,
            account.active,
            account.pending,
        ), key
        assert {k: v for k, v in account.attributes.items() if v and k != "manager"} == {
            k: v for k, v in row.account.attributes.items() if v
        }, key
        entitlements = connector.entitlements(account)
        assert sorted(row.held) == sorted((e.kind, e.name) for e in entitlements), key
        assert sorted(row.fixed) == sorted((e.kind, e.name) for e in entitlements if e.fixed), key
        assert {person_of(box, key)["email"], ""} >= {row.account.email}, key
        compared += bool(row.held)
    assert compared
    if system != "github":
        assert not found[connector.find_account(jane).login].account.active
    assert connector.LISTS_HELD is True


def calls(box: Box, system: str) -> int:
    box[system].journal.clear()
    listed(paged(box, system))
    return len(box[system].journal)


@pytest.mark.parametrize("system", ["slack", "tailscale", "github"])
def test_the_cost_does_not_follow_what_people_hold(box: Box, system: str) -> None:
    before = calls(box, system)
    state = box[system].state
    if system == "slack":
        for group in state["groups"].values():
            group["users"] = list(state["users"])
    elif system == "tailscale":
        for user in state["users"].values():
            user["role"] = "admin" if user["role"] == "member" else user["role"]
    else:
        for login in state["members"]:
            state["seats"][login] = None
    assert calls(box, system) == before


# -- never a short list ------------------------------------------------------------------------------------------------

SECOND_PAGES = [
    ("github", {"path": "/outside_collaborators$", "after": 1}),
    ("github", {"path": "/members$", "after": 0}),
    ("wiki", {"path": "/v2/Users$", "after": 1}),
    ("wiki", {"path": "/v2/Groups$", "after": 1}),
    ("crm", {"path": "/v2/Users$", "after": 1}),
    ("slack", {"path": "/scim/v2/Users$", "after": 1}),
    ("slack", {"path": "usergroups.list$"}),
    ("tailscale", {"path": "/users$"}),
    ("tailscale", {"path": "/user-invites$"}),
]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(("system", "where"), SECOND_PAGES)
def test_a_page_that_fails_is_no_end_of_the_list(box: Box, system: str, where: dict[str, Any], status: int) -> None:
    box[system].fault(
        "status", method="*", times=-1, status=status, body={"message": "no", "ok": False, "error": "no"}, **where
    )
    with pytest.raises((PermissionDenied, NotFound)):
        list(paged(box, system).all_accounts())


def test_an_error_with_200_is_no_empty_list(box: Box) -> None:
    box["slack"].fault("status", path="usergroups.list", status=200, body={"ok": False, "error": "missing_scope"})
    with pytest.raises(Rejected, match="missing_scope"):
        list(connect(box, "slack").all_accounts())
    box["slack"].fault("status", path="usergroups.list", status=200, body={"ok": True})
    with pytest.raises(ProtocolError, match="no usergroups"):
        list(connect(box, "slack").all_accounts())
    box["github"].fault(
        "status",
        path="/graphql",
        after=2,
        status=200,
        body={"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]},
    )
    with pytest.raises(PermissionDenied):
        list(connect(box, "github").all_accounts())


LISTED = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "itemsPerPage": 0, "Resources": []}
STANDING = [
    ("slack", {"path": "/scim/v2/Users$", "after": 1, "body": {**LISTED, "totalResults": 9, "startIndex": 1}}),
    ("slack", {"path": "/scim/v2/Users$", "after": 1, "body": {**LISTED, "totalResults": 9, "startIndex": 4}}),
    ("wiki", {"path": "/v2/Users$", "after": 1, "body": {**LISTED, "totalResults": 9, "startIndex": 1}}),
    ("wiki", {"path": "/v2/Users$", "after": 1, "body": {**LISTED, "totalResults": 9, "startIndex": 3}}),
    (
        "github",
        {
            "path": "/graphql$",
            "body": {
                "data": {
                    "organization": {
                        "samlIdentityProvider": {
                            "externalIdentities": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "2"}}
                        }
                    }
                }
            },
        },
    ),
    ("github", {"path": "/graphql$", "after": 1, "body": {"data": {"organization": {"samlIdentityProvider": None}}}}),
]


@pytest.mark.parametrize(("system", "where"), STANDING)
def test_a_page_that_stands_still_or_is_empty_too_early_raises(box: Box, system: str, where: dict[str, Any]) -> None:
    box[system].fault("status", times=-1, status=200, **where)
    with pytest.raises(ProtocolError):
        list(paged(box, system).all_accounts())


def test_directory_pages(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Wire._read

    def second_fails(self: Wire, *args: Any, act: str, scope: str, cookie: Any) -> Any:
        if cookie:
            raise Unavailable("no answer", act=act, system="ldap")
        result, rows = read(self, *args, act=act, scope=scope, cookie=cookie)
        return {**result, "controls": {"1.2.840.113556.1.4.319": {"value": {"cookie": b"1"}}}}, rows

    monkeypatch.setattr(Wire, "_read", second_fails)
    with pytest.raises(Unavailable):
        list(connect(box, "ldap").all_accounts())
    monkeypatch.undo()
    with pytest.raises(NotFound):
        list(
            connect(
                box, "ldap", options={**box.systems()["ldap"]["options"], "groups_base": f"ou=nowhere,{BASE}"}
            ).all_accounts()
        )


def in_pages(monkeypatch: pytest.MonkeyPatch, then: Callable[[Any], Any]) -> None:
    """moto hands out authorization details whole; AWS by hundreds. ``then`` makes the second answer."""
    once = AwsApi._once

    def split(self: AwsApi, service: str, operation: str, act: str, params: Any, reading: bool) -> Any:
        if operation != "get_account_authorization_details":
            return once(self, service, operation, act, params, reading)
        rows = once(self, service, operation, act, {k: v for k, v in params.items() if k != "Marker"}, reading)[
            "UserDetailList"
        ]
        return then(rows) if params.get("Marker") else {"UserDetailList": rows[:2], "IsTruncated": True, "Marker": "m1"}

    monkeypatch.setattr(AwsApi, "_once", split)


def test_authorization_details_are_read_to_the_last_page(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = connect(box, "aws")
    in_pages(monkeypatch, lambda rows: {"UserDetailList": rows[2:], "IsTruncated": False})
    assert set(listed(aws)) == logins(box, "aws")
    in_pages(monkeypatch, lambda rows: {"UserDetailList": rows[2:], "IsTruncated": True, "Marker": "m1"})
    with pytest.raises(ProtocolError, match="does not advance"):
        list(aws.all_accounts())

    def fail(rows: Any) -> Any:
        raise PermissionDenied("AccessDenied", act="list users", system="aws")

    in_pages(monkeypatch, fail)
    with pytest.raises(PermissionDenied):
        list(aws.all_accounts())


@pytest.mark.parametrize(
    "operation", ["list_group_memberships", "list_account_assignments", "list_users", "generate_credential_report"]
)
def test_a_list_of_aws_that_fails_raises(box: Box, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    once = AwsApi._once

    def refuse(self: AwsApi, service: str, asked: str, act: str, params: Any, reading: bool) -> Any:
        if asked == operation:
            raise PermissionDenied("AccessDenied", act=act, system="aws")
        return once(self, service, asked, act, params, reading)

    monkeypatch.setattr(AwsApi, "_once", refuse)
    with pytest.raises(PermissionDenied):
        list(connect(box, "aws").all_accounts())


# -- kinds and times ---------------------------------------------------------------------------------------------------


def test_guests_invitations_and_those_who_run_the_system(box: Box) -> None:
    github, state = connect(box, "github"), box["github"].state
    github.create_account(Person.of({**person_of(box, "ada"), "logins": {}}), {})
    github.create_account(Person.of(person_of(box, "tom")), {})
    state["invitations"][1]["teams"] = ["platform"]
    state["teams"]["everyone"]["members"].remove("markchen")
    found = listed(github)
    assert (
        found["nia-sec"].kind == "guest"
        and found["markchen"].kind == "person"
        and found["markchen"].account.email == "mark@corp.example"
    )
    ada, tom = found["ada@corp.example"], found["tombecker"]
    assert (
        ada.account.pending
        and ada.held == (("teams", "platform"),)
        and ada.created == state["invitations"][1]["created_at"]
    )
    assert tom.account.pending and tom.account.id == github.find_account(Person.of(person_of(box, "tom"))).id
    assert ("teams", "everyone") not in found["markchen"].held and ("teams", "everyone") in found["janemo"].fixed

    state = box["slack"].state
    state["users"]["U0C2001"][slack_listing.GUEST] = {"type": "multi"}
    assert {login: row.kind for login, row in listed(connect(box, "slack")).items() if row.kind != "person"} == {
        "nia": "guest"
    }

    state = box["tailscale"].state
    state["users"]["uS"] = {
        **state["users"]["uE1002"],
        "id": "uS",
        "loginName": "friend@partner.example",
        "type": "shared",
        "role": "member",
        "lastSeen": "0001-01-01T00:00:00Z",
    }
    connect(box, "tailscale").create_account(Person.of(person_of(box, "ada")), {})
    found = listed(connect(box, "tailscale"))
    assert found["friend@partner.example"].kind == "guest" and found["friend@partner.example"].last_seen == ""
    assert found["ada@corp.example"].account.pending and found["mark@corp.example"].last_seen == stamp(-2)


def test_times_of_directories_and_keys(box: Box) -> None:
    row = listed(connect(box, "ldap"))["jane"]
    assert (
        abs((datetime.now(timezone.utc) - datetime.fromisoformat(row.created)).total_seconds()) < 3600
        and row.last_seen == ""
    )
    row = listed(connect(box, "aws"))["lifecycle"]
    assert row.created and row.last_seen[:10] == datetime.now(timezone.utc).date().isoformat(), (
        "its key is used right now"
    )


def test_names_in_a_directory_compare_as_they_should() -> None:
    assert in_form("UID=Jane, OU=People,dc=corp , DC=example") == in_form("uid=jane,ou=people,dc=corp,dc=example")
    assert in_form(r"cn=Meyer\, Jan,dc=x") == in_form(r"CN=Meyer\2C Jan,DC=X") != in_form("cn=meyer,jan,dc=x")
    assert in_form(r"cn=M\C3\BCller\2DOrtiz,dc=x") == in_form("cn=Müller-Ortiz,dc=x")


class ActiveDirectory:
    """Rows as a domain controller gives them, in place of the wire."""

    sid = bytes(range(24))
    groups = (
        {
            "dn": "CN=Engineering,OU=Groups,DC=corp,DC=example",
            "cn": [b"Engineering"],
            "objectsid": [sid + b"\x01\0\0\0"],
        },
        {"dn": "CN=Elsewhere,OU=Other,DC=corp,DC=example", "cn": [b"Elsewhere"], "objectsid": [sid + b"\x02\0\0\0"]},
        {
            "dn": "CN=Domain Users,CN=Users,DC=corp,DC=example",
            "cn": [b"Domain Users"],
            "objectsid": [sid + b"\x01\x02\0\0"],
        },
    )

    def person(self, name: str, **more: Any) -> dict[str, Any]:
        return {
            "dn": f"CN={name},OU=Staff,DC=corp,DC=example",
            "samaccountname": [name.encode()],
            "objectguid": [name.encode().ljust(16)[:16]],
            "objectsid": [self.sid + b"\x09\0\0\0"],
            "useraccountcontrol": [b"512"],
            "primarygroupid": [b"513"],
            "whencreated": [b"20240102030405.0Z"],
            "lastlogontimestamp": [b"133497289500000000"],
            **more,
        }

    def pages(
        self, wire: Wire, base: str, query: str, attributes: Any, *, act: str, scope: str = ""
    ) -> Iterator[dict[str, Any]]:
        if "person" not in query:
            yield from self.groups
            return
        mine = [b"cn=engineering, ou=Groups,DC=corp,DC=example", b"CN=Elsewhere,OU=Other,DC=corp,DC=example"]
        yield self.person("jane", memberof=mine, useraccountcontrol=[b"514"])
        yield self.person("krbtgt", iscriticalsystemobject=[b"TRUE"])
        yield self.person("box", msexchrecipienttypedetails=[b"4"], lastlogontimestamp=[b"0"])


def test_active_directory_is_read_by_back_links(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = ActiveDirectory()
    monkeypatch.setattr(Wire, "pages", lambda self, *args, **how: directory.pages(self, *args, **how))
    ad = connect(
        box,
        "ldap",
        options={
            "flavour": "active_directory",
            "base": "DC=corp,DC=example",
            "groups_base": "OU=Groups,DC=corp,DC=example",
        },
    )
    found = listed(ad)
    jane = found["jane"]
    assert jane.held == (("groups", "Engineering"), ("groups", "Domain Users")) and jane.fixed == (
        ("groups", "Domain Users"),
    )
    assert not jane.account.active and (jane.created, jane.last_seen) == (
        "2024-01-02T03:04:05.000000Z",
        "2024-01-14T18:02:30.000000Z",
    )
    assert {login: row.kind for login, row in found.items()} == {
        "jane": "person",
        "krbtgt": "service",
        "box": "shared",
    } and found["box"].last_seen == ""


# -- members -----------------------------------------------------------------------------------------------------------

MEMBERS = [
    ("github", "roles", "owner", {"grace-okoye"}),
    ("github", "teams", "platform", {"grace-okoye", "janemo"}),
    ("github", "seats", "Copilot", {"janemo", "markchen"}),
    ("wiki", "groups", "Engineering", {"mark@corp.example", "jane@corp.example"}),
    ("crm", "groups", "Sales", {"tom@corp.example", "lena@corp.example"}),
    ("slack", "groups", "@engineering", {"mark@corp.example", "jane@corp.example"}),
    ("tailscale", "roles", "admin", {"grace@corp.example"}),
    ("aws", "groups", "Developers", {"mark@corp.example", "jane@corp.example"}),
    ("aws", "policies", "DeployStaging", {"jane@corp.example"}),
    ("aws", "identity_center_groups", "Engineers", {"grace@corp.example", "mark@corp.example", "jane@corp.example"}),
    (
        "aws",
        "account_assignments",
        "Deploy@123456789012",
        {"grace@corp.example", "mark@corp.example", "jane@corp.example"},
    ),
    ("ldap", "groups", "vpn", {"grace@corp.example", "mark@corp.example", "jane@corp.example"}),
]


@pytest.mark.parametrize(("system", "kind", "name", "who"), MEMBERS)
def test_members_of_one_entitlement(box: Box, system: str, kind: str, name: str, who: set[str]) -> None:
    connector = connect(box, system)
    told = set(connector.group_members(kind, name))
    others = {
        one for row in connector.all_accounts() for one in (row.account.login, row.account.email, row.account.id) if one
    } - told
    assert who <= told
    for row in connector.all_accounts():
        names = {row.account.login, row.account.email}
        assert bool(names & who) == bool(names & told), (names, told)
    assert others
    with pytest.raises(NotFound):
        list(connector.group_members(kind, "no-such-thing"))


def test_members_of_members_count(box: Box) -> None:
    ldap = connect(box, "ldap")
    ldap.wire.modify(
        f"cn=it,ou=groups,{BASE}",
        {"member": [(MODIFY_ADD, [f"cn=vpn,ou=groups,{BASE}", f"cn=it,ou=groups,{BASE}"])]},
        act="nest",
    )
    assert {"grace", "mark", "jane"} <= set(ldap.group_members("groups", "it"))
    wiki = connect(box, "wiki")
    inner, outer = wiki.find_entitlement("groups", "Engineering"), wiki.find_entitlement("groups", "IT")
    with box["wiki"].client() as http:
        patch = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "add", "path": "members", "value": [{"value": inner.id, "type": "Group"}]}],
        }
        http.patch(f"/v2/Groups/{outer.id}", json=patch).raise_for_status()
    assert {"grace@corp.example", "jane@corp.example"} <= set(wiki.group_members("groups", "IT"))
    box["wiki"].reset()


def test_a_service_that_never_shows_members_says_so(box: Box) -> None:
    center = connect(box, "wiki", options={"dialect": "aws_identity_center"})
    assert center.LISTS_HELD is False
    assert all(row.held == () for row in center.all_accounts())
    with pytest.raises(Unsupported):
        list(center.group_members("groups", "Engineering"))


# -- credentials and devices -------------------------------------------------------------------------------------------


def credentials(connector: Any) -> set[tuple[str, str, str]]:
    return {(one.kind, one.name, one.maker) for one in connector.all_credentials()}


def test_credentials_of_github_and_their_makers(box: Box) -> None:
    assert credentials(connect(box, "github")) == {
        ("fine-grained token", "janemo scripts", "janemo"),
        ("fine-grained token", "markchen scripts", "markchen"),
        ("personal access token", "71c3fc11", "janemo"),
        ("SSH key", "mbp", "janemo"),
        ("SSH key", "mbp", "markchen"),
        ("deploy key", "deploy website of website", "janemo"),
        ("deploy key", "ci of website", "markchen"),
    }
    plain = connect(box, "github", credentials={"token": box["github"].secret("token")})
    assert not [one for one in plain.all_credentials() if one.kind == "fine-grained token"], (
        "they are shown to apps only"
    )
    for path in (
        "/personal-access-tokens$",
        "/credential-authorizations$",
        "/website/keys$",
        "/orgs/corp-example/repos$",
    ):
        box["github"].faults = []
        box["github"].fault("status", path=path, times=-1, status=404, body={"message": "Not Found"})
        with pytest.raises(NotFound):
            list(connect(box, "github").all_credentials())


def test_credentials_of_a_tailnet_and_its_devices(box: Box) -> None:
    box["tailscale"].state["keys"]["kC"] = {
        "id": "kC",
        "keyType": "client",
        "userId": "uE1002",
        "description": "ci",
        "created": "2026-01-01T00:00:00Z",
    }
    tailscale = connect(box, "tailscale")
    assert credentials(tailscale) == {
        ("auth key", "laptop setup", "uE1007"),
        ("API access token", "scripts", "uE1007"),
        ("API access token", "lifecycle", "uE1001"),
        ("OAuth client", "ci", "uE1002"),
    }
    devices = {device.name.partition(".")[0]: device for device in tailscale.all_devices()}
    assert set(devices) == {"jane-mbp", "janes-iphone", "build-server", "mark-mbp"}
    assert (
        devices["mark-mbp"].assigned_to == "mark@corp.example"
        and devices["mark-mbp"].encrypted is None
        and devices["mark-mbp"].state == ""
    )
    box["tailscale"].fault("status", path="/(keys|devices)$", times=-1, status=403, body={"message": "no"})
    for listing in (tailscale.all_credentials, tailscale.all_devices):
        with pytest.raises(PermissionDenied):
            list(listing())


def test_workflows_of_slack_have_a_manager_who_is_there(box: Box) -> None:
    slack = connect(box, "slack")
    box["slack"].state["users"]["U0E1007"]["active"] = False
    assert credentials(slack) == {
        ("workflow", "Deploy approval", "U0E1007"),
        ("workflow", "Stand-up", "U0E1002"),
        ("workflow", "Release notes", "U0E1007"),
    }
    box["slack"].fault(
        "status", path="admin.workflows.search", after=1, status=200, body={"ok": False, "error": "invalid_cursor"}
    )
    with pytest.raises(Rejected, match="invalid_cursor"):
        list(slack.all_credentials())
    box["slack"].fault(
        "status", path="admin.workflows.search", status=200, body={"ok": False, "error": "feature_not_enabled"}
    )
    with pytest.raises(Unsupported):
        list(slack.all_credentials())


def test_keys_of_aws_that_work(box: Box) -> None:
    aws, iam = connect(box, "aws"), box["aws"].client("iam")
    first, second = (session["access_key_id"] for session in box["aws"].sessions["jane"])
    found = list(aws.all_credentials())
    assert {(one.kind, one.id) for one in found if one.maker == "jane@corp.example"} == {
        ("access key", first),
        ("access key", second),
    }
    assert all(one.created for one in found) and next(one for one in found if one.maker == "lifecycle").last_used
    iam.update_access_key(UserName="jane@corp.example", AccessKeyId=first, Status="Inactive")
    assert {one.id for one in aws.all_credentials() if one.maker == "jane@corp.example"} == {second}
    box["aws"].reset()


def test_imap_can_list_nobody() -> None:
    assert not [name for name in capabilities_of(Imap) if name.endswith("_listing")]


# -- a real directory --------------------------------------------------------------------------------------------------


@pytest.mark.debian
@pytest.mark.skipif(bool(Slapd.missing()), reason=Slapd.missing() or "slapd")
def test_openldap_by_small_pages_while_others_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """slapd gives the bind account ten entries a search; the list goes on while the caller searches too."""
    monkeypatch.setattr(ldap_wire, "PAGE", 2)
    with Box([Slapd]) as box:
        ldap = connect(box, "slapd")
        ldap.set_active(ldap.find_account(Person.of(person_of(box, "jane"))), False)
        for n in range(7):
            person = Person.of({"email": f"many{n}@corp.example", "first_name": "Many", "last_name": str(n)})
            ldap.create_account(person, {"first_name": "Many"})
        found: dict[str, Listed] = {}
        for row in ldap.all_accounts():
            found[row.account.login] = row
            account = ldap.find_account(Person.of({"email": row.account.email}))
            assert sorted(row.held) == sorted((e.kind, e.name) for e in ldap.entitlements(account))
        assert set(found) == {*box.company.on_system("ldap"), *(f"many{n}" for n in range(7))}
        assert [login for login, row in found.items() if not row.account.active] == ["jane"]
        assert found["many0"].created and set(found["mark"].held) == {("groups", "engineering"), ("groups", "vpn")}
        assert {"mark", "mark@corp.example", "jane"} <= set(ldap.group_members("groups", "vpn"))
        rows = ldap.all_accounts()
        next(rows)
        box["slapd"].halt()
        with pytest.raises(LifecycleError):
            list(rows)
