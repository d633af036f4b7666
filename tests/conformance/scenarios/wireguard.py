# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""WireGuard: peers taken out of the interface and of its file; suspended, let in again."""

from __future__ import annotations

from ansible_collections.workforce.lifecycle.plugins.modules import cutoff

from sandbox.box import Box
from sandbox.vendors.wireguard import LAPTOP, MARK, NOBODY, PHONE, WireGuardHost
from tests.conformance.scenario import Scenario
from tests.support import person_of, run

VENDORS = [WireGuardHost]


def _out(box: Box) -> None:
    host = box["wireguard"]
    assert set(host.running) == {MARK, NOBODY}
    host.restart()
    assert set(host.running) == {MARK, NOBODY}, "they do not come back when it starts"


def _cut(box: Box) -> None:
    run(cutoff.TASK, box, "wireguard", person=person_of(box, "jane"))


def _back(box: Box) -> None:
    host = box["wireguard"]
    assert set(host.running) == {LAPTOP, PHONE, MARK, NOBODY}
    host.restart()
    assert set(host.running) == {LAPTOP, PHONE, MARK, NOBODY} and "#off#" not in host.file.read_text()


SCENARIOS = [
    Scenario("cut off", "wireguard", "cutoff", {"person": "jane"}, _out),
    Scenario("suspend", "wireguard", "account", {"person": "jane", "state": "suspended"}, _out),
    Scenario("let in", "wireguard", "account", {"person": "jane", "state": "active"}, _back, prepare=_cut),
]
