# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Starts emulators and gateways on loopback, over HTTPS, each on a free port, in one thread."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
import yaml

from sandbox.certs import Authority
from sandbox.company import Company, load_company
from sandbox.emulator import Emulator


class Box:
    """The running sandbox. ``with Box([Github]) as box: box["github"].url``.

    :param vendors: emulator classes.
    :param folder: where certificates, secrets and ``company.systems.yml`` go; a temporary one when not given.
    """

    def __init__(
        self, vendors: list[type[Emulator]], folder: Path | None = None, company: Company | None = None
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="sandbox-") if folder is None else None
        self.folder = folder or Path(self._temporary.name)  # type: ignore[union-attr]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(self.folder / "tls")
        self.company = company or load_company()
        self._classes = vendors
        self.emulators: dict[str, Emulator] = {}
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def ca_file(self) -> str:
        return str(self.authority.ca_file)

    @property
    def running(self) -> bool:
        """Return whether the servers still answer."""
        return self._thread is not None and self._thread.is_alive()

    def __getitem__(self, name: str) -> Any:
        return self.emulators[name]

    def __enter__(self) -> Box:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Box:
        sockets = []
        for cls in self._classes:
            if not cls.HTTP:
                self._make(cls, "").start()
                continue
            # asyncio turns Nagle's delay off only where the protocol is named
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 0))
            listener.listen(256)
            url = f"https://localhost:{listener.getsockname()[1]}"
            emulator = self._make(cls, url)
            config = uvicorn.Config(
                emulator,
                ssl_certfile=str(self.authority.cert_file),
                ssl_keyfile=str(self.authority.key_file),
                log_level="critical",
                lifespan="off",
                timeout_keep_alive=75,
                server_header=False,
            )
            self._servers.append(uvicorn.Server(config))
            sockets.append(listener)
        started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(sockets, started)), name="sandbox", daemon=True
        )
        self._thread.start()
        if not started.wait(30):
            raise RuntimeError("the sandbox did not start within 30 s")
        return self

    def _make(self, cls: type[Emulator], url: str) -> Emulator:
        emulator = cls.__new__(cls)
        emulator.url = url
        emulator.folder = self.folder / cls.name  # type: ignore[attr-defined]
        emulator.authority = self.authority  # type: ignore[attr-defined]
        emulator.box = self  # type: ignore[attr-defined]
        emulator.__init__(self.company)  # type: ignore[misc]
        self.emulators[cls.name] = emulator
        return emulator

    async def _serve(self, sockets: list[socket.socket], started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        for server in self._servers:
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        runs = [asyncio.create_task(server._serve([s])) for server, s in zip(self._servers, sockets, strict=True)]
        while not all(server.started for server in self._servers):
            if any(run.done() for run in runs):
                raise RuntimeError("an emulator could not start")
            await asyncio.sleep(0.01)
        started.set()
        await asyncio.gather(*runs)

    def stop(self) -> None:
        if self._servers and self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join(10)
        for emulator in self.emulators.values():
            emulator.stop()
        if self._temporary:
            self._temporary.cleanup()

    def _end(self) -> None:
        """End the servers. Connections that clients keep open are dropped: since Python 3.12 a server waits for them."""
        for server in self._servers:
            server.should_exit = server.force_exit = True
            for connection in list(server.server_state.connections):
                connection.transport.abort()

    def systems(self) -> dict[str, Any]:
        """Return every system's entry, as ``company.systems.yml`` has it, with the secrets in place."""
        entries: dict[str, Any] = {}
        for emulator in self.emulators.values():
            for name, entry in emulator.systems().items():
                entries[name] = {"ca_file": self.ca_file, **entry}
        return entries

    def write_systems_file(self, path: Path, extra: Mapping[str, Any] | None = None, **top: Any) -> Path:
        """Write ``company.systems.yml``; secrets go to files of mode 0600 beside it, and are referred to."""
        folder = path.parent / "credentials"
        systems: dict[str, Any] = {}
        for name, entry in {**self.systems(), **(extra or {})}.items():
            entry = dict(entry)
            referred = {}
            for key, value in (entry.get("credentials") or {}).items():
                if isinstance(value, dict):
                    referred[key] = value
                    continue
                file = folder / name / key
                file.parent.mkdir(parents=True, exist_ok=True)
                with open(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
                    f.write(str(value))
                referred[key] = {"file": str(file)}
            if referred:
                entry["credentials"] = referred
            systems[name] = entry
        path.write_text(
            yaml.safe_dump(
                {"plugin": "workforce.lifecycle.systems", "company": self.company.name, **top, "systems": systems},
                sort_keys=False,
            )
        )
        return path
