# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""contacts_info: who people are and whom it concerns, from an HR file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.modules.contacts_info import TASK

HEAD = "Id,Number,Mail,Name,State,Boss,Boss number,Home,Buddy\n"
COLUMNS = {
    "hr_id": "Id",
    "employee_id": "Number",
    "email": "Mail",
    "display_name": "Name",
    "status": "State",
    "manager_email": "Boss",
    "manager_employee_id": "Boss number",
    "personal_email": "Home",
}
ROWS = [
    "1,E1,mark@corp.example,Mark Ito,active,,,,",
    "2,E2,ada@corp.example,Ada Löwe,active,mark@corp.example,,ada@home.example,E3",
    "3,E3,bob@corp.example,Bob Fix,active,gone@corp.example,,,",
    "4,E4,gone@corp.example,Gone,terminated,,,,",
    "5,E5,own@corp.example,Own,active,,E5,,bob@corp.example",
    *(f"{n},E{n},p{n}@corp.example,P{n},active,,E1,," for n in range(20, 40)),
]


def contacts(folder: Path, *ids: str) -> dict[str, Any]:
    (folder / "hr.csv").write_text(HEAD + "\n".join(ROWS) + "\n", encoding="utf-8")
    options = {"path": str(folder / "hr.csv"), "columns": COLUMNS, "attributes": {"buddy": "Buddy"}}
    system = Csv(Target("hr", "csv", options=checked_options("hr", Csv, options)))
    assert TASK.info is not None
    found: dict[str, Any] = TASK.info(system, {"users": list(ids), "buddy": "buddy"})["contacts"]
    return found


def test_manager_and_buddy_are_named_and_nobody_who_has_left(tmp_path: Path) -> None:
    found = contacts(tmp_path, "2", "3", "5", "99")
    assert set(found) == {"2", "3", "5"}
    assert (found["2"]["name"], found["2"]["private"]) == ("Ada Löwe", "ada@home.example")
    assert found["2"]["manager"]["address"] == "mark@corp.example"
    assert found["2"]["buddy"]["name"] == "Bob Fix"
    assert found["3"]["manager"] == {}, "who has left is not written to"
    assert found["5"]["manager"] == {} and found["5"]["buddy"]["address"] == "bob@corp.example", (
        "nobody is their own manager"
    )


def test_many_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Csv, "find_people", lambda *_: pytest.fail("asked one by one"))
    found = contacts(tmp_path, *(str(n) for n in range(20, 40)))
    assert len(found) == 20 and {card["manager"]["name"] for card in found.values()} == {"Mark Ito"}
