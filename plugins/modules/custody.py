#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: custody
short_description: Say, by name, where a device is; or show its history
version_added: 0.2.0
description:
  - Notes in the ledger that a device was collected, shipped, received, sanitised, sold or given away, and by whom, from the first day of a leaving on.
  - V(shown) gives each device's history over all cases and systems, from the first assignment on. Only what was seen or attested is stated. Devices that
    the last reconcile found unmanaged, unencrypted or without an owner stand in the same view.
  - What the task does not give is taken from the run's variables, as C(-e device=C02JANE001) sets them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.device
  - name: "Devices: one history each"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/devices.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Says what would be noted.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  state:
    description:
      - V(label) a shipping label was sent, V(shipped), V(collected), V(received), V(sanitised), V(disposed) it was sold, given away or scrapped,
        V(lost), V(left_with_person).
      - V(waived) the company does not want it back; O(note) says why.
    type: str
    choices: [shown, label, shipped, collected, received, sanitised, disposed, lost, waived, left_with_person]
    default: shown
  serial: {description: "The device's serial, as the device management has it. All devices are shown, when not given.", type: str, default: ""}
  by: {description: "Who says so. Whose device it was cannot say that the company has it.", type: str, default: ""}
  person: {description: "Whose it was, for a device that no system knows.", type: str, default: ""}
  at: {description: "When it happened, ISO 8601. Now, when not given.", type: str, default: ""}
  number: {description: "Receipt or tracking number, or the address of the label.", type: str, default: ""}
  photo: {description: "A photo, whose SHA-256 is kept.", type: path, default: ""}
  carrier: {description: "Who carries it.", type: str, default: ""}
  to: {description: "Who has it now: whom it was sent, sold or given to.", type: str, default: ""}
  place: {description: "Where it lies.", type: str, default: ""}
  method: {description: "How it was sanitised: Clear, Purge or Destroy, and how (NIST SP 800-88r2).", type: str, default: ""}
  tool: {description: "With what, and which version.", type: str, default: ""}
  verified_by: {description: "Who looked whether it is.", type: str, default: ""}
  note: {description: "Anything worth keeping.", type: str, default: ""}
  records: {description: "The folder with the reports of M(workforce.lifecycle.reconcile), for V(shown).", type: str, default: ""}
  path: {description: "A folder for C(devices.html) and C(devices.json), for V(shown).", type: str, default: ""}
  company: {description: "The company's name, for the page.", type: str, default: ""}
  found:
    description:
      - What the HR systems answered of who says so (RV(workforce.lifecycle.person_info#module:present)).
      - Taken from this run's answers, when not given.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: The laptop came back on the second day
  workforce.lifecycle.custody:
    serial: C02JANE01
    state: received
    by: Grace Okoye
    number: R-2214
    place: shelf 4
"""

RETURN = r"""
changes:
  description: What was noted.
  returned: when noted
  type: list
  elements: dict
  sample: [{what: C02JANE001, before: wiped, after: collected, outcome: done}]
case: {description: "The case that it belongs to.", returned: when noted, type: str, sample: 01JDQ7}
devices:
  description: Each device with its history.
  returned: when shown
  type: list
  elements: dict
  sample:
    - serial: C02JANE001
      holder: Jane Roth
      out: true
      concerns: [{kind: device_unencrypted, what: not encrypted, system: intune}]
      events: [{what: lock ordered, at: "2026-11-28T09:12:44+00:00", system: intune, seen: false}]
reconciled: {description: "When the reconcile was made whose findings are shown; empty when there is none.", returned: when shown, type: str,
  sample: "2026-11-28T06:00:00.000000Z"}
lines: {description: "The same as text, for a screen.", returned: always, type: list, elements: str, sample: ["C02JANE001, Jane Roth: NOT BACK"]}
page: {description: "The page that was written.", returned: with O(path), type: str, sample: /var/www/lifecycle/devices.html}
"""

from ..module_utils.engine.ledger_task import LedgerTask

TASK = LedgerTask(
    act="custody",
    argument_spec={
        "state": {
            "type": "str",
            "choices": [
                "shown",
                "label",
                "shipped",
                "collected",
                "received",
                "sanitised",
                "disposed",
                "lost",
                "waived",
                "left_with_person",
            ],
            "default": "shown",
        },
        **{
            name: {"type": "str", "default": ""}
            for name in (
                "serial", "by", "person", "at", "number", "carrier", "to", "place", "method", "tool", "verified_by", "note",
                "records", "path", "company",
            )
        },
        "photo": {"type": "path", "default": ""},
        "found": {"type": "list", "elements": "dict", "default": []},
    },
    asked={
        "person": "user",
        "serial": "device",  # serial is a word of Ansible's own, which warns of it
        "records": "lifecycle_records",
        "company": "lifecycle_company",
        **{
            name: name
            for name in (
                "state", "by", "at", "number", "photo", "carrier", "to", "place", "method", "tool", "verified_by", "note",
                "path",
            )
        },
    },
)  # fmt: skip

if __name__ == "__main__":
    TASK.main()
