# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OpenVPN: certificates revoked and sessions ended; suspended."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.openvpn import OpenVpnHost
from tests.conformance.scenario import Scenario

VENDORS = [OpenVpnHost]


def connected(box: Box) -> list[str]:
    return [one.name for one in box["openvpn"].clients]


def _cut(box: Box) -> None:
    host = box["openvpn"]
    hers = {int(row[3], 16) for row in host.authority_.rows if row[5] == "/CN=jane"}
    assert len(hers) == 2 and host.revoked() == hers
    assert connected(box) == ["mark@corp.example"]


def _suspended(box: Box) -> None:
    host = box["openvpn"]
    assert (host.folder / "ccd" / "jane").read_text().split("\n") == [
        "ifconfig-push 10.8.0.7 255.255.255.0",
        "disable",
        "",
    ]
    assert host.revoked() == set() and connected(box) == ["mark@corp.example"]


SCENARIOS = [
    Scenario("cut off", "openvpn", "cutoff", {"person": "jane"}, _cut),
    Scenario("suspend", "openvpn", "account", {"person": "jane", "state": "suspended"}, _suspended),
]
