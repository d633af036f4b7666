# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Send the requests of a connector's file: single requests, writes in their order, and lists over all pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ...model import clock
from ...model.errors import InputError, ProtocolError
from ...sdk.address import same_host
from ...sdk.allowance import Pages
from ...sdk.target import Target
from ...sdk.transport import (
    Answer,
    Policy,
    Transport,
    json_message,
    retry_after,
    standard_throttle,
)
from .expressions import Expression, Json
from .holes import Missing, Unsafe, filled, filled_address, filled_path
from .manifest import Api, Job, Manifest, Read, Request, Rows, Throttle, Writes
from .paging import Position
from .sign_in import auth_of


class Calls:
    """Sends the requests of a connector's file to one system."""

    def __init__(self, target: Target, manifest: Manifest) -> None:
        self.target, self.manifest = target, manifest
        #: The values that holes of every request may name. Credentials are not among them: they are in ``auth`` only.
        self.scope: Mapping[str, Any] = {"options": target.options}
        self._transports: dict[str, Transport] = {}
        self.transport("")  # raises an error at once when a credential is missing

    def transport(self, name: str) -> Transport:
        """Return the transport to an address of the file, by its name. It is made when it is first needed."""
        if name not in self._transports:
            api = self.manifest.apis[name]
            url = self._address(api)
            target = replace(self.target, url=url)
            self._transports[name] = Transport(
                target, auth_of(api.sign_in, target, url), _policy(api, self.scope), url=url
            )
        return self._transports[name]

    def _address(self, api: Api) -> str:
        given = self.target.url if not api.name else str(self.target.options.get(f"{api.name}_url") or "")
        if given:
            return given
        try:
            return filled_address(api.url, self.scope)
        except (Missing, Unsafe) as e:
            raise InputError(
                f"the address {api.url} lacks {e}",
                act="find system",
                system=self.target.name,
                hint="set url of the system, or the option that the address names",
            ) from None

    # -- one request ---------------------------------------------------------------------------------------------------

    def send(
        self,
        request: Request,
        scope: Mapping[str, Any],
        act: str,
        *,
        at: Position | None = None,
        safe: bool | None = None,
    ) -> Answer:
        """Send one request with its holes filled.

        :param at: the page to ask for, if the request reads a list.
        :param safe: whether the request may be repeated; None decides by its method.
        """
        transport = self.transport(request.api)
        try:
            here = {**scope, **(at.holes if at is not None else {})}
            path = filled_path(request.path, here)
            body = filled(request.json, here)
            query = {name: _plain(value) for name, value in filled(request.query, here).items()}
            form = {name: _plain(value) for name, value in filled(request.form, here).items()}
            headers = {name: str(value) for name, value in filled(request.headers, here).items()}
        except Missing as e:
            raise InputError(
                f"there is no value for {{{e.args[0]}}}",
                act=act,
                system=self.target.name,
                hint="correct the connector's file",
            ) from None
        if at is not None and at.url:
            # The credential must go to no other host.
            url = same_host(transport.url, at.url, act=act, system=self.target.name)
            return transport.send("GET", url, act=act, headers=headers or None, missing=request.passes)
        if at is not None:
            query.update(at.query)
            body = at.body(body)
        return transport.send(
            request.method,
            path,
            act=act,
            json=body,
            data=form or None,
            params=query or None,
            headers=headers or None,
            missing=request.passes,
            reads=request.reads and request.method == "POST",
            retry_safe=safe,
        )

    def one(self, read: Read, scope: Mapping[str, Any], act: str) -> Json:
        """Return the thing that a request reads; None when it does not exist."""
        answer = self.send(read.request, scope, act)
        if answer.status in read.request.passes:
            return None
        return read.item.of(answer.body) if read.item is not None else answer.body

    # -- writes --------------------------------------------------------------------------------------------------------

    def write(self, writes: Writes, scope: Mapping[str, Any], act: str) -> None:
        """Send the writes whose condition holds, in their order."""
        here: dict[str, Any] = {**self.scope, **scope, "kept": {}}
        for one in writes:
            if one.when is not None and not one.when.of(here):
                continue
            answer = self.send(one.request, here, act, safe=one.retry_safe)
            here["kept"] = {**here["kept"], **{name: kept.of(answer.body) for name, kept in one.keep.items()}}
            if one.job is not None and answer.status not in one.request.passes:
                self._follow(one.job, here, act)

    def _follow(self, job: Job, scope: Mapping[str, Any], act: str) -> None:
        """Wait for the end of a job, at most ``job.within`` seconds; then reading the account again shows its result.

        :raises ProtocolError: the job failed.
        """
        deadline, pause = time.monotonic() + job.within, 0.5
        while True:
            state = self.one(job.read, scope, act)
            if state is None or job.done.of(state):
                return
            if job.failed is not None and (why := job.failed.of(state)):
                raise ProtocolError(f"its job failed: {why}", act=act, system=self.target.name, hint="run again")
            if time.monotonic() + pause > deadline:
                return
            time.sleep(pause)
            pause = min(pause * 2, 10.0)

    # -- lists ---------------------------------------------------------------------------------------------------------

    def rows(self, rows: Rows, scope: Mapping[str, Any], act: str) -> Iterator[Json]:
        """Yield every row, over all pages.

        :raises ProtocolError: an answer has no list, a page repeats, or the list ends too early.
        """
        here = {**self.scope, **scope}
        at: Position | None = Position.first(rows.pages, Pages(act, self.target.name))
        while at is not None:
            answer = self.send(rows.request, here, act, at=at)
            if answer.status in rows.request.passes:
                return
            page = rows.items.of(answer.body)
            if page is None and rows.optional:
                page = []
            if not isinstance(page, list):
                raise ProtocolError(f"its answer has no list {rows.items.text!r}", act=act, system=self.target.name)
            for row in page:
                if rows.where is None or rows.where.of({**here, "item": row}):
                    yield row
            try:
                at = at.after(answer, page)
            except ValueError as e:
                raise ProtocolError(
                    str(e), act=act, system=self.target.name, hint="report it to the vendor; the list is not complete"
                ) from None


def _plain(value: Json) -> Json:
    """Return a value for a query or form, with a boolean as ``true`` or ``false``."""
    return str(value).lower() if isinstance(value, bool) else value


def _policy(api: Api, scope: Mapping[str, Any]) -> Policy:
    headers = {name: str(value) for name, value in filled(dict(api.headers), scope).items()}
    failure, message = api.failure, api.message
    return Policy(
        headers=headers,
        rate=api.rate,
        rate_on=(urlsplit(api.url).netloc.rpartition("}.")[2]).partition(":")[0],
        permission_hint=api.permission_hint,
        throttled=partial(_throttled, api.throttle),
        failure=(lambda answer: failure.text_of(answer.body)) if failure is not None else (lambda answer: ""),
        message=partial(_message, message),
    )


def _message(expression: Expression | None, answer: Answer) -> str:
    """Return the error text of an answer, by the file's expression, or in a usual form when the expression does not fit."""
    try:
        said = expression.text_of(answer.body) if expression is not None else ""
    except ProtocolError:
        said = ""
    return said or json_message(answer)


def _throttled(rules: tuple[Throttle, ...], answer: Answer) -> float | None:
    for rule in rules:
        seen = {"body": answer.body, "text": answer.text, "headers": {k.lower(): v for k, v in answer.headers.items()}}
        if answer.status not in rule.status or (rule.when is not None and not rule.when.of(seen)):
            continue
        said = answer.headers.get(rule.reset, "") if rule.reset else ""
        if said.replace(".", "", 1).isdigit() and retry_after(answer) is None:
            return max(1.0, float(said) - (clock.now().timestamp() if rule.epoch else 0.0))
        return retry_after(answer) or 1.0
    return standard_throttle(answer)
