# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is stored is read as data: whoever can write a database, a queue or a file of ours runs no code by it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Readers that run what they read, and libraries that store by them.
RUNS_WHAT_IT_READS = frozenset(
    {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "dbos"}
)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_nothing_that_is_shipped_runs_what_it_reads() -> None:
    shipped = [path for folder in ("plugins", "bridge/src", "extensions") for path in (ROOT / folder).rglob("*.py")]
    assert len(shipped) > 200
    assert [str(path) for path in shipped if RUNS_WHAT_IT_READS & set(imported(path))] == []


def test_the_rule_sees_what_it_forbids(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from pickle import loads\nimport shelve.x as y\n")
    assert set(imported(tmp_path / "a.py")) & RUNS_WHAT_IT_READS == {"pickle", "shelve"}
