# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps access tokens during a run.

Ansible forks a worker for each task, so that its memory is lost at the end of the task. The run's own temporary folder
(0700) is shared by all workers, and Ansible removes it at the end.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...module_utils.model import private

#: A token is fetched again when it is valid for fewer seconds than this.
MARGIN = 60.0


class RunTokens:
    """Fetches a token once a run, for all workers.

    :param folder: the run's temporary folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, "workforce_tokens")

    def get(self, key: str, fetch: Callable[[], tuple[str, float]]) -> str:
        path = self._path(key)
        with self._locked(path):
            held = self._read(path)
            if held is None:
                token, lasts = fetch()
                held = token
                with open(private.opened(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "w") as file:
                    json.dump({"token": token, "until": time.time() + lasts - min(MARGIN, lasts / 2)}, file)
            return held

    def forget(self, key: str) -> None:
        path = self._path(key)
        with self._locked(path):
            if os.path.exists(path):
                os.unlink(path)

    def _path(self, key: str) -> str:
        private.make_folder(Path(self._folder))
        return os.path.join(self._folder, hashlib.sha256(key.encode()).hexdigest())

    @staticmethod
    def _read(path: str) -> str | None:
        try:
            with open(path) as file:
                held = json.load(file)
        except (FileNotFoundError, ValueError):
            return None
        return str(held["token"]) if held["until"] > time.time() else None

    @contextmanager
    def _locked(self, path: str) -> Iterator[None]:
        with open(private.opened(f"{path}.lock", os.O_CREAT | os.O_RDWR)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
