# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Hostile records and answers through every door: nothing is executed, nobody else touched, nothing crashes, nobody waits for ever."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from lifecycle_bridge.receive import SCHEMES

from tests.bridge import door_support
from tests.conformance.test_conformance import SETS
from tests.hostile.doors import DOORS, SILENT, Door

ROOT = Path(__file__).resolve().parents[2]
MOST_MEGABYTES, LONGEST = 300, 60.0
PARTS = 9


def tried(count: int, seed: int, doors: tuple[Door, ...]) -> list[dict[str, Any]]:
    """What a process of its own saw at these doors."""
    words = [sys.executable, "-W", "ignore", "-m", "tests.hostile.campaign", str(count), str(seed)]
    ran = subprocess.run(
        [*words, *(door.name for door in doors)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "bridge" / "src"), os.environ.get("PYTHONPATH", ""))),
        },
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert ran.stdout, ran.stderr[-3000:]
    found: list[dict[str, Any]] = json.loads(ran.stdout.splitlines()[-1])
    return found


def judge(seen: list[dict[str, Any]]) -> None:
    failures = [line for one in seen for line in one["failures"]]
    assert not failures, "\n".join(failures[:20])
    large = {one["door"]: one["megabytes"] for one in seen if one["megabytes"] >= MOST_MEGABYTES}
    assert not large, f"more than {MOST_MEGABYTES} MB: {large}"
    slow = {one["door"]: one["longest"] for one in seen if one["longest"] >= LONGEST}
    assert not slow, f"longer than {LONGEST:.0f} s: {slow}"


@pytest.mark.parametrize(
    "part", [pytest.param(n, marks=pytest.mark.rotating(of=PARTS, by=f"doors {n}")) for n in range(PARTS)]
)
def test_some_of_the_doors_hold(part: int) -> None:
    seen = tried(150, 1, DOORS[part::PARTS])
    assert len(seen) == len(DOORS[part::PARTS])
    judge(seen)


@pytest.mark.soak
def test_ten_thousand_hostile_inputs_through_every_door() -> None:
    seen = tried(10_000, 2, DOORS)
    assert len(seen) == len(DOORS) and sum(one["tried"] for one in seen) >= 10_000
    judge(seen)


# -- the table -------------------------------------------------------------------------------------------------------------


def test_every_connector_and_every_webhook_scheme_is_a_door() -> None:
    names = {door.name.partition(": ")[2] for door in DOORS if door.name.startswith(("answers:", "hr:"))}
    assert set(CONNECTORS) - SILENT <= names
    assert {name for name in SILENT if name in SETS} == set(), "who is asked is no silent one"
    assert {door.name.removeprefix("webhook: ") for door in DOORS if door.name.startswith("webhook:")} == set(SCHEMES)
    assert set(SCHEMES) <= set(door_support.VENDORS)


def test_no_door_stands_there_twice_and_what_holds_it_is_a_file() -> None:
    assert len({door.name for door in DOORS}) == len(DOORS)
    assert [door.name for door in DOORS if not (ROOT / door.held_by).is_file()] == []


def test_the_page_of_borders_names_every_kind_of_door_and_what_holds_there() -> None:
    page = (ROOT / "docs" / "borders.md").read_text()
    rows = {cells[1].strip(): line for line in page.splitlines() if len(cells := line.split("|")) > 4}
    kinds = {door.kind for door in DOORS}
    assert kinds == set(rows) - {"door", "---"}, "a kind of door without a row, or a row without a door"
    assert [door.name for door in DOORS if f"`{door.held_by}`" not in rows[door.kind]] == []


# -- a new way out can't be forgotten --------------------------------------------------------------------------------------

#: What makes a page, a table, a mail or a request of the bridge, and the files that may: each is tried by a door.
WAYS_OUT = {
    r"\bEnvironment\(": {
        "plugins/plugin_utils/record/html.py",
        "bridge/src/lifecycle_bridge/console/frame.py",
        "bridge/src/lifecycle_bridge/notify/words.py",
    },
    # kept_addresses: a file of ours, which nobody opens
    r"\bcsv\.writer\(": {
        "plugins/plugin_utils/audit/tables.py",
        "plugins/plugin_utils/reconcile/report.py",
        "plugins/module_utils/sdk/kept_addresses.py",
    },
    # keepers: the head of the ledger, which is numbers of ours
    r"\bEmailMessage\(": {
        "plugins/plugin_utils/post/letters.py",
        "plugins/plugin_utils/witness/keepers.py",
        "bridge/src/lifecycle_bridge/notify/mail.py",
    },
    r"\brequests\.(?:Session|request|get|post|put|patch|delete|head)\(": {"bridge/src/lifecycle_bridge/outgoing.py"},
    r"\bOAuth2Session\(": {"bridge/src/lifecycle_bridge/console/oidc.py"},
    r"\burllib3\.(?:PoolManager|ProxyManager)\(": {"plugins/module_utils/sdk/wire.py"},
}


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("plugins", "bridge/src", "extensions"):
        for path in (ROOT / folder).rglob("*.py"):
            yield str(path.relative_to(ROOT)), path.read_text()


@pytest.mark.parametrize("way", WAYS_OUT)
def test_pages_tables_mails_and_requests_are_made_where_a_door_is_tried(way: str) -> None:
    found = {name for name, text in sources() if re.search(way, text)}
    assert found <= WAYS_OUT[way], (
        f"{found - WAYS_OUT[way]}: go through the one way out, or make it a door (tests/hostile/doors.py)"
    )
    assert found, f"nothing is {way}: the rule looks for something that is not there any more"


def test_every_cell_of_a_table_is_made_by_the_one_function() -> None:
    """``writerow`` of anything but headings and cells is a formula for whoever opens the file."""
    for name in ("plugins/plugin_utils/audit/tables.py", "plugins/plugin_utils/reconcile/report.py"):
        tree = ast.parse((ROOT / name).read_text())
        for call in ast.walk(tree):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr.startswith("writerow")
            ):
                said = ast.unparse(call.args[0])
                assert "cell(" in said or said in ("head", "COLUMNS"), f"{name}:{call.lineno}: {said}"
