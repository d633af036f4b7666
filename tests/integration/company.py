# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The sandbox company as a process of its own, and playbooks run against it from a shell, as a user would."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import (
    MemoryTokens,
    Target,
    checked_options,
)

from sandbox.__main__ import control
from sandbox.box import Box

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Ran:
    """An ansible-playbook that has ended."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """Sum over the recap's hosts."""
        return sum(int(n) for n in re.findall(r"changed=(\d+)", self.output.partition("PLAY RECAP")[2]))


def command_of(systems_file: Path, playbook: str, *args: str) -> list[str]:
    """Return the command that a person types for a playbook: one of ours by its name, or a file."""
    name = playbook if "/" in playbook else f"workforce.lifecycle.{playbook}"
    return [str(BIN / "ansible-playbook"), "-i", str(systems_file), name, *args]


def run_playbook(
    systems_file: Path, playbook: str, *args: str, timeout: float = 300, cwd: Path = ROOT, **env: str
) -> Ran:
    """Run a playbook from a shell, as a user would, on the systems of a file."""
    ran = subprocess.run(
        command_of(systems_file, playbook, *args),
        cwd=cwd,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **env},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )
    return Ran(ran.returncode, ran.stdout + ran.stderr)


def run_on_box(box: Box, folder: Path, playbook: str, *args: str, **top: str) -> Ran:
    """Run a playbook on the systems of a box, which keeps its ledger, records and archives in a folder.

    :param top: further keys of the systems file.
    """
    kept = {name: str(folder / name) for name in ("records", "archive")}
    top = {**kept, "ledger": str(folder / "ledger.db"), **top}
    return run_playbook(box.write_systems_file(folder / "company.systems.yml", **top), playbook, *args)


class SandboxCompany:
    """A running sandbox; ``folder`` holds its systems file, ledger, records and archives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sandbox("up")
        running = json.loads((folder / "running.json").read_text())
        self.pid: int = running["pid"]
        self.emulators: dict[str, str] = running["emulators"]
        self.systems: dict[str, str] = running["systems"]
        self.systems_file = Path(running["systems_file"])
        self._seeded = folder.with_name(f"{folder.name}-seeded")
        shutil.copytree(folder, self._seeded)

    def _sandbox(self, verb: str) -> None:
        ran = subprocess.run(
            [sys.executable, "-m", "sandbox", "--folder", str(self.folder), verb],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr

    def stop(self) -> None:
        self._sandbox("down")

    def _any(self) -> str:
        return next(iter(self.emulators.values()))

    def reset(self) -> None:
        """Systems as seeded, those that do not speak HTTP too; the folder as it was at the start, without a ledger."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(self._seeded, self.folder, dirs_exist_ok=True)
        control(self.folder, "POST", self._any(), "box/reset", {})

    def journals(self) -> dict[str, list[dict[str, Any]]]:
        """What every system was asked, by its name in the sandbox."""
        found: dict[str, list[dict[str, Any]]] = control(self.folder, "GET", self._any(), "box/journal")
        return found

    def journal(self, emulator: str) -> list[dict[str, Any]]:
        return self.journals()[emulator]

    def writes(self) -> list[str]:
        """What every system was asked to change: ``github DELETE /orgs/...``, ``ldap MODIFY uid=jane...``."""
        return [
            f"{name} {entry['method']} {entry['path']} {entry.get('body', '')[:80]}"
            for name, entries in self.journals().items()
            for entry in entries
            if entry["write"]
        ]

    def connector(self, system: str) -> Any:
        """A connector of a system, for what somebody else does there while we look away."""
        entry = yaml.safe_load(self.systems_file.read_text())["systems"][system]
        secrets = {name: Path(where["file"]).read_text() for name, where in entry.get("credentials", {}).items()}
        cls = connector_class(entry["connector"], system=system)
        return cls(
            Target(
                name=system,
                connector=entry["connector"],
                url=entry["url"],
                credentials=secrets,
                ca_file=entry["ca_file"],
                timeout=5.0,
                max_wait=5.0,
                read_only=False,
                tokens=MemoryTokens(),
                options=checked_options(system, cls, entry.get("options") or {}),
            )
        )

    def new_writes(self, before: list[str]) -> list[str]:
        """The writes since ``before``, which :meth:`writes` gave."""
        return list((Counter(self.writes()) - Counter(before)).elements())

    def entries(self) -> int:
        """How many entries the ledger has."""
        path = self.folder / "ledger.db"
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger'").fetchone():
                return 0
            return int(connection.execute("SELECT count(*) FROM ledger").fetchone()[0])

    def systems_file_with(self, path: Path, system: str, **keys: Any) -> Path:
        """A copy of the systems file with other keys for one system."""
        data = yaml.safe_load(self.systems_file.read_text())
        data["systems"][system].update(keys)
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        return path

    def state(self, emulator: str) -> Any:
        return control(self.folder, "GET", self.emulators[emulator], "state")

    def fault(self, emulator: str, *faults: dict[str, Any]) -> None:
        control(self.folder, "POST", self.emulators[emulator], "faults", list(faults))

    def command(self, playbook: str, *args: str, systems_file: Path | None = None) -> list[str]:
        return command_of(systems_file or self.systems_file, playbook, *args)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            **more,
        }

    def play(
        self,
        playbook: str,
        *args: str,
        systems_file: Path | None = None,
        timeout: float = 300,
        cwd: Path = ROOT,
        **env: str,
    ) -> Ran:
        env = self.environment(**env)
        return run_playbook(systems_file or self.systems_file, playbook, *args, timeout=timeout, cwd=cwd, **env)

    def play_and_kill(self, playbook: str, *args: str, after: float = 0, entries: int = 0) -> bool:
        """Start a run and kill -9 it and all its workers after some seconds, or when the ledger has so many entries. False when it
        had ended by then."""
        process = subprocess.Popen(
            self.command(playbook, *args),
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while entries and process.poll() is None and self.entries() < entries:
                time.sleep(0.01)
            process.wait(after)
            return False
        except subprocess.TimeoutExpired:
            # Ansible's workers lead sessions of their own: each has to be found before its parent is gone.
            for pid in (process.pid, *_descendants(process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
            return True


def _descendants(pid: int) -> list[int]:
    """All processes below one, the nearest first."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, front = [], [pid]
    while front:
        front = [child for parent in front for child in parents.get(parent, ())]
        found += front
    return found
