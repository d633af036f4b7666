# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import manual_step
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from sandbox.box import Box
from sandbox.vendors.jira_tickets import JiraCloud
from tests.support import person_of, run
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run

CASE = {"since": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([JiraCloud]) as box:
        yield box


def steps(box: Box, history: dict[str, Any] = CASE, **want: Any) -> dict[str, Any]:
    return run(
        manual_step.TASK, box, "jira_tickets", person=person_of(box, "jane"), kind="offboard", history=history, **want
    )


def test_a_step_waits_for_its_ticket_and_comes_back_when_it_is_closed(box: Box) -> None:
    assert steps(box)["outcome"] == "in_progress"
    again = steps(box)
    assert again["outcome"] == "in_progress" and not again["changed"] and len(box["jira_tickets"].tickets()) == 2
    assert "https://" in str(again["changes"]) and "desk" in str(again["changes"]).lower()
    box["jira_tickets"].close()
    assert steps(box)["outcome"] == "already"


def test_a_ticket_that_was_closed_without_is_left_to_a_person(box: Box) -> None:
    steps(box)
    box["jira_tickets"].close(done=False)
    result = steps(box)
    assert result["outcome"] == "needs_human" and "nothing was done" in str(result["changes"])
    assert len(box["jira_tickets"].tickets()) == 2


def test_the_next_case_of_a_person_has_tickets_of_its_own(box: Box) -> None:
    steps(box)
    box["jira_tickets"].close()
    assert steps(box, {"since": "2026-06-01T00:00:00+00:00"})["outcome"] == "in_progress"
    assert len(box["jira_tickets"].tickets()) == 4


def test_what_waits_for_a_person_elsewhere_becomes_a_ticket_until_the_system_shows_it_done(box: Box) -> None:
    item = {"system": "github", "what": "codespace with unpushed work", "why": "save it first"}
    opened = steps(box, open_items=[item], listed=False)
    assert opened["outcome"] == "in_progress" and len(box["jira_tickets"].tickets()) == 1
    again = steps(box, open_items=[item], listed=False)
    assert not again["changed"] and "https://" in str(again["changes"]) and len(box["jira_tickets"].tickets()) == 1
    box["jira_tickets"].close()
    closed = steps(box, open_items=[item], listed=False)
    assert closed["outcome"] == "needs_human" and "github still shows it open" in str(closed["changes"])
    assert steps(box, open_items=[], listed=False)["outcome"] == "absent", "the system showed it done: nothing is left"


def test_a_company_that_wants_tickets_of_its_own_steps_alone_says_so(box: Box) -> None:
    item = {"system": "github", "what": "codespace", "why": ""}
    options = {**box.systems()["jira_tickets"]["options"], "waiting": False}
    assert steps(box, open_items=[item], listed=False, options=options)["outcome"] == "absent"
    assert box["jira_tickets"].tickets() == []


def test_a_mover_s_decisions_and_what_no_program_can_do_are_tickets_of_their_case(box: Box, tmp_path: Path) -> None:
    """The profile says nothing of the ticket system; what waits there waits for somebody all the same."""
    ledger, jane = Ledger(str(tmp_path / "ledger.db")), person_of(box, "jane")
    case = ledger.open_case("transfer", jane, "r", {"key": "sales", "profile": "sales", "wanted": {"wiki": {}}})

    def waits(system: str, *whats: str, before: str = "member") -> None:
        rows = [{"what": what, "before": before, "after": "", "outcome": "needs_human", "note": "n"} for what in whats]
        where = {"run": "r", "phase": "adjust", "system": system, "step": "entitlements", "person": jane["email"]}
        ledger.outcome(case.id, **where, result={"outcome": "needs_human", "changes": rows}, intent=None)

    waits("wiki", "unexplained: groups: Chess", "unexplained: groups: Old")
    waits("github", "codespace")
    waits("desk", "another desk's step", before="ticket closed")
    opened = {
        "id": case.id,
        "kind": "transfer",
        "person": dict(case.person),
        "facts": case.facts.as_dict(),
        "wanted": {"wiki": {}},
    }
    played = Run(box, ledger_run(ledger), {"lifecycle_policy": ""})
    played.role("closeout", ["jira_tickets"], "by_hand", cases=[opened])
    assert sorted(box["jira_tickets"].tickets()) == ["github: codespace", "wiki: decide what they keep"]
    ledger.attest(
        case.id,
        system="github",
        step="entitlements",
        by="Grace",
        at="2026-01-01T00:00:00Z",
        note="saved",
        what="codespace",
    )
    box["jira_tickets"].close()
    played.role("closeout", ["jira_tickets"], "by_hand", cases=[opened])
    (step,) = [one for one in ledger.steps(case.id) if one["system"] == "jira_tickets"]
    (left,) = step["result"]["changes"]
    assert "wiki still shows it open" in left["note"], "a ticket that is closed decides nothing"
