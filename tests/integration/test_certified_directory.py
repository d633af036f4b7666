# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is certified of a real OpenLDAP is so: a lock that holds nobody off, an account that hides, a part at another server."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff

from sandbox.box import Box
from sandbox.servers.slapd import Slapd
from tests.as_found.directory import BASE, FoundDirectory, dn_of
from tests.as_found.people import DOMAIN, Human, Seat, hr
from tests.support import run

pytestmark = [pytest.mark.debian, pytest.mark.skipif(bool(Slapd.missing()), reason=Slapd.missing() or "slapd")]

ANN, EVE, PIA = Seat("ann", (f"ann@{DOMAIN}",), "1", "Ann", "Abel"), Seat("e7", (), "", "", "e7"), Seat("pia.paul")
LOU = Seat("lou", (f"lou@{DOMAIN}",), "4", "Lou", "Loose")
JR77 = Seat("jr77", (), "", "", "jr77")


class Certified(FoundDirectory):
    """``e7`` has an address in German only, ``pia.paul`` is a name with a password, ``jr77`` says nothing of who has it; 2,000 colleagues before it."""

    name = "certified"
    HUMANS = {seat.login: Human({}, (seat,)) for seat in (ANN, LOU)}
    COLLEAGUES = 2000

    def entries(self) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
        yield from super().entries()
        loose = f"cn=loose,ou=policies,{BASE}"
        yield loose, {"objectClass": ["device", "pwdPolicy"], "cn": ["loose"], "pwdAttribute": ["userPassword"]}
        yield dn_of(EVE), {**self._entry(EVE), "mail;lang-de": [f"eve.ernst@{DOMAIN}"]}
        account = {"objectClass": ["account", "simpleSecurityObject"], "uid": [PIA.login]}
        yield dn_of(PIA), {**account, "userPassword": [self.password_of(PIA.login)]}
        for number in range(self.COLLEAGUES):
            seat = Seat(f"c{number}", (f"c{number}@{DOMAIN}",), f"C{number}", "Colleague", f"N{number}")
            yield dn_of(seat), {k: v for k, v in self._entry(seat).items() if k != "userPassword"}
        yield dn_of(JR77), self._entry(JR77)

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        entry = super().systems()["found"]
        return {
            "certified": {**entry, "options": {**entry["options"], "password_policy": f"cn=default,ou=policies,{BASE}"}}
        }


class Referring(FoundDirectory):
    """A daughter's people are at another server."""

    name = "referring"
    HUMANS = Certified.HUMANS

    def entries(self) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
        yield from super().entries()
        ref = {"ref": ["ldap://daughter.example/ou=Tochter,dc=daughter,dc=example"]}
        yield f"ou=Tochter,{BASE}", {"objectClass": ["referral", "extensibleObject"], "ou": ["Tochter"], **ref}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"referring": super().systems()["found"]}


PEOPLE = [
    hr("ann", "1", "Ann", "Abel"),
    hr("eve.ernst", "2", "Eve", "Ernst"),
    hr("pia.paul", "3", "Pia", "Paul"),
    hr("lou", "4", "Lou", "Loose"),
    *(hr(f"c{n}", f"C{n}", "Colleague", f"N{n}") for n in range(Certified.COLLEAGUES)),
]
ANN_IN_HR, EVE_IN_HR, PIA_IN_HR, LOU_IN_HR = PEOPLE[:4]
JANE_IN_HR = hr("jane.roth", "9", "Jane", "Roth")


@pytest.fixture(scope="module")
def started() -> Iterator[Box]:
    with Box([Certified, Referring]) as box:
        yield box


@pytest.fixture
def box(started: Box) -> Box:
    for name in ("certified", "referring"):
        if started[name].writes():
            started[name].reset()
    return started


def cut(box: Box, person: Mapping[str, Any], system: str = "certified", **more: Any) -> dict[str, Any]:
    everybody = pack([Person.of(one) for one in (*PEOPLE, JANE_IN_HR)], {system: "{local_part}"})
    known = {"others": {"inline": [base64.b64encode(everybody).decode()]}, "links": [], **more.pop("known", {})}
    return run(cutoff.TASK, box, system, person=person, known=known, **more)


def options(box: Box, **more: str) -> dict[str, Any]:
    return {"options": {**box.systems()["certified"]["options"], **more}}


def test_a_lock_that_the_password_policy_does_not_know_is_no_suspension(box: Box) -> None:
    """slapd lets a locked entry bind where the policy has no ``pwdLockout: TRUE``; FALSE is what it is when nobody wrote it."""
    loose = options(box, password_policy=f"cn=loose,ou=policies,{BASE}")
    result = run(account.TASK, box, "certified", person=ANN_IN_HR, state="suspended", changes=loose)
    assert box["certified"].signs_in(ANN) and result["outcome"] == "failed", result
    assert "pwdLockout is not TRUE" in result["msg"]
    several = run(
        account.TASK, box, "certified", person=ANN_IN_HR, state="suspended", changes=options(box, password_policy="")
    )
    assert several["outcome"] == "failed", "of several policies nothing says which one counts"
    assert run(account.TASK, box, "certified", person=ANN_IN_HR, state="suspended")["outcome"] == "done"
    assert not box["certified"].signs_in(ANN)
    again = run(cutoff.TASK, box, "certified", person=ANN_IN_HR, changes=loose)
    assert again["outcome"] == "failed", "a lock from before counts no more than ours"


def test_whoever_is_let_in_again_is_let_in_though_the_first_contracts_end_is_over(box: Box) -> None:
    """``pwdEndTime`` shuts an entry without any lock."""
    box["certified"].write(ANN, {"pwdEndTime": [("MODIFY_REPLACE", ["20200101000000Z"])]})
    assert not box["certified"].signs_in(ANN)
    result = run(account.TASK, box, "certified", person=ANN_IN_HR, state="active")
    assert result["outcome"] == "done" and box["certified"].signs_in(ANN), result
    box["certified"].write(ANN, {"pwdEndTime": [("MODIFY_REPLACE", ["20200101000000Z"])]})
    assert cut(box, ANN_IN_HR)["outcome"] == "done", "an end can be moved: a leaver is locked all the same"
    assert box["certified"].entry(ANN)["pwdAccountLockedTime"]


def test_an_address_with_a_language_is_an_address(box: Box) -> None:
    result = cut(box, EVE_IN_HR)
    assert result["outcome"] == "done" and not box["certified"].signs_in(EVE), result


def test_an_entry_that_is_a_name_with_a_password_is_not_overlooked(box: Box) -> None:
    result = cut(box, PIA_IN_HR)
    assert result["outcome"] == "needs_human" and box["certified"].signs_in(PIA), result
    assert "pia.paul" in result["changes"][0]["what"]


def test_an_account_of_nobody_is_asked_about_in_a_large_company_too(box: Box) -> None:
    """It is the last of more than 2,000; its name is a login, which tells nothing of who has it."""
    result = cut(box, {**JANE_IN_HR})
    assert result["outcome"] == "needs_human" and "jr77" in result["changes"][0]["note"], result


def test_an_account_that_was_seen_and_hides_is_not_called_gone(box: Box) -> None:
    """Somebody made the base smaller: her entry, by its immutable id, does not answer any more, and signs in."""
    [seen] = cut(box, LOU_IN_HR, check_mode=True)["accounts"]
    link = {"id": seen["id"], "login": seen["login"], "by": seen["by"], "at": "2026-01-01T00:00:00+00:00"}
    smaller = options(box, base=f"ou=Admins,ou=Belegschaft,{BASE}")
    hidden = cut(box, LOU_IN_HR, known={"links": [link]}, changes=smaller)
    assert box["certified"].signs_in(LOU) and hidden["outcome"] == "needs_human", hidden
    closed = cut(box, LOU_IN_HR, known={"links": [{**link, "ended": "2026-02-01T00:00:00+00:00"}]}, changes=smaller)
    assert closed["outcome"] == "absent", "a leaver's case saw it closed"
    ours = {"done": {"sign-in": "2026-02-01T00:00:00+00:00"}}
    assert cut(box, LOU_IN_HR, known={"links": [link]}, changes=smaller, history=ours)["outcome"] == "absent"


def test_nobody_is_absent_while_a_part_of_the_directory_is_at_another_server(box: Box) -> None:
    result = cut(box, JANE_IN_HR, "referring")
    assert result["outcome"] == "needs_human" and "ldap://daughter.example" in result["changes"][0]["note"], result
    entry = box.systems()["referring"]["options"]
    named = {"options": {**entry, "referred": ["ldap://daughter.example"]}}
    assert cut(box, JANE_IN_HR, "referring", changes=named)["outcome"] == "absent"
    assert cut(box, ANN_IN_HR, "referring")["outcome"] == "done", "who is here is cut all the same"
