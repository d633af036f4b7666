# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Holes in a declared connector's requests: ``{account.id}`` is replaced by a value. Nothing is computed, as in a template.

A text that is only one hole keeps the type of the value. ``{name?}`` leaves out its key when there is no value. In a path, the value of a
hole is quoted and stays in one segment. Inside quotes, the value is escaped for these quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...sdk.address import UrlPath, at
from ...sdk.quotes import within
from .expressions import Json

_HOLE = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_:-]+)*)(\?)?\}")
#: A part of a host's name.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
#: Anything in braces: a hole, or a hole with a mistake.
_BRACES = re.compile(r"\{[^{}]*\}")
Scope = Mapping[str, Any]


class Verbatim(str):
    """A text in GraphQL, whose braces are no holes."""


class Backslashed(str):
    """A text in a query language that escapes with a backslash inside quotes: SOQL."""


class Missing(LookupError):
    """There is no value for a hole."""


class Unsafe(ValueError):
    """The value would change the address it is put into."""


def holes(template: Json) -> Iterator[str]:
    """Yield the names of all holes of a template, in all nested values."""
    return (found[1] for text in _texts(template) for found in _HOLE.finditer(text))


def odd_braces(template: Json) -> Iterator[str]:
    """Yield each text in braces that is no hole: ``{Account.id}``, ``{ id }``."""
    odd = (found[0] for text in _texts(template) for found in _BRACES.finditer(text))
    return (braces for braces in odd if not _HOLE.fullmatch(braces))


def _texts(template: Json) -> Iterator[str]:
    """Yield every text of a template, without the names of keys."""
    if isinstance(template, (Mapping, list)):
        for value in template.values() if isinstance(template, Mapping) else template:
            yield from _texts(value)
    elif isinstance(template, str):
        yield template


def value_at(scope: Scope, name: str) -> Json:
    """Return the value with a dotted name.

    :raises Missing: there is none, or it is null.
    """
    here: Any = scope
    for part in name.split("."):
        here = here.get(part) if isinstance(here, Mapping) else getattr(here, part, None)
        if here is None:
            raise Missing(name)
    return here


def filled(template: Json, scope: Scope) -> Json:
    """Return the template with its holes filled; see the module.

    :raises Missing: a hole without a question mark has no value.
    """
    if isinstance(template, Mapping):
        made: dict[str, Json] = {}
        for key, value in template.items():
            try:
                made[key] = filled(value, scope)
            except Missing:
                if not (isinstance(value, str) and _HOLE.fullmatch(value) and value.endswith("?}")):
                    raise
        return made
    if isinstance(template, list):
        return [filled(value, scope) for value in template]
    if not isinstance(template, str):
        return template
    if isinstance(template, Verbatim):
        return str(template)
    whole = _HOLE.fullmatch(template)
    if whole:
        return value_at(scope, whole[1])
    return _HOLE.sub(lambda found: _quoted(found, template, _text(value_at(scope, found[1]))), template)


def filled_path(template: str, scope: Scope) -> UrlPath:
    """Return a path with its holes filled; each value is quoted and stays in one segment.

    :raises Missing: a hole has no value.
    :raises InputError: a value would change the path.
    """
    return at(_HOLE.sub("{}", template), *(_text(value_at(scope, name)) for name in holes(template)))


def filled_address(template: str, scope: Scope) -> str:
    """Return an address with its holes filled; a value in the host must be a part of a host's name.

    :raises Missing: a hole has no value.
    :raises Unsafe: a value would change the host.
    :raises InputError: a value would change the path.
    """
    scheme, _sep, rest = template.partition("://")
    host, slash, path = rest.partition("/")
    for name in holes(host):
        if not _HOST.fullmatch(_text(value_at(scope, name))):
            raise Unsafe(f"{name} is no part of a host's name")
    return f"{scheme}://{filled(host, scope)}{filled_path(slash + path, scope) if slash else ''}"


def pattern(template: str) -> re.Pattern[str]:
    """Return a regular expression that matches every text that the template can become."""
    parts, end = [], 0
    for found in _HOLE.finditer(template):
        parts += [re.escape(template[end : found.start()]), ".*"]
        end = found.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(_text, value)) if isinstance(value, list) else str(value)


def _quoted(found: re.Match[str], template: str, text: str) -> str:
    """Return a value, escaped if it is inside the double quotes of a filter (SCIM, RFC 7644) or the single quotes of OData or SOQL."""
    around = template[found.start() - 1 : found.start()] + template[found.end() : found.end() + 1]
    if isinstance(template, Backslashed) and around == "''":
        return within(text, "'")
    if around == '""':
        return within(text)
    return text.replace("'", "''") if around == "''" else text
