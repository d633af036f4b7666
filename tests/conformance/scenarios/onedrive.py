# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OneDrive: the successor is let in, and what leads outside is ended."""

from __future__ import annotations

from typing import Any

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenario import Scenario

VENDORS = [Microsoft]


def permissions(box: Box) -> list[tuple[str, Any]]:
    """(item's name, permission) of all of jane's drive."""
    drive = next(d for d in box["microsoft"].state["onedrive"]["drives"].values() if d["owner"] == "jane@corp.example")
    return [(item["name"], permission) for item in drive["items"].values() for permission in item["permissions"]]


def handed_over(box: Box) -> None:
    left = [
        (name, p["roles"], p.get("grantedToV2", {}).get("siteUser", {}).get("email")) for name, p in permissions(box)
    ]
    assert sorted(left) == [
        ("Projects", ["read"], "lena@corp.example"),
        ("root", ["owner"], "jane@corp.example"),
        ("root", ["write"], "mark@corp.example"),
    ]
    assert [message["to"] for message in box["microsoft"].state["onedrive"]["sent"]] == ["mark@corp.example"]


SCENARIOS = [
    Scenario(
        "hand over files and end sharing",
        "onedrive",
        "files_handover",
        {"person": "jane", "successor": "mark@corp.example", "end_sharing": True},
        handed_over,
    ),
]
