# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Answers of the systems themselves, turned on their way: every connector's own scenarios, as the conformance suite plays them."""

from __future__ import annotations

import copy
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Outcome

from sandbox import ask
from sandbox.box import Box
from tests.conformance.test_conformance import SETS, Play
from tests.hostile import words
from tests.virtual_time import VirtualTime

Try = Callable[[random.Random], None]
#: No step may take longer, whatever its system answers; what is slept counts, though nobody waits for it.
BOUND = 60.0
#: People of the sandbox's company who are in no scenario.
OTHERS = ("grace", "lena")


def without_waiting() -> VirtualTime:
    """Put virtual time in place of what the collection waits, for the rest of this process."""
    virtual = VirtualTime()
    for name, module in list(sys.modules.items()):
        ours = name.startswith("ansible_collections.workforce.lifecycle.plugins.module_utils")
        if ours and getattr(module, "time", None) is time:
            module.time = virtual  # type: ignore[attr-defined]
    return virtual


def others(box: Box, name: str) -> dict[str, Any]:
    """What the systems themselves hold of people whom no scenario is about."""
    emulator = box.emulators.get(name)
    if hasattr(emulator, "see"):
        return {key: repr(emulator.see(key)) for key in OTHERS}
    return {key: ask.ask(box, key) for key in OTHERS}


def judge(result: dict[str, Any]) -> None:
    """A result is one of the nine outcomes, and plain text that can be shown, stored and sent."""
    Outcome(result.get("outcome", "done"))
    said = str(result.get("msg", ""))
    assert len(said) < 100_000 and not words.STEERS.search(said), said[:200]
    assert "Traceback" not in said
    json.dumps(result, ensure_ascii=False).encode()


def vendor(name: str) -> Callable[[Path], Any]:
    """A connector's system, whose answers are turned from the first on, or from a later one."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Try]:
        clock = without_waiting()
        with Box(SETS[name].VENDORS) as box:

            def once(chance: random.Random) -> None:
                _play(name, box, folder, clock, chance)

            yield once

    return opened


def _play(name: str, box: Box, folder: Path, clock: VirtualTime, chance: random.Random) -> None:
    play = Play.__new__(Play)
    play.box, play.scenario, play.folder, play.changes = box, chance.choice(SETS[name].SCENARIOS), folder, {}
    play.fresh()
    before = copy.deepcopy(others(box, name))
    play.fault(
        "turned",
        after=chance.choice((0, 0, 1, 2, 3, 5, 8, 13)),
        times=chance.choice((1, 1, 2, -1)),
        turn=lambda reply: words.answer(reply, chance),
    )
    began, slept = time.monotonic(), clock.slept
    judge(play.run())
    took = time.monotonic() - began + clock.slept - slept
    assert took < BOUND, f"{play.scenario.name} took {took:.0f} s"
    assert others(box, name) == before, f"{play.scenario.name} touched somebody else"
