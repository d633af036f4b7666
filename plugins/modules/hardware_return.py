#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: hardware_return
short_description: Check in hardware that came back, in the register of hardware
version_added: 0.2.0
description:
  - Notes in a register of hardware (Snipe-IT) that what was checked out to a person is back, and looks whether the register shows it.
  - Only the serials that are given are checked in. Followups give those of which a named person said that the company has them (M(workforce.lifecycle.custody),
    or M(workforce.lifecycle.attest) of a step that asks for a device). What the register has checked out to somebody else is not touched.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.custody
  - module: workforce.lifecycle.ownership
  - name: "Devices: one history each"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/devices.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  serials: {description: "Serial numbers of what came back.", type: list, elements: str, required: true}
"""

EXAMPLES = r"""
- name: The laptop is on the shelf
  workforce.lifecycle.hardware_return:
    person: {email: jane@corp.example}
    serials: [C02JANE01]
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Each device, with whether it is checked out to the person.
  returned: always
  type: list
  elements: dict
  sample: [{what: device C02JANE01, before: checked out to jane@corp.example, after: not checked out to them, outcome: done}]
"""

from typing import Any
from collections.abc import Mapping, Sequence

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.correlate import person_and_account
from ..module_utils.engine.steps import HARDWARE_RETURN
from ..module_utils.engine.task import Task
from ..module_utils.sdk.keys import same_text
from ..module_utils.sdk.protocols import Hardware
from ..module_utils.sdk.values import Account, Owned

CHECKED_IN = "not checked out to them"


def plan(system: Hardware, want: Mapping[str, Any]) -> list[Change]:
    person, account = person_and_account(system, want)
    if account is None:
        return absent("account", f"{person.email} has no account here")
    out = system.checked_out(account)
    serials = dict.fromkeys(serial.strip() for serial in want["serials"])
    return [
        _returned(system, account, serial, [one for one in out if same_text(one.serial, serial)]) for serial in serials
    ]


def _returned(system: Hardware, account: Account, serial: str, found: Sequence[Owned]) -> Change:
    what = f"device {serial}"
    if not found:
        return Change(what, CHECKED_IN, CHECKED_IN)
    before = f"checked out to {account.login}"
    if len(found) > 1:
        note = (
            f"{len(found)} items have this serial: {', '.join(one.name for one in found)}; check in the right one there"
        )
        return Change(what, before, CHECKED_IN, outcome=Outcome.NEEDS_HUMAN, note=note)
    [one] = found
    return Change(what, before, CHECKED_IN, lambda: system.check_in(account, one), note=f"{one.kind} {one.name}")


TASK = Task(
    Hardware,
    plan,
    {**PERSON_SPEC, "serials": {"type": "list", "elements": "str", "required": True}},
    steps=HARDWARE_RETURN,
)


if __name__ == "__main__":
    TASK.main()
