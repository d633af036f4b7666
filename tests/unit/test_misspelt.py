# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Options of a run that are written wrong are said, and a company's own variables are not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.ledger_task import LedgerTask
from ansible_collections.workforce.lifecycle.plugins.modules import audit, custody, numbers
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.misspelt import ASKED_BY, OF_A_RUN, misspelt

ROOT = Path(__file__).resolve().parents[2]
KNOWN = [name for names in TASK.variables().values() for name in names]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("sucessor", "successor"), ("usr", "user"), ("despite_Hr", "despite_hr"), ("confrim", "confirm")],
)
def test_an_option_that_is_written_almost_right_is_guessed(given: str, meant: str) -> None:
    assert [warning.rpartition(" ")[2] for warning in misspelt([given], KNOWN)] == [f"{meant}?"]


def test_options_and_a_companys_own_variables_are_not_warned_of() -> None:
    given = [*OF_A_RUN, *KNOWN, "boss", "owner", "awx_user_email", "tower_job_id", "lifecycle_mailbox", "ansible_user"]
    assert list(misspelt(given, KNOWN)) == []


def test_every_option_of_the_main_runs_is_known() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", (ROOT / "docs" / "main-runs.md").read_text(), re.MULTILINE)
    named = {name.partition("=")[0] for row in rows for name in re.findall(r"`([\w=]+)`", row)}
    assert {"user", "confirm", "successor"} <= named <= {*OF_A_RUN, *KNOWN}


@pytest.mark.parametrize(
    ("task", "given", "meant"),
    [(audit.TASK, "sampel", "sample"), (numbers.TASK, "metric", "metrics"), (custody.TASK, "devise", "device")],
)
def test_an_option_of_an_audit_of_numbers_or_of_a_device_is_guessed_too(
    task: LedgerTask, given: str, meant: str
) -> None:
    known = [name for names in task.variables().values() for name in names]
    assert task.act in ASKED_BY
    assert [warning.rpartition(" ")[2] for warning in misspelt([given, *known], known)] == [f"{meant}?"]


def test_a_run_says_it_before_it_begins(tmp_path: Path) -> None:
    tasks = "    - workforce.lifecycle.case: {kind: offboard, user: [jane@corp.example]}\n"
    (tmp_path / "p.yml").write_text(f"- hosts: all\n  gather_facts: false\n  connection: local\n  tasks:\n{tasks}")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(tmp_path / "p.yml")]
    given = ["-e", f"lifecycle_ledger={tmp_path}/l.db", "-e", "sucessor=mark@corp.example"]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)
    assert "did you mean successor?" in " ".join((done.stdout + done.stderr).split())
