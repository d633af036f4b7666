# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A path that somebody mistyped: a run says so, and makes nothing in its place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.company import BIN, ROOT


def ansible(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """One module, as somebody in a hurry starts it."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **settings}
    command = [str(BIN / "ansible"), "localhost", "-m", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["ledger_info", "ledger"])
def test_a_mistyped_ledger_is_not_there_and_is_not_made(tmp_path: Path, module: str) -> None:
    path = tmp_path / "legder.db"
    state = "state=verify" if module == "ledger_info" else "state=accepted by=lena@corp.example reason=x entry=1"
    ran = ansible(f"workforce.lifecycle.{module}", "-a", state, "-e", f"lifecycle_ledger={path}")
    assert ran.returncode != 0 and "it is not there" in ran.stdout and "is the path right?" in ran.stdout, ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_rehearsal_begins_no_history_where_the_path_was_mistyped(tmp_path: Path) -> None:
    path = tmp_path / "legder.db"
    ran = ansible("workforce.lifecycle.brake", "-a", "state=read", "-C", "-e", f"lifecycle_ledger={path}")
    assert ran.returncode == 0, ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_inventory_is_named_as_what_may_be_wrong(tmp_path: Path) -> None:
    """As Ansible is set up on most machines: an inventory that is not there is a warning."""
    wrong = str(tmp_path / "compny.systems.yml")
    lenient = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "false", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "false"}
    ran = ansible("workforce.lifecycle.ledger_info", "-a", "state=verify", "-i", wrong, **lenient)
    assert ran.returncode != 0 and "is the inventory right?" in ran.stdout and "-i company.systems.yml" in ran.stdout
