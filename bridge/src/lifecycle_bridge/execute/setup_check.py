# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks whether this machine can run playbooks, for ``doctor`` and before the bridge starts."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lifecycle_bridge import private
from lifecycle_bridge.config import Config
from lifecycle_bridge.config import Runner as Settings
from lifecycle_bridge.execute import processes


@dataclass(frozen=True)
class SetupCheck:
    """Checks the set-up of the runner.

    :param temporary: folder for the check's own temporary files.
    :param environment: returns the environment of a run whose temporary files are in this folder.
    """

    config: Config
    settings: Settings
    work: Path
    temporary: Path
    python: str
    environment: Callable[[Path], dict[str, str]]

    def wrong(self) -> list[str]:
        """Return what is wrong, a line each; empty when all is well."""
        wrong = []
        if not processes.can_adopt_orphans():
            wrong.append(
                "this platform has no PR_SET_CHILD_SUBREAPER or no /proc: the processes of a stopped run could not be found: use Linux, or AWX"
            )
        if (why := _runner_version()) is not None:
            wrong.append(why)
        wrong += [
            f"executor.environment: {name} is not set here"
            for name in self.settings.environment
            if name not in os.environ
        ]
        if not self.config.inventory.exists():
            wrong.append(f"inventory: {self.config.inventory} is not there")
        wrong += self._check_work()
        return wrong or self._check_playbooks()

    def _check_work(self) -> list[str]:
        try:
            private.folder(self.work)
            state = self.work.stat()
        except OSError as failure:
            return [f"work: make {self.work}: {failure.strerror}"]
        if state.st_uid != os.geteuid() or not os.access(self.work, os.W_OK | os.X_OK):
            return [f"work: {self.work} is another user's, or cannot be written to"]
        return [f"work: {self.work} can be read by others: chmod 700 {self.work}"] if state.st_mode & 0o077 else []

    def _check_playbooks(self) -> list[str]:
        """Have Ansible itself read the inventory and find a playbook of the collection."""
        if shutil.which(self.python) is None:
            return [f"executor.python: {self.python} is not there, or cannot be run"]
        place = self.temporary / f"check-{secrets.token_hex(8)}"
        private.folder(place)
        try:
            done = subprocess.run(
                [
                    self.python,
                    "-m",
                    "ansible",
                    "playbook",
                    "--syntax-check",
                    "-i",
                    str(self.config.inventory.absolute()),
                    "workforce.lifecycle.verify",
                ],
                env=self.environment(place),
                cwd=place,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [f"executor.python: {self.python} -m ansible playbook --syntax-check did not end within two minutes"]
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if done.returncode == 0:
            return []
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        line = next((line for line in said if "ERROR" in line), said[-1] if said else f"code {done.returncode}")
        return [f"ansible-playbook --syntax-check workforce.lifecycle.verify, by {self.python}: {line.strip()[:300]}"]


def _runner_version() -> str | None:
    try:
        from importlib.metadata import version

        found = version("ansible-runner")
    except ImportError:
        found = ""
    if not found:
        return "ansible-runner is not installed beside the bridge: pip install 'workforce-lifecycle-bridge[runner]'"
    if not (2, 4) <= tuple(int(part) for part in found.split(".")[:2] if part.isdigit()) < (3,):
        return f"ansible-runner is {found}; 2.4 or later of 2.x is needed"
    return None
