# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A way for Ansible into this machine by ssh, as into a VPN host. The server is started for each connection (``sshd -i``): it needs no port."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
#: The system's own: neither urllib3 nor anything else of ours is in it.
PYTHON = "/usr/bin/python3"
_CONFIG = """HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
PidFile none
"""


def missing(*programs: str) -> str:
    """Return why nobody can be let in here; empty when they can."""
    absent = [one for one in ("ssh", "sshd", "ssh-keygen", PYTHON, *programs) if not shutil.which(one, path=PATH)]
    return f"not installed: {', '.join(absent)}" if absent else ""


class Ssh:
    """Keys and configuration in a folder of their own.

    :param inside: what a command is put behind to be run where Ansible is let in: ``nsenter ...``.
    """

    def __init__(self, folder: Path, inside: Sequence[str] = ()) -> None:
        self.folder = folder
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        for key in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        (folder / "sshd.conf").write_text(_CONFIG.format(folder=folder))
        program = shutil.which("sshd", path=PATH) or ""
        self._server = shlex.join([*inside, program, "-i", "-f", f"{folder}/sshd.conf"])

    def variables(self, host: str) -> dict[str, str]:
        """Return what Ansible must know of the host."""
        known = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={self.folder}/known -o ControlMaster=no"
        return {
            "ansible_connection": "ssh",
            "ansible_host": host,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_ssh_common_args": f"{known} -o ProxyCommand={shlex.quote(self._server)}",
            "ansible_python_interpreter": PYTHON,
        }
