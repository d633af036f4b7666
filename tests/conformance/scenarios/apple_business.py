# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Apple Business: a device is assigned to the device management, and taken out of it."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.apple_business import JAMF, AppleOrganisation
from tests.conformance.scenario import Scenario

VENDORS = [AppleOrganisation]


def _server(box: Box, serial: str) -> str:
    return str(box["apple_business"].state["devices"][serial]["server"])


def _assigned(box: Box) -> None:
    assert (_server(box, "C02MARK01"), _server(box, "C02JANE01")) == (JAMF, JAMF)


def _taken_out(box: Box) -> None:
    assert (_server(box, "C02JANE01"), _server(box, "C02MARK01")) == ("", "")


SCENARIOS = [
    Scenario(
        "enrol",
        "apple_business",
        "device_enrolment",
        {"person": "mark", "serial": "C02MARK01", "state": "present"},
        _assigned,
    ),
    Scenario(
        "take out",
        "apple_business",
        "device_enrolment",
        {"person": "jane", "serial": "C02JANE01", "state": "absent"},
        _taken_out,
    ),
]
