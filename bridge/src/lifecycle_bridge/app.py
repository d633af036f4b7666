# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One process: the endpoint for HR, the console, metrics and health, and the loops behind them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from lifecycle_bridge import clock
from lifecycle_bridge.api import api_routes
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import console_routes
from lifecycle_bridge.execute import Executor
from lifecycle_bridge.health import writable
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.metrics import EndpointMeter
from lifecycle_bridge.poll.runner import Polling
from lifecycle_bridge.receive.endpoint import Endpoint
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store.alerts import Alert
from lifecycle_bridge.watchdog import Watchdog, tell_systemd

log = logging.getLogger("lifecycle_bridge")
#: Seconds between two looks; without a successful one after which ``/readyz`` says no.
_POLL, _FAILING = 1.0, 30.0


class Polls(threading.Thread):
    """Asks once a second which HR system is due, and has it looked at."""

    def __init__(self, polling: Polling, bridge: Bridge) -> None:
        super().__init__(name="polls", daemon=True)
        self.polling, self.bridge = polling, bridge
        self.ended = threading.Event()
        self._loop = bridge.loops.begin("polls")

    def run(self) -> None:
        self._loop.succeeded()
        while not self.ended.wait(_POLL):
            try:
                alarms = self.polling.run_once(wait_for_looks=False).alarms
                # What begins is in the table of alerts, and is sent from there until it arrives.
                self.bridge.send_alerts([Alert(one.key, one.detail, one.over) for one in alarms if one.over])
                self._loop.succeeded()
            except Exception:  # whatever it is, the next look has to come
                log.exception("the polls failed; they are tried again")
            self._loop.came_around()
        self.bridge.loops.end(self._loop)

    def works(self) -> str:
        """Return why the polls cannot work; empty while they do."""
        age = self._loop.seconds_without_success()
        return "" if age < _FAILING else f"nothing that is due was polled for {age:.0f} s"


def application(config: Config, executor: Executor | None = None, loops: Loops | None = None) -> Starlette:
    """Return the whole bridge as an ASGI application; it works from its start to its end.

    :param loops: where each loop says that it moves.
    :raises ConfigError: it must not be started as it is configured.
    """
    bridge = Bridge(config, executor, loops)
    meter = EndpointMeter()
    endpoint = Endpoint(config.sources, bridge.inbox, seen=meter.seen)
    polling = Polling(bridge.database, config, bridge.inbox, loops=bridge.loops)
    polls = Polls(polling, bridge)
    watchdog = Watchdog(bridge.loops, bridge.raise_silence)
    checks = {
        "database": writable(bridge.database),
        "dispatch": bridge.works,
        "polls": polls.works,
        "loops": bridge.loops.trouble,
    }

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        bridge.start()
        polls.start()
        watching = asyncio.get_running_loop().create_task(watchdog.watch())
        tell_systemd("READY=1")
        log.info(
            "listening", extra={"listen": config.listen, "sources": len(config.sources), "at": clock.now().isoformat()}
        )
        try:
            yield
        finally:
            tell_systemd("STOPPING=1")
            watching.cancel()
            polls.ended.set()
            await bridge.inbox.close()
            polling.close()
            bridge.stop()

    app = Starlette(
        routes=[
            *endpoint.routes(),
            *bridge.signal_keys.routes(),
            *api_routes(bridge.database, config, bridge.acts),
            *console_routes(
                bridge.database, config, bridge.acts, checks, meter, bridge.people, bridge.looks, bridge.loops
            ),
        ],
        lifespan=life,
    )
    app.state.bridge = bridge
    return app
