# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reconcile against the sandbox company: what it says of a system that cannot be read, and what it settles."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from scripts.bench_reconcile import measure
from tests.integration.company import SandboxCompany
from tests.integration.test_runs import asked


def report(company: SandboxCompany) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sorted((company.folder / "records").glob("reconcile-*.json"))[-1].read_text())
    return found


@pytest.mark.rotating(of=6)
def test_the_account_of_somebody_whose_record_cannot_be_read_is_not_suspended_as_an_orphan(
    company: SandboxCompany,
) -> None:
    """Nia has a seat in Slack; her row in the contractors' list gets a day that there is not."""
    source = yaml.safe_load(company.systems_file.read_text(encoding="utf-8"))["systems"]["contractors"]
    path = company.systems_file.parent / source["options"]["path"]
    text = path.read_text("utf-8-sig")
    [row] = [line for line in text.splitlines() if "nia@contractors.example" in line]
    bad = re.sub(r"\d{2}\.\d{2}\.\d{4}|\d{4}-\d{2}-\d{2}", "31.02.2026", row)
    assert bad != row
    other = row.replace("nia@", "uma@").replace("C2001", "C2002")  # a list without anybody would be refused as a whole
    path.write_text(text.replace(row, f"{bad}\n{other}"))
    ran = company.play("reconcile", "-e", "fix=orphan")
    assert "1 record of HR NOT READ" in ran.output, ran.output
    orphans = [one for one in report(company)["findings"] if one["kind"] == "orphan"]
    assert orphans and not any(one["fix"] for one in orphans)
    assert company.writes() == []


@pytest.mark.rotating(of=6)
def test_a_closed_leaver_who_is_back_is_cut_off_but_nothing_is_done_where_not_everything_was_read(
    company: SandboxCompany,
) -> None:
    ledger = Ledger(str(company.folder / "ledger.db"))
    case = ledger.open_case(
        "offboard",
        {"email": "jane@corp.example", "hr_id": "107", "employee_id": "E1007", "status": "terminated"},
        "r",
        {"key": "2026-03-31"},
    )
    ledger.close_case(case.id, run="r", complete=True, summary={})
    ledger.give_back("r", case.id)
    before = {name: asked(company, name) for name in ("mark", "lena", "grace", "tom", "otto")}
    company.fault("wiki", {"fault": "status", "status": 503, "path": "/Users", "times": -1})
    rehearsed = company.play("reconcile", "--check", "-e", "fix=leaver_returned")
    assert company.writes() == [] and "wiki" in rehearsed.output
    ran = company.play("reconcile", "-e", "fix=leaver_returned")
    assert ran.code != 0 and "NOT READ: wiki" in ran.output
    made = report(company)
    assert made["summary"]["not_read"] == ["wiki"] and not made["complete"] and made["closed_leavers"]["known"] == 1
    back = {f["system"] for f in made["findings"] if f["kind"] == "leaver_returned"}
    assert {"entra", "github", "slack", "ldap", "tailscale", "crm"} <= back and "wiki" not in back
    now = asked(company, "jane")
    assert (
        now["entra"].startswith("sign-in blocked")
        and now["ldap"].startswith("locked")
        and now["slack"].startswith("deactivated; no session")
    )
    assert now["wiki"].startswith("active"), "nobody read it, so nobody touches it"
    assert {name: asked(company, name) for name in before} == before
    assert not [line for line in company.writes() if line.startswith("wiki ")]


@pytest.mark.soak
@pytest.mark.parametrize("people", [200, 10_000])
def test_a_grown_sandbox_shows_what_was_planted_and_nothing_else(tmp_path: Any, people: int) -> None:
    took = measure(people, tmp_path)
    assert (
        took["missed"] == []
        and took["invented"] == []
        and took["not_read"] == []
        and took["planted"] >= people // 200 * 15
    )
    assert took["own_seconds"] < 120 and took["peak_mb"] < 500, took
