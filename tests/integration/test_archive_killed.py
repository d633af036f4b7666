# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An archive run that is killed, and one whose disk is full: the next run goes on, and every message is there once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox import archive as module
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive
from ansible_collections.workforce.lifecycle.plugins.modules.mailbox_archive import TASK

from sandbox.box import Box
from sandbox.servers.mail import messages
from sandbox.servers.pymap import Pymap
from tests.support import person_of, run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([Pymap]) as running:
        yield running


def assert_whole(box: Box, path: Path) -> None:
    expected = sorted(
        (folder.replace("&APw-", "ü"), content)
        for folder, _, content in messages("jane", box.company.people["jane"], box.company.domain)
    )
    Archive(path).verify()
    assert sorted((entry.folder, content) for entry, content in Archive(path).messages()) == expected


def _parameters(box: Box, path: Path) -> dict[str, Any]:
    entry = {key: value for key, value in box.systems()["imap"].items() if key in TASK.spec}
    return {
        **{name: spec.get("default") for name, spec in TASK.spec.items()},
        **entry,
        "system": "imap",
        "timeout": 10.0,
        "person": person_of(box, "jane"),
        "path": str(path),
    }


def _killed_after(box: Box, path: Path, frames: int) -> bool:
    """Whether the run was still at it when it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.archive_run"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'collections'}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert child.stdin and child.stdout
    try:
        child.stdin.write(json.dumps(_parameters(box, path)) + "\n")
        child.stdin.flush()
        for _ in range(frames):
            said = child.stdout.readline()
            if said.startswith("{"):
                assert json.loads(said)["outcome"] == "done", said
                return False
            assert said.strip().isdigit(), said
            child.stdin.write("\n")
            child.stdin.flush()
        return not child.stdout.readline().startswith("{")
    finally:
        child.kill()
        child.communicate()


def test_killed_again_and_again_it_comes_to_its_end(box: Box, tmp_path: Path) -> None:
    kills, before = 0, -1
    while _killed_after(box, tmp_path / "a", 3):
        kills += 1
        state = Archive(tmp_path / "a").state()
        assert state.complete or state.messages > before, "each run brings more, and none of it is lost"
        before = state.messages
    assert kills >= 3
    assert_whole(box, tmp_path / "a")
    assert run(TASK, box, "imap", person=person_of(box, "jane"), path=str(tmp_path / "a"))["outcome"] == "already"


@pytest.mark.debian
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_full(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRAME", 4096)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    ).returncode:
        pytest.skip("no right to mount here")
    try:
        for _ in range(2):  # still full: still one line, and nothing lost
            full = run(TASK, box, "imap", person=person_of(box, "jane"), path=str(disk / "a"))
            assert (
                full["failed"]
                and "the disk is full" in full["msg"]
                and "goes on where it stopped" in full["msg"]
                and "\n" not in full["msg"]
            ), full
            state = Archive(disk / "a").state()
            assert state.exists and not state.complete
        subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
        assert run(TASK, box, "imap", person=person_of(box, "jane"), path=str(disk / "a"))["outcome"] == "done"
        assert_whole(box, disk / "a")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
