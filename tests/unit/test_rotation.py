# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import pytest

from tests import rotation


def test_a_few_commits_see_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"vendor{n}" for n in range(10)]
    parts = []
    for number in range(3):
        monkeypatch.setattr(rotation, "commit_number", lambda n=number: n)
        parts.append(rotation.share(names, of=3, always=("vendor0",)))
    assert frozenset().union(*parts) == set(names)
    assert all("vendor0" in part and len(part) <= 4 for part in parts)


def test_everything_runs_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFECYCLE_ROTATION", "all")
    assert rotation.share(["a", "b", "c"], of=3) == {"a", "b", "c"}
