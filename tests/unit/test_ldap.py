# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ldap connector against the sandbox's directory: pages, locks of other directories' kinds, posix accounts, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap import wire as ldap_wire
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.access import (
    LdapAccess,
    password_state,
    unicode_password,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.wire import (
    PAGE,
    Wire,
    in_filter,
    in_name,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AuthenticationFailed,
    LifecycleError,
    ProtocolError,
    WriteInCheckMode,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff
from ldap3 import MODIFY_ADD, MODIFY_REPLACE

from sandbox.box import Box
from sandbox.servers.directory import BASE
from sandbox.vendors import ldap as directory
from tests.support import connect, person_of, run

JANE = f"uid=jane,ou=people,{BASE}"


@pytest.fixture(scope="module")
def started() -> Iterator[Box]:
    with Box([directory.Ldap]) as box:
        yield box


@pytest.fixture
def box(started: Box) -> Box:
    started["ldap"].reset()
    return started


def options(box: Box, **more: Any) -> dict[str, Any]:
    return {"options": {**box.systems()["ldap"]["options"], **more}}


# -- searches of many pages --------------------------------------------------------------------------------------------


class Pages:
    """A server that hands out ``rows`` as its pages say, behind the connector's own search."""

    def __init__(self, rows: int, *, stands_still: bool = False) -> None:
        self.rows, self.stands_still = rows, stands_still
        self.asked: list[bytes | None] = []

    def __call__(
        self, base: str, query: str, attributes: Any, *, act: str, scope: str, cookie: bytes | None
    ) -> tuple[Any, Any]:
        self.asked.append(cookie)
        start = int(cookie or b"0")
        end = min(start + PAGE, self.rows)
        following = (
            b""
            if end >= self.rows and not self.stands_still
            else b"%d" % (start if self.stands_still and cookie else end)
        )
        answer = [
            {"type": "searchResEntry", "dn": f"uid=u{n},{BASE}", "raw_attributes": {"uid": [b"u%d" % n]}}
            for n in range(start, end)
        ]
        referral = {"type": "searchResRef", "uri": ["ldap://elsewhere.example/"]}
        return {"result": 0, "controls": {"1.2.840.113556.1.4.319": {"value": {"cookie": following}}}}, [
            *answer,
            referral,
        ]


@pytest.mark.parametrize("rows", [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 7])
def test_every_page_is_read_and_referrals_are_not_followed(
    box: Box, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    wire: Wire = connect(box, "ldap").wire
    pages = Pages(rows)
    monkeypatch.setattr(wire, "_read", pages)
    assert [row["uid"] for row in wire.search(BASE, "(uid=*)", ["uid"], act="list")] == [
        [b"u%d" % n] for n in range(rows)
    ]
    assert len(pages.asked) == max(1, -(-rows // PAGE))


def test_a_cookie_that_stands_still_is_no_complete_list(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    wire: Wire = connect(box, "ldap").wire
    monkeypatch.setattr(wire, "_read", Pages(3 * PAGE, stands_still=True))
    with pytest.raises(ProtocolError, match="not complete"):
        wire.search(BASE, "(uid=*)", ["uid"], act="list")


# -- kinds of locks, posix ---------------------------------------------------------------------------------------------


def test_the_lock_of_389_directory_server(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "SCHEMA", {*directory.SCHEMA, b"nsaccountlock"})
    how = options(box, lock="nsaccountlock")
    assert (
        run(account.TASK, box, "ldap", person=person_of(box, "jane"), state="suspended", changes=how)["outcome"]
        == "done"
    )
    assert box["ldap"].entry(JANE)["nsAccountLock"] == ["TRUE"] and "pwdAccountLockedTime" not in box["ldap"].entry(
        JANE
    )
    assert (
        run(account.TASK, box, "ldap", person=person_of(box, "jane"), state="suspended", changes=how)["outcome"]
        == "already"
    )
    assert (
        run(account.TASK, box, "ldap", person=person_of(box, "jane"), state="active", changes=how)["outcome"] == "done"
    )
    assert "nsAccountLock" not in box["ldap"].entry(JANE)
    assert run(cutoff.TASK, box, "ldap", person=person_of(box, "jane"), changes=how)["outcome"] == "done"
    assert box["ldap"].entry(JANE)["nsAccountLock"] == ["TRUE"] and "userPassword" not in box["ldap"].entry(JANE)
    assert run(cutoff.TASK, box, "ldap", person=person_of(box, "jane"), changes=how)["outcome"] == "already"


def test_posix_accounts_get_the_next_number(box: Box) -> None:
    how = options(box, posix={"gid": 200, "uid_from": 5000, "home": "/home/", "shell": "/bin/zsh"})
    for key, number in (("ada", "5000"), ("zoe", "5001")):
        person = {**person_of(box, "ada"), "email": f"{key}@corp.example", "employee_id": f"X-{key}"}
        result = run(account.TASK, box, "ldap", person=person, changes=how)
        assert result["outcome"] == "done", result
        entry = box["ldap"].entry(f"uid={key},ou=people,{BASE}")
        assert (entry["uidNumber"], entry["gidNumber"], entry["homeDirectory"], entry["loginShell"]) == (
            [number],
            ["200"],
            [f"/home/{key}"],
            ["/bin/zsh"],
        )
        assert run(account.TASK, box, "ldap", person=person, changes=how)["outcome"] == "already"


def test_a_lockout_that_ends_by_itself_is_not_a_lock(box: Box) -> None:
    ldap = connect(box, "ldap")
    ldap.wire.modify(JANE, {"pwdAccountLockedTime": [(MODIFY_REPLACE, ["20260101000000Z"])]}, act="lock")
    assert run(cutoff.TASK, box, "ldap", person=person_of(box, "jane"))["outcome"] == "done"
    assert box["ldap"].entry(JANE)["pwdAccountLockedTime"] == ["000001010000Z"]


# -- who is meant ------------------------------------------------------------------------------------------------------


def test_another_employee_under_the_same_name_is_left_alone_and_asked_about(box: Box) -> None:
    result = run(cutoff.TASK, box, "ldap", person={**person_of(box, "jane"), "employee_id": "E9999"})
    assert result["outcome"] == "needs_human" and box["ldap"].writes() == []
    assert "E1007" in result["changes"][0]["note"] and "E9999" in result["changes"][0]["note"]
    stopped = run(account.TASK, box, "ldap", person={**person_of(box, "jane"), "employee_id": "E9999"})
    assert stopped["code"] == "ambiguous" and box["ldap"].writes() == []


def test_a_colleague_who_carries_the_leavers_address_too_is_asked_about_and_the_leaver_is_locked(box: Box) -> None:
    ldap = connect(box, "ldap")
    ldap.wire.modify(f"uid=mark,ou=people,{BASE}", {"mail": [(MODIFY_ADD, ["jane@corp.example"])]}, act="plant")
    result = run(cutoff.TASK, box, "ldap", person=person_of(box, "jane"))
    assert result["outcome"] == "needs_human"
    assert {row["what"]: row["outcome"] for row in result["changes"]}["account mark"] == "needs_human"
    with_jane = connect(box, "ldap")
    assert not with_jane.find_account(Person.of(person_of(box, "jane"))).active
    assert with_jane.find_account(Person.of(person_of(box, "mark"))).active


def test_names_stay_names() -> None:
    assert in_filter("*)(uid=*") == "\\2a\\29\\28uid=\\2a" and in_filter(b"\x01\xff") == "\\01\\ff"
    assert in_name("Núñez, Ada+x") == "Núñez\\, Ada\\+x"


# -- the wire ----------------------------------------------------------------------------------------------------------


def test_a_read_only_target_sends_no_write(box: Box) -> None:
    ldap = connect(box, "ldap", read_only=True)
    jane = ldap.find_account(Person.of(person_of(box, "jane")))
    for write in (
        lambda: ldap.delete_account(jane),
        lambda: ldap.set_active(jane, False),
        lambda: ldap.wire.move(JANE, BASE, act="move"),
    ):
        with pytest.raises(WriteInCheckMode):
            write()
    assert box["ldap"].writes() == []


def test_a_connection_that_is_closed_between_two_reads_is_opened_again(box: Box) -> None:
    ldap = connect(box, "ldap")
    jane = Person.of(person_of(box, "jane"))
    assert ldap.find_account(jane)
    ldap.wire._bound[1].socket.shutdown(2)
    assert ldap.find_account(jane)


def test_the_password_is_in_no_error(box: Box) -> None:
    entry = box.systems()["ldap"]["credentials"]
    ldap = connect(box, "ldap", credentials={"user": entry["user"], "password": "s3cret-of-nobody"})
    with pytest.raises(AuthenticationFailed) as failure:
        ldap.find_account(Person.of(person_of(box, "jane")))
    assert "s3cret" not in str(failure.value) and failure.value.status == 49


@pytest.mark.parametrize(
    ("sub", "says"),
    [("533", "account disabled"), ("52e", "wrong password"), ("775", "account locked"), ("fff", "data fff")],
)
def test_active_directory_says_why_a_bind_was_refused(box: Box, sub: str, says: str) -> None:
    wire: Wire = connect(box, "ldap").wire
    with pytest.raises(AuthenticationFailed, match=says):
        wire._judge(
            {
                "result": 49,
                "description": "invalidCredentials",
                "message": f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {sub}, v2580\0",
            },
            "bind",
        )


def test_every_result_code_has_an_error_that_names_the_system(box: Box) -> None:
    wire: Wire = connect(box, "ldap").wire
    for code in (*ldap_wire._CODES, 80, 118):
        with pytest.raises(LifecycleError) as failure:
            wire._judge({"result": code, "description": "what", "message": ""}, "do it")
        assert "do it on ldap: what" in str(failure.value), code


def test_active_directory_passwords_are_quoted_utf_16() -> None:
    first, second = (unicode_password().decode("utf-16-le") for _ in range(2))
    assert first[0] == first[-1] == '"' and len(first) > 30 and first != second


def test_the_end_of_kerberos_tickets_is_counted_from_the_cut_and_not_from_the_last_look(box: Box) -> None:
    domain = {"options": {**box.systems()["ldap"]["options"], "flavour": "active_directory", "posix": None}}
    access = LdapAccess(connect(box, "ldap", **domain).entries)
    account = Account(id="x", login="x", active=False, raw={"dn": JANE})
    (tickets,) = [path.residual for path in access.paths(account, "") if path.name == "password"]
    assert tickets is not None and tickets.as_dict("2026-01-01T00:00:00Z")["until"].startswith("2026-01-01T10:00:00")


def test_the_password_of_active_directory_is_closed_only_by_a_change_since_the_case() -> None:
    def at(ticks: int, active: bool) -> str:
        return password_state(
            Account(id="x", login="x", active=active, raw={"pwdlastset": [str(ticks).encode()]}), "2026-01-01T00:00:00Z"
        )

    opened = 116_444_736_000_000_000 + 1_767_225_600 * 10_000_000
    assert [at(opened, False), at(opened - 1_000_000, False), at(opened, True), at(0, False)] == [
        "closed",
        "open",
        "open",
        "open",
    ]
