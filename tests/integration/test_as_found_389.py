# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Leavers in a real 389 Directory Server, as Debian installs it: no ppolicy, no entryUUID, locks of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements

from sandbox.box import Box
from tests.as_found.directory import dn_of
from tests.as_found.dirsrv import FoundDirsrv
from tests.as_found.people import CLOSES
from tests.integration.test_as_found_directory import KNOWN
from tests.support import connect, run

_MISSING = FoundDirsrv.missing()
HUMANS = FoundDirsrv.HUMANS
pytestmark = [pytest.mark.debian, pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "389-ds")]


@pytest.fixture(scope="module")
def started() -> Iterator[Box]:
    with Box([FoundDirsrv]) as box:
        yield box


@pytest.fixture
def box(started: Box) -> Box:
    started["found"].reset()
    return started


def open_seats(box: Box) -> set[str]:
    return {s.login for human in HUMANS.values() for s in human.seats if box["found"].signs_in(s)}


def test_leavers_are_cut_by_whatever_key_is_left_and_nobody_elses_entry_changes(box: Box) -> None:
    leavers = [name for name in CLOSES if name in HUMANS]
    before, state = open_seats(box), box["found"].state()
    for who in leavers:
        result = run(cutoff.TASK, box, "found", person=HUMANS[who].hr, known=KNOWN)
        assert result["outcome"] == "done", (who, result)
        assert run(cutoff.TASK, box, "found", person=HUMANS[who].hr, known=KNOWN)["outcome"] == "already"
    own = {seat.login: dn_of(seat) for who in leavers for seat in HUMANS[who].seats}
    assert before - open_seats(box) == set(own) and len(own) >= 7
    after = box["found"].state()
    assert {dn for dn in state if state[dn] != after[dn]} == set(own.values())


def test_a_namesake_and_the_chief_are_left_alone(box: Box) -> None:
    state = box["found"].state()
    for who in ("absent", "names_the_chief"):
        assert run(cutoff.TASK, box, "found", person=HUMANS[who].hr, known=KNOWN)["outcome"] == "needs_human"
    assert box["found"].state() == state


def test_a_link_by_the_servers_own_id_outlives_number_and_name(box: Box) -> None:
    married = HUMANS["married"]
    seen = run(cutoff.TASK, box, "found", person=married.hr, known=KNOWN, check_mode=True)
    link = {"id": seen["accounts"][0]["id"], "login": "mvogel"}
    changed = {**married.hr, "employee_id": "9999", "email": "new@acme.example"}
    known = {"links": [link], "linked": json.dumps([link["id"]])}
    assert run(cutoff.TASK, box, "found", person=changed, known=known)["outcome"] == "done"
    assert not box["found"].signs_in(married.seats[0])


def test_a_second_account_loses_its_groups_and_a_joiner_can_come_back(box: Box) -> None:
    person = HUMANS["admin"].hr
    result = run(entitlements.TASK, box, "found", person=person, known=KNOWN, mode="remove")
    assert {row["what"] for row in result["changes"]} == {"groups: sales", "adm-kai: groups: domain-admins"}
    state = box["found"].state()
    assert not [
        dn
        for dn, entry in state.items()
        if {dn_of(seat) for seat in HUMANS["admin"].seats} & set(entry.get("member", ()))
    ]
    held = {"state": "suspended", "person": HUMANS["married"].hr, "known": KNOWN}
    assert run(account.TASK, box, "found", **held)["outcome"] == "done"
    assert not box["found"].signs_in(HUMANS["married"].seats[0])
    assert run(account.TASK, box, "found", **{**held, "state": "active"})["outcome"] == "done"
    assert box["found"].signs_in(HUMANS["married"].seats[0])


def test_everybody_is_listed_with_the_groups_they_are_in(box: Box) -> None:
    listed = {one.account.login: one for one in connect(box, "found").all_accounts()}
    assert set(listed) == {seat.login for human in HUMANS.values() for seat in human.seats}
    assert ("groups", "domain-admins") in listed["adm-kai"].held and len(
        {o.account.id for o in listed.values()}
    ) == len(listed)
