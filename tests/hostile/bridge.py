# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The bridge's doors: webhooks of each scheme, Event-Driven Ansible, the API, the console's forms, and the identity provider's answers."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.console import oidc
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.person_ids import refusal
from lifecycle_bridge.receive.endpoint import Endpoint, Passed
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.tables import alerts, events
from starlette.testclient import TestClient

from tests.bridge import door_support
from tests.hostile import words

Try = Callable[[random.Random], None]


def body_of(genuine: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return words.broken(genuine, chance)
    return json.dumps(words.turned(json.loads(genuine), chance)).encode()


def scheme(name: str) -> Callable[[Path], Any]:
    """A webhook of one scheme, genuinely signed over a hostile body, into the real inbox."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Try]:
        sign, genuine, _said = door_support.VENDORS[name]
        database = Database(f"sqlite:///{folder}/{name}.db")
        database.create()
        passed: list[Passed] = []

        class Store:
            """The inbox, whose writer belongs to the loop of one request."""

            async def put(self, found: list[Any]) -> list[Any]:
                inbox = Inbox(database)
                try:
                    return await inbox.put(found)
                finally:
                    await inbox.close()

        door = Endpoint({"hr": door_support.source(name)}, Store(), seen=passed.append)  # type: ignore[arg-type]

        def once(chance: random.Random) -> None:
            body = body_of(genuine, chance)
            signed = {said.lower(): value for said, value in sign(body, at=clock.now()).items()}
            headers = {"content-type": "application/json", **signed}
            if chance.random() < 0.2:
                headers[chance.choice(list(headers))] = words.text(chance).replace("\r", "").replace("\n", "")
            door_support.ask(door, "/hr/hr", headers, body)
            assert passed.pop().outcome != "fault", f"a fault of ours at {body[:200]!r}"
            stored(database)

        try:
            yield once
        finally:
            database.close()

    return opened


def stored(database: Database) -> None:
    """Whoever is in the tables is named by an id that is one; an alert holds no hostile word."""
    with database.write() as c:
        for person in c.execute(sa.select(events.c.person)).scalars():
            assert not person or not refusal(person), person
        for told in c.execute(sa.select(alerts.c.detail)).scalars():
            assert not words.STEERS.search(told) and not words.MARK.search(told), told[:200]
        c.execute(sa.delete(events))
        c.execute(sa.delete(alerts))


@contextmanager
def event_filter(folder: Path) -> Iterator[Try]:
    """Event-Driven Ansible's filter, for what came by another way: the whole event becomes variables that Ansible evaluates."""
    from tests.bridge.test_eda import plugin

    canonical = plugin("event_filter", "canonical_hr").main

    def once(chance: random.Random) -> None:
        name = chance.choice(sorted(door_support.VENDORS))
        body = body_of(door_support.VENDORS[name][1], chance)
        try:
            payload: Any = json.loads(body)
        except (ValueError, RecursionError):
            payload = body.decode("utf-8", "replace")
        event = {
            "payload": payload,
            "meta": words.turned({"received_at": "x", "uuid": "u", "headers": {"a": "b"}}, chance),
        }
        said = json.dumps(canonical(event, source="hr", scheme=name))
        assert not words.MARK.search(said), said[:300]

    yield once


@contextmanager
def api(folder: Path) -> Iterator[Try]:
    """The API: paths, queries and bodies with a token that may everything."""
    from tests.bridge.test_api import BEARER, made

    app, database = made(folder)
    client = TestClient(app, headers=BEARER, raise_server_exceptions=True)
    bodies: dict[str, Any] = {
        "attest": {"system": "badge", "note": "x", "what": "y"},
        "release": {"cases": ["offboard-bamboohr-4802-7f0c"], "why": "x"},
        "approve": {"plan": "0" * 64, "why": "x"},
        "cancel": {"why": "x"},
        "retry": {},
    }

    def once(chance: random.Random) -> None:
        act = chance.choice(list(bodies))
        case = "offboard-bamboohr-4711-7f0c" if chance.random() < 0.7 else quoted(chance)
        where = f"/api/v1/{act}" if act in ("release", "approve") else f"/api/v1/cases/{case}/{act}"
        if chance.random() < 0.3:
            query = {chance.choice(("state", "kind", "source", "limit", "offset")): plain(chance)}
            answer = client.get(
                f"/api/v1/people/hr/{quoted(chance)}" if chance.random() < 0.5 else "/api/v1/cases", params=query
            )
        else:
            body = json.dumps(words.turned(bodies[act], chance)).encode()
            body = words.broken(body, chance) if chance.random() < 0.2 else body
            answer = client.post(where, content=body, headers={"content-type": "application/json"})
        assert answer.status_code < 500, (where, answer.text[:300])

    try:
        yield once
    finally:
        database.close()


def plain(chance: random.Random) -> str:
    """A text that a client can send: without lone surrogates."""
    return words.text(chance).encode("utf-8", "replace").decode()


def quoted(chance: random.Random) -> str:
    return quote(plain(chance)[:500] or "x", safe="")


@contextmanager
def console(folder: Path) -> Iterator[Try]:
    """The console's pages and forms, signed in as an operator: each answer is a page of ours, or a refusal."""
    from tests.bridge.test_console_pages import STUCK, Company, token_of

    os.environ["OIDC_SECRET"] = "secret"
    company = Company(folder)
    client = company.browser("ops")
    token = token_of(client.get("/").text)
    acts = ("retry", "cancel", "run_now", "release", "attest", "approve", "settle", "x")

    def once(chance: random.Random) -> None:
        given = {name: plain(chance) for name in ("why", "system", "plan", "key", "sure")}
        case = STUCK if chance.random() < 0.3 else plain(chance)
        if chance.random() < 0.6:
            page = f"/act/{chance.choice(acts)}"
            answer = client.post(page, data={"token": token, "case": case, **given})
        else:
            page = chance.choice(
                ("/cases", "/people", "/runs", "/sources", f"/cases/{quoted(chance)}", f"/people/hr/{quoted(chance)}")
            )
            query = {name: plain(chance) for name in ("state", "kind", "source", "text", "page", "said")}
            answer = client.get(page, params=query)
        assert answer.status_code < 500, answer.status_code
        steers = words.STEERS.search(answer.text)
        assert steers is None, f"{page} holds {answer.text[steers.start() - 60 : steers.end() + 20]!r}"
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
        assert "evil.example" not in answer.headers.get("location", "").partition("?")[0]

    try:
        yield once
    finally:
        company.database.close()


@contextmanager
def identity_provider(folder: Path) -> Iterator[Try]:
    """The identity provider's answers and tokens, turned: somebody is proven by them, or refused."""
    from lifecycle_bridge.config import Oidc, Secret

    from sandbox.emulator import Reply
    from tests.bridge.console_support import served
    from tests.bridge.oidc_provider import CLIENT, SECRET, OpenIdProvider

    os.environ["OIDC_CLIENT_SECRET"] = SECRET
    honest = OpenIdProvider()
    now: list[tuple[str, random.Random]] = []

    async def turning(scope: Any, receive: Any, send: Any) -> None:
        if not now or scope["type"] != "http" or scope["path"] != now[0][0]:
            await honest.app(scope, receive, send)
            return
        parts: list[Any] = []

        async def kept(message: Any) -> None:
            parts.append(message)

        await honest.app(scope, receive, kept)
        reply = words.answer(Reply(parts[0]["status"], b"".join(one.get("body", b"") for one in parts[1:])), now[0][1])
        headers = {"content-type": "application/json", **reply.headers, "content-length": str(len(reply.content))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
        await send({"type": "http.response.body", "body": reply.content})

    with served(turning) as url:
        honest.issuer = url
        settings = Oidc(issuer=url, client_id=CLIENT, client_secret=Secret(env="OIDC_CLIENT_SECRET"))

        def once(chance: random.Random) -> None:
            import requests

            provider = oidc.Provider(settings, "https://bridge.corp.example/sign-in/callback")
            honest.honest()
            now.clear()
            begun = provider.begin()
            answer = requests.get(begun.url, allow_redirects=False, timeout=10)
            from urllib.parse import parse_qs, urlsplit

            came = {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}
            if chance.random() < 0.4:
                claim = chance.choice(
                    (
                        "sub",
                        "email",
                        "email_verified",
                        "groups",
                        "aud",
                        "azp",
                        "exp",
                        "iat",
                        "nonce",
                        "iss",
                        "_claim_names",
                    )
                )
                honest.lie = {claim: json.loads(json.dumps(words.value(chance)).encode())}
            else:
                now.append((chance.choice(("/.well-known/openid-configuration", "/keys", "/token")), chance))
                provider = oidc.Provider(settings, "https://bridge.corp.example/sign-in/callback")
            begun_by = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
            with suppress(BridgeError):
                person = provider.finish(begun_by, came)
                assert not words.STEERS.search(person.name), "a name steers no page and no log"
                assert len(person.name) <= 200 and isinstance(person.name, str)

        yield once
