# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads access profiles: what people of a role get on which system.

Each profile is a YAML file, and all are in one folder. A profile may extend others. It matches people by facts of HR;
the most specific match counts, and two equally specific ones are an error. Every error names its file and line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..connectors.registry import connector_class
from ..model import near
from ..model.errors import InputError
from ..model.marked_yaml import Document, read_document
from ..model.person import Person
from ..model.text import composed
from .policy import fact_of, like
from .profile_schema import SCHEMA

Wanted = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Profile:
    """One profile with everything it inherits.

    ``systems`` maps a system to names by kind of entitlement; a system with nothing under it means an account only.
    ``patterns`` are its own (not inherited): field, or ``attributes.NAME``, to alternatives. ``overlap`` is in days.
    """

    name: str
    file: str = ""
    description: str = ""
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    systems: Mapping[str, Wanted] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    device: Mapping[str, Any] = field(default_factory=dict)
    orientation: Mapping[str, Any] = field(default_factory=dict)
    overlap: int = 0

    def wanted(self, system: str) -> dict[str, list[str]]:
        """Return names by kind on a system; empty when the profile gives only an account there, or nothing."""
        return {kind: list(names) for kind, names in self.systems.get(system, {}).items()}

    def on(self, systems: Iterable[str]) -> dict[str, dict[str, list[str]]]:
        """Return what the profile gives, by system, for those of these systems that it names."""
        return {name: self.wanted(name) for name in systems if name in self.systems}

    def fits(self, person: Person) -> bool:
        """Return whether the person fits all patterns of the profile. Case does not count."""
        return bool(self.patterns) and all(
            like(fact_of(person, name), patterns) for name, patterns in self.patterns.items()
        )

    @property
    def specificity(self) -> tuple[int, int]:
        """Return how many facts the profile has patterns for, and how many of these have no wildcard. ``*`` alone does
        not count."""
        asked = [patterns for patterns in self.patterns.values() if "*" not in patterns]
        return len(asked), sum(1 for patterns in asked if not any(c in p for p in patterns for c in "*?["))


@dataclass(frozen=True)
class Profiles:
    """All profiles of a folder, by name."""

    folder: str
    by_name: Mapping[str, Profile]

    def named(self, name: str) -> Profile:
        """Return the profile of a name.

        :raises InputError: there is no such profile; the message guesses which one was meant.
        """
        own = composed(name)
        if own not in self.by_name:
            raise InputError(
                f"there is no access profile {name!r} in {self.folder}",
                act="find access profile",
                hint=near.hint(name, self.by_name),
            )
        return self.by_name[own]

    def match(self, person: Person) -> Profile:
        """Return the most specific profile that fits.

        :raises InputError: none fits, or two fit equally well; names them.
        """
        fitting = sorted(
            (p for p in self.by_name.values() if p.fits(person)), key=lambda p: p.specificity, reverse=True
        )
        act = f"find access profile of {person.email}"
        if not fitting:
            facts = ", ".join(
                f"{name} {value!r}"
                for name in ("department", "title", "location", "employment_type")
                if (value := getattr(person, name))
            )
            raise InputError(
                f"none in {self.folder} matches ({facts or 'HR gives no department, title, location or employment type'})",
                act=act,
                hint="add a profile that matches, or name one with -e profile=NAME",
            )
        drawn = [p for p in fitting if p.specificity == fitting[0].specificity]
        if len(drawn) > 1:
            raise InputError(
                f"{' and '.join(f'{p.name} ({p.file})' for p in drawn)} match equally well",
                act=act,
                hint="make one of them more specific, or name one with -e profile=NAME",
            )
        return fitting[0]


def load_profiles(folder: str, systems: Mapping[str, str]) -> Profiles:
    """Return every ``*.yml`` and ``*.yaml`` of a folder, checked against the schema and against the company's systems.

    :param systems: the name of a system -> the name of its connector.
    :raises InputError: names file, line and fix.
    """
    try:
        files = sorted(
            name for name in os.listdir(folder) if name.endswith((".yml", ".yaml")) and not name.startswith(".")
        )
    except OSError as e:
        raise InputError(
            f"{folder}: cannot be read: {e.strerror or e}",
            act="read access profiles",
            hint="set profiles: in the systems file to a folder of profiles",
        ) from None
    if not files:
        raise InputError(f"{folder}: no access profile in it (*.yml)", act="read access profiles")
    documents: dict[str, Document] = {}
    for file in files:
        document = read_document(os.path.join(folder, file))
        _check(document, systems)
        name = composed(document.data.get("name") or file.rpartition(".")[0])
        if name in documents:
            raise document.error(f"a profile {name} is already in {documents[name].file}", "name", hint="rename one")
        documents[name] = document
    inherited: dict[str, dict[str, Any]] = {}
    for name in documents:
        _inherit(name, documents, inherited, ())
    return Profiles(folder, {name: _profile(name, documents[name], content) for name, content in inherited.items()})


def _check(document: Document, systems: Mapping[str, str]) -> None:
    # Takes a fifth of a second to import, and only profiles need it.
    from jsonschema import Draft202012Validator

    if document.data is None:
        raise document.error("is empty", hint="delete it, or say what the profile gives")
    errors = sorted(
        Draft202012Validator(SCHEMA).iter_errors(document.data),
        key=lambda e: (len(e.absolute_path), str(e.absolute_path)),
    )
    if errors:
        raise _error_of(document, errors[0])
    meeting = document.data.get("orientation") or {}
    for path, name in (
        (("organiser",), meeting.get("organiser", "manager")),
        *((("attendees", n), one) for n, one in enumerate(meeting.get("attendees") or ())),
    ):
        if name != "manager" and "@" not in name:
            raise document.error(f"{name!r} is nobody", "orientation", *path, hint="an address, or manager")
    for system, wanted in (document.data.get("systems") or {}).items():
        if system not in systems:
            raise document.error("there is no such system", "systems", system, hint=near.hint(system, systems))
        kinds = getattr(connector_class(systems[system], system=system), "ENTITLEMENT_KINDS", ())
        for kind in wanted or {}:
            if kind not in kinds:
                raise document.error(
                    f"{systems[system]} has no entitlement of this kind",
                    "systems",
                    system,
                    kind,
                    hint=near.hint(kind, kinds) if kinds else f"write {system}: {{}} for an account only",
                )


def _error_of(document: Document, error: Any) -> InputError:
    """Return a schema error in the file's terms."""
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        return document.error("unknown key", *path, unknown, hint=near.hint(unknown, known))
    value = repr(error.instance)
    rule, wants = error.validator, error.validator_value
    if rule == "type":
        what = f"must be {_kind(wants)}, not {value}"
    elif rule == "oneOf":
        what = f"must be a text or a list of texts, not {value}"
    elif rule == "enum":
        what = f"{value} is not one of {', '.join(wants)}"
    else:
        what = {
            "uniqueItems": "says a name twice",
            "minProperties": "is empty",
            "minLength": "is empty",
            "minItems": "is empty",
        }.get(rule, str(error.message))
    return document.error(what, *path)


def _kind(names: Any) -> str:
    words = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number"}
    return " or ".join(words[n] for n in ([names] if isinstance(names, str) else names) if n in words)


def _inherit(
    name: str, documents: Mapping[str, Document], done: dict[str, dict[str, Any]], below: tuple[str, ...]
) -> dict[str, Any]:
    if name in done:
        return done[name]
    document = documents[name]
    content: dict[str, Any] = {}
    for number, parent in enumerate(document.data.get("extends") or ()):
        if parent == name or parent in below:
            raise document.error(
                f"goes in a circle: {' -> '.join((*below, name, parent))}",
                "extends",
                number,
                hint="take one of them out",
            )
        if parent not in documents:
            raise document.error(f"there is no profile {parent}", "extends", number, hint=near.hint(parent, documents))
        content = _merged(content, _inherit(parent, documents, done, (*below, name)))
    own = {key: value for key, value in document.data.items() if key not in ("name", "extends", "match")}
    done[name] = _merged(content, own)
    return done[name]


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return two profiles merged: mappings key by key, lists joined without doubles, every other value replaced by
    ``over``."""
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        if isinstance(before, Mapping) and (isinstance(value, Mapping) or value is None):
            merged[key] = _merged(before, value or {})
        elif isinstance(before, list) and isinstance(value, list):
            merged[key] = list(dict.fromkeys((*before, *value)))
        else:
            merged[key] = {} if value is None else value
    return merged


def _profile(name: str, document: Document, content: Mapping[str, Any]) -> Profile:
    match = dict(document.data.get("match") or {})
    facts = {
        **{k: v for k, v in match.items() if k != "attributes"},
        **{f"attributes.{k}": v for k, v in match.get("attributes", {}).items()},
    }
    return Profile(
        name,
        document.file,
        content.get("description", ""),
        {k: (v,) if isinstance(v, str) else tuple(v) for k, v in facts.items()},
        {system: wanted or {} for system, wanted in content.get("systems", {}).items()},
        tuple(content.get("controls", ())),
        content.get("device", {}),
        content.get("orientation", {}),
        content.get("overlap", 0),
    )
