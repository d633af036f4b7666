# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Cloud: cut off, give and take a role."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.gcp import GoogleCloud
from tests.conformance.scenario import Scenario

VENDORS = [GoogleCloud]
JANE = "jane@corp.example"


def _cut(box: Box) -> None:
    assert box["gcp"].roles_of(JANE) == [] and not box["gcp"].state["keys"][JANE]


def _given(box: Box) -> None:
    assert "roles/viewer on projects/shop" in box["gcp"].roles_of(JANE)


def _taken(box: Box) -> None:
    assert "roles/editor on projects/shop" not in box["gcp"].roles_of(JANE)


SCENARIOS = [
    Scenario("cut off", "gcp", "cutoff", {"person": "jane"}, _cut),
    Scenario(
        "give",
        "gcp",
        "entitlements",
        {"person": "jane", "wanted": {"roles": ["roles/viewer on projects/shop"]}, "mode": "add"},
        _given,
    ),
    Scenario(
        "take",
        "gcp",
        "entitlements",
        {"person": "jane", "wanted": {"roles": ["roles/editor on projects/shop"]}, "mode": "remove"},
        _taken,
    ),
]
