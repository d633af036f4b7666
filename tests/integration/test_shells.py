# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The same offboarding in either shell: in the controller's process, and as ordinary modules (AnsiballZ)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.company import SandboxCompany

SYSTEMS = ("bamboohr", "entra", "intune", "github", "badge")
#: Differ between two runs by nature: moments, and identifiers that a system or the ledger makes.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
_MADE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|offboard-jane-\d+-[0-9a-f]+")


def _offboarded(
    company: SandboxCompany, folder: Path, *, in_process: bool
) -> tuple[dict[str, Any], list[tuple[str, ...]], list[str]]:
    """What the systems were asked to change, how each change ended as the record has it, and what a second run wrote."""
    company.reset()
    folder.mkdir()
    data = yaml.safe_load(company.systems_file.read_text())
    data["systems"] = {name: data["systems"][name] for name in SYSTEMS}
    data.pop("policy", None)  # the company's speaks of systems that are not in this file
    data |= {
        "ledger": str(folder / "ledger.db"),
        "records": str(folder / "records"),
        "archive": str(folder / "archive"),
    }
    file = folder / "few.systems.yml"
    file.write_text(yaml.safe_dump(data))
    args = (
        "-e",
        "user=jane@corp.example",
        "-e",
        "confirm=C02JANE01",
        "-e",
        '{"lifecycle_devices": {"company": "wipe", "follow": 20}}',
    )
    first = company.play("offboard", *args, "-e", json.dumps({"lifecycle_in_process": in_process}), systems_file=file)
    assert first.code != 0 and "badge" in first.output, f"only the badge is open, and it fails the run\n{first.output}"
    [record] = (folder / "records").glob("*.json")
    ended = [
        (act["system"], act["action"], change["what"], change["outcome"])
        for act in json.loads(record.read_text())["actions"]
        for change in act["changes"]
    ]
    states = {"github": _same(company.state("github")), "microsoft": _access(company.state("microsoft"))}
    before = len(company.writes())
    again = company.play("offboard", *args, systems_file=file)
    assert again.changed == 0, again.output
    return states, sorted(ended), company.writes()[before:]


@pytest.mark.rotating(of=6)
def test_both_shells_end_alike(company: SandboxCompany, tmp_path: Path) -> None:
    here = _offboarded(company, tmp_path / "here", in_process=True)
    ordinary = _offboarded(company, tmp_path / "ordinary", in_process=False)
    assert here[1] == ordinary[1] and len(here[1]) > 20
    assert here[0] == ordinary[0] and here[0]["microsoft"]["enabled"] is False
    assert here[2] == ordinary[2] == [], "whichever shell looks, nothing is left to do"


def _same(state: Any) -> Any:
    return json.loads(_MADE.sub("ID", _MOMENT.sub("T", json.dumps(state))))


def _access(state: dict[str, Any]) -> dict[str, Any]:
    """What the cloud lets jane do, and what became of her devices."""
    user = next(u for u in state["entra"]["users"].values() if u["mail"] == "jane@corp.example")
    return {
        "enabled": user["accountEnabled"],
        "licences": len(user["_licences"]),
        "methods": len(user["_methods"]),
        "held": sum(
            json.dumps(state["entra"][table]).count(user["id"])
            for table in ("groups", "grants", "app_assignments", "role_assignments")
        ),
        "devices": sorted((row["serial"], row["action"]) for row in state["intune"]["done"]),
    }
