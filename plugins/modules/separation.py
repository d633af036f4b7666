#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: separation
short_description: Refuse what nobody may hold together, before the first write
description:
  - Judges each pair that the policy's C(separation) names by what the profile gives and what the person holds and will keep.
  - Of a mover it says what must be taken before anything is given - a hand-over overlap never keeps both.
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Judges just the same.", support: full}
  diff_mode: {description: "There is no diff.", support: none}
options:
  cases: {description: "Cases, as M(workforce.lifecycle.case) returns them.", type: list, elements: dict, required: true}
  held:
    description: What M(workforce.lifecycle.entitlements_info) said of each of them, on each system that policy names.
    type: list
    elements: dict
    required: true
  keep: {description: "What the run leaves alone, names by system and kind.", type: dict, default: {}}
"""

EXAMPLES = r"""
- name: Nobody may hold both
  workforce.lifecycle.separation:
    cases: "{{ lifecycle_opened.cases }}"
    held: "{{ what_they_hold }}"
"""

RETURN = r"""
first:
  description: What must be taken first, names by address, system and kind.
  returned: success
  type: dict
"""

from typing import Any
from collections.abc import Collection, Mapping, Sequence

from ..module_utils.sdk.capabilities import CaseLedger
from ..module_utils.model.errors import Refused
from ..module_utils.engine.mover import NOBODY, UNDECIDED
from ..module_utils.model.person import Person
from ..module_utils.company.policy import Holding
from ..module_utils.people.separation import (
    Mover,
    as_called,
    called_of,
    held_of,
    judge,
    pairs_as_called,
)
from ..module_utils.engine.change import Outcome
from ..module_utils.engine.task import Task

#: The step in which what was decided is carried out.
STEP = "entitlements"


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    pairs = book.policy.separation
    named = {one.system for pair in pairs for one in (pair.one, pair.other)}
    read = {(answer["system"], answer["person"]) for answer in want["held"]}
    refused: list[str] = []
    first: dict[str, dict[str, dict[str, list[str]]]] = {}
    for case in want["cases"]:
        email = case["person"]["email"]
        unread = sorted(system for system in named if (system, email) not in read)
        if unread:
            refused.append(
                f"{email}: what they hold on {', '.join(unread)} was not read, so that nobody knows what they may not be given"
            )
            continue
        called = called_of(want["held"], email)
        wanted, explained, keep = (
            as_called(called, names) for names in (case["wanted"], case.get("explained") or {}, want["keep"])
        )
        mover = (
            Mover(
                explained,
                case.get("unexplained") or {},
                keep,
                _decided(book, case["id"], named),
                bool(case.get("overlap_until")),
            )
            if case["kind"] == "transfer"
            else None
        )
        verdict = judge(pairs_as_called(called, pairs), wanted, case["profile"], held_of(want["held"], email), mover)
        refused += [f"{email}: {line}" for line in verdict.refused]
        _ask(book, case, verdict.undecided)
        for one in verdict.first:
            first.setdefault(email, {}).setdefault(one.system, {}).setdefault(one.kind, []).append(one.name)
    if refused:
        raise Refused(
            "; ".join(refused),
            act="separate duties",
            hint="nothing was sent: correct the profile, take one of the two, or decide on it",
        )
    return {"first": first}


def _decided(book: Any, case: str, systems: Collection[str]) -> dict[tuple[str, str, str], str]:
    """What somebody decided about what no profile explains: (system, kind, name without case) to ``keep`` or ``remove``."""
    said = {
        (system, what.removeprefix(UNDECIDED)): facts.get("decision", "")
        for system in systems
        if case
        for what, facts in book.ledger.history(case, system, STEP)["attested"].items()
        if what.startswith(UNDECIDED)
    }
    return {
        (system, what.partition(": ")[0], what.partition(": ")[2].casefold()): word
        for (system, what), word in said.items()
        if word
    }


def _ask(book: Any, case: Mapping[str, Any], undecided: Sequence[Holding]) -> None:
    """Let what the run stops for be decided as everything else is: it waits in the ledger, where attest finds it."""
    asks = {
        "before": "held",
        "after": "held",
        "outcome": Outcome.NEEDS_HUMAN.value,
        "note": f"{NOBODY}, and nobody may hold it beside the new: decide with attest, -e decision=remove",
    }
    for system in dict.fromkeys(one.system for one in undecided) if case["id"] and not book.read_only else ():
        rows = [{"what": f"{UNDECIDED}{one.kind}: {one.name}", **asks} for one in undecided if one.system == system]
        book.ledger.outcome(
            case["id"],
            run=book.run,
            phase="separate",
            system=system,
            step=STEP,
            person=Person.of(case["person"]).key,
            intent=None,
            result={"outcome": Outcome.NEEDS_HUMAN.value, "changes": rows},
        )


TASK = Task(
    CaseLedger,
    info=info,
    argument_spec={
        "cases": {"type": "list", "elements": "dict", "required": True},
        "held": {"type": "list", "elements": "dict", "required": True},
        "keep": {"type": "dict", "default": {}},
    },
)

if __name__ == "__main__":
    TASK.main()
