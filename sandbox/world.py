# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One emulator for every declared connector: a vendor's world is tables, and what its calls do to them.

A world (``sandbox/worlds/<connector>.py``) gives the seed, the operations, and how a tester sees what has become of a person
(:meth:`World.see`): by the tables, and not by the connector's own reading of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from sandbox.emulator import Call, Emulator, Handler, Reply

FILES = Path(__file__).resolve().parents[1] / "plugins" / "module_utils" / "connectors" / "declared" / "files"
Row = dict[str, Any]
#: What one call does.
Op = Callable[["World", Call], Reply]
#: Whether a row is part of a list.
Test = Callable[["World", Call, Row], bool]


@dataclass(frozen=True)
class Seen:
    """What has become of a person: ``account`` is ``active``, ``suspended``, ``invited`` or ``absent``; ``open`` are the ways in that
    still work beside the account itself; ``held`` are ``kind: name``; ``owned`` what they own."""

    account: str
    open: Sequence[str] = ()
    held: Iterable[str] = frozenset()
    owned: Sequence[str] = ()


# -- pages -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoPages:
    """Every list is whole."""

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        """Return the rows of the page that was asked for, what the body says of the others, and headers."""
        return rows, {}, {}


@dataclass(frozen=True)
class Numbered:
    """Pages by number, ``first`` being the first; ``path``: the number is an argument of the path."""

    page: str = "page"
    size: str = ""
    first: int = 1
    path: bool = False
    fixed: int = 100

    def where(self, world: World, call: Call) -> tuple[int, int]:
        """Return the number of the page, and how many rows a page has."""
        said = (call.args if self.path else call.query).get(self.page)
        return 0 if said is None or world.stuck else int(said) - self.first, world.page_size or int(
            call.query.get(self.size) or self.fixed
        )

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        number, size = self.where(world, call)
        return (
            rows[number * size : (number + 1) * size],
            {"total": len(rows), "last": (number + 1) * size >= len(rows)},
            {},
        )


@dataclass(frozen=True)
class LinkHeader(Numbered):
    """Pages by number, and a Link header (RFC 8288) that leads to the next."""

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        number, size = self.where(world, call)
        page, more, _ = super().cut(world, call, rows)
        if more["last"] and not (world.stuck and rows):
            return page, more, {}
        query = {**call.query, self.page: str(number + self.first + 1)}
        link = "&".join(f"{k}={v}" for k, v in query.items())
        return (
            page,
            more,
            {"link": f'<{world.url}{call.path}?{link}>; rel="next", <{world.url}{call.path}>; rel="first"'},
        )


@dataclass(frozen=True)
class Offset:
    """Pages by the number of rows before them."""

    offset: str = "offset"
    size: str = "limit"
    fixed: int = 100

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        start = 0 if world.stuck else int(call.query.get(self.offset) or 0)
        size = world.page_size or int(call.query.get(self.size) or self.fixed)
        last = start + size >= len(rows) and not (world.stuck and rows)
        return rows[start : start + size], {"total": len(rows), "last": last, "offset": start, "limit": size}, {}


@dataclass(frozen=True)
class Cursor:
    """Pages by a token that the answer gives; here it is the number of rows before the next page."""

    cursor: str = "cursor"
    size: str = "limit"
    fixed: int = 100
    json: bool = False

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        said: Mapping[str, Any] = (call.body or {}) if self.json else call.query
        said = said.get("variables", said) if self.json else said
        start = 0 if world.stuck else int(said.get(self.cursor) or 0)
        size = world.page_size or int(said.get(self.size) or self.fixed)
        last = start + size >= len(rows) and not (world.stuck and rows)
        return (
            rows[start : start + size],
            {"total": len(rows), "last": last, "next": None if last else str(start + size)},
            {},
        )


@dataclass(frozen=True)
class After:
    """Pages that go on after the id of a row."""

    after: str = "after"

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        ids = [row["id"] for row in rows]
        after = call.query.get(self.after)
        start = ids.index(after) + 1 if after in ids and not world.stuck else 0
        size = world.page_size or int(call.query.get("limit") or 20)
        page = rows[start : start + size]
        more = start + size < len(rows) or world.stuck and bool(rows)
        return (
            page,
            {"more": more, "last": page[-1]["id"] if page else None, "first": page[0]["id"] if page else None},
            {},
        )


# -- what calls do -----------------------------------------------------------------------------------------------------


def listed(table: str, test: Test | None = None, *, wrap: str = "", pages: Any = None) -> Op:
    """Lists a table's rows that pass the test."""

    def op(world: World, call: Call) -> Reply:
        rows = [row for row in world.state[table].values() if test is None or test(world, call, row)]
        return world.paged(call, rows, wrap=wrap, pages=pages)

    return op


def one(table: str, *, arg: str = "id", wrap: str = "") -> Op:
    """Shows one row."""

    def op(world: World, call: Call) -> Reply:
        row = world.row(table, call.args[arg])
        return world.missing(call) if row is None else Reply(200, {wrap: row} if wrap else row)

    return op


def changed(
    table: str, change: Callable[[Any, Call, Row], Reply | None], *, arg: str = "id", wrap: str = "", status: int = 200
) -> Op:
    """Changes one row, unless the change answers itself."""

    def op(world: World, call: Call) -> Reply:
        row = world.row(table, call.args[arg])
        if row is None:
            return world.missing(call)
        said = change(world, call, row)
        return said or Reply(status, None if status == 204 else {wrap: row} if wrap else row)

    return op


def removed(table: str, *, arg: str = "id", status: int = 204, body: Any = None) -> Op:
    """Removes one row."""

    def op(world: World, call: Call) -> Reply:
        row = world.row(table, call.args[arg])
        if row is None:
            return world.missing(call)
        world.state[table] = {key: other for key, other in world.state[table].items() if other is not row}
        return Reply(status, body)

    return op


def made(table: str, build: Callable[[Any, Call, int], Row | Reply], *, wrap: str = "", status: int = 201) -> Op:
    """Adds a row under the next number, unless the builder refuses."""

    def op(world: World, call: Call) -> Reply:
        number = world.next_id()
        row = build(world, call, number)
        if isinstance(row, Reply):
            return row
        world.state[table][row["id"]] = row
        return Reply(status, {wrap: row} if wrap else row)

    return op


def matching(**columns: str) -> Test:
    """Return rows whose columns are what the path's arguments say: ``matching(user_id="id")``."""
    return lambda world, call, row: all(str(row[column]) == call.args[arg] for column, arg in columns.items())


def keep(**columns: str) -> Test:
    """Return rows whose columns are what the query asks for, where it asks."""
    return lambda world, call, row: all(
        str(row[column]).lower() == call.query[name].lower() for column, name in columns.items() if name in call.query
    )


@cache
def _declared(name: str) -> Mapping[str, Any]:
    said: Mapping[str, Any] = yaml.safe_load((FILES / f"{name}.yml").read_text(encoding="utf-8"))
    return said


class World(Emulator):
    """A vendor's emulator made of tables. ``state`` maps a table to its rows by id; ``next`` counts new ids."""

    #: In front of every path of :meth:`operations`, and of the system's url.
    BASE: ClassVar[str] = ""
    #: Headers that sign a request; ``{name}`` is a secret of the sandbox. ``basic`` of a pair is written ``basic:{user}:{password}``.
    SIGNED: ClassVar[Mapping[str, str]] = {"authorization": "Bearer {token}"}
    UNSIGNED: ClassVar[Reply] = Reply(401, {"message": "unauthorized"})
    MISSING: ClassVar[Reply] = Reply(404, {"message": "not found"})
    PAGES: ClassVar[Any] = NoPages()
    OPTIONS: ClassVar[Mapping[str, Any]] = {}
    #: What jane can be given, and what she holds; None where the connector has no such kind.
    GIVE: ClassVar[tuple[str, str] | None] = None
    TAKE: ClassVar[tuple[str, str] | None] = None
    #: Serial and name of hardware that is checked out to Jane, where it can be checked in.
    RETURNED: ClassVar[tuple[str, str] | None] = None
    #: How a cut-off, a new account and a hand-over end.
    CUT: ClassVar[str] = "done"
    CREATED: ClassVar[str] = "done"
    #: What confirms that jane's account is deleted: her login here, and the id where that is what the connector shows.
    CONFIRM: ClassVar[Sequence[str]] = ("jane@corp.example", "jane")
    #: The column of a person's address.
    ADDRESS: ClassVar[str] = "email"
    #: People who have an account, besides those whom the company file names.
    SEATED: ClassVar[Sequence[str]] = ("grace", "mark", "jane", "lena", "tom")

    def __init__(self, company: Any) -> None:
        #: Rows a page, whatever was asked for; 0: as asked for.
        self.page_size = 0
        #: The list answers its first page for ever.
        self.stuck = False
        super().__init__(company)

    # -- what a world gives --------------------------------------------------------------------------------------------

    def operations(self) -> Sequence[tuple[str, str, Op]]:
        raise NotImplementedError

    def see(self, key: str) -> Seen:
        """Return what has become of one of the company's people."""
        raise NotImplementedError

    def settle(self, key: str, state: str) -> None:
        """Make a person's account ``active`` or ``suspended``, as if somebody had done so in the console."""
        raise NotImplementedError

    def give(self, key: str) -> None:
        """Make a person own something that can be handed over, where the seed does not."""

    def twin(self, key: str) -> None:
        """A second account with the same address, as no vendor should have."""
        users = self.state["users"]
        row = users[self.id_of(users, key)]
        other = self.next_id() if isinstance(row["id"], int) else f"{row['id']}x"
        users[other] = {**row, "id": other}

    # -- what every world has ------------------------------------------------------------------------------------------

    def seated(self) -> dict[str, Mapping[str, Any]]:
        """Return those who have an account here, by their key."""
        return {key: self.company.people[key] for key in self.SEATED}

    def full_name(self, person: Mapping[str, Any]) -> str:
        return f"{person['first_name']} {person['last_name']}"

    def email(self, key: str) -> str:
        return str(self.company.people[key]["email"])

    def login(self, key: str) -> str:
        """Return what a person signs in with here."""
        return self.email(key)

    def id_of(self, table: Mapping[Any, Row], key: str, column: str = "") -> Any:
        """Return the id of the row with a person's address."""
        return next(
            (ident for ident, row in table.items() if str(row[column or self.ADDRESS]).lower() == self.email(key)), None
        )

    def row(self, table: str, ident: str) -> Row | None:
        """Return a row by an id as it stands in a path."""
        return next((row for key, row in self.state[table].items() if str(key) == ident), None)

    def next_id(self) -> int:
        self.state["next"] = self.state.get("next", 9000) + 1
        return int(self.state["next"])

    def missing(self, call: Call) -> Reply:
        return self.MISSING

    def body(self, page: list[Row], wrap: str, more: Row) -> Any:
        """Return a page as this vendor wraps it."""
        return {wrap: page} if wrap else page

    def paged(self, call: Call, rows: list[Row], *, wrap: str = "", pages: Any = None) -> Reply:
        page, more, headers = (pages or self.PAGES).cut(self, call, rows)
        return Reply(200, self.body(page, wrap, more), headers)

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [(method, f"{self.BASE}{path}", self._handler(op)) for method, path, op in self.operations()]

    def _handler(self, op: Op) -> Handler:
        return lambda call: op(self, call)

    def authorise(self, call: Call) -> Reply | None:
        signed = all(call.headers.get(name) == self._signature(said) for name, said in self.SIGNED.items())
        return None if signed else self.UNSIGNED

    def _signature(self, said: str) -> str:
        text = said
        for name in self._secrets():
            text = text.replace(f"{{{name}}}", self.secret(name))
        if not text.startswith("basic:"):
            return text
        return "Basic " + base64.b64encode(text.removeprefix("basic:").encode()).decode()

    def _secrets(self) -> list[str]:
        return list(_declared(self.name)["credentials"])

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            self.name: {
                "connector": self.name,
                "url": f"{self.url}{self.BASE}",
                "credentials": {name: self.secret(name) for name in self._secrets()},
                "options": dict(self.OPTIONS),
            }
        }

    def reset(self) -> None:
        self.page_size, self.stuck = 0, False
        super().reset()
