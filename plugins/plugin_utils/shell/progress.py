# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reports the progress of long work: workers append lines to files, and the callback shows them.

Ansible's workers cannot write to the screen, and a task's result comes only at its end.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...module_utils.model import clock, private

#: Seconds between two lines of one step; the last one is always written.
EVERY = 0.5


def folder() -> Path:
    """Return the folder of this run's lines: ``LIFECYCLE_PROGRESS``, else one in Ansible's temporary folder."""
    if os.environ.get("LIFECYCLE_PROGRESS"):
        return Path(os.environ["LIFECYCLE_PROGRESS"])
    from ansible import constants as C

    return Path(C.DEFAULT_LOCAL_TMP) / "workforce_progress"


def writer(system: str, step: str, person: str) -> Callable[[int, int, str], None]:
    """Return a function ``(done, total, unit)`` that writes a line of progress. It never fails: no step may fail
    because of it.

    A line is ``{"system", "step", "person", "done", "total", "unit", "at"}``; ``total`` is 0 when nobody knows it.
    """
    last = [float("-inf")]

    def note(done: int, total: int, unit: str) -> None:
        moment = time.monotonic()
        if moment - last[0] < EVERY and not (total and done >= total):
            return
        last[0] = moment
        line = json.dumps(
            {
                "system": system,
                "step": step,
                "person": person,
                "done": done,
                "total": total,
                "unit": unit,
                "at": clock.stamp(),
            }
        )
        _append(line)

    return note


def ended(task: str, result: Mapping[str, Any], of: int) -> None:
    """Write a line that a step has ended for one of ``of`` people, before it has ended for all. It never fails.

    A line is ``{"task", "of", "ended": the result without the keys that only Ansible needs}``.
    """
    shown = {key: value for key, value in result.items() if key not in ("diff", "invocation")}
    try:
        line = json.dumps({"task": task, "of": of, "ended": shown}, default=str)
    except (TypeError, ValueError):
        return
    _append(line)


def _append(line: str) -> None:
    try:
        where = folder()
        private.make_folder(where)
        handle = private.opened(where / f"progress-{os.getpid()}.json", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, line.encode() + b"\n")
        finally:
            os.close(handle)
    except OSError:
        return


class Reader:
    """Reads the lines that were written since the last look."""

    def __init__(self, where: Path | None = None) -> None:
        self.where = where or folder()
        self._read: dict[Path, int] = {}

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the new complete lines; an incomplete one is left for the next look."""
        for path in sorted(self.where.glob("progress-*.json")):
            try:
                with path.open("rb") as lines:
                    lines.seek(self._read.get(path, 0))
                    for line in lines:
                        if not line.endswith(b"\n"):
                            break
                        self._read[path] = self._read.get(path, 0) + len(line)
                        yield json.loads(line)
            except (OSError, ValueError):
                continue
