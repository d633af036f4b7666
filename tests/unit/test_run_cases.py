# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Whom the steps of a run are for."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import run_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.run_folder import RunFolder
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.variables import Variables

JANE = {"id": "c1", "kind": "offboard", "person": {"email": "jane@corp.example"}}


def on(folder: RunFolder, system: str) -> list[str]:
    found = run_cases.read(folder).on(system, frozenset(), Settings())
    return [f"{case.kind} {case.person.email}" for case, _here in found]


def test_a_run_that_opened_no_case_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this run has opened no case"):
        run_cases.read(RunFolder(str(tmp_path)))


def test_a_follow_up_that_is_moved_by_hand_is_about_nobody_and_no_error(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    run_cases.leave(folder, "followups", {"lines": ["c1: due 2030-01-31"]})
    assert on(folder, "entra") == []


def test_what_was_found_of_a_person_here_is_known_to_their_steps_here_only(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    run_cases.leave(folder, "case", {"cases": [JANE]})
    run_cases.leave(
        folder, "quarantine", {"adopted": {"entra": ["jane@corp.example"]}, "unread": {"ldap": ["jane@corp.example"]}}
    )
    [(_case, entra)] = run_cases.read(folder).on("entra", frozenset(), Settings())
    [(_case, ldap)] = run_cases.read(folder).on("ldap", frozenset(), Settings())
    assert (entra.adopted, entra.unread, ldap.adopted, ldap.unread) == (True, False, False, True)
    assert ldap.adopted_somewhere


def test_a_follow_up_and_a_fix_concern_their_own_system(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    act = {"system": "entra", "step": "delete_account", "word": "act", "case": "c1", "record": JANE["person"]}
    run_cases.leave(folder, "followups", {"transfers": [], "resumed": [], "ended": [], "acts": [act]})
    assert on(folder, "entra") == ["followups jane@corp.example"] and on(folder, "ldap") == []
    fix = {"do": "cutoff", "finding": "f-1", "account_id": "a", "wanted": {}, "case": "c2", "person": JANE["person"]}
    run_cases.leave(folder, "reconcile", {"steps": {"ldap": [fix]}})
    assert on(folder, "ldap") == ["reconcile jane@corp.example"] and on(folder, "entra") == []


@pytest.mark.parametrize(
    ("given", "confirmed"),
    [(None, []), ("", []), ("C02X", ["C02X"]), ("C02X, F2L", ["C02X", "F2L"]), (["C02X,F2L"], ["C02X,F2L"])],
)
def test_a_person_confirms_several_with_commas_and_a_list_stays_as_it_is(given: object, confirmed: list[str]) -> None:
    settings = Variables({} if given is None else {"confirm": given}, lambda value: value).settings()
    assert settings.confirm == confirmed
