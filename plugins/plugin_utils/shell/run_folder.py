# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Files that one task of a run leaves for later ones, in the run's own temporary folder.

A worker is forked for each task, so nothing in memory outlives one. The folder does: 0700, the same for all workers of one
ansible-playbook process, and removed by Ansible when that ends.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunFolder:
    """:param path: the run's temporary folder."""

    path: str

    def leave(self, name: str, data: Any, *, of: str = "") -> None:
        """Keep plain data under a name, in place of what was there; ``of`` is whose it is, where each system has its own."""
        folder = self._folder(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{of or 'run'}.json"
        made = path.with_suffix(f".{os.getpid()}")
        with open(os.open(made, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(data, file)
        made.replace(path)

    def read(self, name: str, *, of: str = "") -> Any:
        """Return what was left; None when nothing was."""
        try:
            return json.loads((self._folder(name) / f"{of or 'run'}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def _folder(self, name: str) -> Path:
        return Path(self.path, "workforce_run", name)
