# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What waits for an approval, from the refusal to the deed: a privileged person who is back, and what a reconcile would settle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.integration.company import ROOT, SandboxCompany
from tests.integration.test_plan_is_the_run import with_policy
from tests.integration.test_runs import WIPE, asked

ROLE = "Application Administrator"
PRIVILEGED = f"""
approvals: [{{needs: privileged, by: [grace@corp.example]}}]
privileged: {{entra: {{roles: [{ROLE}]}}}}
"""
MANY = "approvals: [{needs: people, over: 1, by: [grace@corp.example]}]\n"


def plan_of(folder: Path) -> dict[str, Any]:
    """The one plan that is there, as the schema wants it."""
    [path] = (folder / "plans").glob("*.json")
    made: dict[str, Any] = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads((ROOT / "meta" / "schemas" / "plan.schema.json").read_text())).validate(
        made
    )
    return made


@pytest.mark.soak
def test_a_privileged_person_is_back_only_with_an_approval(company: SandboxCompany, tmp_path: Path) -> None:
    systems = with_policy(company, tmp_path, PRIVILEGED)
    back = ("-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")
    company.play("offboard", "-e", "user=jane@corp.example", *WIPE)
    without = company.play("reinstate", *back, systems_file=systems)
    assert "needs an approval of grace@corp.example" in without.output
    jane = asked(company, "jane")
    assert ROLE not in jane["entra"] and "groups Automation, Engineering" in jane["entra"], (
        "what is not privileged is hers again"
    )

    company.play("reinstate", *back, "--check", systems_file=systems)
    plan = plan_of(tmp_path)
    assert [need["needs"] for need in plan["needs"]] == ["privileged"] and ROLE in plan["needs"][0]["why"]
    sent, digest = company.writes(), plan["digest"][:12]
    waiting = company.play("reinstate", *back, "-e", f"plan={digest}", systems_file=systems)
    assert (
        waiting.code != 0
        and "an approval of grace@corp.example is missing" in waiting.output
        and company.new_writes(sent) == []
    )
    assert company.play("approve", "-e", f"plan={digest}", "-e", "by=jane@corp.example", systems_file=systems).code != 0
    assert (
        company.play("approve", "-e", f"plan={digest}", "-e", "by=grace@corp.example", systems_file=systems).code == 0
    )
    done = company.play("reinstate", *back, "-e", f"plan={digest}", systems_file=systems)
    assert ROLE in asked(company, "jane")["entra"], done.output


@pytest.mark.soak
def test_a_reconcile_settles_what_was_planned_and_approved(company: SandboxCompany, tmp_path: Path) -> None:
    """Jane and Otto have left, and are still there; so has somebody else by the time the plan is carried out."""
    systems = with_policy(company, tmp_path, MANY)
    fix = ("-e", "fix=leaver_active", "-e", "only=wiki,ldap")
    before = {name: asked(company, name) for name in ("mark", "lena", "grace", "tom")}
    without = company.play("reconcile", *fix, systems_file=systems)
    assert without.code != 0 and "2 people: needs an approval of grace@corp.example" in without.output, without.output
    assert company.writes() == [] and asked(company, "jane")["wiki"].startswith("active")

    rehearsed = company.play("reconcile", *fix, "--check", systems_file=systems)
    plan = plan_of(tmp_path)
    assert {person["email"] for person in plan["people"]} == {"jane@corp.example", "otto@corp.example"}, (
        rehearsed.output
    )
    assert (
        plan["kind"] == "reconcile"
        and [need["needs"] for need in plan["needs"]] == ["people"]
        and company.writes() == []
    )
    digest = plan["digest"][:12]
    waiting = company.play("reconcile", *fix, "-e", f"plan={digest}", systems_file=systems)
    assert (
        waiting.code != 0
        and "an approval of grace@corp.example is missing" in waiting.output
        and company.writes() == []
    )
    assert (
        company.play("approve", "-e", f"plan={digest}", "-e", "by=grace@corp.example", systems_file=systems).code == 0
    )
    done = company.play("reconcile", *fix, "-e", f"plan={digest}", systems_file=systems)
    jane, otto = asked(company, "jane"), asked(company, "otto")
    assert (
        jane["wiki"].startswith("deactivated")
        and jane["ldap"].startswith("locked")
        and otto["ldap"].startswith("locked")
    ), done.output
    assert jane["entra"].startswith("sign-in enabled"), "only what was read, and planned"
    assert {name: asked(company, name) for name in before} == before
    sent = company.writes()
    again = company.play("reconcile", *fix, systems_file=systems)
    assert company.new_writes(sent) == [], again.output
