# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR systems that call back: real requests, signed as the vendor signs, repeated as the vendor repeats.

An HR system of the sandbox is told what HR did (:meth:`HrSystem.happens`, or the command below), changes its records, and sends
what the vendor would send for it; nothing, where the vendor sends nothing (a date to come in BambooHR, a deleted row in HiBob).

Control, besides the emulator's own::

    POST /_sandbox/webhooks     {"url": ..., "key": ..., "minute": 60}   who is called from now on; a minute may be made shorter
    POST /_sandbox/hr           {"act": "terminate", "user": "jane@corp.example", "day": "YYYY-MM-DD", "values": {...}}
    GET  /_sandbox/deliveries   every try: when, where, which, its answer
"""

from __future__ import annotations

import heapq
import itertools
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

import httpx

from sandbox.company import Company
from sandbox.emulator import Call, Emulator, Reply

#: What HR people do. ``withdraw`` takes the last termination back; ``revoke`` says that access ends now, whatever the date (Bob has it);
#: ``midnight`` lets dated rows of that day take effect.
ACTS = ("hire", "terminate", "withdraw", "rehire", "leave", "return", "change", "start", "revoke", "delete", "midnight")


#: What HR does to a person: by their id, on a day, with the fields it fills in.
Act = Callable[[str, str, Mapping[str, Any]], object]


@dataclass(frozen=True)
class Subscription:
    """Who is called. ``minute``: how many seconds a minute of the vendor's schedule takes."""

    id: str
    url: str
    key: str = field(repr=False)
    fields: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    name: str = ""
    minute: float = 60.0


class Courier:
    """Sends, and sends again. Each try is signed anew, as its time is in the signature.

    :param gaps: minutes before each try; the first is 0.
    :param again: whether an answer (None: there was none) is worth another try.
    """

    def __init__(self, gaps: Sequence[float], again: Callable[[int | None], bool], timeout: float) -> None:
        self.gaps, self.again, self.timeout = gaps, again, timeout
        self.tries: list[dict[str, Any]] = []
        self.ca_file = ""
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._round = 0
        self._open = 0

    def send(
        self, to: Subscription, content: bytes, headers: Callable[[bytes, str], Mapping[str, str]], what: str
    ) -> None:
        """Begin to deliver; returns at once."""
        self._later(0.0, lambda: self._try(to, content, headers, what, 0, self._round))

    def clear(self) -> None:
        """Forget what was sent, and what would still be."""
        with self._changed:
            self._round += 1
            self._due, self.tries, self._open = [], [], 0
            self._changed.notify_all()

    def settled(self, seconds: float) -> bool:
        """Wait until nothing is under way and nothing waits for another try; false when the time is over first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, seconds)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        with self._changed:
            self._open += 1
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._count), what))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="webhooks", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _serve(self) -> None:
        with ThreadPoolExecutor(8, thread_name_prefix="webhook") as pool:
            while True:
                with self._changed:
                    while not self._due or self._due[0][0] > time.monotonic():
                        self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                    _when, _number, what = heapq.heappop(self._due)
                pool.submit(what)

    def _try(
        self,
        to: Subscription,
        content: bytes,
        headers: Callable[[bytes, str], Mapping[str, str]],
        what: str,
        number: int,
        of: int,
    ) -> None:
        sent = datetime.now(timezone.utc)
        try:
            answer = httpx.post(
                to.url,
                content=content,
                headers={"Content-Type": "application/json", **headers(content, to.key)},
                timeout=self.timeout,
                follow_redirects=False,
                verify=self._trust(to.url),
            )
            status: int | None = answer.status_code
            said = ""
        except (httpx.HTTPError, OSError) as failure:
            status, said = None, str(failure) or type(failure).__name__
        with self._changed:
            if of != self._round:
                return
            self.tries.append(
                {
                    "at": sent.isoformat(),
                    "took": (datetime.now(timezone.utc) - sent).total_seconds(),
                    "url": to.url,
                    "event": what,
                    "attempt": number + 1,
                    "status": status,
                    "error": said,
                }
            )
            done = status is not None and 200 <= status < 300
            if not done and self.again(status) and number + 1 < len(self.gaps):
                self._later(
                    self.gaps[number + 1] * to.minute, lambda: self._try(to, content, headers, what, number + 1, of)
                )
            self._open -= 1
            self._changed.notify_all()

    def _trust(self, url: str) -> ssl.SSLContext | bool:
        if not url.startswith("https://"):
            return True
        context = ssl.create_default_context()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context


class HrSystem(Emulator):
    """An HR system: an emulator that also calls back."""

    #: Minutes before each try of a webhook, and how long an answer may take.
    GAPS: Sequence[float] = (0,)
    TIMEOUT = 10.0

    def __init__(self, company: Company) -> None:
        self.courier = Courier(self.GAPS, self.again, self.TIMEOUT)
        self.subscriptions: dict[str, Subscription] = {}
        super().__init__(company)

    # -- what a vendor's file gives ------------------------------------------------------------------------------------

    def again(self, status: int | None) -> bool:
        """Return whether the vendor tries again after this answer (None: no answer)."""
        return True

    def signed(self, content: bytes, key: str) -> Mapping[str, str]:
        """Return the headers that prove who sends."""
        raise NotImplementedError

    def acts(self) -> Mapping[str, Act]:
        """Name what HR people can do here, of :data:`ACTS`; each sends what the vendor sends."""
        raise NotImplementedError

    def edits_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Put our names of fields into the system's own.

        :raises LookupError: it has no such field.
        """
        raise NotImplementedError

    def key_of(self, user: str) -> str:
        """Return the system's own id of who has this address, employee id or id.

        :raises LookupError: nobody or several have it.
        """
        raise NotImplementedError

    # -- what every vendor has -----------------------------------------------------------------------------------------

    def happens(self, act: str, key: str, day: str, values: Mapping[str, Any]) -> None:
        """Do something to a person, by the system's own id.

        :raises LookupError: the system knows no such act or field.
        """
        edits = self.edits_of(values)
        doing = self.acts().get(act)
        if doing is None:
            raise LookupError(f"{self.name} has no {act}")
        doing(key, day, edits)

    def reset(self) -> None:
        super().reset()
        self.subscriptions = {}
        self.courier.clear()

    def stop(self) -> None:
        self.courier.clear()
        super().stop()

    def subscribe(
        self,
        url: str,
        key: str,
        *,
        fields: Sequence[str] = (),
        events: Sequence[str] = (),
        name: str = "",
        minute: float = 60.0,
    ) -> Subscription:
        """Call this address from now on; the same address again replaces what was."""
        number = next(
            (known.id for known in self.subscriptions.values() if known.url == url), str(1 + len(self.subscriptions))
        )
        self.subscriptions[number] = Subscription(number, url, key, tuple(fields), tuple(events), name, minute)
        return self.subscriptions[number]

    def send(self, to: Subscription, event: Any, what: str) -> None:
        authority = getattr(self, "authority", None)
        self.courier.ca_file = str(authority.ca_file) if authority else ""
        self.courier.send(to, json.dumps(event, separators=(",", ":")).encode(), self.signed, what)

    def _control(self, call: Call) -> Reply:
        verb = call.path.removeprefix("/_sandbox/")
        if verb == "webhooks" and call.method == "POST":
            asked = dict(call.body)
            made = self.subscribe(asked["url"], asked["key"], minute=float(asked.get("minute", 60)))
            return Reply(200, {"id": made.id})
        if verb == "deliveries":
            return Reply(200, self.courier.tries)
        if verb == "hr" and call.method == "POST":
            return self._asked(call.body)
        return super()._control(call)

    def _asked(self, asked: Mapping[str, Any]) -> Reply:
        act, day = asked.get("act", ""), asked.get("day") or datetime.now(timezone.utc).date().isoformat()
        try:
            date.fromisoformat(day)
            if act not in ACTS:
                raise LookupError(f"{act!r} is not something HR does here: {', '.join(ACTS)}")
            key = (
                self.key_of(str(asked.get("user", "")))
                if act not in ("hire", "midnight")
                else str(asked.get("user", ""))
            )
            self.happens(act, key, day, asked.get("values") or {})
        except (LookupError, ValueError) as refusal:
            return Reply(400, {"message": str(refusal.args[0] if refusal.args else refusal)})
        return Reply(200, {"employee": key, "day": day, "at": datetime.now(timezone.utc).isoformat()})


def only(found: Sequence[str], user: str) -> str:
    """Return the one id.

    :raises LookupError: nobody or several.
    """
    if len(found) != 1:
        raise LookupError(f"{user}: {'nobody' if not found else ' and '.join(found)} in HR")
    return found[0]
