# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The collection answers to its name through build/collections, which `make link` makes."""

from __future__ import annotations

import gc
import sys
from collections import Counter, defaultdict
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

# How long an example takes says only how busy the machine is.
hypothesis.settings.register_profile("any_machine", deadline=None)
hypothesis.settings.load_profile("any_machine")

#: Runs a suite inside a test: a planted violation must fail it.
pytest_plugins = ["pytester"]

from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index, wire
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests import rotation
from tests.browser import browser  # noqa: F401 - a fixture of every file
from tests.contract.witness import contracts_kept  # noqa: F401 - a fixture of every module


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what stays until the end: a million objects of modules and tests, in each process."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Let go of what a run keeps until its process ends: this process lives for thousands of tests, and what it keeps,
    each fork copies."""
    try:
        return (yield)
    finally:
        Ledger._opened.clear()
        if nextitem is None or nextitem.path != item.path:
            for kept in (wire._MANAGERS, wire._TRUSTED, people_index.INDEXES):
                kept.clear()
            gc.collect()
            gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rotate", action="store_true", help="of the long tests that rotate, run this commit's part only")
    parser.addoption(
        "--long-first",
        action="store_true",
        help="begin with the files that have few tests: their tests are the long ones, and with the short ones at the end all workers end together",
    )


@pytest.hookimpl(trylast=True)  # when -m has chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order, and leave out the long ones whose turn it is not: ``@pytest.mark.rotating(of=4, by="aws")``.

    Those with the same ``by`` have their turn together; without it, each test is of its own.
    """
    if config.getoption("--long-first"):
        tests_of = Counter(item.path for item in items)
        items.sort(key=lambda item: tests_of[item.path])
    if not config.getoption("--rotate"):
        return
    turns: dict[int, dict[str, list[pytest.Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        if mark := item.get_closest_marker("rotating"):
            turns[mark.kwargs["of"]][mark.kwargs.get("by", item.nodeid)].append(item)
    resting = {
        item
        for of, groups in turns.items()
        for name in set(groups) - rotation.share(sorted(groups), of=of)
        for item in groups[name]
    }
    config.hook.pytest_deselected(items=[item for item in items if item in resting])
    items[:] = [item for item in items if item not in resting]
