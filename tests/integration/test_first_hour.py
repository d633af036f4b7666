# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The first hour, as a newcomer types it: init, doctor, locate and steps against the sandbox company."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.integration.company import SandboxCompany


def test_doctor_names_what_is_wrong_within_ten_seconds_and_writes_to_no_system(
    company: SandboxCompany, tmp_path: Path
) -> None:
    company.fault("tailscale", {"fault": "status", "status": 403, "path": "/keys", "times": -1})
    company.fault("wiki", {"fault": "status", "status": 401, "times": -1})
    start = time.monotonic()
    ran = company.play("doctor", "-e", f"json={tmp_path / 'doctor.json'}")
    took = time.monotonic() - start
    said = json.loads((tmp_path / "doctor.json").read_text())
    found = {(problem["system"], problem["kind"]) for problem in said["problems"]}
    assert ran.code == 2 and not said["ok"]
    assert found == {("tailscale", "permission"), ("wiki", "credential"), ("", "profiles")}, (
        "two people share an address, so neither has a profile"
    )
    assert company.writes() == []
    assert said["systems"]["ldap"]["coverage"]["found"] and said["systems"]["aws"]["health"]["reached"]
    assert took < 60, "ten seconds on a machine that does nothing else"


def test_locate_shows_a_leaver_everywhere_and_a_system_that_is_silent_is_not_nowhere(company: SandboxCompany) -> None:
    ran = company.play("locate", "-e", "user=jane@corp.example")
    assert ran.code == 0 and company.writes() == []
    for words in ("entra: jane@corp.example active", "auth key kJaneAuth1", "intune: device C02JANE01"):
        assert words in ran.output, ran.output
    company.fault("github", {"fault": "status", "status": 401, "times": -1})
    ran = company.play("locate", "-e", "user=jane@corp.example")
    assert ran.code == 2 and "? github: not known" in ran.output


def test_locate_finds_each_of_several_people_also_whom_hr_does_not_know_and_says_when_hr_is_silent(
    company: SandboxCompany,
) -> None:
    ran = company.play("locate", "-e", '{"user": ["mark@corp.example", "E1007"]}')
    assert ran.code == 0 and "mark@corp.example is on" in ran.output and "jane@corp.example is on" in ran.output
    company.fault("bamboohr", {"fault": "status", "status": 401, "times": -1})
    ran = company.play("locate", "-e", "user=jane@corp.example")
    assert ran.code == 2 and "? bamboohr: not known" in ran.output
    assert "github" in ran.output.partition("jane@corp.example is on")[2], "her address is still looked for"
    ran = company.play("locate", "-e", "user=jane@corp.example", "-e", "ask_systems=false")
    assert "no system was asked" in ran.output or "? bamboohr" in ran.output
    assert "jane@corp.example is on" not in ran.output and company.writes() == []


def test_people_hands_over_names_and_managers_by_hr_system(company: SandboxCompany) -> None:
    asked = {"people": {"bamboohr": ["107", "no-such-id"]}}
    ran = company.play("people", "-e", json.dumps(asked), ANSIBLE_SHOW_CUSTOM_STATS="1")
    assert ran.code == 0 and company.writes() == []
    [line] = [line for line in ran.output.splitlines() if '"contacts"' in line]
    handed = json.loads(line[line.index("{") :])["contacts"]["bamboohr"]
    assert [*handed] == ["107"] and handed["107"]["address"] == "jane@corp.example"


@pytest.mark.rotating(of=6)
def test_init_proposes_profiles_from_what_departments_share_and_steps_asks_nobody(
    company: SandboxCompany, tmp_path: Path
) -> None:
    ran = company.play("init", "-e", f"path={tmp_path}", "-e", "share=60")
    assert ran.code == 0 and company.writes() == [], ran.output
    assert "department: Engineering" in (tmp_path / "profiles" / "engineering.yml").read_text()
    asked = {name: len(rows) for name, rows in company.journals().items()}
    ran = company.play("steps", "-e", "kind=offboard")
    assert ran.code == 0 and "End every way in [cutoff]: entra" in ran.output
    assert {name: len(rows) for name, rows in company.journals().items()} == asked
