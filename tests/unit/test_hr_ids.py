# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Ids of an HR record that want to be executed, or to be two people: a person is told, and no run follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.hr_events import decide

NOW = datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "number", ["{{ lookup('pipe', 'id') }}", "E108,email:ceo@corp.example", "E1;curl x", "7\n8", "7" * 65, "{% x %}"]
)
@pytest.mark.parametrize("name", ["employee_id", "hr_id"])
def test_a_leaver_with_a_hostile_id_is_an_alert_and_no_run(name: str, number: str) -> None:
    record = {"email": "a@b.example", "status": "terminated", "termination_date": "2026-06-01"}
    leaver = replace(Person.of(record), **{name: number})  # past the door that refuses such a record
    decision = decide(None, leaver, NOW, live="access")
    assert decision.kind == "" and name.replace("_", " ") in decision.alert and "refused" in decision.alert
    assert not set("{},;\n") & set(decision.alert.split("(")[1].split(")")[0]), "the alert itself is no template"


def test_a_leaver_with_an_ordinary_id_leaves() -> None:
    leaver = Person.of({"email": "a@b.example", "status": "terminated", "employee_id": "E-1 08", "hr_id": "107"})
    assert decide(None, leaver, NOW, live="access").kind == "offboard"
