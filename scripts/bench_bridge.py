# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures the bridge's web server under load: signed events of several vendors at a steady rate, with duplicates,
disorder and replays.

``python scripts/bench_bridge.py`` prints the 50th and the 99th percentile (p50, p99) of the time to the answer, from
the moment at which the request was due. It prints the same for a peer: the same server, which checks signatures and
reads, and stores nothing. The server is a process of its own; its database is SQLite, with every commit on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

KEY = "whsec_" + "QUFB" * 11  # 33 bytes; as text it is every other vendor's key
SOURCES = {
    "bamboo": "bamboohr",
    "bob": "hibob",
    "personio": "personio",
    "gusto": "gusto",
    "own": "standard_webhooks",
    "events": "cloudevents",
}
KINDS = ("jml.person.created", "jml.person.changed", "jml.person.deleted")


@dataclass(frozen=True)
class Call:
    """One request: its event, and the bytes that are sent."""

    event: tuple[str, str]
    wire: bytes


@dataclass
class Seen:
    """The senders' result. ``taken`` are the events that were answered with 2xx; ``seconds`` is the time to each
    answer, in order."""

    taken: set[tuple[str, str]] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def sources() -> dict:
    """Return the configuration's part ``sources``; the key is in an environment variable."""
    from lifecycle_bridge.config import Secret, Source

    os.environ["DOOR_KEY"] = KEY
    return {name: Source(scheme=scheme, secrets=[Secret(env="DOOR_KEY")]) for name, scheme in SOURCES.items()}


def traffic(count: int, seed: int, *, doubled: float = 0.1, replayed: float = 0.05) -> list[Call]:
    """Return ``count`` events of all vendors, some of them out of order; some are sent a second time, at once or much
    later."""
    from lifecycle_bridge.events import Raw
    from lifecycle_bridge.receive import SCHEMES, receive

    chance, known, calls = random.Random(seed), sources(), []
    now = datetime.now(UTC)
    for number in range(count):
        name = chance.choice(list(SOURCES))
        made = SCHEMES[SOURCES[name]].make(chance.choice(KINDS), f"p{number}", KEY, known[name], now)
        raw = Raw("POST", f"/hr/{name}", {key.lower(): value for key, value in made.headers.items()}, made.body, now)
        (event,) = receive(raw, name, known[name], now).events
        head = "".join(
            f"{key}: {value}\r\n"
            for key, value in {**made.headers, "Host": "bridge", "Content-Length": str(len(made.body))}.items()
        )
        calls.append(Call((name, event.id), f"POST /hr/{name} HTTP/1.1\r\n{head}\r\n".encode() + made.body))
    sent: list[tuple[float, Call]] = []
    for position, call in enumerate(calls):
        sent.append((position + chance.uniform(-20, 20), call))
        if chance.random() < doubled:
            sent.append((position + chance.uniform(0, 3), call))
        if chance.random() < replayed:
            sent.append((position + chance.uniform(50, count), call))
    return [call for _, call in sorted(sent, key=lambda each: each[0])]


class Server:
    """The bridge's web server as a process of its own. It gets a socket that listens already, so that callers wait
    while it starts again."""

    def __init__(self, database: str, *, stores: bool = True) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._socket.getsockname()[1]
        self._command = [
            sys.executable,
            __file__,
            "serve",
            "--fd",
            str(self._socket.fileno()),
            "--database",
            database,
            *([] if stores else ["--peer"]),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            pass_fds=[self._socket.fileno()],
            env={**os.environ, "DOOR_KEY": KEY},
            stdin=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """Kill the process, as ``kill -9`` does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def memory(self) -> float:
        """Return the most memory that it had, in MB."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._socket.close()


async def play(
    calls: Sequence[Call],
    port: int,
    rate: float,
    *,
    each: Callable[[int], None] = lambda answered: None,
    tries: int = 1,
) -> Seen:
    """Send ``rate`` requests a second, whether or not earlier ones were answered. ``each`` is called after each answer,
    with the number of answers.

    As a vendor does, it sends a request again that was not answered with 2xx, at most ``tries`` times.
    """
    seen, line = Seen(), Line(port)
    start = asyncio.get_running_loop().time() + 0.05

    async def one(number: int, call: Call) -> None:
        due = start + number / rate
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        for _ in range(tries):
            try:
                status = await line.ask(call.wire)
            except (OSError, EOFError):
                seen.broken += 1
                continue
            seen.statuses[status] = seen.statuses.get(status, 0) + 1
            seen.seconds.append(asyncio.get_running_loop().time() - due)
            if 200 <= status < 300:
                seen.taken.add(call.event)
                each(len(seen.seconds))
                return

    await asyncio.gather(*(one(number, call) for number, call in enumerate(calls)))
    line.close()
    return seen


class Line:
    """Connections that stay open for the next request, as vendors keep theirs."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, wire: bytes) -> int:
        """Return the status of the answer.

        :raises OSError, EOFError: there was none.
        """
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(wire)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            await reader.readexactly(length)
        except (OSError, EOFError):
            writer.close()
            self.close()  # the others are of the same server that went away
            raise
        if "connection: close" in head:
            writer.close()
        else:
            self._free.append((reader, writer))
        return int(head.split(" ", 2)[1])

    def close(self) -> None:
        while self._free:
            self._free.pop()[1].close()


def measure(count: int = 2000, rate: float = 200, seed: int = 4) -> dict[str, float]:
    """Return p50 and p99 in ms of the bridge and of its peer, each after a first round that does not count, and whether
    every event is stored once."""
    import sqlalchemy as sa
    from lifecycle_bridge.store import Database
    from lifecycle_bridge.store.tables import events

    found: dict[str, float] = {}
    for name, stores in (("peer", False), ("bridge", True)):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            url = f"sqlite:///{folder}/bridge.db"
            with Server(url, stores=stores) as server:
                asyncio.run(play(traffic(50, seed + 1), server.port, rate))
                calls = traffic(count, seed)
                seen = asyncio.run(
                    play(calls, server.port, rate, tries=5)
                )  # a kept connection may be closed just as it is used again
                found |= {
                    f"{name}_p50_ms": seen.percentile(0.5) * 1000,
                    f"{name}_p99_ms": seen.percentile(0.99) * 1000,
                    f"{name}_rss_mb": server.memory(),
                }
            if stores:
                database = Database(url)
                with database.read() as connection:
                    rows = {tuple(row) for row in connection.execute(sa.select(events.c.source, events.c.id))}
                database.close()
                found |= {
                    "sent": len(calls),
                    "events": len({call.event for call in calls}),
                    "answered_2xx": len(seen.taken),
                    "lost": len(seen.taken - rows),
                    "refused": sum(number for status, number in seen.statuses.items() if status >= 300),
                    "broken": seen.broken,
                }
    found["p99_ratio"] = found["bridge_p99_ms"] / found["peer_p99_ms"]
    return found


def serve(fd: int, database: str, *, stores: bool) -> None:
    """Serve the web server alone, until it is killed."""
    import uvicorn
    from lifecycle_bridge.receive.endpoint import Endpoint
    from lifecycle_bridge.store import Database
    from lifecycle_bridge.store.inbox import Inbox
    from starlette.applications import Starlette

    class Nothing:
        async def put(self, events: list) -> list:
            return events

    base = Database(database)
    base.create()
    door = Endpoint(sources(), Inbox(base) if stores else Nothing())
    config = uvicorn.Config(Starlette(routes=door.routes()), log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=["measure", "serve"], default="measure")
    parser.add_argument("--fd", type=int)
    parser.add_argument("--database", default="")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200)
    given = parser.parse_args()
    if given.what == "serve":
        serve(given.fd, given.database, stores=not given.peer)
        return
    started = time.monotonic()
    print(json.dumps({name: round(value, 2) for name, value in measure(given.count, given.rate).items()}, indent=2))
    print(f"in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
