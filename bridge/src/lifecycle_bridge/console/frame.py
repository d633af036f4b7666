# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Does for every page what all pages need: sign-in, rights, protection against forged forms, headers, templates."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import labels
from lifecycle_bridge.console.acts import ACTS
from lifecycle_bridge.console.roles import May, may
from lifecycle_bridge.console.sessions import Sessions, Who
from lifecycle_bridge.errors import BridgeError, ConfigError, Unreachable
from lifecycle_bridge.people import People
from lifecycle_bridge.plain_text import visible
from lifecycle_bridge.plans import DIGEST
from lifecycle_bridge.store.views import Case, Views

log = logging.getLogger("lifecycle_bridge.console")

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_STATIC = {
    "console.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_MOST_FORM = 1_000_000
_FORM_SECONDS = 10

Form = Mapping[str, Sequence[str]]
Get = Callable[[Request, Who], Response]
Post = Callable[[Request, Who, Form], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class Problem(Exception):
    """Ends a request with a page that says why. ``title`` is short, ``words`` say what to do."""

    def __init__(self, status: int, title: str, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.words, self.headers = status, title, words, dict(headers or {})


@cache
def _files() -> Mapping[str, bytes]:
    """Return the style sheet, the script, the icon; read once."""
    folder = resources.files("lifecycle_bridge.console") / "static"
    return {name: (folder / name).read_bytes() for name in _STATIC}


def _shown(value: object) -> object:
    """Return a value as it may be shown in a page: HTML escaping alone leaves control characters in it."""
    made = visible(value) if isinstance(value, str) else value
    return Markup(made) if isinstance(value, Markup) else made  # noqa: S704 - it was Markup before


@cache
def _templates() -> Environment:
    """Return the pages' templates, each compiled once. Every value is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=PackageLoader("lifecycle_bridge.console"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        acts=ACTS,
        decided_kinds=labels.DECIDED,
        kinds=labels.KINDS,
        states=labels.STATES,
        run_states=labels.RUNS,
        line_words=labels.LINES,
        filter_words=labels.FILTERS,
        span=labels.span,
        event_word=labels.event_word,
        zone_word=labels.zone_word,
        plan_digest=DIGEST,
        version=hashlib.sha256(b"".join(_files().values())).hexdigest()[:12],
    )
    made.filters["path"] = lambda text: quote(str(text), safe="")
    return made


class Frame:
    """See the module."""

    def __init__(self, config: Config, views: Views, sessions: Sessions, people: People) -> None:
        self.config, self.views, self.sessions, self.people = config, views, sessions, people
        self.secure = urlsplit(config.public_url).scheme == "https"
        self.cookie = "__Host-lifecycle" if self.secure else "lifecycle"

    # -- who, and what they may

    def who(self, request: Request) -> Who | None:
        """Return who is signed in."""
        return self.sessions.read(request.cookies.get(self.cookie, ""))

    def may(self, who: Who) -> May:
        """Return what they may. Judged each time by the configuration as it is now."""
        return may(who, self.config.console.oidc)

    def operator(self, who: Who) -> bool:
        """Return whether they may act."""
        return self.may(who).act

    def viewer(self, who: Who) -> bool:
        """Return whether they may look."""
        return self.may(who).look

    def reader(self, who: Who) -> bool:
        """Return whether they may read records, which hold names."""
        return self.may(who).records

    # -- endpoints

    def page(self, endpoint: Get, narrow: bool = False) -> Endpoint:
        """Return a page for those who are signed in; others are sent to sign in, and come back.

        :param narrow: it shows only what each may see, so that it is also for those who look at their department alone.
        """

        async def answer(request: Request) -> Response:
            return await self._answer(request, lambda: self._looked(request, endpoint, narrow))

        return answer

    def act(self, endpoint: Post, operator: bool = True) -> Endpoint:
        """Return an endpoint for a form. The form must come from a page of this session and, with ``operator``, from a user who may act."""

        async def answer(request: Request) -> Response:
            try:
                form = await read_form(request)
            except Problem as problem:
                return self.problem(request, problem)
            return await self._answer(request, lambda: self._acted(request, endpoint, form, operator))

        return answer

    def open(self, endpoint: Callable[[Request, Form], Response]) -> Endpoint:
        """Return an endpoint that needs no sign-in, such as the sign-in page itself."""

        async def answer(request: Request) -> Response:
            try:
                form = await read_form(request) if request.method == "POST" else {}
            except Problem as problem:
                return self.problem(request, problem)
            return await self._answer(request, lambda: endpoint(request, form))

        return answer

    def _looked(self, request: Request, endpoint: Get, narrow: bool) -> Response:
        who = self.who(request)
        if who is None:
            there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse("/sign-in" + (f"?next={quote(there, safe='')}" if there != "/" else ""), 303)
        if not self.viewer(who):
            raise Problem(
                403,
                "Not permitted",
                "You are signed in, and none of your groups may look at the console. Ask the administrator of the bridge.",
            )
        if self.may(who).departments is not None and not narrow:
            if request.url.path == "/":
                return RedirectResponse("/people", 303)
            raise Problem(403, "Not permitted", "You may look at the people of your department: see People.")
        return endpoint(request, who)

    def _acted(self, request: Request, endpoint: Post, form: Form, operator: bool) -> Response:
        who = self.who(request)
        if who is None:
            raise Problem(401, "Signed out", "Your session has ended, and nothing was done. Sign in and do it again.")
        self.same_site(request)
        if not hmac.compare_digest(one(form, "token").encode(), self.sessions.form_token(who).encode()):
            raise Problem(
                403,
                "Refused",
                "This form is not from your session, and nothing was done. Open the page again and repeat it.",
            )
        if operator and not self.operator(who):
            raise Problem(
                403, "Only for operators", "You may look, and nothing was done. Ask the administrator of the bridge."
            )
        return endpoint(request, who, form)

    def same_site(self, request: Request) -> None:
        """Refuse a request that a page of another site has sent.

        :raises Problem: it was sent by another site.
        """
        origin = request.headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc not in (
            urlsplit(self.config.public_url).netloc,
            request.headers.get("host", ""),
        )
        if foreign or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Problem(403, "Refused", "This came from a page of another site, and nothing was done.")

    async def _answer(self, request: Request, work: Callable[[], Response]) -> Response:
        try:
            _refuse_nul([*request.path_params.values(), *request.query_params.values()])
            return self.secured(await run_in_threadpool(work))
        except Problem as problem:
            return self.problem(request, problem)
        except Unreachable as failure:
            return self.problem(request, Problem(503, "No answer", str(failure)))
        except ConfigError as failure:
            log.error("console: %s", failure)
            return self.problem(
                request, Problem(503, "Not set up", "The bridge is not set up for this; its log says more.")
            )
        except BridgeError as failure:
            return self.problem(request, Problem(409, "Nothing was done", str(failure)))

    # -- answers

    def render(self, request: Request, template: str, who: Who | None, answer: int = 200, **given: Any) -> Response:
        """Return a page."""
        now = clock.now()
        mine = self.may(who) if who else May()
        about = {
            "who": who,
            "may": mine,
            "name_of": lambda case: self._name(case, mine),
            "operator": who is not None and self.operator(who),
            "reader": who is not None and self.reader(who),
            "form_token": self.sessions.form_token(who) if who else "",
            "counts": self.views.counts(now) if who else {},
        }
        text = (
            _templates()
            .get_template(template)
            .render(
                request=request,
                here=request.url.path,
                now=now,
                when=lambda moment, zone="": labels.absolute(moment, zone, now),
                rel=lambda moment: labels.relative(moment, now),
                **about,
                **given,
            )
        )
        return Response(text, answer, media_type="text/html; charset=utf-8")

    def _name(self, case: Case, mine: May) -> str:
        """Return the name of a case's person; empty until HR has said it, and for users who may not see it."""
        key = (case.source, case.person)
        known = mine.shown(self.people.known([key])) if mine.names else {}
        return known[key].name if key in known else ""

    def problem(self, request: Request, problem: Problem) -> Response:
        """Return the page that says why not."""
        text = _templates().get_template("problem.html").render(problem=problem, who=None, here=request.url.path)
        return self.secured(Response(text, problem.status, problem.headers, "text/html; charset=utf-8"))

    def secured(self, response: Response) -> Response:
        """Return the answer with the headers that browsers obey."""
        headers = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if self.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    async def static(self, request: Request) -> Response:
        """Return the style sheet, the script, the icon."""
        name = request.path_params["name"]
        if name not in _files():
            return self.problem(request, Problem(404, "Not found", "There is no such file."))
        return self.secured(Response(_files()[name], 200, {"Cache-Control": "public, max-age=86400"}, _STATIC[name]))


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return a form's fields.

    :raises Problem: it is none, too long, or too slow.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem(415, "Not a form", "Only forms of the console are taken here.")
    body = bytearray()
    try:
        async with asyncio.timeout(_FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_FORM:
                    raise Problem(
                        413, "Too long", "This form is too long; choose fewer cases at once.", {"Connection": "close"}
                    )
    except (TimeoutError, ClientDisconnect):
        raise Problem(408, "Too slow", "The form did not arrive; send it again.", {"Connection": "close"}) from None
    try:
        form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20_000)
    except ValueError:
        raise Problem(400, "Not a form", "Only forms of the console are taken here.") from None
    _refuse_nul([text for texts in form.values() for text in texts])
    return form


def _refuse_nul(texts: Iterable[object]) -> None:
    """Refuse a NUL character, which PostgreSQL does not take.

    :raises Problem: one of the texts holds it.
    """
    if any("\0" in str(text) for text in texts):
        raise Problem(400, "Not understood", "There is a character in it that cannot be kept, and nothing was done.")


def one(form: Form, name: str) -> str:
    """Return a field that comes once; empty when it does not."""
    found = form.get(name) or [""]
    return found[0]


def local(path: str) -> str:
    """Return a path of this site, or "/": no user is sent to another site after signing in."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(letter) < 33 for letter in path)
    return path if plain and "\\" not in path else "/"
