# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Expressions of a declared connector: JMESPath with three more functions.

A JMESPath expression always ends, changes nothing and sees only the value that it is given. ``lower(text)`` is for comparisons,
``moment(x)`` makes ISO 8601 of epoch seconds, epoch milliseconds or ISO 8601, ``past(x)`` returns whether a moment is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from typing import Any

try:
    import jmespath
    from jmespath import exceptions, functions
except ImportError:
    # The collection must be readable (documentation, tests) without it; reading a connector's file raises the error in `expression`.
    jmespath = None

from ...model import clock
from ...model.errors import ProtocolError

#: Anything that JSON can hold.
Json = Any
#: A number from here on is milliseconds, not seconds: in seconds it would be the year 5138.
_MILLISECONDS = 10**11


def moment(value: Json) -> str:
    """Return a vendor's moment as ISO 8601; empty for none, and for Go's zero time.

    :raises ValueError: it is no moment.
    """
    if value in (None, "", 0) or str(value).startswith("0001-"):
        return ""
    if isinstance(value, (int, float)):
        seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
        try:
            return clock.stamp(datetime.fromtimestamp(seconds, timezone.utc))
        except (OverflowError, OSError) as e:
            raise ValueError(f"{value} is no moment") from e
    return str(value)


@cache
def _options() -> Any:
    """Return JMESPath's options with our three functions; made when the first expression is used."""

    class Functions(functions.Functions):  # type: ignore[misc]
        @functions.signature({"types": ["string", "null"]})  # type: ignore[untyped-decorator]
        def _func_lower(self, text: str | None) -> str:
            return (text or "").casefold()

        @functions.signature({"types": ["string", "number", "null"]})  # type: ignore[untyped-decorator]
        def _func_moment(self, value: Json) -> str:
            return moment(value)

        @functions.signature({"types": ["string", "number", "null"]})  # type: ignore[untyped-decorator]
        def _func_past(self, value: Json) -> bool:
            when = moment(value)
            return bool(when) and clock.parse(when) <= clock.now()

    return jmespath.Options(custom_functions=Functions())


class Mistake(ValueError):
    """An expression, or a text with holes, that has a mistake. ``hint`` says what to write."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True)
class Expression:
    """One expression, compiled."""

    text: str
    _compiled: Any = field(repr=False, compare=False)

    def of(self, value: Json) -> Json:
        """Return the result of the expression for a value.

        :raises ProtocolError: the value does not have the form that the expression expects.
        """
        try:
            return self._compiled.search(value, options=_options())
        except (exceptions.JMESPathError, ValueError) as e:
            raise ProtocolError(
                f"what it answered does not fit the expression {self.text!r} ({type(e).__name__})",
                act="read its answer",
            ) from None

    def text_of(self, value: Json) -> str:
        """Return the result of :meth:`of` as a text; empty for nothing."""
        found = self.of(value)
        return "" if found is None or found is False else str(found)

    def names(self) -> frozenset[str]:
        """Return the top-level names that the expression uses: ``item`` and ``account`` for ``item.id == account.id``."""
        return frozenset(_names(self._compiled.parsed))


@cache
def expression(text: str) -> Expression:
    """Compile an expression.

    :raises Mistake: it is no JMESPath, calls an unknown function, or negates less than it seems to.
    """
    if jmespath is None:
        raise Mistake("the Python library jmespath is not installed", "pip install -r requirements.txt")
    try:
        compiled = jmespath.compile(text)
    except exceptions.JMESPathError as e:
        raise Mistake(f"{text!r} is no JMESPath: {str(e).splitlines()[0]}", "see https://jmespath.org") from None
    for node in _nodes(compiled.parsed):
        first = node["children"][0] if node["children"] else None
        if (
            node["type"] in ("subexpression", "index_expression", "projection", "comparator")
            and isinstance(first, dict)
            and first["type"] == "not_expression"
        ):
            # JMESPath reads !a.b as (!a).b, which is never true.
            raise Mistake(f"{text!r} means (!a).b", "write !(a.b)")
        if node["type"] == "subexpression" and isinstance(first, dict) and first["type"] == "value_projection":
            # JMESPath reads a.*.b.c as (a.*.b).c, and a list has no c. A cursor that is never found would end a list too early.
            raise Mistake(f"{text!r} finds nothing: JMESPath takes one name after .*", "write values(a)[].b.c")
        if node["type"] == "function_expression" and node["value"] not in _options().custom_functions.FUNCTION_TABLE:
            raise Mistake(
                f"{text!r} calls {node['value']}(), which does not exist",
                "use lower, moment, past, or a function of JMESPath",
            )
    return Expression(text, compiled)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


#: Nodes whose first child reads the value itself, and whose other children read the result of the first.
_NARROWING = (
    "subexpression",
    "pipe",
    "projection",
    "value_projection",
    "filter_projection",
    "index_expression",
    "flatten",
)


def _names(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
        return
    children = [child for child in node["children"] if isinstance(child, dict)]
    for child in children[:1] if node["type"] in _NARROWING else children:
        yield from _names(child)
