# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""How people leave, by policy: at HR's word before anybody talks to them, or on the day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy, load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people import identity
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.hr_events import decide

POLICY = """
departures:
  - {name: involuntary, facts: {attributes.termination_type: "involuntary*"}, cut: now, silent: true, handover: false}
  - {name: voluntary}
responsibility:
  duties:
    - {step: cutoff, within: 5m, departure: involuntary}
"""


@pytest.fixture()
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "policy.yml").write_text(POLICY)
    return load_policy(str(tmp_path / "policy.yml"))


def leaver(kind: str) -> Person:
    """Active, and leaves in three weeks."""
    day = (clock.now() + timedelta(days=21)).date().isoformat()
    facts = {
        "email": "jane@corp.example",
        "hr_id": "7",
        "termination_date": day,
        "attributes": {"termination_type": kind},
    }
    return Person.of(facts)


def test_hr_facts_say_how_somebody_leaves(policy: Policy) -> None:
    assert policy.departure_of(leaver("Involuntary - conduct")).name == "involuntary"
    assert policy.departure_of(leaver("resigned")).name == "voluntary"
    assert (
        Policy().departure_of(leaver("involuntary")).name == ""
        and Policy().departure_of(leaver("x")).cut == "on_the_day"
    )


def test_who_must_leave_is_cut_at_hrs_word_and_who_resigned_on_the_day(policy: Policy) -> None:
    for kind, now in (("involuntary", True), ("resigned", False)):
        person = leaver(kind)
        at_once = policy.departure_of(person).cut == "now"
        at = clock.now()
        found = decide(None, person, at, live="access", at_once=at_once)
        assert found.kind == "offboard" and found.at is not None
        assert (found.at <= at) is now, kind


def test_a_run_by_hand_before_the_day_is_let_through_only_where_policy_says_now(policy: Policy) -> None:
    identity._refuse_standing(leaver("involuntary"), "offboard", clock.now(), policy, "find")
    with pytest.raises(InputError, match="nothing is touched before"):
        identity._refuse_standing(leaver("resigned"), "offboard", clock.now(), policy, "find")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("departures: [{name: a, cut: soon}]", "is no moment"),
        ("departures: [{name: a}, {name: a}]", "two departures a"),
        ("departures: [{name: a, facts: {colour: x}}]", "no fact that HR gives"),
        ("responsibility: {duties: [{step: cutoff, within: soon}]}", "no length of time"),
        ("responsibility: {duties: [{step: cutoff}]}", "neither owner nor within"),
        ("responsibility: {duties: [{step: cutoff, within: 5m, departure: x}]}", "no departure 'x'"),
        ("responsibility: {escalate: [{after: x, to: [a]}]}", "no length of time"),
        ("responsibility: {escalate: [{after: 1h, to: []}]}", "names nobody"),
    ],
)
def test_a_mistake_names_file_line_and_fix(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.yml").write_text(text)
    with pytest.raises(InputError, match=said) as e:
        load_policy(str(tmp_path / "p.yml"))
    assert "p.yml:1" in str(e.value)
