# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A VPN host of its own: a network namespace that Ansible reaches by ssh, and what runs in it.

The ssh server is started for each connection (``sshd -i``), so that it needs no port.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.integration.company import BIN, ROOT, Ran

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
#: Debian's own: neither urllib3 nor anything else of ours is in it.
PYTHON = "/usr/bin/python3"
HR = "Number,Mail,First,Last,Status\nE1007,jane@corp.example,Jane,Doe,terminated\nE1008,mark@corp.example,Mark,Roe,active\n"
_SSHD = """HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
PidFile none
"""


def missing(*programs: str) -> str:
    """Return why a VPN host can't be made here; empty when it can."""
    absent = [one for one in ("ssh", "sshd", "ip", "unshare", "nsenter", *programs) if not shutil.which(one, path=PATH)]
    if absent or os.geteuid() != 0:
        return f"not installed: {', '.join(absent)}" if absent else "needs root: a network namespace"
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
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        for key in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        (folder / "sshd.conf").write_text(_SSHD.format(folder=folder))
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
        sshd = shlex.join(self.inside([shutil.which("sshd", path=PATH) or "", "-i", "-f", f"{self.folder}/sshd.conf"]))
        known = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={self.folder}/known -o ControlMaster=no"
        over_ssh = {
            "ansible_connection": "ssh",
            "ansible_host": "vpn.corp.example",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_ssh_common_args": f"{known} -o ProxyCommand={shlex.quote(sshd)}",
            "ansible_python_interpreter": PYTHON,
        }
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
                "vpn": {**entry, "owner": "it@corp.example", "vars": over_ssh},
            },
        }
        file.write_text(yaml.safe_dump(data, sort_keys=False))
        return file

    def play(self, playbook: str, *args: str) -> Ran:
        done = subprocess.run(
            [str(BIN / "ansible-playbook"), "-i", str(self.folder / "company.systems.yml"), playbook, *args],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{BIN}:{PATH}", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)
