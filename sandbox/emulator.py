# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What every emulator has: HTTPS, a journal, faults on command, state that outlives a request, and latency.

An emulator is one file per vendor under ``vendors/``: a subclass of :class:`Emulator` whose :meth:`Emulator.routes` map the
vendor's paths to handlers. A handler takes a :class:`Call` and returns a :class:`Reply`; it is synchronous, and all it
knows lives in ``self.state``, which must survive ``copy.deepcopy`` (eventual consistency is an older copy answering reads).

Control, on the same port, for tests and for people::

    GET  /_sandbox/journal            every request and answer, oldest first
    POST /_sandbox/accept/{login}     somebody accepts an invitation
    POST /_sandbox/first-day/{key}    a joiner accepts invitations, registers a second factor, boots the laptop
    POST /_sandbox/faults             [{"method": "POST", "path": "regex", "fault": "status|slow|lost|html|cut|lag|again", ...}]
    POST /_sandbox/latency            {"seconds": 0.05}
    GET  /_sandbox/state              what the system knows
    GET  /_sandbox/person/{key}       what every system of the box knows of a person, in words
    POST /_sandbox/reset              state as seeded, journal and faults empty
    GET  /_sandbox/box/journal        of every system of the box, those that do not speak HTTP too, by name
    GET  /_sandbox/box/whole          everything that every system of the box holds, real servers read to the end
    POST /_sandbox/box/reset          every system of the box that a run writes to
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import Match, Route, Router

from sandbox.company import Company


@dataclass
class Call:
    """One request. ``body`` is parsed JSON, or None; ``form`` the fields of an urlencoded body."""

    method: str
    path: str
    args: Mapping[str, Any]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    query_string: str = ""

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.content.decode(), keep_blank_values=True))


@dataclass
class Reply:
    """One answer. ``body`` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Fault:
    """A fault on command, for requests that match.

    ``fault``: ``status`` (answer ``status``, ``body``, ``headers``; the work is not done), ``slow`` (``seconds`` before the
    work), ``lost`` (the work is done, the connection drops without an answer), ``html`` (a sign-in page), ``cut`` (half of
    the JSON), ``lag`` (the work is done, and the next ``reads`` reads see the state before it), ``turned`` (the work is done,
    and the answer is what ``turn`` makes of it), ``again`` (each path answers what it answered first, whatever page is asked
    for). ``times``: how often, -1 for ever. ``after``: how many matching requests pass first.
    """

    fault: str
    method: str = "*"
    path: str = ".*"
    times: int = 1
    after: int = 0
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    reads: int = 3
    turn: Callable[[Reply], Reply] | None = None
    first: dict[tuple[str, str, bytes], Reply] = field(default_factory=dict)

    def matches(self, method: str, path: str, write: bool) -> bool:
        if self.times == 0 or not re.search(self.path, path):
            return False
        if self.method not in ("*", method, "WRITE" if write else "READ"):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times > 0:
            self.times -= 1
        return True


Handler = Callable[[Call], Reply]


class Emulator:
    """One vendor's cloud. Subclasses give ``name``, :meth:`routes`, :meth:`seed`, :meth:`systems` and :meth:`authorise`."""

    #: The vendor's file name, and its system's name in the sandbox company.
    name = ""
    #: Set by the box when the port is known, before ``__init__``.
    url = ""
    #: False where the system speaks no HTTP, or has no server: the box then opens no port for it.
    HTTP = True
    #: POSTs that only read (searches, token requests): regular expressions of their paths.
    READING_POSTS: Sequence[str] = ()
    #: Of POSTs to one path that may read or write: (expression of the path, expression of the body of those that only read).
    READING_BODIES: Sequence[tuple[str, bytes]] = ()
    #: Called with (emulator, entry) when an entry of any journal is complete: tests judge all of them, also of journals since emptied.
    WITNESSES: list[Callable[[Emulator, dict[str, Any]], None]] = []

    def __init__(self, company: Company) -> None:
        self.company = company
        self.secrets: dict[str, str] = {}
        self.latency = 0.0
        self.journal: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.state: Any = None
        self._stale: tuple[Any, int] | None = None
        self.reset()
        self._router = Router(
            [Route(path, endpoint=_named(handler), methods=[method]) for method, path, handler in self.routes()]
        )

    # -- what a vendor's file gives ------------------------------------------------------------------------------------

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """(method, path, handler); Starlette path syntax: ``/users/{id}``, ``{rest:path}``."""
        raise NotImplementedError

    def seed(self) -> Any:
        """Return the state at the start, made from ``self.company``."""
        raise NotImplementedError

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        """Return entries of this vendor's systems for ``company.systems.yml``; secrets by ``self.secret(name)``."""
        raise NotImplementedError

    def authorise(self, call: Call) -> Reply | None:
        """Return the vendor's refusal of a bad credential, or None when it is good."""
        raise NotImplementedError

    def not_found(self, call: Call) -> Reply:
        """Return the vendor's answer to a path it does not have."""
        return Reply(404, {"message": f"no such path: {call.method} {call.path}"})

    # -- what every vendor has -----------------------------------------------------------------------------------------

    def secret(self, name: str) -> str:
        """Return a secret of this sandbox, made once; recognisable, so that a test can look for it where it must not be."""
        return self.secrets.setdefault(name, f"canary-{self.name}-{name}-{secrets.token_hex(12)}")

    def start(self) -> None:
        """Start what is not served by the box itself."""

    def stop(self) -> None:
        """End it."""

    def reset(self) -> None:
        self.state, self.journal, self.faults, self._stale = self.seed(), [], [], None

    def is_write(self, method: str, path: str) -> bool:
        reads = method == "POST" and any(re.search(p, path) for p in self.READING_POSTS)
        return method not in ("GET", "HEAD", "OPTIONS") and not reads

    def writes(self) -> list[dict[str, Any]]:
        """Return the journal's writes."""
        return [entry for entry in self.journal if entry["write"]]

    def fault(self, fault: str, **how: Any) -> Fault:
        """Arm a fault; see :class:`Fault`."""
        self.faults.append(Fault(fault, **how))
        return self.faults[-1]

    def handle(self, call: Call) -> Reply:
        """Route, check the credential, do the work."""
        scope = {"type": "http", "method": call.method, "path": call.path, "root_path": "", "headers": []}
        partial = False
        for route in self._router.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                call.args = child["path_params"]
                return self.authorise(call) or child["endpoint"].handler(call)
            partial = partial or match is Match.PARTIAL
        return self.not_found(call)

    async def work(self, call: Call, write: bool) -> Reply:
        """Do the work against the state this request may see."""
        if not write and self._stale is not None:
            old, left = self._stale
            current, self.state = self.state, old
            try:
                return self.handle(call)
            finally:
                self.state = current
                self._stale = (old, left - 1) if left > 1 else None
        return self.handle(call)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return None
        call = await _called(scope, receive)
        if call.path.startswith("/_sandbox/"):
            return await _answer(send, self._control(call))
        write = self.is_write(call.method, call.path) and not any(
            re.search(p, call.path) and re.search(b, call.content) for p, b in self.READING_BODIES
        )
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = next((f for f in self.faults if f.matches(call.method, call.path, write)), None)
        entry = {
            "n": len(self.journal) + 1,
            "at": datetime.now(timezone.utc).isoformat(),
            "method": call.method,
            "path": call.path,
            "query": call.query_string,
            "write": write,
            "fault": fault.fault if fault else None,
            "headers": {k: v for k, v in call.headers.items() if k not in ("authorization", "cookie")},
            "body": call.content.decode("utf-8", "replace"),
        }
        self.journal.append(entry)
        kind = fault.fault if fault else ""
        reply = await self._faulty(fault, call, write) if fault else await self.work(call, write)
        entry["status"] = reply.status
        entry["answer"] = "" if kind == "turned" else reply.content.decode("utf-8", "replace")
        entry["answer_headers"] = dict(reply.headers)
        for witness in Emulator.WITNESSES:
            witness(self, entry)
        if kind == "lost":
            entry["status"] = None
            send.__self__.transport.abort()
            return None
        if kind == "cut":
            reply = Reply(
                reply.status,
                reply.content[: len(reply.content) // 2],
                {"content-type": "application/json", **reply.headers},
            )
        return await _answer(send, reply)

    async def _faulty(self, fault: Fault, call: Call, write: bool) -> Reply:
        """Answer as the fault says; most faults change the answer afterwards."""
        if fault.fault == "slow":
            await asyncio.sleep(fault.seconds)
        if fault.fault == "lag":
            self._stale = (copy.deepcopy(self.state), fault.reads)
        if fault.fault == "status":
            return Reply(fault.status, fault.body, dict(fault.headers))
        if fault.fault == "html":
            page = b"<!doctype html><title>Sign in</title><form>Sign in to continue</form>"
            return Reply(200, page, {"content-type": "text/html"})
        reply = await self.work(call, write)
        if fault.fault == "again":
            return fault.first.setdefault((call.method, call.path, call.content), reply)
        return fault.turn(reply) if fault.turn is not None else reply

    def accept(self, login: str) -> None:
        """Somebody accepts an invitation; nothing, where nobody is invited."""

    def _control(self, call: Call) -> Reply:
        """Serve the emulator's own paths: what tests and the demo ask and set."""
        verb, _slash, argument = call.path.removeprefix("/_sandbox/").partition("/")
        if verb == "box":
            verb, argument = f"box/{argument}", ""
        doing = self._controls().get((call.method, verb)) or self._controls().get(("", verb))
        if doing is None:
            return Reply(404, {"message": "journal, faults, latency, reset, identity"})
        return doing(call, argument) or Reply(204)

    def _controls(self) -> Mapping[tuple[str, str], Callable[[Call, str], Reply | None]]:
        """Name what each path does; a method of "" is any."""
        return {
            ("", "journal"): lambda call, argument: Reply(200, self.journal),
            ("", "state"): lambda call, argument: Reply(200, json.dumps(self.state, default=str).encode()),
            ("", "identity"): lambda call, argument: Reply(200, {"sandbox": self.name}),
            ("", "person"): self._ask_person,
            ("", "box/journal"): lambda call, argument: Reply(
                200, {name: system.journal for name, system in self.box.emulators.items()}
            ),
            ("", "box/whole"): self._whole_box,
            ("POST", "faults"): self._set_faults,
            ("POST", "latency"): self._set_latency,
            ("POST", "reset"): lambda call, argument: self.reset(),
            ("POST", "box/reset"): self._reset_box,
            ("POST", "first-day"): self._first_day,
            ("POST", "accept"): lambda call, argument: self.accept(argument),
        }

    def _set_faults(self, call: Call, argument: str) -> None:
        self.faults = [Fault(**f) for f in call.body]

    def _set_latency(self, call: Call, argument: str) -> None:
        self.latency = float(call.body["seconds"])

    def _whole_box(self, call: Call, argument: str) -> Reply:
        from sandbox.whole import whole  # it knows every server, so it can't be known by them

        return Reply(200, json.dumps(whole(self.box), default=str).encode())

    def _reset_box(self, call: Call, argument: str) -> None:
        for system in self.box.emulators.values():
            if getattr(system, "WRITTEN", True):
                system.reset()

    def _ask_person(self, call: Call, argument: str) -> Reply:
        from sandbox.ask import ask  # it knows every vendor, so it can't be known by them

        return Reply(200, ask(self.box, argument))

    def _first_day(self, call: Call, argument: str) -> None:
        from sandbox.first_day import first_day

        first_day(self.box, argument)


async def _called(scope: Any, receive: Any) -> Call:
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    query_string = scope["query_string"].decode()
    return Call(
        scope["method"],
        scope["path"],
        {},
        dict(parse_qsl(query_string, keep_blank_values=True)),
        {k.decode().lower(): v.decode("latin-1") for k, v in scope["headers"]},
        content,
        query_string,
    )


def _named(handler: Handler) -> Any:
    def endpoint(request: Any) -> None:
        raise AssertionError("routes are matched, not called")

    endpoint.handler = handler  # type: ignore[attr-defined]
    return endpoint


async def _answer(send: Any, reply: Reply) -> None:
    headers = {"content-type": "application/json", **{k.lower(): v for k, v in reply.headers.items()}}
    content = reply.content
    if reply.status not in (204, 304):
        headers["content-length"] = str(len(content))
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})
