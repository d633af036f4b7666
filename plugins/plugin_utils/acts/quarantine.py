# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses a joiner for whom an account or a mailbox exists already, unless it is known to be theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import ONBOARD
from ...module_utils.people.quarantine import judge
from ..cases import earlier
from ..ledger.run import LedgerRun


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    adopt = [name.strip() for name in want["adopt"] if name.strip()]
    cases = [OpenCase.of(case) for case in want["cases"]]
    _refuse_adopting(run, adopt, len(cases))
    answer: dict[str, Any] = {"adopted": {}, "unread": {}}
    judged = []
    refused: list[str] = []
    for case in cases:
        email = case.person.email
        found = {seen["system"]: seen.get("existing") for seen in want["seen"] if seen["person"] == email}
        known = earlier.judged(run, case)
        new = {system: there for system, there in found.items() if there is not None and system not in known}
        before = [*(case.earlier or ()), *earlier.earlier_lives(run, case)] if any(new.values()) else []
        verdict = judge(case.person, new, adopt=adopt, precreated=run.policy.identity.precreated, earlier=before)
        if verdict.stops:
            lines = [*verdict.stops.values(), *(f"known: {line}" for line in before)]
            refused.append(f"{email} is to begin, and this is there already: {'; '.join(lines)}")
        judged.append((case, {system: system in verdict.adopted for system in new}))
        for system in (*verdict.adopted, *(system for system, own in known.items() if own)):
            answer["adopted"].setdefault(system, []).append(email)
        for system in (system for system, there in found.items() if there is None and system not in known):
            answer["unread"].setdefault(system, []).append(email)
    if refused:
        raise Refused(
            "; ".join(refused),
            act=ONBOARD,
            hint="nothing was sent. If it is theirs: -e adopt=SYSTEM,... (it gets what the profile says, and keeps nothing from before); "
            "if it is somebody else's: another address or login for the joiner in HR; or release it: rename it there, or delete it for good",
        )
    for case, systems in judged:
        earlier.keep_judged(run, case, systems)
    return answer


def _refuse_adopting(run: LedgerRun, adopt: Sequence[str], people: int) -> None:
    """Check the option ``adopt``.

    :raises InputError: the run is for several people, or a name is no system.
    """
    if adopt and people > 1:
        raise InputError("adopt is of one person, and several are named", act=ONBOARD, hint="onboard them one by one")
    known = run.inventory.systems() if adopt else {}
    unknown = [name for name in adopt if name not in known]
    if unknown:
        raise InputError(
            f"adopt names {unknown[0]}, and there is no such system",
            act=ONBOARD,
            hint=f"known: {', '.join(sorted(known))}",
        )
