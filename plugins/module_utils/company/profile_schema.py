# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The JSON Schema of an access profile. ``meta/schemas/access-profile.schema.json`` is a copy for editors."""

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
    "description": "What a role gets on which system, and whom it is for.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
            "description": "Defaults to the file's name.",
        },
        "description": {"type": "string", "description": "What the profile is for, in your words."},
        "extends": {**_NAMES, "description": "Profiles whose content this one adds to; what comes later wins."},
        "match": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "description": "Fields of the person, each a pattern (* and ?) or a list of them; all must match. Without it the profile is only extended.",
            "properties": {
                **{
                    name: {**_PATTERNS, "description": f"The person's {name.replace('_', ' ')} in HR."}
                    for name in MATCHABLE
                },
                "attributes": {
                    "type": "object",
                    "description": "Further facts of HR, by name.",
                    "minProperties": 1,
                    "additionalProperties": _PATTERNS,
                },
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
            "description": "The device that the person works with.",
            "additionalProperties": False,
            "properties": {
                "platform": {
                    "type": "string",
                    "minLength": 1,
                    "description": "As device management calls it, e.g. macOS.",
                },
                "model": {
                    "type": "string",
                    "minLength": 1,
                    "description": "A pattern, for the choice from the stock list.",
                },
                "system": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Which device management, where there are several.",
                },
                "ownership": {"enum": ["company", "personal"], "description": "Whose it is."},
                "software": {**_NAMES, "description": "What must be installed on it."},
            },
        },
        "orientation": {
            "type": "object",
            "description": "The meeting of the first day.",
            "additionalProperties": False,
            "properties": {
                "subject": {"type": "string", "minLength": 1, "description": "What the invitation is called."},
                "agenda": {**_NAMES, "description": "What the invitation says, a line each."},
                "minutes": {"type": "integer", "minimum": 5, "maximum": 480, "description": "How long it takes."},
                "attendees": {
                    **_NAMES,
                    "description": "Addresses beside the person; manager stands for the person's manager.",
                },
                "organiser": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The address in whose name it is booked.",
                },
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
