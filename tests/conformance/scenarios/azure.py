# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Azure: cut off, give and take a role."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.azure import LAB, SHOP, AzureCloud
from tests.conformance.scenario import Scenario

VENDORS = [AzureCloud]
JANE = "jane@corp.example"
GROUP, LICENCE = r"[corp]\Readers in corp", "Basic in corp"
GIVEN, TAKEN = f"Reader on {SHOP}", f"Contributor on {LAB} (eligible)"


def _cut(box: Box) -> None:
    assert box["azure"].left(JANE) == []


def _given(box: Box) -> None:
    assert GIVEN in box["azure"].left(JANE)


def _taken(box: Box) -> None:
    assert TAKEN.removesuffix(" (eligible)") not in box["azure"].left(JANE)


def _left_devops(box: Box) -> None:
    assert box["azure"].seats(JANE) == [r"[TEAM FOUNDATION]\everybody"]


def _in_the_group(box: Box) -> None:
    assert r"[corp]\Readers" in box["azure"].seats(JANE)


SCENARIOS = [
    Scenario("cut off", "azure", "cutoff", {"person": "jane"}, _cut),
    Scenario("give", "azure", "entitlements", {"person": "jane", "wanted": {"roles": [GIVEN]}, "mode": "add"}, _given),
    Scenario(
        "take", "azure", "entitlements", {"person": "jane", "wanted": {"roles": [TAKEN]}, "mode": "remove"}, _taken
    ),
    Scenario(
        "give a group",
        "azure",
        "entitlements",
        {"person": "jane", "wanted": {"devops_groups": [GROUP]}, "mode": "add"},
        _in_the_group,
    ),
    Scenario(
        "take the licence",
        "azure",
        "entitlements",
        {"person": "jane", "wanted": {"devops_licences": [LICENCE]}, "mode": "remove"},
        _left_devops,
    ),
]
