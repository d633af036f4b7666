# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One process: the door for HR, the console, metrics and health, and the loops behind them."""

from __future__ import annotations

import logging
import shlex
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from lifecycle_bridge import clock, notify
from lifecycle_bridge.api import api_routes
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import console_routes
from lifecycle_bridge.execute import Executor
from lifecycle_bridge.health import writable
from lifecycle_bridge.metrics import DoorMeter
from lifecycle_bridge.poll.runner import Polling
from lifecycle_bridge.receive.endpoint import Door
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store.cases import Told
from lifecycle_bridge.store.verdicts import Step

log = logging.getLogger("lifecycle_bridge")
_POLL = 1.0


class Polls(threading.Thread):
    """Asks the HR systems, once a second what is due."""

    def __init__(self, polling: Polling, bridge: Bridge) -> None:
        super().__init__(name="polls", daemon=True)
        self.polling, self.bridge = polling, bridge
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(_POLL):
            try:
                for alarm in self.polling.run_once(wait_for_looks=False).alarms:
                    self.bridge.tell(
                        Told(
                            alarm.key,
                            alarm.detail,
                            {"id": alarm.key, "kind": "alert", "state": "over" if alarm.over else "alert"},
                        )
                    )
            except Exception:  # whatever it is, the next look has to come
                log.exception("the polls failed; they are tried again")


class Teller:
    """Tells humans on every channel, and logs which did not take it."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __call__(self, told: Told) -> str:
        case = told.case
        id = str(case.get("id") or told.subject)
        notice = notify.Notice(
            case=id,
            kind=str(case.get("kind") or "alert"),
            state=str(case.get("state") or "alert"),
            person=str(case.get("person") or ""),
            open_steps=[f"{step.system}: {step.step or 'all of it'} ({step.outcome})" for step in told.open_steps],
            command=command_for(self.config, told),
            link=f"{self.config.public_url.rstrip('/')}/cases/{id}" if case.get("person") else self.config.public_url,
            why=told.detail,
        )
        ways = []
        for heard in notify.tell(self.config.notify, notice):
            if heard.ok:
                ways.append(heard.channel)
            else:
                log.error("%s was not told by %s: %s", id, heard.channel, heard.detail)
        return f"by {' and '.join(ways)}" if ways else ""


def command_for(config: Config, told: Told) -> str:
    """What goes on with it, to be pasted into a shell: attest what waits for a person, release what the brake holds, retry what failed."""
    case = told.case
    if not case.get("person"):
        return "lifecycle-bridge doctor"
    if case["state"] == "held":
        return shlex.join(["lifecycle-bridge", "release", str(case["id"]), "--why", "REASON"])
    if case["state"] == "todo" and (waiting := _attestable(told.open_steps)):
        return shlex.join(
            ["lifecycle-bridge", "attest", str(case["id"]), "--system", waiting[0], "--note", "WHAT WAS DONE"]
        )
    return shlex.join(["lifecycle-bridge", "retry", str(case["id"])])


def _attestable(steps: Sequence[Step]) -> list[str]:
    return sorted({step.system for step in steps if step.outcome not in ("failed", "unknown", "in_progress")})


def application(config: Config, executor: Executor | None = None) -> Starlette:
    """The whole bridge as an ASGI application; it works from its start to its end.

    :raises ConfigError: it must not be started as it is configured.
    """
    bridge = Bridge(config, executor, Teller(config))
    meter = DoorMeter()
    door = Door(config.sources, bridge.inbox, seen=meter.seen)
    polling = Polling(bridge.database, config, bridge.inbox)
    polls = Polls(polling, bridge)
    checks = {
        "database": writable(bridge.database),
        "dispatch": bridge.works,
        "polls": lambda: "" if polls.is_alive() else "the thread has ended",
    }

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        bridge.start()
        polls.start()
        log.info(
            "listening", extra={"listen": config.listen, "sources": len(config.sources), "at": clock.now().isoformat()}
        )
        try:
            yield
        finally:
            polls.ended.set()
            await bridge.inbox.close()
            polling.close()
            bridge.stop()

    app = Starlette(
        routes=[
            *door.routes(),
            *api_routes(bridge.database, config, bridge.acts),
            *console_routes(bridge.database, config, bridge.acts, checks, meter),
        ],
        lifespan=life,
    )
    app.state.bridge = bridge
    return app
