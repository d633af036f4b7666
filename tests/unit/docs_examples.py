# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who reads the YAML examples of the documentation: each is taken by the reader that a user's own file meets, or it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profile_schema import SCHEMA
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import load_profiles
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.reading import read_manifest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import read_document
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.systems_file import (
    SYSTEM,
    TOP,
    check_systems,
)
from lifecycle_bridge.config import Config
from lifecycle_bridge.config import load as load_bridge

from tests.unit.tagged_yaml import Loader

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "protected",
    "brake",
    "identity",
    "timers",
    "approvals",
    "privileged",
    "separation",
    "transfer",
    "followups",
    "reconcile",
    "rename",
    "access",
    "proof",
    "responsibility",
    "departures",
    "connectors",
)
#: An example of one system may name another that the rest of the file has.
BESIDE = {"github": {"connector": "github", "options": {"org": "x"}}}


def first_example(page: str) -> str:
    """The page's first YAML block: a whole file, which the others of the page are parts of."""
    found = re.search(r"^```yaml\n(.*?)^```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.M | re.S)
    assert found is not None
    return found[1]


def take(text: str, folder: Path) -> str:
    """Hand an example to its reader.

    :returns: whose it is. Whatever a reader says against it is raised.
    :raises AssertionError: nobody reads such a thing.
    """
    (data,) = [*yaml.load_all(text, Loader=Loader)] or [None]
    assert isinstance(data, dict) and data, "an example is a mapping"
    for name, fits, reads in _READERS:
        if fits(data):
            reads(text, data, folder)
            return name
    raise AssertionError(f"nobody reads a file with {', '.join(map(str, data))}")


# -- the collection's files ----------------------------------------------------------------------------------------------


def systems_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The systems of an example that shows only them: below ``systems``, or each with its connector."""
    inner = data.get("systems") if isinstance(data.get("systems"), dict) else data
    assert inner is not None
    named = {name: one for name, one in inner.items() if isinstance(one, dict) and "connector" in one}
    return named if named and len(named) == len(inner) and not set(inner) & set(SYSTEM) else {}


def _systems(text: str, data: dict[str, Any], folder: Path) -> None:
    file = folder / "company.systems.yml"
    (folder / "connectors").mkdir()
    (folder / "connectors" / "assets.yml").write_text(first_example("declared-connectors.md"))
    (folder / "policy.yml").write_text("brake: {}\n")
    if "credentials" in data and "connector" not in data:
        data = {"systems": {f"s{n}": _scim(one) for n, one in enumerate(data["credentials"].values()) if _refers(one)}}
    whole = "plugin" in data and "systems" in data
    rest = {key: value for key, value in data.items() if key in TOP and key != "systems"}
    made = {"plugin": "workforce.lifecycle.systems", **rest, "systems": {**BESIDE, **systems_of(data)}}
    file.write_text(text if whole else yaml.safe_dump(made, sort_keys=False))
    check_systems(read_document(str(file)))


def _refers(one: object) -> bool:
    """Whether it is a reference as YAML shows it; what ansible-vault encrypted can't be read without its password."""
    return isinstance(one, dict) or isinstance(one, str) and "{{" in one


def _scim(token: object) -> dict[str, Any]:
    return {"connector": "scim", "url": "https://x.example/scim/v2", "credentials": {"token": token}}


def _policy(text: str, data: dict[str, Any], folder: Path) -> None:
    (folder / "policy.yml").write_text(text)
    load_policy(str(folder / "policy.yml"))


def _profile(text: str, data: dict[str, Any], folder: Path) -> None:
    (folder / "example.yml").write_text(text)
    for name in data.get("extends", ()):
        (folder / f"{name}.yml").write_text("description: what the others extend\n")
    load_profiles(str(folder), {**{name: name for name in CONNECTORS}, "wiki": "scim", "crm": "scim"})


def _declared(text: str, data: dict[str, Any], folder: Path) -> None:
    if "declares" not in data:
        whole = yaml.safe_load(first_example("declared-connectors.md"))
        text = yaml.safe_dump({**whole, **data}, sort_keys=False)
    (folder / "ours.yml").write_text(text)
    read_manifest(read_document(str(folder / "ours.yml")))


def _role_variables(text: str, data: dict[str, Any], folder: Path) -> None:
    known = {
        option
        for file in ROOT.glob("roles/*/meta/argument_specs.yml")
        for spec in yaml.safe_load(file.read_text())["argument_specs"].values()
        for option in spec.get("options", {})
    }
    assert set(data) <= known, f"no role takes {set(data) - known}"


# -- the bridge's, and others' -------------------------------------------------------------------------------------------


def _bridge(text: str, data: dict[str, Any], folder: Path) -> None:
    base = yaml.safe_load(first_example("bridge.md"))
    (folder / "bridge.yml").write_text(yaml.safe_dump({**base, **data}, sort_keys=False))
    load_bridge(folder / "bridge.yml")


def _rulebook(text: str, data: dict[str, Any], folder: Path) -> None:
    books = "".join(file.read_text() for file in (ROOT / "extensions").rglob("*.yml"))
    assert all(f"{{{{ {name}" in books for name in data), "no rulebook takes it"


def _alerts(text: str, data: dict[str, Any], folder: Path) -> None:
    source = "".join(file.read_text() for file in (ROOT / "bridge" / "src").rglob("*.py"))
    for rule in (rule for group in data["groups"] for rule in group["rules"]):
        assert {"alert", "expr"} <= set(rule)
        for metric in re.findall(r"jml_\w+", rule["expr"]):
            assert metric.removesuffix("_bucket") in source or metric.removeprefix("jml_") in source, metric


def _changelog(text: str, data: dict[str, Any], folder: Path) -> None:
    known = dict(yaml.safe_load((ROOT / "changelogs" / "config.yaml").read_text())["sections"])
    assert set(data) <= set(known)


_BRIDGE = {field.alias or name for name, field in Config.model_fields.items()}
_PARTS = {"people", "accounts", "cutoff", "entitlements", "keys", "owned", "controls", "pages"}
_READERS = (
    ("systems file", lambda data: "plugin" in data or bool(systems_of(data)) or set(data) == {"credentials"}, _systems),
    ("policy", lambda data: set(data) <= set(POLICY), _policy),
    ("connector", lambda data: "declares" in data or set(data) <= _PARTS, _declared),
    ("access profile", lambda data: set(data) <= set(SCHEMA["properties"]), _profile),
    ("role variables", lambda data: all(name.startswith("lifecycle_") for name in data), _role_variables),
    ("bridge", lambda data: set(data) <= _BRIDGE, _bridge),
    ("rulebook", lambda data: all(name.startswith("hr_") for name in data), _rulebook),
    ("alerting rules", lambda data: set(data) == {"groups"}, _alerts),
    ("changelog", lambda data: set(data) <= {"bugfixes", "minor_changes", "breaking_changes"}, _changelog),
)
