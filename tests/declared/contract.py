# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The vendors' contracts, ``contracts/<connector>.yml``: a table, OpenAPI descriptions, or a GraphQL schema."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.contract import (
    Contract,
    Operation,
    blank,
    graphql_of,
    of_openapi,
    violations,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.manifest import Manifest
from graphql import GraphQLSchema, build_schema, parse, validate
from graphql.error import GraphQLError

HERE = Path(__file__).parent / "contracts"
SPECS = Path(__file__).parents[1] / "contract" / "specs"
OUTSIDE = Path(os.environ.get("LIFECYCLE_SPECS") or Path(__file__).resolve().parents[3] / "shared" / "specs")
#: What is wrong with a file, by one contract.
Check = Callable[[Manifest], list[str]]


def said_of(name: str) -> Mapping[str, Any]:
    said: Mapping[str, Any] = yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))
    return said


def of_table(said: Mapping[str, Any]) -> Contract:
    """Return the contract in ``operations:``, ``METHOD /path/{id}: {query: ..., body: ...}`` each."""
    return dict(_row(line, how or {}) for line, how in said.items())


def _row(line: str, how: Mapping[str, Any]) -> tuple[tuple[str, str], Operation]:
    method, path = line.split(" ", 1)
    query = how.get("query") or {}
    names = dict.fromkeys(query) if isinstance(query, list) else query
    values = {name: tuple(str(one).split("|")) if one is not None else None for name, one in names.items()}
    return (method, blank(path)), Operation(values, _object(how.get("body")), "body" in how, "body" in how)


def _object(said: Any) -> Any:
    if isinstance(said, list):
        return dict.fromkeys(said)
    return {name: _object(inner) for name, inner in said.items()} if isinstance(said, Mapping) else said


def rest(name: str) -> dict[str, Contract]:
    """A connector's contracts of paths, each by where it comes from."""
    said = said_of(name)
    made: dict[str, Contract] = {"table": of_table(said["operations"])} if "operations" in said else {}
    files = [
        next((folder / file for folder in (SPECS, OUTSIDE) if (folder / file).exists()), None)
        for file in said.get("openapi", ())
    ]
    if files and all(files):
        # Several files are parts of one description.
        described: dict[tuple[str, str], Operation] = {}
        for path in files:
            described.update(_described(path, said.get("prefix", "")) if path is not None else {})
        made["openapi"] = described
    return made


def checks(name: str) -> dict[str, Check]:
    """All that a connector's file is checked by. At least one checks each request: a table, a description or a schema."""
    made: dict[str, Check] = {source: partial(_of_paths, contract) for source, contract in rest(name).items()}
    if "schema" in said_of(name):
        made["schema"] = partial(_of_schema, said_of(name)["schema"])
    return made


@cache
def _described(path: Path, prefix: str) -> Contract:
    return of_openapi(json.loads(path.read_text(encoding="utf-8")), prefix)


def _of_paths(contract: Contract, manifest: Manifest) -> list[str]:
    return violations(manifest, contract)


@cache
def _built(sdl: str) -> GraphQLSchema:
    return build_schema(sdl)


def _of_schema(sdl: str, manifest: Manifest) -> list[str]:
    """What GraphQL's own validation says of each text, and variables that a text does not take, or wants and does not get."""
    schema = _built(sdl)
    found = []
    for request, pages in manifest.requests():
        text = graphql_of(request)
        if not text:
            continue
        try:
            document = parse(text)
        except GraphQLError as e:
            found.append(f"{request.place}: {e.message}")
            continue
        found += [f"{request.place}: {error.message}" for error in validate(schema, document)]
        declared = {
            v.variable.name.value
            for one in document.definitions
            for v in getattr(one, "variable_definitions", None) or ()
        }
        paged = {name for name in (pages.name, pages.size_name) if name and pages.place == "json"}
        given = {*request.json["variables"], *paged}
        found += [f"{request.place}: variable {name} is given or taken, and not both" for name in declared ^ given]
    return found
