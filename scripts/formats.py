# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the published schemas of the files that users write, from the code that reads these files, and a page for each
published schema."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company import policy as policy_file
from ansible_collections.workforce.lifecycle.plugins.module_utils.company import proof, responsibility
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import ACTS
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profile_schema import SCHEMA as PROFILE
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.kinds import KINDS, PHASES
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import COMMON_OPTIONS, Connector, Option
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.systems_file import SYSTEM, TOP
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.credentials import SOURCES
from lifecycle_bridge.api.description import openapi

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "meta" / "schemas"
PAGES = ROOT / "docs" / "formats"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_HEAD = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- Generated from meta/schemas/{file} by scripts/generate_docs.py. -->
# {title}

{words}The schema is [`meta/schemas/{file}`](../../meta/schemas/{file}).{more}
"""
#: Per schema: the page's title, and the page that explains it.
_PAGES = {
    "systems-file.schema.json": ("Format: the systems file", "systems-file.md"),
    "policy.schema.json": ("Format: the policy file", "policy.md"),
    "access-profile.schema.json": ("Format: an access profile", "access-profiles.md"),
    "connector.json": ("Format: a declared connector", "declared-connectors.md"),
    "plan.schema.json": ("Format: a plan", "plans-and-approvals.md"),
    "record.schema.json": ("Format: the record of a case", "ledger-and-record.md"),
    "reconcile.schema.json": ("Format: the report of a reconcile", "reconcile.md"),
    "bridge-api.openapi.json": ("The bridge's API, in full", "bridge-api.md"),
}


def schemas() -> Iterator[tuple[Path, str]]:
    """Return the schemas that are made from code: path -> text."""
    for name, made in (
        ("systems-file.schema.json", systems_schema()),
        ("policy.schema.json", policy_schema()),
        ("access-profile.schema.json", dict(PROFILE)),
        ("bridge-api.openapi.json", openapi()),
    ):
        yield SCHEMAS / name, json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Return the page of each published schema. Schemas that are made from code are made anew."""
    fresh = {path.name: text for path, text in schemas()}
    for name, (title, explains) in _PAGES.items():
        text = fresh.get(name) or (SCHEMAS / name).read_text(encoding="utf-8")
        schema = json.loads(text)
        words = schema.get("description") or schema.get("info", {}).get("description") or ""
        head = _HEAD.format(
            file=name,
            title=title,
            words=f"{_cell(words)} " if words else "",
            more=f" What it is for, with examples: [{explains}](../{explains}).",
        )
        rows = _operations(schema) if "openapi" in schema else _tables(schema)
        yield PAGES / f"{name.split('.')[0]}.md", "\n".join([head, *rows]).rstrip() + "\n"


# -- the policy, from its dataclasses ------------------------------------------------------------------------------------

_CLOSED = {
    ("TransferPolicy", "unexplained"): ["decide", "remove", "keep"],
    ("Approval", "needs"): ["privileged", "people", *ACTS, *KINDS],
    ("Witness", "kind"): list(proof.KINDS),
    ("Departure", "cut"): list(responsibility.CUTS),
    ("Later", "kind"): list(KINDS),
}


def policy_schema() -> Schema:
    """Return the schema of the policy file."""
    made = _section(Policy)
    made["properties"].pop("file")
    return {"$schema": _DRAFT, "title": "Policy of workforce.lifecycle", **made}


def _section(cls: type[Any]) -> Schema:
    """Return the schema of a dataclass, with the docstring's description of each key."""
    about, of_key = said_of(cls)
    hints = get_type_hints(cls, vars(inspect.getmodule(cls) or policy_file))
    properties = {}
    for key in fields(cls):
        value = _of_type(hints[key.name])
        if (cls.__name__, key.name) in _CLOSED:
            value["enum"] = _CLOSED[cls.__name__, key.name]
        value["description"] = of_key[key.name]
        given = _default(key.default)
        if given not in (None, "", [], {}):
            value["default"] = given
        properties[key.name] = value
    required = [key.name for key in fields(cls) if key.default is MISSING and key.default_factory is MISSING]
    return {
        "description": about,
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": properties,
    }


def _default(value: Any) -> Any:
    """Return a default as it would stand in the file; for a section, only the values that differ from its own
    defaults."""
    if is_dataclass(value) and not isinstance(value, type):
        own = {key.name: key.default for key in fields(value)}
        return {name: made for name, made in vars(value).items() if made and made != own[name]}
    return json.loads(json.dumps(value)) if isinstance(value, (str, int, float, tuple)) else None


def _of_type(kind: Any) -> Schema:
    plain = {str: {"type": "string"}, bool: {"type": "boolean"}}
    if kind in plain:
        return dict(plain[kind])
    if kind in (int, float):
        return {"type": "integer" if kind is int else "number", "minimum": 0}
    if is_dataclass(kind) and isinstance(kind, type):
        return _section(kind)
    inner = _of_type(get_args(kind)[-1])
    if issubclass(get_origin(kind), Mapping):
        return {"type": "object", "additionalProperties": inner}
    return {"type": "array", "items": inner}


def said_of(cls: type[Any]) -> tuple[str, dict[str, str]]:
    """Return a docstring's description of the whole, and its description of each key (``:param key:``)."""
    about, *said = re.split(r"\s*:param (\w+): ", " ".join((cls.__doc__ or "").replace("``", "`").split()))
    return about, dict(zip(said[::2], said[1::2], strict=True))


# -- the systems file, from the registry ---------------------------------------------------------------------------------

_TEMPLATE = {"type": "string", "pattern": r"\{\{|\{%"}
_KINDS = {
    "str": {"type": "string"},
    "path": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
}


def systems_schema() -> Schema:
    """Return the schema of the systems file, with the settings of each connector."""
    source = (ROOT / "plugins" / "inventory" / "systems.py").read_text(encoding="utf-8")
    documented = yaml.safe_load(source.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"]
    top = {key: {"type": "string", "description": _unmarked(documented[key]["description"])} for key in TOP}
    system: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["connector"],
        "properties": {key: _setting(option) for key, option in SYSTEM.items()},
        "allOf": [
            {
                "if": {"properties": {"connector": {"const": name}}},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in CONNECTORS
        ],
    }
    system["properties"]["credentials"]["additionalProperties"] = {"$ref": "#/$defs/reference"}
    system["properties"]["service_level"]["propertyNames"] = {"enum": list(PHASES)}
    return {
        "$schema": _DRAFT,
        "title": "Systems file of workforce.lifecycle",
        "description": "The company's systems: an inventory of Ansible, one host a system.",
        "type": "object",
        "additionalProperties": False,
        "required": ["plugin", "systems"],
        "properties": {
            "plugin": {"const": "workforce.lifecycle.systems", "description": "What reads the file."},
            **top,
            "systems": {
                "type": "object",
                "description": "The systems by name.",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$"},
                "additionalProperties": system,
            },
        },
        "$defs": {"reference": _reference(), **{name: _connector(cls) for name, cls in CONNECTORS.items()}},
    }


def _reference() -> Schema:
    """Return the schema of a credential: the place where the secret is kept, never the secret itself."""
    words = {
        "env": "A variable of the environment.",
        "file": "A file, relative to this one; Ansible Vault may have encrypted it.",
        "lookup": "A lookup plugin; `args` and its options stand beside it.",
        "value": "The value itself, for what is no secret.",
    }
    sources = [
        {
            "type": "object",
            "required": [source],
            "properties": {source: {"type": "string", "minLength": 1, "description": words[source]}},
            "additionalProperties": source == "lookup",
        }
        for source in SOURCES
    ]
    encrypted = {"type": "string", "pattern": r"^\$ANSIBLE_VAULT"}
    return {"description": "Where a secret is.", "anyOf": [*sources, _TEMPLATE, encrypted]}


def _connector(cls: type[Connector]) -> Schema:
    """Return the schema of one connector's entry in the systems file."""
    options = {**COMMON_OPTIONS, **cls.OPTIONS}
    needed = {
        "options": [key for key, option in options.items() if option.required],
        "credentials": [key for key, option in cls.CREDENTIALS.items() if option.required],
    }
    required = [key for key in needed if needed[key]]
    if cls.NEEDS_URL and not cls.DEFAULT_URL:
        required.append("url")
    return {
        "title": cls.TITLE,
        **({"required": required} if required else {}),
        "properties": {
            "options": {
                "additionalProperties": False,
                "properties": {key: _setting(option) for key, option in options.items()},
                **({"required": needed["options"]} if needed["options"] else {}),
            },
            "credentials": {
                "additionalProperties": False,
                "properties": {
                    key: {"$ref": "#/$defs/reference", "description": option.help}
                    for key, option in cls.CREDENTIALS.items()
                },
                **({"required": needed["credentials"]} if needed["credentials"] else {}),
            },
        },
    }


def _setting(option: Option) -> Schema:
    """Return the schema of one setting. A template is allowed too, which Ansible fills in later."""
    value: Schema = dict(_KINDS[option.kind])
    if option.choices:
        one: Schema = {"enum": list(option.choices)}
        value = {"type": "array", "items": one} if option.kind == "list" else one
    made = value if value.get("type") == "string" else {"anyOf": [value, dict(_TEMPLATE)]}
    made["description"] = option.help
    if option.default is not None:
        made["default"] = option.default
    return made


def _unmarked(words: str | list[str]) -> str:
    """Return the text of an option's documentation without Ansible's markup, such as ``C(...)``."""
    said = " ".join(words) if isinstance(words, list) else words
    return re.sub(r"[A-Z]+\(([^)]*)\)", r"`\1`", said)


# -- the pages -----------------------------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _tables(schema: Schema) -> Iterator[str]:
    """Yield a table for each mapping of a schema: first the outer one, then those inside it, by their path."""
    waiting: list[tuple[str, Schema]] = [("", schema)]
    while waiting:
        path, one = waiting.pop(0)
        if path:
            yield f"## `{path}`"
            yield ""
            if one.get("description"):
                yield _cell(one["description"])
                yield ""
        yield from _rows(one)
        yield ""
        waiting[:0] = [
            (f"{path}.{key}".lstrip("."), inner)
            for key, value in one.get("properties", {}).items()
            for key, inner in _inside(key, value)
        ]
    for name, one in schema.get("$defs", {}).items():
        if "options" in one.get("properties", {}):
            yield from _of_connector(name, one)


def _inside(key: str, value: Schema) -> Iterator[tuple[str, Schema]]:
    """Return the mappings in a value (or the value itself) that have keys of their own."""
    if value.get("properties"):
        yield key, value
    for mark, inner in (("[]", value.get("items")), (".*", value.get("additionalProperties"))):
        if isinstance(inner, dict):
            yield from _inside(key + mark, inner)


def _rows(schema: Schema) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        default = "**required**" if key in required else ""
        if "default" in value:
            default = f"`{json.dumps(value['default'], ensure_ascii=False)}`"
        yield f"| `{key}` | {_kind(value)} | {default} | {_cell(_meaning(value))} |"


def _meaning(value: Schema) -> str:
    words = value.get("description") or value.get("items", {}).get("description") or ""
    choices = value.get("enum") or next((one["enum"] for one in value.get("anyOf", ()) if "enum" in one), None)
    if choices and len(choices) < 30:
        words = f"{words} One of {', '.join(f'`{choice}`' for choice in choices if choice != '')}."
    return words.strip()


def _kind(value: Schema) -> str:
    """Return the type of a value in words."""
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    if "const" in value:
        return _cell(f"`{value['const']}`")
    if "anyOf" in value or "oneOf" in value:
        kinds = [_kind(one) for one in value.get("anyOf") or value["oneOf"] if one not in (_TEMPLATE, {"const": ""})]
        return " or ".join(dict.fromkeys(filter(None, kinds)))
    kind = value.get("type", "string" if "enum" in value else "")
    if kind == "array":
        return f"list of {_kind(value.get('items', {})) or 'anything'}"
    inner = value.get("additionalProperties")
    if kind == "object" and isinstance(inner, dict) and inner and not value.get("properties"):
        return f"mapping of {_kind(inner) or 'anything'}"
    words = {"object": "mapping", "array": "list", "null": "empty"}
    return " or ".join(words.get(one, one) for one in ([kind] if isinstance(kind, str) else kind))


def _of_connector(name: str, schema: Schema) -> Iterator[str]:
    """Return the settings of one connector, without those that all connectors have."""
    yield f"## [{schema['title']}](../connectors/{name}.md)"
    yield ""
    known = schema["properties"]
    for what in ("credentials", "options"):
        own = {key: value for key, value in known[what]["properties"].items() if key not in COMMON_OPTIONS}
        if own:
            yield f"`connector: {name}`, `{what}`:"
            yield ""
            yield from _rows({**known[what], "properties": own})
            yield ""


def _operations(schema: Schema) -> Iterator[str]:
    """Return the operations of an OpenAPI description, and then the types of their requests and answers."""
    for path, methods in schema["paths"].items():
        for method, one in methods.items():
            yield f"## {method.upper()} `{path}`"
            yield ""
            yield f"{one['summary']} {one['description']}"
            yield ""
            taken = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            given = next(iter(one["responses"].items()))
            shown = [f"Takes {_type(taken)}."] if taken else []
            shown.append(f"Gives {given[0]} and {_type(given[1]['content']['application/json']['schema'])}.")
            yield " ".join(shown)
            yield ""
            if one["parameters"]:
                required = [p["name"] for p in one["parameters"] if p.get("required")]
                properties = {
                    p["name"]: {**p["schema"], "description": f"In the {p['in']}."} for p in one["parameters"]
                }
                yield from _rows({"properties": properties, "required": required})
                yield ""
    for name, one in schema["components"]["schemas"].items():
        yield f"## {name}"
        yield ""
        if one.get("description"):
            yield _cell(one["description"])
            yield ""
        yield from _rows(one)
        yield ""


def _type(schema: Schema) -> str:
    name = schema["$ref"].rpartition("/")[2]
    return f"[{name}](#{name.lower()})"
