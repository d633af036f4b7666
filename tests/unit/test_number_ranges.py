# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR's ids and the employee numbers are two ranges that overlap: Ann has the HR id 107, and Bob the number 107."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.population import MISSING, Period, population
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import CaseFile
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import links
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from sandbox.box import Box
from sandbox.servers.scim import ScimServer
from tests.support import run

ANN = {"email": "ann@corp.example", "hr_id": "107", "employee_id": "205", "first_name": "Ann", "last_name": "Abel"}
BOB = {"email": "bob@corp.example", "hr_id": "301", "employee_id": "107", "first_name": "Bob", "last_name": "Berg"}
SEEN = {"id": "1", "login": "ann", "by": ["address"], "whose": "theirs"}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


def test_a_number_that_is_anothers_hr_id_brings_no_account_of_theirs(ledger: Ledger) -> None:
    ann, bob = Person.of(ANN), Person.of(BOB)
    assert links.keep(ledger, ann, "directory", [SEEN], "r") == 1
    assert [link.login for link in links.links(ledger, ann)] == ["ann"] and links.links(ledger, bob) == []
    assert links.known(links.Everybody(ledger, "directory"), BOB)["links"] == []
    assert not set(links.names_of(bob)) & set(links.by_name(ledger))


def test_an_account_linked_before_hr_gave_ids_is_still_theirs_afterwards(ledger: Ledger) -> None:
    links.keep(ledger, Person.of({**ANN, "hr_id": ""}), "directory", [SEEN], "r")
    links.keep(ledger, Person.of({"email": BOB["email"]}), "directory", [{**SEEN, "id": "2", "login": "bob"}], "r")
    assert [link.login for link in links.links(ledger, Person.of(ANN))] == ["ann"]
    assert [link.login for link in links.links(ledger, Person.of(BOB))] == ["bob"]


def test_the_cases_of_one_are_not_the_others(ledger: Ledger) -> None:
    ledger.open_case("offboard", ANN, "r", {"key": "2026-03-31"})
    assert [case.email for case in ledger.cases_of(Person.of(ANN))] == [ANN["email"]]
    assert ledger.cases_of(Person.of(BOB)) == []


def test_an_auditor_is_told_of_a_leaver_whose_number_only_is_in_anothers_case() -> None:
    left = {**BOB, "status": "terminated", "termination_date": "2026-03-31"}
    case = CaseFile("offboard-ann", "offboard", "107", ANN, {}, "2026-03-31T10:00:00+00:00", 1)
    members = population(
        [Person.of(left), Person.of(ANN)], {case.id: case}, Period(date(2026, 1, 1), date(2026, 12, 31)), Policy()
    )
    assert {one.key: one.standing for one in members}["301"] == MISSING


class Wiki(ScimServer):
    """Has one account, which says of its owner only the number, as ``externalId``."""

    name = "wiki"

    def _fill(self) -> None:
        names = {"givenName": "Bob", "familyName": "Berg"}
        user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bob", "active": True}
        with self.client() as http:
            made = http.post("/v2/Users", json={**user, "externalId": BOB["employee_id"], "name": names})
            assert made.status_code == 201, made.text

    def systems(self) -> dict[str, Any]:
        entry = {"connector": "scim", "url": f"{self.url}/v2", "credentials": {"token": self._token}}
        return {"wiki": {**entry, "options": {"login": "{local_part}"}}}


def test_a_leaver_without_a_number_does_not_take_the_account_whose_number_is_her_hr_id() -> None:
    leaver = {**ANN, "employee_id": ""}
    everybody = pack([Person.of(one) for one in (leaver, BOB)], {"wiki": "{local_part}"})
    known = {"others": {"inline": [base64.b64encode(everybody).decode()]}, "links": []}
    with Box([Wiki]) as box:
        result = run(cutoff.TASK, box, "wiki", person=leaver, known=known)
        bob = box["wiki"].user("bob")
    assert bob is not None and bob["active"] and result["outcome"] != "done", result
