# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses a run after which a person would hold two entitlements that nobody may hold together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...module_utils.company.policy_sections import Holding
from ...module_utils.engine.change import Outcome
from ...module_utils.engine.mover import NOBODY, UNDECIDED
from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import Refused
from ...module_utils.model.kinds import ROLLOUT, TRANSFER
from ...module_utils.people.separation import (
    Mover,
    as_called,
    called_of,
    held_of,
    judge,
    pairs_as_called,
)
from ..ledger.run import LedgerRun

#: The step that carries out the decisions.
STEP = "entitlements"


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    pairs = run.policy.separation
    named = {one.system for pair in pairs for one in (pair.one, pair.other)}
    read = {(answer["system"], answer["person"]) for answer in want["held"]}
    refused: list[str] = []
    first: dict[str, dict[str, dict[str, list[str]]]] = {}
    for case in map(OpenCase.of, want["cases"]):
        email = case.person.email
        unread = sorted(system for system in named if (system, email) not in read)
        if unread:
            refused.append(
                f"{email}: what they hold on {', '.join(unread)} was not read, so that nobody knows what they may not be given"
            )
            continue
        called = called_of(want["held"], email)
        wanted, explained, keep = (
            as_called(called, names) for names in (case.wanted, case.explained or {}, want["keep"])
        )
        mover = (
            Mover(
                explained,
                case.unexplained or {},
                keep,
                _decided(run, case.id, named),
                bool(case.overlap_until),
            )
            if case.kind in (TRANSFER, ROLLOUT)
            else None
        )
        verdict = judge(pairs_as_called(called, pairs), wanted, case.profile, held_of(want["held"], email), mover)
        refused += [f"{email}: {line}" for line in verdict.refused]
        _ask(run, case, verdict.undecided)
        for one in verdict.first:
            first.setdefault(email, {}).setdefault(one.system, {}).setdefault(one.kind, []).append(one.name)
    if refused:
        raise Refused(
            "; ".join(refused),
            act="separate duties",
            hint="nothing was sent: correct the profile, take one of the two, or decide on it",
        )
    return {"first": first}


def _decided(run: LedgerRun, case: str, systems: Collection[str]) -> dict[tuple[str, str, str], str]:
    """Return the decisions about unexplained entitlements: (system, kind, name in lower case) -> ``keep`` or
    ``remove``."""
    said = {
        (system, what.removeprefix(UNDECIDED)): facts.get("decision", "")
        for system in systems
        if case
        for what, facts in run.ledger.history(case, system, STEP)["attested"].items()
        if what.startswith(UNDECIDED)
    }
    return {
        (system, what.partition(": ")[0], what.partition(": ")[2].casefold()): word
        for (system, what), word in said.items()
        if word
    }


def _ask(run: LedgerRun, case: OpenCase, undecided: Sequence[Holding]) -> None:
    """Note in the ledger the decision for which the run stops, so that ``attest`` finds it like any other."""
    asks = {
        "before": "held",
        "after": "held",
        "outcome": Outcome.NEEDS_HUMAN.value,
        "note": f"{NOBODY}, and nobody may hold it beside the new: decide with attest, -e decision=remove",
    }
    for system in dict.fromkeys(one.system for one in undecided) if case.id and not run.read_only else ():
        rows = [{"what": f"{UNDECIDED}{one.kind}: {one.name}", **asks} for one in undecided if one.system == system]
        run.ledger.outcome(
            case.id,
            run=run.id,
            phase="separate",
            system=system,
            step=STEP,
            person=case.person.key,
            intent=None,
            result={"outcome": Outcome.NEEDS_HUMAN.value, "changes": rows},
        )
