# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""RequestTracker: a step becomes a ticket, once."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.request_tracker import Rt
from tests.conformance.scenario import Scenario

VENDORS = [Rt]


def _opened(box: Box) -> None:
    texts = box["request_tracker"].tickets()
    assert len(texts) == 2 and texts[0].startswith("Collect the badge of Jane"), texts


SCENARIOS = [
    Scenario(
        "open tickets",
        "request_tracker",
        "manual_step",
        {"person": "jane", "kind": "offboard"},
        _opened,
        outcome="in_progress",
    ),
]
