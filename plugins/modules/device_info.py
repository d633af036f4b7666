#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: device_info
short_description: Show a person's devices, and whether one is ready for work
version_added: 0.1.0
description:
  - Lists the devices with what the system knows of each, and judges readiness - a company device that is enrolled, encrypted, compliant, whose
    recovery key is kept, and that has the software.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.device
  - module: workforce.lifecycle.device_assignment
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  serial:
    description: Judge this device, also while it is not enrolled yet; without it, the one that the case gave them, else the person's company devices.
    type: str
    default: ""
  software:
    description: Names of programs that must be found on the device.
    type: list
    elements: str
    default: []
  before_day:
    description:
      - Whether the first day is to come. A device that is registered and enrols itself when its person first starts it can't have more than its person.
    type: bool
    default: false
  require_ready:
    description: Whether a person without a ready device is an open step (V(needs_human)) and not merely a fact.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Is the joiner's laptop ready?
  workforce.lifecycle.device_info:
    person: {email: ada@corp.example}
    serial: 5CGADA001
    software: [1Password]
    require_ready: true
"""

RETURN = r"""
devices:
  description: The devices as the system knows them.
  returned: success
  type: list
  elements: dict
  sample: [{serial: C02ADA001, encrypted: true, compliant: true}]
ready: {description: "Whether one device meets all that is asked.", returned: success, type: bool, sample: false}
missing: {description: "What keeps the best device from being ready.", returned: success, type: list, elements: str, sample: [encrypted, software 1Password]}
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: already}
"""

from typing import Any, Protocol
from collections.abc import Mapping, Sequence

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import Known, person_here
from ..module_utils.sdk.protocols import Devices, OnSystem
from ..module_utils.sdk.values import Device
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.steps import DEVICE_INFO
from ..module_utils.engine.task import Task

_FACTS = (
    "id",
    "serial",
    "name",
    "platform",
    "ownership",
    "state",
    "encrypted",
    "compliant",
    "escrowed",
    "last_seen",
    "assigned_to",
)


class _DevicesHere(Devices, OnSystem, Protocol):
    """Device management that knows how the person signs in there."""


def info(system: _DevicesHere, want: Mapping[str, Any]) -> dict[str, Any]:
    person, given = person_here(system, want), Known.of(want).serials
    serial = want["serial"].strip() or (given[-1] if given else "")
    devices = list(system.devices(person))
    if serial and serial not in [device.serial for device in devices]:
        found = system.find_device(serial)
        devices += [found] if found else []
    judged = [device for device in devices if (device.serial == serial if serial else device.ownership == "company")]
    missing = min((_missing(device, system.login_of(person), want) for device in judged), key=len, default=["device"])
    open_step = missing and want["require_ready"]
    return {
        "devices": [plain(device) for device in devices],
        "ready": not missing,
        "missing": missing,
        "outcome": (Outcome.NEEDS_HUMAN if open_step else Outcome.ALREADY).value,
        "changes": [
            {"what": f"ready {item}", "before": False, "after": True, "outcome": Outcome.NEEDS_HUMAN.value}
            for item in missing
        ]
        if open_step
        else [],
    }


def plain(device: Device) -> dict[str, Any]:
    """Return the device as plain data; the vendor's own answer is left out."""
    return {**{name: getattr(device, name) for name in _FACTS}, "software": list(device.software)}


def _missing(device: Device, login: str, want: Mapping[str, Any]) -> list[str]:
    if want["before_day"] and device.state == "unmanaged":
        return [] if device.assigned_to.casefold() == login.casefold() else ["assigned"]
    software: Sequence[str] = want["software"]
    installed = {name.casefold() for name in device.software}
    facts = {
        "assigned": device.assigned_to.casefold() == login.casefold(),
        "enrolled": device.state == "managed",
        "encrypted": device.encrypted is True,
        "compliant": device.compliant is True,
        "recovery key": device.escrowed is not False,
        **{f"software {name}": name.casefold() in installed for name in software},
    }
    return [name for name, holds in facts.items() if not holds]


TASK = Task(
    Devices,
    argument_spec={
        **PERSON_SPEC,
        "serial": {"type": "str", "default": ""},
        "software": {"type": "list", "elements": "str", "default": []},
        "before_day": {"type": "bool", "default": False},
        "require_ready": {"type": "bool", "default": False},
    },
    info=info,
    steps=DEVICE_INFO,
)


if __name__ == "__main__":
    TASK.main()
