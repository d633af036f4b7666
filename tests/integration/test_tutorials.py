# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The tutorials, walked: every command as it is written, in its order, and what a page shows is what was printed.

The sandbox is one of the test's own: ``python -m sandbox`` gets its folder, and what the first page exports leads to it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.company import BIN, ROOT, SandboxCompany

TUTORIALS = ROOT / "docs" / "tutorials"
#: What the shell says after each command.
END = "== ended with"
PAGES = sorted(page.stem for page in TUTORIALS.glob("*.md") if page.stem != "README")


def steps_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a page with the lines that the page shows below it."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        command, shown = "", list[str]()
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line.removeprefix("$ "), []
            else:
                shown.append(line)
        yield command, shown


def missing_of(shown: list[str], printed: str) -> list[str]:
    """Return the shown lines that were not printed, or not in this order. ``…`` stands for anything."""
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    missing = []
    for one in shown:
        pattern = re.compile(".*".join(re.escape(part) for part in " ".join(one.split()).split("…")))
        if not any(pattern.fullmatch(line) for line in lines):
            missing.append(one)
    return missing


@pytest.mark.rotating(of=5)
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_tutorial_does_what_the_page_shows(
    page: str, company: SandboxCompany, tmp_path: Path
) -> None:
    company.reset()
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "PYTHONPATH": str(ROOT),
        "ANSIBLE_INVENTORY": str(company.systems_file),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    steps = [*steps_of((TUTORIALS / f"{page}.md").read_text(encoding="utf-8"))]
    assert len(steps) >= 4
    typed = [
        command.replace("python -m sandbox", f"python -m sandbox --folder {company.folder}") for command, _ in steps
    ]
    # One shell, as a reader has: a folder that a command goes to is where the next one begins.
    ran = subprocess.run(
        ["bash", "-c", "\n".join(f"{command}\necho; echo '{END}' $?" for command in typed)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    printed = re.findall(rf"(.*?)^{END} (\d+)\n", ran.stdout, re.M | re.S)
    assert len(printed) == len(steps), ran.stdout
    for (command, shown), (said, code) in zip(steps, printed):
        assert code == "0", f"{command}\n{said}"
        assert missing_of(shown, said) == [], f"{command}\n{said}"


def test_a_company_that_is_started_again_has_no_ledger_of_the_one_before(tmp_path: Path) -> None:
    """Its people have their access again: with the old ledger, reconcile would call each leaver one who is back."""

    def sandbox(verb: str) -> None:
        subprocess.run([sys.executable, "-m", "sandbox", "--folder", str(tmp_path), verb], cwd=ROOT, check=True)

    kept = [tmp_path / name for name in ("ledger.db", "ledger.db-wal", "records/offboard-jane.json", "archive/x")]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    sandbox("up")
    try:
        assert (tmp_path / "company.systems.yml").exists()
        assert [path for path in kept if path.exists()] == []
    finally:
        sandbox("down")


def test_a_page_that_shows_what_was_not_printed_is_seen() -> None:
    printed = "   ✓ entra   cutoff  done  0.3 s\n  Complete. 2 s\n"
    assert missing_of(["✓ entra cutoff done …", "Complete. …"], printed) == []
    assert missing_of(["✓ entra cutoff done"], printed) == ["✓ entra cutoff done"]
    assert missing_of(["Complete. …", "✓ entra cutoff done …"], printed) == ["✓ entra cutoff done …"]
    assert [*steps_of("```console\n$ a\nb\n$ c\n```\n")] == [("a", ["b"]), ("c", [])]
