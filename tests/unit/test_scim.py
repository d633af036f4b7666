# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""SCIM: every dialect on the RFC's own bodies, and the connector against the real server where fault needs a hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.scim import client as scim
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.scim import people, protocol
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.scim.dialects import DIALECTS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AmbiguousIdentity,
    ProtocolError,
    Rejected,
    Unavailable,
    Unsupported,
    WriteInCheckMode,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

from sandbox.box import Box
from sandbox.servers.scim import Crm, Wiki
from tests.support import connect, person_of

SAMPLES = Path(__file__).parents[1] / "contract" / "specs" / "scim"
JANE = "jane@corp.example"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Wiki, Crm]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    for name in ("wiki", "crm"):
        running[name].reset()
    scim._SERVICES.clear()
    people._REFUSED.clear()
    return running


def test_reads_the_rfcs_user() -> None:
    found = protocol.attributes_of(sample("rfc7643-8.3-enterprise_user"))
    assert (
        found["first_name"] == "Barbara"
        and found["department"] == "Tour Operations"
        and found["employee_id"] == "701984"
    )
    assert found["email"] == "bjensen@example.com" and found["manager"] == "26118915-6090-4610-87e4-49d8ca9f808d"
    assert protocol.attributes_of(sample("rfc7643-8.1-user-minimal")) == {"login": "bjensen@example.com"}


def test_a_merge_changes_what_is_named_and_nothing_else() -> None:
    before = sample("rfc7643-8.3-enterprise_user")
    after = protocol.merged(before, {"email": "new@example.com", "department": "IT"})
    assert before == sample("rfc7643-8.3-enterprise_user"), "the value read is not touched"
    assert [e["value"] for e in after["emails"]] == ["new@example.com", "babs@jensen.org"]
    assert (
        after[protocol.ENTERPRISE]["department"] == "IT"
        and after[protocol.ENTERPRISE]["division"] == before[protocol.ENTERPRISE]["division"]
    )
    assert after["phoneNumbers"] == before["phoneNumbers"]


def test_removal_of_a_member_is_the_rfcs() -> None:
    rfc = sample("rfc7644-3.5.2.2-patch_op-remove_one_member")
    assert rfc["Operations"][0]["path"].startswith('members[value eq "')
    member = rfc["Operations"][0]["path"].split('"')[1]
    assert protocol.remove_value("filter", "members", member)["Operations"] == [
        {"op": "remove", "path": rfc["Operations"][0]["path"]}
    ]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_blocks_with_one_operation(name: str) -> None:
    for shape in DIALECTS[name].shapes:
        body = protocol.replace(shape, {"active": False})
        assert body["schemas"] == [protocol.PATCH_OP] and len(body["Operations"]) == 1
        [operation] = body["Operations"]
        assert operation == (
            {"op": "replace", "path": "active", "value": False}
            if shape == "path"
            else {"op": "replace", "value": {"active": False}}
        )


@pytest.mark.parametrize("name", [n for n in DIALECTS if n not in ("generic",)])
def test_a_dialect_speaks_with_a_real_server(box: Box, name: str) -> None:
    jane = Person.of(person_of(box, "jane"))
    system = connect(box, "wiki", options={"dialect": name})
    account = system.find_account(jane)
    [path] = system.access_paths(account, "")
    assert path.state == "open" and bool(path.residual) == bool(DIALECTS[name].residual)
    path.close()
    assert box["wiki"].user(JANE)["active"] is False
    assert len(box["wiki"].writes()) == 1
    if DIALECTS[name].delete == "soft":
        with pytest.raises(Unsupported):
            system.delete_account(account)


def test_two_accounts_stop(box: Box) -> None:
    with box["wiki"].client() as http:
        http.post(
            "/v2/Users", json={"schemas": [protocol.CORE_USER], "userName": "other", "externalId": "E1007"}
        ).raise_for_status()
    for system in ("wiki",):
        with pytest.raises(AmbiguousIdentity):
            connect(box, system).find_account(Person.of(person_of(box, "jane")))


def test_a_login_given_to_a_second_person_stops(box: Box) -> None:
    stranger = Person.of({**person_of(box, "jane"), "employee_id": "E9999"})
    with pytest.raises(AmbiguousIdentity, match="somebody else"):
        connect(box, "wiki", options={"external_id": "{employee_id}"}).find_account(stranger)


def test_a_filter_that_is_ignored_finds_nobody_else(box: Box) -> None:
    everybody = {
        "schemas": [],
        "totalResults": 2,
        "startIndex": 1,
        "itemsPerPage": 2,
        "Resources": [{"id": "1", "userName": "lena@corp.example"}, {"id": "2", "userName": "x"}],
    }
    box["wiki"].fault("status", path="/Users", status=200, body=everybody, times=-1)
    assert connect(box, "wiki").find_account(Person.of(person_of(box, "jane"))) is None


def test_a_page_that_stands_still_is_an_error(box: Box) -> None:
    page = {
        "totalResults": 4,
        "startIndex": 1,
        "itemsPerPage": 2,
        "Resources": [{"id": "1", "userName": "a"}, {"id": "2", "userName": "b"}],
    }
    box["crm"].fault("status", path="/Users", status=200, body=page, times=-1)
    with pytest.raises(ProtocolError):
        connect(box, "crm").find_account(Person.of(person_of(box, "jane")))


def test_pages_are_followed_and_put_takes_the_place_of_patch(box: Box) -> None:
    system = connect(box, "crm")
    account = system.find_account(Person.of(person_of(box, "jane")))
    system.set_active(account, False)
    pages = [e for e in box["crm"].journal if e["path"] == "/v2/Users"]
    assert len(pages) >= 2 and all("filter" not in e["query"] for e in pages)
    [write] = box["crm"].writes()
    assert write["method"] == "PUT" and write["headers"]["if-match"], "guarded against a change in between"
    assert box["crm"].user(JANE)["name"]["familyName"] == "Müller-Ortiz", "nothing is cleared"


def test_patch_that_is_answered_501_becomes_put(box: Box) -> None:
    system = connect(box, "wiki")
    account = system.find_account(Person.of(person_of(box, "jane")))
    box["wiki"].fault("status", method="PATCH", status=501, body={"detail": "no"}, times=-1)
    system.set_active(account, False)
    assert box["wiki"].user(JANE)["active"] is False


def test_a_shape_that_is_not_taken_is_followed_by_the_other(box: Box) -> None:
    system = connect(box, "wiki")
    account = system.find_account(Person.of(person_of(box, "jane")))
    box["wiki"].fault("status", method="PATCH", status=400, body={"scimType": "invalidPath", "detail": "no"}, times=1)
    system.set_active(account, False)
    assert box["wiki"].user(JANE)["active"] is False
    box["wiki"].fault("status", method="PATCH", status=400, body={"scimType": "invalidPath", "detail": "no"}, times=-1)
    with pytest.raises(Rejected):
        system.set_active(account, True)


def test_discovery_is_read_once(box: Box) -> None:
    for _ in range(3):
        connect(box, "wiki").find_account(Person.of(person_of(box, "jane")))
    assert sum(e["path"].endswith("/ServiceProviderConfig") for e in box["wiki"].journal) == 1


def test_no_write_in_check_mode(box: Box) -> None:
    system = connect(box, "wiki", read_only=True)
    with pytest.raises(WriteInCheckMode):
        system.set_active(system.find_account(Person.of(person_of(box, "jane"))), False)
    assert box["wiki"].writes() == []


# -- what real servers understand otherwise (Canaille; see tests/integration/test_as_found_canaille.py) ------------------


def test_a_service_that_knows_no_types_of_addresses_gets_bare_ones(box: Box) -> None:
    refuses = {"scimType": "invalidSyntax", "detail": "Extra inputs are not permitted: emails, 0, type"}
    box["wiki"].fault("status", method="POST", path="/Users", status=400, body=refuses, times=1)
    new = Person.of({"email": "nina@corp.example", "first_name": "Nina", "last_name": "Neu"})
    system = connect(box, "wiki")
    system.create_account(new, {"email": new.email, "first_name": "Nina", "last_name": "Neu"})
    assert box["wiki"].user(new.email)["emails"] == [{"value": new.email}]
    assert box["wiki"].user(new.email)["name"]["formatted"] == "Nina Neu", "wanted by some, and right for all"
    account = system.find_account(new)
    box["wiki"].fault("status", method="PATCH", path="/Users", status=400, body=refuses, times=2)
    system.set_address(account, "nina.alt@corp.example", ["nina@corp.example"])
    assert [one["value"] for one in box["wiki"].user(new.email)["emails"]] == [
        "nina.alt@corp.example",
        "nina@corp.example",
    ]
    assert system.find_account(replace(new, email="nina.alt@corp.example", aliases=(new.email,))).email == (
        "nina.alt@corp.example"
    )


def test_no_page_size_is_asked_for_where_the_service_fails_at_one(box: Box) -> None:
    system = connect(box, "wiki", options={"page_size": 0})
    assert len(list(system.all_accounts())) >= 5
    assert not [e for e in box["wiki"].journal if "count" in e["query"]]


def test_a_service_that_fails_at_a_page_size_is_named_with_the_option_that_asks_for_none(box: Box) -> None:
    box["wiki"].fault("status", path="/Users", status=500, times=-1)
    with pytest.raises(Unavailable, match="500 Internal Server Error.*page_size: 0"):
        list(connect(box, "wiki").all_accounts())


def test_a_member_that_is_called_by_the_user_name_is_seen_and_taken(box: Box) -> None:
    system = connect(box, "wiki")
    account = system.find_account(Person.of(person_of(box, "jane")))
    group = {"id": "g1", "displayName": "Writers", "members": [{"value": JANE, "$ref": f"https://x/Users/{JANE}"}]}
    page = {"totalResults": 1, "startIndex": 1, "itemsPerPage": 1, "Resources": [group]}
    box["wiki"].fault("status", path="/Groups", status=200, body=page, times=-1)
    [held] = [one for one in system.entitlements(account) if one.kind == "groups"]
    assert (held.name, held.id) == ("Writers", "g1")
    box["wiki"].fault("status", method="PATCH", path="/Groups/g1", status=204, body=None, times=1)
    system.revoke(account, held)
    sent = [e for e in box["wiki"].journal if e["method"] == "PATCH"][-1]
    assert f'members[value eq \\"{JANE}\\"]' in str(sent["body"]), "asked for in the group's own word"


def test_a_group_whose_service_takes_no_member_out_is_put_without_them(box: Box) -> None:
    system = connect(box, "wiki")
    account = system.find_account(Person.of(person_of(box, "jane")))
    held = next(one for one in system.entitlements(account) if one.kind == "groups")
    refuses = {"scimType": "mutability", "detail": "required attribute cannot be removed"}
    box["wiki"].fault("status", method="PATCH", path="/Groups", status=400, body=refuses, times=-1)
    system.revoke(account, held)
    put = box["wiki"].writes()[-1]
    assert put["method"] == "PUT" and put["headers"]["if-match"], "guarded against a change in between"
    assert held.name not in [one.name for one in system.entitlements(account)]
