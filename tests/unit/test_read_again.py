# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a step asks again: after a write the accounts it found, by their ids; of the ledger, only what is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.correlate import correlated
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.keys import Key, Kind, PersonKeys
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector, Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import links
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

ANN: Mapping[str, Any] = {"email": "ann@corp.example", "employee_id": "E1"}


class Wiki(Connector):
    """Knows one account, by any key, and what it was asked for."""

    LOOKS_UP = COMPARES = frozenset({Kind.ID, Kind.ADDRESS, Kind.NUMBER})

    def __init__(self) -> None:
        super().__init__(Target("wiki", "wiki"))
        self.asked: list[PersonKeys] = []
        self.ident = "u1"

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        self.asked.append(keys)
        account = Account(self.ident, "ann", True, ANN["email"], {}, keys=(Key(Kind.ADDRESS, ANN["email"]),))
        if account.id in keys.ids or keys.has(Kind.ADDRESS, ANN["email"]):
            yield account


def test_what_was_written_is_read_again_by_the_id_alone() -> None:
    wiki = Wiki()
    _person, found = correlated(wiki, {"person": ANN, "again": ["u1"]})
    assert [one.account.id for one in found.theirs] == ["u1"]
    assert [keys.ids for keys in wiki.asked] == [("u1",)] and not wiki.asked[0].addresses


@pytest.mark.parametrize("why", ["it has another id now", "the system looks nobody up by id"])
def test_an_account_that_its_id_does_not_find_is_asked_for_by_every_key(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki = Wiki()
    if "looks" in why:
        monkeypatch.setattr(Wiki, "LOOKS_UP", frozenset({Kind.ADDRESS}))
    else:
        wiki.ident = "u2"
    _person, found = correlated(wiki, {"person": ANN, "again": ["u1"]})
    assert found.theirs and wiki.asked[-1].addresses == (ANN["email"],)


def test_cases_are_read_on_from_the_last_look_and_anew_after_an_erasure(tmp_path: Path) -> None:
    ledger, other = Ledger(str(tmp_path / "ledger.db")), Ledger(str(tmp_path / "ledger.db"))
    assert ledger.cases() == []
    first = other.open_case("offboard", ANN, "r1", {})
    assert [case.id for case in ledger.cases()] == [first.id]
    other.close_case(first.id, run="r1", complete=True, summary={})
    second = other.open_case("onboard", {"email": "bob@corp.example"}, "r1", {})
    assert [(case.id, bool(case.closed)) for case in ledger.cases()] == [(first.id, True), (second.id, False)]
    ledger.all_cases.forget()
    assert [case.id for case in ledger.cases()] == [first.id, second.id]


def test_a_case_that_is_taken_back_is_not_remembered(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "ledger.db"))
    ledger.open_case("offboard", ANN, "r1", {})
    with pytest.raises(ZeroDivisionError), ledger.storage.writing(durable=False) as query:
        ledger._open(query, "offboard", Person("bob@corp.example"), "r1", {})
        assert len(ledger.cases()) == 2
        raise ZeroDivisionError
    assert [case.email for case in ledger.cases()] == [ANN["email"]]


def test_links_that_other_processes_made_meanwhile_count(tmp_path: Path) -> None:
    ledger, other = Ledger(str(tmp_path / "ledger.db")), Ledger(str(tmp_path / "ledger.db"))
    everybody = links.Everybody(ledger, "wiki")
    account = {"id": "u1", "login": "ann", "by": ["address"], "whose": "theirs", "doubt": ""}
    assert everybody.now() == ({}, "[]")
    links.keep(other, Person.of(ANN), "wiki", [account], "r1")
    links.keep(other, Person.of(ANN), "chat", [{**account, "id": "c1"}], "r1")
    assert everybody.now() == ({"address": 1}, '["u1"]')
    links.keep(other, Person("bob@corp.example"), "wiki", [{**account, "id": "u2"}], "r1")
    assert everybody.now() == ({"address": 2}, '["u1", "u2"]')
