# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the pages that only show: overview, cases, one case with its record, runs, sources."""

from __future__ import annotations

import os
import stat
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import labels
from lifecycle_bridge.console.acts import ACTS
from lifecycle_bridge.console.frame import Frame, Problem
from lifecycle_bridge.console.sessions import Who
from lifecycle_bridge.looks import Asked, Looks
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.store.tables import CASE_STATES
from lifecycle_bridge.store.views import FILTERS, JOINERS, LEAVERS, Case, Filter, Line, Views

#: A record is a page of its own: it may have its own style, and nothing else.
RECORD_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
_SHORT = 6


class Pages:
    """See the module."""

    def __init__(self, frame: Frame, views: Views, config: Config, looks: Looks, loops: Loops) -> None:
        self._frame, self._views, self._config, self._looks, self._loops = frame, views, config, looks, loops

    def routes(self) -> list[Route]:
        page = self._frame.page
        return [
            Route("/", page(self._overview)),
            Route("/cases", page(self._cases)),
            Route("/cases/{case:path}", page(self._case)),
            Route("/records/{case:path}", page(self._record)),
            Route("/runs", page(self._runs)),
            Route("/sources", page(self._sources)),
        ]

    def _overview(self, request: Request, who: Who) -> Response:
        now = clock.now()

        def some(state: str, most: int = _SHORT) -> Any:
            return self._views.cases(Filter(state), now, per_page=most)

        return self._frame.render(
            request,
            "overview.html",
            who,
            stuck=some("stuck"),
            held=some("held"),
            todo=some("todo"),
            late=some("late"),
            working=some("working"),
            done=some("done"),
            leavers=self._views.upcoming(LEAVERS, now, _SHORT),
            joiners=self._views.upcoming(JOINERS, now, _SHORT),
            others=self._views.upcoming(
                [kind for kind in labels.KINDS if kind not in (*LEAVERS, *JOINERS)], now, _SHORT
            ),
            alerts=self._views.alerts(most=5),
        )

    def _cases(self, request: Request, who: Who) -> Response:
        query = request.query_params
        which = Filter(*(query.get(name, "").strip()[:200] for name in ("state", "kind", "source", "text")))
        if which.state and which.state not in (*CASE_STATES, *FILTERS):
            raise Problem(404, "Not found", "There is no such state.")
        found = self._views.cases(which, clock.now(), _number(query.get("page", "")))
        kept = {name: value for name in ("state", "kind", "source", "text") if (value := query.get(name, ""))}
        return self._frame.render(
            request,
            "cases.html",
            who,
            found=found,
            which=which,
            link=_links("/cases", kept),
            all_kinds=self._views.kinds(),
            all_sources=[one.name for one in self._views.sources(list(self._config.sources), clock.now())],
            all_states=[*FILTERS, *CASE_STATES],
            kept=urlencode(kept),
        )

    def _case(self, request: Request, who: Who) -> Response:
        case = self._known(request)
        said = ACTS.get(request.query_params.get("said", ""))
        waits = case.kind in labels.DECIDED and any(step.get("outcome") == "needs_human" for step in case.steps)
        asks = waits and case.state in ACTS["decide"].states and self._frame.operator(who)
        asked = self._looks.of((case.source, case.person), case.user, case.ended_at) if asks else Asked()
        return self._frame.render(
            request,
            "case.html",
            who,
            case=case,
            asked=asked,
            story=_folded(self._views.story(case)),
            runs=self._views.runs_of(case),
            offered=[act for act in ACTS.values() if case.state in act.states],
            decides=waits and asked.decides(case.ledger_case),
            said=said.done if said else "",
            record=self._frame.reader(who) and record_of(case, self._config) is not None,
        )

    def _record(self, request: Request, who: Who) -> Response:
        if not self._frame.reader(who):
            raise Problem(
                403,
                "Not permitted",
                "Records hold names. They are shown to operators, and to those whom console.oidc.viewers names.",
            )
        path = record_of(self._known(request), self._config)
        if path is None:
            raise Problem(404, "Not found", "This case has no record that this machine can read.")
        headers = {"Content-Security-Policy": RECORD_POLICY, "X-Frame-Options": "SAMEORIGIN"}
        return FileResponse(path, media_type="text/html; charset=utf-8", headers=headers)

    def _runs(self, request: Request, who: Who) -> Response:
        status = request.query_params.get("status", "")[:20]
        found = self._views.runs(status, _number(request.query_params.get("page", "")))
        return self._frame.render(
            request,
            "runs.html",
            who,
            found=found,
            status=status,
            statuses=self._views.statuses(),
            link=_links("/runs", {"status": status} if status else {}),
        )

    def _sources(self, request: Request, who: Who) -> Response:
        now = clock.now()
        rows = [
            (source, self._config.sources.get(source.name))
            for source in self._views.sources(list(self._config.sources), now)
        ]
        said = ACTS.get(request.query_params.get("said", ""))
        return self._frame.render(
            request,
            "sources.html",
            who,
            sources=rows,
            alerts=self._views.alerts(),
            settled=self._views.alerts(settled=True, most=10),
            loops=self._loops.silences().values(),
            said=said.done if said else "",
        )

    def _known(self, request: Request) -> Case:
        case = self._views.case(request.path_params["case"])
        if case is None:
            raise Problem(404, "Not found", "There is no such case. It may be of another bridge, or was never made.")
        return case


def record_of(case: Case, config: Config) -> Path | None:
    """Return the record's page, when this machine can read it: a plain file, below ``lifecycle_records`` where the configuration names that folder."""
    if not case.record:
        return None
    path = Path(case.record)
    folder = config.extra_vars.get("lifecycle_records")
    try:
        real = path.resolve(strict=True)
        inside = not folder or real.is_relative_to(Path(str(folder)).expanduser().resolve())
        plain = stat.S_ISREG(real.stat().st_mode) and real.suffix == ".html" and os.access(real, os.R_OK)
    except (OSError, RuntimeError):
        return None
    return real if inside and plain else None


def _folded(story: list[Line]) -> list[list[Line]]:
    """Group a story: steps of a run that follow each other become one entry."""
    together = ((what, list(lines)) for what, lines in groupby(story, key=lambda line: line.what))
    return [
        part for what, lines in together for part in ([lines] if what == "progress" else [[line] for line in lines])
    ]


def _links(path: str, kept: dict[str, str]) -> Any:
    """Return the address of a page of this list, with other filters or another number."""

    def link(**changed: Any) -> str:
        given = {name: value for name, value in {**kept, **changed}.items() if value}
        return f"{path}?{urlencode(given)}" if given else path

    return link


def _number(text: str) -> int:
    return min(int(text), 1_000_000) if text.isdecimal() and len(text) < 10 else 1
