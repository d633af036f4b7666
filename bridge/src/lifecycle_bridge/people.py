# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Looks up the names of people by their HR id. A run asks HR; the names are kept in memory for a while, never in the database.

The run's folder, which holds the names too, is removed as soon as it has been read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import NAMING, Executor, Order
from lifecycle_bridge.loops import Loops, came_around, never_stop

log = logging.getLogger("lifecycle_bridge.people")

PLAYBOOK = "workforce.lifecycle.people"
#: Seconds for which an answer is used; seconds until a failed question is asked again; people in one question.
FRESH, AGAIN, MOST = 900.0, 60.0, 500
#: A person: the source's name here, and the id that HR gave them.
Key = tuple[str, str]


@dataclass(frozen=True)
class Contact:
    """A person to whom notices can be sent."""

    name: str = ""
    address: str = ""
    language: str = ""

    @classmethod
    def of(cls, data: object) -> Contact:
        given = data if isinstance(data, Mapping) else {}
        return cls(*(str(given.get(name) or "")[:200] for name in ("name", "address", "language")))


@dataclass(frozen=True)
class Card:
    """What HR says of one person. ``private`` is the address for notices before they have one of the company."""

    name: str
    address: str = ""
    private: str = ""
    title: str = ""
    department: str = ""
    location: str = ""
    language: str = ""
    hire_date: str = ""
    last_day: str = ""
    manager: Contact = Contact()
    buddy: Contact = Contact()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Card:
        names = ("name", "address", "private", "title", "department", "location", "language", "hire_date", "last_day")
        texts = {name: str(data.get(name) or "")[:200] for name in names}
        return cls(**texts, manager=Contact.of(data.get("manager")), buddy=Contact.of(data.get("buddy")))


class People:
    """The look-up of names. Safe to use from several threads.

    :param executor: runs the playbook; None: no names are known.
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
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._cards: dict[Key, tuple[float, Card | None]] = {}
        self._background: threading.Thread | None = None
        self._wanted: set[Key] = set()
        #: Why HR could not be asked lately, and until when it is not asked again.
        self._failed: tuple[float, str] = (float("-inf"), "")

    def known(self, keys: Iterable[Key]) -> dict[Key, Card]:
        """Return the people whose names are in memory, and ask HR for the others in a thread: a page never waits for HR."""
        wanted = set(keys)
        found, missing = self._in_memory(wanted)
        if missing and self._executor is not None:
            self._ask_meanwhile(missing)
        return found

    def ask(self, keys: Iterable[Key]) -> dict[Key, Card]:
        """Return the people whom HR knows; this waits for HR.

        :raises BridgeError: HR could not be asked.
        """
        wanted = set(keys)
        with self._in_turn():
            found, missing = self._in_memory(wanted)
            if missing and self._executor is not None:
                self._look_up(self._executor, sorted(missing))
                found, _missing = self._in_memory(wanted)
        return found

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for another question to HR, which may be long. The waiting thread does not hang: the one that asks would be seen if it did."""
        while not self._asking.acquire(timeout=1.0):
            came_around()
        try:
            yield
        finally:
            self._asking.release()

    def everybody_in_memory(self) -> Mapping[Key, Card]:
        """Return all who are known by name now."""
        with self._lock:
            return {key: card for key, (_at, card) in self._cards.items() if card is not None}

    def _in_memory(self, keys: set[Key]) -> tuple[dict[Key, Card], set[Key]]:
        now = self._monotonic()
        with self._lock:
            self._cards = {key: held for key, held in self._cards.items() if held[0] > now}
            found = {key: self._cards[key][1] for key in keys if key in self._cards}
        return {key: card for key, card in found.items() if card is not None}, keys - set(found)

    def _ask_meanwhile(self, missing: set[Key]) -> None:
        with self._lock:
            self._wanted |= missing
            if self._background is None or not self._background.is_alive():
                self._background = threading.Thread(target=self._work_off, name="people", daemon=True)
                self._background.start()

    def _work_off(self) -> None:
        while True:
            with self._lock:
                wanted, self._wanted = self._wanted, set()
            if not wanted:
                return
            try:
                with self._loops.running("people"):
                    self.ask(wanted)
            except BridgeError as failure:
                log.warning("names were not looked up: %s", failure)
                return

    def _look_up(self, executor: Executor, keys: Sequence[Key]) -> None:
        for start in range(0, len(keys), MOST):
            self._look_up_some(executor, keys[start : start + MOST])

    def _look_up_some(self, executor: Executor, keys: Sequence[Key]) -> None:
        by_system: dict[str, list[str]] = {}
        systems = {source: self._system(source) for source, _person in keys}
        for source, person in keys:
            by_system.setdefault(systems[source], []).append(person)
        ident = f"{NAMING}{clock.now():%Y%m%dT%H%M%S%f}"
        asked = {**self._config.extra_vars, "people": by_system, "buddy_fact": self._config.notices.buddy}
        order = Order(ident, PLAYBOOK, asked, timeout=300, idle_timeout=120)
        if self._monotonic() < self._failed[0]:
            raise BridgeError(self._failed[1])
        try:
            result = executor.run(order, stop=never_stop, progress=lambda _step: None)
        finally:
            executor.forget(ident)
        said = result.stats.get("contacts")
        if not isinstance(said, Mapping) or not set(by_system) <= set(said):
            self._failed = (self._monotonic() + AGAIN, f"ask HR who people are: {result.detail or result.status}")
            raise BridgeError(self._failed[1])
        until = self._monotonic() + FRESH
        with self._lock:
            for key in keys:
                card = said[systems[key[0]]].get(key[1])
                # A person whom HR does not know is noted too, so that not each page asks again.
                self._cards[key] = (until, Card.of(card) if isinstance(card, Mapping) else None)

    def _system(self, source: str) -> str:
        known = self._config.sources.get(source)
        return known.system or source if known is not None else source
