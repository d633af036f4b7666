# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The JSON Schema of an access profile; ``docs/access-profile.schema.json`` is the same, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
_PATTERNS = {
    "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ]
}

#: Fields of a person that a profile may match on.
MATCHABLE = (
    "title",
    "department",
    "division",
    "location",
    "country",
    "company",
    "employment_type",
    "manager_email",
    "preferred_language",
)

SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Access profile of workforce.lifecycle",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
            "description": "Defaults to the file's name.",
        },
        "description": {"type": "string"},
        "extends": {**_NAMES, "description": "Profiles whose content this one adds to; what comes later wins."},
        "match": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "description": "Fields of the person, each a pattern (* and ?) or a list of them; all must match. Without it the profile is only extended.",
            "properties": {
                **dict.fromkeys(MATCHABLE, _PATTERNS),
                "attributes": {"type": "object", "minProperties": 1, "additionalProperties": _PATTERNS},
            },
        },
        "systems": {
            "type": "object",
            "description": "By system: an account there, with these entitlements by kind.",
            "additionalProperties": {"type": ["object", "null"], "additionalProperties": _NAMES},
        },
        "controls": {**_NAMES, "description": "Security controls that must hold, e.g. mfa_registered."},
        "device": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "platform": {"type": "string", "minLength": 1},
                "ownership": {"enum": ["company", "personal"]},
                "software": _NAMES,
            },
        },
        "orientation": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "minutes": {"type": "integer", "minimum": 5, "maximum": 480},
                "attendees": {
                    **_NAMES,
                    "description": "Addresses beside the person; manager stands for the person's manager.",
                },
                "organiser": {"type": "string", "minLength": 1},
            },
        },
        "overlap": {
            "type": "integer",
            "minimum": 0,
            "maximum": 365,
            "description": "Days for which a mover keeps what the old profile gave.",
        },
    },
}
