#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: locate_system
short_description: Show what one system knows of people
version_added: 0.2.0
description:
  - Reads the accounts that are the person's, or may be, with the keys they were found by; what they hold; devices; and what a cut-off would close.
  - Looks for O(person); without it, for everybody whom the HR systems found in this run; where HR found nobody, for the addresses in O(users).
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
options:
  users:
    description: Whom to look for where HR found nobody. Only entries that are e-mail addresses are looked for.
    type: list
    elements: str
    default: []
  found: {description: "What the HR systems found in this run. Filled in by the collection.", type: list, elements: dict, default: []}
"""

EXAMPLES = r"""
- name: Where is Jane here?
  workforce.lifecycle.locate_system:
    person: {email: jane@corp.example, employee_id: E1007}

- name: Look for whom HR found, and for the address where HR knows nobody
  workforce.lifecycle.locate_system:
    users: [jane@corp.example]
"""

RETURN = r"""
located:
  description: The C(accounts), each with state, evidence, what it holds and which ways in are open, and the C(devices).
  returned: with O(person)
  type: dict
  sample: {accounts: [{login: jane@corp.example, state: active}], devices: []}
people:
  description: For each person, C(person) and C(located), or C(error) when they could not be looked for.
  returned: without O(person)
  type: list
  elements: dict
  sample: [{person: {email: jane@corp.example}, located: {accounts: [{login: jane@corp.example, state: active}], devices: []}}]
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.correlate import correlated
from ..module_utils.engine.task import Task
from ..module_utils.model import clock
from ..module_utils.model.answers import PersonRecord
from ..module_utils.model.errors import LifecycleError, Unsupported
from ..module_utils.model.person import Person
from ..module_utils.people.correlation import Judged
from ..module_utils.sdk.protocols import Accounts, Cutoff, Devices, Entitlements, Files, MailArchive, Mailbox
from ..module_utils.sdk.target import Connector


def info(system: Connector, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["person"]:
        located = _located(system, want)
        there = any(located[what] for what in _WHAT)
        return {
            "located": located,
            "outcome": Outcome.ALREADY.value if there else Outcome.ABSENT.value,
            "changes": [],
        }
    return {"people": [_row(system, {**want, "person": person}) for person in _people(want)], "changes": []}


def _people(want: Mapping[str, Any]) -> list[PersonRecord]:
    """Return the records of the people to look for, each once."""
    found = {Person.of(one).key: one for answer in want["found"] for one in answer["people"]}
    return [*found.values()] or [{"email": user.strip()} for user in dict.fromkeys(want["users"]) if "@" in user]


def _row(system: Connector, want: Mapping[str, Any]) -> dict[str, Any]:
    """Return one person's row; an error for one person does not hide the others."""
    try:
        return {"person": want["person"], "located": _located(system, want)}
    except LifecycleError as e:
        return {"person": want["person"], "error": str(e)}


def _located(system: Connector, want: Mapping[str, Any]) -> dict[str, Any]:
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
        "knows_people": isinstance(system, (Accounts, Mailbox, MailArchive, Devices, Files)),
        "accounts": accounts,
        "mailbox": f"{mailbox.get('type', 'user')} mailbox" if mailbox else "mailbox" if archive else "",
        "files": "files" if files else "",
        "devices": [f"{one.serial} {one.platform} {one.state}".strip() for one in devices or ()],
        "notes": notes,
    }


_WHAT = ("accounts", "mailbox", "files", "devices")


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


TASK = Task(
    Connector,
    info=info,
    argument_spec={
        **PERSON_SPEC,
        "users": {"type": "list", "elements": "str", "default": []},
        "found": {"type": "list", "elements": "dict", "default": []},
    },
)

if __name__ == "__main__":
    TASK.main()
