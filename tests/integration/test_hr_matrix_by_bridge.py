# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What each event in HR leads to (docs/identity.md), the whole way: HR's own webhook, the bridge as a process, ansible-runner, playbooks, systems.

The rules are tried one by one, with a stopped clock, in tests/unit/test_hr_matrix.py; here, that what one run leaves is what the next
decision starts from. Days are counted from today, and the systems are asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.__main__ import control
from tests.integration.company import BIN, ROOT, SandboxCompany
from tests.integration.test_hr_starts_it import ENVIRONMENT, KEY, bridge, until

pytestmark = pytest.mark.soak
ADA, TOM, LENA, MARK = "120", "111", "104", "102"
BUSY = """SELECT 1 FROM events WHERE state IN ('new', 'taken') UNION ALL
          SELECT 1 FROM cases WHERE state IN ('ready', 'running') OR state IN ('upcoming', 'waiting', 'todo') AND next_at <= ?"""


class Hr:
    """HR, and the bridge that listens to it."""

    def __init__(self, company: SandboxCompany, folder: Path, url: str) -> None:
        self.company, self.folder, self.url = company, folder, url
        self.sent = company.writes()

    def does(self, act: str, person: str, on: int = 0, **values: str) -> None:
        """Something, from a day so many days from today; and says it twice, as HR systems do. Returns when the bridge has nothing to do."""
        command = [
            sys.executable,
            "-m",
            "sandbox",
            "--folder",
            str(self.company.folder),
            "hr",
            act,
            person,
            "--on",
            self.day(on),
            *(part for name, value in values.items() for part in ("--set", f"{name}={value}")),
        ]
        told = subprocess.run(
            [*command, "--webhook", f"{self.url}/hr/bamboohr", "--key-env", "HR_KEY"],
            cwd=ROOT,
            env={**os.environ, "HR_KEY": KEY},
            capture_output=True,
            text=True,
        )
        assert told.returncode == 0, told.stdout + told.stderr
        if person:
            self.looks(person)

    def looks(self, person: str, source: str = "bamboohr") -> None:
        sent = subprocess.run(
            [str(BIN / "lifecycle-bridge"), "-c", str(self.folder / "bridge.yml"), "send", source, "changed", person],
            capture_output=True,
            text=True,
        )
        assert sent.returncode == 0, sent.stdout + sent.stderr
        soon = timedelta(seconds=10)  # what is tried again is not over
        until(
            lambda: not self.rows(BUSY, (datetime.now(timezone.utc) + soon).isoformat()),
            "everything is decided and done",
            lambda: (self.folder / "bridge.log").read_text(),
        )

    def day(self, days: int) -> str:
        return (datetime.now(timezone.utc).date() + timedelta(days=days)).isoformat()

    def begun(self, zone: str) -> int:
        """Today, or yesterday as long as it is too early for the access of somebody who begins today."""
        there = datetime.now(ZoneInfo(zone))
        return (there.date() - datetime.now(timezone.utc).date()).days - (there.hour < 8)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.folder / "bridge.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def cases(self, person: str, *, everything: bool = False) -> list[tuple[str, str]]:
        """(what, how it stands) of a person's cases, oldest first: those that wait for their day, and those that ran, but not those that were dropped."""
        found = self.rows("SELECT * FROM cases WHERE person = ? ORDER BY created_at, kind, stage", person)
        return [
            (
                f"{row['kind']} {row['stage']}".strip(),
                "ran"
                if row["attempt"] and row["state"] in ("done", "todo", "stuck") and row["outcome"] != "failed"
                else row["state"],
            )
            for row in found
            if row["state"] != "cancelled" or everything
        ]

    def due(self, person: str, kind: str, stage: str = "") -> str:
        """The day of a case that waits, where the person lives."""
        [row] = self.rows(
            "SELECT * FROM cases WHERE person = ? AND kind = ? AND stage = ? AND state = 'upcoming'",
            person,
            kind,
            stage,
        )
        return f"{datetime.fromisoformat(row['due_at'].replace('Z', '+00:00')).astimezone(ZoneInfo(row['zone'])):%Y-%m-%d %H:%M}"

    def said(self, key: str) -> dict[str, str]:
        found: dict[str, str] = control(
            self.company.folder, "GET", next(iter(self.company.emulators.values())), f"person/{key}"
        )
        return found

    def wrote(self) -> list[str]:
        """What the systems were asked to change since this was asked last."""
        new, self.sent = self.company.new_writes(self.sent), self.company.writes()
        return new


@pytest.fixture
def hr(company: SandboxCompany, tmp_path: Path) -> Iterator[Hr]:
    """Everybody was seen once: whoever works there has what they have."""
    first = company.play("intake", "-e", '{"everybody": ["bamboohr", "contractors"]}', "-e", "cut=false")
    assert first.code == 0, first.output
    with bridge(
        company, tmp_path, {"kind": "runner", "variables": ENVIRONMENT}, contractors={"scheme": "cloudevents"}
    ) as url:
        yield Hr(company, tmp_path, url)


def test_a_joiner(hr: Hr) -> None:
    """Pre-hire, start moved, another team before the day, hire rescinded."""
    hr.does("start", ADA, 60)
    assert hr.cases(ADA) == [("onboard", "upcoming"), ("onboard prepare", "upcoming")] and hr.wrote() == []
    assert (hr.due(ADA, "onboard"), hr.due(ADA, "onboard", "prepare")) == (f"{hr.day(60)} 08:00", f"{hr.day(55)} 00:00")
    hr.does("start", ADA, 5)
    assert hr.cases(ADA) == [("onboard", "upcoming"), ("onboard prepare", "ran")], "the same case, another day"
    assert (
        hr.said("ada")["entra"].startswith("sign-in blocked; Engineering; groups Engineering")
        and hr.said("ada")["slack"] == "no account"
    ), "made ready, and closed"
    hr.does("start", ADA, 3)
    assert hr.due(ADA, "onboard") == f"{hr.day(3)} 08:00", "nobody waits two days for access"
    hr.wrote()
    hr.does("change", ADA, department="Sales", title="Account Executive")
    assert hr.wrote() == [] and hr.due(ADA, "transfer") == f"{hr.day(3)} 08:00", (
        "a move opens accounts: not before the day"
    )
    hr.does("start", ADA, 90)
    assert hr.wrote() == [] and hr.due(ADA, "onboard") == hr.due(ADA, "transfer") == f"{hr.day(90)} 08:00"
    hr.does("terminate", ADA, 90)
    assert [case for case in hr.cases(ADA) if case[1] == "upcoming"] == [] and hr.cases(ADA)[-1] == (
        "withdraw",
        "ran",
    ), hr.cases(ADA, everything=True)
    ada = hr.said("ada")
    assert ada["entra"] == "sign-in blocked; Engineering; no sign-in methods" and ada["exchange"] == "no mailbox", (
        "undone is what the hire had made, and no leaver was made of her"
    )
    assert [row for row in hr.rows("SELECT kind FROM cases WHERE person = ?", ADA) if row["kind"] == "offboard"] == []
    hr.wrote()
    hr.looks(ADA)
    assert hr.wrote() == []


def test_a_joiner_of_another_team_on_the_first_day(hr: Hr) -> None:
    hr.does("start", ADA, 3)
    hr.does("change", ADA, department="Sales", title="Account Executive")
    hr.does("start", ADA, hr.begun("Europe/Madrid"))
    assert sorted(hr.cases(ADA)) == [("onboard", "ran"), ("onboard prepare", "ran"), ("transfer", "ran")]
    ada = hr.said("ada")
    assert ada["entra"].startswith("sign-in enabled; Sales; groups") and "1 sign-in methods" in ada["entra"], (
        "with a first credential"
    )
    assert (ada["ldap"], ada["crm"], ada["github"]) == (
        "enabled; groups sales",
        "active; groups Sales",
        "not in the organisation",
    ), "nothing was opened that the old team had"


def test_a_leaver(hr: Hr) -> None:
    """Termination to come, moved, cancelled; back-dated; withdrawn after it was done, while a laptop is awaited; again; hired again; against HR."""
    before = hr.said("tom")
    hr.does("terminate", TOM, 20)
    assert hr.due(TOM, "offboard") == f"{hr.day(21)} 00:00"
    hr.does("withdraw", TOM)
    hr.does("terminate", TOM, 40)
    assert hr.due(TOM, "offboard") == f"{hr.day(41)} 00:00"
    hr.does("withdraw", TOM)
    assert hr.cases(TOM) == [] and hr.wrote() == []

    hr.does("terminate", TOM, -3)
    [case] = hr.rows("SELECT * FROM cases WHERE person = ? AND state != 'cancelled'", TOM)
    assert (case["kind"], case["state"], case["urgent"]) == ("offboard", "todo", 1) and case["late_s"] > 86400, (
        "at once, and how late is kept"
    )
    assert {step["system"] for step in json.loads(case["open_steps"])} == {"intune", "badge"}, (
        "somebody has to bring the laptop"
    )
    assert hr.said("tom")["entra"] == "sign-in blocked; Sales; no sign-in methods"

    hr.does("withdraw", TOM)
    assert hr.cases(TOM) == [("reinstate", "ran")]
    again = hr.said("tom")
    assert (
        again["slack"].startswith("active")
        and again["entra"].startswith("sign-in enabled")
        and again["ldap"] == before["ldap"]
    ), "back, though the case was still open"
    hr.wrote()
    hr.looks(TOM)
    assert hr.wrote() == [] and len(hr.cases(TOM)) == 1

    hr.does("terminate", TOM, -1)
    assert hr.cases(TOM)[-1] == ("offboard", "ran")
    hr.wrote()
    hr.does("rehire", TOM, 3)
    assert hr.due(TOM, "onboard") == f"{hr.day(3)} 08:00" and hr.wrote() == [], (
        "nothing of before is taken over without a word"
    )
    [asked] = hr.rows("SELECT * FROM cases WHERE person = ? AND stage = 'prepare'", TOM)
    assert (
        asked["state"] == "stuck"
        and "Take over nothing without a word" in asked["detail"]
        and hr.said("tom")["entra"].startswith("sign-in blocked")
    )

    hr.company.play("offboard", "-e", f"user={LENA}", "-e", "despite_hr='Grace Okoye: dismissed at noon'")
    hr.wrote()
    hr.looks(LENA)
    [alert] = hr.rows("SELECT * FROM alerts")
    assert "against what HR said" in alert["detail"] and hr.cases(LENA) == [] and hr.wrote() == [], (
        "HR is slow: nobody is let in again for it"
    )


def test_who_is_away(hr: Hr) -> None:
    """Leave, moved to another team meanwhile, back; leave in a period of notice; suspended by hand."""
    hr.does("leave", TOM)
    assert (
        hr.cases(TOM) == [("suspend", "ran")]
        and hr.said("tom")["entra"].startswith("sign-in blocked")
        and "groups Sales" in hr.said("tom")["ldap"] + hr.said("tom")["entra"]
    )
    hr.wrote()
    hr.does("change", TOM, department="Sales", title="Account Executive")
    assert hr.wrote() == [] and len(hr.cases(TOM)) == 1
    hr.does("return", TOM)
    assert hr.cases(TOM) == [("suspend", "ran"), ("resume", "ran"), ("transfer", "ran")]
    assert hr.said("tom")["entra"].startswith("sign-in enabled; Sales; groups Sales")
    hr.does("terminate", TOM, 20)
    hr.does("leave", TOM)
    assert hr.cases(TOM)[-2:] == [("offboard", "upcoming"), ("suspend", "ran")] and hr.said("tom")["entra"].startswith(
        "sign-in blocked"
    )
    hr.wrote()

    assert hr.company.play("suspend", "-e", f"user={MARK}").changed
    hr.wrote()
    hr.looks(MARK)
    assert hr.wrote() == [] and hr.cases(MARK) == [], "an inquiry: HR never sent him away"


def test_a_mover(hr: Hr) -> None:
    """Team, manager, name; the record deleted."""
    hr.does("change", LENA, department="Engineering", title="Software Engineer")
    assert hr.cases(LENA) == [("transfer", "ran")]
    lena = hr.said("lena")
    assert lena["ldap"] == "enabled; groups engineering, vpn" and lena["crm"] == "deactivated"
    hr.wrote()
    hr.does("change", LENA, manager=MARK)
    assert hr.wrote() == [], "nobody's access depends on who they report to"
    hr.does("change", MARK, last_name="Neu")
    assert hr.cases(MARK) == [("rename", "ran")]
    hr.wrote()
    hr.does("delete", LENA)
    assert (
        "absence is not a termination" in hr.rows("SELECT * FROM alerts")[0]["detail"]
        and hr.wrote() == []
        and hr.said("lena")["ldap"] == lena["ldap"]
    )


def test_two_employments(hr: Hr) -> None:
    """A contractor becomes an employee: a second record, and the end of the first."""
    hr.does(
        "hire",
        "",
        -30,
        email="nia@corp.example",
        first_name="Nia",
        last_name="Okafor",
        title="Security Engineer",
        department="IT",
        location="London",
        country="GB",
        employee_id="C2001",
        manager="101",
        time_zone="Europe/London",
    )
    hr.looks("121")
    assert hr.cases("121") == [("transfer", "ran")], "moved, not hired"
    assert "user groups it" in hr.said("nia")["slack"] and hr.said("nia")["tailscale"].startswith("active")
    hr.wrote()
    contractors = hr.company.folder / "contractors" / "contractors.csv"
    rows = contractors.read_text(encoding="utf-8")
    contractors.write_text(
        rows.replace(";;working;", f";{datetime.now(timezone.utc) - timedelta(days=2):%d.%m.%Y};left;"),
        encoding="utf-8",
    )
    try:
        hr.looks("C2001", "contractors")
        for _night in range(2):
            assert hr.cases("C2001") == [] and [
                row["attempt"] for row in hr.rows("SELECT * FROM cases WHERE person = '121'")
            ] == [2], "judged anew, once; and nobody left"
            hr.looks("C2001", "contractors")
        assert hr.said("nia")["slack"].startswith("active") and hr.said("nia")["tailscale"].startswith("active")
        hr.does("terminate", "121", -1)
        assert hr.cases("121")[-1] == ("offboard", "ran"), "all have ended"
        nia = hr.said("nia")
        assert (nia["slack"], nia["github"]) == ("deactivated; no session", "not in the organisation") and not nia[
            "tailscale"
        ].startswith("active"), nia
    finally:
        contractors.write_text(rows, encoding="utf-8")
