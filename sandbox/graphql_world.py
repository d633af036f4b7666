# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A vendor's world that speaks GraphQL: every request is run by graphql-core against the cut of the vendor's schema that its contract holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, World

CONTRACTS = Path(__file__).resolve().parents[1] / "tests" / "declared" / "contracts"
#: What answers a field of the schema's root: it takes what graphql-core hands to resolvers, and the field's arguments.
Field = Callable[..., Any]


@cache
def _schema(name: str) -> Any:
    from graphql import build_schema

    return build_schema(yaml.safe_load((CONTRACTS / f"{name}.yml").read_text(encoding="utf-8"))["schema"])


class GraphQlWorld(World):
    """``fields`` answers the root's fields, queries and mutations; :meth:`refuse` is an error as the vendor words it."""

    ENDPOINT: ClassVar[str] = "/graphql"
    READING_BODIES = ((r"", rb'"query":\s*"query\b'),)
    UNSIGNED = Reply(
        401, {"errors": [{"message": "Authentication required", "extensions": {"code": "AUTHENTICATION_ERROR"}}]}
    )
    #: The status of an answer with errors.
    FAILED: ClassVar[int] = 200

    def operations(self) -> list[tuple[str, str, Op]]:
        return [("POST", self.ENDPOINT, lambda world, call: self._run(call))]

    def fields(self) -> Mapping[str, Field]:
        raise NotImplementedError

    def _run(self, call: Call) -> Reply:
        from graphql import graphql_sync

        said = call.body
        done = graphql_sync(
            _schema(self.name), said["query"], dict(self.fields()), variable_values=said.get("variables")
        )
        if not done.errors:
            return Reply(200, {"data": done.data})
        errors = [{"message": one.message, "extensions": one.extensions or {}} for one in done.errors]
        return Reply(self.FAILED, {"data": done.data, "errors": errors})

    def refuse(self, message: str, code: str = "INPUT_ERROR") -> Exception:
        from graphql import GraphQLError

        return GraphQLError(message, extensions={"code": code})

    def connection(self, rows: list[Row], first: int | None = None, after: str | None = None) -> Row:
        """Return rows as a Relay connection: the cursor is the number of rows before the next page."""
        start = 0 if self.stuck else int(after or 0)
        size = self.page_size or first or 50
        page, more = rows[start : start + size], start + size < len(rows) or (self.stuck and bool(rows))
        return {
            "nodes": page,
            "edges": [{"node": row, "cursor": str(start + n)} for n, row in enumerate(page)],
            "pageInfo": {"hasNextPage": more, "endCursor": str(start + len(page))},
            "totalCount": len(rows),
        }
