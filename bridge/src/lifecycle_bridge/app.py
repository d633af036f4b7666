# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One process: the door for HR, the console, metrics and health, and the loops behind them."""

from __future__ import annotations

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
from lifecycle_bridge.metrics import DoorMeter
from lifecycle_bridge.poll.runner import Polling
from lifecycle_bridge.post import Alert
from lifecycle_bridge.receive.endpoint import Door
from lifecycle_bridge.service import Bridge

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
                    self.bridge.send_alert(Alert(alarm.key, alarm.detail, alarm.over))
            except Exception:  # whatever it is, the next look has to come
                log.exception("the polls failed; they are tried again")


def application(config: Config, executor: Executor | None = None) -> Starlette:
    """Yield the whole bridge as an ASGI application; it works from its start to its end.

    :raises ConfigError: it must not be started as it is configured.
    """
    bridge = Bridge(config, executor)
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
            *bridge.signal_keys.routes(),
            *api_routes(bridge.database, config, bridge.acts),
            *console_routes(bridge.database, config, bridge.acts, checks, meter, bridge.people, bridge.looks),
        ],
        lifespan=life,
    )
    app.state.bridge = bridge
    return app
