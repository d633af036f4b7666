# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A joiner whose account is made with a password that nobody knows: a real OpenLDAP, scim2-server and moto are asked whether it opens, and
the step stays open until somebody has handed a credential over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ldap3
import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import account

from sandbox.box import Box
from sandbox.servers.directory import BASE
from sandbox.servers.moto import Moto
from sandbox.servers.scim import Wiki
from sandbox.servers.slapd import Slapd
from tests.support import person_of, run

SLAPD = pytest.param(Slapd, marks=[pytest.mark.debian, pytest.mark.skipif(bool(Slapd.missing()), reason="slapd")])


@pytest.fixture(scope="module", params=[Wiki, Moto, SLAPD])
def box(request: Any) -> Iterator[Box]:
    with Box([request.param]) as running:
        yield running


def joins(box: Box, credential: str, state: str = "present", **history: Any) -> dict[str, Any]:
    [(name, entry)] = box.systems().items()
    changes = {"options": {**entry.get("options", {}), "first_credential": credential}}
    return run(account.TASK, box, name, changes=changes, person=person_of(box, "ada"), state=state, history=history)


def test_a_new_account_is_open_until_its_first_credential_was_handed_over(box: Box) -> None:
    [name] = box.systems()
    box[name].reset()
    made = joins(box, "by_hand")
    rows = {row["what"]: row for row in made["changes"]}
    first = rows["first credential"]
    assert rows["account"]["outcome"] == "done" and made["outcome"] == first["outcome"] == "needs_human", made
    assert "hand it over in person" in first["note"] and "password" in first["note"]
    again = joins(box, "by_hand", waiting={"first credential": first["note"]})
    assert again["outcome"] == "needs_human" and not again["changed"], "the next run forgets nothing"
    attested = {"first credential": {"by": "grace@corp.example", "at": "2026-11-02T09:00:00Z"}}
    assert joins(box, "by_hand", attested=attested)["outcome"] == "already"


def test_where_another_systems_credential_opens_it_nothing_is_open(box: Box) -> None:
    [name] = box.systems()
    box[name].reset()
    made = joins(box, "elsewhere")
    assert made["outcome"] == "done" and "first credential" not in {row["what"] for row in made["changes"]}, made


def test_an_account_that_is_prepared_before_the_first_day_has_no_credential_either(box: Box) -> None:
    [name] = box.systems()
    box[name].reset()
    assert {row["what"]: row["outcome"] for row in joins(box, "by_hand", "prepared")["changes"]}[
        "first credential"
    ] == "needs_human"


@pytest.mark.debian
@pytest.mark.skipif(bool(Slapd.missing()), reason="slapd")
def test_a_new_directory_account_keeps_no_password_and_opens_with_the_one_that_a_person_sets() -> None:
    with Box([Slapd]) as box:
        joins(box, "by_hand")
        slapd, ada = box["slapd"], f"uid=ada,ou=people,{BASE}"
        server = ldap3.Server(slapd.url, tls=ldap3.Tls(ca_certs_file=box.ca_file, validate=2))
        administrator = ldap3.Connection(server, slapd.ADMIN, slapd.secret("password"), auto_bind=True)
        administrator.search(ada, "(objectClass=*)", attributes=["userPassword", "uid"])
        assert administrator.entries[0].uid and not administrator.entries[0].userPassword
        assert not ldap3.Connection(server, ada, "guessed").bind()
        administrator.modify(ada, {"userPassword": [(ldap3.MODIFY_REPLACE, ["of-the-first-day"])]})
        assert ldap3.Connection(server, ada, "of-the-first-day").bind()
