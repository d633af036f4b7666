# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A plan is made, approved, and executed; and what is not in it, not approved, or protected is not done. The systems are asked."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

from tests.integration.company import ROOT, Ran, SandboxCompany
from tests.integration.test_runs import GONE, WIPE, asked

POLICY = """
protected: {people: [E1001], accounts: {slack: [lena@corp.example]}, members: [{system: entra, kind: groups, name: Sales}]}
approvals: [{needs: wipe, by: [grace@corp.example]}]
"""


def with_policy(company: SandboxCompany, tmp_path: Path, text: str = POLICY) -> Path:
    (tmp_path / "policy.yml").write_text(text)
    data = yaml.safe_load(company.systems_file.read_text())
    path = tmp_path / "company.systems.yml"
    path.write_text(
        yaml.safe_dump(
            {**data, "policy": str(tmp_path / "policy.yml"), "plans": str(tmp_path / "plans")}, sort_keys=False
        )
    )
    return path


def offboard(company: SandboxCompany, systems: Path, *args: str) -> Ran:
    return company.play("offboard", *args, *WIPE[2:], systems_file=systems)


@pytest.mark.rotating(of=6)
def test_from_plan_to_run(company: SandboxCompany, tmp_path: Path) -> None:
    systems = with_policy(company, tmp_path)
    ran = company.play("offboard", "-e", "user=jane@corp.example", *WIPE, "--check", systems_file=systems)
    assert ran.code == 0, ran.output
    [path] = (tmp_path / "plans").glob("*.json")
    plan = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads((ROOT / "meta" / "schemas" / "plan.schema.json").read_text())).validate(
        plan
    )
    assert [need["why"] for need in plan["needs"]] == ["wipe: device C02JANE01 on intune"]
    phases = [step["phase"] for step in plan["steps"]]
    assert list(dict.fromkeys(phases)) == ["cutoff", "preserve", "secure_devices", "reclaim", "closeout"]
    assert {row["what"] for step in plan["steps"] for row in step["changes"] if row.get("irreversible")} == {
        "device C02JANE01"
    }
    assert company.writes() == [] and company.entries() == 0

    digest = plan["digest"][:12]
    refused = offboard(company, systems, "-e", f"plan={digest}")
    assert (
        refused.code != 0
        and "an approval of grace@corp.example is missing" in refused.output
        and company.writes() == []
    )
    himself = company.play("approve", "-e", f"plan={digest}", "-e", "by=jane@corp.example", systems_file=systems)
    assert himself.code != 0 and "nobody approves a plan about themselves" in himself.output
    assert (
        company.play("approve", "-e", f"plan={digest}", "-e", "by=grace@corp.example", systems_file=systems).code == 0
    )

    # Between the approval and the run, somebody gives her a group.
    entra = company.connector("entra")
    entra.grant(entra.find_account(Person.of({"email": "jane@corp.example"})), entra.find_entitlement("groups", "IT"))
    ran = offboard(company, systems, "-e", f"plan={digest}")
    assert "groups: IT is held, and the plan has nothing of it" in ran.output, ran.output
    now = asked(company, "jane")
    assert now["entra"].startswith("sign-in blocked") and "IT" in now["entra"], "only the step that drifted stopped"
    assert {system: now[system] for system in GONE if system != "entra"} == {
        system: GONE[system] for system in GONE if system != "entra"
    }
    sent = company.writes()
    again = offboard(company, systems, "-e", f"plan={digest}")
    assert again.changed == 0 and company.new_writes(sent) == [], again.output


@pytest.mark.rotating(of=6)
def test_what_is_not_approved_waits_and_what_is_protected_is_not_touched(
    company: SandboxCompany, tmp_path: Path
) -> None:
    systems = with_policy(company, tmp_path)
    for user, says in (
        ("grace@corp.example", "E1001 is protected"),
        ("lena@corp.example", "they are in Sales of entra, which is protected"),
    ):
        ran = company.play("cutoff", "-e", f"user={user}", "-e", '{"despite_hr": "a test"}', systems_file=systems)
        assert ran.code != 0 and says in ran.output, ran.output
    company.fault("microsoft", {"fault": "status", "status": 403, "times": -1, "path": "/groups"})
    ran = company.play("cutoff", "-e", "user=jane@corp.example", systems_file=systems)
    assert ran.code != 0 and "entra" in ran.output, "who is protected cannot be read, so nothing runs"
    company.fault("microsoft")
    assert company.writes() == [] and company.entries() == 0
    ran = company.play("offboard", "-e", "user=jane@corp.example", *WIPE, systems_file=systems)
    now = asked(company, "jane")
    assert "wiped" not in now["intune"] and now["entra"].startswith("sign-in blocked")
    assert "needs an approval of grace@corp.example" in ran.output
