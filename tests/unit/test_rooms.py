# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Rooms of the collection import only downwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
#: Rooms, the lowest floor first: a room may import from the floors below it, and from itself.
FLOORS = (
    ("module_utils/model",),
    ("module_utils/sdk",),
    ("module_utils/connectors",),
    ("module_utils/company",),
    ("module_utils/people", "module_utils/mailbox"),
    ("module_utils/engine", "module_utils/reconcile"),
    ("module_utils/health",),
    ("modules",),
    ("plugin_utils/ledger",),
    ("plugin_utils/post",),
    ("plugin_utils/witness",),
    ("plugin_utils/later", "plugin_utils/hr"),
    ("plugin_utils/history",),
    ("plugin_utils/record",),
    ("plugin_utils/approval", "plugin_utils/audit"),
    ("plugin_utils/reconcile",),
    ("plugin_utils/cases",),
    ("plugin_utils/health",),
    ("plugin_utils/acts",),
    ("plugin_utils/shell", "plugin_utils/screen"),
    ("plugin_utils/inventory",),
    ("action", "callback", "inventory", "lookup", "doc_fragments"),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def room_of(parts: list[str]) -> str:
    return "/".join(parts[:2]) if parts[0] in ("module_utils", "plugin_utils") else parts[0]


def imported(tree: ast.AST, parts: list[str]) -> Iterator[tuple[list[str], int]]:
    """Each name of ours that a file imports, as a path from ``plugins``, and its line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        module = (node.module or "").split(".") if node.module else []
        if node.level:
            base = [*parts[: -node.level], *module]
        elif module[:4] == ["ansible_collections", "workforce", "lifecycle", "plugins"]:
            base = module[4:]
        else:
            continue
        for alias in node.names:
            yield [*base, alias.name], node.lineno


def arrows(source: str, name: str) -> Iterator[tuple[str, str, int]]:
    """``(from room, to room, line)`` of each import of a file that leads to another room."""
    parts = name.removesuffix(".py").split("/")
    for target, line in imported(ast.parse(source), parts):
        if room_of(target) != room_of(parts):
            yield room_of(parts), room_of(target), line


def wrong(source: str, name: str) -> list[str]:
    """What a reader is told of each arrow of a file that does not run downwards."""
    return [
        f"plugins/{name}:{line}: {above} must not import from {below}"
        for above, below, line in arrows(source, name)
        if FLOOR[below] >= FLOOR[above]
    ]


def test_every_folder_is_a_room() -> None:
    folders = {room_of(path.relative_to(PLUGINS).parts[:-1]) for path in PLUGINS.rglob("*.py")}  # type: ignore[arg-type]
    assert folders == set(FLOOR)


def test_the_architecture_names_every_room_in_its_table_and_in_its_picture() -> None:
    page = (PLUGINS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    picture = (PLUGINS.parent / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")
    assert [room for room in FLOOR if f"`{room}`" not in page] == []
    assert [room for room in FLOOR if room.rpartition("/")[2] not in picture] == []


def test_rooms_import_only_downwards() -> None:
    found = [
        line
        for path in sorted(PLUGINS.rglob("*.py"))
        for line in wrong(path.read_text(encoding="utf-8"), path.relative_to(PLUGINS).as_posix())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "from ..engine.task import Task",
        "from ...plugin_utils.ledger import ledger",
        "from ansible_collections.workforce.lifecycle.plugins.module_utils.engine import task",
        "def f():\n    from ..connectors.registry import CONNECTORS",
    ],
)
def test_an_import_that_runs_upwards_is_found_however_it_is_written(line: str) -> None:
    [said] = wrong(line, "module_utils/model/person.py")
    assert said.startswith("plugins/module_utils/model/person.py:") and "must not import from" in said
