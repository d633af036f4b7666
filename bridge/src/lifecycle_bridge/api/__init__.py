# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Answers the API: it reads cases, people, steps and alerts, and can attest, approve, release, retry, run now and cancel. OpenAPI is at
``/api/v1/openapi.json``.

A bearer token has scopes, and acts under the name that the configuration gives it. Without a token every request is refused, also for the
description.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lifecycle_bridge.api import models
from lifecycle_bridge.api.description import OPERATIONS, Operation, openapi
from lifecycle_bridge.config import ApiToken, Config
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.planning import ENDING
from lifecycle_bridge.store.tables import CASE_STATES, alerts, cases

__all__ = ["api_routes"]

log = logging.getLogger("lifecycle_bridge.api")
_MOST_BODY = 100_000
_MOST = 500


class Refused(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


@dataclass(frozen=True)
class Asked:
    """A request, typed: who asks, what is in its path and query, and its body."""

    by: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: BaseModel | None


def api_routes(database: Database, config: Config, acts: CaseActs) -> list[Route]:
    """Return all routes of the API; none where no token is configured."""
    if not config.api.tokens:
        return []
    api = Api(database, config, acts)
    return [
        Route("/api/v1/openapi.json", api.endpoint(None), methods=["GET"]),
        *(Route(f"/api/v1{one.path}", api.endpoint(one), methods=[one.method]) for one in OPERATIONS),
    ]


class Api:
    """See the module."""

    def __init__(self, database: Database, config: Config, acts: CaseActs) -> None:
        self._database, self._config, self._acts = database, config, acts
        self._handlers: Mapping[str, Callable[[Asked], BaseModel]] = {
            "listCases": self._list,
            "showCase": self._show,
            "listPerson": self._person,
            "listAlerts": self._alerts,
            "attest": self._attest,
            "retry": self._retry,
            "runNow": self._run_now,
            "cancel": self._cancel,
            "release": self._release,
            "approve": self._approve,
        }

    def endpoint(self, operation: Operation | None) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of an operation; with None, that of the description of all."""

        async def answer(request: Request) -> Response:
            headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
            try:
                token = self._token(request, operation.scope if operation else "read")
                if operation is None:
                    return JSONResponse(openapi(), headers=headers)
                if any("\0" in str(text) for text in (*request.path_params.values(), *request.query_params.values())):
                    raise Refused(422, "Not understood", "there is a NUL in it")
                if set(request.query_params) - set(operation.query):
                    known = ", ".join(operation.query) or "nothing"
                    raise Refused(422, "Not understood", f"the query takes {known}")
                asked = Asked(
                    token.by or token.name,
                    {name: str(value) for name, value in request.path_params.items()},
                    dict(request.query_params),
                    await _body(request, operation.takes),
                )
                found = await run_in_threadpool(self._handlers[operation.name], asked)
                if operation.method == "POST":
                    log.info("api: %s", operation.name, extra={"act": operation.name, "by": token.name})
                return JSONResponse(found.model_dump(), operation.status, headers)
            except Refused as refused:
                said = models.Problem(title=refused.title, status=refused.status, detail=refused.detail)
                if refused.status == 401:
                    headers["WWW-Authenticate"] = "Bearer"
                return JSONResponse(said.model_dump(), refused.status, headers, "application/problem+json")

        return answer

    def _token(self, request: Request, scope: str) -> ApiToken:
        """Return the token of a request. All are compared, so that the time does not show which one was nearly right."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        mine = None
        for token in self._config.api.tokens:
            try:
                right = hmac.compare_digest(token.secret.read().encode(), given.strip().encode())
            except ConfigError as failure:
                log.error("api: token %s: %s", token.name, failure)
                continue
            mine = token if right and kind.lower() == "bearer" else mine
        if mine is None:
            raise Refused(401, "Not accepted", "a bearer token of api.tokens is needed")
        if scope not in mine.scopes:
            raise Refused(403, "Not allowed", f"this token has not the scope {scope}")
        return mine

    # -- to read -------------------------------------------------------------------------------------------------------

    def _list(self, asked: Asked) -> models.Cases:
        state = asked.query.get("state")
        if state is not None and state not in CASE_STATES:
            raise Refused(422, "Not understood", f"state is one of {', '.join(CASE_STATES)}")
        for name, most in (("kind", 20), ("source", 63)):
            if len(asked.query.get(name, "")) > most:
                raise Refused(422, "Not understood", f"{name} has at most {most} characters")
        where = [cases.c[name] == asked.query[name] for name in ("state", "kind", "source") if name in asked.query]
        return self._found(where, asked)

    def _person(self, asked: Asked) -> models.Cases:
        found = self._found([cases.c.source == asked.path["source"], cases.c.person == asked.path["person"]], asked)
        if not found.total:
            raise Refused(404, "Not here", "nobody of that HR system and id has a case")
        return found

    def _found(self, where: list[sa.ColumnElement[bool]], asked: Asked) -> models.Cases:
        limit, offset = _number(asked.query, "limit", 100, 1, _MOST), _number(asked.query, "offset", 0, 0, 1_000_000)
        with self._database.read() as c:
            total = c.execute(sa.select(sa.func.count()).select_from(cases).where(*where)).scalar_one()
            wanted = sa.select(cases).where(*where).order_by(cases.c.due_at, cases.c.id)
            rows = c.execute(wanted.limit(limit).offset(offset)).mappings().all()
        return models.Cases(total=total, cases=[_case(dict(row)) for row in rows])

    def _show(self, asked: Asked) -> models.Case:
        return _case(self._row(asked.path["case"]))

    def _row(self, case: str) -> Mapping[str, Any]:
        with self._database.read() as c:
            row = c.execute(sa.select(cases).where(cases.c.id == case)).mappings().first()
        if row is None:
            raise Refused(404, "Not here", "there is no such case")
        return dict(row)

    def _alerts(self, asked: Asked) -> models.Alerts:
        with self._database.read() as c:
            rows = c.execute(sa.select(alerts).where(alerts.c.settled_at == "").order_by(alerts.c.at)).mappings().all()
        return models.Alerts(
            alerts=[models.Alert(**{name: row[name] for name in ("key", "at", "detail")}) for row in rows]
        )

    # -- to do ---------------------------------------------------------------------------------------------------------

    def _attest(self, asked: Asked) -> models.Ordered:
        assert isinstance(asked.body, models.Attestation)
        body, case = asked.body, str(self._row(asked.path["case"])["id"])
        if body.decision == "remove":
            _look_again(asked, "what is removed may not come back as it was")
        return _ordered(lambda: [self._acts.attest(case, body.system, asked.by, body.note, body.what, body.decision)])

    def _retry(self, asked: Asked) -> models.Ordered:
        case = str(self._row(asked.path["case"])["id"])
        return _ordered(lambda: self._acts.retry(case, asked.by))

    def _run_now(self, asked: Asked) -> models.Ordered:
        row = self._row(asked.path["case"])
        if row["kind"] in ENDING:
            _look_again(asked, "somebody's access ends at once")
        return _ordered(lambda: self._acts.run_now(str(row["id"]), asked.by))

    def _cancel(self, asked: Asked) -> models.Ordered:
        assert isinstance(asked.body, models.Why)
        why, case = asked.body.why, str(self._row(asked.path["case"])["id"])
        _look_again(asked, "the case is dropped, and its run is stopped")
        return _ordered(lambda: self._acts.cancel(case, asked.by, why))

    def _release(self, asked: Asked) -> models.Ordered:
        assert isinstance(asked.body, models.Release)
        body = asked.body
        _look_again(asked, "the brake stopped these cases because they are more than is plausible")
        return _ordered(lambda: self._acts.release(body.cases, asked.by, body.why))

    def _approve(self, asked: Asked) -> models.Ordered:
        assert isinstance(asked.body, models.Approval)
        body = asked.body
        _look_again(asked, "what a plan does cannot all be undone")
        return _ordered(lambda: [self._acts.approve(body.plan, asked.by, body.why)])


def _ordered(act: Callable[[], list[str] | None]) -> models.Ordered:
    try:
        return models.Ordered(runs=act() or [])
    except BridgeError as failure:
        raise Refused(409, "Nothing was done", str(failure)) from None


def _look_again(asked: Asked, why: str) -> None:
    """Refuse a request without ``sure=true``.

    :raises Refused: nobody says that they have looked at it a second time.
    """
    sure = asked.query.get("sure", "")
    if sure not in ("", "true"):
        raise Refused(422, "Not understood", "sure is true, or left out")
    if not sure:
        raise Refused(409, "Look at it again", f"{why}; nothing was done. Look at it once more, and ask with sure=true")


def _case(row: Mapping[str, Any]) -> models.Case:
    values = {name: row[name] for name in models.Case.model_fields if name != "open_steps"}
    steps = [
        models.Step(**{name: str(step.get(name) or "") for name in models.Step.model_fields})
        for step in json.loads(row["open_steps"])
    ]
    return models.Case(**values, open_steps=steps)


def _number(query: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise Refused(422, "Not understood", f"{name} is a whole number from {least} to {most}")
    return int(text)


async def _body(request: Request, wanted: type[BaseModel] | None) -> BaseModel | None:
    if wanted is None:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Not understood", "application/json is taken")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BODY:
                raise Refused(413, "Too large", f"at most {_MOST_BODY} bytes are taken")
    except ClientDisconnect:
        raise Refused(400, "Not understood", "the request was not finished") from None
    try:
        return wanted.model_validate_json(bytes(body))
    except ValidationError as failure:
        said = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in failure.errors()[:5])
        raise Refused(422, "Not understood", said) from None
