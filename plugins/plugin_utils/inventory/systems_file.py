# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks a systems file (``company.systems.yml``) before it is used. The functions are pure; each error is one line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from ...module_utils.connectors.registry import CONNECTORS, connector_class, is_file
from ...module_utils.model import near
from ...module_utils.model.durations import seconds
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import PHASES
from ...module_utils.model.marked_yaml import Document, Tagged
from ...module_utils.sdk.capabilities import CAPABILITIES
from ...module_utils.sdk.target import ANY_SYSTEM, COMMON_OPTIONS, Connector, Option, Target, checked_options
from ..shell.credentials import SOURCES
from .names import refuse_unknown

PLUGIN = "workforce.lifecycle.systems"
#: Top-level keys that become ``lifecycle_*`` variables, and whether each is a path.
TOP = {
    "company": False,
    "ledger": True,
    "records": True,
    "archive": True,
    "profiles": True,
    "policy": True,
    "plans": True,
}
#: A system's keys.
SYSTEM: Mapping[str, Option] = {
    "connector": Option("What speaks to the system: a connector's name, or a file of your own, relative to this one."),
    "url": Option("The system's address; many connectors know theirs."),
    "owner": Option("The address of who is asked when a person must do something."),
    "service_level": Option("By phase, how long it may take: 15m, 4h, 2d, or seconds.", kind="dict"),
    "credentials": Option("By name, where a secret is; never the secret itself.", kind="dict"),
    "options": Option("The connector's settings.", kind="dict"),
    "ca_file": Option("The certificates that the system's own must be signed by, relative to this file."),
    "proxy": Option("The proxy that leads to it."),
    "timeout": Option("Seconds to wait for one answer.", kind="float"),
    "max_wait": Option("Seconds that one step waits in all when the system asks it to slow down.", kind="float"),
    "deadline": Option("Seconds that one step for one person may take.", kind="float"),
    "follow": Option("Seconds to follow what goes on at the system, such as a device's lock.", kind="float"),
    "vars": Option("Further variables of the host.", kind="dict"),
}
_KINDS: Mapping[str, tuple[type[Any] | tuple[type[Any], ...], str]] = {
    "str": (str, "a text"),
    "dict": (dict, "a mapping"),
    "float": ((int, float), "a number of seconds"),
}
_NAME = re.compile(r"^[a-z][a-z0-9_-]*$")


def check_systems(document: Document) -> None:
    """Check a whole systems file.

    :raises InputError: names file, line, key and fix.
    """
    data = document.data
    if not isinstance(data, dict):
        raise document.error("is empty" if data is None else "must be a mapping", hint=f"start with plugin: {PLUGIN}")
    for key in data:
        if key not in ("plugin", "systems", *TOP):
            raise document.error("unknown key", key, hint=near.hint(key, ("plugin", "systems", *TOP)))
    if data.get("plugin") != PLUGIN:
        raise document.error(f"must be {PLUGIN}", "plugin", hint=f"write plugin: {PLUGIN}")
    for key in TOP:
        if key in data and not isinstance(data[key], str):
            raise document.error(f"must be a text, not {data[key]!r}", key)
    systems = data.get("systems")
    if not isinstance(systems, dict) or not systems:
        raise document.error(
            "must name at least one system", "systems", hint="systems: {entra: {connector: entra, ...}}"
        )
    for name, entry in systems.items():
        _check_name(document, name)
        _check_system(document, name, entry)


def is_template(value: Any) -> bool:
    """Return whether Ansible fills the value in later, so that its content can't be checked now."""
    return isinstance(value, Tagged) or isinstance(value, str) and ("{{" in value or "{%" in value)


def _check_name(document: Document, name: Any) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise document.error("is not a name for a system", "systems", name, hint="lower-case letters, digits, - and _")
    if name in (*CAPABILITIES, "systems", "all", "ungrouped", "localhost"):
        raise document.error(
            "is the name of a group", "systems", name, hint=f"call it {name}-server, or as your company calls it"
        )


def _check_system(document: Document, name: str, entry: Any) -> None:
    at = ("systems", name)
    if not isinstance(entry, dict):
        raise document.error("must be a mapping", *at, hint="connector: and the rest, indented below it")
    for key, value in entry.items():
        if key not in SYSTEM:
            raise document.error("unknown key", *at, key, hint=near.hint(key, SYSTEM))
        if value is None or is_template(value):
            continue
        kind, words = _KINDS[SYSTEM[key].kind]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise document.error(
                f"must be {words}, not {value!r}" if key != "credentials" else "must be a mapping",
                *at,
                key,
            )
    cls = _connector(document, at, str(entry.get("connector") or ""))
    url = entry.get("url") or ""
    if cls.NEEDS_URL and not cls.DEFAULT_URL and not url:
        raise document.error("has no url", *at, hint=f"add url: the address of {cls.TITLE or name}")
    if url and not is_template(url) and cls.NEEDS_URL and "://" not in url:
        raise document.error(f"{url!r} is not an address", *at, "url", hint=f"write https://{url}")
    for what, limit in _known_part(entry, "service_level").items():
        refuse_unknown(document, (*at, "service_level", what), str(what), PHASES, "phase")
        if not is_template(limit) and seconds(limit) is None:
            raise document.error(
                f"must be a length of time, not {limit!r}", *at, "service_level", what, hint="15m, 4h, 2d, or seconds"
            )
    _check_vars(document, at, _known_part(entry, "vars"))
    if not is_template(entry.get("credentials")):
        _check_credentials(document, at, cls.CREDENTIALS, _known_part(entry, "credentials"))
    if not is_template(entry.get("options")):
        _check_options(document, at, name, cls, _known_part(entry, "options"))


def _check_vars(document: Document, at: tuple[str, ...], given: Mapping[str, Any]) -> None:
    for variable in given:
        if str(variable).startswith("lifecycle_"):
            raise document.error(
                "is not to be set here",
                *at,
                "vars",
                variable,
                hint=f"write {str(variable).removeprefix('lifecycle_')}: of the system",
            )


def _known_part(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of a system's entry; empty when all of it is a template, whose value only the run knows."""
    part = entry.get(key) or {}
    return {} if is_template(part) else part


def connector_file(connector: str, systems_file: str) -> str:
    """Return the absolute path of a connector file that is relative to the systems file."""
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(systems_file)), connector))


def _connector(document: Document, at: tuple[str, ...], connector: str) -> type[Connector]:
    if not connector:
        raise document.error("has no connector", *at, hint=f"connector: one of {', '.join(CONNECTORS)}, or a file")
    if is_file(connector):
        # A mistake in it names its own file and line.
        return connector_class(connector_file(connector, document.file))
    if connector not in CONNECTORS:
        raise document.error(f"unknown connector {connector}", *at, "connector", hint=near.hint(connector, CONNECTORS))
    return CONNECTORS[connector]


def _check_credentials(
    document: Document, at: tuple[str, ...], known: Mapping[str, Option], given: Mapping[str, Any]
) -> None:
    for key, reference in given.items():
        here = (*at, "credentials", key)
        if key not in known:
            raise document.error(
                "unknown credential", *here, hint=near.hint(key, known) if known else "this connector takes none"
            )
        if is_template(reference):
            continue
        if isinstance(reference, dict):
            sources = [source for source in SOURCES if source in reference]
            if len(sources) != 1:
                raise document.error(
                    "names " + (" and ".join(sources) or "no source"),
                    *here,
                    hint=f"give exactly one of {', '.join(SOURCES)}",
                )
            extra = set(reference) - {sources[0]}
            if extra and sources[0] != "lookup":
                raise document.error("unknown key", *here, sorted(extra)[0], hint=f"{sources[0]} stands alone")
            if not reference[sources[0]]:
                raise document.error("is empty", *here, sources[0])
            continue
        # The value itself is not repeated: it is a secret.
        raise document.error(
            "is a secret in plain text",
            *here,
            hint="write {env: NAME}, {file: path}, {lookup: plugin, args: [...]}, or encrypt it: ansible-vault encrypt_string",
        )
    for key, option in known.items():
        if option.required and key not in given:
            raise document.error(
                f"credential {key} is missing", *at, "credentials", hint=f"add {key}: {{env: NAME}} ({option.help})"
            )


def _check_options(
    document: Document, at: tuple[str, ...], name: str, cls: type[Connector], given: Mapping[str, Any]
) -> None:
    known = {**COMMON_OPTIONS, **cls.OPTIONS}
    for key in given:
        if key not in known:
            raise document.error("unknown option", *at, "options", key, hint=near.hint(key, known))
    for key, value in given.items():
        if is_template(value):
            continue
        try:
            checked_options(name, cls, {**{k: _stand_in(o) for k, o in known.items() if o.required}, key: value})
        except InputError as e:
            raise document.error(e.what, *at, "options", key, hint=e.hint) from None
    for key, option in known.items():
        if option.required and given.get(key) in (None, ""):
            raise document.error(f"option {key} is missing", *at, "options", hint=f"add options.{key}: {option.help}")
    _check_named(document, at, cls.OPTIONS, given)
    if cls.NEEDS_URL or cls.CREDENTIALS or not given or any(is_template(value) for value in given.values()):
        return
    # A connector that needs only options can be made now, so that its errors are shown before a run.
    try:
        cls(Target(name, cls.__name__, options=checked_options(name, cls, given)))
    except InputError as e:
        raise document.error(e.what, *at, "options", hint=e.hint) from None


def _check_named(
    document: Document, at: tuple[str, ...], options: Mapping[str, Option], given: Mapping[str, Any]
) -> None:
    """Refuse an unknown name in an option: a login for a misspelt system would have no effect."""
    for key, option in options.items():
        value = given.get(key)
        if not option.names or not value or is_template(value):
            continue
        others = [name for name in option.names if name != ANY_SYSTEM]
        systems = [str(name) for name in document.data["systems"]] if ANY_SYSTEM in option.names else []
        what = " or ".join((["name"] if others else []) + (["system"] if systems else []))
        for one in [value] if isinstance(value, str) else value:
            path = (*at, "options", key) if value is one else (*at, "options", key, one)
            refuse_unknown(document, path, str(one), [*others, *systems], what)


def _stand_in(option: Option) -> Any:
    if option.choices:
        return option.choices[:1] if option.kind == "list" else option.choices[0]
    return {"str": "x", "path": "x", "int": 1, "float": 1.0, "bool": True, "list": ["x"], "dict": {"x": "x"}}[
        option.kind
    ]
