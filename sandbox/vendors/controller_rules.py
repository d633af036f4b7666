# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What AWX 24.6.1 refuses, in its own words: surveys and their answers, credential types, schedules, queries.

Read from ansible/awx: awx/main/models/mixins.py (SurveyJobTemplateMixin), awx/api/views/__init__.py (JobTemplateSurveySpec), awx/main/fields.py
(CredentialTypeInputField, CredentialTypeInjectorField), awx/api/serializers.py (SchedulePreviewSerializer) and awx/api/filters.py (FieldLookupBackend).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TYPES = ("text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect")
LOOKUPS = (
    "exact",
    "iexact",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "isnull",
)
INPUT_KEYS = frozenset(
    ["id", "label", "type", "secret", "multiline", "choices", "format", "default", "help_text", "ask_at_runtime"]
)
RESERVED = ("page", "page_size", "order_by", "order", "search", "type", "format", "count_disabled", "no_truncate")


class BadQuery(Exception):
    """A filter that the model does not have."""


def survey_mistake(spec: Any) -> str:
    """Find what is wrong with a survey; empty when nothing is."""
    if not isinstance(spec, dict):
        return "Survey spec must be an object."
    for key, kind in (("name", str), ("description", str), ("spec", list)):
        if key not in spec:
            return (
                f"'{key}' missing from survey spec." if key == "spec" else f"Field '{key}' is missing from survey spec."
            )
        if not isinstance(spec[key], kind):
            return f"'{key}' must be a {'list of items' if kind is list else 'string'}."
    if not spec["spec"]:
        return "'spec' doesn't contain any items."
    seen: set[str] = set()
    for place, question in enumerate(spec["spec"]):
        if wrong := _question_mistake(place, question, seen):
            return wrong
        seen.add(question["variable"])
    return ""


def _question_mistake(place: int, question: Any, seen: set[str]) -> str:
    if not isinstance(question, dict):
        return f"Survey question {place} is not a json object."
    for key in ("type", "question_name", "variable", "required"):
        if key not in question:
            return f"'{key}' missing from survey question {place}"
    kind, variable = str(question["type"]), str(question["variable"])
    refusals = {
        f"'{kind}' in survey question {place} is not one of '{', '.join(TYPES)}' allowed question types.": kind
        not in TYPES,
        f"'variable' '{variable}' duplicated in survey question {place}.": variable in seen,
        f"'{variable}' in survey question {place} is no variable's name.": not re.fullmatch(r"[A-Za-z_]\w*", variable),
        f"'required' in survey question {place} expected to be boolean.": not isinstance(question["required"], bool),
        f"Survey question {place} of type {kind} must specify choices.": kind.startswith("multi")
        and not question.get("choices"),
    }
    for message, wrong in refusals.items():
        if wrong:
            return message
    default = question.get("default")
    if default in (None, ""):
        return ""
    mistakes = answer_mistakes({**question, "required": False}, {variable: default})
    return f"Default of survey question {place}: {mistakes[0]}" if mistakes else ""


def answer_mistakes(question: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Find what is wrong with the answer to one question."""
    name, kind = question["variable"], question["type"]
    if name not in data:
        return [f"'{name}' value missing"] if question["required"] else []
    if kind in ("text", "textarea", "password"):
        return _text_mistakes(question, name, data[name])
    if kind in ("integer", "float"):
        return _number_mistakes(question, name, data[name])
    return _choice_mistakes(question, name, data[name])


def _text_mistakes(question: Mapping[str, Any], name: str, value: Any) -> list[str]:
    low, high = question.get("min"), question.get("max")
    if not isinstance(value, str):
        return [f"Value {value} for '{name}' expected to be a string."]
    wrong = []
    if low not in ("", None) and len(value) < int(low):
        wrong.append(f"'{name}' value {value} is too small (length is {len(value)} must be at least {low}).")
    if high not in ("", None) and len(value) > int(high):
        wrong.append(f"'{name}' value {value} is too large (must be no more than {high}).")
    return wrong


def _number_mistakes(question: Mapping[str, Any], name: str, value: Any) -> list[str]:
    low, high, whole = question.get("min"), question.get("max"), question["type"] == "integer"
    if isinstance(value, bool) or not isinstance(value, (int,) if whole else (int, float)):
        return [f"Value {value} for '{name}' expected to be {'an integer' if whole else 'a numeric type'}."]
    wrong = []
    if low not in ("", None) and value < float(low):
        wrong.append(f"'{name}' value {value} is too small (must be at least {low}).")
    if high not in ("", None) and value > float(high):
        wrong.append(f"'{name}' value {value} is too large (must be no more than {high}).")
    return wrong


def _choice_mistakes(question: Mapping[str, Any], name: str, value: Any) -> list[str]:
    choices, several = question["choices"], question["type"] == "multiselect"
    choices = choices.split("\n") if isinstance(choices, str) else choices
    if several and not isinstance(value, list):
        return [f"'{name}' value is expected to be a list."]
    chosen = value if several else [value]
    return [f"Value {each} for '{name}' expected to be one of {choices}." for each in chosen if each not in choices]


def sorted_answers(
    template: Mapping[str, Any], data: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """(accepted, ignored, mistakes): a survey without ``ask_variables_on_launch`` is the list of what is taken."""
    left, accepted, rejected, mistakes = dict(data), {}, {}, []
    if template["survey_enabled"] and template["survey_spec"]:
        for question in template["survey_spec"]["spec"]:
            name = question["variable"]
            if wrong := answer_mistakes(question, data):
                mistakes += wrong
                if name in left:
                    rejected[name] = left.pop(name)
            elif name in left:
                accepted[name] = left.pop(name)
    if template["ask_variables_on_launch"]:
        accepted.update(left)
    else:
        rejected.update(left)
    return accepted, rejected, mistakes


def type_mistakes(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Find what is wrong with a credential type."""
    if body.get("kind") not in ("cloud", "net"):
        return {"kind": [f"Must be 'cloud' or 'net', not {body.get('kind')}."]}
    inputs, injectors = body.get("inputs") or {}, body.get("injectors") or {}
    ids: set[str] = set()
    for entry in inputs.get("fields") or []:
        if wrong := _input_mistake(entry, ids):
            return {"inputs": [wrong]}
        ids.add(entry.get("id", ""))
    if missing := set(inputs.get("required") or []) - ids:
        return {"inputs": [f"required fields {sorted(missing)} are not fields"]}
    wrong = _injector_mistake(injectors) or _template_mistake(injectors, ids)
    return {"injectors": [wrong]} if wrong else {}


def _input_mistake(entry: Mapping[str, Any], ids: set[str]) -> str:
    name = entry.get("id", "")
    if unknown := set(entry) - INPUT_KEYS:
        return f"Additional properties are not allowed ('{sorted(unknown)[0]}' was unexpected)"
    if not re.fullmatch(r"[a-zA-Z_]+[a-zA-Z0-9_]*", name) or "label" not in entry:
        return f"'{name}' is an invalid variable name, or has no label"
    if name in ids:
        return f"field IDs must be unique ({name})"
    if name == "tower":
        return "'tower' is a reserved field name"
    if entry.get("type", "string") not in ("string", "boolean"):
        return f"'{entry['type']}' is not one of ['string', 'boolean']"
    return ""


def _injector_mistake(injectors: Mapping[str, Any]) -> str:
    if unknown := set(injectors) - {"env", "extra_vars", "file"}:
        return f"Additional properties are not allowed ('{sorted(unknown)[0]}' was unexpected)"
    files = injectors.get("file") or {}
    if "template" in files and _named_files(files):
        return "Must define either a single-file or a multi-file syntax, not both."
    if wrong := [name for name in files if not re.fullmatch(r"template(\.\w+)?", name)]:
        return f"'{wrong[0]}' is no file: template or template.<name>"
    for name in injectors.get("env") or {}:
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name.startswith("ANSIBLE_"):
            return f"Environment variable {name} may affect Ansible configuration so its use is not allowed in credentials."
    return ""


def _template_mistake(injectors: Mapping[str, Any], ids: set[str]) -> str:
    files = injectors.get("file") or {}
    single = {"tower.filename", "awx.filename"} if "template" in files else set()
    several = {f"{prefix}.filename.{name}" for prefix in ("tower", "awx") for name in _named_files(files)}
    for group in ("env", "extra_vars", "file"):
        known = ids if group == "file" else ids | single | several | _named_files(files)
        for text in (injectors.get(group) or {}).values():
            for used in re.findall(r"\{\{\s*([\w.]+)", str(text)):
                if used not in known:
                    return f"Template rendering unexpectedly failed: '{used}' is undefined"
    return ""


def _named_files(files: Mapping[str, Any]) -> set[str]:
    return {name.partition(".")[2] for name in files if name != "template"}


def rrule_mistake(rule: str) -> str:
    """Find what is wrong with a schedule's rule; empty when nothing is."""
    if not re.match(r"DTSTART(:\d{8}T\d{6}Z|;TZID=[^:]+:\d{8}T\d{6})(\s|$)", rule):
        return "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"
    if len(re.findall("DTSTART", rule)) > 1:
        return "Multiple DTSTART is not supported."
    rules = re.findall(r"RRULE:(\S+)", rule)
    if not rules:
        return "RRULE required in rrule."
    for one in rules:
        if "INTERVAL" not in one:
            return "INTERVAL required in rrule."
        if "SECONDLY" in one:
            return "SECONDLY is not supported."
        if "COUNT" in one and "UNTIL" in one:
            return "RRULE may not contain both COUNT and UNTIL"
    return ""


def matches(row: Mapping[str, Any], query: Mapping[str, str], related: Any) -> bool:
    """Tell whether a row is what the query asks for. ``related(row, field, rest)`` gives the values behind ``labels__name`` and the like.

    :raises BadQuery: no such field.
    """
    for key, wanted in query.items():
        if key in RESERVED:
            continue
        path, negate = (key[5:], True) if key.startswith("not__") else (key, False)
        parts = path.split("__")
        lookup = parts.pop() if parts[-1] in LOOKUPS else "exact"
        values = [row[parts[0]]] if len(parts) == 1 and parts[0] in row else related(row, parts[0], parts[1:])
        if any(_fits(value, lookup, wanted) for value in values) == negate:
            return False
    return True


def _fits(value: Any, lookup: str, wanted: str) -> bool:
    if lookup == "isnull":
        return (value is None) == (wanted.lower() in ("true", "1"))
    if lookup in ("gt", "gte", "lt", "lte"):
        left, right = (float(value), float(wanted)) if isinstance(value, int | float) else (str(value), wanted)
        return {"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[lookup]  # type: ignore[operator]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if lookup == "in":
        return text in wanted.split(",")
    if lookup.startswith("i"):
        text, wanted, lookup = text.lower(), wanted.lower(), lookup[1:]
    return {
        "exact": text == wanted,
        "contains": wanted in text,
        "startswith": text.startswith(wanted),
        "endswith": text.endswith(wanted),
        "regex": lookup == "regex" and re.search(wanted, text) is not None,
    }[lookup]
