# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reconciles the sandbox company with many more people, and checks that the planted faults are what is found.

It prints our own processor time (without the sandbox's processes), the wall time, and the peak memory of all our
processes together.

    python scripts/bench_reconcile.py [--people 10000]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from sandbox.box import Box
from sandbox.catalogue import COMPANY
from sandbox.company import Company, load_company
from sandbox.days import day

#: Of each kind of plant, one in so many people.
EVERY = 200
#: Where the people of the grown company have accounts.
DIRECTORIES = ("entra", "exchange", "ldap", "wiki", "github", "slack", "tailscale")
#: How long one answer may take: the sandbox lists ten thousand people in one process, which other tests may share the machine with.
ANSWER_SECONDS = 300
#: Sandbox servers of other makers that need minutes to take in thousands of people (their cost grows with the square), and the line of
#: the engineers' profile that speaks of them. From so many people on, these keep the people that they have.
SLOW = {"ldap": "  ldap: {groups: [engineering, vpn]}\n", "wiki": "  wiki: {groups: [Engineering]}\n"}
MANY = 1000
_NUMBER = re.compile(r"(?:p|gh)(\d{5})\b")


def directories(people: int) -> list[str]:
    """Return the systems on which the added people have accounts."""
    return [name for name in DIRECTORIES if people <= MANY or name not in SLOW]


def grown(people: int) -> Company:
    """Return the sandbox company with so many more engineers, some with a fault.

    The number modulo ``EVERY`` decides: 1 left, 2 is unknown to HR, 3 holds too much, 4 has a laptop that is not
    encrypted, 5 has a laptop that belongs to nobody."""
    base = load_company()
    everybody: dict[str, Any] = dict(base.people)
    devices: list[Any] = list(base.devices)
    for n in range(people):
        plant = n % EVERY
        entra = ["Engineering", "VPN Users", *(["Sales"] if plant == 3 else [])]
        on = {
            "entra": {"groups": entra, "licences": ["SPE_E3"]},
            "exchange": {},
            "ldap": {"groups": ["engineering", "vpn"]},
            "wiki": {"groups": ["Engineering"]},
            "github": {"role": "member", "teams": ["engineering"]},
            "slack": {"groups": ["engineering"]},
            "tailscale": {"role": "member"},
        }
        everybody[f"p{n:05}"] = {
            "email": f"p{n:05}@corp.example",
            "employee_id": f"P{n:05}",
            "hr_id": str(100000 + n),
            "first_name": "P",
            "last_name": f"No{n:05}",
            "title": "Engineer",
            "department": "Engineering",
            "location": "Berlin",
            "country": "DE",
            "hire_date": str(day(-2000)),
            "time_zone": "Europe/Berlin",
            "manager": "mark",
            "status": "terminated" if plant == 1 else "active",
            **({"termination_date": str(day(-200))} if plant == 1 else {}),
            "logins": {"github": f"gh{n:05}"},
            "on": {name: on[name] for name in directories(people)},
        }
        devices.append(
            {
                "serial": f"SER{n:05}",
                "name": f"D{n:05}",
                "owner": f"p{n:05}",
                "platform": "macOS",
                "ownership": "company",
                "encrypted": plant != 4,
                "compliant": True,
                "escrowed": True,
                "software": [],
            }
        )
    return Company(base.name, base.domain, everybody, tuple(devices))


def expected(people: int) -> Counter[tuple[str, str, int]]:
    """Return the findings that must be there: kind, system, and number of the person."""
    found: Counter[tuple[str, str, int]] = Counter()
    for n in range(people):
        plant = n % EVERY
        if plant in (1, 2):
            found.update((("leaver_active", "orphan")[plant - 1], system, n) for system in directories(people))
            found["device_owner_gone", "intune", n] += 1
        elif plant == 3:
            found["entitlement_extra", "entra", n] += 1
        elif plant in (4, 5):
            found[{4: "device_unencrypted", 5: "device_unowned"}[plant], "intune", n] += 1
    return found


def of_the_grown(report: dict[str, Any]) -> Counter[tuple[str, str, int]]:
    """Return the findings about the added people and their devices."""
    found: Counter[tuple[str, str, int]] = Counter()
    for f in report["findings"]:
        number = _NUMBER.search(
            " ".join(
                (f["account"], (f["person"] or {}).get("email", ""), str(f["evidence"]["facts"].get("email", "")))
            ).lower()
        )
        serial = re.search(r"SER(\d{5})", f["account"])
        if number or serial:
            found[f["kind"], f["system"], int((number or serial)[1])] += 1  # type: ignore[index]
    return found


class Memory(threading.Thread):
    """The peak memory of a process and all its descendants in MB; memory that they share counts once (PSS)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0.0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.25):
            self.peak = max(self.peak, sum(map(_pss, [self.pid, *_below(self.pid)])) / 1024)


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _below(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, front = [], [pid]
    while front:
        front = [child for parent in front for child in parents.get(parent, ())]
        found += front
    return found


def measure(people: int, folder: Path) -> dict[str, Any]:
    """Add the people, reconcile the company with the playbook, and compare the findings with the planted faults."""
    start = time.monotonic()
    with Box(COMPANY, folder, company=grown(people)) as box:
        plant(box, people)
        systems = box.write_systems_file(
            folder / "company.systems.yml",
            ledger=str(folder / "ledger.db"),
            records=str(folder / "records"),
            profiles=str(profiles(folder / "profiles", people)),
        )
        grew = time.monotonic() - start
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            str(systems),
            "workforce.lifecycle.reconcile",
            "-e",
            f"lifecycle_timeout={ANSWER_SECONDS}",
        ]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_NOCOLOR": "1",
        }
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with (folder / "output.txt").open("w") as output:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
            memory = Memory(process.pid)
            memory.start()
            code = process.wait()
            memory.ended.set()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    reports = sorted((folder / "records").glob("reconcile-*.json"))
    if not reports:
        raise SystemExit((folder / "output.txt").read_text()[-4000:])
    report = json.loads(reports[-1].read_text())
    found, planted = of_the_grown(report), expected(people)
    return {
        "people": report["hr"]["people"],
        "accounts": sum(s.get("accounts", 0) for s in report["systems"]),
        "systems": len(box.systems()),
        "devices": sum(s.get("devices", 0) for s in report["systems"]),
        "findings": len(report["findings"]),
        "planted": sum(planted.values()),
        "missed": sorted((planted - found).elements())[:20],
        "invented": sorted((found - planted).elements())[:20],
        "not_read": report["summary"]["not_read"],
        "own_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "wall_seconds": round(time.monotonic() - start, 1),
        "peak_mb": round(memory.peak),
        "grown_in_seconds": round(grew, 1),
        "ended": code,
    }


def profiles(folder: Path, people: int) -> Path:
    """Return the sandbox company's access profiles, in which an engineer has nothing on systems without added
    people."""
    shutil.copytree(ROOT / "inventory" / "profiles", folder)
    file = folder / "engineering.yml"
    text = file.read_text().replace("  aws: {groups: [Developers]}\n", "")
    for name, line in SLOW.items():
        if name not in directories(people):
            text = text.replace(line, "")
            (folder / "staff.yml").write_text((folder / "staff.yml").read_text().replace(f"  {name}: {{}}\n", ""))
    file.write_text(text)
    return folder


def plant(box: Box, people: int) -> None:
    """Plant the faults: HR does not know the people of number 2, and the laptops of number 5 have no owner."""
    owners = {f"SER{n:05}" for n in range(5, people, EVERY)}
    for device in box["microsoft"].state["intune"]["devices"].values():
        if device["serialNumber"] in owners:
            device["userPrincipalName"] = ""
    # The sandbox's users were last seen on one day in its past; these come every day.
    for user in box["tailscale"].state["users"].values():
        user["lastSeen"] = datetime.now(timezone.utc).isoformat()
    state = box["bamboohr"].state
    gone = {str(100000 + n) for n in range(2, people, EVERY)}
    for key in gone:
        del state["employees"][key], state["changed"][key]
    for name, rows in state["tables"].items():
        state["tables"][name] = [row for row in rows if str(row.get("employeeId")) not in gone]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reconcile-") as temporary:
        print(json.dumps(measure(args.people, Path(temporary)), indent=1))
