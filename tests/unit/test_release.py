# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The lock files of what users install."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def wanted(source: str) -> list[Requirement]:
    """What a file of requirements, or the bridge's package, asks for."""
    text = (ROOT / source).read_text(encoding="utf-8")
    if source.endswith(".toml"):
        project = tomllib.loads(text)["project"]
        extras = project["optional-dependencies"]
        return [Requirement(line) for line in (*project["dependencies"], *extras["runner"], *extras["postgresql"])]
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


@pytest.mark.parametrize(
    ("source", "lock"),
    [("requirements.txt", "requirements.lock"), ("bridge/pyproject.toml", "bridge/requirements.lock")],
)
def test_everything_that_is_asked_for_is_locked_within_its_range_with_hashes(source: str, lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\w)", text) if entry.strip()]
    locked: dict[str, list[str]] = {}
    for entry in entries:
        name, version = re.split(r"==|[\s;]", entry, maxsplit=2)[:2]
        assert "--hash=sha256:" in entry, name
        locked.setdefault(canonicalize_name(name.partition("[")[0]), []).append(version)
    for requirement in wanted(source):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in {lock}: make lock"
        assert any(version in requirement.specifier for version in versions), f"{requirement} is not what {lock} has"
    assert not re.search(r"https?://|file:", text), "a lock file names no server"
