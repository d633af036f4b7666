# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An event source of Event-Driven Ansible: receives HR's webhooks, verifies them as the bridge does, and makes
canonical events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from lifecycle_bridge.config import Source, source_of
from lifecycle_bridge.events import Event
from lifecycle_bridge.person_ids import refusal
from lifecycle_bridge.receive.endpoint import Endpoint
from starlette.applications import Starlette

DOCUMENTATION = r"""
short_description: Receive what HR systems send, proven and reduced to ids
description:
  - Listens for the webhooks of BambooHR, HiBob, Personio, Gusto, Rippling, Workday, of Standard Webhooks and of CloudEvents.
  - Each request is proven over its raw bytes, in the vendor's own way; what can't be is answered with 401, and no event follows.
  - A person's id that could be a template, several people or a command is refused, and logged with its place; no event follows.
  - An event is a CloudEvent with the HR id of a person; C(meta.uuid) is made of source and event id, so that a repetition is known.
  - HR has its 2xx when the rule engine has the event, which lives in memory - what must not be lost goes through the bridge, which stores it first.
options:
  host: {description: "The address to listen at.", type: str, default: 127.0.0.1}
  port: {description: "The port to listen at.", type: int, required: true}
  sources:
    description:
      - HR systems by name, as in the bridge's configuration - C(scheme), C(secrets) (each C(env) or C(file)), C(system), C(options).
      - A system sends to C(/hr/NAME).
    type: dict
    required: true
  certfile: {description: "Certificate chain, for HTTPS.", type: str}
  keyfile: {description: "Its key.", type: str}
requirements: [workforce-lifecycle-bridge]
"""

EXAMPLES = r"""
- workforce.lifecycle.hr_events:
    port: 8651
    sources:
      bamboohr: {scheme: bamboohr, secrets: [{env: BAMBOOHR_WEBHOOK_KEY}]}
"""

log = logging.getLogger("lifecycle_bridge.eda")


class _Server(uvicorn.Server):
    """A server that ends when it is cancelled; ansible-rulebook handles signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Handed:
    """Puts events into the rule engine's queue, each once."""

    def __init__(self, queue: asyncio.Queue[Any], systems: dict[str, str]) -> None:
        self.queue, self.systems = queue, systems
        self.known: dict[str, None] = {}

    async def put(self, events: list[Event]) -> list[Event]:
        for event in events:
            if why := refusal(event.person) if event.person else "":
                log.error("hr %s: the id of a person is refused: %s; %s", event.source, why, event.place)
        new = [
            event
            for event in events
            if f"{event.source} {event.id}" not in self.known and not (event.person and refusal(event.person))
        ]
        for event in new:
            await self.queue.put(canonical(event, self.systems.get(event.source, event.source)))
            self.known[f"{event.source} {event.id}"] = None
        while len(self.known) > 100_000:
            del self.known[next(iter(self.known))]
        return new


def canonical(event: Event, system: str) -> dict[str, Any]:
    """Return an event in the form for the rule engine; ``people`` and ``everybody`` are variables of the playbook
    ``intake``."""
    said = event.cloudevent()
    asked = (
        {"people": {system: [event.person]}, "everybody": []} if event.person else {"people": {}, "everybody": [system]}
    )
    return {**said, **asked, "person": event.person or system, "meta": {"uuid": f"{event.source}-{event.id}"}}


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Listen until the rulebook ends; never returns, since that would end the rulebook.

    :raises ConfigError: a source must not be listened to as it is written.
    """
    sources: dict[str, Source] = {name: source_of(name, given) for name, given in args["sources"].items()}
    systems = {name: source.system or name for name, source in sources.items()}
    door = Endpoint(sources, _Handed(queue, systems))
    server = _Server(
        uvicorn.Config(
            Starlette(routes=door.routes()),
            host=str(args.get("host", "127.0.0.1")),
            port=int(args["port"]),
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=_path(args.get("certfile")),
            ssl_keyfile=_path(args.get("keyfile")),
        )
    )
    try:
        await server.serve()
    finally:
        server.should_exit = True
    await asyncio.Event().wait()


def _path(given: Any) -> Path | None:
    return Path(str(given)) if given else None


if __name__ == "__main__":

    class _Shown(asyncio.Queue[Any]):
        async def put(self, item: Any) -> None:
            print(item)

    asyncio.run(
        main(
            _Shown(),
            {"port": 8651, "sources": {"hr": {"scheme": "standard_webhooks", "secrets": [{"env": "HR_WEBHOOK_KEY"}]}}},
        )
    )
