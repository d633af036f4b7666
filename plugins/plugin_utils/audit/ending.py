# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the reminders to a sponsor that an access by request ends, some days before, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from ...module_utils.company.policy_sections import Access
from ...module_utils.model import clock
from ...module_utils.model.commands import command
from ...module_utils.model.kinds import ACCESS
from ..history.casefile import CaseFile, of_kind
from ..later.granted import END_ACCESS
from ..post.letters import Letter


def reminders(cases: Mapping[str, CaseFile], rules: Access, now: datetime) -> Iterator[Letter]:
    """Yield the reminder that is due now for every request; when several are due, only the last."""
    for case in of_kind(cases, ACCESS):
        end, to = case.due.get(END_ACCESS), str(case.facts.get("sponsor") or "")
        if end is None or end["ended"] or case.withdrawn or not to:
            continue
        left = clock.parse(str(end["due"])) - now
        passed = [days for days in rules.remind_days if timedelta() < left <= timedelta(days=days)]
        if passed:
            yield _reminder(case, str(end["due"])[:10], min(passed), to)


def _reminder(case: CaseFile, day: str, days: int, to: str) -> Letter:
    names = [
        f"{system}: {kind}: {name}"
        for system, kinds in (case.facts.get("wanted") or {}).items()
        for kind, listed in kinds.items()
        for name in listed
    ] + [f"{system}: an account" for system in case.facts.get("seats") or ()]
    return Letter(
        f"ends:{case.id}:{days}",
        [to],
        f"Ends on {day}: access by request ({case.id})",
        [
            f"What case {case.id} gave ends on {day}, by itself: {'; '.join(names)}.",
            f"It was given for: {case.facts.get('why')}.",
            "Nobody has to do anything. To keep it for longer, ask for it again with another end; it needs a new approval.",
        ],
        command("access", user=str(case.person.get("email") or case.key), open_end="-e access=<what> -e ends=<day>"),
        case.id,
    )
