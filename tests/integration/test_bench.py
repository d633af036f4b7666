# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the bench measures still runs to its end: it is started by hand, and a rule that came since may refuse its company."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import bench_declared
from scripts.bench import Bench
from scripts.bench_company import CROWD, MeasuredCompany


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("bench")
    with MeasuredCompany(folder) as company:
        company.write_files()
        yield Bench(company, folder)


def test_the_measured_offboarding_runs_to_its_end(bench: Bench) -> None:
    assert bench.offboard() > 0


@pytest.mark.parametrize("run", ["cutoff", "bare"])
def test_the_measured_cut_of_some_people_closes_every_account(bench: Bench, run: str) -> None:
    assert getattr(bench, run)(CROWD[:3], 0.0) > 0


@pytest.mark.parametrize("run", ["empty", "tasks_that_do_nothing", "nothing_of_ours"])
def test_the_plays_to_compare_with_run(bench: Bench, run: str) -> None:
    assert getattr(bench, run)() > 0


def test_an_empty_play_starts_with_sixteen_and_with_fifty_systems(bench: Bench) -> None:
    assert set(bench_declared.starts(bench.environment, 1)) == {16, 50}
