#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: device_enrolment
short_description: Have a device enrol with the device management when it is first started
version_added: 0.2.0
description:
  - Assigns a device to the device management that the system's options name, in the register of the company's devices (Apple Business).
    The device then enrols by itself when it is first started, or after it was wiped. That the register shows it is seen before the step is V(done).
  - In an onboarding it is done for the device whose serial the run names; else for the one that the case has given the joiner, which may come from the
    stock list; else for the one that the stock list sets aside for them. A device that is assigned to another device management is left to a person.
  - A device that leaves the company is V(absent) or V(released) only where a person says so; no playbook does it.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.device_assignment
  - name: "Devices: one history each"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/devices.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  serial:
    description: The device's serial number. Without it, the one that the case has given them, or that O(stock) sets aside for them.
    type: str
    default: ""
  platform: {description: "Patterns such as C(macOS), as the profile asks for them.", type: str, default: ""}
  model: {description: "A pattern such as C(MacBook Pro 14*), as the profile asks for it.", type: str, default: ""}
  stock:
    description: The CSV file of the devices in stock. Of it, only the device that its column C(for) sets aside for the person counts here.
    type: path
  state:
    description:
      - V(present) it enrols with the company's device management, V(absent) with none; it still is the company's.
      - V(released) it is no longer the company's. That can't be undone, and a person does it in the register (V(needs_human)); the step is V(already)
        when the register shows it.
    type: str
    choices: [present, absent, released]
    default: present
"""

EXAMPLES = r"""
- name: Have the joiner's laptop enrol with the device management
  workforce.lifecycle.device_enrolment:
    person: {email: mark@corp.example}
    serial: C02MARK01

- name: A laptop that is sold enrols here no more
  workforce.lifecycle.device_enrolment:
    person: {email: jane@corp.example}
    serial: C02JANE01
    state: absent
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: The device, with what it enrolled with and enrols with.
  returned: always
  type: list
  elements: dict
  sample: [{what: enrolment of C02MARK01, before: none, after: Jamf Pro, outcome: done}]
"""

from typing import Any, Protocol
from collections.abc import Mapping

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.company.stock import suiting
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.correlate import Known
from ..module_utils.engine.steps import DEVICE_ENROLMENT
from ..module_utils.engine.task import Task
from ..module_utils.model.errors import InputError
from ..module_utils.model.person import Person
from ..module_utils.sdk.protocols import DeviceEnrolment, OnSystem
from ..module_utils.sdk.values import Enrolment

NONE = "none"
RELEASED = "released"
ACCEPTED = "accepted, not shown yet"
ASSIGNED = "assigned"


class _Register(DeviceEnrolment, OnSystem, Protocol):
    """Register of devices, with the name of the system that it is."""


def plan(system: _Register, want: Mapping[str, Any]) -> list[Change]:
    named, state = want["serial"].strip(), want["state"]
    given = Known.of(want).serials
    serial = named or (given[-1] if given else _set_aside(want))
    if not serial and state != "present":
        raise InputError("serial is empty", act=f"take a device out of {system.target.name}", hint="serial: C02JANE01")
    if not serial:
        return [_nothing_chosen(want)]
    what, found = f"enrolment of {serial}", system.enrolment(serial)
    if state == "present" and found is None and given and not named:
        note = "the register has no device of this serial; the device management has it already"
        return [Change(what, None, None, outcome=Outcome.ABSENT, note=note)]
    if state == "present":
        return [_present(system, what, serial, found)]
    if found is None:
        note = "no device of this serial is the company's here"
        return [Change(what, None, None, outcome=Outcome.ABSENT, note=note)]
    if found.released:
        return [Change(what, RELEASED, RELEASED, note=f"it was released at {found.released}")]
    now = _now(found)
    if state == "absent":
        return [Change(what, now, NONE, lambda: system.unenrol(serial), pending=ACCEPTED)]
    note = "release it there by hand when it has left the company for good: it can't be undone. Take Activation Lock off first"
    return [Change(what, now, RELEASED, outcome=Outcome.NEEDS_HUMAN, note=note)]


def _set_aside(want: Mapping[str, Any]) -> str:
    """Return the serial of the device that the stock list sets aside for the person; "" where there is none."""
    if not want["stock"]:
        return ""
    rows = suiting(want["stock"], Person.of(want["person"]), want["platform"], want["model"])
    return next((row.serial for row in rows if row.meant_for), "")


def _nothing_chosen(want: Mapping[str, Any]) -> Change:
    """Return what waits: which device it is the device management says, or the stock list, or a person."""
    if not want["platform"]:
        note = "no device is chosen yet, and the profile does not say that it is one of Apple's"
        return Change("enrolment", None, None, outcome=Outcome.ABSENT, note=note)
    note = (
        "waits until a device is theirs: run again when the device management has given them one, name its serial, or set one aside in the stock"
        " list (its column for)"
    )
    return Change("enrolment", None, ASSIGNED, outcome=Outcome.IN_PROGRESS, note=note)


def _present(system: _Register, what: str, serial: str, found: Enrolment | None) -> Change:
    management = system.management()
    if found is None or found.released:
        why = f"it was released at {found.released}" if found else "the register has no device of this serial"
        note = f"{why}: have the seller add it, or add it with Apple Configurator"
        return Change(what, None, management, outcome=Outcome.NEEDS_HUMAN, note=note)
    now = _now(found)
    if now not in (NONE, ACCEPTED, management):
        note = f"it enrols with {now}: take it out there first, or set the system's option to it"
        return Change(what, now, management, outcome=Outcome.NEEDS_HUMAN, note=note)
    return Change(what, now, management, lambda: system.enrol(serial), pending=ACCEPTED)


def _now(found: Enrolment) -> str:
    return ACCEPTED if found.waits else found.management or NONE


TASK = Task(
    DeviceEnrolment,
    plan,
    {
        **PERSON_SPEC,
        **{name: {"type": "str", "default": ""} for name in ("serial", "platform", "model")},
        "stock": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent", "released"], "default": "present"},
    },
    steps=DEVICE_ENROLMENT,
)


if __name__ == "__main__":
    TASK.main()
