# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company's week in the bridge's tables, acts that change them as the bridge would, and a server around the console."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from lifecycle_bridge import clock, health
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import console_routes
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.looks import Looks
from lifecycle_bridge.people import People
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.tables import alerts, cases, events, runs, sources, timeline
from starlette.applications import Starlette

NOW = datetime(2026, 3, 24, 15, 20, tzinfo=UTC)
TOKEN = "first-day-token-of-the-tests-0123456789"


def hours(n: float) -> str:
    return stamp(NOW + timedelta(hours=n))


def case(kind: str, person: str, state: str, due: float, **more: Any) -> dict[str, Any]:
    """A row of ``cases``; hours from NOW."""
    source = more.pop("source", "bamboohr")
    row = {
        "id": f"{kind}-{source}-{person}-7f0c",
        "source": source,
        "person": person,
        "kind": kind,
        "stage": "",
        "state": state,
        "due_at": hours(due),
        "zone": "Europe/Berlin",
        "urgent": False,
        "why": "",
        "extra_vars": "{}",
        "attempt": 0,
        "next_at": hours(due),
        "ident": "",
        "started_at": "",
        "ended_at": "",
        "late_s": 0.0,
        "outcome": "",
        "detail": "",
        "ledger_case": "",
        "record": "",
        "open_steps": "[]",
        "created_at": hours(min(due, 0) - 30),
        "changed_at": hours(min(due, 0)),
    }
    return row | more


def week(record: str = "") -> list[dict[str, Any]]:
    """Cases in every state."""
    open_steps = json.dumps(
        [
            {"system": "github", "step": "cutoff", "outcome": "failed"},
            {"system": "intune", "step": "device", "outcome": "acknowledged"},
        ]
    )
    return [
        case(
            "offboard",
            "4711",
            "stuck",
            -4,
            why="last day 2026-03-24",
            detail="a person has to act on github: the credential may not remove members",
            attempt=9,
            started_at=hours(-4),
            ended_at=hours(-1),
            changed_at=hours(-1),
            open_steps=open_steps,
            ledger_case="4711-offboard-2026",
            extra_vars=json.dumps({"user": "hr_id:4711"}),
            record=record,
            outcome="open",
        ),
        case(
            "offboard",
            "4802",
            "held",
            -1,
            why="last day 2026-03-24",
            detail="brake: 26 leavers in 24 hours where 25 may leave",
            attempt=1,
            started_at=hours(-1),
            ended_at=hours(-0.9),
            changed_at=hours(-0.9),
        ),
        case(
            "offboard",
            "4803",
            "held",
            -1,
            why="last day 2026-03-24",
            detail="brake: 26 leavers in 24 hours where 25 may leave",
            attempt=1,
            started_at=hours(-1),
            ended_at=hours(-0.9),
            changed_at=hours(-0.9),
        ),
        case(
            "offboard",
            "3310",
            "running",
            -0.05,
            why="access ends now",
            urgent=True,
            attempt=1,
            ident="offboard-bamboohr-3310-7f0c-1",
            started_at=hours(-0.04),
            changed_at=hours(-0.04),
            source="hibob",
        ),
        case(
            "onboard",
            "5120",
            "waiting",
            -3,
            why="starts 2026-03-24",
            detail="2 steps open: exchange",
            attempt=2,
            started_at=hours(-3),
            next_at=hours(0.2),
            ended_at=hours(-0.1),
            changed_at=hours(-0.1),
            late_s=1500.0,
        ),
        case("transfer", "2207", "upcoming", -0.5, why="changed: department"),
        case(
            "transfer",
            "2208",
            "todo",
            -50,
            why="changed: department",
            detail="waits for a person: wiki",
            outcome="person",
            attempt=3,
            started_at=hours(-50),
            ended_at=hours(-2),
            changed_at=hours(-2),
            ledger_case="transfer-tom-20260322-aa",
            extra_vars=json.dumps({"user": "hr_id:2208"}),
            open_steps=json.dumps([{"system": "wiki", "step": "entitlements", "outcome": "needs_human"}]),
        ),
        case("offboard", "4420", "upcoming", 1.7, why="last day 2026-03-24"),
        case("offboard", "1188", "upcoming", 73.7, why="last day 2026-03-27", zone="America/New_York", source="hibob"),
        case("onboard", "5301", "upcoming", 15.7, why="starts 2026-03-25", stage="prepare"),
        case("onboard", "5302", "upcoming", 135.7, why="starts 2026-03-30"),
        case("rename", "2911", "upcoming", 20, why="changed: last name"),
        *[
            case(
                "offboard",
                f"30{n:02}",
                "done",
                -20 - n,
                why="last day 2026-03-23",
                attempt=1,
                started_at=hours(-20 - n),
                ended_at=hours(-19.95 - n),
                changed_at=hours(-19.95 - n),
                detail="seen to be complete",
                outcome="complete",
            )
            for n in range(4)
        ],
        case(
            "onboard",
            "5002",
            "done",
            -30,
            why="starts 2026-03-23",
            attempt=1,
            started_at=hours(-30),
            ended_at=hours(-29.5),
            changed_at=hours(-29.5),
            detail="seen to be complete",
            late_s=0.0,
            outcome="complete",
        ),
        case(
            "offboard",
            "4100",
            "cancelled",
            40,
            why="last day 2026-03-26",
            ended_at=hours(-6),
            changed_at=hours(-6),
            detail="still employed",
        ),
    ]


def seed(database: Database, record: str = "") -> None:
    """A realistic week, once."""
    database.create()
    with database.read() as c:
        if c.scalar(sa.select(sa.func.count()).select_from(cases)):
            return
    rows = week(record)
    stuck = rows[0]["id"]
    story = [
        (-34, "made", "last day 2026-03-24", ""),
        (-28, "moved", "from 2026-03-31 to 2026-03-24: last day moved", ""),
        (-4, "started", f"run {stuck}-1", ""),
        *[
            (-4 + n / 1000, "progress", f"{task} on {host}", "")
            for n, (task, host) in enumerate(
                (
                    ("Close sessions", "entra"),
                    ("Block sign-in", "entra"),
                    ("Remove from organisation", "github"),
                    ("Convert mailbox", "exchange"),
                ),
                1,
            )
        ],
        (-3.9, "retry", "1 step open: github; again in 30 s", ""),
        (-1.1, "started", f"run {stuck}-9", ""),
        (-1, "stuck", "a person has to act on github", ""),
        (-0.99, "told", "by mail and slack", ""),
    ]
    ran = [
        {
            "ident": f"{stuck}-9",
            "playbook": "workforce.lifecycle.offboard",
            "cases": json.dumps([stuck]),
            "status": "failed",
            "detail": "github: 403, the credential may not remove members",
            "output": "/var/lib/lifecycle/runs/4711-9/output.txt",
            "owner": "ops1",
            "started_at": hours(-1.1),
            "ended_at": hours(-1),
        },
        {
            "ident": f"{stuck}-1",
            "playbook": "workforce.lifecycle.offboard",
            "cases": json.dumps([stuck, rows[1]["id"], rows[2]["id"]]),
            "status": "timeout",
            "detail": "stopped after 3600 s",
            "output": "",
            "owner": "ops1",
            "started_at": hours(-4),
            "ended_at": hours(-3.9),
        },
        {
            "ident": "offboard-bamboohr-3310-7f0c-1",
            "playbook": "workforce.lifecycle.offboard",
            "cases": json.dumps([rows[3]["id"]]),
            "status": "running",
            "detail": "",
            "output": "",
            "owner": "ops1",
            "started_at": hours(-0.04),
            "ended_at": "",
        },
        {
            "ident": "intake-0f1e2d3c4b5a",
            "playbook": "workforce.lifecycle.intake",
            "cases": "[]",
            "status": "successful",
            "detail": "",
            "output": "",
            "owner": "ops1",
            "started_at": hours(-0.5),
            "ended_at": hours(-0.49),
        },
    ]
    heard = [("bamboohr", f"e{n}", "jml.person.changed", str(2000 + n), False, -n - 1, "done") for n in range(12)]
    heard += [
        ("bamboohr", "e-4711", "jml.employment.terminated", "4711", False, -34.1, "done"),
        ("hibob", "h-3310", "jml.access.revoked", "3310", True, -0.06, "done"),
        ("hibob", "h-9", "jml.person.changed", "1188", False, -0.02, "new"),
    ]
    with database.write() as c:
        c.execute(sa.insert(cases), rows)
        c.execute(
            sa.insert(timeline),
            [
                {"case_id": stuck, "at": hours(at), "what": what, "detail": detail, "by": by}
                for at, what, detail, by in story
            ],
        )
        c.execute(sa.insert(runs), ran)
        c.execute(
            sa.insert(events),
            [
                {
                    "source": source,
                    "id": ident,
                    "type": kind,
                    "person": person,
                    "urgent": urgent,
                    "occurred_at": "",
                    "received_at": hours(at),
                    "raw_sha256": "0" * 64,
                    "state": state,
                    "batch": "",
                }
                for source, ident, kind, person, urgent, at, state in heard
            ],
        )
        c.execute(
            sa.insert(sources),
            [
                {
                    "name": "bamboohr",
                    "last_event_at": hours(-1),
                    "last_look_at": hours(-0.05),
                    "last_everybody_at": hours(-12),
                    "cursor": "",
                    "trouble": "",
                    "told_at": "",
                },
                {
                    "name": "hibob",
                    "last_event_at": hours(-0.02),
                    "last_look_at": hours(-40),
                    "last_everybody_at": hours(-36),
                    "cursor": "",
                    "trouble": "poll hibob: it answered 403; look at what the service user may see",
                    "told_at": hours(-2),
                },
                {
                    "name": "payroll",
                    "last_event_at": hours(-80),
                    "last_look_at": hours(-80),
                    "last_everybody_at": hours(-80),
                    "cursor": "",
                    "trouble": "",
                    "told_at": "",
                },
            ],
        )
        c.execute(
            sa.insert(alerts),
            [
                {
                    "key": "webhook:hibob",
                    "at": hours(-2),
                    "detail": "hibob: polls found 3 people changed since 2026-03-24 10:00 UTC, and no webhook came. Look at the webhook in HR.",
                    "told_at": hours(-2),
                    "settled_at": "",
                    "settled_by": "",
                },
                {
                    "key": "bamboohr:3871:0a1b",
                    "at": hours(-7),
                    "detail": "bamboohr 3871: the record is gone, and nobody was offboarded",
                    "told_at": hours(-7),
                    "settled_at": "",
                    "settled_by": "",
                },
                {
                    "key": "intake:old",
                    "at": hours(-50),
                    "detail": "HR was not read: bamboohr answered 503",
                    "told_at": hours(-50),
                    "settled_at": hours(-49),
                    "settled_by": "grace@corp.example",
                },
            ],
        )


STUCK, HELD = week()[0]["id"], week()[1]["id"]
MOVER = "transfer-bamboohr-2208-7f0c"
#: Every page, with something on it. A route that is in none of them is found by test_console_pages.
PAGES: Mapping[str, str] = {
    "overview": "/",
    "people": "/people?text=l%C3%B6we",
    "person": "/people/bamboohr/4711",
    "mover": "/people/bamboohr/2208",
    "trends": "/trends",
    "cases": "/cases",
    "held": "/cases?state=held",
    "case": f"/cases/{STUCK}",
    "mover-case": f"/cases/{MOVER}",
    "runs": "/runs",
    "sources": "/sources",
    "none": "/cases/none",
    "attest": f"/act/attest?case={STUCK}&system=intune",
    "decide": f"/act/decide?case={MOVER}",
    "retry": f"/act/retry?case={STUCK}",
    "run-now": f"/act/run_now?case={MOVER}",
    "cancel": f"/act/cancel?case={STUCK}",
    "release": f"/act/release?case={HELD}",
    "settle": "/act/settle?key=webhook:hibob",
}
#: Pages that a test of their own visits: sign-in, a plan that is approved, and the record, which is a page in a frame.
ELSEWHERE = ("/sign-in", "/act/approve?case=x", f"/records/{STUCK}")
#: What is no page: for the browser, for machines, or a step on the way to the provider.
NO_PAGES = ("/static/{name}", "/metrics", "/healthz", "/readyz", "/sign-in/oidc", "/sign-in/callback")


class FakeActs:
    """Does to the rows what the bridge would, and remembers what it was asked."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked: list[tuple[Any, ...]] = []

    def retry(self, case: str, by: str) -> None:
        self._set("retry", case, by, "waiting", "tried again by hand")

    def cancel(self, case: str, by: str, why: str) -> None:
        self._set("cancel", case, by, "cancelled", why)

    def run_now(self, case: str, by: str) -> None:
        self._set("run_now", case, by, "waiting", "run now")

    def release(self, cases: Sequence[str], by: str, why: str) -> None:
        for one in cases:
            self._set("release", one, by, "waiting", why)

    def attest(self, case: str, system: str, by: str, note: str, what: str = "") -> None:
        self._set("attest", case, by, "waiting", f"{system}: {note}")

    def decide(self, case: str, decisions: Mapping[str, str], by: str, note: str) -> None:
        self._set("decide", case, by, "waiting", note)
        self.asked[-1] = (*self.asked[-1], dict(decisions))

    def approve(self, plan: str, by: str, why: str, case: str = "") -> None:
        self.asked.append(("approve", plan, by, why))

    def settle(self, key: str, by: str) -> None:
        self.asked.append(("settle", key, by))
        with self.database.write() as c:
            c.execute(sa.update(alerts).where(alerts.c.key == key).values(settled_at=stamp(clock.now()), settled_by=by))

    def _set(self, act: str, case: str, by: str, state: str, detail: str) -> None:
        self.asked.append((act, case, by, detail))
        with self.database.write() as c:
            row = c.execute(sa.select(cases.c.state).where(cases.c.id == case)).first()
            if row is None or row.state in ("done", "cancelled"):
                raise BridgeError(f"{act} {case}: it is {row.state if row else 'gone'}; nothing was done")
            c.execute(
                sa.update(cases)
                .where(cases.c.id == case)
                .values(
                    state=state,
                    detail=detail,
                    changed_at=stamp(clock.now()),
                    ended_at=stamp(clock.now()) if state == "cancelled" else "",
                )
            )
            c.execute(
                sa.insert(timeline).values(
                    case_id=case,
                    at=stamp(clock.now()),
                    what={"cancelled": "cancelled"}.get(state, "retry"),
                    by=by,
                    detail=detail,
                )
            )


class Hr:
    """Says who people are, as the playbook ``people`` does, by the id that HR gave them; and where, as ``locate`` does.

    ``where`` is what ``locate`` hands over, by user; ``asked`` are the variables of each such run.
    """

    def __init__(
        self, names: Mapping[str, Mapping[str, Any]], where: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.names, self.where = names, where or {}
        self.asked: list[Mapping[str, Any]] = []
        self.forgotten: list[str] = []

    def run(self, order: Order, **_hooks: Any) -> Result:
        if order.playbook.endswith(".locate"):
            self.asked.append(order.extra_vars)
            said = dict(self.where.get(order.extra_vars["user"][0], {"known": {}}))
            if order.extra_vars["ask_systems"] == "false":
                said["located"] = {}
            return Result("failed" if said.get("silent") else "successful", stats=said)
        wanted = order.extra_vars["people"]
        found = {system: {one: self.names[one] for one in ids if one in self.names} for system, ids in wanted.items()}
        return Result("successful", stats={"contacts": found})

    def forget(self, ident: str) -> None:
        self.forgotten.append(ident)


SOURCES = {
    "bamboohr": {"scheme": "bamboohr", "secrets": [{"env": "X"}], "poll": {"kind": "bamboohr"}},
    "hibob": {"scheme": "hibob", "secrets": [{"env": "X"}], "poll": {"kind": "hibob"}},
    "agencies": {"poll": {"kind": "csv"}},
}


def made(
    folder: Path,
    seeded: bool = True,
    checks: Mapping[str, health.Check] | None = None,
    record: str = "",
    names: Mapping[str, Mapping[str, Any]] | None = None,
    where: Mapping[str, Mapping[str, Any]] | None = None,
    acts_of: Callable[[Database, Config], Any] | None = None,
    database: Database | None = None,
    **config: Any,
) -> tuple[Starlette, Database, Any]:
    """The console's application, its database, and the acts: :class:`FakeActs`, or what is made of these two."""
    database = database or Database(f"sqlite:///{folder / 'bridge.db'}")
    database.create()
    if seeded:
        seed(database, record)
    settings = Config.model_validate({"sources": SOURCES, **config})
    acts = acts_of(database, settings) if acts_of else FakeActs(database)
    hr = Hr(names, where) if names is not None else None
    people = People(settings, hr)  # type: ignore[arg-type]
    looks = Looks(settings, hr)  # type: ignore[arg-type]
    if names is not None:
        people.ask({(source, person) for source in SOURCES for person in names})
    routes = console_routes(
        database, settings, acts, checks or {"database": health.writable(database)}, people=people, looks=looks
    )
    app = Starlette(routes=routes)
    app.state.looks, app.state.hr = looks, hr
    return app, database, acts


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The application on a free port of this machine; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    started = threading.Event()
    startup: Callable[..., Any] = server.startup

    async def tell(*args: Any, **kw: Any) -> None:
        await startup(*args, **kw)
        started.set()

    server.startup = tell  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def waits(case: str, system: str, what: str, outcome: str = "needs_human", decide: str = "") -> dict[str, str]:
    """Something open, as ``locate`` hands it over."""
    step = "entitlements" if decide else "cutoff"
    return {
        "case": case,
        "kind": "",
        "system": system,
        "step": step,
        "what": what,
        "outcome": outcome,
        "why": "",
        "owner": "",
        "decide": decide,
    }


#: What ``locate`` hands over of a leaver who is almost out, and of a mover of whom somebody has to decide.
WHERE: Mapping[str, Mapping[str, Any]] = {
    "hr_id:4711": {
        "known": {
            "jane@corp.example": {
                "accounts": [
                    {
                        "system": "entra",
                        "id": "u-1",
                        "login": "jane@corp.example",
                        "by": ["employee number"],
                        "at": "2025-01-02T08:00:00Z",
                    }
                ],
                "open": [
                    waits("4711-offboard-2026", "github", "member", "failed"),
                    waits("4711-offboard-2026", "intune", "device C02JANE001"),
                ],
                "lingers": [{"system": "entra", "what": "access tokens", "until": "2026-03-24T16:20:00Z", "why": "x"}],
                "devices": [
                    {
                        "serial": "C02JANE001",
                        "personal": False,
                        "out": True,
                        "what": "lock ordered",
                        "at": "",
                        "system": "intune",
                    }
                ],
            }
        },
        "located": {
            "jane@corp.example": {
                "github": {
                    "knows_people": True,
                    "accounts": [
                        {
                            "id": "7",
                            "login": "jroth",
                            "state": "active",
                            "whose": "theirs",
                            "evidence": "link",
                            "last_seen": "",
                            "held": ["teams Platform"],
                            "open": ["membership"],
                        }
                    ],
                    "devices": [],
                    "notes": [],
                },
                "slack": {"knows_people": True, "accounts": [], "mailbox": "", "files": "", "devices": [], "notes": []},
            }
        },
        "silent": {"aws": "it does not answer"},
    },
    "hr_id:2208": {
        "known": {
            "tom@corp.example": {
                "accounts": [],
                "open": [
                    waits("transfer-tom-20260322-aa", "wiki", f"unexplained: groups: {name}", decide=f"d{n:016x}")
                    for n, name in enumerate(
                        ("Chess", "Release Managers", "Old project with a very long name that somebody once made")
                    )
                ],
                "lingers": [],
                "devices": [],
            }
        },
        "located": {},
        "silent": {},
    },
}
