# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Tries doors with hostile inputs made from a seed: each door in a process of its own, whose memory is measured.

python -m tests.hostile.campaign COUNT SEED [DOOR...]
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hostile.doors import Door

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that one input may take, whatever it is: the deadline of a call in these tests, many times over.
LONGEST = 90.0


@dataclass
class Seen:
    """What was seen at one door."""

    door: str
    tried: int
    megabytes: int = 0
    longest: float = 0.0
    failures: list[str] = field(default_factory=list)


def shares(doors: Sequence[Door], count: int) -> dict[str, int]:
    """Divide the inputs among the doors by their weight; each gets one at least."""
    whole = sum(door.weight for door in doors)
    return {door.name: max(1, -(-count * door.weight // whole)) for door in doors}


def try_door(door: Door, tries: int, seed: int) -> Seen:
    """Try one door in this process."""
    seen = Seen(door.name, tries)
    before = set(os.listdir())
    with tempfile.TemporaryDirectory() as folder, door.opened(Path(folder)) as once:
        for number in range(tries):
            began = time.monotonic()
            try:
                once(random.Random(f"{seed} {door.name} {number}"))
            except Exception as e:  # noqa: BLE001 - whatever it is: it is what this looks for
                at = "".join(
                    f" < {Path(one.filename).name}:{one.lineno}"
                    for one in traceback.extract_tb(e.__traceback__)[:-5:-1]
                )
                seen.failures.append(f"{door.name} {number}: {type(e).__name__}: {str(e)[:300]!r}{at}")
            seen.longest = max(seen.longest, time.monotonic() - began)
            _forget()
    if set(os.listdir()) - before:
        seen.failures.append(f"{door.name}: executed: {sorted(set(os.listdir()) - before)}")
    seen.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return seen


def _forget() -> None:
    """Give back what the allocator keeps of an input: each run of the collection is a process of its own."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _child(door: Door, tries: int, seed: int, out: str) -> None:
    logging.disable(logging.CRITICAL)
    gc.freeze()  # what was there before the fork is looked through by no collection
    Path(out).write_text(json.dumps(asdict(try_door(door, tries, seed))))
    os._exit(0)  # threads of emulators are nobody's to wait for


def campaign(doors: Sequence[Door], count: int, seed: int) -> list[Seen]:
    """Try all doors, one after another, each in a fork of this process."""
    found = []
    fork = multiprocessing.get_context("fork")
    for door in doors:
        tries = shares(doors, count)[door.name]
        with tempfile.TemporaryDirectory() as here:
            out = Path(here) / "seen"
            os.chdir(here)  # where anything that is executed leaves its mark
            process = fork.Process(target=_child, args=(door, tries, seed, str(out)))
            process.start()
            process.join(60 + LONGEST * tries)
            if process.is_alive():
                process.kill()
            os.chdir(ROOT)
            said = json.loads(out.read_text()) if out.exists() else None
        found.append(
            Seen(**said)
            if said
            else Seen(door.name, tries, failures=[f"{door.name}: it ended with {process.exitcode}"])
        )
    return found


def main() -> int:
    import tests.conftest  # noqa: F401 - makes the collection answer to its name
    from tests.hostile.doors import DOORS

    count, seed, names = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    seen = campaign([door for door in DOORS if not names or door.name in names], count, seed)
    print(json.dumps([asdict(one) for one in seen]))
    return 1 if any(one.failures for one in seen) else 0


if __name__ == "__main__":
    sys.exit(main())
