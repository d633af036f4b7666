# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the pages about people by name: who joins and leaves these days and what each lacks, one person in detail, and the trends.

Names come from HR and are kept in memory (:mod:`lifecycle_bridge.people`). A page never waits for HR: until a name is there, it shows the id.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.console.frame import Form, Frame, Problem
from lifecycle_bridge.console.sessions import Who
from lifecycle_bridge.looks import Asked, Item, Looks
from lifecycle_bridge.people import Card, Key
from lifecycle_bridge.store.outbox import notices_sent
from lifecycle_bridge.store.trends import weeks
from lifecycle_bridge.store.views import JOINERS, LEAVERS, Case, Views

log = logging.getLogger("lifecycle_bridge.console")
_SAID = {"look": "Every system is being asked; what it says stands below in a moment."}
#: Days before and after today that the list of people shows.
_BACK, _AHEAD = timedelta(days=7), timedelta(days=7)
_WEEKS = 12


@dataclass(frozen=True)
class Row:
    """One person in a list: the next case, and the systems with open steps in any case of theirs."""

    case: Case
    card: Card | None
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class OpenItem:
    """An open item on one system, with the bridge's case where there is one. ``names`` are the things that one decision is about."""

    item: Item
    case: Case | None
    names: tuple[str, ...]

    @property
    def more(self) -> int:
        """Return how many things it is about."""
        return len(self.names)


class PeoplePages:
    """See the module."""

    def __init__(self, frame: Frame, views: Views, looks: Looks) -> None:
        self._frame, self._views, self._looks = frame, views, looks

    def routes(self) -> list[Route]:
        page = self._frame.page
        return [
            Route("/people", page(self._people, narrow=True)),
            Route("/people/{source}/{person:path}/look", self._frame.act(self._look, operator=False), methods=["POST"]),
            Route("/people/{source}/{person:path}", page(self._person, narrow=True)),
            Route("/trends", page(self._trends)),
        ]

    def _people(self, request: Request, who: Who) -> Response:
        now, may = clock.now(), self._frame.may(who)
        text = request.query_params.get("text", "").strip()[:200]
        around = self._views.around(now - _BACK, now + _AHEAD)
        cards = self._frame.people.known({(case.source, case.person) for case in around})
        rows = [row for row in _rows(around, cards) if may.sees(row.card)]
        found: list[Row] = []
        if text:
            matching = [
                key
                for key, card in self._frame.people.everybody_in_memory().items()
                if may.sees(card) and _fits(card, text)
            ]
            cases = self._views.of_people(matching, text if may.departments is None else "")
            cards = self._frame.people.known({(case.source, case.person) for case in cases})
            found = [row for row in _rows(cases, cards) if may.sees(row.card)]
        return self._frame.render(
            request,
            "people.html",
            who,
            text=text,
            found=found,
            joiners=[row for row in rows if row.case.kind in JOINERS],
            leavers=[row for row in rows if row.case.kind in LEAVERS],
            others=[row for row in rows if row.case.kind not in (*JOINERS, *LEAVERS)],
        )

    def _person(self, request: Request, who: Who) -> Response:
        key: Key = (request.path_params["source"], request.path_params["person"])
        may = self._frame.may(who)
        cases = self._views.of_people([key], "")
        card = self._frame.people.known([key]).get(key)
        if may.departments is not None and card is None:
            card = self._frame.people.ask([key]).get(key)  # the department decides whether the person may be shown
        if not cases or not may.sees(card):
            raise Problem(404, "Not found", "Nobody of that HR system and id has a case that you may see.")
        ended = max((case.ended_at for case in cases if case.ended_at), default=None)
        asked = self._looks.of(key, cases[0].user, ended) if may.records else Asked()
        notices = notices_sent(self._views.database, [case.id for case in cases])
        return self._frame.render(
            request,
            "person.html",
            who,
            key=key,
            card=card if may.names else None,
            cases=cases,
            steps=[(case, step) for case in cases if case.state != "cancelled" for step in case.steps],
            asked=asked,
            open_items=_open_items(asked, cases),
            said=_SAID.get(request.query_params.get("said", ""), ""),
            notices=notices,
        )

    def _look(self, request: Request, who: Who, _form: Form) -> Response:
        """Ask every system where somebody is; nothing is written to any."""
        key: Key = (request.path_params["source"], request.path_params["person"])
        if not self._frame.may(who).records:
            raise Problem(
                403,
                "Not permitted",
                "What the systems hold of somebody is for operators, approvers, auditors and named viewers.",
            )
        cases = self._views.of_people([key], "")
        if not cases:
            raise Problem(404, "Not found", "Nobody of that HR system and id has a case.")
        self._looks.ask(key, cases[0].user)
        log.info("console: look", extra={"act": "look", "via": who.via})
        return RedirectResponse(f"/people/{quote(key[0], safe='')}/{quote(key[1], safe='')}?said=look", 303)

    def _trends(self, request: Request, who: Who) -> Response:
        return self._frame.render(request, "trends.html", who, weeks=weeks(self._views.database, clock.now(), _WEEKS))


def _open_items(asked: Asked, cases: Sequence[Case]) -> list[OpenItem]:
    """Return the open items of the ledger; items that wait for one decision on a system are one row."""
    of_ledger = {case.ledger_case: case for case in cases if case.ledger_case}
    rows: dict[tuple[str, ...], list[Item]] = {}
    for item in asked.look.items if asked.look else ():
        alone = () if item.decide else (item.step, item.what)
        rows.setdefault((item.ledger_case, item.system, *alone), []).append(item)
    return [
        OpenItem(
            items[0],
            of_ledger.get(items[0].ledger_case),
            tuple(item.what.removeprefix("unexplained: ") for item in items),
        )
        for items in rows.values()
    ]


def _rows(cases: Sequence[Case], cards: dict[Key, Card]) -> list[Row]:
    """Return a row for each person: the first open case of several, and the systems with open steps in any of them."""
    by_person: dict[Key, list[Case]] = {}
    for case in cases:
        by_person.setdefault((case.source, case.person), []).append(case)
    rows = []
    for key, theirs in by_person.items():
        still = [case for case in theirs if case.state not in ("done", "cancelled")]
        lacks = dict.fromkeys(str(step.get("system", "")) for case in still for step in case.steps)
        day = next((case for case in still if not case.stage), next(iter(still), theirs[-1]))
        rows.append(Row(day, cards.get(key), tuple(lacks)))
    return sorted(rows, key=lambda row: (row.case.due_at, row.case.id))


def _fits(card: Card, text: str) -> bool:
    words = f"{card.name} {card.address} {card.department}".casefold()
    return all(word in words for word in text.casefold().split())
