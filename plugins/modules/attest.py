#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: attest
short_description: Say, by name, that a step which only a person can do is done
description:
  - Notes in the ledger who did what and when, for steps that ended V(needs_human) or V(unknown). The next run of the case takes it up.
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Says what would be attested.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  person: {description: "E-mail address, employee id or HR id of whom the case is about.", type: str, required: true}
  system: {description: "The system's name.", type: str, required: true}
  what: {description: "The step, as the checklist names it. Every step of the system that waits for a person, when not given.", type: str, default: ""}
  by: {description: "Who says so.", type: str, required: true}
  at: {description: "When it was done, ISO 8601. Now, when not given.", type: str, default: ""}
  decision:
    description: What becomes of something that a mover holds and no profile explains. The next run of the case carries it out.
    type: str
    choices: ["", keep, remove]
    default: ""
  note: {description: "Anything worth keeping, such as where the badge lies.", type: str, default: ""}
"""

EXAMPLES = r"""
- name: The badge is in the safe
  workforce.lifecycle.attest:
    person: jane@corp.example
    system: badge
    by: Grace Okoye

- name: Tom may stay in the group
  workforce.lifecycle.attest:
    person: tom@corp.example
    system: entra
    what: "unexplained: groups: Book club"
    decision: keep
    by: Mark Osei
    note: he runs it
"""

RETURN = r"""
changes: {description: "What was attested.", returned: success, type: list, elements: dict}
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.model import clock
from ..module_utils.sdk.capabilities import CaseLedger
from ..module_utils.model.errors import InputError, Refused
from ..module_utils.engine.mover import UNDECIDED
from ..module_utils.model.person import Person
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.task import Task

WAITING = (Outcome.NEEDS_HUMAN.value, Outcome.UNKNOWN.value)


def info(book: CaseLedger, want: Mapping[str, Any]) -> dict[str, Any]:
    act = f"attest for {want['person']} on {want['system']}"
    if not want["by"].strip():
        raise InputError("by is empty", act=act, hint="name who did it")
    try:
        at = clock.stamp(clock.parse(want["at"])) if want["at"] else clock.stamp()
    except ValueError:
        raise InputError(
            f"at is {want['at']!r}", act=act, hint="write an ISO 8601 moment: 2026-03-31T17:00:00+02:00"
        ) from None
    cases = book.ledger.cases(person=want["person"], open_only=True)
    if not cases:
        raise InputError(
            "there is no open case of this person", act=act, hint="list cases with the module ledger_info, state: cases"
        )
    case = cases[-1]
    known = book.ledger.attested(case.id, want["system"])
    decision = want.get("decision") or ""
    if decision and want["by"].strip().casefold() in [
        str(case.person.get(name) or "").casefold() for name in ("email", "display_name")
    ] + [Person.of(case.person).name.casefold()]:
        raise Refused(
            "nobody decides on what they may keep themselves", act=act, hint="have somebody else decide, by name"
        )
    waiting = [
        (step["step"], row["what"])
        for step in book.ledger.steps(case.id)
        if step["system"] == want["system"]
        for row in step["result"].get("changes") or ()
        if row["outcome"] in WAITING
        and (step["step"], row["what"])
        not in [(a["step"], a.get("what")) for a in known if a.get("decision", "") == decision]
        and (not decision or row["what"].startswith(UNDECIDED))
    ]
    chosen = [(step, what) for step, what in waiting if want["what"] in ("", what)]
    if not chosen and want["what"]:
        named = "; ".join(what for _step, what in waiting) or "nothing"
        raise InputError(f"nothing called {want['what']!r} waits for a person", act=act, hint=f"waiting: {named}")
    riddles = [what for _step, what in chosen if what.startswith(UNDECIDED)]
    if riddles and not decision:
        raise InputError(
            f"keep or remove? {'; '.join(riddles)}",
            act=act,
            hint="-e decision=keep or -e decision=remove; with -e what=... for one of them",
        )
    for step, what in chosen:
        if not book.read_only:
            book.ledger.attest(
                case.id,
                system=want["system"],
                step=step,
                what=what,
                by=want["by"],
                at=at,
                note=want["note"],
                decision=decision,
            )
    rows = [
        {
            "what": what,
            "before": "open",
            "after": f"{decision}, decided by {want['by']}" if decision else f"attested by {want['by']}",
            "outcome": "planned" if book.read_only else Outcome.DONE.value,
        }
        for _unused, what in chosen
    ]
    return {
        "changed": bool(rows),
        "outcome": (Outcome.DONE if rows else Outcome.ALREADY).value,
        "changes": rows,
        "case": case.id,
        "person": want["person"],
    }


TASK = Task(
    CaseLedger,
    info=info,
    argument_spec={
        "person": {"type": "str", "required": True},
        "system": {"type": "str", "required": True},
        "what": {"type": "str", "default": ""},
        "by": {"type": "str", "required": True},
        "at": {"type": "str", "default": ""},
        "note": {"type": "str", "default": ""},
        "decision": {"type": "str", "choices": ["", "keep", "remove"], "default": ""},
    },
)

if __name__ == "__main__":
    TASK.main()
