# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Watches the loops from the event loop: logs and raises an alert for one that hangs, and tells systemd that the bridge is alive while none does.

systemd kills and restarts a service that does not write ``WATCHDOG=1`` in time (``WatchdogSec=``, sd_notify(3)). It is written by the event
loop, so that one that hangs writes nothing either.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from lifecycle_bridge.loops import Loops, Silence

log = logging.getLogger("lifecycle_bridge.watchdog")

#: Seconds between two looks, unless systemd expects a sign more often.
LOOK = 5.0


def tell_systemd(state: str) -> None:
    """Write a state to systemd, such as ``READY=1``; nothing where systemd did not start the bridge with ``Type=notify``."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect("\0" + place[1:] if place.startswith("@") else place)
        channel.send(state.encode())


def pause() -> float:
    """Return the seconds between two looks: at most half of WatchdogSec=, as sd_watchdog_enabled(3) says."""
    given = os.environ.get("WATCHDOG_USEC", "")
    return min(LOOK, int(given) / 2e6) if given.isdecimal() else LOOK


class Watchdog:
    """Looks at the loops again and again.

    :param raise_alert: called in a thread of its own for each loop that hangs, since the database may be what it waits for.
    """

    def __init__(
        self, loops: Loops, raise_alert: Callable[[Silence], None], tell: Callable[[str], None] = tell_systemd
    ) -> None:
        self._loops, self._raise_alert, self._tell = loops, raise_alert, tell
        self._before: set[tuple[str, str]] = set()
        self._known: set[tuple[str, str]] = set()

    async def watch(self) -> None:
        """Look until the task is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(pause())

    def look(self) -> None:
        """Look once. A loop counts when it hung at the look before too: a machine that was paused needs a moment to go on."""
        now = {(one.loop, one.of): one for one in self._loops.hanging()}
        hangs = set(now) & self._before
        for key in hangs - self._known:
            log.error("%s", now[key].words, extra={"loop": key[0]})
            threading.Thread(target=self._raise, args=(now[key],), name="watchdog", daemon=True).start()
        for loop, of in self._known - set(now):
            log.info("loop %s%s is well again", loop, f" ({of})" if of else "", extra={"loop": loop})
        self._before, self._known = set(now), hangs
        if not hangs:
            self._tell("WATCHDOG=1")

    def _raise(self, silence: Silence) -> None:
        try:
            self._raise_alert(silence)
        except Exception:  # the log, /healthz and the metrics say it all the same
            log.exception("the alert about loop %s could not be kept", silence.loop)
