# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The published schemas: each key has a meaning, and a schema takes and refuses what the reader of the file does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import read_document
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.systems_file import check_systems

from tests.unit.tagged_yaml import Loader

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "meta" / "schemas"
#: A format that is explained on its own page: there only the first keys are.
BY_HAND = {"connector.json"}


@cache
def checker(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def keys(schema: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(schema, Mapping):
        return
    for name, value in schema.get("properties", {}).items():
        if isinstance(value, Mapping) and path.count("/if/") == 0:
            yield f"{path}/{name}", value
    for name, inner in schema.items():
        if name == "properties":
            for key, value in inner.items():
                yield from keys(value, f"{path}/{key}")
        elif name in ("items", "additionalProperties", "$defs", "components", "schemas"):
            yield from keys(inner, f"{path}/{name}")
            if name in ("$defs", "schemas"):
                for key, value in inner.items():
                    yield from keys(value, f"{path}/{key}")


@pytest.mark.parametrize("name", sorted(path.name for path in SCHEMAS.glob("*.json")))
def test_each_key_of_a_published_schema_has_a_meaning(name: str) -> None:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    named = [(key, value) for key, value in keys(schema) if name not in BY_HAND or key.count("/") == 1]
    silent = [
        key
        for key, value in named
        if not value.get("description")
        and not value.get("items", {}).get("description")
        and not re.fullmatch(r"/\$defs/\w+/(options|credentials)|/\$defs/\$defs/.*|/\w+/(options|credentials)", key)
    ]
    assert silent == [] and len(named) > 10 - 2 * (name in BY_HAND)


def test_every_published_schema_has_a_page_and_every_page_a_schema() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "formats").glob("*.md")}
    assert pages == {path.name.split(".")[0] for path in SCHEMAS.glob("*.json")}


# -- the policy file -----------------------------------------------------------------------------------------------------

POLICY = yaml.safe_load((ROOT / "inventory" / "policy.yml").read_text(encoding="utf-8"))
WRONG_POLICIES = [
    {"brak": {}},
    {"brake": {"leavers": {"percent": 5}}},
    {"brake": {"leavers": {"count": "many"}}},
    {"brake": {"leavers": {"count": -1}}},
    {"protected": {"people": "jane@corp.example"}},
    {"protected": {"members": [{"system": "entra"}]}},
    {"approvals": [{"needs": "wipes", "by": ["grace@corp.example"]}]},
    {"transfer": {"unexplained": "ask"}},
    {"rename": {"address": 1}},
    {"departures": [{"name": "fired", "cut": "soon"}]},
    {"proof": {"witnesses": [{"name": "x", "kind": "tape", "path": "x"}]}},
    {"followups": {"chase_devices": [7.5]}},
]


def policy_is_read(said: Any, folder: Path) -> bool:
    file = folder / "policy.yml"
    file.write_text(yaml.safe_dump(said))
    try:
        load_policy(str(file))
    except InputError:
        return False
    return True


def test_the_schema_takes_the_example_policy_and_every_policy_of_the_docs(tmp_path: Path) -> None:
    schema = checker("policy.schema.json")
    known = set(schema.schema["properties"])
    shown = [said for said in shown_in_docs() if isinstance(said, dict) and set(said) <= known]
    assert len(shown) > 5
    for said in (POLICY, *shown):
        assert policy_is_read(said, tmp_path) and [*schema.iter_errors(said)] == [], said


@pytest.mark.parametrize("said", WRONG_POLICIES, ids=json.dumps)
def test_the_schema_refuses_a_policy_that_a_run_refuses(said: Any, tmp_path: Path) -> None:
    assert not policy_is_read(said, tmp_path)
    assert not checker("policy.schema.json").is_valid(said)


def shown_in_docs() -> Iterator[Any]:
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for text in re.findall(r"^```ya?ml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            yield yaml.load(text, Loader=Loader)


# -- the systems file ----------------------------------------------------------------------------------------------------

WIKI = {"connector": "scim", "url": "https://wiki.example/scim/v2", "credentials": {"token": {"env": "WIKI"}}}
WRONG_SYSTEMS = [
    {"wiki": {**WIKI, "optoins": {}}},
    {"wiki": {**WIKI, "options": {"page_sise": 5}}},
    {"wiki": {**WIKI, "options": {"page_size": "five"}}},
    {"wiki": {**WIKI, "credentials": {"token": "abc"}}},
    {"wiki": {**WIKI, "credentials": {"token": {"env": "A", "file": "b"}}}},
    {"wiki": {**WIKI, "credentials": {"tokn": {"env": "A"}}}},
    {"llm": {"connector": "anthropic", "credentials": {}}},
    {"llm": {"connector": "anthropic"}},
    {"wiki": {**WIKI, "timeout": "30"}},
    {"wiki": {**WIKI, "service_level": {"cut": "15m"}}},
    {"wiki": {key: value for key, value in WIKI.items() if key != "url"}},
    {"wiki": {key: value for key, value in WIKI.items() if key != "connector"}},
    {"Wiki": WIKI},
    {},
]


def systems_are_read(said: Any, folder: Path) -> bool:
    file = folder / "company.systems.yml"
    file.write_text(yaml.safe_dump(said))
    try:
        check_systems(read_document(str(file)))
    except InputError:
        return False
    return True


def of(systems: Any) -> dict[str, Any]:
    return {"plugin": "workforce.lifecycle.systems", "systems": systems}


@pytest.mark.parametrize("name", ["company.systems.yml", "seats.systems.yml"])
def test_the_schema_takes_the_example_companies(name: str) -> None:
    said = yaml.load((ROOT / "inventory" / name).read_text(encoding="utf-8"), Loader=Loader)
    assert [*checker("systems-file.schema.json").iter_errors(said)] == []


def test_the_schema_takes_a_template_wherever_a_run_does(tmp_path: Path) -> None:
    said = of({"wiki": {**WIKI, "timeout": "{{ t }}", "options": {"page_size": "{{ size }}"}}})
    assert systems_are_read(said, tmp_path) and checker("systems-file.schema.json").is_valid(said)


def test_a_service_level_is_taken_as_the_page_of_the_systems_file_writes_it(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "systems-file.md").read_text(encoding="utf-8")
    [row] = re.findall(r"^\| `service_level` \|.*$", page, re.M)
    shown = re.findall(r"`(\d+[a-z])`", row)
    assert "15m" in shown
    for limit in (*shown, 900):
        said = of({"wiki": {**WIKI, "service_level": {"cutoff": limit}}})
        assert systems_are_read(said, tmp_path) and checker("systems-file.schema.json").is_valid(said), limit


@pytest.mark.parametrize("systems", WRONG_SYSTEMS, ids=json.dumps)
def test_the_schema_refuses_a_systems_file_that_a_run_refuses(systems: Any, tmp_path: Path) -> None:
    assert not systems_are_read(of(systems), tmp_path)
    assert not checker("systems-file.schema.json").is_valid(of(systems))
