# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Several people in one run."""

from __future__ import annotations

import pytest

from tests.integration.company import SandboxCompany
from tests.integration.test_runs import GONE, WIPE, asked, record


@pytest.mark.rotating(of=6)
def test_two_by_id_and_address_in_one_run(company: SandboxCompany) -> None:
    ran = company.play("cutoff", "-e", '{"user": ["E1007", "lena@corp.example"], "despite_hr": "dismissed today"}')
    assert ran.code == 0, ran.output
    for person in ("jane", "lena"):
        now = asked(company, person)
        assert (
            now["entra"].startswith("sign-in blocked")
            and now["ldap"].startswith("locked")
            and now["wiki"].startswith("deactivated")
        )
        assert now["slack"].startswith("deactivated; no session")
    assert asked(company, "mark")["entra"].startswith("sign-in enabled")
    sent = company.writes()
    again = company.play("cutoff", "-e", '{"user": ["jane@corp.example", "E1004"], "despite_hr": "dismissed today"}')
    assert (again.code, again.changed) == (0, 0), again.output
    assert company.new_writes(sent) == []


@pytest.mark.soak
def test_two_leave_in_one_run(company: SandboxCompany) -> None:
    """An employee, and a contractor who is only on some systems."""
    before = asked(company, "lena")
    ran = company.play(
        "offboard",
        "-e",
        '{"user": ["E1007", "nia@contractors.example"], "despite_hr": "her contract ends today"}',
        *WIPE,
    )
    assert ran.code != 0, "somebody has to take the badges back"
    jane, nia = asked(company, "jane"), asked(company, "nia")
    assert {system: jane[system] for system in GONE} == GONE
    assert (
        nia["github"] == "not in the organisation"
        and nia["slack"].startswith("deactivated; no session")
        and nia["tailscale"].startswith("suspended")
    )
    assert nia["aws"] == nia["entra"] == nia["wiki"] == "no account"
    assert asked(company, "lena") == before
    files = sorted((company.folder / "records").glob("offboard-*.json"))
    assert len(files) == 2, "a record for each"
    assert all(item["outcome"] == "needs_human" for item in record(company, "offboard")["open_items"])
    sent = company.writes()
    again = company.play(
        "offboard",
        "-e",
        '{"user": ["E1007", "nia@contractors.example"], "despite_hr": "her contract ends today"}',
        *WIPE,
    )
    assert again.changed == 0 and company.new_writes(sent) == [], again.output


def test_one_unknown_among_them_stops_everything_before_the_first_write(company: SandboxCompany) -> None:
    ran = company.play("offboard", "-e", '{"user": ["jane@corp.example", "zoe@corp.example"]}')
    assert ran.code != 0 and "zoe@corp.example" in ran.output
    assert company.writes() == [] and company.entries() == 0
