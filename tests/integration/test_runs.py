# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The three runs from a shell, as a user starts them. Afterwards the systems themselves are asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive

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
#: What the systems say of Jane when she is gone.
GONE = {
    "entra": "sign-in blocked; Engineering; no sign-in methods",
    "exchange": "shared mailbox; on hold; hidden; open to mark@corp.example; answers senders; 0 protocols open; 0 meetings of theirs ahead",
    "onedrive": "132 files; 0 sharing links; open to mark@corp.example",
    "intune": "C02JANE01 wiped, F2LJANE02 retired",
    "ldap": "locked",
    "wiki": "deactivated",
    "crm": "deactivated",
    "github": "not in the organisation",
    "slack": "deactivated; no session; user groups release-duty",
    "tailscale": "suspended; member; no key",
    "aws": "no console sign-in; 0 of 2 keys active; denied everything",
    "imap": "27 messages",
}


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


def theirs(company: SandboxCompany, key: str) -> dict[str, Any]:
    """What belongs to a person, record by record as the systems keep it: less what others hand over and send (owners, meetings)."""
    cloud, slack, tailscale, github = (company.state(name) for name in ("microsoft", "slack", "tailscale", "github"))
    email = f"{key}@corp.example"
    entra = cloud["entra"]
    id = next(user["id"] for user in entra["users"].values() if user["mail"] == email)
    member = next(
        (user["id"] for user in slack["users"].values() if any(e["value"] == email for e in user["emails"])), None
    )
    node = next((user["id"] for user in tailscale["users"].values() if user["loginName"] == email), None)
    login = github["saml"].get(email)
    return {
        "account": entra["users"][id],
        "groups": [group["displayName"] for group in entra["groups"].values() if id in group["members"]],
        "assigned": [
            row
            for table in ("role_assignments", "eligibilities", "app_assignments", "grants")
            for row in entra[table].values()
            if row["principalId"] == id
        ],
        "mailbox": {name: value for name, value in cloud["exchange"][id].items() if name != "events"},
        "drive": [drive for drive in cloud["onedrive"]["drives"].values() if drive["owner"] == email],
        "devices": [device for device in cloud["intune"]["devices"].values() if device["userPrincipalName"] == email],
        "slack": (
            slack["users"].get(member),
            slack["sessions"].get(member),
            [group["handle"] for group in slack["groups"].values() if member in group["users"]],
        ),
        "tailscale": (
            tailscale["users"].get(node),
            [
                row
                for table in ("devices", "keys")
                for row in tailscale[table].values()
                if node in row.values() or email in row.values()
            ],
        ),
        "github": (
            github["members"].get(login),
            [team for team, row in github["teams"].items() if login in row["members"]],
            [row for row in github["credentials"] if row["login"] == login],
            [pat for pat, of in github["pats"].items() if of == login],
        ),
    }


def assert_archived(company: SandboxCompany) -> None:
    """Both of Jane's mailboxes, every message, as the files on disk say."""
    archives = sorted(path.parent for path in (company.folder / "archive").rglob("manifest*"))
    assert len(archives) == 2, archives
    for archive in archives:
        Archive(archive).verify()
        assert Archive(archive).state().complete
    assert 27 in [Archive(archive).state().messages for archive in archives], (
        "as many as the server of her old mailbox says"
    )


@pytest.mark.rotating(of=6)
@pytest.mark.parametrize("kind", RUNS)
def test_check_mode_prints_the_plan_and_writes_nothing(company: SandboxCompany, kind: str) -> None:
    ran = play(company, kind, "--check", "--diff")
    assert ran.code == 0, ran.output
    assert company.writes() == []
    assert company.entries() == 0
    assert "+++ after" in ran.output and ran.changed > 0
    if kind != "offboard":
        return
    told = company.play(
        kind,
        "-e",
        f"user={RUNS[kind][0]}",
        *RUNS[kind][1],
        "--check",
        "--diff",
        ANSIBLE_STDOUT_CALLBACK="workforce.lifecycle.timeline",
    )
    assert "nothing was written" in told.output and "→" in told.output, told.output
    assert company.writes() == []


def test_a_leaver(company: SandboxCompany) -> None:
    before = {person: asked(company, person) for person in BYSTANDERS}
    belongings = {person: theirs(company, person) for person in BYSTANDERS}
    first = play(company, "offboard")
    assert first.code != 0, "five steps wait for a person, so the run says that it is not complete"
    assert {(item["system"], item["outcome"]) for item in record(company, "offboard")["open_items"]} == {
        ("aws", "needs_human"),
        ("badge", "needs_human"),
        ("entra", "needs_human"),
        ("slack", "needs_human"),
        ("tailscale", "needs_human"),
    }
    left = {item["what"] for item in record(company, "offboard")["open_items"]}
    assert "groups: release-duty" in left, "what could not be taken back is named"
    attest(company, "jane@corp.example", "aws", "badge", "entra", "slack", "tailscale")
    summary = record(company, "offboard")["summary"]
    assert summary["access_closed"] and not summary["open"] and not summary["complete"], "her laptop is not back"
    back = ("-e", "device=C02JANE01", "-e", "state=received", "-e", "by='Grace Okoye'")
    assert company.play("custody", *back).code == 0
    assert record(company, "offboard")["summary"]["complete"]
    jane = asked(company, "jane")
    assert {system: jane[system] for system in GONE} == GONE
    assert_archived(company)
    # Mark takes over, and Lena's planning meeting is his now. Nothing else of anybody moves.
    assert {person: asked(company, person) for person in ("lena", "grace")} == {
        person: before[person] for person in ("lena", "grace")
    }
    mark = asked(company, "mark")
    changed = {system for system in mark if mark[system] != before["mark"][system]}
    assert changed == {"exchange", "github"}, "her meetings and a repository"
    assert {person: theirs(company, person) for person in BYSTANDERS} == belongings
    wipes = [write for write in company.writes() if "/wipe" in write]
    assert len(wipes) == 1, wipes
    # a second run of the finished case
    sent = company.writes()
    again = play(company, "offboard")
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.new_writes(sent) == []


@pytest.mark.rotating(of=6)
def test_a_mover(company: SandboxCompany) -> None:
    before = {person: (asked(company, person), theirs(company, person)) for person in (*BYSTANDERS, "jane")}
    play(company, "transfer")
    attest(company, "tom@corp.example", "badge")
    control(company.folder, "POST", company.emulators["slack"], "first-day/tom", {})
    second = play(company, "transfer")
    assert second.code == 0, second.output
    tom = asked(company, "tom")
    assert tom["entra"].startswith("sign-in enabled; Engineering; groups Engineering, VPN Users; licences SPE_E3;")
    expected = {
        "ldap": "enabled; groups engineering, vpn",
        "wiki": "active; groups Engineering",
        "crm": "deactivated",
        "github": "member (active); teams engineering",
        "slack": "active; 3 sessions; user groups engineering",
        "tailscale": "active; member; no key",
        "aws": "no console sign-in; no keys; groups Developers",
    }
    assert {system: tom[system] for system in expected} == expected
    assert {person: (asked(company, person), theirs(company, person)) for person in before} == before
    sent = company.writes()
    again = play(company, "transfer")
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.new_writes(sent) == []


@pytest.mark.rotating(of=6)
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
    expected = {
        "intune": "manages 5CGADA001 (encrypted, compliant)",
        "ldap": "enabled; groups engineering, vpn",
        "wiki": "active; groups Engineering",
        "github": "member (active); teams engineering",
        "slack": "active; no session; user groups engineering",
        "tailscale": "active; member; no key",
        "aws": "no console sign-in; no keys; groups Developers",
        "crm": "no account",
    }
    assert {system: ada[system] for system in expected} == expected
    assert "groups Engineering, VPN Users; licences SPE_E3" in ada["entra"]
    mails = company.state("microsoft")["entra"]["mails"]
    assert len(mails) == 1 and "mark@corp.example" in json.dumps(mails), "one first credential, handed to the manager"
    sent = company.writes()
    again = play(company, "onboard")
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.new_writes(sent) == []
