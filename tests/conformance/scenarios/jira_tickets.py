# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jira: a step becomes a ticket, once."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.jira_tickets import JiraCloud
from tests.conformance.scenario import Scenario

VENDORS = [JiraCloud]


def _opened(box: Box) -> None:
    texts = box["jira_tickets"].tickets()
    assert len(texts) == 2 and texts[0].startswith("Collect the badge of Jane"), texts


SCENARIOS = [
    Scenario(
        "open tickets",
        "jira_tickets",
        "manual_step",
        {"person": "jane", "kind": "offboard"},
        _opened,
        outcome="in_progress",
    ),
]
