# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the page on which a person decides what a mover keeps: everything that no profile explains, in one list."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lifecycle_bridge.console.acts import ACTS, Acts
from lifecycle_bridge.console.frame import Form, Frame, Problem, one
from lifecycle_bridge.console.sessions import Who
from lifecycle_bridge.looks import Item, Looks
from lifecycle_bridge.store.views import Case, Views

log = logging.getLogger("lifecycle_bridge.console")
_NAME = re.compile(r"d[0-9a-f]{16}")
_WORDS = ("keep", "remove")
_ACT = ACTS["decide"]
_MOST, _WHY = 1_000, 500


class DecisionPage:
    """See the module."""

    def __init__(self, frame: Frame, views: Views, acts: Acts, looks: Looks) -> None:
        self._frame, self._views, self._acts, self._looks = frame, views, acts, looks

    def routes(self) -> list[Route]:
        return [
            Route("/act/decide", self._frame.page(self._ask), methods=["GET"]),
            Route("/act/decide", self._frame.act(self._do), methods=["POST"]),
        ]

    def _ask(self, request: Request, who: Who) -> Response:
        if not self._frame.may(who).act:
            raise Problem(403, "Only for operators", "You may look. Ask the administrator of the bridge.")
        return self._page(request, who, self._case(request.query_params.get("case", "")))

    def _case(self, ident: str) -> Case:
        """Return a case that waits for a decision.

        :raises Problem: there is no such case, or it waits for no decision.
        """
        case = self._views.case(ident)
        if case is None:
            raise Problem(404, "Not found", "There is no such case.")
        if case.state not in _ACT.states:
            raise Problem(
                409, "It has changed", f"{case.id} is {case.state} now, and nothing was done. Look at it again."
            )
        return case

    def _page(
        self,
        request: Request,
        who: Who,
        case: Case,
        wrong: str = "",
        chosen: Mapping[str, str] | None = None,
    ) -> Response:
        asked = self._looks.of((case.source, case.person), case.user)
        return self._frame.render(
            request,
            "decide.html",
            who,
            422 if wrong else 200,
            act=_ACT,
            case=case,
            asked=asked,
            by_system=_by_system(asked.undecided(case.ledger_case)),
            wrong=wrong,
            chosen=chosen or {},
        )

    def _do(self, request: Request, who: Who, form: Form) -> Response:
        case = self._case(one(form, "case"))
        names = [name for name in list(form.get("name") or ())[:_MOST] if _NAME.fullmatch(name)]
        chosen = {name: word for name in names if (word := one(form, name) or one(form, "rest")) in _WORDS}
        why = " ".join(one(form, "why").split())[:_WHY]
        if not chosen:
            return self._page(request, who, case, "Say of at least one of them whether it is kept or removed.")
        if not why:
            return self._page(
                request, who, case, "Give a reason: it is kept for people who look at this later.", chosen
            )
        if "remove" in chosen.values() and not one(form, "sure"):
            return self._page(
                request, who, case, "Something is removed: look at it again, and tick that you have.", chosen
            )
        self._acts.decide(case.id, chosen, who.name, why)
        self._looks.forget((case.source, case.person))
        log.info("console: decide", extra={"act": "decide", "cases": 1, "via": who.via})
        return RedirectResponse(f"/cases/{quote(case.id, safe='')}?said=decide", 303)


def _by_system(items: Sequence[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.system, []).append(item)
    return found
