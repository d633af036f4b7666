# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the reminders to answer the invitation to a joiner's orientation, for people without an answer in the
calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from ...module_utils.model.kinds import ONBOARD
from ...module_utils.model.person import Person
from ...module_utils.model.states import ANSWER_OF, UNANSWERED
from ..history.casefile import CaseFile, StepFile, of_kind
from ..later.followups import ASK_ANSWERS
from ..post.letters import Letter


def unanswered(cases: Mapping[str, CaseFile], now: datetime) -> Iterator[Letter]:
    """Yield a letter to each person without an answer, once for each day of asking. The joiner gets one only from the
    first day on."""
    for case in of_kind(cases, ONBOARD):
        asked = [one for one in case.due.values() if one["step"] == ASK_ANSWERS and one["ended"]]
        last = max(asked, key=lambda one: str(one["ended"]), default=None)
        step = case.steps.get((str(last["system"]), "meeting")) if last and last["how"] == "done" else None
        if last is None or step is None:
            continue
        begins = Person.of(case.person).employment_begins()
        for who in _open(step):
            if who.casefold() not in case.names or begins is None or begins <= now:
                yield _letter(case, step, who, str(last["id"]))


def _open(step: StepFile) -> list[str]:
    rows = [row for row in step.rows if row.get("before") == UNANSWERED]
    return [str(row["what"]).removeprefix(ANSWER_OF) for row in rows]


def _letter(case: CaseFile, step: StepFile, who: str, asked: str) -> Letter:
    meeting = next((str(row.get("note") or "") for row in step.rows if row.get("what") == "meeting"), "")
    return Letter(
        f"answer:{case.id}:{who}:{asked}",
        [who],
        f"Please answer the invitation: {meeting}",
        [
            f"You are invited to the first day of {case.name}: {meeting}.",
            "Your calendar shows no answer yet. Accept the invitation there, or decline it, so that another time is found.",
        ],
        case=case.id,
    )
