# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Check that the vendor has every request that a connector's file can send: path, method, names and values.

A contract is a table from the vendor's pages, or an OpenAPI description (:func:`of_openapi`). Tests and ``connector_check`` use it; a run
does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .holes import Verbatim
from .manifest import Manifest, Pages, Request

#: A body that may be anything, because the vendor does not describe it.
ANY: Any = None
_HOLE = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Operation:
    """One method of one path: the names of its query with their values (None: any), and the form of its body.

    ``body`` maps names to forms: None for anything, a text such as ``a|b`` for one of several values, a mapping for an object.
    """

    query: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    body: Any = ANY
    described: bool = True
    #: Whether a request without a body is refused.
    needs_body: bool = False


Contract = Mapping[tuple[str, str], Operation]


def blank(path: str) -> str:
    """Return a path with each parameter replaced by ``{}``."""
    return _HOLE.sub("{}", path.partition("?")[0]).rstrip("/")


def graphql_of(request: Request) -> str:
    """Return the text of a GraphQL request; empty for another request."""
    said = request.json.get("query") if isinstance(request.json, dict) else None
    return str(said) if isinstance(said, Verbatim) else ""


# -- violations --------------------------------------------------------------------------------------------------------


def violations(manifest: Manifest, contract: Contract) -> list[str]:
    """Return every violation of the contract by the requests of a file, each with its place in the file."""
    return [
        f"{'.'.join(map(str, request.place))}: {said}"
        for request, pages in manifest.requests()
        for said in _wrong(manifest, request, pages, contract)
    ]


def _wrong(manifest: Manifest, request: Request, pages: Pages, contract: Contract) -> Iterator[str]:
    path = blank(request.path)
    if graphql_of(request):
        return  # the contract of GraphQL is its schema, not a list of paths
    operation = contract.get((request.method, path))
    if operation is None:
        others = sorted(method for method, known in contract if known == path)
        yield f"{path} has no {request.method}, but {', '.join(others)}" if others else f"no such path: {path}"
        return
    sent = dict(request.query)
    if pages.place == "query":
        sent |= {name: "{page}" for name in (pages.name, pages.size_name) if name}
    for name, value in sent.items():
        if name not in operation.query:
            yield f"{request.method} {path} has no parameter {name}"
        known = operation.query.get(name)
        said = value if isinstance(value, list) else str(value).split(",")
        for one in map(str, said) if known and value is not None else ():
            if not _HOLE.search(one) and one not in (known or ()):
                yield f"{name}={one} is none of {', '.join(known or ())}"
    if request.json is None and not request.form and operation.needs_body:
        yield f"{request.method} {path} needs a body"
    if request.json is not None and operation.described:
        yield from _body(_spelled_out(request.json, manifest), operation.body, "body")


def _spelled_out(body: Any, manifest: Manifest) -> Any:
    """Return a body with ``{changed}`` replaced by all attributes that an update can change."""
    if body == "{changed}":
        made: dict[str, Any] = {}
        accounts = manifest.accounts
        written = [one.write for one in accounts.attributes.values() if one.write] if accounts is not None else []
        for key in (*written, *(accounts.keeps if accounts is not None else ())):
            here = made
            *above, last = key.split(".")
            for word in above:
                here = here.setdefault(word, {})
            here[last] = "{changed}"
        return made
    if isinstance(body, dict):
        return {name: _spelled_out(inner, manifest) for name, inner in body.items()}
    return [_spelled_out(inner, manifest) for inner in body] if isinstance(body, list) else body


def _body(sent: Any, known: Any, where: str) -> Iterator[str]:
    if known is None:
        return
    if isinstance(sent, list):
        for one in sent:
            yield from _body(one, known, where)
    elif isinstance(known, str):
        if not _HOLE.search(str(sent)) and str(sent) not in known.split("|"):
            yield f"{where}: {sent} is none of {known}"
    elif isinstance(known, Mapping) and isinstance(sent, dict):
        for name, inner in sent.items():
            if name not in known:
                yield f"{where} has no {name}, but {', '.join(sorted(known))}"
            else:
                yield from _body(inner, known[name], f"{where}.{name}")


# -- OpenAPI -----------------------------------------------------------------------------------------------------------


def of_openapi(document: Mapping[str, Any], prefix: str = "") -> Contract:
    """Return the contract from an OpenAPI or Swagger description.

    :param prefix: the beginning of its paths that the connector's paths do not have, because its address has it.
    """
    made: dict[tuple[str, str], Operation] = {}
    for template, item in document["paths"].items():
        for method, operation in item.items():
            if method.upper() not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                continue
            parameters = [
                _resolved(document, p) for p in [*item.get("parameters", ()), *operation.get("parameters", ())]
            ]
            query = {p["name"]: _values(document, p) for p in parameters if p.get("in") == "query"}
            body = _schema_of(document, operation, parameters)
            made[method.upper(), blank(template.removeprefix(prefix))] = Operation(
                query,
                _shape(document, body, 0),
                body is not None,
                bool(_resolved(document, operation.get("requestBody", {})).get("required")),
            )
    return made


def _resolved(document: Mapping[str, Any], node: Any) -> Any:
    while isinstance(node, Mapping) and "$ref" in node:
        here: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            here = here[int(name)] if isinstance(here, list) else here.get(name, {})
        node = here
    return node


def _values(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> tuple[str, ...] | None:
    schema = _resolved(document, parameter.get("schema", parameter))
    values = schema.get("enum") or _resolved(document, schema.get("items", {})).get("enum")
    return tuple(map(str, values)) if values else None


def _schema_of(document: Mapping[str, Any], operation: Mapping[str, Any], parameters: list[Any]) -> Any:
    old = next((p.get("schema") for p in parameters if p.get("in") == "body"), None)
    content = _resolved(document, operation.get("requestBody", {})).get("content", {})
    return old or next((media.get("schema") for kind, media in content.items() if "json" in kind), None)


def _shape(document: Mapping[str, Any], schema: Any, depth: int) -> Any:
    """Return a schema in the form of :class:`Operation`'s body; None when it describes nothing, or is nested too deeply."""
    schema = _resolved(document, schema)
    if not isinstance(schema, Mapping) or depth > 6:
        return None
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    if "items" in schema:
        return _shape(document, schema["items"], depth + 1)
    parts = [_shape(document, part, depth + 1) for word in ("allOf", "oneOf", "anyOf") for part in schema.get(word, ())]
    if any(part is None or isinstance(part, str) for part in parts):
        return None
    names = {name: _shape(document, inner, depth + 1) for name, inner in schema.get("properties", {}).items()}
    for part in parts:
        names |= part
    return names or None
