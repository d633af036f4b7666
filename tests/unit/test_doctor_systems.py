# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""doctor against every system of the sandbox: quiet when all is well; a refused permission and a dead credential are named, on each."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.health import probe
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LifecycleError
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of

from sandbox import every
from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.jira_tickets import JiraCloud
from sandbox.vendors.personio import Personio
from sandbox.vendors.request_tracker import Rt
from sandbox.vendors.servicenow import ServiceNowInstance
from tests.support import connect

#: HR's other systems and those of tickets beside every system that somebody may have an account on.
BESIDE: list[type[Any]] = [BambooHr, HiBob, Personio, JiraCloud, ServiceNowInstance, Rt]
SYSTEMS: list[type[Any]] = [*every.EVERY, *(one for one in BESIDE if one not in every.EVERY)]
#: The way to a token, and a directory of the address: which permission is missing, only the question itself can say.
SIGN_IN = re.compile(r"(?i)/o?auth|/token|openid-configuration|ServiceProviderConfig")
pytestmark = pytest.mark.rotating(of=6)


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box(SYSTEMS) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    for emulator in running.emulators.values():
        getattr(emulator, "faults", []).clear()
    return running


def over_http(box: Box) -> dict[str, Any]:
    """The emulators that speak HTTP, by system."""
    found = {}
    for emulator in box.emulators.values():
        if hasattr(emulator, "fault") and emulator.url.startswith("https://"):
            found.update(dict.fromkeys(emulator.systems(), emulator))
    return found


def questions(system: Any) -> Sequence[str]:
    return [name for name in capabilities_of(type(system)) if name in probe.QUESTIONS]


def paths(box: Box, emulator: Any, name: str, capability: str) -> list[tuple[str, str]]:
    """What a capability's question asks of a system, without the way to a token."""
    before = len(emulator.journal)
    try:
        probe.QUESTIONS[capability](connect(box, name, read_only=True))
    except LifecycleError:
        pass
    asked = [(one["method"], one["path"]) for one in emulator.journal[before:]]
    return [one for one in dict.fromkeys(asked) if not SIGN_IN.search(one[1])]


def test_with_all_well_every_system_is_quiet(box: Box) -> None:
    loud, began = {}, time.monotonic()
    for name in box.systems():
        health = probe.examine(connect(box, name, read_only=True))
        if health.problems or not health.reached:
            loud[name] = [one.what for one in health.problems]
        for capability, states in health.permissions.items():
            assert "missing" not in states.values(), (name, capability, states)
    assert not loud
    print(
        f"\n{len(box.systems())} systems, one after another: {time.monotonic() - began:.1f} s, load {os.getloadavg()[0]:.0f}"
    )


def test_each_refused_permission_is_named_by_capability_in_the_vendors_words_on_every_system(box: Box) -> None:
    wrong, tried = [], 0
    for name, emulator in over_http(box).items():
        for capability in questions(connect(box, name, read_only=True)):
            asked = paths(box, emulator, name, capability)
            if not asked:  # its things have fixed names: nothing is asked
                continue
            for method, path in asked:
                emulator.fault("status", status=403, method=method, path=f"^{re.escape(path)}$", times=-1)
            health = probe.examine(connect(box, name, read_only=True))
            emulator.faults.clear()
            said = [one for one in health.problems if (one.kind, one.capability) == ("permission", capability)]
            needs = CONNECTORS[box.systems()[name]["connector"]].PERMISSIONS.get(capability) or ("nothing is listed",)
            tried += 1
            if not said or not all(need in said[0].fix for need in needs):
                wrong.append(f"{name} {capability}: {[one.what for one in health.problems]}")
    assert not wrong and tried > 150
    print(f"\n{tried} permissions of {len(over_http(box))} systems")


def test_a_credential_that_has_expired_is_said_once_on_every_system(box: Box) -> None:
    wrong = {}
    for name, emulator in over_http(box).items():
        connect(box, name, read_only=True)
        emulator.fault("status", status=401, path=r"^(?!.*(?i:/o?auth|/token|openid-configuration))", times=-1)
        health = probe.examine(connect(box, name, read_only=True))
        emulator.faults.clear()
        if [one.kind for one in health.problems] != ["credential"] or not health.problems[0].fix:
            wrong[name] = [(one.kind, one.what) for one in health.problems]
    assert not wrong


def test_every_connector_lists_the_permissions_of_what_it_can_do() -> None:
    """What the credential of a capability needs, in the vendor's words: doctor has no other source for it."""
    silent = {
        f"{name}: {capability}"
        for name, connector in CONNECTORS.items()
        for capability in capabilities_of(connector)
        if not connector.PERMISSIONS.get(capability) and name != "manual"
    }
    assert not silent
