# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The folder of a run: one for each ident, 0700, never shared and never used again (a variable of one person must not reach the next).

======================  ==============================================================================================
``lock``                held by flock(2): by the bridge that starts the run, then by the supervisor until that ends
``run.json``            written before the playbook is started: once it is there, this ident is never started again
``heartbeat``           touched by the supervisor every 5 seconds; :mod:`~lifecycle_bridge.execute.follow` looks at it
``progress.jsonl``      what the playbook reached: play, task, system, outcome
``output``              the output of ansible-playbook, for a person; secrets of the environment are replaced
``stop``                made by the person who wants the run to be stopped
``result.json``         how it ended, written in one step, when no process of the run is alive
======================  ==============================================================================================
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote


def name_of(ident: str) -> str:
    """Return an ident as the name of a folder: the id that HR gave a person may hold anything."""
    name = quote(ident, safe=" @+=,:")
    return name.replace(".", "%2E", 1) if name.startswith(".") else name


class Folder:
    """The folder of one run, whether it exists or not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run, self.result, self.heartbeat = path / "run.json", path / "result.json", path / "heartbeat"
        self.progress, self.output, self.stop = path / "progress.jsonl", path / "output", path / "stop"

    def make(self) -> None:
        """Make the folder, unless it is there."""
        self.path.mkdir(mode=0o700, exist_ok=True)

    def lock(self) -> int | None:
        """Take the lock and return its file descriptor, to be closed or passed on; None when another process holds it.

        :raises FileNotFoundError: the folder is gone.
        """
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), os.stat(self.path / "lock")):
                return lock
        except BlockingIOError:
            pass
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # held, or of a folder that was swept since
        return None

    def clean(self) -> None:
        """Remove what only a living run needs: ansible-runner's event files, which may name people."""
        for artifacts in self.path.glob("artifacts/*/job_events"):
            shutil.rmtree(artifacts, ignore_errors=True)

    def ask_to_stop(self) -> None:
        """Have the supervisor end the run."""
        os.close(os.open(self.stop, os.O_WRONLY | os.O_CREAT, 0o600))


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON, 0600, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(data, file)
    draft.replace(path)


def read(path: Path) -> dict[str, Any] | None:
    """Return what :func:`write` wrote; None when there is no file, or (after a power cut) one that cannot be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None
