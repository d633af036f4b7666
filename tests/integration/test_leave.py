# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Away and back, and deleted later: from a shell, and the systems themselves are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.company import SandboxCompany
from tests.integration.test_runs import asked, record

BY_HAND = ("-e", "by='Grace Okoye'", "-e", "why='the test cannot wait'")


def held(company: SandboxCompany, key: str) -> dict[str, Any]:
    """What nobody may take for a leave, as the cloud keeps it."""
    cloud = company.state("microsoft")
    user = next(user for user in cloud["entra"]["users"].values() if user["mail"] == f"{key}@corp.example")
    return {
        "licences": user.get("assignedLicenses"),
        "groups": sorted(g["displayName"] for g in cloud["entra"]["groups"].values() if user["id"] in g["members"]),
        "type": cloud["exchange"][user["id"]].get("type"),
        "drives": [d for d in cloud["onedrive"]["drives"].values() if d["owner"] == f"{key}@corp.example"],
        "devices": [d for d in cloud["intune"]["devices"].values() if d["userPrincipalName"] == f"{key}@corp.example"],
    }


def enabled(company: SandboxCompany, key: str) -> bool:
    return bool(
        next(u for u in company.state("microsoft")["entra"]["users"].values() if u["mail"] == f"{key}@corp.example")[
            "accountEnabled"
        ]
    )


@pytest.mark.rotating(of=6)
def test_away_everywhere_with_nothing_taken_and_back_on_the_day(company: SandboxCompany) -> None:
    company.reset()
    before, can = held(company, "mark"), asked(company, "mark")
    ran = company.play("suspend", "-e", "user=mark@corp.example", "-e", "back_on=2099-12-15")
    assert "reserved name" not in ran.output
    assert ran.code == 0, ran.output
    shut = asked(company, "mark")
    assert not enabled(company, "mark") and held(company, "mark") == before
    assert {name for name in can if can[name] == shut[name]} <= {
        "onedrive",
        "intune",
        "imap",
        "badge",
        "bamboohr",
        "crm",
        "contractors",
    }, shut
    assert [(row["what"], row["how"]) for row in record(company, "suspend")["followups"]] == [
        ("let mark@corp.example in again", "waits")
    ]

    moved = company.play(
        "followups",
        "-e",
        "state=move",
        "-e",
        "id=resume",
        "-e",
        "to=2020-01-01",
        "-e",
        "user=mark@corp.example",
        *BY_HAND,
    )
    assert moved.code == 0, moved.output
    ran = company.play("followups")
    assert ran.code != 0 and "they have yet to accept the invitation" in ran.output, "what only he can do keeps it due"
    back = asked(company, "mark")
    assert enabled(company, "mark") and held(company, "mark") == before
    assert {name: back[name] for name in ("wiki", "tailscale")} == {name: can[name] for name in ("wiki", "tailscale")}
    assert {item["outcome"] for item in record(company, "resume")["open_items"]} <= {"needs_human", "in_progress"}


@pytest.mark.soak
@pytest.mark.rotating(of=6)
def test_deleted_later_and_counted_down(company: SandboxCompany, tmp_path: Path) -> None:
    company.reset()
    (tmp_path / "policy.yml").write_text("followups: {delete_account: 30, delete_on: [entra]}\n")
    systems = yaml.safe_load(company.systems_file.read_text())
    systems_file = company.folder / "later.systems.yml"
    systems_file.write_text(yaml.safe_dump({**systems, "policy": str(tmp_path / "policy.yml")}, sort_keys=False))
    # a shared mailbox would keep the account: it lives on it
    company.play(
        "offboard",
        "-e",
        "user=jane@corp.example",
        "-e",
        '{"lifecycle_mailbox": {"type": "user"}}',
        systems_file=systems_file,
    )
    due = {row["id"]: row["how"] for row in record(company, "offboard")["followups"]}
    assert due["delete_account entra"] == "waits" and "chase_device intune 7" in due
    assert company.play("followups", systems_file=systems_file).code == 0 and "jane" in str(
        company.state("microsoft")["entra"]["users"]
    ), "not before its day"
    company.play(
        "followups",
        "-e",
        "state=move",
        "-e",
        "id='delete_account entra'",
        "-e",
        "to=2020-01-01",
        "-e",
        "user=jane@corp.example",
        *BY_HAND,
        systems_file=systems_file,
    )
    ran = company.play("followups", systems_file=systems_file)
    assert "jane@corp.example" not in [
        user["mail"] for user in company.state("microsoft")["entra"]["users"].values()
    ], ran.output
    assert "restorable until" in " ".join(row["text"] for row in record(company, "offboard")["clocks"])
