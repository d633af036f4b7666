# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the tests of the connectors of HR systems share: one sandbox on a fixed noon, and how one person is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index

from sandbox.box import Box
from sandbox.days import pinned
from tests.support import connect

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def running(vendor: Any) -> Iterator[Box]:
    """Run one HR system of the sandbox, whose company is as it is at :data:`NOON`."""
    with pinned(NOON.date()), Box([vendor]) as box:
        yield box


def fresh(box: Box, name: str, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Reset the HR system, forget what was read of it, and stop the clock at :data:`NOON`."""
    people_index.INDEXES.clear()
    monkeypatch.setattr(clock, "now", lambda: NOON)
    box[name].reset()
    return box


def only(found: Any) -> Person:
    (person,) = found
    return person


def with_options(box: Box, name: str, **options: Any) -> Any:
    """Connect to the system with further options."""
    return connect(box, name, options={**box.systems()[name]["options"], **options})


def both_of_one_address_are_returned(hr: Any) -> None:
    """Check that two records with one address are two answers, and that an unknown address is none."""
    assert sorted(person.employee_id for person in hr.find_people("sam@corp.example")) == ["E1008", "E1009"]
    assert list(hr.find_people("nobody@corp.example")) == []
