#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: manual_step
short_description: Say what a person must do, or make a ticket of it
version_added: 0.1.0
description:
  - Lists the steps that the system's options give for this kind of case. Each ends V(needs_human) until somebody attests it by name and time.
  - On a ticket system each step becomes a ticket, once a case. It is V(in_progress) while the ticket is open, V(done) when it was closed as done, and
    V(needs_human) when it was closed without.
  - Elsewhere it changes nothing. Attestations are kept in the ledger; M(workforce.lifecycle.attest) writes them.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.attest
  - name: "Steps by hand"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/connectors/manual.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  kind:
    description: The kind of case.
    type: str
    choices: [onboard, transfer, offboard, suspend, resume, reinstate, rename, withdraw, access, rollout]
    required: true
  open_items:
    description:
      - "What waits for a person on the other systems, each with C(system), C(what) and C(why): on a ticket system with the option C(waiting),
        each becomes a ticket too."
      - Taken from the ledger in a run about cases.
    type: list
    elements: dict
    default: []
  listed:
    description: Whether the steps of the system's options concern this case.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Collect what can't be collected by a program
  workforce.lifecycle.manual_step:
    person: {email: jane@corp.example, first_name: Jane, last_name: Müller-Ortiz}
    kind: offboard
"""

RETURN = r"""
outcome: {description: "V(needs_human) while a step is open.", returned: always, type: str, sample: needs_human}
changes:
  description: Each step, open or attested.
  returned: always
  type: list
  elements: dict
  sample: [{what: badge, before: open, after: attested, outcome: done}]
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from collections.abc import Mapping, Sequence

from ..module_utils.model.commands import command
from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.sdk.protocols import ManualSteps, Ticketing
from ..module_utils.model.person import Person
from ..module_utils.model.kinds import KINDS
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import MANUAL_STEP
from ..module_utils.engine.task import Task


_WHEN_DONE = "Do it, and close this ticket: the case looks again. What no system can show is attested:"
#: A ticket that somebody has to close.
OPEN = "ticket open"


def plan(system: ManualSteps, want: Mapping[str, Any]) -> Sequence[Change]:
    person = Person.of(want["person"])
    steps = system.manual_steps(want["kind"], person) if want["listed"] else ()
    if isinstance(system, Ticketing):
        items = [
            _Item(**{name: str(item.get(name) or "") for name in ("system", "what", "why")})
            for item in want["open_items"]
        ]
        changes = [_by_ticket(system, want, person, step) for step in steps]
        changes += [_of_item(system, want, person, item) for item in items if system.waiting]
        return changes or absent("steps", f"nothing is to do by hand to {want['kind']} {person.email}")
    return [
        Change(step, "open", "attested", outcome=Outcome.NEEDS_HUMAN, note="do it, then attest it") for step in steps
    ] or absent("steps", f"nothing is to do by hand to {want['kind']} {person.email}")


@dataclass(frozen=True)
class _Item:
    """What waits for a person on another system."""

    system: str
    what: str
    why: str


def _of_item(system: Ticketing, want: Mapping[str, Any], person: Person, item: _Item) -> Change:
    """Return the ticket of what waits elsewhere. That it was closed is a word: what counts is what the system shows when it is looked at again."""
    step = f"{item.system}: {item.what}"
    key = ticket_key(want, person, step)
    found = system.find_ticket(key)
    if found is None:
        said = command("attest", user=person.key, system=item.system, open_end="-e by=<who>")
        text = "\n".join((step, item.why, "", f"Case: {want['kind']} {person.name}", "", _WHEN_DONE, said))
        return Change(step, "open", "done", lambda: system.open_ticket(key, step, text), pending=OPEN)
    if found.state == "open":
        return Change(
            step, OPEN, "done", pending=OPEN, note=f"ticket {found.ref} of {found.owner or 'nobody yet'}: {found.url}"
        )
    note = f"ticket {found.ref} was closed, and {item.system} still shows it open: {found.url}"
    return Change(step, "ticket closed", "done", outcome=Outcome.NEEDS_HUMAN, note=note)


def _by_ticket(system: Ticketing, want: Mapping[str, Any], person: Person, step: str) -> Change:
    key = ticket_key(want, person, step)
    found = system.find_ticket(key)
    if found is None:
        text = f"{step}\n\nCase: {want['kind']} {person.name}\nClose this ticket as done when it is done: the case sees it."
        return Change(step, "open", "done", lambda: system.open_ticket(key, step, text), pending=OPEN)
    whose = found.owner or "nobody yet"
    if found.state == "dropped":
        note = f"ticket {found.ref} was closed and nothing was done: {found.url}"
        return Change(step, "ticket closed", "done", outcome=Outcome.NEEDS_HUMAN, note=note)
    if found.state == "done":
        return Change(step, "done", "done", note=f"ticket {found.ref}, closed by {whose}: {found.url}")
    return Change(step, OPEN, "done", pending=OPEN, note=f"ticket {found.ref} of {whose}: {found.url}")


def ticket_key(want: Mapping[str, Any], person: Person, step: str) -> str:
    """Return what a step's ticket is found by: of this system, case and step. It names nobody."""
    said = json.dumps([want.get("system"), want["kind"], person.key, want.get("since", ""), step])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


TASK = Task(
    ManualSteps,
    plan,
    {
        **PERSON_SPEC,
        "kind": {
            "type": "str",
            "choices": list(KINDS),
            "required": True,
        },
        "open_items": {"type": "list", "elements": "dict", "default": []},
        "listed": {"type": "bool", "default": True},
    },
    steps=MANUAL_STEP,
)


if __name__ == "__main__":
    TASK.main()
