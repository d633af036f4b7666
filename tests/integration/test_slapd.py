# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ldap connector against a real OpenLDAP; ldap3's own connections ask it what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ldap3
import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap import wire as ldap_wire
from ansible_collections.workforce.lifecycle.plugins.modules import (
    account,
    cutoff,
    doctor_system,
    entitlements,
    restore,
)

from sandbox.box import Box
from sandbox.servers.directory import BASE
from sandbox.servers.slapd import Slapd
from sandbox.whole import directory
from tests.integration.whole_state import differences
from tests.support import connect, person_of, run

pytestmark = [pytest.mark.debian, pytest.mark.skipif(bool(Slapd.missing()), reason=Slapd.missing() or "slapd")]
JANE = f"uid=jane,ou=people,{BASE}"


@pytest.fixture(scope="module")
def started() -> Iterator[Box]:
    with Box([Slapd]) as box:
        yield box


@pytest.fixture
def box(started: Box) -> Box:
    started["slapd"].reset()
    return started


def bind(box: Box, key: str) -> Any:
    server = ldap3.Server(box["slapd"].url, tls=ldap3.Tls(ca_certs_file=box.ca_file, validate=2))
    connection = ldap3.Connection(server, f"uid={key},ou=people,{BASE}", box["slapd"].password_of(key))
    return connection if connection.bind() else None


def test_cut_off_and_what_lingers_is_named(box: Box) -> None:
    before = bind(box, "jane")
    result = run(cutoff.TASK, box, "slapd", person=person_of(box, "jane"))
    assert result["outcome"] == "done", result
    assert bind(box, "jane") is None and bind(box, "mark") is not None
    # Whether or not the old connection still reads, the result must have said so.
    if before.search(BASE, "(uid=mark)"):
        assert any("bound before" in residual["what"] and residual["until"] for residual in result["residual"])
    sent = len(box["slapd"].writes())
    assert run(cutoff.TASK, box, "slapd", person=person_of(box, "jane"))["outcome"] == "already"
    assert len(box["slapd"].writes()) == sent


def test_check_mode_writes_nothing(box: Box) -> None:
    for task, want in (
        (cutoff.TASK, {}),
        (entitlements.TASK, {"mode": "remove"}),
        (account.TASK, {"state": "absent", "confirm": ["jane"]}),
    ):
        result = run(task, box, "slapd", check_mode=True, person=person_of(box, "jane"), **want)
        assert result["changed"] and not result.get("failed")
    assert box["slapd"].writes() == [] and bind(box, "jane") is not None


def test_cut_off_stripped_and_given_back_the_directory_is_as_before(box: Box) -> None:
    """All entries with all attributes; lost is the password, and the server's own stamps say who wrote when."""
    before, person = directory(box, "slapd"), person_of(box, "jane")
    closed = {row["what"]: row["before"] for row in run(cutoff.TASK, box, "slapd", person=person)["changes"]}
    held = [
        row["what"].removeprefix("groups: ")
        for row in run(entitlements.TASK, box, "slapd", person=person, mode="remove")["changes"]
    ]
    assert len(held) > 1 and "pwdAccountLockedTime" in directory(box, "slapd")[JANE]
    access = run(restore.TASK, box, "slapd", person=person, part="access", taken={"access": closed})
    assert [row["what"] for row in access["changes"] if row["after"] == "lost"] == ["password"]
    assert (
        run(restore.TASK, box, "slapd", person=person, part="entitlements", taken={"entitlements": {"groups": held}})[
            "outcome"
        ]
        == "done"
    )
    # The sandbox is filled past the overlay that derives memberOf from member.
    stamps = (r"[+-] slapd .* (entryCSN|modifyTimestamp|modifiersName) '.*'", r"\+ slapd .* memberOf .*")
    found = differences({"slapd": before}, {"slapd": directory(box, "slapd")}, stamps)
    assert list(found) == [f"- slapd {JANE} userPassword '{before[JANE]['userPassword'][0]}'"]


def test_create_then_already(box: Box) -> None:
    assert run(account.TASK, box, "slapd", person=person_of(box, "ada"))["outcome"] == "done"
    assert run(account.TASK, box, "slapd", person=person_of(box, "ada"))["outcome"] == "already"
    assert [w["method"] for w in box["slapd"].writes()] == ["ADD"]


def test_the_last_member_leaves(box: Box) -> None:
    result = run(entitlements.TASK, box, "slapd", person=person_of(box, "otto"), mode="remove")
    assert result["outcome"] == "done", result
    assert run(entitlements.TASK, box, "slapd", person=person_of(box, "otto"), mode="remove")["outcome"] == "already"


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"credentials": {"user": f"cn=admin,{BASE}", "password": "wrong"}}, "authentication", "credentials.password"),
        ({"ca_file": ""}, "certificate", "ca_file"),
        ({"url": "ldaps://localhost:1"}, "unavailable", "reachable"),
    ],
)
def test_bad_paths_say_what_to_do(box: Box, changes: dict[str, Any], code: str, says: str) -> None:
    result = run(cutoff.TASK, box, "slapd", person=person_of(box, "jane"), changes=changes)
    assert result["code"] == code and says in result["msg"] and "\n" not in result["msg"]


def test_without_the_right_nothing_is_called_done(box: Box) -> None:
    weak = {"user": f"uid=mark,ou=people,{BASE}", "password": box["slapd"].password_of("mark")}
    result = run(cutoff.TASK, box, "slapd", person=person_of(box, "jane"), changes={"credentials": weak})
    assert result["failed"] and result["code"] == "permission"
    assert bind(box, "jane") is not None


def test_names_that_are_filters_find_nobody(box: Box) -> None:
    person = {"email": "nobody@corp.example", "employee_id": "x*)(uid=*", "logins": {"slapd": "*"}}
    assert run(cutoff.TASK, box, "slapd", person=person)["outcome"] == "absent"
    assert box["slapd"].writes() == []


@pytest.mark.parametrize("page", [1, 3])
def test_more_people_than_a_page_over_starttls(box: Box, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(ldap_wire, "PAGE", page)
    wire = connect(box, "slapd", url=f"ldap://localhost:{box['slapd'].plain_port}").wire
    found = [row["uid"][0].decode() for row in wire.search(BASE, "(objectClass=inetOrgPerson)", ["uid"], act="list")]
    assert sorted(found) == sorted(box.company.on_system("ldap")) and len(found) > page
    assert wire._bound[1].tls_started


# -- what a write would end at is said before the first one ------------------------------------------------------------


class WithoutPolicy(Slapd):
    """As Debian installs it: no overlay that locks anybody."""

    CONF = "\n".join(line for line in Slapd.CONF.splitlines() if "ppolicy" not in line)

    def entries(self) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
        yield from (row for row in super().entries() if "pwdPolicy" not in row[1]["objectClass"])


@pytest.fixture(scope="module")
def unlocked() -> Iterator[Box]:
    with Box([WithoutPolicy]) as box:
        yield box


def problems(box: Box, **changes: Any) -> list[str]:
    found = run(doctor_system.TASK, box, "slapd", changes=changes)["health"]["problems"]
    return [f"{one['what']}: {one['fix']}" for one in found if one["kind"] == "setup"]


def test_a_directory_without_a_lock_is_named_before_the_first_leaver_and_the_password_goes_all_the_same(
    unlocked: Box,
) -> None:
    assert "slapo-ppolicy" in "; ".join(problems(unlocked))
    for check_mode in (True, False):
        result = run(cutoff.TASK, unlocked, "slapd", check_mode=check_mode, person=person_of(unlocked, "jane"))
        sign_in = next(row for row in result["changes"] if row["what"] == "sign-in")
        assert sign_in["outcome"] == "needs_human" and "slapo-ppolicy" in sign_in["note"]
        assert (bind(unlocked, "jane") is None) is not check_mode


def test_a_directory_with_all_that_writing_needs_has_no_problem(box: Box) -> None:
    assert problems(box) == []


@pytest.mark.parametrize("option", ["people_base", "groups_base"])
def test_a_place_that_is_not_there_is_named_before_the_first_joiner(box: Box, option: str) -> None:
    options = {**box.systems()["slapd"]["options"], option: f"ou=nowhere,{BASE}"}
    assert f"there is no entry ou=nowhere,{BASE}: correct the option {option}" in "; ".join(
        problems(box, options=options)
    )
