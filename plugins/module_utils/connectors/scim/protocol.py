# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""SCIM 2.0 (RFC 7643, 7644) as pure functions over resources: attributes in our words, merges, PATCH bodies."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ...sdk.keys import same_text

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MEDIA = {"Content-Type": "application/scim+json", "Accept": "application/scim+json, application/json"}

#: Our attribute -> where SCIM has its single value: container (empty for the top level), name.
_SINGLE: Mapping[str, tuple[str, str]] = {
    "login": ("", "userName"),
    "first_name": ("name", "givenName"),
    "last_name": ("name", "familyName"),
    "display_name": ("", "displayName"),
    "title": ("", "title"),
    "employment_type": ("", "userType"),
    "preferred_language": ("", "preferredLanguage"),
    "time_zone": ("", "timezone"),
    "department": (ENTERPRISE, "department"),
    "division": (ENTERPRISE, "division"),
    "company": (ENTERPRISE, "organization"),
    "employee_id": (ENTERPRISE, "employeeNumber"),
}
#: Our attribute -> SCIM's multi-valued attribute, and the ``type`` of the value that we read and write.
_TYPED: Mapping[str, tuple[str, str]] = {"email": ("emails", "work"), "mobile_phone": ("phoneNumbers", "mobile")}
ATTRIBUTES: Sequence[str] = tuple(n for n in (*_SINGLE, *_TYPED, "manager") if n != "login")
#: Attributes that nearly every service keeps; others need the option ``attributes``.
USUAL: Sequence[str] = (
    "first_name",
    "last_name",
    "display_name",
    "email",
    "title",
    "department",
    "division",
    "employee_id",
)


def equals(attribute: str, value: str) -> str:
    """Return a filter with ``eq``, the operator that every service has (RFC 7644, 3.4.2.2)."""
    return f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"


def _values(resource: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [dict(v) for v in resource.get(name) or () if isinstance(v, Mapping)]


def _chosen(values: Sequence[Mapping[str, Any]], kind: str) -> int | None:
    """Return the index of the value of a type, else of the primary one, else of the first one if no value has a type; None without any."""
    typed = [n for n, v in enumerate(values) if same_text(v.get("type"), kind)]
    primary = [n for n, v in enumerate(values) if v.get("primary") is True]
    first = [0] if values and not any(v.get("type") for v in values) else []
    return next(iter((*typed, *primary, *first)), None)


def attributes_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return a user's attributes by our names; ``manager`` is a SCIM id, which the caller resolves."""
    found: dict[str, str] = {}
    for ours, (container, name) in _SINGLE.items():
        held = resource.get(container) if container else resource
        value = held.get(name) if isinstance(held, Mapping) else None
        if isinstance(value, str) and value:
            found[ours] = value
    for ours, (name, kind) in _TYPED.items():
        values = _values(resource, name)
        number = _chosen(values, kind)
        if number is not None and values[number].get("value"):
            found[ours] = str(values[number]["value"])
    manager = (resource.get(ENTERPRISE) or {}).get("manager")
    if isinstance(manager, Mapping) and manager.get("value"):
        found["manager"] = str(manager["value"])
    elif isinstance(manager, str) and manager:
        found["manager"] = manager
    return found


def merged(resource: Mapping[str, Any], attributes: Mapping[str, Any], *, formatted: bool = False) -> dict[str, Any]:
    """Return the resource with attributes set, given by our names. Everything else stays, so that a PUT clears nothing.

    :param formatted: also set ``name.formatted`` when the resource has none.
    """
    result = copy.deepcopy(dict(resource))
    for ours, value in attributes.items():
        if ours in _SINGLE:
            container, name = _SINGLE[ours]
            held = result.setdefault(container, {}) if container else result
            held[name] = value
            if container == "name" and ("formatted" in held or formatted):
                # RFC 7643, 4.1.1: the full name for display. Some services require it, and an old one would show the old name.
                held["formatted"] = " ".join(str(held[part]) for part in ("givenName", "familyName") if held.get(part))
        elif ours in _TYPED:
            name, kind = _TYPED[ours]
            values = _values(result, name)
            number = _chosen(values, kind)
            if number is None:
                values.append(
                    {"value": value, "type": kind, **({"primary": True} if name == "emails" and not values else {})}
                )
            else:
                values[number]["value"] = value
            result[name] = values
        elif ours == "manager":
            result.setdefault(ENTERPRISE, {})["manager"] = {"value": value}
    if ENTERPRISE in result and ENTERPRISE not in result.get("schemas", ()):
        result["schemas"] = [*(result.get("schemas") or [CORE_USER]), ENTERPRISE]
    return result


def bare(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource with only the values of addresses and telephone numbers: some services refuse their types."""
    return {
        name: [{"value": one["value"]} for one in value] if name in ("emails", "phoneNumbers") else value
        for name, value in resource.items()
    }


def further_addresses(resource: Mapping[str, Any]) -> list[str]:
    """Return every address but the work address, in lower case."""
    values = _values(resource, "emails")
    number = _chosen(values, "work")
    return sorted({str(v["value"]).lower() for n, v in enumerate(values) if n != number and v.get("value")})


def with_addresses(resource: Mapping[str, Any], address: str, aliases: Sequence[str]) -> dict[str, Any]:
    """Return the resource with ``address`` as its work address, and with its other addresses and ``aliases`` kept."""
    result = copy.deepcopy(dict(resource))
    values = _values(result, "emails")
    number = _chosen(values, "work")
    main = {**(values[number] if number is not None else {"type": "work", "primary": True}), "value": address}
    rest = [v for n, v in enumerate(values) if n != number and not same_text(v.get("value"), address)]
    known = {str(v.get("value", "")).lower() for v in rest}
    more = [
        {"value": alias, "type": "other"}
        for alias in dict.fromkeys(a.lower() for a in aliases)
        if alias not in known and not same_text(alias, address)
    ]
    result["emails"] = [main, *rest, *more]
    return result


def writable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a PUT for a resource that was read: without the attributes that only the service sets."""
    return {k: v for k, v in resource.items() if k not in ("meta", "groups")}


def new_user(login: str, external_id: str, attributes: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a POST to /Users."""
    user: dict[str, Any] = {"schemas": [CORE_USER], "userName": login, "active": True, **further}
    if external_id:
        user["externalId"] = external_id
    return merged(user, attributes, formatted=True)


def patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": [dict(o) for o in operations]}


def replace(shape: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a PATCH that replaces top-level attributes, in one of the two shapes of RFC 7644, 3.5.2.3."""
    if shape == "path":
        return patch(*({"op": "replace", "path": path, "value": value} for path, value in values.items()))
    return patch({"op": "replace", "value": dict(values)})


def add_value(attribute: str, value: str, further: Mapping[str, str]) -> dict[str, Any]:
    return patch({"op": "add", "path": attribute, "value": [{"value": value, **further}]})


def remove_value(shape: str, attribute: str, value: str) -> dict[str, Any]:
    """Return a PATCH that removes one value, by a path filter (``shape`` is ``filter``) or by a list of values."""
    if shape == "filter":
        return patch({"op": "remove", "path": f"{attribute}[{equals('value', value)}]"})
    return patch({"op": "remove", "path": attribute, "value": [{"value": value}]})


def values_of(resource: Mapping[str, Any], attribute: str) -> list[dict[str, Any]]:
    """Return the values of a multi-valued attribute as mappings; a plain string ``x`` becomes ``{"value": "x"}``."""
    return [dict(v) if isinstance(v, Mapping) else {"value": str(v)} for v in resource.get(attribute) or ()]


def member_names(member: Mapping[str, Any]) -> list[str]:
    """Return the names of a group's member: ``value``, the id or on some servers the userName, and the last segment of ``$ref``."""
    names = (str(member.get("value") or ""), str(member.get("$ref") or "").rpartition("/")[2])
    return list(dict.fromkeys(unquote(name) for name in names if name))


def with_value(resource: Mapping[str, Any], attribute: str, value: str) -> dict[str, Any]:
    kept = values_of(resource, attribute)
    return {**resource, attribute: kept if any(v.get("value") == value for v in kept) else [*kept, {"value": value}]}


def without_value(resource: Mapping[str, Any], attribute: str, value: str) -> dict[str, Any]:
    return {**resource, attribute: [v for v in values_of(resource, attribute) if v.get("value") != value]}
