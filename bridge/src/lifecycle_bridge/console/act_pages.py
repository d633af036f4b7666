# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the pages on which an operator acts: each asks first, and then does exactly what it asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.console.acts import ACTS, Act, Acts
from lifecycle_bridge.console.frame import Form, Frame, Problem, one
from lifecycle_bridge.console.sessions import Who
from lifecycle_bridge.looks import Looks
from lifecycle_bridge.plans import plan_of
from lifecycle_bridge.store.views import Case, Filter, Views

log = logging.getLogger("lifecycle_bridge.console")
_MOST = 5_000
_WHY = 500


class ActPages:
    """See the module."""

    def __init__(self, frame: Frame, views: Views, acts: Acts, config: Config, looks: Looks) -> None:
        self._frame, self._views, self._acts, self._config, self._looks = frame, views, acts, config, looks

    def routes(self) -> list[Route]:
        return [
            Route("/act/{act}", self._frame.page(self._ask), methods=["GET"]),
            Route("/act/{act}", self._frame.act(self._do, operator=False), methods=["POST"]),
        ]

    def _ask(self, request: Request, who: Who) -> Response:
        act = _act(request)
        self._permitted(who, act)
        if act.name == "settle":
            return self._confirm(request, who, act, key=request.query_params.get("key", ""))
        if act.name == "release" and request.query_params.get("all"):
            which = Filter("held", *(request.query_params.get(name, "") for name in ("kind", "source", "text")))
            return self._confirm(
                request, who, act, [case.id for case in self._views.cases(which, clock.now(), per_page=_MOST).rows]
            )
        given = {name: request.query_params.get(name, "")[:100] for name in ("system", "plan")}
        return self._confirm(request, who, act, request.query_params.getlist("case"), given=given)

    def _permitted(self, who: Who, act: Act) -> None:
        """Refuse an act that the user may not do.

        :raises Problem: they may not.
        """
        mine = self._frame.may(who)
        if act.name == "approve" and not mine.approve:
            raise Problem(403, "Only for approvers", "Plans are approved by those whom console.oidc.approvers names.")
        if act.name != "approve" and not mine.act:
            raise Problem(403, "Only for operators", "You may look. Ask the administrator of the bridge.")

    def _confirm(
        self,
        request: Request,
        who: Who,
        act: Act,
        idents: Sequence[str] = (),
        key: str = "",
        wrong: str = "",
        status: int = 200,
        given: Mapping[str, str] | None = None,
    ) -> Response:
        cases = self._cases(act, idents) if act.name != "settle" else []
        alert = self._views.alert(key) if act.name == "settle" else None
        if act.name == "settle" and alert is None:
            raise Problem(404, "Not found", "There is no such alert.")
        return self._frame.render(
            request,
            "confirm.html",
            who,
            status,
            act=act,
            cases=cases,
            alert=alert,
            wrong=wrong,
            again=act.asks_again(case.kind for case in cases),
            given=given or {"system": "", "plan": ""},
            waits=self._waits(cases, (given or {}).get("system", "")) if act.name == "attest" else [],
            plan=plan_of((given or {}).get("plan", ""), self._config) if act.name == "approve" else None,
        )

    def _waits(self, cases: Sequence[Case], system: str) -> list[str]:
        """Return what waits for a person on a system, if the ledger was read already."""
        (case,) = cases
        look = self._looks.of((case.source, case.person), case.user).look
        items = look.items if look else ()
        return [one.what for one in items if one.system == system and one.ledger_case == case.ledger_case]

    def _cases(self, act: Act, idents: Sequence[str]) -> list[Case]:
        """Return the chosen cases.

        :raises Problem: none was chosen, or the state of one has changed.
        """
        cases = self._views.of(list(dict.fromkeys(idents))[:_MOST])
        if not cases or (act.name != "release" and len(cases) != 1):
            raise Problem(
                400,
                "Nothing chosen",
                "Choose at least one case, and do it again." if act.name == "release" else "There is no such case.",
            )
        gone = [case for case in cases if case.state not in act.states]
        if gone:
            raise Problem(
                409, "It has changed", f"{gone[0].id} is {gone[0].state} now, and nothing was done. Look at it again."
            )
        return cases

    def _do(self, request: Request, who: Who, form: Form) -> Response:
        act = _act(request)
        self._permitted(who, act)
        given = {name: one(form, name)[:100] for name in ("system", "plan")}
        why = " ".join(one(form, "why").split())[:_WHY]
        idents, key = list(form.get("case") or ()), one(form, "key")
        if act.needs_why and not why:
            return self._confirm(
                request,
                who,
                act,
                idents,
                key,
                "Give a reason: it is kept for people who look at this later.",
                422,
                given,
            )
        meant = self._cases(act, idents) if act.name != "settle" else []
        if act.asks_again(case.kind for case in meant) and not one(form, "sure"):
            return self._confirm(
                request, who, act, idents, key, "Look at it again, and tick that you have.", 422, given
            )
        if act.name == "settle":
            self._acts.settle(key, who.name)
            back = "/sources?said=settle"
        else:
            back = self._do_cases(act, [case.id for case in meant], who.name, why, given)
        log.info("console: %s", act.name, extra={"act": act.name, "cases": len(idents), "via": who.via})
        return RedirectResponse(back, 303)

    def _do_cases(self, act: Act, idents: Sequence[str], by: str, why: str, given: Mapping[str, str]) -> str:
        first = idents[0]
        if act.name == "release":
            self._acts.release(idents, by, why)
        elif act.name == "attest":
            self._acts.attest(first, given["system"], by, why)
        elif act.name == "approve":
            self._acts.approve(given["plan"].strip(), by, why, first)
        elif act.name == "cancel":
            self._acts.cancel(first, by, why)
        elif act.name == "retry":
            self._acts.retry(first, by)
        else:
            self._acts.run_now(first, by)
        return f"/cases/{quote(first, safe='')}?said={act.name}" if len(idents) == 1 else "/cases?state=open"


def _act(request: Request) -> Act:
    try:
        return ACTS[request.path_params["act"]]
    except KeyError:
        raise Problem(404, "Not found", "There is no such act.") from None
