# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cuts off one leaver with an account on every system of the sandbox, and prints time, memory, and the access that may
linger.

    python scripts/every_system.py [--table FILE]

It exits 1 when the tables of a system show that it still lets them in, and the run did not report that.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sandbox import every
from sandbox.box import Box

LEAVER = "jane"


#: Runs a program, and writes the memory of its largest process to a file. It is a small process of its own: ``ru_maxrss`` is kept over
#: exec (getrusage(2)), so that a child of a large process begins with its size.
_MEASURE = """import pathlib, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)"""


@dataclass
class Cut:
    """The result of one cut. ``ways`` is the number of closed ways in; ``lingers`` is the residual access in the
    record, by system."""

    code: int
    output: str
    seconds: float
    megabytes: float
    systems: list[str]
    outcomes: dict[str, str] = field(default_factory=dict)
    ways: dict[str, int] = field(default_factory=dict)
    human: dict[str, list[str]] = field(default_factory=dict)
    lingers: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    left_open: dict[str, str] = field(default_factory=dict)


def cut(folder: Path) -> Cut:
    """Start every system, cut the leaver off, and ask the systems afterwards."""
    with Box(every.EVERY, folder / "box") as box:
        inventory = every.written(box, folder)
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory)]
        command += ["workforce.lifecycle.cutoff", "-e", f"user={box.company.people[LEAVER]['email']}"]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        began = time.monotonic()
        peak_file = folder / "peak"
        ran = subprocess.run(
            [sys.executable, "-c", _MEASURE, str(peak_file), *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        seconds = time.monotonic() - began
        peak = int(peak_file.read_text()) / 1024
        found = Cut(ran.returncode, ran.stdout + ran.stderr, seconds, peak, every.names(box))
        for system, data in _outcomes(folder / "ledger.db"):
            found.outcomes[system] = data["outcome"]
            changes = data.get("changes") or []
            found.ways[system] = sum(one["outcome"] in ("done", "acknowledged") for one in changes)
            found.human[system] = [one["what"] for one in changes if one["outcome"] == "needs_human"]
            found.lingers[system] = data.get("residual") or []
        found.left_open = every.left_open(box, LEAVER)
    return found


def _outcomes(ledger: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the outcome of each system's cut, from the ledger."""
    with closing(sqlite3.connect(ledger)) as db:
        rows = db.execute("SELECT system, body FROM ledger WHERE kind = 'outcome' AND step = 'cutoff' ORDER BY n")
        for system, body in rows.fetchall():
            yield system, json.loads(body)["data"]


def table(found: Cut) -> str:
    """Return the table of residual access, in Markdown."""
    lines = ["| system | outcome | ways closed | a person ends | what lingers | until |", "|---|---|---|---|---|---|"]
    for system in sorted(found.outcomes):
        lingers = found.lingers[system]
        what = "; ".join(f"{one['what']}: {one['why']}" if one.get("why") else one["what"] for one in lingers)
        until = "; ".join(dict.fromkeys("a named hour" if "T" in one["until"] else one["until"] for one in lingers))
        cells = (system, found.outcomes[system], str(found.ways[system]), ", ".join(found.human[system]), what, until)
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, help="where to write the table")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="every-") as folder:
        found = cut(Path(folder))
    print(table(found))
    if args.table:
        args.table.write_text(table(found) + "\n", encoding="utf-8")
    print(
        f"\n{len(found.systems)} systems, {len(found.outcomes)} with a cut of their own, {sum(found.ways.values())} ways closed"
    )
    print(f"{found.seconds:.1f} s, {found.megabytes:.0f} MB for the largest process, exit status {found.code}")
    for system, what in found.left_open.items():
        print(f"STILL OPEN on {system}: {what}")
    return 1 if found.left_open else 0


if __name__ == "__main__":
    sys.exit(main())
