# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures a declared connector against one in Python, and a start with fifty systems against one with sixteen.

Tailscale exists as both: the shipped connector, and a file in the tests. The processor time of the thread that sends
the requests is measured, against the sandbox's Tailscale; the server's work is in neither figure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK as CUTOFF

from sandbox.box import Box
from sandbox.vendors.tailscale import Tailscale
from tests.support import person_of, run

DECLARED = str(ROOT / "tests" / "declared" / "tailscale.yml")
_DUMMIES: Mapping[str, Any] = {
    "str": "x",
    "int": 1,
    "float": 1.0,
    "bool": False,
    "list": ["x"],
    "dict": {},
    "path": "x",
}
#: Options that a word of any kind will not do for: (connector, option) -> value.
_OPTIONS: Mapping[tuple[str, str], Any] = {("csv", "columns"): {"email": "Mail"}}


def cuts(rounds: int) -> tuple[float, float]:
    """Return the milliseconds for the plan of a cut, with the Python connector and with the declared one."""
    with Box([Tailscale]) as box:
        jane = person_of(box, "jane")
        took: dict[str, list[float]] = {"tailscale": [], DECLARED: []}
        for number in range(rounds + 3):
            for connector, times in took.items():
                began = time.thread_time()
                result = run(CUTOFF, box, "tailscale", check_mode=True, changes={"connector": connector}, person=jane)
                spent = 1000 * (time.thread_time() - began)
                assert result["outcome"] == "done" and result["changes"], result
                if number >= 3:
                    times.append(spent)
    return median(took["tailscale"]), median(took[DECLARED])


def starts(environment: Mapping[str, str], rounds: int) -> dict[int, tuple[float, float]]:
    """Return the wall and processor seconds of an empty play, by the number of systems in the file."""
    with tempfile.TemporaryDirectory(prefix="starts-") as name:
        folder = Path(name)
        (folder / "empty.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": []}]))
        times: dict[int, list[tuple[float, float]]] = {}
        for count in (16, 50):
            (folder / f"{count}.systems.yml").write_text(yaml.safe_dump(_systems(count), sort_keys=False))
        for number in range(rounds + 1):
            for count in (16, 50):
                took = _timed(folder, count, environment)
                if number:
                    times.setdefault(count, []).append(took)
    return {count: (median(wall for wall, _ in took), median(cpu for _, cpu in took)) for count, took in times.items()}


def _timed(folder: Path, count: int, environment: Mapping[str, str]) -> tuple[float, float]:
    playbook = str(Path(sys.executable).with_name("ansible-playbook"))
    began = time.monotonic()
    process = subprocess.Popen(
        [playbook, "-i", f"{count}.systems.yml", "empty.yml"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.stdout.read() if process.stdout is not None else b""
    _pid, status, used = os.wait4(process.pid, 0)
    assert not status and b"Complete" in output, output[-2000:].decode()
    return time.monotonic() - began, used.ru_utime + used.ru_stime


def _systems(count: int) -> dict[str, Any]:
    """Write a file with so many systems: each connector once, those in code first, and then from the beginning
    again."""
    names = sorted(CONNECTORS, key=lambda name: (hasattr(CONNECTORS[name], "MANIFEST"), name))
    systems = {}
    for number in range(count):
        name = names[number % len(names)]
        connector = CONNECTORS[name]
        entry: dict[str, Any] = {"connector": name}
        if connector.NEEDS_URL:
            entry["url"] = (
                "ldaps://x.example"
                if name == "ldap"
                else "imaps://x.example"
                if name == "imap"
                else "https://x.example"
            )
        needed = {key: {"value": "x"} for key, option in connector.CREDENTIALS.items() if option.required}
        options = {
            key: _OPTIONS.get((name, key)) or (option.choices[0] if option.choices else _DUMMIES[option.kind])
            for key, option in connector.OPTIONS.items()
            if option.required
        }
        systems[f"system{number:02}"] = {
            **entry,
            **({"credentials": needed} if needed else {}),
            **({"options": options} if options else {}),
        }
    return {"plugin": "workforce.lifecycle.systems", "company": "Many", "systems": systems}


def measure(environment: Mapping[str, str], rounds: int) -> dict[str, Any]:
    """Return the rows of ``bench.json``."""
    python, declared = cuts(10 * rounds)
    found = starts(environment, rounds)
    return {
        "declared_connector": {
            "value": round(declared, 2),
            "unit": "ms of a processor a plan",
            "peer": "the same connector in Python",
            "peer_value": round(python, 2),
            "ratio": round(declared / python, 2),
        },
        "startup_50": {
            "value": round(found[50][1], 3),
            "unit": "s of a processor, 50 systems",
            "peer": "16 systems",
            "peer_value": round(found[16][1], 3),
            "ratio": round(found[50][1] / found[16][1], 2),
        },
    }
