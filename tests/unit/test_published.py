# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What packagers and certification look at: caps of dependencies, and exceptions of ansible-lint that are still needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LINT = yaml.safe_load((ROOT / ".ansible-lint").read_text(encoding="utf-8"))


def requirements(text: str) -> dict[str, Requirement]:
    lines = (line.partition("#")[0].rstrip(" \\\n") for line in text.splitlines() if re.match(r"[A-Za-z]", line))
    return {one.name.lower(): one for one in map(Requirement, lines)}


def takes_pyasn1_0_7(text: str) -> bool:
    """ldap3, whose last release is of 2021, breaks with pyasn1 0.7."""
    found = requirements(text)
    return "ldap3" in found and ("pyasn1" not in found or found["pyasn1"].specifier.contains("0.7.0"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements.lock"])
def test_whoever_installs_ldap3_gets_a_pyasn1_that_it_can_use(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "ldap3" in requirements(text)
    assert not takes_pyasn1_0_7(text)


@pytest.mark.parametrize(
    "text", ["ldap3>=2.9.1\n", "ldap3>=2.9.1\npyasn1>=0.4.8\n", "ldap3\npyasn1>=0.4.8,<0.8  # x\n"]
)
def test_a_missing_cap_is_seen(text: str) -> None:
    assert takes_pyasn1_0_7(text)


def test_ansible_lint_has_three_exceptions_and_no_file_has_its_own() -> None:
    assert LINT["profile"] == "production"
    assert LINT["skip_list"] == ["fqcn[canonical]", "var-naming[no-role-prefix]"]
    assert not {"warn_list", "kinds", "mock_modules", "mock_roles", "enable_list"} & set(LINT)
    assert set(LINT["exclude_paths"]) == {"build/", ".venv/", "sandbox/", "tests/", "extensions/", "playbooks/parts/"}
    published = [path for folder in ("playbooks", "roles") for path in (ROOT / folder).rglob("*.yml")]
    assert [path.name for path in published if "noqa" in path.read_text(encoding="utf-8")] == []


def typed(command: str, *args: str) -> subprocess.CompletedProcess[str]:
    bin = Path(sys.executable).parent
    return subprocess.run(
        [str(bin / command), *args],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{bin}:{os.environ['PATH']}", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
    )


@pytest.mark.rotating(of=5)
def test_each_skipped_finding_is_still_found_and_false(tmp_path: Path) -> None:
    (tmp_path / "lint.yml").write_text(yaml.safe_dump({"profile": "production", "offline": True}))
    without = ("--offline", "--nocolor", "--strict", "-c", str(tmp_path / "lint.yml"))
    done = typed("ansible-lint", *without, "playbooks/verify.yml", "roles/open_case")
    found = set(re.findall(r"^([\w-]+\[[\w-]+\]): ", done.stdout, re.M))
    assert found == set(LINT["skip_list"]), done.stdout + done.stderr
    assert "workforce.lifecycle.in_process" in done.stdout
    assert not (ROOT / "plugins" / "modules" / "in_process.py").exists()
    assert (ROOT / "plugins" / "action" / "in_process.py").exists()
    named = set(re.findall(r"\((?:vars|register|set_fact): (\w+)\)", done.stdout))
    assert named and all(name in ("user", "plan") or name.startswith("lifecycle_") for name in named)


@pytest.mark.rotating(of=5)
def test_a_part_alone_passes_no_syntax_check_and_every_part_is_checked_where_it_is_imported() -> None:
    assert typed("ansible-playbook", "--syntax-check", "playbooks/parts/phase.yml").returncode
    whole = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").rglob("*.yml"))
    parts = [path.stem for path in (ROOT / "playbooks" / "parts").glob("*.yml")]
    assert parts and [name for name in parts if not re.search(rf"parts[./]{name}\b|: {name}\.yml", whole)] == []
