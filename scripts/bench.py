# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures our times and those of other programs (peers) in turn, and writes ``build/bench.json``.

The file is ``{name: {value, unit, peer, peer_value, ratio}}``. Every time is the wall time of a whole process; every
figure is the median of its rounds. After each run the services are asked whether it did its work. docs/speed.md says
what is measured, and why.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from scripts import bench_archive, bench_crowd, bench_declared
from scripts.bench_company import CALLS, CROWD, IN_A_ROW, LATENCY, LEAVER, SUCCESSOR, SYSTEMS, MeasuredCompany

BIN = Path(sys.executable).parent
ORDINARY = {"lifecycle_in_process": False}


@dataclass(frozen=True)
class Target:
    """The limit of a figure: ``of`` is the key, and ``most`` or ``least`` the limit of its value."""

    of: str
    most: float = float("inf")
    least: float = float("-inf")

    def met(self, row: Mapping[str, Any]) -> bool:
        return self.least <= row[self.of] <= self.most

    def __str__(self) -> str:
        return f"{self.of} <= {self.most:g}" if self.most != float("inf") else f"{self.of} >= {self.least:g}"


TARGETS = {
    "cutoff_vs_empty_play": Target("ratio", most=1.5),
    "cutoff_vs_bare_script": Target("ratio", most=3.2),
    "offboard_full": Target("ratio", least=6.0),
    "people_100": Target("value", most=2.0),
    "people_1000": Target("ratio", most=2.0),
    "people_1000_memory": Target("value", most=400.0),
    "people_1000_awx": Target("ratio", most=2.0),
    "archive": Target("ratio", least=2.0),
    "archive_vs_bare_loop": Target("ratio", most=1.6),
    "archive_memory": Target("value", most=150.0),
}
#: Figures that a machine with something else to do shows wrong.
LOADED = 1.0


class Bench:
    """Runs programs against the measured company, and asks the company each time whether the program did its work."""

    def __init__(self, company: MeasuredCompany, out: Path) -> None:
        self.company, self.out = company, out
        # Of what this machine is set to, nothing may reach the runs: requests prefers the variables to what a script says.
        foreign = ("ANSIBLE_", "LIFECYCLE_", "REQUESTS_", "CURL_", "SSL_", "HTTP_", "HTTPS_", "ALL_")
        self.environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(foreign)} | {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def _timed(self, command: Sequence[str], ends: int = 0, **environment: str) -> float:
        with (self.out / "output.txt").open("w") as output:
            start = time.monotonic()
            done = subprocess.run(
                command,
                cwd=self.company.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            took = time.monotonic() - start
        if done.returncode != ends:
            raise SystemExit(
                f"{' '.join(command)}: ended with {done.returncode}\n{(self.out / 'output.txt').read_text()[-4000:]}"
            )
        return took

    def _playbook(
        self, name: str, inventory: str, variables: Mapping[str, Any] | None = None, ends: int = 0, **environment: str
    ) -> float:
        extra = ["-e", json.dumps(variables)] if variables else []
        return self._timed([str(BIN / "ansible-playbook"), "-i", inventory, *extra, name], ends, **environment)

    def empty(self) -> float:
        return self._playbook("empty.yml", "cut.systems.yml")

    def tasks_that_do_nothing(self) -> float:
        """Measure Ansible alone: as many tasks as a cut has, in as many plays, on the same hosts, with nothing to
        do."""
        return self._playbook("nothing.yml", "cut.systems.yml")

    def nothing_of_ours(self) -> float:
        return self._playbook("empty.yml", "plain.yml", ANSIBLE_CONFIG="plain.cfg")

    def cutoff(self, people: Sequence[str] = (LEAVER,), latency: float = LATENCY, **variables: Any) -> float:
        self.company.fresh(latency)
        took = self._playbook("workforce.lifecycle.cutoff", "cut.systems.yml", {"user": list(people), **variables})
        self._check_cut(people)
        return took

    def bare(self, people: Sequence[str] = (LEAVER,), latency: float = LATENCY) -> float:
        self.company.fresh(latency)
        took = self._timed([sys.executable, str(ROOT / "scripts" / "bench_bare.py"), "bare.json", *people])
        self._check_cut(people)
        return took

    def _check_cut(self, people: Sequence[str]) -> None:
        for service in self.company.services:
            calls = Counter((entry["method"], entry["status"]) for entry in service.journal)
            wanted = Counter((method, 200) for method in CALLS * len(people))
            assert calls == wanted, f"{service.name}: {dict(calls)}, not {dict(wanted)}"
            assert not any(service.active(email) for email in people), f"{service.name}: somebody can still sign in"

    def offboard(self, **variables: Any) -> float:
        self.company.fresh()
        took = self._playbook(
            "workforce.lifecycle.offboard",
            "full.systems.yml",
            {"user": LEAVER, "successor": SUCCESSOR, **variables},
            ends=2,
        )
        # It ends with 2, as it must: devices take minutes to obey, nobody waits for that here, and the keys of an app that they
        # owned are a person's to replace. Nothing else may be open.
        written = sorted((self.company.folder / "records").glob("*.json"))
        assert written, f"no record: {(self.out / 'output.txt').read_text()[-2000:]}"
        record = json.loads(written[0].read_text())
        still_open = {(item["system"], item["outcome"]) for item in record["open_items"]}
        assert still_open == {("intune", "in_progress"), ("entra", "needs_human")}, record["open_items"]
        acts = {action["action"] for action in record["actions"]}
        assert {
            "cutoff",
            "mailbox",
            "mailbox_archive",
            "meetings_handover",
            "files_handover",
            "ownership",
            "device",
            "entitlements",
        } <= acts, acts
        for service in self.company.services:
            assert not service.active(LEAVER) and not service.groups_of(LEAVER), f"{service.name}: something is left"
        return took


def in_turn(rounds: int, runs: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Run the programs in turn, and return the median of each; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            took = run()
            print(f"  {name}: {took:.2f} s{'' if number else ' (warm-up)'}", file=sys.stderr, flush=True)
            if number:
                times[name].append(took)
    return {name: median(all_) for name, all_ in times.items()}


def row(value: float, unit: str, peer: str, peer_value: float, *, faster: bool = False) -> dict[str, Any]:
    """Return a row of the file. ``ratio`` is our value divided by the peer's; with ``faster``, the peer's divided by
    ours."""
    return {
        "value": round(value, 3),
        "unit": unit,
        "peer": peer,
        "peer_value": round(peer_value, 3),
        "ratio": round(peer_value / value if faster else value / peer_value, 2),
    }


def measure(bench: Bench, rounds: int, only: set[str], people: int) -> dict[str, Any]:
    few = max(1, rounds // 2)
    results: dict[str, Any] = {}
    if only & {"cutoff", "startup"}:
        results |= measure_cutoff(bench, rounds, modules="modules" in only)
    if "offboard" in only:
        results |= measure_offboard(bench, few)
    if "people" in only:
        results |= measure_people(bench, few)
    if "crowd" in only:
        results |= bench_crowd.measure(bench.environment, people)
    if "declared" in only:
        results |= bench_declared.measure(bench.environment, rounds)
    if "archive" in only:
        archive = bench_archive.run()
        if not archive:
            print("archive: left out, Dovecot or mbsync is not installed here", file=sys.stderr)
        results |= archive
    return results


def measure_cutoff(bench: Bench, rounds: int, *, modules: bool) -> dict[str, Any]:
    """Measure one leaver's cut against a play without tasks and against a bare script, and our own start."""
    runs = {
        "empty play": bench.empty,
        "cutoff": bench.cutoff,
        "bare script": bench.bare,
        "tasks that do nothing": bench.tasks_that_do_nothing,
        "Ansible alone": bench.nothing_of_ours,
    }
    if modules:
        runs["cutoff, modules"] = lambda: bench.cutoff(**ORDINARY)
    t = in_turn(rounds, runs)
    peers = {
        "cutoff_vs_empty_play": ("cutoff", "a play without tasks on the same hosts", "empty play"),
        "cutoff_vs_bare_script": ("cutoff", "12 threads with requests, the same calls", "bare script"),
        "startup": ("empty play", "a play without tasks, plain inventory, nothing of ours loaded", "Ansible alone"),
    }
    results = {name: row(t[ours], "s", words, t[theirs]) for name, (ours, words, theirs) in peers.items()}
    waiting = IN_A_ROW * LATENCY
    results["cutoff_vs_floor"] = row(
        t["cutoff"],
        "s",
        f"13 tasks that do nothing, and {waiting:.2f} s for the requests of a system",
        t["tasks that do nothing"] + waiting,
    )
    if modules:
        results["cutoff_vs_modules"] = row(
            t["cutoff"], "s", "the same playbook through AnsiballZ", t["cutoff, modules"], faster=True
        )
    return results


def measure_offboard(bench: Bench, rounds: int) -> dict[str, Any]:
    """Measure a whole offboarding in Ansible's own process, and the same playbook with ordinary modules."""
    t = in_turn(rounds, {"offboard": bench.offboard, "offboard, modules": lambda: bench.offboard(**ORDINARY)})
    return {
        "offboard_full": row(
            t["offboard"], "s", "the same playbook through AnsiballZ", t["offboard, modules"], faster=True
        )
    }


def measure_people(bench: Bench, rounds: int) -> dict[str, Any]:
    """Measure our own time for one step of one person.

    The services answer at once, so that no waiting hides our own work. The whole: the wall time for (people x systems)
    cuts on this machine's cores, without Ansible's own start. Our own: the difference to a bare loop with the same
    calls on the same cores; the services' work is in both.
    """
    runs = {
        "empty play": bench.empty,
        "100 people": lambda: bench.cutoff(CROWD, 0.0),
        "bare, 100 people": lambda: bench.bare(CROWD, 0.0),
    }
    t = in_turn(rounds, runs)
    steps, peer = len(CROWD) * SYSTEMS, "12 threads with requests, the same calls"
    whole, bare = 1000 * (t["100 people"] - t["empty play"]) / steps, 1000 * t["bare, 100 people"] / steps
    return {
        "people_100": row(whole - bare, "ms of our own a person and step", peer, bare),
        "people_100_in_all": row(whole, "ms a person and step", peer, bare),
    }


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    for name, r in results.items():
        target = TARGETS.get(name)
        verdict = "" if target is None else f"{'met' if target.met(r) else 'MISSED'}: {target}"
        lines.append(
            (name, f"{r['value']:g} {r['unit']}", f"{r['peer_value']:g}", f"{r['ratio']:g}", verdict, str(r["peer"]))
        )
    head = ("", "ours", "peer", "ratio", "target", "peer is")
    widths = [max(len(line[n]) for line in [head, *lines]) for n in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *lines]
    )


def main() -> int:
    parts = ("cutoff", "modules", "startup", "offboard", "people", "crowd", "declared", "archive")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), help="parts to measure")
    parser.add_argument(
        "--rounds", type=int, default=7, help="counted rounds of the short runs; the long ones have half as many"
    )
    parser.add_argument("--people", type=int, default=1000, help="leavers of the part crowd")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="where bench.json goes")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, MeasuredCompany(Path(name)) as company:
        company.write_files()
        results = measure(Bench(company, Path(name)), asked.rounds, set(asked.only), asked.people)
    (asked.out / "bench.json").write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))
    if os.getloadavg()[1] > (os.cpu_count() or 1) + LOADED:
        print(
            f"The machine had something else to do (load {os.getloadavg()[1]:.0f}): measure again when it is quiet",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
