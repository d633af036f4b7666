#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: device
short_description: Secure a leaver's devices - lock, wipe or retire them
version_added: 0.1.0
description:
  - Company devices are locked or wiped; personal ones are retired, which takes off company data and management and leaves the person's own data.
  - A company device is not locked or wiped before its recovery key is known to be kept. Where it is not, the key is asked for first, and that
    device alone is held (V(in_progress)) until a later run sees the key.
  - An Apple device with Activation Lock is not wiped before the code that ends it is known to be kept. Where it is kept is said; the code is not read out.
  - A wipe can't be undone. It is sent only for the serials in O(confirm), once, and is followed to its end.
  - A personal device is never wiped; a device of unknown ownership is left to a person (V(needs_human)).
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.device_info
  - module: workforce.lifecycle.custody
  - name: "Devices: one history each"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/devices.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  company:
    description: What happens to devices that the company owns.
    type: str
    choices: [keep, lock, wipe]
    default: lock
  personal:
    description: What happens to devices that the person owns.
    type: str
    choices: [keep, retire]
    default: retire
  confirm:
    description: Serial numbers of devices whose wipe is confirmed.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Lock what is the company's, retire what is theirs
  workforce.lifecycle.device:
    person: {email: jane@corp.example}

- name: Wipe one laptop, and watch for ten minutes
  workforce.lifecycle.device:
    person: {email: jane@corp.example}
    company: wipe
    confirm: [C02JANE01]
    follow: 600
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: in_progress}
changes:
  description: Every key and device, with before, after and outcome.
  returned: always
  type: list
  elements: dict
  sample: [{what: device C02JANE001, before: enrolled, after: wiped, outcome: in_progress}]
"""

from collections import Counter
from typing import Any
from collections.abc import Mapping

from ..module_utils.engine.arguments import CONFIRM_SPEC, PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.model.states import BYPASS_CODE, COMPANY_DEVICE, ESCROWED_KEY, PERSONAL_DEVICE
from ..module_utils.sdk.protocols import Devices
from ..module_utils.sdk.values import Device
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import DEVICE
from ..module_utils.engine.task import Task

#: Act -> (the state in which the system is at it, its end).
STATES: Mapping[str, tuple[str, str]] = {
    "lock": ("lock_pending", "locked"),
    "retire": ("retire_pending", "retired"),
    "wipe": ("wipe_pending", "wiped"),
}
#: Nothing of the company's is left on the device, or the system can't reach it any more.
ENDED = frozenset({"wiped", "retired", "unmanaged"})


def plan(system: Devices, want: Mapping[str, Any]) -> list[Change]:
    person = person_here(system, want)
    devices = system.devices(person)
    if not devices:
        return absent("devices", f"{person.email} has no device here")
    serials = Counter(device.serial for device in devices)
    changes: list[Change] = []
    for device in devices:
        # A device that was enrolled again leaves a record of the same serial behind.
        label = (
            device.serial
            if device.serial and serials[device.serial] == 1
            else f"{device.serial or device.name} {device.id}"
        )
        changes += _secured(system, device, label, want)
    return changes


def _secured(system: Devices, device: Device, label: str, want: Mapping[str, Any]) -> list[Change]:
    what = f"device {label}"
    if device.ownership not in ("company", "personal"):
        return [
            Change(
                what,
                device.state,
                device.state,
                outcome=Outcome.NEEDS_HUMAN,
                note="nobody knows whose it is: set its ownership in the device management",
            )
        ]
    act = want[device.ownership]
    if act == "keep" or device.state in ENDED:
        whose = PERSONAL_DEVICE if device.ownership == "personal" else COMPANY_DEVICE
        # Without management nothing of the company's is on it: that is what retiring wants.
        ended = STATES["retire"][1] if act == "retire" and device.state == "unmanaged" else device.state
        return [Change(what, ended, ended, note=whose)]
    for stronger in ("wipe", "retire"):
        pending, end = STATES[stronger]
        if device.state == pending and act != "wipe" or device.state == pending and act == stronger:
            return [
                Change(
                    what,
                    pending,
                    end,
                    pending=pending,
                    note=f"{stronger} was accepted; the device does it when it next checks in",
                )
            ]
    if act in device.refuses:
        return [Change(what, device.state, STATES[act][1], outcome=Outcome.UNSUPPORTED, note=device.refuses[act])]
    if device.ownership == "personal":
        return [_act(system, device, what, act)]
    act_then = _act(system, device, what, act)
    kept = _code_kept(device, label)
    if act == "wipe" and device.activation_lock and not kept and device.state != STATES[act][1]:
        return _without_its_code(label, act_then)
    return [*kept, *_after_its_key(system, device, label, act_then)]


def _code_kept(device: Device, label: str) -> list[Change]:
    """Return where the code is kept without which nobody can use an Apple device again after its wipe."""
    return (
        [Change(f"{BYPASS_CODE}{label}", "kept", "kept", note=f"in {device.bypass_kept}")] if device.bypass_kept else []
    )


def _act(system: Devices, device: Device, what: str, act: str) -> Change:
    pending, end = STATES[act]
    send = {"lock": system.lock_device, "retire": system.retire_device, "wipe": system.wipe_device}[act]
    return Change(
        what,
        device.state,
        end,
        lambda: send(device),
        pending=pending,
        irreversible=act == "wipe",
        confirm=device.serial or device.id,
        traceable=True,
        act="wipe" if act == "wipe" else "",
    )


def _without_its_code(label: str, wipe: Change) -> list[Change]:
    """Return the wipe, held while Activation Lock is on and nobody keeps its code: afterwards, nobody can use the device again."""
    note = "Activation Lock is on: keep the code that ends it, or turn the lock off, then run again"
    held = "held until its bypass code is kept: run again then"
    return [
        Change(f"{BYPASS_CODE}{label}", "not kept", "kept", outcome=Outcome.NEEDS_HUMAN, note=note),
        Change(wipe.what, wipe.before, wipe.after, outcome=Outcome.NEEDS_HUMAN, note=held),
    ]


def _after_its_key(system: Devices, device: Device, label: str, act: Change) -> list[Change]:
    """Return the act, held while a recovery key exists that nobody keeps: a locked disk without its key is lost evidence."""
    if device.escrowed is None or device.encrypted is False:
        return [act]
    what = f"{ESCROWED_KEY}{label}"
    key = Change(
        what,
        "escrowed" if device.escrowed else "rotating" if device.escrow_pending else "not escrowed",
        "escrowed",
        lambda: system.escrow_key(device),
        pending="rotating",
        note=device.recovery_key,
    )
    if not device.escrowed and "escrow" in device.refuses:
        key = Change(what, key.before, "escrowed", outcome=Outcome.NEEDS_HUMAN, note=device.refuses["escrow"])
    if device.escrowed or act.before == act.after:
        return [key, act]
    return [
        key,
        Change(
            act.what,
            act.before,
            act.after,
            outcome=Outcome.IN_PROGRESS,
            note="held until its recovery key is seen escrowed: run again then",
        ),
    ]


TASK = Task(
    Devices,
    plan,
    {
        **PERSON_SPEC,
        **CONFIRM_SPEC,
        "company": {"type": "str", "choices": ["keep", "lock", "wipe"], "default": "lock"},
        "personal": {"type": "str", "choices": ["keep", "retire"], "default": "retire"},
    },
    steps=DEVICE,
)


if __name__ == "__main__":
    TASK.main()
