# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The board for Grafana, read with the types that Grafana publishes: a field that they do not know would be dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

BOARD = Path(__file__).resolve().parents[2] / "extensions" / "monitoring" / "grafana-board.json"


@pytest.fixture(autouse=True, scope="module")
def _queries_of_prometheus() -> None:
    plugins.register_default_plugins()


def _dropped(given: object, kept: object, place: str = "board") -> Iterator[str]:
    """Yield each place of ``given`` that ``kept`` has not, or otherwise."""
    if isinstance(given, dict):
        for name, value in given.items():
            yield from _dropped(value, kept.get(name) if isinstance(kept, dict) else None, f"{place}.{name}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (value, other) in enumerate(zip(given, kept, strict=True)):
            yield from _dropped(value, other, f"{place}[{number}]")
    elif given != kept:
        yield place


def _read(board: dict[str, Any]) -> object:
    return json.loads(JSONEncoder().encode(Dashboard.from_json(board)))


def test_grafanas_own_types_keep_every_field_of_the_board() -> None:
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    assert len(board["panels"]) > 10 and list(_dropped(board, _read(board))) == []


def test_a_misspelt_field_of_a_board_is_seen() -> None:
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    panel = board["panels"][0]
    panel["feldConfig"] = panel.pop("fieldConfig")
    panel["targets"][0]["expression"] = panel["targets"][0].pop("expr")
    assert set(_dropped(board, _read(board))) >= {
        "board.panels[0].feldConfig.defaults.unit",
        "board.panels[0].targets[0].expression",
    }
