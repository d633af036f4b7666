# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""``/healthz``: the process and all its loops move. ``/readyz``: it can do its work, judged by named checks.

A service manager restarts the bridge when ``/healthz`` fails. So nothing outside the process is asked, since a restart does not bring a database
back. A load balancer sends requests elsewhere while ``/readyz`` fails.

A check is a function that returns what is wrong in words, or an empty text. The words go to the log; the answer, which needs no sign-in, only
names the checks.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.tables import bridges

log = logging.getLogger("lifecycle_bridge.health")

Check = Callable[[], str]
Checks = Mapping[str, Check]
#: Seconds without an answer after which a check has failed.
PATIENCE = 5.0
#: Seconds for which an answer is used again.
_FRESH = 1.0


def writable(database: Database) -> Check:
    """Return a check that writes a row and commits it: only a commit shows that the disk is full."""

    def check() -> str:
        try:
            with database.write() as connection:
                at = stamp(clock.now())
                if not connection.execute(
                    sa.update(bridges).where(bridges.c.owner == _MARK).values(beat_at=at)
                ).rowcount:
                    connection.execute(sa.insert(bridges).values(owner=_MARK, started_at=at, beat_at=at))
            with database.write() as connection:
                connection.execute(sa.delete(bridges).where(bridges.c.owner == _MARK))
            return ""
        except sa.exc.SQLAlchemyError as failure:
            return f"the database does not take a row ({type(getattr(failure, 'orig', None) or failure).__name__}): is there space, and may this user write?"

    return check


#: The row that :func:`writable` writes; no bridge has this name, and the row is removed a moment later.
_MARK = f"readyz-0-{uuid.uuid4().hex}"


class Health:
    """Answers both requests. All checks run at the same time, each in a thread of its own, and none twice at the same time."""

    def __init__(
        self,
        checks: Checks,
        loops: Loops,
        patience: float = PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loops = loops
        self._checks, self._patience, self._monotonic = dict(checks), patience, monotonic
        self._running: dict[str, asyncio.Future[str]] = {}
        self._said: tuple[float, dict[str, str]] | None = None

    async def lives(self, _request: Request) -> Response:
        silences = self._loops.silences()
        alive = not any(one.hangs for one in silences.values())
        answer = {"alive": alive, "loops": {name: "hangs" if one.hangs else "ok" for name, one in silences.items()}}
        return JSONResponse(answer, 200 if alive else 503, {"Cache-Control": "no-store"})

    async def ready(self, _request: Request) -> Response:
        wrong = await self.wrong()
        answer = {
            "ready": not any(wrong.values()),
            "checks": {name: "failed" if words else "ok" for name, words in wrong.items()},
        }
        return JSONResponse(answer, 503 if any(wrong.values()) else 200, {"Cache-Control": "no-store"})

    async def wrong(self) -> dict[str, str]:
        """Return what is wrong, by check; an empty text where nothing is."""
        if self._said is None or self._monotonic() - self._said[0] > _FRESH:
            before = self._said[1] if self._said else {}
            found = dict(zip(self._checks, await asyncio.gather(*map(self._ask, self._checks)), strict=True))
            for name, words in found.items():
                if words != before.get(name, ""):
                    log.log(
                        logging.ERROR if words else logging.INFO,
                        "check %s: %s",
                        name,
                        words or "well again",
                        extra={"check": name},
                    )
            self._said = (self._monotonic(), found)
        return self._said[1]

    async def _ask(self, name: str) -> str:
        asked = self._running.get(name)
        if asked is None or asked.done():
            asked = asyncio.get_running_loop().run_in_executor(None, self._safely, name)
            self._running[name] = asked
        done, _waits = await asyncio.wait({asked}, timeout=self._patience)
        return asked.result() if done else f"it has not answered for {self._patience:g} s"

    def _safely(self, name: str) -> str:
        try:
            return self._checks[name]()
        except Exception as failure:  # noqa: BLE001 - a check that fails in any way makes the answer "not ready"
            return f"the check itself failed ({type(failure).__name__})"


def health_routes(checks: Checks, loops: Loops) -> list[Route]:
    """Return the routes of both questions."""
    health = Health(checks, loops)
    return [Route("/healthz", health.lives, methods=["GET"]), Route("/readyz", health.ready, methods=["GET"])]
