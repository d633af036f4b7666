# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The three runs from a shell, as a user starts them. Afterwards the systems themselves are asked."""
from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from sandbox.__main__ import control
from tests.integration.company import Ran, SandboxCompany

WIPE = ("-e", "confirm=C02JANE01", "-e", '{"lifecycle_devices": {"company": "wipe", "follow": 60}}')
RUNS = {
    "onboard": ("ada@corp.example", ("-e", "device_serial=5CGADA001")),
    "transfer": ("tom@corp.example", ()),
    "offboard": ("jane@corp.example", WIPE),
    "cutoff": ("jane@corp.example", ()),
}
#: People that no run is about.
BYSTANDERS = ("mark", "lena", "grace")


def asked(company: SandboxCompany, person: str) -> dict[str, str]:
    answers: dict[str, str] = control(company.folder, "GET", company.emulators["slack"], f"person/{person}")
    return answers


def play(company: SandboxCompany, kind: str, *more: str) -> Ran:
    user, extra = RUNS[kind]
    return company.play(kind, "-e", f"user={user}", *extra, *more)


def attest(company: SandboxCompany, user: str, *systems: str) -> None:
    for system in systems:
        ran = company.play("attest", "-e", f"user={user}", "-e", f"system={system}", "-e", "by='Grace Okoye'")
        assert ran.code == 0, ran.output


def record(company: SandboxCompany, kind: str) -> dict[str, Any]:
    """The newest record of that kind of case."""
    newest = max((company.folder / "records").glob(f"{kind}-*.json"), key=lambda path: path.stat().st_mtime)
    found: dict[str, Any] = json.loads(newest.read_text())
    return found


def entries(company: SandboxCompany) -> int:
    path = company.folder / "ledger.db"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return int(connection.execute("SELECT count(*) FROM ledger").fetchone()[0]) if "ledger" in tables else 0


@pytest.mark.parametrize("kind", RUNS)
def test_check_mode_prints_the_plan_and_writes_nothing(company: SandboxCompany, kind: str) -> None:
    ran = play(company, kind, "--check", "--diff")
    assert ran.code == 0, ran.output
    assert company.writes() == []
    assert entries(company) == 0
    assert "+++ after" in ran.output and ran.changed > 0
    told = company.play(kind, "-e", f"user={RUNS[kind][0]}", *RUNS[kind][1], "--check", "--diff", ANSIBLE_STDOUT_CALLBACK="workforce.lifecycle.timeline")
    assert "nothing was written" in told.output and "→" in told.output, told.output
    assert company.writes() == []


def test_a_leaver(company: SandboxCompany) -> None:
    before = {person: asked(company, person) for person in BYSTANDERS}
    first = play(company, "offboard")
    assert first.code != 0, "two steps wait for a person, so the run says that it is not complete"
    assert {(item["system"], item["outcome"]) for item in record(company, "offboard")["open_items"]} == {("badge", "needs_human"), ("tailscale", "needs_human")}
    attest(company, "jane@corp.example", "badge", "tailscale")
    assert record(company, "offboard")["summary"]["complete"]
    jane = asked(company, "jane")
    expected = {
        "entra": "sign-in blocked; Engineering; groups News; no sign-in methods",
        "exchange": "shared mailbox; on hold; hidden; open to mark@corp.example; answers senders; 0 protocols open; 0 meetings of theirs ahead",
        "onedrive": "132 files; 0 sharing links; open to mark@corp.example",
        "intune": "C02JANE01 wiped, F2LJANE02 retired",
        "ldap": "locked", "wiki": "deactivated", "crm": "deactivated", "github": "not in the organisation",
        "slack": "deactivated; no session; user groups release-duty", "tailscale": "suspended; member; no key",
        "aws": "no console sign-in; 0 of 2 keys active; denied everything", "imap": "27 messages"}
    assert {system: jane[system] for system in expected} == expected
    after = {person: asked(company, person) for person in BYSTANDERS}
    # Mark takes over: Jane's meetings and a repository are his now. Nothing else of anybody moves.
    for answers in (before["mark"], after["mark"]):
        answers.pop("exchange"), answers.pop("github")
    assert after == before
    wipes = [write for write in company.writes() if "/wipe" in write]
    assert len(wipes) == 1, wipes
    # a second run of the finished case
    sent = len(company.writes())
    again = play(company, "offboard")
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.writes()[sent:] == []


def test_a_mover(company: SandboxCompany) -> None:
    before = {person: asked(company, person) for person in (*BYSTANDERS, "jane")}
    play(company, "transfer")
    attest(company, "tom@corp.example", "badge")
    control(company.folder, "POST", company.emulators["slack"], "first-day/tom", {})
    second = play(company, "transfer")
    assert second.code == 0, second.output
    tom = asked(company, "tom")
    assert tom["entra"].startswith("sign-in enabled; Engineering; groups Engineering, VPN Users; licences SPE_E3;")
    expected = {"ldap": "enabled; groups engineering, vpn", "wiki": "active; groups Engineering", "crm": "deactivated",
                "github": "member (active); teams engineering", "slack": "active; 3 sessions; user groups engineering",
                "tailscale": "active; member; no key", "aws": "no console sign-in; no keys; groups Developers"}
    assert {system: tom[system] for system in expected} == expected
    assert {person: asked(company, person) for person in before} == before
    sent = len(company.writes())
    again = play(company, "transfer")
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.writes()[sent:] == []


def test_a_joiner(company: SandboxCompany) -> None:
    first = play(company, "onboard")
    assert first.code != 0
    missing = {item["system"] for item in record(company, "onboard")["open_items"]}
    assert missing == {"badge", "entra", "github", "intune", "tailscale"}, "what only she and the badge desk can do"
    attest(company, "ada@corp.example", "badge")
    control(company.folder, "POST", company.emulators["slack"], "first-day/ada", {})
    second = play(company, "onboard")
    assert second.code == 0, second.output
    assert record(company, "onboard")["verdict"]["word"] == "ready"
    ada = asked(company, "ada")
    expected = {"intune": "manages 5CGADA001 (encrypted, compliant)", "ldap": "enabled; groups engineering, vpn", "wiki": "active; groups Engineering",
                "github": "member (active); teams engineering", "slack": "active; no session; user groups engineering", "tailscale": "active; member; no key",
                "aws": "no console sign-in; no keys; groups Developers", "crm": "no account"}
    assert {system: ada[system] for system in expected} == expected
    assert "groups Engineering, VPN Users; licences SPE_E3" in ada["entra"]
    mails = company.state("microsoft")["entra"]["mails"]
    assert len(mails) == 1 and "mark@corp.example" in json.dumps(mails), "one first credential, handed to the manager"
    sent = len(company.writes())
    again = play(company, "onboard")
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.writes()[sent:] == []


def test_two_people_by_id_and_address_in_one_run(company: SandboxCompany) -> None:
    ran = company.play("cutoff", "-e", '{"user": ["E1007", "lena@corp.example"]}')
    assert ran.code == 0, ran.output
    for person in ("jane", "lena"):
        assert asked(company, person)["entra"].startswith("sign-in blocked")
    assert asked(company, "mark")["entra"].startswith("sign-in enabled")


def test_one_unknown_among_them_stops_everything_before_the_first_write(company: SandboxCompany) -> None:
    ran = company.play("offboard", "-e", '{"user": ["jane@corp.example", "zoe@corp.example"]}')
    assert ran.code != 0 and "zoe@corp.example" in ran.output
    assert company.writes() == []
