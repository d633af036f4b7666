# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Leavers of a company as found, in a real OpenLDAP; each entry's own bind says whether it is open."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, rename

from sandbox.box import Box
from sandbox.servers.slapd import Slapd
from tests.as_found.directory import BASE, FoundDirectory, dn_of
from tests.as_found.people import CLOSES, HUMANS
from tests.support import connect, run

pytestmark = [pytest.mark.debian, pytest.mark.skipif(bool(Slapd.missing()), reason=Slapd.missing() or "slapd")]
ALL = [human.hr for human in HUMANS.values() if human.hr]
KNOWN: dict[str, Any] = {
    "others": {"inline": [base64.b64encode(pack([Person.of(one) for one in ALL], {"found": "{local_part}"})).decode()]}
}


@pytest.fixture(scope="module")
def started() -> Iterator[Box]:
    with Box([FoundDirectory]) as box:
        yield box


@pytest.fixture
def box(started: Box) -> Box:
    if started["found"].writes():
        started["found"].reset()
    return started


def open_seats(box: Box) -> set[str]:
    return {s.login for human in HUMANS.values() for s in human.seats if box["found"].signs_in(s)}


def cut(box: Box, who: str, **more: Any) -> dict[str, Any]:
    return run(cutoff.TASK, box, "found", person=HUMANS[who].hr, known={**KNOWN, **more})


@pytest.mark.parametrize("who", CLOSES)
def test_a_leaver_is_cut_by_whatever_key_is_left_and_nobody_else_is(box: Box, who: str) -> None:
    before = open_seats(box)
    result = cut(box, who)
    assert result["outcome"] == "done", result["changes"]
    assert before - open_seats(box) == {seat.login for seat in HUMANS[who].seats}
    assert cut(box, who)["outcome"] == "already"


def test_a_namesake_of_another_company_is_asked_about_and_not_touched(box: Box) -> None:
    result = cut(box, "absent")
    assert result["outcome"] == "needs_human" and box["found"].writes() == []
    assert "ben.funk@partner.example" in result["changes"][0]["note"]


def test_who_is_named_the_chiefs_login_closes_nobody_and_the_case_stays_open(box: Box) -> None:
    result = cut(box, "names_the_chief")
    assert box["found"].writes() == [] and result["outcome"] == "needs_human", result
    assert "HR names the login cboss" in result["changes"][0]["note"]


def test_a_long_s_is_no_s(box: Box) -> None:
    """The server itself takes the two for one; the comparison of what it answered does not."""
    assert cut(box, "long_s")["outcome"] == "absent" and box["found"].writes() == []


def test_a_colleagues_address_in_her_own_entry_does_not_stop_the_cut_and_stops_everything_else(box: Box) -> None:
    person = HUMANS["wrote_her_mail"].hr
    stopped = run(rename.TASK, box, "found", person=person, known=KNOWN)
    assert stopped["code"] == "ambiguous" and box["found"].writes() == []
    assert cut(box, "wrote_her_mail")["outcome"] == "done"
    assert {"sally.sly"} == {s.login for h in HUMANS.values() for s in h.seats} - open_seats(box)


def test_a_rename_finds_who_married_by_the_number(box: Box) -> None:
    person = HUMANS["married"].hr
    result = run(rename.TASK, box, "found", person=person, known=KNOWN, address=True)
    assert result["outcome"] == "done" and {row["what"] for row in result["changes"]} >= {"last_name", "address"}
    entry = box["found"].entry(HUMANS["married"].seats[0])
    assert entry["cn"] == ["Mara Kern"], "programs show people by cn, though there was no displayName"
    assert entry["mail"][0] == person["email"]


def test_a_second_account_loses_its_groups_too(box: Box) -> None:
    result = run(entitlements.TASK, box, "found", person=HUMANS["admin"].hr, known=KNOWN, mode="remove")
    assert {row["what"] for row in result["changes"]} == {"groups: sales", "adm-kai: groups: domain-admins"}
    assert result["outcome"] == "done"


def test_a_link_finds_an_account_that_carries_no_key_of_the_person(box: Box) -> None:
    seen = run(cutoff.TASK, box, "found", person=HUMANS["married"].hr, known=KNOWN, check_mode=True)
    link = seen["accounts"][0]
    assert link["login"] == "mvogel" and link["by"] == ["employee number"]
    changed = {**HUMANS["married"].hr, "employee_id": "9999", "email": "new@acme.example"}
    index = pack([Person.of(one) for one in [*(one for one in ALL if one["employee_id"] != "4711"), changed]], {})
    known = {"others": {"inline": [base64.b64encode(index).decode()]}}
    missed = run(cutoff.TASK, box, "found", person=changed, known=known)
    assert missed["outcome"] == "needs_human" and "mvogel" in missed["changes"][0]["note"]
    found = run(
        cutoff.TASK, box, "found", person=changed, known={**known, "links": [{"id": link["id"], "login": "mvogel"}]}
    )
    assert found["outcome"] == "done" and not box["found"].signs_in(HUMANS["married"].seats[0])


def test_who_is_expected_and_not_found_is_not_called_absent(box: Box) -> None:
    gone = {"email": "gone@acme.example", "employee_id": "1"}
    result = run(
        account.TASK,
        box,
        "found",
        person=gone,
        known={**KNOWN, "expected": ["the profile gave one"]},
        state="suspended",
    )
    assert result["outcome"] == "needs_human" and "the profile gave one" in result["changes"][0]["note"]


def test_a_server_that_allows_small_pages_only_is_read_to_the_end(box: Box) -> None:
    chief = HUMANS["ceo"].seats[0]
    reader = {"user": dn_of(chief), "password": box["found"].password_of(chief.login)}
    found = connect(box, "found", credentials=reader)
    logins = {listed.account.login for listed in found.all_accounts()}
    assert len(logins) > FoundDirectory.PAGE
    assert logins == {seat.login for human in HUMANS.values() for seat in human.seats}
    by_option = connect(box, "found", credentials=reader, options={"base": BASE, "page_size": 3})
    assert {listed.account.login for listed in by_option.all_accounts()} == logins
