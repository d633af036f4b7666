# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One step of a real run, as the conformance suite plays it against every fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.box import Box


def _nothing(box: Box) -> None:
    """Seeded as it is."""


@dataclass(frozen=True)
class Scenario:
    """``want`` are the module's arguments; its ``person`` is a key of the company's people. ``verify`` asks the system itself."""

    name: str
    system: str
    module: str
    want: Mapping[str, Any]
    verify: Callable[[Box], None]
    prepare: Callable[[Box], None] = _nothing
    #: A value of the step's outcome after the first run, where it is not ``done``.
    outcome: str = "done"
    #: Further marks: ``irreversible`` writes are counted and must be sent once.
    marks: frozenset[str] = field(default_factory=frozenset)
