#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: quarantine
short_description: Refuse to take over what was there before a joiner, before the first write
description:
  - Judges what M(workforce.lifecycle.existing_info) found of a joiner. What is there already stops the run, until somebody says that it is theirs,
    or it is renamed or released.
  - What an earlier run of the same case has judged is not judged again, since what is there now may be the case's own.
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Judges just the same, and notes nothing.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  cases: {description: "Cases, as M(workforce.lifecycle.case) returns them.", type: list, elements: dict, required: true}
  seen:
    description:
      - What M(workforce.lifecycle.existing_info) said, each with its C(system), the C(person)'s address, and C(existing).
      - Without the last, the system was not read.
    type: list
    elements: dict
    required: true
  adopt:
    description: Systems of which somebody says that what is there is this person's own. Only for one person.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Nothing is taken over without a word
  workforce.lifecycle.quarantine:
    cases: "{{ lifecycle_opened.cases }}"
    seen: "{{ what_is_there }}"
    adopt: [entra]
"""

RETURN = r"""
adopted:
  description: By system, addresses of those who have an account of before there. It gets what the profile says, and keeps nothing else.
  returned: success
  type: dict
unread:
  description: By system, addresses of those whom it could not be asked about. Nothing may be done for them there.
  returned: success
  type: dict
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.sdk.capabilities import CaseLedger
from ..module_utils.model.errors import InputError, Refused
from ..module_utils.model.person import Person
from ..module_utils.people.quarantine import judge
from ..module_utils.engine.task import Task


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    adopt = [name.strip() for name in want["adopt"] if name.strip()]
    _refuse_adopting(book, adopt, len(want["cases"]))
    answer: dict[str, Any] = {"adopted": {}, "unread": {}}
    judged = []
    refused: list[str] = []
    for case in want["cases"]:
        person = Person.of(case["person"])
        answers = {
            answer["system"]: answer.get("existing") for answer in want["seen"] if answer["person"] == person.email
        }
        known = book.quarantined(case)
        new = {system: found for system, found in answers.items() if found is not None and system not in known}
        earlier = [*case.get("earlier", ()), *book.earlier(case)] if any(new.values()) else []
        verdict = judge(person, new, adopt=adopt, precreated=book.policy.identity.precreated, earlier=earlier)
        if verdict.stops:
            lines = [*verdict.stops.values(), *(f"known: {line}" for line in earlier)]
            refused.append(f"{person.email} is to begin, and this is there already: {'; '.join(lines)}")
        judged.append((case, {system: system in verdict.adopted for system in new}))
        for system in (*verdict.adopted, *(system for system, own in known.items() if own)):
            answer["adopted"].setdefault(system, []).append(person.email)
        for system in (system for system, found in answers.items() if found is None and system not in known):
            answer["unread"].setdefault(system, []).append(person.email)
    if refused:
        raise Refused(
            "; ".join(refused),
            act="onboard",
            hint="nothing was sent. If it is theirs: -e adopt=SYSTEM,... (it gets what the profile says, and keeps nothing of before); "
            "if it is somebody else's: another address or login for the joiner in HR; or release it: rename it there, or delete it for good",
        )
    for case, systems in judged:
        book.quarantine(case, systems)
    return answer


def _refuse_adopting(book: Any, adopt: list[str], people: int) -> None:
    """:raises InputError: it is of several people, or of no system."""
    if adopt and people > 1:
        raise InputError("adopt is of one person, and several are named", act="onboard", hint="onboard them one by one")
    known = book.systems() if adopt else {}
    unknown = [name for name in adopt if name not in known]
    if unknown:
        raise InputError(
            f"adopt names {unknown[0]}, and there is no such system",
            act="onboard",
            hint=f"known: {', '.join(sorted(known))}",
        )


TASK = Task(
    CaseLedger,
    info=info,
    argument_spec={
        "cases": {"type": "list", "elements": "dict", "required": True},
        "seen": {"type": "list", "elements": "dict", "required": True},
        "adopt": {"type": "list", "elements": "str", "default": []},
    },
)

if __name__ == "__main__":
    TASK.main()
