# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Vendors without a public description: every request of a connector's scenarios is in a table from the vendor's pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.contract import Contract
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import WORK_ADDRESS

from sandbox.box import Box
from sandbox.days import stamp
from sandbox.emulator import Emulator
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.personio import Personio
from scripts import generate_docs
from tests import support, virtual_time
from tests.conformance import test_conformance as conformance
from tests.contract import test_contracts
from tests.declared.contract import of_table
from tests.support import connect

TABLES = sorted(path.stem for path in (Path(__file__).parent / "tables").glob("*.yml"))
Entry = Mapping[str, Any]


def table(name: str) -> Contract:
    said = yaml.safe_load((Path(__file__).parent / "tables" / f"{name}.yml").read_text(encoding="utf-8"))
    return of_table(said["operations"])


def wrong(contract: Contract, entry: Entry) -> Iterator[str]:
    """What of one request the table does not have."""
    fits = [key for key in contract if re.fullmatch(re.escape(key[1]).replace(r"\{\}", "[^/]+"), entry["path"])]
    mine = [key for key in fits if key[0] == entry["method"]]
    # A path that is written out goes before one with holes.
    key = min(mine, key=lambda one: one[1].count("{}"), default=None)
    if key is None:
        yield f"{entry['path']} has no {entry['method']}" if fits else f"no such path: {entry['path']}"
        return
    operation = contract[key]
    for name, value in parse_qsl(entry["query"], keep_blank_values=True):
        if name not in operation.query:
            yield f"{' '.join(key)} has no parameter {name}"
        elif (known := operation.query[name]) and value not in known:
            yield f"{name}={value} is none of {', '.join(known)}"
    body = _body(entry)
    if isinstance(body, dict) and operation.described:
        yield from (f"{' '.join(key)} has no field {name}" for name in body if name not in operation.body)


def _body(entry: Entry) -> Any:
    text = entry["body"] if isinstance(entry["body"], str) else ""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return dict(parse_qsl(text, keep_blank_values=True))


#: HR has no scenarios: each of these is asked for everything that a run asks it.
HR: Mapping[str, type[Emulator]] = {"bamboohr": BambooHr, "hibob": HiBob, "personio": Personio}


def asked_of_hr(name: str) -> list[Entry]:
    """What was sent while somebody was looked for by each name, everybody was read, and HR got an address."""
    with Box([HR[name]]) as box:
        hr = connect(box, name)
        for user in ("jane@corp.example", "E1007", "nobody@corp.example"):
            people = hr.find_people(user)
            if people:
                hr.in_hr(people[0])
                hr.tell_hr(people[0], WORK_ADDRESS, "jane.new@corp.example")
        hr.changes_since(stamp(-30))
        list(hr.all_people())
        return list(box[name].journal)


def said_by(name: str, folder: Path, patch: pytest.MonkeyPatch) -> list[Entry]:
    """What was sent while every scenario of a connector was done."""
    virtual_time.install(patch)
    if name in HR:
        return asked_of_hr(name)
    said: list[Entry] = []
    for scenario in conformance.SETS[name].SCENARIOS:
        support.TOKENS._held.clear()
        play = conformance.Play(name, scenario, folder)
        play.run()
        said += [entry for emulator in play.box.emulators.values() for entry in emulator.journal]
    conformance._BOXES.pop(name).stop()
    return said


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.rotating(of=4, by=name)) for name in TABLES])
def test_every_request_is_in_the_vendors_table_and_what_is_planted_is_not(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, said = table(name), said_by(name, tmp_path, monkeypatch)
    assert [line for entry in said for line in wrong(contract, entry)] == []
    assert any(entry["write"] for entry in said)
    for entry in said:
        assert [*wrong(contract, {**entry, "path": f"{entry['path']}/planted"})]
        assert [*wrong(contract, {**entry, "method": "TRACE"})]
        assert [*wrong(contract, {**entry, "query": "planted=1"})]
    values = {n: v for one in contract.values() for n, v in one.query.items() if v}
    for entry in said:
        for parameter, value in parse_qsl(entry["query"]):
            if value in values.get(parameter, ()):
                planted = entry["query"].replace(f"{parameter}={value}", f"{parameter}=planted")
                assert [*wrong(contract, {**entry, "query": planted})], parameter


def test_what_the_page_says_that_connectors_are_tried_against_is_so() -> None:
    """docs/connectors.md is made from these words, from the tables and from the tests of real products."""
    described = set(test_contracts.SETS) - set(generate_docs.REAL)
    assert {name for name in described if not generate_docs.has_table(name)} == set(generate_docs.CONTRACTS) - {"aws"}
    root = Path(generate_docs.ROOT)
    assert all((root / where).exists() for _what, where in generate_docs.REAL.values())
    kinds = [generate_docs._peer_of(name)[0] for name in CONNECTORS]
    page = (root / "docs" / "connectors.md").read_text(encoding="utf-8")
    for kind in set(kinds):
        [row] = [line for line in page.splitlines() if line.startswith(f"| {kind} |")]
        code, data = (int(cell) for cell in row.split("|")[2:4])
        assert code + data == kinds.count(kind), row
    assert "emulator without a contract" not in kinds, "a connector is held against nothing"
