# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks that a policy names only systems, people and steps that exist: a rule with a misspelt system would protect
nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from ...module_utils.engine import steps
from ...module_utils.engine.case_step import CaseStep
from ...module_utils.model.kinds import KINDS, PHASES
from ...module_utils.model.marked_yaml import Document, Path
from ...module_utils.model.person import Person
from ...module_utils.sdk.capabilities import capabilities_of
from ...module_utils.sdk.target import Connector
from ..shell.tasks import TASKS
from .names import refuse_fitting_none, refuse_no_address, refuse_unknown

#: Stands in a place for every key of a mapping, or every entry of a list.
_EACH = "*"
#: The places where policy has systems as keys; below those of ``_KIND_KEYS`` are kinds of entitlements.
_SYSTEM_KEYS: tuple[Path, ...] = (
    ("protected", "accounts"),
    ("transfer", "systems"),
    ("reconcile", "service"),
    ("service_accounts",),
    ("connectors",),
)
_KIND_KEYS: tuple[Path, ...] = (("protected", "entitlements"), ("privileged",))
_SYSTEMS: tuple[Path, ...] = (
    ("followups", "delete_on", _EACH),
    ("followups", "also", _EACH, "system"),
    ("identity", "precreated", _EACH),
    ("reconcile", "ignore", _EACH, "system"),
    ("protected", "members", _EACH, "system"),
    ("separation", _EACH, "one", "system"),
    ("separation", _EACH, "other", "system"),
)
#: Mappings with a ``system`` and a ``kind`` of entitlements there.
_HOLDINGS: tuple[Path, ...] = (
    ("protected", "members", _EACH),
    ("separation", _EACH, "one"),
    ("separation", _EACH, "other"),
)
#: The places with addresses of people who approve, release or get letters.
_PEOPLE: tuple[Path, ...] = (
    ("approvals", _EACH, "by", _EACH),
    ("brake", _EACH, "release", _EACH),
    ("responsibility", "digest", _EACH),
    ("responsibility", "mail", "sender"),
)


def check_names(document: Document, systems: Mapping[str, type[Connector]]) -> None:
    """Compare the names in a policy with the systems file, HR's facts and the kinds of cases.

    :raises InputError: names file, line, key, and what may have been meant.
    """
    for path in (*_SYSTEM_KEYS, *_KIND_KEYS):
        for at, named in _found(document.data, path):
            for name in named if isinstance(named, Mapping) else ():
                refuse_unknown(document, (*at, name), str(name), systems, "system")
    for path in _SYSTEMS:
        for at, name in _found(document.data, path):
            if name != "":
                refuse_unknown(document, at, str(name), systems, "system")
    for path in _PEOPLE:
        for at, name in _found(document.data, path):
            refuse_no_address(document, at, str(name))
    _check_kinds(document, systems)
    _check_later(document, systems)
    _check_duties(document, systems)


def _check_kinds(document: Document, systems: Mapping[str, type[Connector]]) -> None:
    named = [
        ((*at, kind), str(kind), str(at[-1]))
        for path in _KIND_KEYS
        for at, kinds in _found(document.data, (*path, _EACH))
        for kind in (kinds if isinstance(kinds, Mapping) else ())
    ]
    named += [
        ((*at, "kind"), str(holding["kind"]), str(holding.get("system")))
        for path in _HOLDINGS
        for at, holding in _found(document.data, path)
        if isinstance(holding, Mapping) and "kind" in holding
    ]
    for at, kind, system in named:
        known = getattr(systems[system], "ENTITLEMENT_KINDS", ())
        refuse_unknown(document, at, kind, known, f"kind of entitlements on {system}")


def _check_later(document: Document, systems: Mapping[str, type[Connector]]) -> None:
    for at, kind in _found(document.data, ("followups", "also", _EACH, "kind")):
        refuse_unknown(document, at, str(kind), KINDS, "kind of case")
    for at, name in _found(document.data, ("followups", "delete_on", _EACH)):
        if "provisioning" not in capabilities_of(systems[str(name)]):
            raise document.error(f"{name} can't delete accounts", *at, hint="name it in followups.also, for a person")
    for at, fact in _found(document.data, ("followups", "return_fact")):
        if not str(fact).startswith("attributes."):
            refuse_unknown(document, at, str(fact), [one.name for one in fields(Person)], "fact that HR gives")


def _check_duties(document: Document, systems: Mapping[str, type[Connector]]) -> None:
    for at, pattern in _found(document.data, ("responsibility", "duties", _EACH, "system")):
        refuse_fitting_none(document, at, str(pattern), systems, "system")
    for at, pattern in _found(document.data, ("responsibility", "duties", _EACH, "step")):
        refuse_fitting_none(document, at, str(pattern), {*PHASES, *_steps()}, "phase or step")


def _steps() -> Iterator[str]:
    """Yield the names of steps in the ledger: the module's, or the step's own."""
    yield from TASKS
    for group in vars(steps).values():
        for one in group.values() if isinstance(group, Mapping) else ():
            if isinstance(one, CaseStep) and one.name:
                yield one.name


def _found(data: Any, path: Path, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the values at a path of a file, each with its own full path; nothing where the path does not exist."""
    if not path:
        yield at, data
        return
    key, rest = path[0], path[1:]
    if key == _EACH:
        inner: Any = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
        for own, value in inner:
            yield from _found(value, rest, (*at, own))
    elif isinstance(data, Mapping) and key in data:
        yield from _found(data[key], rest, (*at, key))
