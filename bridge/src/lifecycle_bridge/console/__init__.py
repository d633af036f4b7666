# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The console: a few pages, made on the server, for the people who look after joiners and leavers."""

from __future__ import annotations

from starlette.routing import Route

from lifecycle_bridge.config import Config
from lifecycle_bridge.console.act_pages import ActPages
from lifecycle_bridge.console.acts import Acts
from lifecycle_bridge.console.decision_page import DecisionPage
from lifecycle_bridge.console.frame import Frame
from lifecycle_bridge.console.local_token import LocalToken
from lifecycle_bridge.console.oidc import Provider
from lifecycle_bridge.console.pages import Pages
from lifecycle_bridge.console.people_pages import PeoplePages
from lifecycle_bridge.console.sessions import OIDC, TOKEN, Sessions
from lifecycle_bridge.console.sign_in_pages import SignInPages
from lifecycle_bridge.health import Checks, health_routes
from lifecycle_bridge.looks import Looks
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.metrics import EndpointMeter, metrics_route
from lifecycle_bridge.people import People
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.views import Views

__all__ = ["Acts", "console_routes"]


def console_routes(
    database: Database,
    config: Config,
    acts: Acts,
    checks: Checks,
    endpoint: EndpointMeter | None = None,
    people: People | None = None,
    looks: Looks | None = None,
    loops: Loops | None = None,
) -> list[Route]:
    """Return the routes of the pages, of signing in, and of ``/metrics``, ``/healthz`` and ``/readyz``.

    Makes the local token's file at the first start, unless sign-in by OIDC is configured.

    :param checks: for ``/readyz``, such as ``{"database": health.writable(database)}``.
    :param people: looks up names; without it people are shown by their id.
    :param looks: looks up accounts and open items; without it a page shows the command for it.
    :param loops: of this process, for ``/healthz``, the metrics and the page Sources.
    :param endpoint: counts what the endpoint answered: ``Endpoint(..., seen=meter.seen)``.

    :raises ConfigError: the local token's file cannot be made.
    """
    oidc = config.console.oidc
    token = LocalToken(config.console.token_file, make=oidc is None)
    ways = {TOKEN: token.read, **({OIDC: oidc.client_secret.read} if oidc else {})}
    views = Views(database)
    frame = Frame(config, views, Sessions(database, ways, config.console.session_hours), people or People(config, None))
    looks, loops = looks or Looks(config, None), loops or Loops()
    provider = Provider(oidc, f"{config.public_url.rstrip('/')}/sign-in/callback") if oidc else None
    return [
        *health_routes(checks, loops),
        metrics_route(database, config, endpoint, loops),
        *SignInPages(frame, token, provider).routes(),
        *DecisionPage(frame, views, acts, looks).routes(),
        *ActPages(frame, views, acts, config, looks).routes(),
        *Pages(frame, views, config, looks, loops).routes(),
        *PeoplePages(frame, views, looks).routes(),
        Route("/static/{name}", frame.static),
    ]
