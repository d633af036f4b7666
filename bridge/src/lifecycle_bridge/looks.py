# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Looks up where one person has accounts, devices and open items, by the collection's playbook ``locate``. The answer is kept in memory for a
while, never in the database.

A page by itself reads the ledger only. Every system is asked when a person wants it; nothing is written to any.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import NAMING, Executor, Order
from lifecycle_bridge.loops import Loops, never_stop
from lifecycle_bridge.people import Key

log = logging.getLogger("lifecycle_bridge.looks")

PLAYBOOK = "workforce.lifecycle.locate"
#: Seconds for which an answer is used; seconds until a look-up that failed is tried again; look-ups at the same time; people that may wait for one.
FRESH, AGAIN, AT_ONCE, MOST = 900.0, 60.0, 2, 50
_LONGEST = 300


def _text(value: object) -> str:
    return str(value or "")[:_LONGEST]


@dataclass(frozen=True)
class Account:
    """An account on one system. ``doubt``: it may be somebody else's. ``live``: the system itself said so just now."""

    system: str
    login: str
    state: str = ""
    evidence: str = ""
    last_seen: str = ""
    held: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    doubt: bool = False
    live: bool = False


@dataclass(frozen=True)
class Item:
    """An open item of a case. ``decide`` is its name where a person decides whether it is kept or removed; ``ledger_case`` is the ledger's case."""

    ledger_case: str
    system: str
    step: str
    what: str
    outcome: str
    why: str
    owner: str
    decide: str = ""


@dataclass(frozen=True)
class Device:
    """A device. ``out``: company hardware that a person who has left still has."""

    system: str
    serial: str
    what: str
    at: str = ""
    out: bool = False


@dataclass(frozen=True)
class Linger:
    """Access that may still work after everything was ended, and until when."""

    system: str
    what: str
    until: str


@dataclass(frozen=True)
class Look:
    """The result. ``whole``: every system was asked; ``silent``: those that did not answer, and why; ``known``: the ledger knows the person."""

    at: datetime
    whole: bool
    accounts: tuple[Account, ...]
    items: tuple[Item, ...]
    devices: tuple[Device, ...]
    lingers: tuple[Linger, ...]
    silent: Mapping[str, str]
    nowhere: tuple[str, ...] = ()
    known: bool = True

    @property
    def undecided(self) -> tuple[Item, ...]:
        """Return the items on which a person has to decide."""
        return tuple(item for item in self.items if item.decide)


@dataclass(frozen=True)
class Asked:
    """The state of a look-up: ``look`` is its result, ``going`` says that one is under way, ``trouble`` why the last one failed."""

    look: Look | None = None
    going: bool = False
    trouble: str = ""

    def undecided(self, ledger_case: str) -> tuple[Item, ...]:
        """Return the items of a case of the ledger on which a person has to decide; of all cases where the case is not known."""
        items = self.look.undecided if self.look else ()
        return tuple(item for item in items if ledger_case in ("", item.ledger_case))

    def decides(self, ledger_case: str, system: str = "") -> bool:
        """Return whether a decision may wait in a case, on this system or on any; true also when the look-up failed."""
        if self.look is None:
            return not self.going
        return any(system in ("", item.system) for item in self.undecided(ledger_case))


class Looks:
    """The look-ups of all pages. Safe to use from several threads.

    :param executor: runs the playbook; None: nothing can be looked up.
    """

    def __init__(
        self,
        config: Config,
        executor: Executor | None,
        loops: Loops | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._executor, self._monotonic = config, executor, monotonic
        self._loops = loops or Loops()
        self._lock, self._room = threading.Lock(), threading.Semaphore(AT_ONCE)
        self._found: dict[Key, tuple[float, Look]] = {}
        self._failed: dict[Key, tuple[float, str]] = {}
        self._going: set[Key] = set()

    def of(self, key: Key, user: str, since: datetime | None = None) -> Asked:
        """Return the state of a look-up. Where no result is in memory, or it is older than ``since``, one begins that reads the ledger only."""
        asked = self._state(key)
        if asked.look is not None and since is not None and asked.look.at < since:
            self.forget(key)
            asked = self._state(key)
        if asked.look is None and not asked.going and not asked.trouble:
            self._begin(key, user, whole=False)
            return self._state(key)
        return asked

    def ask(self, key: Key, user: str) -> None:
        """Ask every system, in a thread of its own.

        :raises BridgeError: too many wait already, or there is nothing to ask with.
        """
        if self._executor is None:
            raise BridgeError("look in every system: this bridge runs no playbooks")
        if not self._begin(key, user, whole=True):
            raise BridgeError(
                "look in every system: a look-up of this person is under way, or too many wait; try again in a minute"
            )

    def forget(self, key: Key) -> None:
        """Forget the result, so that the next page looks it up again."""
        with self._lock:
            self._found.pop(key, None)
            self._failed.pop(key, None)

    def _state(self, key: Key) -> Asked:
        now = self._monotonic()
        with self._lock:
            self._found = {one: held for one, held in self._found.items() if held[0] > now}
            self._failed = {one: held for one, held in self._failed.items() if held[0] > now}
            look = self._found[key][1] if key in self._found else None
            return Asked(look, key in self._going, self._failed[key][1] if key in self._failed else "")

    def _begin(self, key: Key, user: str, *, whole: bool) -> bool:
        with self._lock:
            if self._executor is None or key in self._going or len(self._going) >= MOST:
                return False
            self._going.add(key)
        work = threading.Thread(target=self._work, args=(self._executor, key, user, whole), name="look", daemon=True)
        work.start()
        return True

    def _work(self, executor: Executor, key: Key, user: str, whole: bool) -> None:
        try:
            with self._room, self._loops.running("locate"):
                look = self._run(executor, user, whole)
            with self._lock:
                self._found[key] = (self._monotonic() + FRESH, look)
                self._failed.pop(key, None)
        except BridgeError as failure:
            log.warning("a look failed: %s", failure)
            with self._lock:
                self._failed[key] = (self._monotonic() + AGAIN, str(failure))
        except Exception as failure:  # a fault in the executor: the page says so, and the next look-up may succeed
            log.exception("a look failed")
            with self._lock:
                self._failed[key] = (self._monotonic() + AGAIN, f"look: {type(failure).__name__}")
        finally:
            with self._lock:
                self._going.discard(key)

    def _run(self, executor: Executor, user: str, whole: bool) -> Look:
        """Run the playbook, and return what it says of the person.

        :raises BridgeError: it says nothing, or several people fit.
        """
        ident = f"{NAMING}look-{clock.now():%Y%m%dT%H%M%S%f}"
        asked = {**self._config.extra_vars, "user": [user], "ask_systems": "true" if whole else "false"}
        order = Order(ident, PLAYBOOK, asked, timeout=900 if whole else 300, idle_timeout=300)
        try:
            result = executor.run(order, stop=never_stop, progress=lambda _step: None)
        finally:
            executor.forget(ident)
        if not isinstance(result.stats.get("known"), Mapping):
            raise BridgeError(f"look where somebody is: {result.detail or result.status}")
        if len({*result.stats["known"], *(result.stats.get("located") or ())}) > 1:
            raise BridgeError(
                f"look where somebody is: HR knows several people as {user}; ask by their address, with the playbook locate"
            )
        return look_of(result.stats, whole, clock.now())


def look_of(said: Mapping[str, Any], whole: bool, now: datetime) -> Look:
    """Read what the playbook says of one person."""
    known, located = _first(said.get("known")), _first(said.get("located"))
    live = [_live(name, one) for name, seen in located.items() for one in _rows(seen, "accounts")]
    others = [
        Account(
            _text(one.get("system")),
            _text(one.get("login")),
            evidence=", ".join(map(_text, one.get("by") or ())),
            last_seen=_text(one.get("at")),
        )
        for one in _rows(known, "accounts")
    ]
    met = {(one.system, one.login) for one in live}
    devices = [Device(name, _text(word), "") for name, seen in located.items() for word in seen.get("devices") or ()]
    shown = " ".join(one.serial for one in devices)
    devices += [
        _device(one) for one in _rows(known, "devices") if _text(one.get("serial")) not in shown or one.get("out")
    ]
    nowhere = [name for name, seen in located.items() if seen.get("knows_people") and not _anything(seen)]
    silent = said.get("silent") if isinstance(said.get("silent"), Mapping) else {}
    return Look(
        now,
        whole,
        (*live, *(one for one in others if (one.system, one.login) not in met and one.system not in nowhere)),
        tuple(_item(one) for one in _rows(known, "open")),
        tuple(devices),
        tuple(one for one in map(_linger, _rows(known, "lingers")) if not _over(one.until, now)),
        {_text(name): _text(why) for name, why in (silent or {}).items()},
        tuple(nowhere),
        bool(known),
    )


def _first(data: object) -> Mapping[str, Any]:
    """Return the part of the one person who was asked for."""
    parts = [one for one in data.values() if isinstance(one, Mapping)] if isinstance(data, Mapping) else []
    return parts[0] if parts else {}


def _rows(data: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return [one for one in data.get(name) or () if isinstance(one, Mapping)][:500]


def _anything(seen: Mapping[str, Any]) -> bool:
    return any(seen.get(what) for what in ("accounts", "mailbox", "files", "devices"))


def _live(system: str, one: Mapping[str, Any]) -> Account:
    return Account(
        system,
        _text(one.get("login")),
        _text(one.get("state")),
        _text(one.get("evidence")),
        _text(one.get("last_seen")),
        tuple(map(_text, one.get("held") or ())),
        tuple(map(_text, one.get("open") or ())),
        one.get("whose") != "theirs",
        True,
    )


def _item(one: Mapping[str, Any]) -> Item:
    names = ("case", "system", "step", "what", "outcome", "why", "owner", "decide")
    return Item(*(_text(one.get(name)) for name in names))


def _linger(one: Mapping[str, Any]) -> Linger:
    return Linger(_text(one.get("system")), _text(one.get("what")), _text(one.get("until")))


def _over(until: str, now: datetime) -> bool:
    """Return whether a moment has passed; false for a text that is no moment."""
    try:
        return datetime.fromisoformat(until.replace("Z", "+00:00")) <= now
    except (ValueError, TypeError):
        return False


def _device(one: Mapping[str, Any]) -> Device:
    return Device(
        _text(one.get("system")),
        _text(one.get("serial")),
        _text(one.get("what")),
        _text(one.get("at")),
        bool(one.get("out")),
    )
