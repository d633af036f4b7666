# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs at the same moment: one per person at a time, and the brake counts across all of them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.integration.company import ROOT, Ran, SandboxCompany
from tests.integration.test_runs import GONE, RUNS, WIPE, asked, attest, play

LEAVERS = ("jane@corp.example", "otto@corp.example", "mark@corp.example", "lena@corp.example")


def started(
    company: SandboxCompany, playbook: str, *args: str, systems_file: Path | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        company.command(playbook, *args, systems_file=systems_file),
        cwd=ROOT,
        env=company.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(*processes: subprocess.Popen[str]) -> list[Ran]:
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    return [Ran(process.returncode, output) for process, output in zip(processes, outputs, strict=True)]


def ledger_of(company: SandboxCompany) -> Ledger:
    return Ledger(str(company.folder / "ledger.db"))


def begun(company: SandboxCompany) -> dict[str, list[str]]:
    """By run, the people for whom it began a write."""
    runs: dict[str, list[str]] = {}
    for entry in ledger_of(company).noted("intent"):
        runs.setdefault(entry.run, []).append(entry.person)
    return runs


def assert_done_once(company: SandboxCompany) -> None:
    jane = asked(company, "jane")
    assert {system: jane[system] for system in GONE} == GONE
    for irreversible in ("/wipe", "/retire"):
        taken = [
            entry
            for entry in company.journal("microsoft")
            if entry["path"].endswith(irreversible) and (entry["status"] or 0) < 300
        ]
        assert len(taken) == 1, f"{irreversible} was sent {len(taken)} times"
    assert ledger_of(company).verify().ok


@pytest.mark.rotating(of=6)
def test_two_at_once_for_one_person(company: SandboxCompany) -> None:
    """One runs. The other refuses, says who has her, and sends nothing."""
    args = ("-e", f"user={RUNS['offboard'][0]}", *WIPE)
    one, other = sorted(
        ended(started(company, "offboard", *args), started(company, "offboard", *args)),
        key=lambda ran: "has had them since" in ran.output,
    )
    assert re.search(
        r"take jane@corp.example for run \w+: run \w+ on \S+ \(process \d+\) has had them since 20\S+Z, and is still running",
        other.output,
    ), other.output
    assert other.code != 0 and "lifecycle_wait_for_person" in other.output and other.changed == 0
    assert "has had them since" not in one.output and len(begun(company)) == 1, one.output
    assert_done_once(company)


@pytest.mark.soak
def test_three_at_once_that_wait(company: SandboxCompany) -> None:
    """One after the other; the later ones find everything done."""
    args = ("-e", f"user={RUNS['offboard'][0]}", "-e", "lifecycle_wait_for_person=200", *WIPE)
    ran = ended(*(started(company, "offboard", *args) for _ in range(3)))
    assert not [one.output for one in ran if "has had them since" in one.output]
    entries = [entry for entry in ledger_of(company).entries() if entry.kind in ("intent", "outcome")]
    turns = [entry.run for number, entry in enumerate(entries) if not number or entries[number - 1].run != entry.run]
    assert len(turns) == len(set(turns)) == 3, "one after the other, never in turns"
    assert len([entry for entry in entries if entry.kind == "intent" and entry.run != turns[0]]) <= 1, (
        "the later ones have next to nothing to write"
    )
    assert_done_once(company)
    attest(company, "jane@corp.example", "aws", "badge", "entra", "slack", "tailscale")
    assert play(company, "offboard").changed <= 1


def with_policy(company: SandboxCompany, folder: Path, **brake: Any) -> Path:
    policy = folder / "policy.yml"
    policy.write_text(yaml.safe_dump({"brake": brake}))
    data = yaml.safe_load(company.systems_file.read_text())
    path = company.folder / "braked.systems.yml"  # beside the other: its paths are relative
    path.write_text(yaml.safe_dump({**data, "policy": str(policy)}, sort_keys=False))
    return path


def cut(company: SandboxCompany, systems: Path, *users: str) -> list[Ran]:
    """Each in a run of its own, all at once; HR need not have heard of it yet."""
    return ended(
        *(
            started(
                company, "cutoff", "-e", f"user={user}", "-e", "despite_hr='the police are here'", systems_file=systems
            )
            for user in users
        )
    )


@pytest.mark.soak
def test_of_four_runs_at_once_two_may_cut_off(company: SandboxCompany, tmp_path: Path) -> None:
    systems = with_policy(company, tmp_path, leavers={"count": 2, "release": ["grace@corp.example"]})
    ran = cut(company, systems, *LEAVERS)
    stopped = [user for user, one in zip(LEAVERS, ran, strict=True) if "policy allows 2" in one.output]
    assert len(stopped) == 2, [one.output[-2000:] for one in ran]
    acted = set(LEAVERS) - set(stopped)
    assert {person for people in begun(company).values() for person in people} == acted
    assert {case.person["email"] for case in ledger_of(company).cases()} == acted
    assert ledger_of(company).storage.query("SELECT name FROM lease") == [], "whoever comes next need not wait"
    who = stopped[0]
    released = company.play(
        "release_brake", "-e", "of=leavers", "-e", f"user={who}", "-e", "by=grace@corp.example", systems_file=systems
    )
    assert released.code == 0 and f"{who} until" in released.output, released.output
    [again] = cut(company, systems, who)
    assert "policy allows 2" not in again.output, again.output
    assert {person for people in begun(company).values() for person in people} == acted | {who}
