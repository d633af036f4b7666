#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: locate_system
short_description: Show what one system knows of a person
version_added: 0.2.0
description:
  - Reads the accounts that are the person's, or may be, with the keys they were found by; what they hold; devices; and what a cut-off would close.
  - Writes nothing.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.locate
  - name: "Who is meant, and what HR says"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/identity.md
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
"""

EXAMPLES = r"""
- name: Where is Jane here?
  workforce.lifecycle.locate_system:
    person: {email: jane@corp.example, employee_id: E1007}
  register: locate_seen # the name under which the module locate looks for it
"""

RETURN = r"""
located:
  description: The C(accounts), each with state, evidence, what it holds and which ways in are open, and the C(devices).
  returned: success
  type: dict
  sample: {accounts: [{login: jane@corp.example, state: active}], devices: []}
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.correlate import correlated
from ..module_utils.engine.task import Task
from ..module_utils.model import clock
from ..module_utils.model.errors import LifecycleError, Unsupported
from ..module_utils.model.person import Person
from ..module_utils.people.correlation import Judged
from ..module_utils.sdk.protocols import Accounts, Cutoff, Devices, Entitlements, Files, MailArchive, Mailbox
from ..module_utils.sdk.target import Connector


def info(system: Connector, want: Mapping[str, Any]) -> dict[str, Any]:
    person = Person.of(want["person"])
    accounts: list[dict[str, Any]] = []
    notes: list[str] = []
    if isinstance(system, Accounts):
        person, found = correlated(system, want)
        accounts = [_account(system, one, notes) for one in (*found.theirs, *found.doubts)]
    mailbox = _tried(lambda: system.mailbox(person), notes) if isinstance(system, Mailbox) else None
    devices = _tried(lambda: system.devices(person), notes) if isinstance(system, Devices) else None
    archive = _tried(lambda: system.mail_folders(person), notes) if isinstance(system, MailArchive) else None
    files = _tried(lambda: system.files(person), notes) if isinstance(system, Files) else None
    return {
        "located": {
            "knows_people": isinstance(system, (Accounts, Mailbox, MailArchive, Devices, Files)),
            "accounts": accounts,
            "mailbox": f"{mailbox.get('type', 'user')} mailbox" if mailbox else "mailbox" if archive else "",
            "files": "files" if files else "",
            "devices": [f"{one.serial} {one.platform} {one.state}".strip() for one in devices or ()],
            "notes": notes,
        },
        "outcome": Outcome.ALREADY.value
        if accounts or mailbox or archive or files or devices
        else Outcome.ABSENT.value,
        "changes": [],
    }


def _account(system: Connector, one: Judged, notes: list[str]) -> dict[str, Any]:
    account = one.account
    held = _tried(lambda: system.entitlements(account), notes) if isinstance(system, Entitlements) else None
    paths = _tried(lambda: system.access_paths(account, clock.stamp()), notes) if isinstance(system, Cutoff) else None
    return {
        "id": account.id,
        "login": account.login,
        "state": "pending" if account.pending else "active" if account.active else "suspended",
        "whose": one.whose.value,
        "evidence": one.evidence or ", ".join(kind.value for kind in one.how.by),
        "last_seen": str(account.attributes.get("last_seen") or ""),
        "held": sorted(f"{item.kind} {item.name}" for item in held or ()),
        "open": [path.name for path in paths or () if path.state.startswith("open")],
    }


def _tried(read: Any, notes: list[str]) -> Any:
    """Return one part of the answer; when it fails, the others are still shown."""
    try:
        return read()
    except Unsupported:
        return None
    except LifecycleError as e:
        notes.append(str(e))
        return None


TASK = Task(Connector, argument_spec=PERSON_SPEC, info=info)

if __name__ == "__main__":
    TASK.main()
