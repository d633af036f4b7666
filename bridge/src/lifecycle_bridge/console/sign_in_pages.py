# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the pages of signing in and out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.console.frame import Form, Frame, Problem, local, one
from lifecycle_bridge.console.local_token import LocalToken
from lifecycle_bridge.console.oidc import Provider, Refused
from lifecycle_bridge.console.roles import named_groups
from lifecycle_bridge.console.sessions import OIDC, TOKEN, Who
from lifecycle_bridge.receive.limits import Limits

log = logging.getLogger("lifecycle_bridge.console")

#: Tries that one address has in a minute.
PER_MINUTE = 10
_BEGUN = timedelta(minutes=10)


class SignInPages:
    """See the module. ``provider`` is None where OIDC is not configured."""

    def __init__(
        self,
        frame: Frame,
        token: LocalToken,
        provider: Provider | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._frame, self._token, self._provider = frame, token, provider
        self._begun_cookie = f"{frame.cookie}-begun"
        self._limits = Limits(monotonic)

    def routes(self) -> list[Route]:
        frame = self._frame
        return [
            Route("/sign-in", frame.open(self._form), methods=["GET"]),
            Route("/sign-in", frame.open(self._by_token), methods=["POST"]),
            Route("/sign-in/oidc", frame.open(self._begin), methods=["GET"]),
            Route("/sign-in/callback", frame.open(self._back), methods=["GET"]),
            Route("/sign-out", frame.act(self._out, operator=False), methods=["POST"]),
        ]

    def _form(self, request: Request, _form: Form) -> Response:
        return self._ask(request)

    def _ask(self, request: Request, wrong: str = "", status: int = 200, next: str = "") -> Response:
        oidc = self._frame.config.console.oidc
        return self._frame.render(
            request,
            "sign_in.html",
            None,
            status,
            by_token=self._token.offered,
            wrong=wrong,
            provider=urlsplit(oidc.issuer).hostname if oidc else "",
            next=local(next or request.query_params.get("next", "/")),
        )

    def _by_token(self, request: Request, form: Form) -> Response:
        self._frame.same_site(request)
        host = request.client.host if request.client else ""
        seconds = self._limits.take(host, PER_MINUTE)
        if seconds:
            raise Problem(429, "Too many tries", f"Try again in {seconds} seconds.", {"Retry-After": str(seconds)})
        if not self._token.offered:
            raise Problem(403, "Switched off", "There is no local token here; sign in by your company's provider.")
        if not self._token.opens(one(form, "secret")):
            log.warning("console: wrong local token", extra={"address": host})
            return self._ask(request, "That is not the token.", 401, one(form, "next"))
        return self._in(local(one(form, "next")), "local token", TOKEN, ())

    def _begin(self, request: Request, _form: Form) -> Response:
        begun = self._by_provider().begin()
        facts = {
            "state": begun.state,
            "nonce": begun.nonce,
            "verifier": begun.verifier,
            "next": local(request.query_params.get("next", "/")),
            "u": (clock.now() + _BEGUN).timestamp(),
        }
        response = RedirectResponse(begun.url, 303)
        self._set(
            response,
            self._begun_cookie,
            self._frame.sessions.signer(OIDC, "begun").dumps(facts),
            int(_BEGUN.total_seconds()),
        )
        return response

    def _back(self, request: Request, _form: Form) -> Response:
        provider = self._by_provider()
        begun = self._frame.sessions.opened(OIDC, "begun", request.cookies.get(self._begun_cookie, ""))
        try:
            if begun is None:
                raise Refused("sign-in: it was not begun in this browser, or longer than ten minutes ago; begin again")
            person = provider.finish(begun, request.query_params)
        except Refused as failure:
            log.warning("console: %s", failure)
            response = self._ask(
                request,
                f"{str(failure).removeprefix('sign-in: ').capitalize()}.",
                401,
                str((begun or {}).get("next", "/")),
            )
            self._drop(response, self._begun_cookie)
            return response
        oidc = self._frame.config.console.oidc
        named = [group for group in person.groups if oidc and group in named_groups(oidc)]
        response = self._in(str(begun["next"]), person.name, OIDC, named)
        self._drop(response, self._begun_cookie)
        return response

    def _in(self, next: str, name: str, via: str, groups: list[str] | tuple[()]) -> Response:
        who, cookie = self._frame.sessions.open(name, via, groups)
        if not self._frame.viewer(who):
            log.warning("console: signed in, and may not look", extra={"via": via})
            raise Problem(
                403,
                "Not permitted",
                "You are known, and none of your groups may look at the console. Ask the administrator of the bridge.",
            )
        log.info("console: signed in", extra={"via": via, "operator": self._frame.operator(who)})
        response = RedirectResponse(next, 303)
        self._set(response, self._frame.cookie, cookie, int((who.until - clock.now()).total_seconds()))
        return response

    def _out(self, _request: Request, who: Who, _form: Form) -> Response:
        self._frame.sessions.close(who)
        response = RedirectResponse("/sign-in", 303)
        self._drop(response, self._frame.cookie)
        return response

    def _by_provider(self) -> Provider:
        if self._provider is None:
            raise Problem(404, "Not found", "Sign-in by a provider is not configured (console.oidc).")
        return self._provider

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._frame.secure, httponly=True, samesite="lax"
        )

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._frame.secure, httponly=True, samesite="lax")
