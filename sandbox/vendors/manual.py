# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The badge desk: a system without an API, so without a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.emulator import Emulator

SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "badge": {
        "connector": "manual",
        "owner": "facilities@corp.example",
        "options": {
            "steps": {
                "onboard": ["Print a badge for {name} ({employee_id})"],
                "transfer": ["Change the door zones of {name} to {department}"],
                "offboard": ["Collect the badge of {name} ({employee_id})"],
            }
        },
    },
}


class Badge(Emulator):
    """Nothing but its entry in the systems file."""

    name = "badge"
    HTTP = False

    def routes(self) -> Sequence[Any]:
        return ()

    def seed(self) -> Any:
        return None

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return SYSTEMS
