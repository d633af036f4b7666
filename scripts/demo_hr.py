# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows an offboarding that HR starts: a signed webhook reaches the bridge, and the person is cut off everywhere.

It prints how long that took, and asks the systems."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sandbox.__main__ import control

FOLDER = ROOT / "build" / "demo-hr"
BIN = Path(sys.executable).parent
TOM = "tom@corp.example"
#: Seconds that a system of the sandbox takes for an answer.
LATENCY = 0.05
#: What each system itself must say afterwards.
CLOSED = {
    "entra": "sign-in blocked",
    "exchange": "0 protocols open",
    "ldap": "locked",
    "wiki": "deactivated",
    "crm": "deactivated",
    "github": "not in the organisation",
    "slack": "deactivated",
    "tailscale": "suspended",
    "aws": "no console sign-in",
}
CONFIG = """\
listen: 127.0.0.1:{port}
public_url: http://127.0.0.1:{port}
database: sqlite:///bridge.db
work: runs
inventory: company/company.systems.yml
executor:
  variables: {{ANSIBLE_CONFIG: {ansible}, ANSIBLE_COLLECTIONS_PATH: {collections}}}
sources:
  bamboohr:
    scheme: bamboohr
    secrets: [{{file: {folder}/webhook.key}}]
console:
  token_file: console.token
"""


def main() -> int:
    if FOLDER.exists():
        _sandbox("down")
        shutil.rmtree(FOLDER)
    FOLDER.mkdir(parents=True)
    print("Starting Corp Example, a company in a box, and the bridge ...", flush=True)
    _sandbox("up")
    running = json.loads((FOLDER / "company" / "running.json").read_text())
    for url in running["emulators"].values():
        control(FOLDER / "company", "POST", url, "latency", {"seconds": LATENCY})
    for left in (
        "E1007",
        "E1005",
        "E1009",
    ):  # they left long ago in this company's HR: the bridge would see to them first
        _sandbox("hr", "withdraw", left)
    key, port = secrets.token_hex(32), _free_port()
    (FOLDER / "webhook.key").write_text(key)
    (FOLDER / "webhook.key").chmod(0o600)
    (FOLDER / "bridge.yml").write_text(
        CONFIG.format(
            port=port, folder=FOLDER, ansible=ROOT / "ansible.cfg", collections=ROOT / "build" / "collections"
        )
    )
    with (FOLDER / "bridge.log").open("w") as log:
        bridge = subprocess.Popen(
            [str(BIN / "lifecycle-bridge"), "-c", str(FOLDER / "bridge.yml"), "serve"],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        _until("the bridge has seen everybody once", lambda: _looked(), bridge)
        return _told(running, key, port, bridge)
    finally:
        bridge.terminate()
        bridge.wait(30)
        _sandbox("down")


def _told(running: dict[str, Any], key: str, port: int, bridge: subprocess.Popen[bytes]) -> int:
    print(f"HR marks {TOM} as terminated, today ...", flush=True)
    _sandbox(
        "hr",
        "terminate",
        TOM,
        "--webhook",
        f"http://127.0.0.1:{port}/hr/bamboohr",
        "--key-env",
        "WEBHOOK_KEY",
        "--wait",
        "10",
        WEBHOOK_KEY=key,
    )
    tries = control(FOLDER / "company", "GET", running["emulators"]["bamboohr"], "deliveries")
    sent = _moment(tries[0]["at"]) if tries else None
    assert sent is not None, "HR's webhook was not sent"
    systems = _until("every system has been cut", _cut, bridge)
    took = max(systems.values()) - sent
    words: dict[str, str] = control(FOLDER / "company", "GET", next(iter(running["emulators"].values())), "person/tom")
    wrong = {
        system: said
        for system, said in words.items()
        if system in CLOSED and CLOSED[system] not in said and said != "no account"
    }
    for system, at in sorted(systems.items(), key=lambda item: item[1]):
        mark = "✗" if system in wrong else "✓"
        print(f"  {mark} {at - sent:5.2f} s  {system:<10} {words.get(system, '')}")
    print(
        f"\n{took:.2f} s from HR's webhook to the last of {len(systems)} systems seen closed; each answers after {LATENCY * 1000:.0f} ms."
    )
    print(f"The console was at http://127.0.0.1:{port}; cases: {FOLDER / 'bridge.db'}, the run: {FOLDER / 'runs'}")
    if wrong or not systems:
        print(f"NOT closed: {', '.join(wrong) or 'no system was cut'}")
        return 1
    return 0


def _cut() -> dict[str, float]:
    """Return for each system the moment at which the ledger saw it closed; empty until all are closed."""
    with sqlite3.connect(f"file:{FOLDER}/company/ledger.db?mode=ro", uri=True) as ledger:
        rows = ledger.execute(
            "SELECT kind, system, at FROM ledger WHERE step = 'cutoff' AND kind IN ('intent', 'outcome') AND case_id LIKE 'offboard-tom-%'"
        ).fetchall()
    begun, ended = {row[1] for row in rows}, {row[1]: _moment(row[2]) for row in rows if row[0] == "outcome"}
    return ended if len(ended) >= len(CLOSED) and begun <= set(ended) else {}


def _looked() -> bool:
    path = FOLDER / "bridge.db"
    if not path.exists():
        return False
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as c:
        try:
            return (
                bool(c.execute("SELECT 1 FROM sources WHERE judged_at <> ''").fetchall())
                and not c.execute("SELECT 1 FROM runs WHERE status IN ('ready', 'running')").fetchall()
            )
        except sqlite3.OperationalError:
            return False


def _moment(text: str | float) -> float:
    return (
        text
        if isinstance(text, float)
        else datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).timestamp()
    )


def _until(what: str, true: Callable[[], Any], bridge: subprocess.Popen[bytes]) -> Any:
    end = time.monotonic() + 120
    while not (found := true()):
        if bridge.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"not reached: {what}\n{(FOLDER / 'bridge.log').read_text()[-3000:]}")
        time.sleep(0.05)
    return found


def _sandbox(*words: str, **environment: str) -> None:
    done = subprocess.run(
        [str(BIN / "python"), "-m", "sandbox", "--folder", str(FOLDER / "company"), *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
