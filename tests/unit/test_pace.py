# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One pace a system, however many people are at work on it side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import pace


def test_people_side_by_side_share_one_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(pace.time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(pace.time, "sleep", slept.append)
    pace._NEXT.clear()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _n: pace.wait("okta", 2.0), range(8)))
    assert sorted(slept) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    pace.wait("entra", 2.0)
    assert slept[-1] == 0.0, "another system has a pace of its own"
