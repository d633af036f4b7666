# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the requests of a connector's file: reads, lists with their pages, and writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ...model import near
from .expressions import Expression, Json
from .holes import Backslashed, Verbatim
from .manifest import Job, LookUp, Pages, Read, Request, Rows, Write, Writes
from .parts import PLAIN, Names, Part

VERBS = ("get", "post", "put", "patch", "delete")
#: The keys by which a person can be searched and an account compared.
KEYS = ("email", "login", "employee_id", "subject", "id")
_REQUEST = (*VERBS, "graphql", "query", "json", "form", "headers", "api", "reads")
_ROWS = (*_REQUEST, "items", "where", "ids", "fields", "pages", "absent", "optional")
_READ = (*_REQUEST, "item", "absent")
_WRITE = (*_REQUEST, "gone", "retry_safe", "when", "keep", "job")
_PAGES = ("by", "name", "in", "first", "next", "more", "total", "size")
KINDS_OF_PAGES = ("none", "page", "offset", "cursor", "next_url", "link_header")


@dataclass
class Reader:
    """Reads requests, with the options, addresses and usual paging of the whole file."""

    options: Collection[str] = ()
    apis: Collection[str] = ("",)
    #: The path of GraphQL, by address.
    graphql: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, Pages] = field(default_factory=dict)
    #: The addresses whose query language escapes by a backslash.
    backslashed: Collection[str] = ()

    def names(self, *more: Names) -> Names:
        """Return the names that holes may use: the options, and more."""
        merged: dict[str, Collection[str] | None] = {"options": self.options}
        for one in more:
            merged.update(one)
        return merged

    # -- one request ---------------------------------------------------------------------------------------------------

    def request(self, part: Part, names: Names, passes: str, *, write: bool) -> Request:
        verbs = [verb for verb in (*VERBS, "graphql") if verb in part]
        if len(verbs) != 1:
            raise part.error(
                f"names {' and '.join(verbs) or 'no request'}", hint=f"exactly one of {', '.join((*VERBS, 'graphql'))}"
            )
        [verb] = verbs
        api = part.text("api", "")
        if api not in self.apis:
            raise part.error(
                f"there is no address {api}", "api", hint=near.hint(api, [name for name in self.apis if name])
            )
        reads = self._reads(part, verb, write)
        if verb == "graphql":
            body = self._graphql(part, names, write)
            path = self.graphql.get(api, "")
        else:
            path = part.text(verb)
            if not path.startswith("/"):
                raise part.error(f"{path!r} is no path", verb, hint="begin with /; the address is url of the file")
            part.check_holes(path, names, verb)
            body = part.template("json", names) if "json" in part else None
        for key in ("query", "form", "headers"):
            part.check_holes(part.mapping(key), names, key)
        return Request(
            part.at,
            "POST" if verb == "graphql" else verb.upper(),
            path,
            self._query(part, api),
            body,
            part.mapping("form"),
            part.mapping("headers"),
            api,
            part.statuses(passes) if passes else (),
            reads,
        )

    def _query(self, part: Part, api: str) -> Mapping[str, Json]:
        said = part.mapping("query")
        if api not in self.backslashed:
            return said
        return {name: Backslashed(value) if isinstance(value, str) else value for name, value in said.items()}

    def _reads(self, part: Part, verb: str, write: bool) -> bool:
        if write:
            if verb == "get":
                raise part.error("a GET changes nothing", verb, hint="name the request that writes")
            if part.flag("reads"):
                raise part.error("a write can't have reads", "reads", hint="leave it out")
            return False
        if verb == "post" and not part.flag("reads"):
            raise part.error(
                "only a read may be here, and this is a POST",
                verb,
                hint="add reads: true, if the vendor says that it only reads",
            )
        if verb in ("put", "patch", "delete"):
            raise part.error(
                f"only a read may be here, and this is a {verb.upper()}", verb, hint="use get, or post with reads: true"
            )
        return True

    def _graphql(self, part: Part, names: Names, write: bool) -> Json:
        text = part.text("graphql").strip()
        word = "mutation" if write else "query"
        if not text.startswith(word):
            raise part.error(f"must begin with {word}", "graphql")
        if "json" in part and not isinstance(part.data["json"], dict):
            raise part.error("must be a mapping: the variables", "json")
        variables = part.template("json", names) if "json" in part else {}
        # The braces of GraphQL are no holes. Values are passed as variables.
        return {"query": Verbatim(text), "variables": variables}

    # -- reads ---------------------------------------------------------------------------------------------------------

    def read(self, part: Part, names: Names) -> Read:
        part.only(*_READ)
        return Read(self.request(part, names, "absent", write=False), part.maybe("item"))

    def rows(self, part: Part, names: Names, *more: str) -> Rows:
        part.only(*_ROWS, *more)
        api = part.text("api", "")
        pages = self.pages_of(part.part("pages")) if "pages" in part else self.pages.get(api, Pages("none"))
        path_names: Names = {"page": PLAIN} if pages.place == "path" else {}
        request = self.request(part, {**names, **path_names}, "absent", write=False)
        if pages.place == "path" and "{page}" not in request.path:
            raise part.error(
                "the page goes into the path, and the path has no hole for it", "pages", hint="put {page} into it"
            )
        return Rows(
            request,
            part.expression("items"),
            pages,
            part.maybe("where", {**names, "item": None}),
            part.flag("optional"),
            part.maybe("ids"),
            part.expressions("fields"),
        )

    def look_ups(self, part: Part, key: str, match: Mapping[str, Expression]) -> tuple[LookUp, ...]:
        """Return how accounts are found. Each key that is searched must be in ``match`` too, to be compared."""
        found = []
        for one in part.parts(key):
            by = one.texts("by")
            for name in by or ("",):
                if name not in KEYS:
                    raise one.error("must name the keys", "by", hint=f"one or several of {', '.join(KEYS)}")
                if name not in match:
                    raise part.error(
                        f"does not say where an account has its {name}, so a found account could not be compared",
                        "match",
                        hint=f"match: {{{name}: EXPRESSION}}",
                    )
            rows = self.rows(one, self.names({"value": PLAIN}), "by")
            searches = "{value}" in f"{rows.request.path}{rows.request.query}{rows.request.json}{rows.request.form}"
            found.append(LookUp(by, rows, searches))
        if not found:
            raise part.error(f"has no {key}", hint=f"{key}: {{by: email, get: /users, items: users}}")
        return tuple(found)

    def pages_of(self, part: Part) -> Pages:
        part.only(*_PAGES)
        by = part.one_of("by", KINDS_OF_PAGES)
        if by in ("page", "offset", "cursor"):
            part.text("name")
        if by in ("cursor", "next_url"):
            part.expression("next")
        size = part.part("size") if "size" in part else None
        if size is not None:
            size.only("name", "value")
        return Pages(
            by,
            part.text("name", ""),
            part.one_of("in", ("query", "path", "json"), "query"),
            int(part.number("first", 1 if by == "page" else 0)),
            part.maybe("next"),
            part.maybe("more"),
            part.maybe("total"),
            size.text("name") if size is not None else "",
            int(size.number("value", 0)) if size is not None else 0,
        )

    # -- writes --------------------------------------------------------------------------------------------------------

    def writes(self, part: Part, key: str, names: Names) -> Writes | None:
        """Return the writes under a key, in order; None where the file has no such key."""
        if key not in part:
            return None
        made = []
        kept: list[str] = []
        for one in part.parts(key):
            one.only(*_WRITE)
            here: Names = {**names, "kept": tuple(kept)} if kept else names
            keep = one.expressions("keep")
            request = self.request(one, here, "gone", write=True)
            kept += keep
            safe = one.flag("retry_safe") if "retry_safe" in one else None
            job = self._job(one.part("job"), {**here, "kept": tuple(kept)}) if "job" in one else None
            made.append(Write(request, safe, one.maybe("when", here), keep, job))
        return tuple(made)

    def _job(self, part: Part, names: Names) -> Job:
        part.only(*_READ, "done", "failed", "within")
        read = Read(self.request(part, names, "absent", write=False), part.maybe("item"))
        return Job(read, part.expression("done"), part.maybe("failed"), part.number("within", 60.0))
