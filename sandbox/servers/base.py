# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What real servers that do not speak HTTP have in common, so that a box can hold them beside emulators."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.company import Company


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Server:
    """One server. The box sets ``authority`` before ``__init__``, then calls :meth:`start`."""

    name = ""
    #: A box starts these itself instead of serving them over HTTPS.
    HTTP = False
    #: Programs that must be installed.
    PROGRAMS: Sequence[str] = ()
    #: Whether a run of the collection ever writes to it.
    WRITTEN = True
    authority: Any
    url = ""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.secrets: dict[str, str] = {}
        self.journal: list[dict[str, Any]] = []
        self.folder = Path(tempfile.mkdtemp(prefix=f"sandbox-{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def missing(cls) -> str:
        """Return why it can't run here; empty when it can."""
        absent = [
            program
            for program in cls.PROGRAMS
            if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        ]
        return f"{', '.join(absent)} not installed: scripts/debian.sh" if absent else ""

    def secret(self, name: str) -> str:
        """Return a secret of this sandbox, made once and recognisable."""
        return self.secrets.setdefault(name, f"canary-{self.name}-{name}-{secrets.token_hex(12)}")

    def start(self) -> None:
        raise NotImplementedError

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        raise NotImplementedError

    def reset(self) -> None:
        """As seeded; journal empty."""
        self.journal.clear()

    def writes(self) -> list[dict[str, Any]]:
        return [entry for entry in self.journal if entry["write"]]

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self) -> None:
        """Stop the process and wait for its end; the data stays."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def launch(self, command: Sequence[str], port: int, **options: Any) -> None:
        """Start a process that listens on ``port``, and wait until it does."""
        with open(self.folder / "output.log", "ab") as log:
            self._process = subprocess.Popen(list(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        output = (self.folder / "output.log").read_text("utf-8", "replace")[-2000:]
        self.halt()
        raise RuntimeError(f"{self.name} did not start: {output}")
