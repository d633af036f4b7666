# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures a thousand leavers on twelve systems that take 50 ms for a request. A process of its own serves this
company.

The systems use a declared connector, so that a cut is three calls: find by address, suspend, read back. The server is
small, so that its own time matters little. It counts requests and connections, and who can still sign in.
``bench_crowd.py FOLDER`` serves it.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import secrets
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sandbox.certs import Authority

SYSTEMS, LATENCY = 12, 0.05
#: The calls of one cut.
CALLS = 3
#: What a user would write for such a system.
SEAT = """
declares: 1
title: Seat
docs: [https://seat.example/api]
needs_url: "https://127.0.0.1:8443"
credentials:
  token: {help: "A token of the measured company.", required: true}
permissions: {accounts: [users], cutoff: [users]}
auth: {bearer: "{credentials.token}"}
pages: {by: none}
accounts:
  sources:
    - name: user
      find: {by: [email], get: /users, query: {email: "{value}"}, items: users}
      match: {email: email}
      fields: {id: id, login: email, email: email, active: active}
      suspend: {patch: "/users/{account.id}", json: {active: false}, retry_safe: true}
      resume: {patch: "/users/{account.id}", json: {active: true}, retry_safe: true}
cutoff:
  - way: sign-in
    close: suspend
"""


class Seats:
    """One system: its people by their addresses, and the requests that it got."""

    def __init__(self, people: list[str]) -> None:
        self.people = people
        self.reset()

    def reset(self) -> None:
        self.active = dict.fromkeys(self.people, True)
        self.requests = self.connections = self.most = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        parts = urlsplit(path)
        if method == "GET" and parts.path == "/users":
            email = parse_qs(parts.query)["email"][0]
            return 200, {"users": [self._user(email)] if email in self.active else []}
        email = self.people[int(parts.path.removeprefix("/users/u"))]
        self.active[email] = json.loads(body)["active"]
        return 200, self._user(email)

    def _user(self, email: str) -> dict[str, Any]:
        return {"id": f"u{int(email[6:].partition('@')[0])}", "email": email, "active": self.active[email]}


class Served:
    """All systems in one event loop, and a port without TLS that returns what they counted."""

    def __init__(self, folder: Path) -> None:
        self.told = json.loads((folder / "crowd.json").read_text())
        self.latency = LATENCY
        self.systems = [Seats(self.told["people"]) for _n in range(SYSTEMS)]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.told["cert_file"], self.told["key_file"])

    async def serve(self, folder: Path) -> None:
        servers = [
            await asyncio.start_server(lambda r, w, one=one: self._talk(one, r, w), "127.0.0.1", 0, ssl=self.context)
            for one in self.systems
        ]
        counts = await asyncio.start_server(self._count, "127.0.0.1", 0)
        ports = [server.sockets[0].getsockname()[1] for server in (*servers, counts)]
        made = folder / "ports.new"
        made.write_text(json.dumps(ports))
        made.replace(folder / "ports.json")
        await asyncio.gather(*(server.serve_forever() for server in (*servers, counts)))

    async def _talk(self, one: Seats, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one.connections += 1
        one.most = max(one.most, one.connections)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(
                    (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0
                )
                body = await reader.readexactly(length) if length else b""
                method, path, _version = head.split(" ", 2)
                one.requests += 1
                await asyncio.sleep(self.latency)
                if f"Bearer {self.told['token']}" not in head:
                    status, said = 401, {"message": "the token is not valid"}
                else:
                    status, said = one.answer(method, path, body)
                content = json.dumps(said).encode()
                writer.write(
                    b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                    % (status, len(content), content)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            one.connections -= 1
            writer.close()

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
        if asked.startswith("/reset"):
            self.latency = float(parse_qs(urlsplit(asked).query)["latency"][0])
            for one in self.systems:
                one.reset()
        content = json.dumps(
            [
                {"requests": one.requests, "connections": one.most, "active": sum(one.active.values())}
                for one in self.systems
            ]
        ).encode()
        writer.write(b"HTTP/1.1 200 x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(content), content))
        await writer.drain()
        writer.close()


class Crowd:
    """The company: its server, and the files that a user would write for it.

    :param people: how many leave.
    """

    def __init__(self, folder: Path, people: int, *, cert_file: str, key_file: str, ca_file: str) -> None:
        self.folder, self.ca_file = folder, ca_file
        self.people = [f"person{n:04}@corp.example" for n in range(people)]
        self.token = secrets.token_hex(16)
        folder.mkdir(exist_ok=True)
        (folder / "crowd.json").write_text(
            json.dumps({"people": self.people, "token": self.token, "cert_file": cert_file, "key_file": key_file})
        )

    def __enter__(self) -> Crowd:
        self.server = subprocess.Popen([sys.executable, __file__, str(self.folder)])
        ports = self.folder / "ports.json"
        while not ports.exists():
            if self.server.poll() is not None:
                raise SystemExit("the measured company did not start")
            time.sleep(0.05)
        *systems, self.counts = json.loads(ports.read_text())
        self._write_files([f"https://127.0.0.1:{port}" for port in systems])
        return self

    def __exit__(self, *_: object) -> None:
        self.server.terminate()
        self.server.wait()

    def fresh(self, latency: float = LATENCY) -> None:
        """Let everybody in again, set the counts to zero, and remove the ledger."""
        self._ask(f"/reset?latency={latency}")
        for old in (*self.folder.glob("ledger.db*"), *self.folder.glob("records/*")):
            if old.is_file():
                old.unlink()

    def check(self) -> int:
        """Check that everybody was cut off everywhere, with exactly as many calls as are necessary.

        :returns: the largest number of connections that one system had at once.
        """
        counted = self._ask("/")
        for one in counted:
            assert one["requests"] == CALLS * len(self.people) and not one["active"], one
        return max(one["connections"] for one in counted)

    def _ask(self, path: str) -> list[Mapping[str, int]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.counts}{path}", timeout=30) as answer:
            told: list[Mapping[str, int]] = json.load(answer)
        return told

    def _write_files(self, urls: list[str]) -> None:
        (self.folder / "seat.yml").write_text(SEAT)
        with (self.folder / "people.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["email"], *([email] for email in self.people)])
        (self.folder / "policy.yml").write_text(
            yaml.safe_dump({"brake": {of: {"count": 5000, "percent": 0} for of in ("leavers", "disables", "wipes")}})
        )
        with open(os.open(self.folder / "token", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.token)
        systems = {
            f"seat{n:02}": {
                "connector": "seat.yml",
                "url": url,
                "ca_file": self.ca_file,
                "credentials": {"token": {"file": str(self.folder / "token")}},
            }
            for n, url in enumerate(urls, 1)
        }
        top = {
            "plugin": "workforce.lifecycle.systems",
            "company": "Crowd",
            "ledger": "ledger.db",
            "policy": "policy.yml",
        }
        (self.folder / "crowd.systems.yml").write_text(yaml.safe_dump({**top, "systems": systems}, sort_keys=False))
        (self.folder / "user.json").write_text(json.dumps({"user": self.people}))
        bare = {"ca_file": self.ca_file, "token": self.token, "systems": urls, "people": self.people}
        (self.folder / "bare_crowd.json").write_text(json.dumps(bare))


@dataclass(frozen=True)
class Run:
    """The result of one run: wall time and processor time in seconds, and the most memory of it and its children (PSS),
    in MB."""

    wall: float
    cpu: float
    memory: float
    connections: int


class Runs:
    """Runs a command against the company, and asks the company whether the command did its work."""

    def __init__(self, crowd: Crowd, environment: Mapping[str, str]) -> None:
        self.crowd, self.environment = crowd, environment

    def timed(self, command: Sequence[str], **environment: str) -> Run:
        self.crowd.fresh()
        output = self.crowd.folder / "output.txt"
        with output.open("w") as out:
            began = time.monotonic()
            process = subprocess.Popen(
                command,
                cwd=self.crowd.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            over, most = threading.Event(), [0.0]
            watch = threading.Thread(target=_watch, args=(process.pid, over, most))
            watch.start()
            _pid, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
            over.set()
            watch.join()
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{' '.join(command)[:200]}: {output.read_text()[-4000:]}")
        return Run(wall, used.ru_utime + used.ru_stime, most[0], self.crowd.check())

    def command_line(self) -> Run:
        """Return the command by which a person starts it: ``ansible-playbook``."""
        playbook = str(Path(sys.executable).with_name("ansible-playbook"))
        return self.timed([playbook, "-i", "crowd.systems.yml", "workforce.lifecycle.cutoff", "-e", "@user.json"])

    def controller(self) -> Run:
        """Return the command by which AWX starts a job: ansible-runner, whose callback makes an event of every
        result."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        return self.timed([sys.executable, "-c", _RUNNER, str(self.crowd.folder)], AWX_JOB_ID="1", PATH=path)

    def bare(self, connections: int) -> Run:
        script = Path(__file__).with_name("bench_bare_crowd.py")
        return self.timed([sys.executable, str(script), "bare_crowd.json", str(connections)])


_RUNNER = """
import ansible_runner, os, sys
folder = sys.argv[1]
os.makedirs(folder + "/runner", exist_ok=True)
done = ansible_runner.run(private_data_dir=folder + "/runner", project_dir=folder, playbook="workforce.lifecycle.cutoff",
    inventory=folder + "/crowd.systems.yml", cmdline=f"-e @{folder}/user.json", quiet=True)
sys.exit(done.rc)
"""


def _watch(pid: int, over: threading.Event, most: list[float]) -> None:
    while not over.wait(0.5):
        most[0] = max(most[0], _memory(pid))


def _memory(pid: int) -> float:
    """Return the memory of a process and its children; memory that several share counts once."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(name))
    found, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        with suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found / 1024


def measure(environment: Mapping[str, str], people: int) -> dict[str, Any]:
    """Return the rows of ``bench.json``."""
    with tempfile.TemporaryDirectory(prefix="crowd-") as name:
        authority = Authority(Path(name) / "tls")
        files = {key: str(getattr(authority, key)) for key in ("cert_file", "key_file", "ca_file")}
        with Crowd(Path(name) / "company", people, **files) as crowd:
            runs = Runs(crowd, environment)
            ours = _told("command line", runs.command_line())
            # As many connections as ours had, and no more: more would only be more at once.
            bare = _told("bare script", runs.bare(ours.connections))
            awx = _told("AWX's runner", runs.controller())
    peer = f"{ours.connections} connections a system with requests, the same calls"

    def row(value: float, unit: str, peer: str, peer_value: float) -> dict[str, Any]:
        told = {"value": round(value, 1), "unit": unit, "peer": peer, "peer_value": round(peer_value, 1)}
        return {**told, "ratio": round(value / peer_value, 2)}

    steps = people * SYSTEMS / 1000
    name = "people_1000" if people == 1000 else f"crowd_{people}"
    return {
        name: row(ours.wall, "s", peer, bare.wall),
        f"{name}_awx": row(awx.wall, "s", peer, bare.wall),
        f"{name}_cpu": row(ours.cpu / steps, "ms of a processor a person and step", peer, bare.cpu / steps),
        f"{name}_memory": row(ours.memory, "MB in all", peer, bare.memory),
    }


def _told(name: str, run: Run) -> Run:
    print(
        f"  {name}: {run.wall:.1f} s, processor {run.cpu:.1f} s, {run.memory:.0f} MB, load {os.getloadavg()[0]:.0f}",
        file=sys.stderr,
    )
    return run


if __name__ == "__main__":
    asyncio.run(Served(Path(sys.argv[1])).serve(Path(sys.argv[1])))
