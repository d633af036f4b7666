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
  - Without O(serial) it is the one that an earlier run of the case gave them, else a company device that the device management already shows as theirs,
    else the first of the stock list that suits O(platform) and O(model), that the device management knows, and that is nobody's.
    Runs that share a ledger choose one after the other, so that two joiners at once get two devices.
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
    default: ""
  platform: {description: "Patterns such as C(macOS), for the choice of one.", type: str, default: ""}
  model: {description: "A pattern such as C(MacBook Pro 14*), for the choice from the stock list.", type: str, default: ""}
  stock:
    description:
      - A CSV file of the devices in stock. Its first line names C(serial), and C(platform), C(model), C(for) (whose it is to be, by address or number).
    type: path
"""

EXAMPLES = r"""
- name: Give the joiner the laptop that was set aside
  workforce.lifecycle.device_assignment:
    person: {email: ada@corp.example}
    serial: 5CGADA001

- name: Give the joiner the first laptop of the stock list that suits
  workforce.lifecycle.device_assignment:
    person: {email: ada@corp.example}
    platform: Windows
    stock: "{{ inventory_dir }}/stock.csv"
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

from ..module_utils.company.policy import like
from ..module_utils.company.stock import suiting
from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import Known, person_here
from ..module_utils.model.errors import Conflict
from ..module_utils.model.person import Person
from ..module_utils.sdk.protocols import Devices, OnSystem
from ..module_utils.sdk.values import Device
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.steps import DEVICE_ASSIGNMENT
from ..module_utils.engine.task import Task


class _DevicesHere(Devices, OnSystem, Protocol):
    """Device management that knows how the person signs in there."""


def plan(system: _DevicesHere, want: Mapping[str, Any]) -> list[Change]:
    person, serial = person_here(system, want), want["serial"].strip()
    given = Known.of(want).serials
    if serial or given:
        return [_given(system, person, serial or given[-1])]
    login = system.login_of(person)
    theirs = [one for one in system.devices(person) if one.ownership == "company" and _is(one, want["platform"])]
    if theirs:
        note = "the device management shows it as theirs"
        return [Change(f"device {theirs[0].serial}", login, login, note=note)]
    return [_from_stock(system, person, want)]


def _is(device: Device, platform: str) -> bool:
    return bool(device.serial) and (not platform or bool(like(device.platform, [platform])))


def _from_stock(system: _DevicesHere, person: Person, want: Mapping[str, Any]) -> Change:
    asked = " ".join(word for word in (want["platform"], want["model"]) if word) or "a device"
    if not want["stock"]:
        return _nothing(
            f"no device is chosen for {person.email}: give its serial, or name a stock list (lifecycle_stock)"
        )
    others = unknown = 0
    for row in suiting(want["stock"], person, want["platform"], want["model"]):
        device = system.find_device(row.serial)
        if device is None:
            unknown += 1
        elif not _may_have(system, device, person):
            others += 1
        else:
            return _given(system, person, row.serial)
    return _nothing(
        f"nothing in stock for {person.email} that is {asked}: {others} are somebody's, {unknown} are not known to the device management;"
        " order one, or give its serial"
    )


def _may_have(system: _DevicesHere, device: Device, person: Person) -> bool:
    """Return whether the device is theirs, or nobody's and chosen for nobody else; it is chosen for them then."""
    if device.assigned_to:
        return device.assigned_to.casefold() == system.login_of(person).casefold()
    target = system.target
    return target.choices.take(target.name, device.serial, person.key, keep=not target.rehearsal)


def _nothing(note: str) -> Change:
    return Change("device", None, None, outcome=Outcome.NEEDS_HUMAN, note=note)


def _given(system: _DevicesHere, person: Person, serial: str) -> Change:
    what, login = f"device {serial}", system.login_of(person)
    device = system.find_device(serial)
    if device is None:
        note = "no device of this serial is known here: register it with the device management"
        return Change(what, None, login, outcome=Outcome.NEEDS_HUMAN, note=note)
    holder = device.assigned_to
    if holder.casefold() == login.casefold():
        return Change(what, login, login)
    if holder:
        note = f"it is {holder}'s: hand it back there first"
        return Change(what, holder, login, outcome=Outcome.NEEDS_HUMAN, note=note)
    return Change(what, "", login, lambda: _assign(system, person, device))


def _assign(system: _DevicesHere, person: Person, device: Device) -> None:
    now = system.find_device(device.serial)
    if now is not None and now.assigned_to:
        raise Conflict(
            f"it is {now.assigned_to}'s since a moment ago",
            act=f"assign device {device.serial}",
            hint="run again: another is chosen",
        )
    system.assign_device(device, person)


TASK = Task(
    Devices,
    plan,
    {
        **PERSON_SPEC,
        "serial": {"type": "str", "default": ""},
        "platform": {"type": "str", "default": ""},
        "model": {"type": "str", "default": ""},
        "stock": {"type": "path"},
    },
    steps=DEVICE_ASSIGNMENT,
)


if __name__ == "__main__":
    TASK.main()
