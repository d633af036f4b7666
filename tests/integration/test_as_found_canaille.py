# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Leavers, movers and joiners in a real Canaille, whose own pages and lists say what became of them. Each test has people of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements, rename

from sandbox.box import Box
from tests.as_found.canaille import Canaille
from tests.as_found.people import Human, hr
from tests.support import connect, run

_MISSING = Canaille.missing()
HUMANS = Canaille.HUMANS
ALL = [human.hr for human in HUMANS.values() if human.hr]
KNOWN: dict[str, Any] = {
    "others": {
        "inline": [base64.b64encode(pack([Person.of(one) for one in ALL], {"canaille": "{local_part}"})).decode()]
    }
}
pytestmark = [pytest.mark.soak, pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "canaille")]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([Canaille]) as running:
        yield running


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def human_of(name: str) -> Human:
    return HUMANS[name]


@pytest.mark.parametrize("who", ["married", "number_as_login", "upper_case"])
def test_a_leaver_is_out_of_the_pages_where_they_were_signed_in_and_nobody_else_is(box: Box, who: str) -> None:
    server, [seat] = box["canaille"], human_of(who).seats
    browser, chief = server.session(seat), human_of("ceo").seats[0]
    other = server.session(chief)
    before = server.users()
    assert server.is_inside(browser, seat) and server.is_inside(other, chief)
    result = run(cutoff.TASK, box, "canaille", person=human_of(who).hr, known=KNOWN)
    assert result["outcome"] == "done" and result["accounts"][0]["login"] == seat.login
    assert not server.is_inside(browser, seat) and not server.is_inside(server.session(seat), seat)
    assert server.is_inside(other, chief) and changed(before, server.users()) == {seat.login}
    [lingers] = result["residual"]
    assert lingers["what"] == "sessions and tokens"


def test_a_server_that_answers_every_filter_with_everybody_has_nobody_cut_in_anothers_place(box: Box) -> None:
    before = box["canaille"].users()
    for who in ("absent", "names_the_chief"):
        person = {**human_of(who).hr, "logins": {"canaille": "cboss"} if who == "names_the_chief" else {}}
        result = run(cutoff.TASK, box, "canaille", person=person, known=KNOWN)
        assert result["outcome"] in ("absent", "needs_human"), result
    assert box["canaille"].users() == before


def test_groups_whose_members_are_user_names_are_read_taken_and_given(box: Box) -> None:
    """The server refuses to take one member by PATCH, and calls members by the userName."""
    server, person = box["canaille"], human_of("admin").hr
    given = {"groups": ["sales"]}
    joined = run(
        entitlements.TASK, box, "canaille", person=human_of("no_mail").hr, known=KNOWN, mode="add", wanted=given
    )
    assert joined["outcome"] == "done" and "no77" in server.groups()["sales"]
    result = run(entitlements.TASK, box, "canaille", person=person, known=KNOWN, mode="remove")
    assert "kbrandt" not in server.groups()["sales"] and "no77" in server.groups()["sales"]
    assert result["outcome"] == "done" and "adm-kai" not in server.groups().get("domain-admins", ()), result


def test_a_joiner_is_made_and_renamed_where_the_formatted_name_is_wanted(box: Box) -> None:
    server = box["canaille"]
    new = hr("nina.neu", "4900", "Nina", "Neu")
    made = run(account.TASK, box, "canaille", person=new, known=KNOWN, state="present")
    assert {row["what"]: row["outcome"] for row in made["changes"]}["account"] == "done", made
    [first] = [row for row in made["changes"] if row["what"] == "first credential"]
    assert made["outcome"] == first["outcome"] == "needs_human" and first["lasting"]
    assert server.users()["nina.neu"]["name"] == {"formatted": "Nina Neu", "familyName": "Neu", "givenName": "Nina"}
    married = {**new, "last_name": "Alt", "email": "nina.alt@acme.example"}
    told = run(rename.TASK, box, "canaille", person=married, known=KNOWN, address=True)
    entry = server.users()["nina.neu"]
    assert entry["name"]["formatted"] == "Nina Alt" and entry["emails"][0]["value"] == "nina.alt@acme.example", told


def test_everybody_is_listed_though_the_server_pages_by_no_count(box: Box) -> None:
    listed = {one.account.login for one in connect(box, "canaille").all_accounts()}
    assert {seat.login for human in HUMANS.values() for seat in human.seats} <= listed
