# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The API's operations, and their description as OpenAPI 3.1, made of the very types that check requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lifecycle_bridge import __version__
from lifecycle_bridge.api import models
from lifecycle_bridge.store.tables import CASE_STATES

_REFS = "#/components/schemas/{model}"
_PROBLEMS = {
    401: "no token",
    403: "the scope is missing",
    404: "not here",
    409: "it cannot be done now",
    413: "too large",
    415: "no JSON",
    422: "not understood",
}


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked.

    :param scope: what the token has to have.
    :param takes: the type of the body; None without one.
    :param query: names in the query.
    """

    name: str
    method: str
    path: str
    scope: str
    does: str
    gives: type[BaseModel]
    takes: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    status: int = 200


OPERATIONS = (
    Operation("listCases", "GET", "/cases", "read", "List cases, by when they are due.", models.Cases, query=("state", "kind", "source", "limit", "offset")),
    Operation("showCase", "GET", "/cases/{case}", "read", "Show a case with its open steps.", models.Case),
    Operation("listPerson", "GET", "/people/{source}/{person}", "read", "List the cases of one person, by HR system and HR's id.", models.Cases, query=("limit", "offset")),
    Operation("listAlerts", "GET", "/alerts", "read", "List what somebody has to look at.", models.Alerts),
    Operation("attest", "POST", "/cases/{case}/attest", "attest", "Say that a person did what only a person can; that something is removed only when sure.", models.Ordered, models.Attestation, status=202, query=("sure",)),
    Operation("retry", "POST", "/cases/{case}/retry", "act", "Run a case again now.", models.Ordered, status=202),
    Operation("runNow", "POST", "/cases/{case}/run-now", "act", "Do not wait for a case's minute; of a case that ends access only when sure.", models.Ordered, status=202, query=("sure",)),
    Operation("cancel", "POST", "/cases/{case}/cancel", "act", "Drop a case; stop its run. Only when sure.", models.Ordered, models.Why, status=202, query=("sure",)),
    Operation("release", "POST", "/releases", "release", "Let held cases through the brake, by name. Only when sure.", models.Ordered, models.Release, status=202, query=("sure",)),
    Operation("approve", "POST", "/approvals", "approve", "Approve a plan by its digest. Only when sure.", models.Ordered, models.Approval, status=202, query=("sure",)),
)  # fmt: skip
_QUERY: dict[str, dict[str, Any]] = {
    "sure": {
        "type": "string",
        "enum": ["true"],
        "description": "What this does cannot all be undone, and it was looked at once more.",
    },
    "state": {"type": "string", "enum": list(CASE_STATES)},
    "kind": {"type": "string", "maxLength": 20, "pattern": models.TEXT},
    "source": {"type": "string", "maxLength": 63, "pattern": models.TEXT},
    "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
    "offset": {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0},
}


def openapi() -> dict[str, Any]:
    """Return the description of the whole API."""
    every = {one.gives for one in OPERATIONS} | {one.takes for one in OPERATIONS if one.takes} | {models.Problem}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(every, key=lambda model: model.__name__)], ref_template=_REFS
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(f"/api/v1{one.path}", {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lifecycle-bridge",
            "version": __version__,
            "description": "Joiners, movers and leavers: cases by HR's ids, without names.",
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": models.TEXT},
        }
        for name in re.findall(r"{(\w+)}", one.path)
    ]
    in_query = [{"name": name, "in": "query", "schema": _QUERY[name]} for name in one.query]
    problem = {"application/problem+json": {"schema": {"$ref": _REFS.format(model="Problem")}}}
    said: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.does,
        "description": f"Scope: {one.scope}.",
        "parameters": in_path + in_query,
        "responses": {
            str(one.status): {
                "description": "as asked",
                "content": {"application/json": {"schema": {"$ref": _REFS.format(model=one.gives.__name__)}}},
            },
            **{str(status): {"description": words, "content": problem} for status, words in _PROBLEMS.items()},
        },
    }
    if one.takes is not None:
        said["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFS.format(model=one.takes.__name__)}}},
        }
    return said
