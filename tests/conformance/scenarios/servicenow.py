# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""ServiceNow: a step becomes a ticket, once."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.servicenow import ServiceNowInstance
from tests.conformance.scenario import Scenario

VENDORS = [ServiceNowInstance]


def _opened(box: Box) -> None:
    texts = box["servicenow"].tickets()
    assert len(texts) == 2 and texts[0].startswith("Collect the badge of Jane"), texts


SCENARIOS = [
    Scenario(
        "open tickets",
        "servicenow",
        "manual_step",
        {"person": "jane", "kind": "offboard"},
        _opened,
        outcome="in_progress",
    ),
]
