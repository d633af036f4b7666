# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Access by request from the plan to its end, and a changed profile for whoever has it. From a shell; the systems are asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.company import SandboxCompany
from tests.integration.test_movers import TOM, ruled
from tests.integration.test_runs import asked, record

RULES = {"approvals": [{"needs": "access", "by": ["grace@corp.example"]}]}
WANTS = (
    *TOM,
    "-e",
    '{"access": ["entra:groups:Release Managers"]}',
    "-e",
    "ends=2099-01-01",
    "-e",
    "why='stands in for Ben'",
)


def plan_of(company: SandboxCompany, kind: str) -> dict[str, Any]:
    """The newest plan of this kind."""
    found = sorted(company.folder.rglob(f"plan-{kind}-*.json"), key=lambda path: path.stat().st_mtime)
    told: dict[str, Any] = json.loads(found[-1].read_text())
    return told


@pytest.mark.rotating(of=6)
def test_a_request_is_planned_approved_given_and_ended(company: SandboxCompany, tmp_path: Path) -> None:
    systems = ruled(company, tmp_path, {**RULES, "access": {"longest_days": 40000}})
    assert "Release Managers" not in asked(company, "tom")["entra"]
    sent = company.writes()
    rehearsed = company.play("access", *WANTS, "--check", systems_file=systems)
    assert rehearsed.code == 0 and company.new_writes(sent) == [], rehearsed.output
    plan = plan_of(company, "access")
    digest = plan["digest"][:12]
    assert plan["people"][0]["asked"]["until"].startswith("2099-01-01") and plan["needs"][0]["needs"] == "access"
    early = company.play("access", *TOM, "-e", f"plan={digest}", systems_file=systems)
    assert early.code != 0 and "an approval of grace@corp.example is missing" in early.output, early.output
    assert (
        company.play("approve", "-e", f"plan={digest}", "-e", "by=grace@corp.example", systems_file=systems).code == 0
    )
    given = company.play("access", "-e", f"plan={digest}", systems_file=systems)
    assert given.code == 0, given.output
    assert "Release Managers" in asked(company, "tom")["entra"]
    assert len(company.new_writes(sent)) == 1, company.new_writes(sent)
    assert [(row["id"], row["how"]) for row in record(company, "access")["followups"]] == [("end_access", "waits")]
    told = ("-e", "by='Grace Okoye'", "-e", "why='Ben is back'", "-e", "id=end_access", "-e", "to=2020-01-01")
    assert company.play("followups", "-e", "state=move", *TOM, *told, systems_file=systems).code == 0
    ended = company.play("followups", systems_file=systems)
    assert ended.code == 0 and "Release Managers" not in asked(company, "tom")["entra"], ended.output
    assert [(row["id"], row["how"]) for row in record(company, "access")["followups"]] == [("end_access", "done")]


@pytest.mark.rotating(of=6)
def test_a_changed_profile_reaches_whoever_has_it_by_a_plan(company: SandboxCompany, tmp_path: Path) -> None:
    systems = ruled(company, tmp_path, {})
    path = tmp_path / "profiles" / "sales.yml"
    changed = yaml.safe_load(path.read_text())
    changed["systems"]["entra"]["groups"].append("Release Managers")
    path.write_text(yaml.safe_dump(changed))
    sent = company.writes()
    refused = company.play("rollout", "-e", "profile=sales", systems_file=systems)
    assert refused.code != 0 and "rolled out by a plan" in refused.output and company.new_writes(sent) == []
    rehearsed = company.play("rollout", "-e", "profile=sales", "--check", systems_file=systems)
    assert rehearsed.code == 0 and company.new_writes(sent) == [], rehearsed.output
    plan = plan_of(company, "rollout")
    people = [one["email"].partition("@")[0] for one in plan["people"]]
    assert people and "tom" not in people, "HR has moved Tom out of sales"
    rolled = company.play("rollout", "-e", f"plan={plan['digest'][:12]}", "-e", "profile=sales", systems_file=systems)
    assert rolled.code == 0, rolled.output
    for person in people:
        assert "Release Managers" in asked(company, person)["entra"], person
    assert "Release Managers" not in asked(company, "tom")["entra"]
    again = company.play("rollout", "-e", "profile=sales", "--check", systems_file=systems)
    assert again.code != 0 and "nobody lacks anything of it" in again.output, again.output
