# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A part of a connector's file: each key is read by its name, and a mistake is an error of one line with file, line, key and fix."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeAlias

from ...model import near
from ...model.errors import InputError
from ...model.marked_yaml import Document
from ...model.person import Person
from .expressions import Expression, Json, Mistake, expression
from .holes import holes, odd_braces

#: The names that a hole or an expression may use: first word -> the second words that are known, or None for any.
Names: TypeAlias = "Mapping[str, Collection[str] | None]"
#: Names without a second word.
PLAIN: Collection[str] = ()
ACCOUNT: Names = {"account": ("id", "login", "email", "active", "attributes", "raw")}
ENTITLEMENT: Names = {"entitlement": ("id", "name", "raw")}
ITEM: Names = {"item": None}
PERSON: Names = {"person": (*(one.name for one in fields(Person)), "name", "local_part")}


@dataclass(frozen=True)
class Part:
    """One mapping of the file. ``at`` is its path: keys and numbers."""

    document: Document
    data: Mapping[str, Json]
    at: tuple[str | int, ...] = ()

    def error(self, what: str, *more: str | int, hint: str = "") -> InputError:
        return self.document.error(what, *self.at, *more, hint=hint)

    def only(self, *known: str) -> None:
        """Refuse all other keys.

        :raises InputError: there is another key.
        """
        for key in self.data:
            if key not in known:
                raise self.error("unknown key", key, hint=near.hint(key, known))

    def __contains__(self, key: str) -> bool:
        return key in self.data

    # -- values --------------------------------------------------------------------------------------------------------

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that must be there, unless there is a default."""
        value = self.data.get(key, default)
        if value is None:
            raise self.error(
                f"has no {key}" if key not in self.data else "is empty", *((key,) if key in self.data else ())
            )
        if not isinstance(value, str) or (not value and default is None):
            raise self.error(f"must be a text, not {value!r}", key, hint="put it in quotes")
        return value

    def number(self, key: str, default: float) -> float:
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise self.error(f"must be a number, not {value!r}", key)
        return value

    def flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.error(f"must be true or false, not {value!r}", key)
        return value

    def one_of(self, key: str, known: Collection[str], default: str = "") -> str:
        value = self.text(key, default or None)
        if value not in known:
            raise self.error(f"is {value!r}", key, hint=f"one of {', '.join(known)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; a text alone is a list of one."""
        value = self.data.get(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.error("must be a list of texts", key)
        return tuple(value)

    def statuses(self, key: str) -> tuple[int, ...]:
        """Return the HTTP statuses that are an answer and no error here."""
        value = self.data.get(key, [])
        good = isinstance(value, list) and all(isinstance(one, int) and 300 <= one < 500 for one in value)
        if not good or set(value) & {401, 429}:
            raise self.error(
                "must be a list of statuses from 300 to 499, without 401 and 429", key, hint=f"{key}: [404]"
            )
        return tuple(value)

    def mapping(self, key: str) -> Mapping[str, Json]:
        value = self.data.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value):
            raise self.error("must be a mapping", key)
        return value

    # -- parts ---------------------------------------------------------------------------------------------------------

    def part(self, *keys: str | int) -> Part:
        """Return a mapping inside this one."""
        value: Json = self.data
        for key in keys:
            value = value[key]
        if not isinstance(value, dict):
            raise self.error("must be a mapping", *keys)
        return Part(self.document, value, (*self.at, *keys))

    def parts(self, key: str) -> Iterator[Part]:
        """Yield the mappings of a list; a mapping alone is a list of one."""
        value = self.data.get(key, [])
        if isinstance(value, dict):
            yield self.part(key)
        elif isinstance(value, list) and value:
            for number in range(len(value)):
                yield self.part(key, number)
        elif key in self.data:
            raise self.error("must be a mapping, or a list of them", key)

    def named_parts(self, key: str) -> Iterator[tuple[str, Part]]:
        for name in self.mapping(key):
            yield name, self.part(key, name)

    # -- expressions and holes -----------------------------------------------------------------------------------------

    def expression(self, key: str, names: Names | None = None) -> Expression:
        """Return an expression that must be there.

        :param names: the names that it may use, if it reads more than the vendor's answer.
        """
        text = self.text(key)
        try:
            made = expression(text)
        except Mistake as e:
            raise self.error(str(e), key, hint=e.hint) from None
        for name in sorted(made.names()) if names is not None else ():
            if name not in (names or {}):
                raise self.error(
                    f"{text!r} names {name}, which is not known here", key, hint=near.hint(name, names or {})
                )
        return made

    def maybe(self, key: str, names: Names | None = None) -> Expression | None:
        return self.expression(key, names) if key in self.data else None

    def expressions(self, key: str, known: Collection[str] = ()) -> dict[str, Expression]:
        """Return a mapping of names to expressions that read a row of the vendor.

        :param known: the only names that are allowed; empty for any.
        """
        part = self.part(key) if key in self.data else Part(self.document, {}, (*self.at, key))
        if known:
            part.only(*known)
        return {name: part.expression(name) for name in part.data}

    def check_holes(self, template: Json, names: Names, *more: str | int) -> None:
        """Check the holes of a template.

        :raises InputError: a hole uses an unknown name, or a text in braces is no hole.
        """
        for text in odd_braces(template):
            raise self.error(f"{text} is no hole", *more, hint="a hole is {account.id}: small letters, dots, no spaces")
        for name in holes(template):
            first, _sep, rest = name.partition(".")
            if first not in names:
                if first == "credentials":
                    raise self.error("a credential may be in auth only", *more, hint="name it in auth")
                raise self.error(f"{{{name}}} is not known here", *more, hint=near.hint(first, names))
            seconds = names[first]
            if seconds is None:
                continue
            second = rest.partition(".")[0]
            if second not in seconds and (second or seconds):
                raise self.error(f"{{{name}}} is not known here", *more, hint=near.hint(second, seconds))

    def template(self, key: str, names: Names) -> Json:
        """Return a value with its holes checked."""
        value = self.data[key]
        self.check_holes(value, names, key)
        return value
