# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The position in a list: the parameters of the request for a page, and how the next page is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...sdk.allowance import Pages as Turned
from ...sdk.answer import Answer, next_link
from .expressions import Json
from .manifest import Pages


@dataclass(frozen=True)
class Position:
    """One page. ``at`` is its number or cursor (None for the first one), ``url`` its address if the answer before gave one, ``got`` the rows before it."""

    pages: Pages
    #: Counts the pages of the list, and refuses one that repeats: all pages of a list share it.
    turned: Turned = field(repr=False, compare=False)
    at: int | str | None = None
    url: str = ""
    got: int = 0

    @classmethod
    def first(cls, pages: Pages, turned: Turned) -> Position:
        return cls(pages, turned, pages.first if pages.by in ("page", "offset") else None)

    # -- parameters of the request ------------------------------------------------------------------------------------

    @property
    def _said(self) -> dict[str, Json]:
        said: dict[str, Json] = {self.pages.size_name: self.pages.size} if self.pages.size_name else {}
        return said | ({self.pages.name: self.at} if self.at is not None and self.pages.name else {})

    @property
    def query(self) -> Mapping[str, Json]:
        if self.pages.place == "query":
            return self._said
        return {self.pages.size_name: self.pages.size} if self.pages.size_name and self.pages.place == "path" else {}

    @property
    def holes(self) -> Mapping[str, Json]:
        """Return the value for ``{page}`` in the path."""
        return {"page": self.at} if self.pages.place == "path" else {}

    def body(self, body: Json) -> Json:
        """Return the request's body with the page in it; in GraphQL, it is one of the variables."""
        if self.pages.place != "json":
            return body
        if isinstance(body, dict) and set(body) == {"query", "variables"}:
            return {**body, "variables": {**body["variables"], **self._said}}
        return {**(body if isinstance(body, dict) else {}), **self._said}

    # -- the next page -------------------------------------------------------------------------------------------------

    def after(self, answer: Answer, rows: list[Json]) -> Position | None:
        """Return the next page; None after the last.

        :raises ProtocolError: a page repeats.
        :raises ValueError: the list ends too early.
        """
        if self.pages.by == "none":
            return None
        self.turned.read(rows)
        following = self._numbered(answer, rows) if self.pages.by in ("page", "offset") else self._led(answer)
        if following is None:
            return None
        self.turned.turn(f"{following.at} {following.url}")
        return replace(following, got=self.got + len(rows))

    def _numbered(self, answer: Answer, rows: list[Json]) -> Position | None:
        total = self.pages.total.of(answer.body) if self.pages.total is not None else None
        got = self.got + len(rows)
        if not rows and isinstance(total, int) and got < total:
            raise ValueError("a page is empty before the end of the list")
        if not rows or (isinstance(total, int) and got >= total):
            return None
        if self.pages.more is not None:
            if not self.pages.more.of(answer.body):
                return None
        elif total is None and self.pages.size and len(rows) < self.pages.size:
            return None
        here = int(self.at or 0)
        return replace(self, at=here + 1 if self.pages.by == "page" else here + len(rows))

    def _led(self, answer: Answer) -> Position | None:
        if self.pages.more is not None and not self.pages.more.of(answer.body):
            return None
        if self.pages.by == "link_header":
            token: Json = next_link(answer)
        else:
            token = self.pages.next.of(answer.body) if self.pages.next is not None else None
        if not token:
            return None
        if self.pages.by == "cursor":
            return replace(self, at=token if isinstance(token, int) else str(token))
        return replace(self, url=str(token))
