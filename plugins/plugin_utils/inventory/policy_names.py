# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""That a policy names only what the company has: a misspelt system protects nobody, and nothing says so until somebody is cut."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from ...module_utils.model.marked_yaml import Document
from ...module_utils.sdk.target import Connector

#: Where a policy names systems as keys, and whether kinds of entitlements stand below them.
_KEYED = (
    (("protected", "accounts"), False),
    (("protected", "entitlements"), True),
    (("privileged",), True),
    (("transfer", "systems"), False),
    (("reconcile", "service"), False),
    (("connectors",), False),
)
#: Where it names them in a list, and where as a value of each entry.
_LISTED = (("followups", "delete_on"),)
_ENTRIES = ((("reconcile", "ignore"), "system"), (("protected", "members"), "system"))


def check_names(document: Document, systems: Mapping[str, type[Connector]]) -> None:
    """Hold what a policy names against the systems file.

    :raises InputError: names file, line, key, and what may have been meant.
    """
    for path, kinds in _KEYED:
        for name, inner in _mapping(document, path).items():
            _known(document, (*path, name), str(name), systems, "system")
            if kinds and isinstance(inner, Mapping):
                for kind in inner:
                    has = getattr(systems[str(name)], "ENTITLEMENT_KINDS", ())
                    _known(document, (*path, name, kind), str(kind), has, f"kind of entitlements on {name}")
    for path in _LISTED:
        for number, name in enumerate(_sequence(document, path)):
            _known(document, (*path, number), str(name), systems, "system")
    for path, key in _ENTRIES:
        for number, entry in enumerate(_sequence(document, path)):
            if isinstance(entry, Mapping) and key in entry:
                _known(document, (*path, number, key), str(entry[key]), systems, "system")


def _known(document: Document, path: tuple[Any, ...], name: str, known: Collection[str], what: str) -> None:
    if name in known:
        return
    near = get_close_matches(name, list(known), 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    raise document.error(f"there is no {what} {name!r}", *path, hint=hint)


def _at(document: Document, path: tuple[str, ...]) -> Any:
    value = document.data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _mapping(document: Document, path: tuple[str, ...]) -> Mapping[Any, Any]:
    value = _at(document, path)
    return value if isinstance(value, Mapping) else {}


def _sequence(document: Document, path: tuple[str, ...]) -> Iterator[Any]:
    value = _at(document, path)
    yield from value if isinstance(value, (list, tuple)) else ()
