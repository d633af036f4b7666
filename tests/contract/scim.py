# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""SCIM requests and answers by RFC 7643 and 7644: the models of scim2-models, in the context of the exchange (RFC 7643, section 7:
what is required, read-only, never returned)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError
from scim2_models import (
    URN,
    Context,
    EnterpriseUser,
    Error,
    Extension,
    Group,
    ListResponse,
    PatchOp,
    ServiceProviderConfig,
    User,
)


class SlackGuest(Extension):
    """https://docs.slack.dev/reference/scim-api: what Slack adds to the resource of a guest."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User")
    type: str | None = None
    expiration: str | None = None


PERSON = User[EnterpriseUser | SlackGuest]
RESOURCES: Mapping[str, Any] = {"Users": PERSON, "Groups": Group}
#: RFC 7644, section 3.4.2 and 3.9.
QUERY = {"filter", "startIndex", "count", "attributes", "excludedAttributes", "sortBy", "sortOrder"}
_REQUESTS = {
    "POST": Context.RESOURCE_CREATION_REQUEST,
    "PUT": Context.RESOURCE_REPLACEMENT_REQUEST,
    "PATCH": Context.RESOURCE_PATCH_REQUEST,
}
_ANSWERS = {
    "GET": Context.RESOURCE_QUERY_RESPONSE,
    "POST": Context.RESOURCE_CREATION_RESPONSE,
    "PUT": Context.RESOURCE_REPLACEMENT_RESPONSE,
    "PATCH": Context.RESOURCE_PATCH_RESPONSE,
}
#: RFC 7644, section 3: the statuses of success.
_STATUSES: Mapping[str, set[int]] = {"GET": {200}, "POST": {201}, "PUT": {200}, "PATCH": {200, 204}, "DELETE": {204}}


def judged(entry: Mapping[str, Any], ours: bool) -> Iterator[str]:
    """What is wrong with one exchange with a SCIM service."""
    match = re.fullmatch(r".*/v2/(Users|Groups|ServiceProviderConfig)(/[^/]+)?", entry["path"])
    if not match:
        yield f"request: RFC 7644 has no path {entry['path']}"
        return
    kind, one, method, status = match.group(1), match.group(2), entry["method"], entry["status"]
    if ours:
        yield from (f"request: {said}" for said in _request(kind, one, entry))
    if status >= 400:
        yield from _model(Error, entry["answer"], None, "answer")
    elif status not in _STATUSES.get(method, ()):
        yield f"answer: status {status} is not one of {method} in RFC 7644"
    elif status == 204:
        if entry["answer"]:
            yield "answer: 204 has no body"
    elif kind == "ServiceProviderConfig":
        yield from _model(ServiceProviderConfig, entry["answer"], Context.RESOURCE_QUERY_RESPONSE, "answer")
    elif method == "GET" and not one:
        yield from _model(ListResponse[RESOURCES[kind]], entry["answer"], Context.RESOURCE_QUERY_RESPONSE, "answer")  # type: ignore[misc]
    else:
        yield from _model(RESOURCES[kind], entry["answer"], _ANSWERS[method], "answer")


def _request(kind: str, one: str | None, entry: Mapping[str, Any]) -> Iterator[str]:
    method = entry["method"]
    for name in dict(parse_qsl(entry["query"], keep_blank_values=True)):
        if name not in QUERY:
            yield f"query: RFC 7644 has no parameter {name}"
    if method not in _STATUSES or (method == "POST") == bool(one) and method != "GET":
        yield f"{method} is not of {'a resource' if one else 'the collection'}"
    if method not in _REQUESTS:
        if entry["body"]:
            yield f"body: {method} has none"
        return
    if entry["headers"].get("content-type", "").partition(";")[0] not in ("application/scim+json", "application/json"):
        yield f"content-type: {entry['headers'].get('content-type')!r} (RFC 7644, section 3.1)"
    model = PatchOp[RESOURCES[kind]] if method == "PATCH" else RESOURCES[kind]  # type: ignore[misc]
    yield from _model(model, entry["body"], _REQUESTS[method], "body")


def _model(model: Any, text: str, context: Context | None, part: str) -> Iterator[str]:
    try:
        body = json.loads(text)
    except ValueError:
        yield f"{part}: is not JSON"
        return
    if "schemas" not in body:
        yield f"{part}: schemas is required (RFC 7643, section 3)"
    try:
        model.model_validate(body, scim_ctx=context) if context else model.model_validate(body)
    except ValidationError as e:
        yield from (f"{part}: {'/'.join(map(str, error['loc']))}: {error['msg']}" for error in e.errors())
    yield from _unnamed(model, body, part)


def _unnamed(model: Any, body: Any, where: str) -> Iterator[str]:
    """Attributes that no schema of the resource has; the models pass them over."""
    if not isinstance(body, Mapping):
        return
    names = {
        alias.lower()
        for name, field in model.model_fields.items()
        for alias in (name, field.alias, field.serialization_alias)
        if alias
    }
    for key in body:
        if key.lower() not in names and not key.startswith("urn:") and key not in ("$ref", "Resources", "Operations"):
            yield f"{where}: {key}: no schema has this attribute"
