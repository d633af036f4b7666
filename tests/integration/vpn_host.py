# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A VPN host of its own: a network namespace that Ansible reaches by ssh, and what runs in it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from sandbox import ssh
from sandbox.ssh import PATH
from tests.integration.company import BIN, Ran, run_playbook

HR = "Number,Mail,First,Last,Status\nE1007,jane@corp.example,Jane,Doe,terminated\nE1008,mark@corp.example,Mark,Roe,active\n"


def missing(*programs: str) -> str:
    """Return why a VPN host can't be made here; empty when it can."""
    absent = ssh.missing("ip", "unshare", "nsenter", *programs)
    if absent or os.geteuid() != 0:
        return absent or "needs root: a network namespace"
    made = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return "" if made.returncode == 0 and Path("/dev/net/tun").exists() else "no network namespace, or no /dev/net/tun"


class VpnHost:
    """One host; stop it when done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up && exec sleep 3600"], env={**os.environ, "PATH": PATH}
        )
        self.ssh = ssh.Ssh(folder, self.inside(()))
        self.until(lambda: "LOOPBACK,UP" in self.run("ip", "link"), "the namespace")

    def inside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", "-t", str(self._holder.pid), "-n", *command]

    def run(self, *command: str) -> str:
        done = subprocess.run(
            self.inside(command),
            cwd=self.folder,
            env={**os.environ, "PATH": PATH},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def begin(self, *command: str, log: str) -> subprocess.Popen[bytes]:
        """Start something that goes on, in the host's network."""
        with open(self.folder / log, "ab") as file:
            started = subprocess.Popen(
                self.inside(command), cwd=self.folder, env={**os.environ, "PATH": PATH}, stdout=file, stderr=file
            )
        self._processes.append(started)
        return started

    def said(self, log: str) -> str:
        return (self.folder / log).read_text(errors="replace")

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
            time.sleep(0.1)

    def stop(self) -> None:
        for one in (*reversed(self._processes), self._holder):
            one.terminate()
            one.wait(20)

    # -- the collection against it ---------------------------------------------------------------------------------------

    def systems_file(self, entry: dict[str, Any]) -> Path:
        """Write a company of two systems: HR, a file here, and the VPN, which only this host reaches."""
        columns = {
            "employee_id": "Number",
            "email": "Mail",
            "first_name": "First",
            "last_name": "Last",
            "status": "Status",
        }
        (self.folder / "hr.csv").write_text(HR)
        file = self.folder / "company.systems.yml"
        data = {
            "plugin": "workforce.lifecycle.systems",
            "company": "Corp Example",
            "ledger": "ledger.db",
            "records": "records",
            "systems": {
                "hr": {"connector": "csv", "options": {"path": "hr.csv", "columns": columns}},
                "vpn": {**entry, "owner": "it@corp.example", "vars": self.ssh.variables("vpn.corp.example")},
            },
        }
        file.write_text(yaml.safe_dump(data, sort_keys=False))
        return file

    def play(self, playbook: str, *args: str) -> Ran:
        return run_playbook(self.folder / "company.systems.yml", playbook, *args, PATH=f"{BIN}:{PATH}")
