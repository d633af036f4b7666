#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: device_assignment
short_description: Assign a device to a person
version_added: 0.1.0
description:
  - Makes a device from stock the person's, so that it enrols itself for them when it is first started; a device that is managed already becomes theirs.
  - A device of somebody else is not taken from them; that is left to a person (V(needs_human)).
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.device_info
  - name: "Devices: one history each"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/devices.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  serial:
    description: The device's serial number.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Give the joiner the laptop that was set aside
  workforce.lifecycle.device_assignment:
    person: {email: ada@corp.example}
    serial: 5CGADA001
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: The device, with whose it was and is.
  returned: always
  type: list
  elements: dict
  sample: [{what: device C02ADA001, before: nobody, after: ada@corp.example, outcome: done}]
"""

from typing import Any, Protocol
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import Devices, OnSystem
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.steps import DEVICE_ASSIGNMENT
from ..module_utils.engine.task import Task


class _DevicesHere(Devices, OnSystem, Protocol):
    """Device management that knows how the person signs in there."""


def plan(system: _DevicesHere, want: Mapping[str, Any]) -> list[Change]:
    person, serial = person_here(system, want), want["serial"].strip()
    if not serial:
        return [
            Change(
                "device",
                None,
                None,
                outcome=Outcome.NEEDS_HUMAN,
                note=f"no device is chosen for {person.email}: give its serial",
            )
        ]
    what, login = f"device {serial}", system.login_of(person)
    device = system.find_device(serial)
    if device is None:
        return [
            Change(
                what,
                None,
                login,
                outcome=Outcome.NEEDS_HUMAN,
                note="no device of this serial is known here: register it with the device management",
            )
        ]
    holder = device.assigned_to
    if holder.casefold() == login.casefold():
        return [Change(what, login, login)]
    if holder:
        return [
            Change(what, holder, login, outcome=Outcome.NEEDS_HUMAN, note=f"it is {holder}'s: hand it back there first")
        ]
    return [Change(what, "", login, lambda: system.assign_device(device, person))]


TASK = Task(Devices, plan, {**PERSON_SPEC, "serial": {"type": "str", "required": True}}, steps=DEVICE_ASSIGNMENT)


if __name__ == "__main__":
    TASK.main()
