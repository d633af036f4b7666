# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Judges a journal's entries by the vendors' contracts: the requests our connectors sent, and the answers the emulators gave.

An entry is what :mod:`sandbox.emulator` writes: method, path, query, headers, body, status, answer, answer_headers, fault.
Entries with a fault aren't judged (the fault is the violation). A request is judged where our transport sent it (its
User-Agent), whatever the system answered; what a test sends by itself to see it refused is not ours, its answer is judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import USER_AGENT

from tests.contract import scim
from tests.contract.openapi import Contract, Operation
from tests.contract.tolerated import (
    ADDED,
    ARRAY_SUFFIX,
    BETA_PROPERTIES,
    CAPITALISED_PARAMETERS,
    ERRORS_ANYWHERE,
    GITHUB_REFUSAL,
    NO_BODY,
    QUERY_ANYWHERE,
    REQUIRED,
    SPELLINGS,
    TYPES,
    UNDESCRIBED,
)

SPECS = Path(__file__).parent / "specs"
JUDGED = ("microsoft", "github", "google_workspace", "okta", "wiki", "crm", "slack")
#: What differs from one run to the next without being another shape.
_VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?|localhost:\d+|skiptoken=[^\"&]*"
    r"|canary-[\w-]+"
)


@cache
def contract(name: str) -> Contract:
    return Contract(SPECS / f"{name}.json", odata=name.startswith("graph"), added=ADDED, types=TYPES)


class Judge:
    """Remembers the shapes it has judged; :meth:`violations` of one seen before are those of the first time."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], list[str]] = {}
        self.undescribed: set[str] = set()

    def violations(self, system: str, entry: Mapping[str, Any]) -> list[str]:
        """What is wrong with one entry, each as ``system METHOD path: request|answer: where: what``."""
        if system not in JUDGED or entry["fault"] or entry["status"] is None:
            return []
        ours = entry["headers"].get("user-agent", "") == USER_AGENT
        key = (
            system,
            ours,
            entry["status"],
            entry["method"],
            *(_VOLATILE.sub("~", entry[part]) for part in ("path", "query", "body", "answer")),
        )
        if key not in self._known:
            self._known[key] = [
                f"{system} {entry['method']} {entry['path']} -> {entry['status']}: {said}"
                for said in self._judged(system, entry, ours)
            ]
        return self._known[key]

    def _judged(self, system: str, entry: Mapping[str, Any], ours: bool) -> Iterator[str]:
        listed = next(
            (
                row
                for row in UNDESCRIBED
                if row.system == system and row.method == entry["method"] and re.fullmatch(row.path, entry["path"])
            ),
            None,
        )
        if listed:
            self.undescribed.add(listed.path)
        elif system in ("wiki", "crm", "slack"):
            yield from scim.judged(entry, ours)
        else:
            yield from _described(system, entry, ours)


def _described(system: str, entry: Mapping[str, Any], ours: bool) -> Iterator[str]:
    name, path, more = system, entry["path"], None
    if system == "microsoft":
        _, version, rest = path.split("/", 2)
        name, path = f"graph-{version}", _spelled_out("/" + rest)
    spec = contract(name)
    found = spec.find(entry["method"], path)
    if isinstance(found, str) and name == "graph-beta":
        # The beta slice has what v1.0 lacks; a resource of both is judged by v1.0 and the table of what beta adds.
        spec = contract("graph-v1.0")
        found, more = spec.find(entry["method"], path), BETA_PROPERTIES
    if isinstance(found, str):
        if ours or entry["status"] < 400:
            yield f"request: {found}"
        return
    if ours:
        yield from (f"request: {said}" for said in _request(spec, found, entry, more))
    yield from (f"answer: {said}" for said in _answer(spec, found, entry, more))


def _spelled_out(path: str) -> str:
    """A path of Graph as its OpenAPI description writes it; see SPELLINGS."""
    row = next((row for row in SPELLINGS if re.search(row.short, path)), None)
    return re.sub(row.short, row.described, path) if row else path


def _schema(spec: Contract, holder: Any) -> Mapping[str, Any] | None:
    content = spec.resolve(holder).get("content", {})
    return next((media.get("schema") for kind, media in content.items() if "json" in kind), None)


# -- requests ----------------------------------------------------------------------------------------------------------


def _request(
    spec: Contract, operation: Operation, entry: Mapping[str, Any], more: Mapping[str, Any] | None
) -> Iterator[str]:
    yield from _query(spec, operation, entry["query"], more or {})
    described = spec.resolve(operation.spec.get("requestBody") or {})
    if not entry["body"]:
        if described.get("required") and (operation.method, operation.template) not in NO_BODY:
            yield "body: is required"
        return
    if not described:
        if entry["body"] != "{}":
            yield f"body: none is described, {entry['body'][:100]!r} was sent"
        return
    if "json" not in entry["headers"].get("content-type", ""):
        yield f"content-type: {entry['headers'].get('content-type')!r} is not JSON"
    body = _parsed(entry["body"])
    if body is _BROKEN:
        yield "body: is not JSON"
        return
    schema = _schema(spec, described)
    if schema is not None:
        yield from spec.errors(_uncapitalised(schema) if CAPITALISED_PARAMETERS in operation.template else schema, body)
    for field in REQUIRED.get((operation.method, operation.template), ()):
        if field not in body:
            yield f"body: {field!r} is a required property"


def _uncapitalised(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """An action's parameters as its page writes them."""
    return {
        **schema,
        "properties": {name[:1].lower() + name[1:]: value for name, value in schema.get("properties", {}).items()},
    }


def _query(spec: Contract, operation: Operation, query: str, more: Mapping[str, Any]) -> Iterator[str]:
    known = {p["name"]: p for p in operation.spec["parameters"] if p["in"] == "query"}
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in given.items():
        if spec.odata and name in QUERY_ANYWHERE:
            continue
        if known.get(name.removesuffix(ARRAY_SUFFIX), {}).get("schema", {}).get("type") == "array":
            name = name.removesuffix(ARRAY_SUFFIX)
        if name not in known:
            yield f"query: {name} is no parameter of {operation.method} {operation.template}"
            continue
        kind = known[name].get("schema", {})
        if kind.get("type") == "integer" and not value.isdigit():
            yield f"query: {name}={value} is no integer"
        if "enum" in kind and value not in kind["enum"]:
            yield f"query: {name}={value} is none of {kind['enum']}"
        if name == "$select":
            yield from (
                f"query: $select names {field!r}, which the resource doesn't have"
                for field in sorted(set(value.split(",")) - _selectable(spec, operation) - set(more))
            )
    for name, parameter in known.items():
        if parameter.get("required") and name not in given:
            yield f"query: {name} is required"


def _selectable(spec: Contract, operation: Operation) -> set[str]:
    answer = _response(operation, 200)
    schema = _schema(spec, answer) if answer else None
    return spec.properties(schema) if schema else set()


# -- answers -----------------------------------------------------------------------------------------------------------


def _response(operation: Operation, status: int) -> Any:
    responses = operation.spec["responses"]
    return next((responses[key] for key in (str(status), f"{status // 100}XX", "default") if key in responses), None)


def _answer(
    spec: Contract, operation: Operation, entry: Mapping[str, Any], more: Mapping[str, Any] | None
) -> Iterator[str]:
    status = entry["status"]
    response = _response(operation, status)
    if response is None and status in ERRORS_ANYWHERE:
        response = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/basic-error"}}}}
    if response is None or (spec.odata and not 200 <= status < 300 and status < 400):
        yield f"status {status} is not listed"
        return
    schema = _schema(spec, response)
    if not entry["answer"]:
        if schema is not None and status != 204 and status != 304:
            yield "body: none was given, one is described"
        elif schema is not None and operation.method == "GET":
            yield "body: a GET that succeeds has one"
        return
    if status == 204:
        yield "body: 204 has none"
        return
    if spec.resolve(response).get("content") and schema is None:
        return  # bytes: a message's MIME
    body = _parsed(entry["answer"])
    if body is _BROKEN:
        yield "body: is not JSON"
    elif schema is None:
        yield "body: none is described"
    else:
        yield from spec.errors(
            schema, body, GITHUB_REFUSAL if not spec.odata and status >= 400 else more if status < 400 else None
        )


_BROKEN = object()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _BROKEN
