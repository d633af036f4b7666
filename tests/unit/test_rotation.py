# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import pytest

from tests import conftest, rotation


@pytest.fixture(autouse=True)
def _nobody_asked_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFECYCLE_ROTATION", raising=False)


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


def test_each_long_test_has_its_turn_and_those_of_one_name_have_it_together(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nmarkers = rotating")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", [
            pytest.param(n, marks=pytest.mark.rotating(of=4, by=name)) for n, name in enumerate("aabbcc")
        ])
        def test_long(n): pass

        def test_short(): pass
        """
    )
    ran = []
    for commit in range(3):
        monkeypatch.setattr(rotation, "commit_number", lambda commit=commit: commit)
        result = pytester.inline_run("--rotate", "-p", "no:cacheprovider", plugins=[conftest])
        passed, _, _ = result.listoutcomes()
        ran.append({report.nodeid.partition("::")[2] for report in passed})
    assert all("test_short" in names and len(names) == 3 for names in ran)
    assert set.union(*ran) == {"test_short", *(f"test_long[{n}]" for n in range(6))}
    everything, _, _ = pytester.inline_run("-p", "no:cacheprovider", plugins=[conftest]).listoutcomes()
    assert len(everything) == 7
